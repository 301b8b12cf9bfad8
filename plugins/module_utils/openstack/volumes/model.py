# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which volume is wanted for the bytes of a disk, and what we write on what we make. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...core.errors import InputError
from ..backup.model import Volume

GIB = 1 << 30

#: Metadata of volumes, images and servers that we make; values have at most 255 characters.
VM = "migration_vm"  # the machine that it is for (of VMware: its instance UUID)
DISK = "migration_disk"  # which of its disks; the name of the volume where nobody says
RUN = "migration_run"  # who makes it: machine, process and time, so that another run knows whether that one lives
DIGEST = "migration_digest"  # of the bytes: sha256:<root of their block map>
VERIFIED = "migration_verified"  # what was read back and compared with the bytes that came: volume, image or none
STATE = "migration_state"  # "writing <bytes that are safe>", then "done"
ATTACHMENT = "migration_attachment"  # of Cinder, as long as we write; one that a killed run left is taken away by it
SOURCE = "migration_source"  # how the machine was at the source: power, autostart, network cards
SOURCE_STATE = "migration_source_state"  # what the source was when it was read; empty where nobody can tell
WRITING, DONE = "writing", "done"
#: What only the sinks may set.
OURS = (RUN, DIGEST, VERIFIED, STATE, ATTACHMENT)
#: What may stand for "verified", the weakest first: an image that was right says nothing of the volume that was made from it.
NONE, IMAGE, VOLUME = LEVELS = ("none", "image", "volume")


@dataclass(frozen=True)
class Wanted:
    """A volume for a disk.

    :param bytes: of the disk; the volume has whole GiB, and zeroes behind the disk.
    :param size: GiB, 0 for as many as the disk needs.
    :param kind: name of a type, empty for Cinder's default; ``zone`` likewise.
    :param properties: all of the volume's image metadata: what Nova reads when a server boots from it.
    :param metadata: with ``migration_vm`` and ``migration_disk``, by which it is found again.
    """

    name: str
    bytes: int
    size: int = 0
    kind: str = ""
    zone: str = ""
    description: str = ""
    bootable: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = []
        if self.bytes <= 0 or self.bytes % 512:
            problems.append(f"a disk of {self.bytes} bytes is no whole number of sectors of 512 bytes")
        if self.size and self.size < needed(self.bytes):
            problems.append(f"{self.size} GiB are too few for {self.bytes} bytes")
        problems += [f"the metadata {key} is ours" for key in OURS if key in self.metadata]
        texts = {**self.properties, **self.metadata}
        problems += [f"{key} has more than 255 characters" for key, text in texts.items() if len(text) > 255]
        if problems:
            raise InputError(f"volume {self.name}: {'; '.join(problems)}")

    @property
    def gib(self) -> int:
        """Size of the volume in GiB."""
        return self.size or needed(self.bytes)

    @property
    def labels(self) -> dict[str, str]:
        """The metadata that it keeps."""
        return {DISK: self.name[:255], **{key: value for key, value in self.metadata.items() if value}}

    @property
    def identity(self) -> dict[str, str]:
        """The metadata by which it is found again."""
        return {key: value for key, value in self.labels.items() if key in (VM, DISK)}


def needed(count: int) -> int:
    """GiB that hold so many bytes."""
    return max(1, -(-count // GIB))


def is_of(metadata: Mapping[str, str], wanted: Wanted) -> bool:
    """Whether something that we made is for a disk."""
    found = {key: metadata.get(key) for key in (VM, DISK) if metadata.get(key)}
    return STATE in metadata and found == wanted.identity


def mine(volumes: Iterable[Volume], wanted: Wanted) -> list[Volume]:
    """Volumes that were made for a disk, the oldest first."""
    found = [one for one in volumes if is_of(one.metadata, wanted) and one.status != "deleting"]
    return sorted(found, key=lambda one: (one.created, one.id))


def is_done(volume: Volume) -> bool:
    """Whether all of its bytes are there, and were found to be right."""
    return volume.metadata.get(STATE) == DONE


def verified(volume: Volume) -> str:
    """What of a volume was read back, one of :data:`LEVELS`."""
    found = volume.metadata.get(VERIFIED, NONE)
    return found if found in LEVELS else NONE


def safe_bytes(volume: Volume) -> int:
    """Bytes from the start that are there whatever happened to the run that wrote them."""
    state, _space, count = volume.metadata.get(STATE, "").partition(" ")
    return int(count) if state == WRITING and count.isdigit() else 0


def drift(volume: Volume, wanted: Wanted) -> dict[str, tuple[object, object]]:
    """What is other than it is wanted, and can be changed: name of the thing, now and wanted."""
    found: dict[str, tuple[object, object]] = {}
    pairs: dict[str, tuple[object, object]] = {
        "name": (volume.name, wanted.name),
        "description": (volume.description, wanted.description),
        "bootable": (volume.bootable, wanted.bootable),
        "image_metadata": (dict(volume.image), dict(wanted.properties)),
        "metadata": ({key: volume.metadata.get(key) for key in wanted.labels}, wanted.labels),
    }
    found.update({key: pair for key, pair in pairs.items() if pair[0] != pair[1]})
    return found
