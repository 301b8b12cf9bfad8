# SPDX-License-Identifier: Apache-2.0
"""The host itself: programs, files, accounts, ports; on this machine and in a folder."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.node import client, packages, tables
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host, Outcome
from ansible_collections.scs.landscape.plugins.module_utils.node.plan import SetPackages
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node.machines import Machine

APT, DNF = tables.PLATFORMS["debian", "12"], tables.PLATFORMS["rocky", "9"]


def test_programs_end_in_every_way(programs):
    host = Host(programs)
    assert host.run(["true"]).code == 0
    assert host.run(["sh", "-c", "echo first; echo last >&2; exit 3"]).reason == "last"
    assert host.run(["no-such-program"]).code == 127
    assert host.run(["no-such-program"]).reason == "no-such-program is not installed"
    assert host.run(["sleep", "5"], 0.1).reason == "sleep did not end within 0 s"
    assert host.run(["/etc/passwd"]).reason == "/etc/passwd cannot be started: Permission denied"
    assert host.run(["sh", "-c", "echo $LC_ALL $DEBIAN_FRONTEND $HOME $PATH"]).out == (
        "C noninteractive /root /usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin\n"
    )
    assert Outcome(4).reason == "exit status 4"


def test_a_text_is_judged_without_being_written(programs):
    host = Host(programs)
    assert host.judge(["cat", "{}"], "text\n") == ""
    assert host.ask(["cat", "{}"], "text \udcff\n")[0] == 0
    assert "the new text" in host.judge(["sh", "-c", "echo {} is bad >&2; exit 1"], "x")
    assert host.judge(["no-such-program", "{}"], "x") == ""


def test_accounts_and_names(programs):
    host = Host(programs)
    assert host.user("root").home == "/root"
    assert host.user("no-such-user") is None
    assert host.nodename() == os.uname().nodename
    assert host.is_root() == (os.geteuid() == 0)


def test_files_in_a_folder(tmp_path, programs):
    host = Host(programs, str(tmp_path))
    host.write("/a/b", "text", 0o640, None, None)
    assert host.read("/a/b").mode == 0o640
    assert host.names("/a") == ["b"]
    host.remove("/a/b")
    host.remove("/a/b")
    assert host.read("/a/b") is None
    (tmp_path / "link").symlink_to("elsewhere")
    assert host.link("/link") == "elsewhere"
    assert host.link("/a") == ""
    with pytest.raises(LandscapeError, match="/a cannot be read: Is a directory"):
        host.read("/a")
    with pytest.raises(LandscapeError, match="/a cannot be removed"):
        host.remove("/a")
    (tmp_path / "file").touch()
    with pytest.raises(LandscapeError, match=r"/file/x cannot be written: .*The old file is still there"):
        host.write("/file/x", "", 0o644, None, None)


def test_a_link_in_place_of_a_key_folder_is_refused(tmp_path):
    machine = Machine(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    Path(machine.at("/home/dragon/.ssh")).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LandscapeError, match="symbolic link"):
        machine.write("/home/dragon/.ssh/authorized_keys", "x", 0o600, None, machine.user("dragon"))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_security_label_is_given_where_there_are_labels(tmp_path):
    machine = Machine(tmp_path)
    Path(machine.at("/sys/fs/selinux")).mkdir(parents=True)
    Path(machine.at("/sys/fs/selinux/enforce")).write_text("1")
    machine.write("/etc/x", "", 0o644, None, None)
    assert machine.calls[-1] == ["restorecon", "-F", "/etc/x"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
        ("net/ipv4/conf/eno1.100/mtu", "/proc/sys/net/ipv4/conf/eno1.100/mtu"),
        ("net.ipv4.conf.eno1/100.mtu", "/proc/sys/net/ipv4/conf/eno1.100/mtu"),
    ],
)
def test_kernel_settings_have_their_files(key, path):
    assert client.sysctl_path(key) == path


def test_kernel_settings_are_read_and_refused(tmp_path, programs):
    host = Host(programs, str(tmp_path))
    assert host.sysctl("a.b") == (None, False)
    (tmp_path / "proc/sys/a").mkdir(parents=True)
    (tmp_path / "proc/sys/a/b").write_text("1\t2\n")
    assert host.sysctl("a.b") == ("1 2", True)
    with pytest.raises(LandscapeError, match=r"sysctl a.c.d cannot be set"):
        host.set_sysctl("a.c.d", "1")


def test_an_ssh_server_is_recognised_by_its_greeting(programs):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def greet():
            for text in (b"HTTP", b"SSH-"):
                connection, _address = server.accept()
                connection.sendall(text)
                connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        assert Host(programs).greets(port, 5)
        thread.join()
    assert not Host(programs).greets(port, 0)


TELL = """
import json, os, sys, time
time.sleep(0.3)
told = {"session": os.getsid(0), "open": [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]}
with open(sys.argv[1] + ".new", "w") as stream:
    json.dump(told, stream)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def test_a_program_can_outlive_us(tmp_path, programs):
    """It has a session of its own and nothing of ours, not even our output, which somebody waits for."""
    found, deadline = tmp_path / "found", time.monotonic() + 20
    assert Host(programs).start([sys.executable, "-I", "-c", TELL, str(found)])
    while not found.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    told = json.loads(found.read_text())
    assert told["open"] == ["/dev/null"] * 3
    assert told["session"] != os.getsid(0)


