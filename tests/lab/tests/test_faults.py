# SPDX-License-Identifier: Apache-2.0
"""The faults that other tests rely on do what they say, and leave the machine as it was."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab import faults, kernel
from ansible_collections.scs.landscape.tests.lab.hosts import Lab

HOST = "em01-comp-r01-u04"
LEAF = "em01-leaf-r01-u38"
#: LLDP speaks every two seconds; five times that is late.
NOTICED = 10.0


def neighbours(lab: Lab, name: str) -> dict[str, tuple[str, str]]:
    """Port -> name of the neighbour and what it calls its port, as the machine's LLDP daemon sees it."""
    data = json.loads(lab.machine(name).run(["lldpcli", "-f", "json0", "show", "neighbors"]).stdout)
    found = {}
    for interface in data["lldp"][0].get("interface", []):
        chassis, port = interface["chassis"][0], interface["port"][0]
        found[interface["name"]] = chassis["name"][0]["value"], port["descr"][0]["value"]
    return found


def becomes(lab: Lab, name: str, port: str, neighbour: tuple[str, str] | None) -> bool:
    return kernel.wait_for(lambda: neighbours(lab, name).get(port) == neighbour, NOTICED, 0.3)


def ssh(lab: Lab, name: str, command: str, seconds: float = 5) -> subprocess.CompletedProcess[str]:
    """Log in as Ansible does, over a connection of its own."""
    variables = json.loads(lab.inventory.read_text(encoding="utf-8"))["all"]["vars"]
    options = [
        *variables["ansible_ssh_common_args"].split(),
        "-o",
        "ControlPath=none",
        "-o",
        f"ConnectTimeout={seconds:.0f}",
    ]
    login = f"{variables['ansible_user']}@{lab.machine(name).address}"
    argv = ["ssh", *options, "-o", "BatchMode=yes", "-i", variables["ansible_ssh_private_key_file"], login, command]
    return lab.run(argv, capture_output=True, text=True, timeout=seconds + 10, stdin=subprocess.DEVNULL)


@pytest.fixture
def healthy(lab: Lab) -> Iterator[Callable[[], None]]:
    """After the fault, a login works as if nothing had been."""

    yield lambda: None
    done = ssh(lab, HOST, "sudo -n touch /etc/proof /var/tmp/proof && sudo rm /etc/proof /var/tmp/proof && date +%s")
    assert done.returncode == 0, done.stderr
    assert abs(int(done.stdout) - time.time()) < 60


def test_every_cable_is_seen_at_both_ends(lab):
    expected: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in lab.wiring.machines}
    for cable in lab.wiring.cables:
        for near, far in ((cable.a, cable.b), (cable.b, cable.a)):
            if near[0] in expected and far[0] in expected:
                expected[near[0]][near[1]] = far
    for name, ports in expected.items():
        seen: dict[str, tuple[str, str]] = {}
        end = time.monotonic() + NOTICED
        while seen != ports and time.monotonic() < end:
            seen = neighbours(lab, name)
        assert seen == ports, name


def test_swapped_cables_are_seen_by_lldp_and_come_back(lab):
    with faults.swap_cables(lab, f"{LEAF}/Ethernet0", f"{LEAF}/Ethernet1"):
        assert becomes(lab, LEAF, "Ethernet0", ("em01-ctl-r01-u03", "enp65s0f0np0"))
        assert becomes(lab, LEAF, "Ethernet1", ("em01-jump-r01-u02", "enp65s0f0np0"))
    assert becomes(lab, LEAF, "Ethernet0", ("em01-jump-r01-u02", "enp65s0f0np0"))
    assert becomes(lab, LEAF, "Ethernet1", ("em01-ctl-r01-u03", "enp65s0f0np0"))


@pytest.mark.parametrize("fault", ["pull_cable", "cut_cable"])
def test_a_missing_cable_has_no_neighbour(lab, fault):
    with getattr(faults, fault)(lab, f"{LEAF}/Ethernet0"):
        assert becomes(lab, LEAF, "Ethernet0", None)
    assert becomes(lab, LEAF, "Ethernet0", ("em01-jump-r01-u02", "enp65s0f0np0"))


def test_an_out_of_band_cable_can_be_pulled_and_plugged_in_again(lab, healthy):
    with faults.pull_cable(lab, f"{HOST}/eno1"):
        assert ssh(lab, HOST, "true", 2).returncode == 255


def test_an_extra_cable_has_neighbours_at_both_ends(lab):
    with faults.extra_cable(lab, f"{LEAF}/Ethernet40", "em01-leaf-r01-u39/Ethernet41"):
        assert becomes(lab, LEAF, "Ethernet40", ("em01-leaf-r01-u39", "Ethernet41"))
        assert becomes(lab, "em01-leaf-r01-u39", "Ethernet41", (LEAF, "Ethernet40"))
    assert becomes(lab, LEAF, "Ethernet40", None)


def test_a_stranger_speaks_lldp(lab):
    with faults.foreign_neighbour(lab, f"{LEAF}/Ethernet0", name="printer", port="lan0"):
        assert becomes(lab, LEAF, "Ethernet0", ("printer", "lan0"))
    assert becomes(lab, LEAF, "Ethernet0", ("em01-jump-r01-u02", "enp65s0f0np0"))


def test_a_host_that_is_down_cannot_be_reached(lab, healthy):
    with faults.host_down(lab, HOST):
        assert ssh(lab, HOST, "true", 2).returncode == 255


def test_ssh_that_hangs_accepts_and_says_nothing(lab, healthy):
    with faults.ssh_hangs(lab, HOST):
        done = ssh(lab, HOST, "true", 2)
        assert done.returncode == 255
        assert "banner exchange" in done.stderr


def test_a_wrong_host_key_is_refused(lab, healthy):
    with faults.wrong_host_key(lab, HOST):
        done = ssh(lab, HOST, "true")
        assert done.returncode == 255
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr


def test_a_full_disk_takes_nothing_more(lab, healthy):
    with faults.disk_full(lab, HOST):
        done = ssh(lab, HOST, "head -c 100000 /dev/zero >big; code=$?; rm -f big; exit $code")
        assert done.returncode != 0
        assert "No space left on device" in done.stderr


def test_etc_that_is_read_only(lab, healthy):
    with faults.readonly_etc(lab, HOST):
        assert "Read-only file system" in ssh(lab, HOST, "sudo touch /etc/proof").stderr
        assert ssh(lab, HOST, "touch proof && rm proof").returncode == 0


def test_sudo_that_is_not_allowed(lab, healthy):
    with faults.no_sudo(lab, HOST):
        assert ssh(lab, HOST, "sudo -n true").returncode == 1


def test_a_clock_that_is_a_day_ahead(lab, healthy):
    with faults.clock_ahead(lab, HOST):
        there = int(ssh(lab, HOST, "sudo python3 -c 'import time; print(int(time.time()))'").stdout)
        assert abs(there - time.time() - 86400) < 60


def test_nothing_of_a_fault_is_left_when_the_test_fails(lab, healthy):
    before = os.statvfs(f"/proc/{lab.machine(HOST).process.pid}/root{lab.machine(HOST).folder}").f_blocks
    with pytest.raises(RuntimeError), faults.disk_full(lab, HOST):
        raise RuntimeError
    assert os.statvfs(f"/proc/{lab.machine(HOST).process.pid}/root{lab.machine(HOST).folder}").f_blocks == before
