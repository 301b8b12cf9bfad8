# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Descriptors of disks: text that names the files in which the bytes are. Read, judged and confined before anything is opened.

A descriptor is written by whoever can write to the datastore. What it names lies in its own folder or is not used: no path,
no device, no parent elsewhere. Sources: Virtual Disk Format 5.0 (VMware technical note), block/vmdk.c of QEMU.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...core.errors import LandscapeError

SECTOR = 512
#: Bytes of the longest text that is read as a descriptor; QEMU refuses more than that, too.
LONGEST = 1024 * 1024
#: Most bytes of a disk: what VMFS allows is 62 TiB.
LARGEST = 64 * 1024**4

_MAGIC = "# disk descriptorfile"
_NO_PARENT = "ffffffff"
_EXTENT = re.compile(r'(RW|RDONLY|NOACCESS)\s+(\d{1,15})\s+([A-Z]+)(?:\s+"([^"]*)"(?:\s+(\d{1,15}))?)?\s*')
_ACCESS = re.compile(r"(RW|RDONLY|NOACCESS)\s")
_ENTRY = re.compile(r'([A-Za-z][\w.:/-]*)\s*=\s*(?:"(.*)"|(.*?))\s*')
_MOST_EXTENTS = 65536

#: Kinds of disk that are read, and the kinds of extent in them.
READABLE = {
    "vmfs": ("FLAT", "VMFS", "ZERO"),
    "monolithicflat": ("FLAT", "VMFS", "ZERO"),
    "twogbmaxextentflat": ("FLAT", "ZERO"),
    "monolithicsparse": ("SPARSE", "ZERO"),
    "twogbmaxextentsparse": ("SPARSE", "ZERO"),
    "streamoptimized": ("SPARSE",),
    "vmfssparse": ("VMFSSPARSE",),
    "sesparse": ("SESPARSE",),
}
_CONSOLIDATE = "Consolidate or delete the snapshots of the machine, or export a snapshot of it by the transport nfc"
_OTHER = {
    "vmfsrawdevicemap": ("it is a raw device mapping", "Copy the LUN itself, or let vSphere clone the disk to a file"),
    "vmfspassthroughrawdevicemap": (
        "it is a physical raw device mapping",
        "Copy the LUN itself, or let vSphere clone the disk to a file",
    ),
    "vmfsraw": ("it is a whole device of the host", "Copy the device itself"),
    "fulldevice": ("it is a whole device of the host", "Copy the device itself"),
    "partitioneddevice": ("it is made of partitions of the host", "Copy the device itself"),
    "custom": ("its layout is custom", "Clone it with vmkfstools -i, and export the clone"),
    "vsan": ("it is an object of vSAN, which has no file of its bytes", "Export it by the transport nfc"),
}


class FormatError(LandscapeError):
    """A disk, or a file of it, that is not read: broken, or of a kind that is refused by name."""


@dataclass(frozen=True)
class Extent:
    """A stretch of a disk.

    :param access: ``RW``, ``RDONLY`` or ``NOACCESS``.
    :param size: bytes.
    :param kind: ``FLAT``, ``SPARSE``...
    :param name: of a file in the folder of the descriptor; empty for zeroes.
    :param offset: bytes from the start of the file.
    """

    access: str
    size: int
    kind: str
    name: str = ""
    offset: int = 0


@dataclass(frozen=True)
class Descriptor:
    """What a descriptor says.

    :param kind: ``createType`` in lower case.
    :param cid: content id, eight hexadecimal digits.
    :param parent_cid: that of the parent it was made on; empty when it has none.
    :param parent: file name of the parent, in the same folder.
    """

    kind: str
    extents: tuple[Extent, ...]
    cid: str = ""
    parent_cid: str = ""
    parent: str = ""
    entries: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def size(self) -> int:
        """Bytes of the disk."""
        return sum(extent.size for extent in self.extents)


def is_descriptor(begin: bytes) -> bool:
    """Whether a file that begins like that is a descriptor."""
    return begin[:64].lstrip().lower().startswith(_MAGIC.encode())


def confined(name: str, where: str) -> str:
    """The name of a file in the same folder.

    :param where: what names it, for messages.
    :raises FormatError: it leads elsewhere, or is none.
    """
    reason = ""
    if name.startswith("vsan://"):
        reason, hint = _OTHER["vsan"]
        raise FormatError(f"{where}: {reason}", hint=hint)
    if not name or name in (".", "..") or len(name.encode("utf-8", "surrogateescape")) > 255:
        reason = "that is no name of a file"
    elif name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        reason = "an absolute path or a device"
    elif "/" in name or "\\" in name:
        reason = "a path to another folder"
    elif any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        reason = "that holds control characters"
    elif re.match(r"[A-Za-z][\w+.-]*:", name):
        reason = "that looks like an address"
    if reason:
        raise FormatError(
            f"{where} names {name!r}, {reason}; nothing was opened",
            hint="Only files beside the descriptor are read. Look at who wrote it, and clone the disk with vmkfstools -i",
        )
    return name


