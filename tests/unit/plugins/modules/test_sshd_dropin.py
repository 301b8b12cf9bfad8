# SPDX-License-Identifier: Apache-2.0
"""The SSH server on a machine made of a folder: what is refused, what is armed, what comes back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.node import sshd, sshd_change
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host, Outcome
from ansible_collections.scs.landscape.plugins.modules import sshd_dropin
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node.machines import Machine, filled

FILE = "/etc/ssh/sshd_config.d/10-scs-landscape.conf"
STATE = "/var/lib/scs-landscape/rollback-sshd.json"


class Server(Machine):
    """A machine whose sshd reads what it is given: first value wins, ports add up, ``Bad`` is refused."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listens = {22}
        self.starts: list[list[str]] = []
        folder = root / "etc/ssh/sshd_config.d"
        folder.mkdir(parents=True)
        (root / "etc/ssh/sshd_config").write_text("Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding yes\n")
        (root / "usr/sbin").mkdir(parents=True)
        (root / "usr/sbin/sshd").touch()

    def program(self, argv, seconds):
        if not argv[0].endswith("sshd"):
            return super().program(argv, seconds)
        found: dict[str, list[str]] = {}
        for line in Path(argv[-1]).read_text().splitlines():
            key, _space, value = line.partition(" ")
            if key == "Bad":
                return Outcome(255, err=f"{argv[-1]}: line 1: Bad configuration option: Bad")
            if not line or line.startswith("#"):
                continue
            if key.lower() in sshd.ADDITIVE:
                found.setdefault(key.lower(), []).append(value)
            else:
                found.setdefault(key.lower(), [value])
        found.setdefault("port", ["22"])
        return Outcome(0, "".join(f"{key} {value}\n" for key, values in found.items() for value in values))

    def greets(self, port, patience=8.0):
        return port in self.listens

    def start(self, argv):
        self.starts.append(list(argv))
        return True

    def dropin(self, *, check=False, **options):
        return sshd_dropin.main(filled(sshd_dropin.SPEC, options), check, self)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(sshd_change.Change, "reload", property(lambda _self: ["true"]))
    return Server(tmp_path)


def state(server):
    return json.loads(server.content(STATE))


def test_it_is_armed_before_it_is_written_and_rests_once_confirmed(server):
    before = server.tree()
    checked = server.dropin(check=True)
    assert server.tree() == before
    done = server.dropin()
    assert done.plan.as_dict() == checked.plan.as_dict()
    assert done.diff == checked.diff
    assert done.values["armed"]
    assert done.values["prove_ports"] == [22]
    timer = next(call for call in server.calls if call[0] == "systemd-run")
    assert "--on-active=120" in timer
    assert timer[-3:] == [server.at(STATE)[:-5] + ".py", server.at(STATE), done.values["token"]]
    assert "PasswordAuthentication no\n" in server.content(FILE)
    waiting = server.dropin(check=True)
    assert [step.action for step in waiting.plan.steps] == ["update", "reload", "prove"]
    kept = server.dropin(state="confirmed", token=done.values["token"])
    assert kept.changed
    assert not os.path.exists(server.at(STATE))
    assert not os.path.exists(server.at(STATE)[:-5] + ".py")
    assert not server.dropin().changed


def test_it_comes_back_as_it_was(server):
    Path(server.at(FILE)).write_text("# mine\n")
    os.chmod(server.at(FILE), 0o640)
    done = server.dropin(settings={"AllowUsers": ["a", "b"]}, hardening=False)
    assert server.content(FILE) == sshd.HEADER + "AllowUsers a\nAllowUsers b\n"
    told = server.dropin(check=True, state="rolled_back")
    assert told.changed
    undone = server.dropin(state="rolled_back", token=done.values["token"])
    assert undone.values["rolled_back"]
    assert server.content(FILE) == "# mine\n"
    assert os.stat(server.at(FILE)).st_mode & 0o777 == 0o640
    assert not server.dropin(state="rolled_back").changed
    with pytest.raises(LandscapeError, match="confirmed before, or rolled back in time"):
        server.dropin(state="confirmed", token=done.values["token"])


