# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Names of flavors by scs-0100-v3: parsed into what they promise, and built from it.

Source: https://docs.scs.community/standards/scs-0100-v3-flavor-naming (v3.3). A name promises a minimum; the flavor may
have more. Sizes are GiB of memory and GB of disk, as the standard writes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...core.errors import InputError

PREFIX = "SCS-"

#: Letter in a name and value of ``scs:cpu-type``, the weakest promise first (scs-0103).
CPU_TYPES = {"L": "crowded-core", "V": "shared-core", "T": "dedicated-thread", "C": "dedicated-core"}
#: Letter in a name and value of ``scs:diskN-type``, the slowest first (scs-0103).
DISK_TYPES = {"n": "network", "h": "hdd", "s": "ssd", "p": "nvme"}

HYPERVISORS = ("kvm", "chy", "xen", "vmw", "hyv", "bms")
#: Newest generation of each CPU vendor that the standard has a row for; 0 is "old or not said".
GENERATIONS = {"i": 6, "z": 6, "a": 5, "r": 0}
#: Architecture of images that run on a CPU vendor; no letter means x86_64.
ARCHITECTURES = {"": "x86_64", "i": "x86_64", "z": "x86_64", "a": "aarch64", "r": "riscv64"}

_MAIN = re.compile(r"(?P<vcpus>[1-9][0-9]*)(?P<cpu>[LVTC])(?P<i>i?)-(?P<ram>[0-9]+(?:\.[0-9]+)?)(?P<u>u?)(?P<o>o?)")
_DISK = re.compile(r"-(?:(?P<count>[1-9][0-9]*)x)?(?P<size>[1-9][0-9]*)?(?P<type>[nhsp]?)(?=_|$)")
_HYPERVISOR = re.compile(rf"_(?P<hypervisor>{'|'.join(HYPERVISORS)})(?=_|$)")
_NESTED = re.compile(r"_hwv(?=_|$)")
_VENDOR = re.compile(r"_(?P<vendor>[izar])(?P<generation>[0-9]*)(?P<h>h{0,3})(?=_|$)")
_GPU = re.compile(
    r"_(?P<kind>[Gg])(?:(?P<maker>N)(?P<gen>[fkmpvtalgbu]?)|(?P<other>[AI])(?P<number>(?:[0-9]+(?:\.[0-9]+)?)?))"
    r"(?:-(?P<units>[1-9][0-9]*)(?P<fast>h{0,2}))?(?:-(?P<vram>[1-9][0-9]*)(?P<wide>h{0,2}))?(?=_|$)"
)
_INFINIBAND = re.compile(r"_ib(?=_|$)")


@dataclass(frozen=True)
class Gpu:
    """A GPU of a name.

    :param passthrough: the whole card (``G``), or a part of it (``g``).
    :param maker: ``N``, ``A`` or ``I``.
    :param units: processing units, 0 when the name does not say; of one maker and generation only they compare.
    :param vram: GiB, 0 when the name does not say.
    """

    passthrough: bool
    maker: str
    generation: str = ""
    units: int = 0
    fast: str = ""
    vram: int = 0
    wide: str = ""

    def __str__(self) -> str:
        units = f"-{self.units}{self.fast}" if self.units else ""
        vram = f"-{self.vram}{self.wide}" if self.vram else ""
        return f"_{'G' if self.passthrough else 'g'}{self.maker}{self.generation}{units}{vram}"


@dataclass(frozen=True)
class Name:
    """What a name promises.

    :param cpu: letter of the CPU suffix.
    :param insecure: ``i``, no protection by microcode; ``no_ecc``: ``u``; ``oversubscribed``: ``o``, memory.
    :param ram: GiB, in steps of one half.
    :param disk: ``None`` when there is none, 0 when the cloud chooses the size.
    :param disks: how many such disks.
    :param disk_type: letter, empty when the name does not say.
    :param vendor: letter of the CPU's maker, with ``generation`` (0: old or not said) and ``frequency`` (``h`` to ``hhh``).
    """

    vcpus: int
    cpu: str
    ram: float
    insecure: bool = False
    no_ecc: bool = False
    oversubscribed: bool = False
    disk: int | None = None
    disks: int = 1
    disk_type: str = ""
    hypervisor: str = ""
    nested: bool = False
    vendor: str = ""
    generation: int = 0
    frequency: str = ""
    gpu: Gpu | None = None
    infiniband: bool = False

    def __str__(self) -> str:
        main = f"{self.vcpus}{self.cpu}{'i' * self.insecure}-{self.ram:g}{'u' * self.no_ecc}{'o' * self.oversubscribed}"
        return PREFIX + main + self._disk() + self._extensions()

    def _disk(self) -> str:
        if self.disk is None:
            return ""
        count = f"{self.disks}x" if self.disks > 1 else ""
        return f"-{count}{self.disk or ''}{self.disk_type}"

    def _extensions(self) -> str:
        found = f"_{self.hypervisor}" if self.hypervisor else ""
        found += "_hwv" if self.nested else ""
        if self.vendor:
            found += f"_{self.vendor}{self.generation or ''}{self.frequency}"
        found += str(self.gpu) if self.gpu else ""
        return found + ("_ib" if self.infiniband else "")

    @property
    def v1(self) -> str:
        """The name as ``scs:name-v1`` has it: dashes after the first become colons, underscores become dashes."""
        return PREFIX + str(self)[len(PREFIX) :].replace("-", ":").replace("_", "-")

    @property
    def cpu_type(self) -> str:
        """Value of ``scs:cpu-type``."""
        return CPU_TYPES[self.cpu]

    @property
    def ram_mib(self) -> int:
        """Memory in MiB, as Nova counts it."""
        return int(self.ram * 1024)

    @property
    def architecture(self) -> str:
        """Architecture of images that run on it."""
        return ARCHITECTURES[self.vendor]

    def specs(self, disk_type: str = "") -> dict[str, str]:
        """Extra specs that scs-0103 asks for.

        :param disk_type: value of ``scs:disk0-type`` where the name leaves it open (``network``, ``hdd``, ``ssd``, ``nvme``).
        """
        found = {"scs:name-v1": self.v1, "scs:name-v2": str(self), "scs:cpu-type": self.cpu_type}
        if self.disk is not None:
            kind = DISK_TYPES.get(self.disk_type) or disk_type
            if kind:
                found.update({f"scs:disk{number}-type": kind for number in range(self.disks)})
        return found


