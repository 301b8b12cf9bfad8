# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""From a VM to the properties of the image or boot volume that its server starts from. Pure.

Nova reads them from the volume's ``volume_image_metadata`` when a server boots from a volume. Keys and values are those of Glance's
"Useful image properties" and Nova's ``objects/image_meta.py``; what has to be there is said by scs-0102.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError
from . import guests, tables
from .finding import GIB
from .model import Vm
from .tables import Hardware

#: How the drivers of a guest are judged: by its system, as there, or as missing.
DRIVERS = ("auto", "virtio", "none")
_LONGEST = 255


@dataclass(frozen=True)
class Properties:
    """What an image or a boot volume says of the machine around it.

    :param values: image properties; every value is text.
    :param min_disk: GiB, ``min_ram``: MiB; fields of an image, keys of a volume's metadata.
    :param reasons: why the machine is as it is, by key.
    """

    values: dict[str, str]
    min_disk: int
    min_ram: int
    reasons: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"properties": self.values, "min_disk": self.min_disk, "min_ram": self.min_ram, "reasons": self.reasons}


def image_properties(vm: Vm, overrides: Mapping[str, Any] | None = None, **options: Any) -> dict[str, str]:
    """The properties alone; see :func:`properties_of`."""
    return properties_of(vm, overrides, **options).values


def properties_of(
    vm: Vm,
    overrides: Mapping[str, Any] | None = None,
    *,
    drivers: str = "auto",
    vtpm: bool = True,
    build_date: str = "",
) -> Properties:
    """What the image or boot volume of a VM has to say.

    :param overrides: properties that are set as they are; null takes one away.
    :param drivers: ``virtio`` when the guest has them (Windows after its conversion), ``none`` when it has not, ``auto`` by its system.
    :param vtpm: whether a VM with a TPM gets one, empty; the cloud must have that.
    :param build_date: day of the migration, ``YYYY-MM-DD``, for ``image_build_date``; left out when empty.
    :raises InputError: ``drivers`` is none of :data:`DRIVERS`.
    """
    if drivers not in DRIVERS:
        raise InputError(f"drivers is {drivers!r}, not one of {', '.join(DRIVERS)}")
    hardware, why = hardware_of(vm, drivers)
    values: dict[str, Any] = {
        "architecture": "aarch64" if vm.os_guess.arch == "aarch64" else "x86_64",
        "hypervisor_type": "qemu",
    }
    values.update(_system(vm), hw_disk_bus=hardware.disk_bus, hw_vif_model=hardware.vif)
    if hardware.disk_bus == "scsi":
        values["hw_scsi_model"] = "virtio-scsi"
    values.update(_firmware(vm, vtpm))
    if vm.cores_per_socket > 1:
        values.update(hw_cpu_sockets=vm.sockets, hw_cpu_cores=vm.cores_per_socket, hw_cpu_threads=1)
    if hardware.vif == "virtio":
        values["hw_rng_model"] = "virtio"  # which needs the same drivers
    if vm.os_guess.type == "linux":
        values["hw_watchdog_action"] = "reset"
    values.update(tables.SCS_HANDLING, image_description=f"VM {vm.name} of {vm.endpoint}"[:_LONGEST])
    if build_date:
        values["image_build_date"] = build_date
    values.update(overrides or {})
    kept = {key: _text(value) for key, value in sorted(values.items()) if value is not None}
    reasons = {"hw_disk_bus": why, "hw_vif_model": why, "hw_machine_type": f"its firmware is {vm.firmware}"}
    given = dict.fromkeys(overrides or {}, "as told")
    return Properties(
        kept, _min_disk(vm), _min_ram(vm), {key: text for key, text in {**reasons, **given}.items() if key in kept}
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def hardware_of(vm: Vm, drivers: str = "auto") -> tuple[Hardware, str]:
    """Disk bus and network card that the guest has drivers for, and why we think so."""
    guess = vm.os_guess
    if drivers == "virtio":
        return tables.VIRTIO_SCSI, "the guest is said to have virtio drivers"
    if drivers == "none":
        return _boxed(vm), "the guest is said to have no virtio drivers"
    if guess.type == "windows":
        return _boxed(vm), "Windows has no virtio drivers until somebody puts them in"
    if vm.guest_id in tables.OLD_IDS and guess.source == "guest_id":
        return tables.OLD_IDS[vm.guest_id], f"drivers of {vm.guest_id}"
    if guess.distro in tables.OLD:
        ide, blk = tables.OLD[guess.distro]
        major = guess.version.partition(".")[0]
        if major.isdigit() and int(major) <= blk:
            return (
                tables.IDE if int(major) <= ide else tables.VIRTIO_BLK
            ), f"drivers of {guess.distro} {guess.version}"
    if guess.type == "linux":
        return tables.VIRTIO_SCSI, "Linux has virtio drivers"
    if guess.type in tables.BY_TYPE:
        return tables.BY_TYPE[guess.type], f"drivers of {guess.distro}"
    return _like_source(vm), "nobody knows the system, so it gets what is nearest to what it had"


def _boxed(vm: Vm) -> Hardware:
    """What a system without virtio drivers starts from."""
    guess = vm.os_guess
    return tables.IDE if guess.type == "windows" and guess.version in tables.OLD_WINDOWS else tables.SATA


def _like_source(vm: Vm) -> Hardware:
    bus = next((disk.bus for disk in vm.disks if vm.boot_disk and disk.key == vm.boot_disk.key), "sata")
    card = vm.nics[0].model if vm.nics else "e1000"
    return Hardware(tables.LIKE_SOURCE_BUS.get(bus, "sata"), tables.LIKE_SOURCE_NIC.get(card, "e1000"))


def _system(vm: Vm) -> dict[str, str]:
    """Which system it is; Nova knows two types, everything else counts as Linux there."""
    guess = vm.os_guess
    found = {"os_distro": guess.distro or guests.OTHER, "os_version": guess.version or guests.OTHER}
    return {"os_type": guess.type, **found} if guess.type in ("linux", "windows") else found


def _firmware(vm: Vm, vtpm: bool) -> dict[str, str]:
    """Firmware and the chipset that goes with it: VMware's is an i440BX, and UEFI with secure boot or a TPM needs a q35."""
    if vm.firmware != "uefi":
        return {"hw_firmware_type": "bios", "hw_machine_type": "pc"}
    found = {"hw_firmware_type": "uefi", "hw_machine_type": "q35"}
    if vm.secure_boot:
        found["os_secure_boot"] = "required"
    if vm.vtpm and vtpm:
        found.update(hw_tpm_model="tpm-crb", hw_tpm_version="2.0")
    return found


def _min_disk(vm: Vm) -> int:
    boot = next((disk for disk in vm.disks if vm.boot_disk and disk.key == vm.boot_disk.key), None)
    return -(-boot.capacity_bytes // GIB) if boot else 0


def _min_ram(vm: Vm) -> int:
    wanted = tables.MIN_RAM.get(vm.os_guess.type, tables.MIN_RAM[""])
    return min(wanted, vm.memory_mb) if vm.memory_mb else wanted