def test_a_second_change_keeps_what_was_there_before_the_first(server):
    first = server.dropin(settings={"AllowUsers": "a"})
    second = server.dropin(settings={"AllowUsers": "b"})
    with pytest.raises(LandscapeError, match="no SSH change that waits"):
        server.dropin(state="confirmed", token=first.values["token"])
    assert second.values["token"] != first.values["token"]
    assert server.dropin(state="rolled_back").values["rolled_back"]
    assert not os.path.exists(server.at(FILE))


def test_a_server_that_does_not_come_back_gets_its_old_file_at_once(server):
    server.listens = set()
    with pytest.raises(LandscapeError, match=r"nobody answers on port 22\. The old configuration is back"):
        server.dropin()
    assert not os.path.exists(server.at(FILE))
    assert not os.path.exists(server.at(STATE))


def test_a_port_moves_in_two_steps(server):
    server.listens = {22, 2222}
    done = server.dropin(settings={"Port": 2222}, hardening=False)
    assert server.content(FILE) == sshd.HEADER + "Port 2222\nPort 22\n"
    assert done.values["prove_ports"] == [2222]
    assert [step.action for step in done.plan.steps] == ["create", "reload", "prove", "close"]
    assert server.dropin(check=True, state="confirmed").changed
    server.dropin(state="confirmed", token=done.values["token"])
    assert server.content(FILE) == sshd.HEADER + "Port 2222\n"
    back = server.dropin(state="absent")
    assert server.content(FILE) == sshd.HEADER + "Port 22\nPort 2222\n"
    server.dropin(state="confirmed", token=back.values["token"])
    assert not os.path.exists(server.at(FILE))
    assert not server.dropin(state="absent").changed


def test_what_sshd_or_another_file_does_not_accept_is_refused(server):
    before = server.tree()
    with pytest.raises(InputError, match="Bad configuration option"):
        server.dropin(settings={"Bad": "yes"})
    Path(server.at("/etc/ssh/sshd_config.d/05-cloud.conf")).write_text("PasswordAuthentication yes\n")
    with pytest.raises(
        InputError, match=r"decides otherwise: PasswordAuthentication is yes.*sorts before 05-cloud.conf"
    ):
        server.dropin()
    os.unlink(server.at("/etc/ssh/sshd_config.d/05-cloud.conf"))
    Path(server.at("/etc/ssh/sshd_config")).write_text("X11Forwarding yes\n")
    with pytest.raises(InputError, match=r"does not include /etc/ssh/sshd_config.d/\*\.conf"):
        server.dropin()
    Path(server.at("/etc/ssh/sshd_config")).write_text(before["etc/ssh/sshd_config"][0])
    assert server.tree() == before


def test_without_systemd_a_process_keeps_the_time(server):
    os.unlink(server.at("/run/systemd/system/x"))
    os.rmdir(server.at("/run/systemd/system"))
    done = server.dropin(confirm_within=7)
    assert server.starts[0][-2:] == [done.values["token"], "7"]
    server.dropin(state="confirmed")
    server.start = lambda _argv: False
    with pytest.raises(LandscapeError, match="No timer could be armed"):
        server.dropin(settings={"MaxAuthTries": 2})
    assert "MaxAuthTries 4" in server.content(FILE)


def test_a_full_disk_is_named_before_anything_is_armed(server, monkeypatch):
    class Full:
        f_flag, f_blocks, f_bfree, f_frsize, f_files, f_ffree = 0, 10, 0, 4096, 10, 10

    monkeypatch.setattr(os, "statvfs", lambda _path: Full)
    with pytest.raises(InputError, match="is full"):
        server.dropin()
    assert not os.path.exists(server.at(STATE))


def test_root_is_needed(monkeypatch, programs):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InputError, match="needs root"):
        sshd_change.Change(Host(programs), "x")