def test_a_program_that_is_not_there_does_not_start(tmp_path, programs):
    assert not Host(programs).start([str(tmp_path / "none")])


def test_without_systemd_there_are_no_units(tmp_path, programs):
    assert Host(programs, str(tmp_path)).units(["ssh.service"]) == {}


class Packages(Machine):
    """A package manager that says what it is told, once each."""

    def __init__(self, root, *said):
        super().__init__(root)
        self.said = list(said)

    def program(self, argv, seconds):
        if argv[0] in ("apt-get", "dnf") and self.said:
            self.calls.append(list(argv))
            return self.said.pop(0)
        return super().program(argv, seconds)


LOCKED = Outcome(100, err="E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)")
STALE = Outcome(100, err="E: Unable to locate package tree")


def apply(machine, change, platform=APT, wait=10):
    clock = iter(range(0, 1000, 3))
    packages.apply(machine, platform, change, wait=wait, clock=lambda: next(clock), sleep=lambda _seconds: None)


def test_a_lock_is_waited_for_but_not_for_ever(tmp_path):
    machine = Packages(tmp_path, LOCKED, LOCKED)
    apply(machine, SetPackages(("tree",), ()))
    assert "tree" in machine.installed
    machine.said = [LOCKED] * 9
    with pytest.raises(LandscapeError, match=r"held the lock of the package manager for 10 s: .*process 7"):
        apply(machine, SetPackages(("htop",), ()))


def test_lists_are_updated_when_they_are_old(tmp_path):
    machine = Packages(tmp_path, STALE)
    apply(machine, SetPackages(("tree",), ("sudo",)))
    assert [call for call in machine.calls if call[-1] == "update"]
    assert "tree" in machine.installed
    assert "sudo" not in machine.installed
    machine.said = [STALE, Outcome(100, err="E: Failed to fetch http://mirror")]
    with pytest.raises(LandscapeError, match="apt-get failed: E: Failed to fetch"):
        apply(machine, SetPackages(("htop",), ()))


def test_what_a_killed_run_left_is_finished_first(tmp_path):
    machine = Packages(tmp_path)
    machine.answers["dpkg-query"] = Outcome(0, "tree iF \ntree2 ii \n")
    assert packages.query(machine, APT, ["tree", "tree2"]) == (frozenset({"tree2"}), ("tree",))
    lines = packages.commands(APT, SetPackages(("tree",), (), repair=True), 5)
    assert lines[0] == ["dpkg", "--configure", "--pending"]
    assert "--fix-broken" in lines[1]


def test_a_virtual_package_is_named(tmp_path):
    machine = Packages(tmp_path, Outcome(0))
    with pytest.raises(LandscapeError, match="mail-transport-agent is not as wanted"):
        apply(machine, SetPackages(("mail-transport-agent",), ()))


def test_dnf_installs_and_removes(tmp_path):
    machine = Packages(tmp_path)
    machine.answers["rpm --query"] = Outcome(0, "tree\npackage x is not installed\n")
    assert packages.query(machine, DNF, ["tree", "x"]) == (frozenset({"tree"}), ())
    del machine.answers["rpm --query"]
    apply(machine, SetPackages(("tree",), ("sudo",)), DNF)
    assert "tree" in machine.installed
    assert "sudo" not in machine.installed
