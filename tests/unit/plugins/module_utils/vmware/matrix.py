# SPDX-License-Identifier: Apache-2.0
"""24 machines that are drawn anew for each run, and what has to become of them, by rules that are written down here alone.

Each of twelve guest ids is there twice, with a BIOS and with UEFI, half of the latter with secure boot. Controllers and cards are dealt
out so that each kind comes equally often. The rules:

1. BIOS becomes ``pc``; UEFI becomes ``q35``; secure boot is required where the source has it on, and is not spoken of elsewhere.
2. A Linux that has virtio-scsi (3.4) gets it and a virtio card, whatever the source had; FreeBSD has had both since 10.
3. A Linux from before that but with virtio (2.6.25, RHEL 5 by its vendor) gets virtio-blk and a virtio card.
4. A Linux from before that, and Windows from before Vista, get IDE and an e1000.
5. Windows gets SATA and an e1000, for its drivers are not in it.
6. A system of which nobody knows anything gets the nearest to what it had: IDE for IDE, SATA for all else, its own card where QEMU has
   that one, else an e1000.
7. Whoever has a virtio card gets the random numbers; whoever is a Linux gets the watchdog; only Linux and Windows have an ``os_type``.
8. Sockets, cores and threads are as at the source; what scs-0102 wants is there, and the day of the migration is the date.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

_Kind = TypeVar("_Kind")

#: Guest id: os_type, os_distro, os_version, and which of the rules 2 to 6 holds.
GUESTS = {
    "debian12_64Guest": ("linux", "debian", "12", 2),
    "ubuntu64Guest": ("linux", "ubuntu", "unknown", 2),
    "rhel9_64Guest": ("linux", "rhel", "9", 2),
    "sles15_64Guest": ("linux", "sles", "15", 2),
    "freebsd13_64Guest": ("", "freebsd", "13", 2),
    "debian7_64Guest": ("linux", "debian", "7", 3),
    "rhel5_64Guest": ("linux", "rhel", "5", 3),
    "other24xLinux64Guest": ("linux", "unknown", "unknown", 4),
    "winXPPro64Guest": ("windows", "windows", "xp", 4),
    "windows9Server64Guest": ("windows", "windows", "2016", 5),
    "windows2019srvNext_64Guest": ("windows", "windows", "2022", 5),
    "otherGuest64": ("", "unknown", "unknown", 6),
}
CONTROLLERS = ("pvscsi", "lsilogic", "lsilogic-sas", "sata", "nvme", "ide")
CARDS = ("vmxnet3", "e1000", "e1000e", "pcnet32")
#: The same everywhere, for they are about a volume that comes from nowhere public.
HANDLING = {
    "image_source": "private",
    "image_original_user": "none",
    "replace_frequency": "never",
    "uuid_validity": "none",
    "provided_until": "none",
}


@dataclass(frozen=True)
class Row:
    """A machine of the matrix."""

    number: int
    guest_id: str
    efi: bool
    secure: bool
    controller: str
    card: str
    sockets: int
    cores: int

    @property
    def name(self) -> str:
        """Name of the machine."""
        return f"m{self.number:02}"

    @property
    def mac(self) -> str:
        """Of its card."""
        return f"00:50:56:24:00:{self.number:02x}"


def drawn(seed: int) -> list[Row]:
    """The machines of a run."""
    draw = random.Random(f"matrix {seed}")
    efis = len(GUESTS)
    controllers = _dealt(draw, CONTROLLERS, 2 * efis)
    cards = _dealt(draw, CARDS, 2 * efis)
    secure = iter(_dealt(draw, (True, False), efis))
    shapes = [(guest, efi) for guest in GUESTS for efi in (False, True)]
    draw.shuffle(shapes)
    return [
        Row(number, guest, efi, efi and next(secure), controller, card, draw.choice((1, 2)), draw.choice((1, 2, 4)))
        for number, ((guest, efi), controller, card) in enumerate(zip(shapes, controllers, cards))
    ]


def _dealt(draw: random.Random, kinds: Sequence[_Kind], count: int) -> list[_Kind]:
    """So many of some kinds, each equally often, in any order."""
    found = [kinds[number % len(kinds)] for number in range(count)]
    draw.shuffle(found)
    return found


def expected(row: Row, endpoint: str, day: str) -> dict[str, str]:
    """All properties that the boot volume of a machine has to have, by the rules above."""
    return dict(_expected(row, endpoint, day))


def _expected(row: Row, endpoint: str, day: str) -> Iterator[tuple[str, str]]:
    kind, distro, version, rule = GUESTS[row.guest_id]
    yield from HANDLING.items()
    yield from (("architecture", "x86_64"), ("hypervisor_type", "qemu"), ("image_build_date", day))
    yield "image_description", f"VM {row.name} of {endpoint}"
    yield from (("os_distro", distro), ("os_version", version))
    if kind:
        yield "os_type", kind
    yield from (("hw_firmware_type", "uefi" if row.efi else "bios"), ("hw_machine_type", "q35" if row.efi else "pc"))
    if row.secure:
        yield "os_secure_boot", "required"
    like = ("ide" if row.controller == "ide" else "sata", _card(row.card))
    bus, vif = {2: ("scsi", "virtio"), 3: ("virtio", "virtio"), 4: ("ide", "e1000"), 5: ("sata", "e1000"), 6: like}[
        rule
    ]
    yield from (("hw_disk_bus", bus), ("hw_vif_model", vif))
    if bus == "scsi":
        yield "hw_scsi_model", "virtio-scsi"
    if vif == "virtio":
        yield "hw_rng_model", "virtio"
    if kind == "linux":
        yield "hw_watchdog_action", "reset"
    if row.cores > 1:
        yield from (("hw_cpu_sockets", str(row.sockets)), ("hw_cpu_cores", str(row.cores)), ("hw_cpu_threads", "1"))


def _card(model: str) -> str:
    return {"vmxnet3": "e1000", "pcnet32": "pcnet"}.get(model, model)
