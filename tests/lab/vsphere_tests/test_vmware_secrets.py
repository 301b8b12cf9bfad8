# SPDX-License-Identifier: Apache-2.0
"""The password of an endpoint: told to nobody who has not proved who he is, and left nowhere by modules and roles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import UnreachableError
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_canaries import SPY
from ansible_collections.scs.landscape.tests.lab.samples import Samples
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

from . import desk
from .exporting import export
from .test_vmware_vm_info import foreign_authority

WRONG = "5C" * 32


def strangers(folder: Path) -> dict[str, dict[str, Any]]:
    """Proofs that the endpoint cannot give."""
    return {
        "authority": {"ca_path": str(foreign_authority(folder))},
        "thumbprint": {"ca_path": None, "thumbprint_sha256": WRONG},
        "both": {"thumbprint_sha256": WRONG},
    }


@pytest.mark.accept("V1.16")
@pytest.mark.parametrize("case", ["authority", "thumbprint", pytest.param("both", marks=pytest.mark.full)])
@pytest.mark.parametrize("face", ["power", "export", "inventory", "role"])
def test_no_login_reaches_an_endpoint_that_is_not_who_was_meant(
    esxi: Vsphere, tmp_path: Path, face: str, case: str
) -> None:
    changes = strangers(tmp_path)[case]
    calls = len(esxi.calls(""))
    if face == "power":
        with pytest.raises(UnreachableError) as caught:
            desk.power(esxi, "running", **{**changes, "power": "off"})
        said = str(caught.value)
    elif face == "export":
        said = export(esxi, tmp_path / "out", vm="dense", **changes)["failed"]
        assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    elif face == "inventory":
        login = {**desk.login(esxi, **changes), "name": "e1"}
        (tmp_path / "a.vmware.yml").write_text(
            yaml.safe_dump({"plugin": "scs.landscape.vmware_vms", "endpoints": [login]})
        )
        done = desk.program("ansible-inventory", "-i", str(tmp_path / "a.vmware.yml"), "--list", "-vvv", home=tmp_path)
        said = done.stdout + done.stderr
        assert done.returncode
    else:
        done = played(esxi, tmp_path, [{"import_role": {"name": "scs.landscape.vm_assess"}}], **changes)
        said = done.stdout + done.stderr
        assert done.returncode
    assert ("is not believed" if case == "authority" else "is not who was meant") in " ".join(said.split())
    assert esxi.password not in said
    assert esxi.calls("")[calls:] == []


def played(
    esxi: Vsphere, folder: Path, tasks: list[dict[str, Any]], **changes: Any
) -> subprocess.CompletedProcess[str]:
    """A play at its loudest, with the login as operators keep it: in a file of its own."""
    (folder / "vault").mkdir()
    (folder / "vault/login.json").write_text(json.dumps({"vm_endpoints": [desk.login(esxi, **changes)]}))
    (folder / "spy").mkdir()
    (folder / "spy/sitecustomize.py").write_text(SPY, encoding="utf-8")
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    head["vars"] = {"ansible_python_interpreter": sys.executable}
    (folder / "book.yml").write_text(yaml.safe_dump([head]))
    environ = {
        **os.environ,
        "HOME": str(folder),
        "PWD": str(folder),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_LOG_PATH": str(folder / "log"),
        "LAB_SYSLOG": str(folder / "syslog"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder / "spy"), os.environ.get("PYTHONPATH")])),
    }
    argv = [str(PROGRAMS / "ansible-playbook"), "-vvv", "--diff", "-e", f"@{folder}/vault/login.json"]
    argv.append(str(folder / "book.yml"))
    return subprocess.run(argv, env=environ, cwd=folder, capture_output=True, text=True, timeout=900, check=False)


def login(**more: Any) -> dict[str, Any]:
    """Options of a task that logs in."""
    names = ("hostname", "port", "username", "password", "ca_path")
    return {**{name: f"{{{{ vm_endpoints[0].{name} }}}}" for name in names}, **more}


@pytest.mark.accept("V1.16")
def test_the_password_is_in_no_process_no_output_and_no_file(esxi: Vsphere, tmp_path: Path) -> None:
    """Assessed, exported with a journal, asked to do what is refused: everything of it is looked through."""
    folder = tmp_path / "there"
    folder.mkdir()
    tasks = [
        {"import_role": {"name": "scs.landscape.vm_assess"}},
        {
            "scs.landscape.vmware_disk_export": login(vm="dense", dest=str(folder / "out"), transport="nfc"),
            "register": "a",
        },
        {
            "scs.landscape.vmware_vm_power": login(vms=["deaf"], power="off"),
            "register": "b",
            "failed_when": "b is not failed",
        },
        {"scs.landscape.vmware_vm_info": login(username="nobody"), "register": "c", "failed_when": "c is not failed"},
        {"debug": {"var": "[a, b, c, vm_assess_vms]"}},
    ]
    with Samples(esxi.password) as samples:
        done = played(esxi, folder, tasks)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert "failed=0" in said
    assert '"dense"' in said
    assert esxi.password not in said
    assert samples.count > 5
    assert any("ansible-playbook" in name for name in samples.names)
    assert any("AnsiballZ_vmware" in name for name in samples.names)
    assert samples.found == set()
    # The packed module itself holds its arguments, which is Ansible's own way; they are kept here to look at the rest.
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "vault"]
    texts = [path for path in files if not path.name.startswith("AnsiballZ_")]
    assert (folder / "syslog") in texts
    assert (folder / "log") in texts
    assert [str(path) for path in texts if esxi.password.encode() in path.read_bytes()] == []
