# SPDX-License-Identifier: Apache-2.0
"""The SSH configuration, as text and as OpenSSH itself reads it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import Options
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render import ssh_config
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions


def test_all_of_it(small):
    rendered = ssh_config.files(small(), RenderOptions(ssh_user="dragon", jump_role="manager"))
    assert rendered == {
        "ssh_config": """\
# Made by scs.landscape.landscape_render. Changes made here are lost: change the landscape.

Host l1 l1-mgmt
  HostName 10.0.23.100
  User dragon
  ProxyJump m1

Host m1
  HostName 10.0.21.10
  User dragon

Host m1-mgmt
  HostName 10.0.23.10
  ProxyJump m1

Host m2
  HostName 10.0.21.11
  User dragon
  ProxyJump m1

Host m2-mgmt
  HostName 10.0.23.11
  ProxyJump m1
"""
    }


def test_without_user_jump_host_and_suffix(small):
    text = ssh_config.files(small(), RenderOptions(management_suffix=""))["ssh_config"]
    assert "User" not in text
    assert "ProxyJump" not in text
    assert "mgmt" not in text
    assert "Host l1\n  HostName 10.0.23.100\n" in text


def test_a_device_that_has_the_name_of_a_management_address_keeps_it(small):
    text = ssh_config.files(small("  m2:", "  m1-mgmt:"), RenderOptions())["ssh_config"]
    assert text.count("Host m1-mgmt\n  HostName 10.0.21.11\n") == 1
    assert text.count("Host m1-mgmt\n") == 1


def test_unknown_or_absent_jump_host(small):
    with pytest.raises(InputError, match=r"jump role 'manger'\. did you mean manager\?"):
        ssh_config.files(small(), RenderOptions(jump_role="manger"))
    with pytest.raises(InputError, match="No device in the landscape has the jump role 'manager'"):
        ssh_config.files(small(), RenderOptions(Options(states=("planned",)), jump_role="manager"))


@pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client (package openssh-client)")
def test_openssh_reads_it(lab, tmp_path):
    file = tmp_path / "config"
    options = RenderOptions(ssh_user="dragon", jump_role="manager")
    file.write_text(ssh_config.files(lab, options)["ssh_config"], encoding="utf-8")

    def read(name):
        done = subprocess.run(["ssh", "-G", "-F", file, name], capture_output=True, text=True, check=True)
        found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        return tuple(found.get(key) for key in ("hostname", "user", "proxyjump"))

    assert read("st01-ctl-r01-u27") == ("10.10.21.12", "dragon", "st01-mgmt-r01-u30")
    assert read("st01-mgmt-r01-u30") == ("10.10.21.10", "dragon", None)
    assert read("st01-sw25g-r01-u34-mgmt") == ("10.10.23.107", "dragon", "st01-mgmt-r01-u30")
    hostname, user, jump = read("st01-ctl-r01-u27-mgmt")
    assert (hostname, jump) == ("10.10.23.12", "st01-mgmt-r01-u30")
    assert user != "dragon", "a management controller has accounts of its own"
