# SPDX-License-Identifier: Apache-2.0
"""The role frr_host on a host with Debian 12, whose FRR is older than that of the switches it speaks to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import images, kernel
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Done, lane, limit

from .fabric_plays import Bridge, established

LEAVES = ("em01-leaf-r01-u38", "em01-leaf-r01-u39")
HOST = "em01-ctl-r01-u03"
#: The lab has images of Debian alone: neither Ubuntu nor Enterprise Linux, see docs/proof.md.
RELEASE = "bookworm"
PACKAGES = ("frr", "frr-pythontools")


class Mixed(Fabric):
    """Switches of one Debian, hosts of another."""

    hosts_now = False

    def _image(self, guests: bool = False) -> Path:
        return images.image(RELEASE, guests, PACKAGES) if self.hosts_now else super()._image(guests)

    def up_all(self) -> None:
        """The switches first, then the hosts beside them."""
        self.up(self.switches)
        self.hosts_now = True
        self.up()


class Desk(Bridge):
    """Runs a play of its own."""

    def argv(self, playbook: str | Path, *arguments: str, variables: dict[str, Any] | None = None) -> list[str]:
        return [*super().argv(playbook, *arguments, variables=variables)[:-1], str(playbook)]


@pytest.fixture(scope="module")
def older() -> Iterator[Fabric]:
    """Two leaves, and a host below both."""
    found = Mixed(lane("older"), LEAVES, [HOST])
    found.down()
    found.up_all()
    # its disk is in memory and keeps no attributes of ext4, which Ansible would give to the backup of a file
    found.machine(HOST).run(["rm", "/usr/bin/lsattr"])
    yield found
    found.down()


@pytest.mark.accept("S2.2")
def test_debian_12_routes_to_both_leaves_and_announces_its_loopback(
    older: Fabric, tmp_path: Path, collections_root: Path
) -> None:
    machine = older.machine(HOST)
    assert 'VERSION_ID="12"' in machine.run(["cat", "/etc/os-release"]).stdout
    assert not machine.run(["vtysh", "-c", "show version"], check=False).stdout.startswith("FRRouting 10")
    play = tmp_path / "frr_host.yml"
    play.write_text("- hosts: all\n  gather_facts: false\n  roles: [scs.landscape.frr_host]\n", encoding="utf-8")
    desk = Desk(older, tmp_path / "desk", collections_root)

    def role(*arguments: str) -> Done:
        return desk.run(play, *limit(HOST), *arguments)

    looked = role("--check", "--diff")
    assert looked.rc == 0, looked.output[-4000:]
    assert machine.run(["systemctl", "is-active", "frr"], check=False).returncode
    done = role()
    assert done.rc == 0, done.output[-4000:]
    mine = older.wiring.machines[HOST].ip.replace("10.20.0.", "10.20.1.")
    assert kernel.wait_for(lambda: list(established(older, HOST).values()) == ["Established"] * 2, 60, 1.0), (
        established(older, HOST)
    )

    def told(leaf: str) -> list[str]:
        return list(older.frr(leaf, "show bgp ipv4 unicast neighbors Ethernet1 routes")["routes"])

    for leaf in LEAVES:  # a new session tells its routes a second after it is there
        assert kernel.wait_for(lambda leaf=leaf: told(leaf) == [f"{mine}/32"], 60, 0.5), (leaf, told(leaf))
        loopback = next(key.partition("|")[2] for key in older.configs[leaf]["LOOPBACK_INTERFACE"] if "|" in key)
        ping = ["ping", "-c", "2", "-i", "0.2", "-W", "2", "-I", mine, loopback.partition("/")[0]]
        assert kernel.wait_for(lambda ping=ping: not machine.run(ping, check=False).returncode, 60, 0.5), leaf
    again = role()
    assert again.rc == 0, again.output[-4000:]
    assert again.changed() == {}
    machine.run(["systemctl", "restart", "frr"])
    assert kernel.wait_for(lambda: list(established(older, HOST).values()) == ["Established"] * 2, 60, 1.0)