def is_scs(name: str) -> bool:
    """Whether a name claims to follow the standard."""
    return name.startswith(PREFIX)


def parse(text: str) -> Name:
    """A name as what it promises.

    :raises InputError: it does not follow the standard; the message says from which character on.
    """
    if not is_scs(text):
        raise InputError(f"{text!r} is no SCS flavor name: it does not begin with {PREFIX}")
    main = _MAIN.match(text, len(PREFIX))
    if main is None:
        hint = "After SCS- come vCPUs with L, V, T or C, and GiB of memory: SCS-2V-8"
        raise InputError(f"{text!r} is no SCS flavor name: CPUs or memory cannot be read", hint=hint)
    at = main.end()
    parts: dict[str, re.Match[str] | None] = {}
    for key, pattern in _PARTS.items():
        found = parts[key] = pattern.match(text, at)
        at = found.end() if found else at
    if at != len(text):
        hint = "Extensions come in the order hypervisor, hwv, CPU, GPU, ib; letters are case-sensitive"
        raise InputError(f"{text!r} is no SCS flavor name: {text[at:]!r} is not understood", hint=hint)
    name = _name(main, parts)
    _check(text, name)
    return name


_PARTS = {
    "disk": _DISK,
    "hypervisor": _HYPERVISOR,
    "nested": _NESTED,
    "vendor": _VENDOR,
    "gpu": _GPU,
    "infiniband": _INFINIBAND,
}


def _name(main: re.Match[str], parts: Mapping[str, re.Match[str] | None]) -> Name:
    disk, hypervisor, vendor = parts["disk"], parts["hypervisor"], parts["vendor"]
    return Name(
        vcpus=int(main["vcpus"]),
        cpu=main["cpu"],
        ram=float(main["ram"]),
        insecure=bool(main["i"]),
        no_ecc=bool(main["u"]),
        oversubscribed=bool(main["o"]),
        disk=int(disk["size"] or 0) if disk else None,
        disks=int(disk["count"] or 1) if disk else 1,
        disk_type=disk["type"] if disk else "",
        hypervisor=hypervisor["hypervisor"] if hypervisor else "",
        nested=bool(parts["nested"]),
        vendor=vendor["vendor"] if vendor else "",
        generation=int(vendor["generation"] or 0) if vendor else 0,
        frequency=vendor["h"] if vendor else "",
        gpu=_gpu(parts["gpu"]),
        infiniband=bool(parts["infiniband"]),
    )


def _gpu(found: re.Match[str] | None) -> Gpu | None:
    if found is None:
        return None
    return Gpu(
        passthrough=found["kind"] == "G",
        maker=found["maker"] or found["other"],
        generation=found["gen"] or found["number"] or "",
        units=int(found["units"] or 0),
        fast=found["fast"] or "",
        vram=int(found["vram"] or 0),
        wide=found["wide"] or "",
    )


def _check(text: str, name: Name) -> None:
    """What the shape of a name does not say."""
    if name.ram <= 0 or name.ram * 2 != int(name.ram * 2):
        raise InputError(f"{text!r} is no SCS flavor name: memory comes in halves of a GiB, and not as 0")
    newest = GENERATIONS.get(name.vendor, 0)
    if name.generation > newest:
        raise InputError(
            f"{text!r} is no SCS flavor name: the standard knows generations up to {newest} of the CPU {name.vendor!r}"
        )


def overpromises(name: Name, vcpus: int, ram: int, disk: int) -> list[str]:
    """What a flavor has less of than its name says.

    :param ram: MiB.
    :param disk: GB of the root disk.
    """
    found = []
    for what, has, says in (
        ("vCPUs", vcpus, name.vcpus),
        ("MiB of memory", ram, name.ram_mib),
        ("GB of disk", disk, name.disk or 0),
    ):
        if has < says:
            found.append(f"the name says {says} {what}, the flavor has {has}")
    return found
