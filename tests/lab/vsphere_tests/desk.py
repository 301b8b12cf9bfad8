# SPDX-License-Identifier: Apache-2.0
"""Where tests of modules sit: logins of endpoints, modules as functions, and Ansible's own programs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.modules import vmware_vm_info, vmware_vm_power
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

_POWER = {
    "power": None,
    "nics": None,
    "autostart": None,
    "restore": None,
    "shutdown_timeout": 60,
    "force": False,
    "keep_going": False,
    "max_parallel": 4,
    "ssh": None,
}


def login(endpoint: Vsphere, **changes: Any) -> dict[str, Any]:
    """The options that log in at an endpoint, whose authority is believed; None takes one away."""
    options = {
        "hostname": "127.0.0.1",
        "port": endpoint.port,
        "username": endpoint.username,
        "password": endpoint.password,
        "ca_path": str(endpoint.ca),
        "timeout": 60,
        **changes,
    }
    return {name: value for name, value in options.items() if value is not None}


def info(endpoint: Vsphere, *vms: str, files: bool = False, **changes: Any) -> Result:
    """What ``vmware_vm_info`` returns."""
    return vmware_vm_info.main(
        {**login(endpoint, **changes), "vms": list(vms), "files": files, "ignore_missing": False}, False
    )


def power(endpoint: Vsphere, *vms: str, check: bool = False, **options: Any) -> Result:
    """What ``vmware_vm_power`` returns."""
    return vmware_vm_power.main({**login(endpoint), **_POWER, "vms": list(vms), **options}, check)


def facts(endpoint: Vsphere) -> dict[str, dict[str, Any]]:
    """The facts of all VMs by their names."""
    return {vm["name"]: vm for vm in info(endpoint).values["vms"]}


def logins(endpoint: Vsphere) -> int:
    """How many logins reached the endpoint."""
    return sum(call["method"] == "Login" for call in endpoint.calls())


def program(name: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs one of Ansible's programs with a home of its own."""
    environ = {**os.environ, "HOME": str(home), "ANSIBLE_LOCALHOST_WARNING": "false", "PYTHONWARNINGS": "ignore"}
    environ.update(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true", ANSIBLE_LOCAL_TEMP=str(home / "tmp"))
    environ.update(ANSIBLE_KEEP_REMOTE_FILES="1", ANSIBLE_REMOTE_TEMP=str(home / "remote"))
    argv = [str(PROGRAMS / name), *arguments]
    return subprocess.run(argv, env=environ, cwd=home, capture_output=True, text=True, timeout=900, check=False)


def inventory(file: Path, home: Path) -> dict[str, Any]:
    """What ``ansible-inventory --list`` says, without the marks of what is no template."""
    done = program("ansible-inventory", "-i", str(file), "--list", home=home)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one)))
