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
#: Disks of the host: the data and, when it is separate, the database.
DATA, DB = "/dev/ubdb", "/dev/ubdc"
#: ceph-ansible enables ceph-osd@N for good, so at boot it starts beside the unit that fills its folder, fails, and may
#: start three times in half an hour. On a slow machine that is not enough.
AFTER_ACTIVATION = "[Unit]\nConditionPathExists=/var/lib/ceph/osd/ceph-%i/ready\n"
_DB_GIB = 1
_SECONDS = 900


def disks(layout: Layout) -> tuple[int, ...]:
    """Bytes of the disks of one host."""
    return (layout.gib << 30, *([_DB_GIB << 30] if layout.separate_db else []))


def create(machine: Machine, layout: Layout) -> None:
    """Make the volumes and the OSD on them, which starts at once and at every boot."""
    name = str(uuid.uuid4())
    words = ["--data", _volume(machine, DATA, f"ceph-{name}", f"osd-block-{name}")]
    if layout.separate_db:
        words += ["--block.db", _volume(machine, DB, f"ceph-db-{uuid.uuid4()}", f"osd-db-{name}")]
    if layout.dmcrypt:
        words.append("--dmcrypt")
    tool = ["ceph-volume", "--cluster", "ceph", "lvm"]
    machine.run([*tool, "create", "--bluestore", *words], timeout=_SECONDS)
    for number in json.loads(machine.run([*tool, "list", "--format", "json"]).stdout):
        machine.run(["systemctl", "enable", "--quiet", "--now", f"ceph-osd@{number}"])


def _volume(machine: Machine, device: str, group: str, volume: str) -> str:
    """Make a volume as large as the disk."""
    machine.run(["vgcreate", "--quiet", group, device])
    machine.run(["lvcreate", "--quiet", "--yes", "--extents", "100%FREE", "--name", volume, group])
    return f"{group}/{volume}"
