# SPDX-License-Identifier: Apache-2.0
"""Facts of VMs as an endpoint gives them, and whom the password is told."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, facts
from ansible_collections.scs.landscape.plugins.module_utils.vmware.leases.client import disk_of, lease
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import (
    Autostart,
    LoginError,
    UnreachableError,
    VmwareError,
    vm_of,
)
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests import desk
from ansible_collections.scs.landscape.tests.tools import yardstick

#: What may be called to look: no method that changes more than a session, and few of those.
LOOKING = {
    "RetrieveServiceContent",
    "Login",
    "Logout",
    "CreateContainerView",
    "DestroyView",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
}


def test_facts_are_what_the_endpoint_was_made_of(vsphere: Vsphere, disks: dict[str, Path]) -> None:
    before = len(vsphere.calls())
    result = desk.info(vsphere)
    calls = [call["method"] for call in vsphere.calls()[before:]]
    assert set(calls) <= LOOKING
    assert len(calls) == result.values["calls"] < 12
    assert result.values["endpoint"]["kind"] == vsphere.mode
    assert result.values["endpoint"]["free_licence"] is False
    found = {vm["name"]: vm for vm in result.values["vms"]}
    assert {name: vm["moid"] for name, vm in found.items()} == vsphere.machines
    vm = found["böse 1"]
    assert (vm["firmware"], vm["secure_boot"], vm["guest_id"]) == ("uefi", True, "debian11_64Guest")
    assert (vm["cpus"], vm["sockets"], vm["cores_per_socket"], vm["memory_mb"]) == (4, 2, 2, 2048)
    assert (vm["power"], vm["cbt"], Autostart(**vm["autostart"])) == ("off", True, Autostart(True, 2))
    sizes = {name: path.stat().st_size for name, path in disks.items()}
    told = [(disk["key"], disk["bus"], disk["capacity_bytes"]) for disk in vm["disks"]]
    nvme = told[-1][0]
    assert told == [(2011, "scsi", sizes["odd"]), (2003, "sata", sizes["small"]), (nvme, "nvme", sizes["empty"])]
    assert all(disk["allocated_bytes"] is not None and disk["path"].startswith("[") for disk in vm["disks"])
    assert [one["name"] for one in vm["snapshots"]] == ["before", "after"]
    assert [one["current"] for one in vm["snapshots"]] == [False, True]
    first, second = vm["nics"]
    assert (first["mac"], first["model"], first["ips"]) == ("00:50:56:aa:bb:cc", "vmxnet3", ["192.0.2.7"])
    assert (second["model"], second["start_connected"]) == ("e1000e", False)
    assert (found["running"]["power"], found["running"]["tools"]) == ("on", "running")
    assert found["deaf"]["tools"] == "missing"
    assert all(vm_of(one).as_dict() == {**one, "files": []} for one in found.values())


def test_some_vms_are_read_alone_and_files_when_asked(vsphere: Vsphere) -> None:
    uuid = desk.facts(vsphere)["running"]["uuid"]
    result = desk.info(vsphere, "deaf", uuid, files=True)
    assert [vm["name"] for vm in result.values["vms"]] == ["deaf", "running"]
    assert all(one["path"].startswith("[") for vm in result.values["vms"] for one in vm["files"])
    with pytest.raises(InputError, match="no VM is called 'nobody'"):
        desk.info(vsphere, "nobody")


def test_a_session_that_ran_out_is_renewed_where_that_is_safe(vsphere: Vsphere) -> None:
    before = desk.logins(vsphere)
    with client.connect(desk.login(vsphere)) as session:
        first = session.cookie
        assert vsphere.drop_sessions()
        assert len(facts.vms_of(session.properties(facts.ALL), session.endpoint)) == len(vsphere.machines)
        assert session.cookie
        assert session.cookie != first
    assert desk.logins(vsphere) - before == 2


def test_a_cookie_that_files_refuse_is_renewed_once(vsphere: Vsphere) -> None:
    before = desk.logins(vsphere)
    with client.connect(desk.login(vsphere)) as session:
        first = session.cookie
        session.renew(first)
        assert session.cookie not in ("", first)
        session.renew(first)  # of somebody who saw the old one refused as well
        assert len(session.properties({"VirtualMachine": ["name"]})) == len(vsphere.machines)
    assert desk.logins(vsphere) - before == 2


def test_properties_that_a_version_does_not_know_are_left_out(vsphere: Vsphere) -> None:
    with client.connect(desk.login(vsphere)) as session:
        found = session.properties({"VirtualMachine": ["name", "config.ofTheFuture"]})
    assert sorted(one["name"] for one in found) == sorted(vsphere.machines)


def test_many_pages_are_one_list(vsphere: Vsphere) -> None:
    with client.connect(desk.login(vsphere), page=2) as session:
        found = facts.vms_of(session.properties(facts.ALL), session.endpoint)
        pages = session.calls.count("ContinueRetrievePropertiesEx")
    assert [vm.name for vm in found] == sorted(vsphere.machines)
    assert pages >= 3


def test_a_lease_serves_the_disks_and_ends(vsphere: Vsphere) -> None:
    with client.connect(desk.login(vsphere)) as session:
        vm = next(one for one in facts.vms_of(session.properties(facts.ALL), session.endpoint) if one.name == "böse 1")
        with lease(session, vm) as found:
            assert found.state() == "ready"
            found.progress(10)
            served = [disk_of(vm, one) for one in found.files if one.disk]
            assert {one.key for one in served if one} == {disk.key for disk in vm.disks}
            assert all("*" not in one.url and one.thumbprint for one in found.files if one.disk)
        assert found.timeout == 300
        with pytest.raises(ZeroDivisionError), lease(session, vm, vm.snapshots[0].id) as found:
            raise ZeroDivisionError
        running = next(
            one for one in facts.vms_of(session.properties(facts.ALL), session.endpoint) if one.power == "on"
        )
        with pytest.raises(VmwareError, match="InvalidPowerState"), lease(session, running):
            pytest.fail("a VM that is on has no lease")
    assert vsphere.state()["leases"] == []
    ends = [call["method"] for call in vsphere.calls("lease")][-4:]
    assert "complete" in ends
    assert "abort" in ends


# Whom the password is told.


def foreign_authority(folder: Path) -> Path:
    """The certificate of an authority that signed nothing of ours."""
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nobody", "-days", "2"]
    argv += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    return folder / "ca.pem"


@pytest.mark.accept("V1.16")
@pytest.mark.parametrize(
    "case", ["authority", "system", "thumbprint", "thumbprint-and-authority", "thumbprint-unchecked"]
)
def test_nobody_is_told_the_password_who_is_not_who_was_meant(vsphere: Vsphere, tmp_path: Path, case: str) -> None:
    wrong = "5C" * 32
    changes: dict[str, Any] = {
        "authority": {"ca_path": str(foreign_authority(tmp_path)) if case == "authority" else None},
        "system": {"ca_path": None},
        "thumbprint": {"ca_path": None, "thumbprint_sha256": wrong},
        "thumbprint-and-authority": {"thumbprint_sha256": wrong},
        "thumbprint-unchecked": {"thumbprint_sha256": wrong, "validate_certs": False},
    }[case]
    calls, requests = len(vsphere.calls()), len(vsphere.calls("http"))
    with pytest.raises(UnreachableError) as caught:
        desk.info(vsphere, **changes)
    assert len(vsphere.calls()) == calls
    assert len(vsphere.calls("http")) == requests
    said = str(caught.value)
    assert vsphere.password not in said
    assert ("is not who was meant" if "thumbprint" in case else "is not believed") in said


@pytest.mark.accept("V1.16")
@pytest.mark.parametrize(
    "changes",
    [{}, {"ca_path": None, "thumbprint_sha256": ""}, {"ca_path": None, "validate_certs": False}],
    ids=["authority", "thumbprint", "unchecked"],
)
def test_who_was_meant_is_believed(esxi: Vsphere, changes: dict[str, Any]) -> None:
    if "thumbprint_sha256" in changes:
        changes = {**changes, "thumbprint_sha256": esxi.thumbprint}
    assert len(desk.info(esxi, **changes).values["vms"]) == len(esxi.machines)


def test_a_wrong_password_is_told_once_and_never_shown(esxi: Vsphere) -> None:
    before = desk.logins(esxi)
    with pytest.raises(LoginError, match="InvalidLogin") as caught:
        desk.info(esxi, password="wrong-4711")
    assert "wrong-4711" not in str(caught.value)
    assert desk.logins(esxi) - before == 1


def test_a_peer_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = {
            "hostname": "127.0.0.1",
            "port": server.getsockname()[1],
            "username": "u",
            "password": "p",
            "timeout": 1,
        }
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="no whole answer"):
            client.connect(options)
        assert time.monotonic() - began < 20 * max(1.0, yardstick.pace())


def test_a_peer_that_is_no_endpoint_is_told_so(esxi: Vsphere) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def slam() -> None:
        while True:
            try:
                connection, _peer = server.accept()
            except OSError:
                return
            connection.close()

    thread = threading.Thread(target=slam, daemon=True)
    thread.start()
    try:
        with pytest.raises(LandscapeError, match=r"no whole answer|is not believed"):
            desk.info(esxi, port=server.getsockname()[1], timeout=5)
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


@pytest.mark.accept("V1.16")
def test_no_output_and_no_file_holds_the_password(esxi: Vsphere, tmp_path: Path) -> None:
    options = {**desk.login(esxi), "vms": ["running"]}
    options["thumbprint_sha256"] = esxi.thumbprint
    task = {"scs.landscape.vmware_vm_info": options, "register": "found"}
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [task, {"debug": {"var": "found"}}],
        }
    ]
    play[0]["vars"] = {"ansible_python_interpreter": sys.executable}
    book = tmp_path / "play.json"
    book.write_text(json.dumps(play))
    home = tmp_path / "home"
    home.mkdir()
    done = desk.program("ansible-playbook", "-vvv", "--diff", str(book), home=home)
    assert done.returncode == 0, done.stdout[-3000:]
    assert '"name": "running"' in done.stdout
    assert esxi.password not in done.stdout + done.stderr
    book.unlink()
    # The packed module itself holds its arguments (Ansible's own way, kept here on purpose to look at the rest), nothing else does.
    texts = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("AnsiballZ_")]
    assert not [path for path in texts if esxi.password.encode() in path.read_bytes()]
