# SPDX-License-Identifier: Apache-2.0
"""This machine becomes a converter, in a folder that goes away again: real packages, real SDKs, and modules that run with them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.tools import apt

_SECONDS = 900


def ran(folder: Path, *argv: str, **variables: Any) -> str:
    """What a program of Ansible says, whether it went well or not."""
    options = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1", "HOME": str(folder)}
    given = [str(PROGRAMS / argv[0]), *argv[1:], *options]
    done = subprocess.run(given, cwd=folder, env=environ, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stdout + done.stderr


def test_a_debian_machine_becomes_a_converter_once(tmp_path: Path) -> None:
    # What the role installs is kept on this machine, as everything that tests need of Debian is.
    apt.ensure(["python3-venv", "python3-apt"], "a converter")
    system = shutil.which("python3", path="/usr/bin")
    place = tmp_path / "converter"
    given = {"converter_host_environment": place, "vm_folder": tmp_path / "moves", "ansible_python_interpreter": system}
    playbook = ("ansible-playbook", "scs.landscape.vm_converter")
    foretold = ran(tmp_path, *playbook, "--check", **given)
    assert "failed=0" in foretold, foretold
    assert not place.exists()
    said = ran(tmp_path, *playbook, **given)
    assert "failed=0" in said, said
    assert (tmp_path / "moves").stat().st_mode & 0o777 == 0o700
    again = ran(tmp_path, *playbook, **given)
    assert "changed=0" in again, again
    # Modules find in it what they need: they come as far as an endpoint that is not there.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    login = f"hostname=127.0.0.1 port={port} username=root password=x timeout=2"
    told = ran(
        tmp_path,
        *("ansible", "localhost", "-m", "scs.landscape.vmware_vm_info", "-a", login),
        ansible_python_interpreter=place / "bin/python",
    )
    assert "pyvmomi" not in told.lower(), told
    assert f"127.0.0.1:{port}" in told, told
    (tmp_path / "book.yml").write_text(
        "- hosts: localhost\n  gather_facts: false\n  connection: local\n  tasks:\n"
        "    - scs.landscape.port_claim: {cloud: {auth: {auth_url: http://127.0.0.1:1/v3, username: a, password: b,"
        " project_name: c, user_domain_name: d, project_domain_name: d}}, vm: u1, ports: []}\n"
    )
    told = ran(tmp_path, "ansible-playbook", "book.yml", ansible_python_interpreter=place / "bin/python")
    assert "openstacksdk" not in told.lower(), told
    assert "127.0.0.1:1" in told, told
