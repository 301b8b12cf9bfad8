# SPDX-License-Identifier: Apache-2.0
"""This machine becomes a converter, in a folder that goes away again: real packages, real SDKs, and modules that run with them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.tools import apt

_SECONDS = 900


def ran(folder: Path, *argv: str, fails: bool = False, **variables: Any) -> str:
    """What a program of Ansible says."""
    options = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1", "HOME": str(folder)}
    given = [str(PROGRAMS / argv[0]), *argv[1:], *options]
    done = subprocess.run(given, cwd=folder, env=environ, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout


def told(folder: Path, module: str, environment: Path, **options: Any) -> str:
    """Why a module fails that runs with an environment of Python: its own message, not what Ansible says around it."""
    said = ran(
        folder,
        *("ansible", "localhost", "-m", f"scs.landscape.{module}", "-a", json.dumps(options)),
        fails=True,
        ansible_python_interpreter=environment / "bin/python3",
    )
    return str(json.loads(said.partition(" => ")[2])["msg"])


def test_a_debian_machine_becomes_a_converter_once(tmp_path: Path) -> None:
    # What the role installs is kept on this machine, as everything that tests need of Debian is.
    apt.ensure(["python3-venv", "python3-apt"], "a converter")
    place = tmp_path / "converter"
    given = {"converter_host_environment": place, "vm_folder": tmp_path / "moves"}
    given["ansible_python_interpreter"] = Path("/usr/bin/python3")
    playbook = ("ansible-playbook", "scs.landscape.vm_converter")
    ran(tmp_path, *playbook, "--check", **given)
    assert not place.exists()
    assert "changed=0" not in ran(tmp_path, *playbook, **given)
    assert (tmp_path / "moves").stat().st_mode & 0o777 == 0o700
    assert "changed=0" in ran(tmp_path, *playbook, **given)
    # Modules find in it what they need: they come as far as services that are not there.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    login = {"hostname": "127.0.0.1", "port": port, "username": "root", "password": "x", "timeout": 2}
    assert f"127.0.0.1:{port}" in told(tmp_path, "vmware_vm_info", place, **login)
    person = {"username": "a", "password": "b", "project_name": "c", "user_domain_name": "d"}
    auth = {"auth_url": f"http://127.0.0.1:{port}/v3", "project_domain_name": "d", **person}
    message = told(tmp_path, "port_claim", place, cloud={"auth": auth}, vm="u1", ports=[])
    assert f"127.0.0.1:{port}" in message
    bare = told(tmp_path, "port_claim", Path("/usr"), cloud={"auth": auth}, vm="u1", ports=[])
    assert "openstacksdk" in bare  # which says that the way to ask was right
