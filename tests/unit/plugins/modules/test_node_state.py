# SPDX-License-Identifier: Apache-2.0
"""The module node_state on a machine made of a folder: it changes once, rests, and leaves alone what is not its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.lock import held
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Outcome
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node import machines
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node.machines import KEY, OTHER, Machine

ALL = {
    "hostname": "node-1",
    "hosts": [{"address": "10.0.0.1", "names": ["node-1.example.org", "node-1"]}],
    "dns": {"servers": ["10.0.0.53"], "search": ["example.org"], "options": ["timeout:2"]},
    "proxy": {"http": "http://user:s3cr3t-canary@proxy:3128", "no_proxy": ["localhost"]},
    "sysctl": {"net.ipv4.ip_forward": 1, "net.ipv4.none": 3},
    "journald": {"SystemMaxUse": "200M"},
    "rsyslog": {"targets": [{"host": "10.0.0.5"}]},
    "chrony": {"servers": ["10.0.0.123"]},
    "sudo": [{"name": "dragon", "lines": ["dragon ALL=(ALL) NOPASSWD: ALL"]}],
    "authorized_keys": [{"user": "dragon", "key": KEY, "expires": "2099-12-31"}],
    "packages": ["lldpd"],
}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("release", sorted(machines.RELEASES))
def test_every_platform_changes_once_and_then_rests(tmp_path, release):
    machine = Machine(tmp_path, release)
    checked = machine.state(check=True, **ALL)
    before = machine.tree()
    assert checked.changed
    assert machine.tree() == before
    first = machine.state(**ALL)
    assert first.plan.as_dict() == checked.plan.as_dict()
    assert first.diff == checked.diff
    assert first.steps_done == len(first.plan) > 10
    assert first.values["platform"] == release
    assert first.values["proven"] == release.startswith("Debian")
    after = machine.tree()
    second = machine.state(**ALL)
    assert not second.changed, second.plan.as_dict()
    assert machine.tree() == after
    assert machine.name == "node-1"
    assert "lldpd" in machine.installed


def test_what_is_written_by_hand_stays(machine):
    folder = Path(machine.at("/home/dragon/.ssh"))
    folder.mkdir()
    (folder / "authorized_keys").write_text("# mine\n" + OTHER)
    machine.state(**ALL)
    assert "10.0.0.9\tby-hand" in machine.content("/etc/hosts")
    keys = machine.content("/home/dragon/.ssh/authorized_keys")
    assert keys.startswith("# mine\n" + OTHER + "\n# BEGIN scs.landscape\n")
    assert f'expiry-time="21000101000000Z" {KEY}' in keys
    machine.state(
        hosts=[], dns={}, proxy={}, sysctl={}, journald={}, rsyslog={}, chrony={}, sudo=[], authorized_keys=[]
    )
    left = machine.tree()
    assert left["etc/hosts"][0] == "127.0.0.1\tlocalhost\n10.0.0.9\tby-hand\n"
    assert left["home/dragon/.ssh/authorized_keys"][0] == "# mine\n" + OTHER + "\n"
    assert left["etc/chrony/chrony.conf"][0].splitlines()[1] == "pool 2.debian.pool.ntp.org iburst"
    ours = [name for name in left if "scs-landscape" in name and not name.startswith("var/lib")]
    assert ours == []
    assert "etc/sudoers.d/dragon" not in left


def test_a_key_that_is_over_is_taken_out_and_named(machine):
    machine.state(authorized_keys=[{"user": "dragon", "key": KEY}, {"user": "dragon", "key": OTHER}])
    done = machine.state(
        authorized_keys=[{"user": "dragon", "key": KEY}, {"user": "dragon", "key": OTHER, "expires": "2001-01-01"}]
    )
    assert OTHER not in machine.content("/home/dragon/.ssh/authorized_keys")
    assert KEY in machine.content("/home/dragon/.ssh/authorized_keys")
    assert done.warnings == ["The key second@example.org of dragon is over and was taken out"]


@pytest.mark.accept("L1.9")
def test_a_password_is_nowhere(machine):
    done = machine.state(**ALL)
    again = machine.state(**{**ALL, "proxy": {"http": "http://user:0ther-canary@proxy:3128"}})
    text = repr([done.plan.as_dict(), done.diff, again.plan.as_dict(), again.diff, machine.record(), machine.calls])
    assert "canary" not in text
    assert again.changed
    assert "0ther-canary" in machine.content("/etc/environment")


def test_a_missing_package_is_planned_as_it_is_done(machine):
    machine.installed.clear()
    os.unlink(machine.at("/etc/chrony/chrony.conf"))
    machine.units_active.pop("chrony.service")
    options = {"chrony": {"servers": ["10.0.0.123"]}}
    checked = machine.state(check=True, **options)
    done = machine.state(**options)
    assert checked.plan.as_dict() == done.plan.as_dict()
    assert "#scs.landscape# pool 2.debian" in machine.content("/etc/chrony/chrony.conf")
    assert next(step.object for step in done.plan.steps) == "packages"
    assert not machine.state(**options).changed


@pytest.mark.accept("L1.6")
def test_a_run_killed_before_any_step_is_finished_by_the_next(tmp_path, monkeypatch):
    clean = Machine(tmp_path / "clean")
    steps = clean.state(**ALL).steps_done
    end = {name: value for name, value in clean.tree().items() if not name.startswith("var/lib")}
    from ansible_collections.scs.landscape.plugins.module_utils.node import apply

    real = apply._do
    left: list[int] = []

    def doing(host, step, facts, wait):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(host, step, facts, wait)

    for number in range(steps):
        machine, left[:] = Machine(tmp_path / str(number)), [number]
        monkeypatch.setattr(apply, "_do", doing)
        with pytest.raises(KeyboardInterrupt):
            machine.state(**ALL)
        monkeypatch.setattr(apply, "_do", real)
        machine.calls.clear()
        machine.state(**ALL)
        assert ["systemctl", "restart", "chrony.service"] in machine.calls
        assert {name: value for name, value in machine.tree().items() if not name.startswith("var/lib")} == end
        assert not machine.state(**ALL).changed


def test_bad_options_are_all_refused_at_once(machine):
    before = machine.tree()
    with pytest.raises(InputError) as caught:
        machine.state(
            hostname="bad name",
            hosts=[{"address": "10.0.0.300", "names": ["a b"]}, {"address": "::1", "names": []}],
            dns={"servers": ["ns"], "search": ["-x"], "options": ["a\nb"]},
            proxy={"http": "proxy:3128", "no_proxy": ['a"b']},
            sysctl={"../etc/passwd": 1, "net.ipv4.x": "1\n2"},
            journald={"bad key": 1},
            rsyslog={"targets": [{"host": 'a" b', "port": 70000}]},
            chrony={"servers": ["a b"], "options": "x\ny"},
            sudo=[{"name": "a.b", "lines": ["x\ny"]}, {"name": "a.b", "lines": []}],
            authorized_keys=[
                {"user": "Bad User", "key": "nonsense", "expires": "tomorrow", "options": ["a\nb"]},
                {"user": "a", "key": "ssh-ed25519 !!!"},
                {"user": "a", "key": "ssh-rsa " + KEY.split()[1], "expires": "2026-01-01T00:00:00"},
            ],
            packages=["a b"],
        )
    problems = caught.value.details["problems"]
    assert len(problems) == 28, problems
    assert machine.tree() == before
    assert machine.calls == []


def test_an_unknown_account_is_named(machine):
    with pytest.raises(InputError, match="accounts that this host does not have: nobody-here"):
        machine.state(authorized_keys=[{"user": "nobody-here", "key": KEY}])


def test_an_unknown_platform_is_refused(machine):
    Path(machine.at("/etc/os-release")).write_text('ID=plan9\nPRETTY_NAME="Plan 9"\n')
    with pytest.raises(InputError, match="This host runs Plan 9; known are Debian 12"):
        machine.state(hostname="x")


def test_a_text_that_its_reader_does_not_accept_is_not_put_in_place(machine):
    machine.answers["visudo"] = Outcome(1, err="line 1: syntax error")
    before = machine.tree()
    for check in (True, False):
        with pytest.raises(InputError, match=r"visudo does not accept /etc/sudoers.d/x: line 1: syntax error"):
            machine.state(check=check, sudo=[{"name": "x", "lines": ["nonsense"]}])
    assert machine.tree() == before


def test_two_runs_at_once_get_one_sentence(machine):
    folder = Path(machine.at("/var/lib/scs-landscape"))
    folder.mkdir()
    with held(str(folder / "lock"), "node_state"):
        with pytest.raises(LockedError, match="is held by node_state"):
            machine.state(hostname="node-1", lock_wait=0)


def test_a_file_system_that_is_read_only_or_full_is_named_before_anything(machine, monkeypatch):
    real = os.statvfs("/")

    class Space:
        f_flag, f_blocks, f_bfree, f_frsize, f_files, f_ffree = os.ST_RDONLY, 10, 0, 4096, 10, 0

    before = machine.tree()
    monkeypatch.setattr(os, "statvfs", lambda _path: Space)
    with pytest.raises(InputError, match="the file system of /etc is read-only"):
        machine.state(hostname="node-1")
    Space.f_flag = real.f_flag & ~os.ST_RDONLY
    with pytest.raises(InputError, match=r"the file system of /etc is full \(0 KiB left, 64 KiB needed\)"):
        machine.state(hostname="node-1")
    Space.f_bfree = 1000
    with pytest.raises(InputError, match="has no inodes left"):
        machine.state(hostname="node-1")
    assert machine.tree() == before


def test_a_service_that_does_not_come_back_is_named_and_tried_again(machine):
    machine.answers["systemctl restart rsyslog"] = Outcome(1, err="Job for rsyslog.service failed.")
    with pytest.raises(
        LandscapeError, match=r"systemctl restart rsyslog.service failed: Job for rsyslog.service failed"
    ):
        machine.state(rsyslog=ALL["rsyslog"])
    del machine.answers["systemctl restart rsyslog"]
    done = machine.state(rsyslog=ALL["rsyslog"])
    assert [step.object for step in done.plan.steps] == ["rsyslog.service"]
    assert not machine.state(rsyslog=ALL["rsyslog"]).changed


def test_a_chrony_that_does_not_know_its_servers_fails(machine):
    machine.answers["chronyc -N"] = Outcome(0, "^,?,other,0,6,0,0\n")
    with pytest.raises(LandscapeError, match=r"chronyd does not know 10.0.0.123"):
        machine.state(chrony=ALL["chrony"])
    machine.answers["chronyc -N"] = Outcome(1, err="506 Cannot talk to daemon")
    with pytest.raises(LandscapeError, match="chronyd does not answer: 506 Cannot talk"):
        machine.state(chrony=ALL["chrony"])


def test_a_stopped_service_is_started(machine):
    machine.state(**ALL)
    machine.units_active["chrony.service"] = "failed"
    done = machine.state(**ALL)
    assert [(step.action, step.object) for step in done.plan.steps] == [("start", "chrony.service")]


def test_a_kernel_setting_that_cannot_be_changed_is_a_warning(machine, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "panic" not in str(path) and real(path, mode))
    Path(machine.at("/run/systemd/container")).write_text("systemd-nspawn")
    done = machine.state(sysctl={"kernel.panic": 10, "kernel.none": 1})
    assert done.warnings == [
        "sysctl kernel.none: this kernel does not have it; it stays in the file for one that does",
        "sysctl kernel.panic: a container cannot set it; the value stays 0",
    ]
    assert not machine.state(sysctl={"kernel.panic": 10, "kernel.none": 1}).changed


def test_resolved_gets_a_file_of_its_own_and_other_keepers_are_refused(machine):
    path = Path(machine.at("/etc/resolv.conf"))
    path.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    machine.state(dns={"servers": ["10.0.0.53"], "search": ["example.org"]})
    assert "DNS=10.0.0.53\nDomains=example.org\n" in machine.content(
        "/etc/systemd/resolved.conf.d/50-scs-landscape.conf"
    )
    assert ["systemctl", "restart", "systemd-resolved.service"] in machine.calls
    path.unlink()
    path.symlink_to("/run/NetworkManager/resolv.conf")
    with pytest.raises(InputError, match=r"a link to /run/NetworkManager/resolv.conf, kept by something else"):
        machine.state(dns={"servers": ["10.0.0.53"]})
    machine.state(dns={"servers": ["10.0.0.53"], "method": "resolv_conf"})
    assert not path.is_symlink()


def test_a_key_that_goes_waits_for_a_proof_and_comes_back(tmp_path):
    machine = Machine(tmp_path)
    path = "/home/dragon/.ssh/authorized_keys"
    first = machine.state(authorized_keys=[{"user": "dragon", "key": KEY}])
    assert not first.values["armed"]
    gone = machine.state(authorized_keys=[], confirm_within=60)
    assert gone.values["armed"]
    assert [step.action for step in gone.plan.steps][-1] == "prove"
    assert KEY not in machine.content(path)
    again = machine.state(authorized_keys=[])
    assert [step.action for step in again.plan.steps] == ["prove"]
    assert machine.state(check=True, state="rolled_back").changed
    back = machine.state(state="rolled_back", token=again.values["token"])
    assert back.values["rolled_back"]
    assert KEY in machine.content(path)
    gone = machine.state(authorized_keys=[])
    assert machine.state(state="confirmed", token=gone.values["token"]).changed
    assert not machine.state(authorized_keys=[]).changed
    with pytest.raises(LandscapeError, match="No change waits"):
        machine.state(state="confirmed")


def test_a_failure_after_a_key_went_brings_it_back(tmp_path):
    machine = Machine(tmp_path)
    machine.state(authorized_keys=[{"user": "dragon", "key": KEY}])
    machine.answers["systemctl restart rsyslog"] = Outcome(1, err="no")
    with pytest.raises(LandscapeError, match="systemctl restart rsyslog"):
        machine.state(authorized_keys=[], rsyslog={"targets": [{"host": "10.0.0.5"}]})
    assert KEY in machine.content("/home/dragon/.ssh/authorized_keys")


def test_rules_that_take_our_own_rights_away_come_back_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "dragon")
    machine = Machine(tmp_path)
    machine.state(sudo=[{"name": "x", "lines": ["dragon ALL=(ALL) NOPASSWD: ALL"]}])
    machine.answers["sudo -n -l -U dragon true"] = Outcome(1, err="Sorry, user dragon is not allowed")
    with pytest.raises(LandscapeError, match="leave dragon without rights: Sorry, user dragon"):
        machine.state(sudo=[{"name": "x", "lines": ["dragon ALL=(ALL) !ALL"]}])
    assert machine.content("/etc/sudoers.d/x").endswith("dragon ALL=(ALL) NOPASSWD: ALL\n")


@pytest.mark.parametrize(
    ("line", "armed"),
    [
        ("dragon ALL=(ALL) NOPASSWD: ALL", False),
        ("# nobody", False),
        ("dragon ALL=(ALL) ALL", True),
        ("dragon ALL=(ALL) NOPASSWD: ALL, !/bin/sh", True),
        ("dragon ALL=(ALL) PASSWD: /bin/sh, NOPASSWD: /bin/ls", True),
        ("Defaults requiretty", True),
    ],
)
def test_a_new_file_of_rules_waits_for_a_proof_when_it_may_take_rights_away(tmp_path, line, armed):
    machine = Machine(tmp_path)
    done = machine.state(sudo=[{"name": "y", "lines": [line]}], confirm_within=60)
    assert bool(done.values["armed"]) == armed
    if armed:
        assert machine.state(state="rolled_back", token=done.values["token"]).changed
        assert not (tmp_path / "etc/sudoers.d/y").exists()
