# SPDX-License-Identifier: Apache-2.0
"""Machines against profiles: each limit is found, named, and can be changed."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.node import check, check_facts
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Outcome
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node import machines

GIB = 1024**3
FIT = {
    "architecture": "x86_64",
    "kernel": "6.1",
    "cpus": 16,
    "cpu_flags": ["sse4_2", "aes", "vmx"],
    "firmware": "uefi",
    "memory": 31 * GIB,
    "disks": [{"name": f"sd{letter}", "size": 480 * 10**9, "rotating": False} for letter in "abc"],
    "paths": [{"address": "10.0.0.1", "mtu": 9000, "state": "ok"}],
    "interfaces": {"eno1": 1500},
    "clock_offset": 0.4,
}
ARM = {"architecture": "aarch64", "cpu_flags": ["aes", "atomics"]}


def found(profile, changes=None, **facts):
    return [finding.id for finding in check.judge({**FIT, **facts}, profile, changes)]


@pytest.mark.parametrize("profile", ["control", "compute", "storage", "network"])
def test_a_fit_machine_has_no_findings(profile):
    assert found(profile) == []


def test_an_arm_machine_fits_its_own_profile_only():
    assert found("compute-arm64", **ARM) == []
    assert found("network", **ARM) == []
    assert found("compute-arm64") == ["arch", "cpu_flags"]
    (refused,) = [one for one in check.judge({**FIT, **ARM}, "control") if one.id == "arch"]
    assert refused.severity == "error"
    assert refused.message == "a control role on aarch64 is refused; x86_64 is needed"


@pytest.mark.parametrize(
    ("facts", "identifier", "message"),
    [
        ({"cpus": 2}, "cpus", "2 CPUs, 8 are needed"),
        ({"cpu_flags": ["aes"]}, "cpu_flags", "the CPU does not have sse4_2, vmx or svm"),
        ({"firmware": "bios"}, "firmware", "started by bios, not by uefi"),
        ({"memory": 16 * GIB}, "memory", "16 GiB of memory, 32 GiB are needed"),
        ({"disks": []}, "disks", "0 of 0 disks are large enough (none); 1 of at least 100 GiB are needed"),
        ({"interfaces": {"eno1": 1400}}, "mtu", "eno1 has an MTU of 1400"),
        ({"interfaces": {"eno1": None}}, "mtu", "there is no interface eno1"),
        (
            {"paths": [{"address": "10.0.0.1", "mtu": 9000, "state": "too_big"}]},
            "mtu",
            "packets of 9000 bytes do not reach 10.0.0.1, smaller ones do",
        ),
        ({"clock_offset": 86400.0}, "clock", "the clock is 24.0 h ahead of the controller's"),
        ({"clock_offset": -45.0}, "clock", "the clock is 45 s behind the controller's"),
    ],
    ids=["cpus", "flags", "firmware", "memory", "disks", "mtu", "interface", "path", "day", "seconds"],
)
def test_each_limit_is_named(facts, identifier, message):
    (finding,) = check.judge({**FIT, **facts}, "compute")
    assert (finding.id, finding.severity, finding.message) == (identifier, "error", message)
    assert finding.hint
    assert finding.expected


def test_a_way_that_does_not_answer_is_a_warning():
    (finding,) = check.judge({**FIT, "paths": [{"address": "10.0.0.1", "mtu": 9000, "state": "no_answer"}]}, "control")
    assert finding.severity == "warning"


def test_a_clock_that_was_not_measured_is_not_judged():
    assert found("control", clock_offset=None) == []


def test_limits_can_be_changed_and_wrong_ones_are_refused():
    assert found("compute", {"memory_gib": 512}) == ["memory"]
    assert (
        found("compute", {"firmware": "any", "cpu_flags_any": []}, firmware="bios", cpu_flags=["sse4_2", "aes"]) == []
    )
    with pytest.raises(InputError) as caught:
        check.profile("compute", {"nonsense": 1, "cpus": "many", "disks": True, "cpu_flags": "aes", "firmware": "x"})
    assert len(caught.value.details["problems"]) == 5
    with pytest.raises(InputError, match="no profile 'desk'"):
        check.profile("desk", {})


@pytest.mark.parametrize(
    ("role", "profile"),
    [
        ("control", "control"),
        ("ctl", "control"),
        ("compute", "compute"),
        ("comp", "compute"),
        ("compute-arm64", "compute-arm64"),
        ("storage", "storage"),
        ("ceph-osd", "storage"),
        ("leaf", "network"),
        ("", "network"),
    ],
)
def test_a_role_has_its_profile(role, profile):
    assert check.profile_of(role) == profile


@pytest.fixture
def machine(tmp_path):
    return machines.fit(tmp_path)


def test_a_machine_is_read(machine):
    facts = check_facts.read(machine, [{"address": "10.0.0.1", "mtu": 9000}], ["eno1", "eno2", "../x"], 100.0, 186500.0)
    assert facts["cpus"] == 2
    assert facts["cpu_flags"] == ["aes", "sse4_2"]
    assert facts["memory"] == 32 * GIB
    assert facts["disks"] == [{"name": "sda", "size": 937703088 * 512, "rotating": True}]
    assert facts["firmware"] == "bios"
    assert facts["interfaces"] == {"eno1": 9100, "eno2": None, "../x": None}
    assert facts["clock_offset"] == 186400.0
    assert facts["paths"] == [{"address": "10.0.0.1", "mtu": 9000, "state": "ok"}]
    assert "8972" in machine.calls[-1]


def test_firmware_and_an_empty_proc(machine):
    machines.write(machine, "/sys/firmware/efi/x", "")
    assert check_facts.read(machine, [], [], None, 0.0)["firmware"] == "uefi"
    machines.write(machine, "/run/systemd/container", "systemd-nspawn")
    machines.write(machine, "/proc/cpuinfo", "")
    machines.write(machine, "/proc/meminfo", "")
    facts = check_facts.read(machine, [], [], None, 0.0)
    assert facts["firmware"] == "container"
    assert facts["cpus"] >= 1
    assert facts["memory"] == 0


@pytest.mark.parametrize(
    ("large", "small", "state"),
    [(0, 0, "ok"), (1, 0, "too_big"), (1, 1, "no_answer"), (127, 127, "no_ping")],
    ids=["ok", "too-big", "no-answer", "no-ping"],
)
def test_a_way_is_tried_with_large_and_small_packets(machine, large, small, state):
    machine.answers = {
        "ping -6 -n -q -c 2 -i 0.2 -W 2 -M do -s 8952": Outcome(large),
        "ping -6 -n -q -c 2 -i 0.2 -W 2 -M do -s 56": Outcome(small),
    }
    facts = check_facts.read(machine, [{"address": "fd00::1", "mtu": 9000}], [], None, 0.0)
    assert facts["paths"][0]["state"] == state
