# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What image properties become of which VM, as data with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Hardware:
    """Virtual hardware that a guest has drivers for.

    :param disk_bus: ``hw_disk_bus``; ``scsi`` goes with ``hw_scsi_model``.
    :param vif: ``hw_vif_model``.
    """

    disk_bus: str
    vif: str


#: virtio-scsi and virtio-net: Linux since 3.4 and 2.6.25, FreeBSD since 10, Windows once its drivers are in. The bus is the one that
#: scs-0102 recommends: it hands discards through, and takes hundreds of disks.
VIRTIO_SCSI = Hardware("scsi", "virtio")
#: virtio-blk and virtio-net: Linux from 2.6.25 up to 3.3.
VIRTIO_BLK = Hardware("virtio", "virtio")
#: What every system of the last fifteen years starts from without a driver of its own (AHCI; Windows since Vista).
SATA = Hardware("sata", "e1000")
#: What systems older than that start from.
IDE = Hardware("ide", "e1000")

#: The newest version of systems whose kernel has less than virtio-scsi: (up to here IDE, up to here virtio-blk).
#: Kernels by the release notes of the distributors: RHEL 4 has 2.6.9, RHEL 5 2.6.18 with virtio put back, SLES 11 3.0, Debian 4
#: 2.6.18, Debian 7 3.2.
OLD: Mapping[str, tuple[int, int]] = {
    "rhel": (4, 5),
    "centos": (4, 5),
    "ol": (4, 5),
    "sles": (10, 11),
    "debian": (4, 7),
    "freebsd": (9, 9),
    "asianux": (3, 3),
}
#: Guest ids of Linux of unknown make that name the kernel.
OLD_IDS: Mapping[str, Hardware] = {
    "redhatGuest": IDE,
    "other24xLinuxGuest": IDE,
    "other24xLinux64Guest": IDE,
    "other26xLinuxGuest": VIRTIO_BLK,
    "other26xLinux64Guest": VIRTIO_BLK,
    "mandrakeGuest": IDE,
    "mandrivaGuest": VIRTIO_BLK,
    "mandriva64Guest": VIRTIO_BLK,
    "turboLinuxGuest": VIRTIO_BLK,
    "turboLinux64Guest": VIRTIO_BLK,
    "nld9Guest": IDE,
    "oesGuest": VIRTIO_BLK,
    "sjdsGuest": IDE,
}
#: Versions of Windows from before AHCI was in the box.
OLD_WINDOWS = frozenset(("3.1", "95", "98", "me", "nt4", "2000", "xp", "2003"))
#: Systems other than Linux and Windows, by their type.
BY_TYPE: Mapping[str, Hardware] = {
    "freebsd": VIRTIO_SCSI,
    "solaris": SATA,
    "macos": SATA,
    "vmkernel": SATA,
    "netware": IDE,
    "os2": IDE,
    "dos": IDE,
    "unix": IDE,
}
#: Models of source devices, for a system of which nobody knows what it has drivers for: the nearest that QEMU has.
LIKE_SOURCE_BUS: Mapping[str, str] = {"ide": "ide", "sata": "sata", "nvme": "sata", "scsi": "sata"}
LIKE_SOURCE_NIC: Mapping[str, str] = {"e1000": "e1000", "e1000e": "e1000e", "pcnet32": "pcnet", "vmxnet3": "e1000"}

#: What scs-0102-v1 wants of every image, beside what describes the machine. A volume of a VM that moved comes from nowhere public
#: and is replaced by nobody.
SCS_HANDLING: Mapping[str, str] = {
    "image_source": "private",
    "image_original_user": "none",
    "replace_frequency": "never",
    "uuid_validity": "none",
    "provided_until": "none",
}
#: Keys that scs-0102-v1 makes mandatory, and the two that are fields of an image instead of properties.
SCS_MANDATORY = (
    "architecture",
    "os_version",
    "os_distro",
    "hw_disk_bus",
    "image_build_date",
    "image_description",
    *SCS_HANDLING,
)
SCS_FIELDS = ("min_disk", "min_ram")
#: MiB with which a guest starts and survives; the VM's own memory where that is less.
MIN_RAM: Mapping[str, int] = {"windows": 2048, "": 512}
