# SPDX-License-Identifier: Apache-2.0
"""OSDs on logical volumes, on a host with a kernel of its own, as OSISM and ceph-ansible make them.

OSISM makes the groups and volumes and names them ``ceph-<uuid>/osd-block-<uuid>`` and ``ceph-db-<uuid>/osd-db-<uuid>``;
ceph-ansible's ``lvm_volumes`` hands them to ``ceph-volume lvm create`` one after the other and enables the units.
"""

from __future__ import annotations

import json
import uuid

from ..machine import Machine
from .layout import Layout

#: MiB of memory of such a host. Opening an encrypted disk takes up to half of it for a moment.
MEMORY = 1024
#: ceph-ansible enables ceph-osd@N for good, so at boot it starts beside the unit that fills its folder, fails, and may
#: start three times in half an hour. On a slow machine that is not enough.
AFTER_ACTIVATION = "[Unit]\nConditionPathExists=/var/lib/ceph/osd/ceph-%i/ready\n"
_DB_GIB = 1
_SECONDS = 900


def disks(layout: Layout) -> tuple[int, ...]:
    """Bytes of the disks of one host: one for the data of each OSD and, when they are separate, one for all databases."""
    return (*[layout.gib << 30] * layout.lvm_osds, *([layout.lvm_osds * _DB_GIB << 30] if layout.separate_db else []))


def create(machine: Machine, layout: Layout) -> None:
    """Make the volumes and the OSDs on them, which start at once and at every boot."""
    devices = [f"/dev/ubd{letter}" for letter, _size in zip("bcdefgh", disks(layout))]
    shared = f"ceph-db-{uuid.uuid4()}"
    if layout.separate_db:
        machine.run(["vgcreate", "--quiet", shared, devices[-1]])
    tool = ["ceph-volume", "--cluster", "ceph", "lvm"]
    for number in range(layout.lvm_osds):
        name = str(uuid.uuid4())
        machine.run(["vgcreate", "--quiet", f"ceph-{name}", devices[number]])
        words = ["--data", _volume(machine, f"ceph-{name}", f"osd-block-{name}", 100)]
        if layout.separate_db:
            words += ["--block.db", _volume(machine, shared, f"osd-db-{name}", 100 // (layout.lvm_osds - number))]
        if layout.dmcrypt:
            words.append("--dmcrypt")
        machine.run([*tool, "create", "--bluestore", *words], timeout=_SECONDS)
    for osd in json.loads(machine.run([*tool, "list", "--format", "json"]).stdout):
        machine.run(["systemctl", "enable", "--quiet", "--now", f"ceph-osd@{osd}"])


def _volume(machine: Machine, group: str, volume: str, percent: int) -> str:
    """Make a volume of so many percent of what is free in its group."""
    machine.run(["lvcreate", "--quiet", "--yes", "--extents", f"{percent}%FREE", "--name", volume, group])
    return f"{group}/{volume}"