def parse(text: bytes, where: str) -> Descriptor:
    """What a descriptor says; all of it judged, nothing opened.

    :param where: name of the file, for messages.
    :raises FormatError: it is broken, leads elsewhere, or is of a kind that is not read.
    """
    if len(text) > LONGEST or not is_descriptor(text):
        raise FormatError(f"{where} is no descriptor of a disk")
    # Extents of the stream format are followed by zeroes up to the next sector.
    lines = _decoded(text.split(b"\0", 1)[0]).splitlines()
    entries: dict[str, str] = {}
    extents: list[Extent] = []
    for line in (raw.strip() for raw in lines):
        if not line or line.startswith("#"):
            continue
        if _ACCESS.match(line):
            extents.append(_extent(line, where))
            continue
        found = _ENTRY.fullmatch(line)
        if not found:
            raise FormatError(f"{where} has a line that is no part of a descriptor: {line[:80]!r}")
        entries[found[1].lower()] = found[2] if found[2] is not None else found[3]
    _refuse(entries, where)
    made = Descriptor(
        kind=entries.get("createtype", "").lower(),
        extents=tuple(extents),
        cid=entries.get("cid", "").lower(),
        parent_cid="" if entries.get("parentcid", _NO_PARENT).lower() == _NO_PARENT else entries["parentcid"].lower(),
        parent=entries.get("parentfilenamehint", ""),
        entries=entries,
    )
    _check(made, where)
    return made


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _extent(line: str, where: str) -> Extent:
    found = _EXTENT.fullmatch(line)
    if not found:
        raise FormatError(f"{where} has a line of an extent that cannot be understood: {line[:80]!r}")
    access, sectors, kind, name, offset = found.groups()
    if kind == "ZERO":
        return Extent(access, int(sectors) * SECTOR, kind)
    return Extent(access, int(sectors) * SECTOR, kind, confined(name or "", where), int(offset or 0) * SECTOR)


def _refuse(entries: dict[str, str], where: str) -> None:
    if any(name.startswith("encryption.") for name in entries) or "crypt" in entries.get("ddb.iofilters", "").lower():
        raise FormatError(f"{where}: the disk is encrypted", hint="Decrypt it in vSphere first; its key does not move")
    kind = entries.get("createtype", "")
    if kind.lower() in _OTHER:
        reason, hint = _OTHER[kind.lower()]
        raise FormatError(f"{where} is a disk of type {kind}: {reason}", hint=hint)
    if kind.lower() not in READABLE:
        raise FormatError(
            f"{where} is a disk of type {kind or 'nothing'}, which is not known", hint=_OTHER["custom"][1]
        )


def _check(made: Descriptor, where: str) -> None:
    if bool(made.parent_cid) != bool(made.parent):
        raise FormatError(f"{where} names half a parent: parentCID and parentFileNameHint belong together")
    if made.parent:
        confined(made.parent, where)
    if not made.extents or len(made.extents) > _MOST_EXTENTS:
        raise FormatError(f"{where} has {len(made.extents)} extents")
    for extent in made.extents:
        if extent.kind not in READABLE[made.kind]:
            _reason, hint = _OTHER["custom"] if extent.kind != "VMFSRDM" else _OTHER["vmfsrawdevicemap"]
            raise FormatError(f"{where}: an extent {extent.kind} in a disk of type {made.kind}", hint=hint)
        if not extent.size or extent.access == "NOACCESS":
            raise FormatError(f"{where} has an extent without bytes, or one that nobody may read")
    taken = sorted((extent.name, extent.offset, extent.size) for extent in made.extents if extent.name)
    for left, right in zip(taken, taken[1:]):
        if left[0] == right[0] and (left[1] + left[2] > right[1] or "SPARSE" in made.extents[0].kind):
            raise FormatError(f"{where} names the same bytes of {left[0]} twice")
    if made.size > LARGEST:
        raise FormatError(f"{where} says that the disk has {made.size} bytes, more than any")


def refuse_chain(made: Descriptor, where: str) -> None:
    """Refuses the disk of a snapshot, for ways of reading that know no chains.

    :raises FormatError: it has a parent.
    """
    if made.parent:
        raise FormatError(f"{where} is the disk of a snapshot on {made.parent}", hint=_CONSOLIDATE)


def refuse_kind(made: Descriptor, where: str) -> None:
    """Refuses by name what is only ever the disk of a snapshot.

    :raises FormatError: always.
    """
    raise FormatError(f"{where} is of type {made.entries.get('createtype')}, the disk of a snapshot", hint=_CONSOLIDATE)
