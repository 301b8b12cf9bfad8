# SPDX-License-Identifier: Apache-2.0
"""What the lab's Ceph consists of: hosts, daemons, pools, users, and the files that say so, as ceph-ansible lays them out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from ...tools.console import Unavailable
from ...tools.paths import digest
from ..wiring import Machine, Wiring

#: The network of the mons and OSDs; the same in every lane, because every lane has a network of its own.
NETWORK = "10.61.0.0/24"
CONTROLLER = "10.61.0.1/24"
PORT = "eth0"
#: Where a host's disks lie; a loop device is made of each while the host runs.
DISKS = "var/lib/lab/disks"
_COPIES = 3
#: Raise it when the way of building changes, so that old templates are not used any more.
RECIPE = 6

#: Debian packages of every host.
PACKAGES = (
    "ceph-common",
    "ceph-mds",
    "ceph-mgr",
    "ceph-mgr-modules-core",
    "ceph-mon",
    "ceph-osd",
    "ceph-volume",
    "radosgw",
    "udev",
    "util-linux",
)

#: Units of these packages that the lab has no use for.
MASKED = ("ceph-crash.service", "nvmf-autoconnect.service", "radosgw.service", "rbdmap.service", "lvm2-monitor.service")

#: Pools of OpenStack and their users, with the rights Ceph's documentation gives them.
POOLS = ("volumes", "images", "backups", "vms")
USERS = {
    "client.glance": ("profile rbd", "profile rbd pool=images"),
    "client.cinder": (
        "profile rbd",
        "profile rbd pool=volumes, profile rbd pool=vms, profile rbd-read-only pool=images",
    ),
    "client.cinder-backup": ("profile rbd", "profile rbd pool=backups, profile rbd pool=volumes"),
}


@dataclass(frozen=True)
class Layout:
    """The size of a cluster. Every host has a mon; the first two have a mgr, the first an RGW and the last an MDS.

    :param osds: on each host.
    :param gib: size of an OSD's disk; it takes memory only for what is written.
    :param lvm: more hosts, with a kernel of their own and OSDs on logical volumes.
    :param lvm_osds: on each of those.
    :param dmcrypt: those OSDs are encrypted.
    :param separate_db: those OSDs have their databases on one more disk of their host.
    """

    hosts: tuple[str, ...] = ("ceph-1", "ceph-2", "ceph-3")
    osds: int = 1
    rgw: bool = True
    mds: bool = False
    gib: int = 6
    lvm: int = 0
    lvm_osds: int = 1
    dmcrypt: bool = False
    separate_db: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        :raises Unavailable: there are not enough OSDs, or something is said of OSDs that are not there.
        """
        if not self.lvm and (self.dmcrypt or self.separate_db or self.lvm_osds > 1):
            raise Unavailable("only hosts with logical volumes have that kind of OSD: say how many hosts")
        if (len(self.hosts) if self.osds else 0) + self.lvm < _COPIES:
            raise Unavailable(f"pools keep {_COPIES} copies, so {_COPIES} hosts need OSDs")

    def address(self, host: str) -> str:
        """The one address of a host."""
        return f"10.61.0.{11 + self.machines.index(host)}"

    @property
    def stores(self) -> tuple[str, ...]:
        """Hosts that have nothing but OSDs on logical volumes."""
        return tuple(f"ceph-lvm-{number + 1}" for number in range(self.lvm))

    @property
    def machines(self) -> tuple[str, ...]:
        """All hosts."""
        return self.hosts + self.stores

    @property
    def total(self) -> int:
        """How many OSDs there are on all hosts."""
        return len(self.hosts) * self.osds + len(self.stores) * self.lvm_osds

    @property
    def mgrs(self) -> tuple[str, ...]:
        """Hosts with a mgr."""
        return self.hosts[:2]

    @property
    def rgws(self) -> tuple[str, ...]:
        """Hosts with an object gateway."""
        return self.hosts[:1] if self.rgw else ()

    @property
    def mdss(self) -> tuple[str, ...]:
        """Hosts with a metadata server."""
        return self.hosts[-1:] if self.mds else ()

    def units(self, host: str) -> list[str]:
        """Units of a host, all but those of its OSDs: their numbers are Ceph's to give."""
        units = [f"ceph-mon@{host}.service"]
        units += [f"ceph-mgr@{host}.service"] if host in self.mgrs else []
        units += [f"ceph-radosgw@rgw.{host}.rgw0.service"] if host in self.rgws else []
        return units + ([f"ceph-mds@{host}.service"] if host in self.mdss else [])

    def wiring(self) -> Wiring:
        """The hosts as machines of the provider ``hosts``, with no cable but the one to the controller."""
        machines = {
            host: Machine(host, "host", PORT, f"{self.address(host)}/24", {PORT: ""}, {}) for host in self.machines
        }
        return Wiring(machines, (), (CONTROLLER,))

    def key(self, image: str) -> str:
        """A name for a prepared cluster of this layout made with an image."""
        return digest(str(RECIPE), image, json.dumps(dataclasses.asdict(self), sort_keys=True), conf(self, "fsid"))


def conf(layout: Layout, fsid: str) -> str:
    """The ceph.conf of every host and client."""
    mons = ",".join(f"[v2:{layout.address(host)}:3300,v1:{layout.address(host)}:6789]" for host in layout.hosts)
    lines = [
        "[global]",
        f"fsid = {fsid}",
        f"mon initial members = {','.join(layout.hosts)}",
        f"mon host = {mons}",
        f"public network = {NETWORK}",
        f"cluster network = {NETWORK}",
        "auth cluster required = cephx",
        "auth service required = cephx",
        "auth client required = cephx",
        f"osd pool default size = {_COPIES}",
        "osd pool default min size = 2",
        "osd pool default pg num = 8",
        "osd pool default pgp num = 8",
        "osd pool default pg autoscale mode = off",
        "osd crush chooseleaf type = 1",
        # a lab waits for nothing it need not wait for, and has little memory
        "osd memory target = 939524096",
        # else each OSD writes 400 MB when it starts for the first time
        "osd mclock skip benchmark = true",
        # two of the usual ones cannot be loaded with Debian's Python, see cluster.py
        "mgr initial modules = iostat",
        "mon data avail warn = 5",
        "mon clock drift allowed = 0.5",
        "",
    ]
    for host in layout.rgws:
        lines += [
            f"[client.rgw.{host}.rgw0]",
            f"host = {host}",
            f"keyring = /var/lib/ceph/radosgw/ceph-rgw.{host}.rgw0/keyring",
            f"log file = /var/log/ceph/ceph-rgw-{host}.rgw0.log",
            f"rgw frontends = beast endpoint={layout.address(host)}:8080",
            "rgw thread pool size = 32",
            "",
        ]
    return "\n".join(lines)
