# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The plan of a migration as a file that people review: its parts, its digest, and how it is written and read.

The file is JSON, which is YAML too, with sorted keys and one value a line, so that two plans can be compared. What it says is
all that a run does: nothing is decided later. Its digest covers everything but itself.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError

FORMAT = "scs.landscape.migration"
#: Goes up when a file of before cannot be read any more.
VERSION = 1


@dataclass(frozen=True)
class Disk:
    """What becomes of one disk.

    :param key: the disk's key at the source, which never changes.
    :param position: place among the volumes of the server; 0 is what it boots from.
    :param capacity: bytes; ``allocated``: bytes that the source keeps of it.
    :param size: GiB of the volume: the capacity, rounded up.
    :param read: bytes that are expected to be read; ``sent``: bytes that are expected to be sent to the target.
    :param format: of the image that is sent, ``raw`` or ``qcow2``; empty where none is.
    """

    key: int
    label: str
    position: int
    capacity: int
    allocated: int
    datastore: str
    volume: str
    size: int
    volume_type: str
    read: int
    sent: int
    reason: str = ""
    format: str = ""


@dataclass(frozen=True)
class Port:
    """What becomes of one network card.

    :param mac: empty when Neutron chooses; ``addresses``: none when Neutron chooses.
    """

    key: int
    label: str
    name: str
    source: str
    network: str
    network_id: str
    mac: str = ""
    addresses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    port_security: bool = True


@dataclass(frozen=True)
class Machine:
    """What becomes of one virtual machine.

    :param uuid: its instance uuid, which names it for ever.
    :param flavor: name; ``reasons``: why this one.
    :param transport: how its disks are read; ``fallback``: what is tried, in this order, where that is refused.
    :param power: what it is at the source: ``on`` or ``off``.
    :param problems: why it cannot be migrated; then it belongs to no wave.
    :param notes: what people should know, one sentence each.
    """

    uuid: str
    name: str
    endpoint: str
    moid: str
    host: str
    power: str
    server: str
    wave: str = ""
    flavor: str = ""
    flavor_id: str = ""
    reasons: tuple[str, ...] = ()
    zone: str = ""
    transport: str = ""
    fallback: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    ports: tuple[Port, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The machine as people name it."""
        return f"{self.name} at {self.endpoint}"

    @property
    def transports(self) -> tuple[str, ...]:
        """How its disks may be read, the best way first."""
        return (self.transport, *self.fallback)


@dataclass(frozen=True)
class Collision:
    """Two that want the same thing, or one that wants what is taken.

    :param kind: ``mac``, ``ip``, ``name``.
    :param machines: uuids of those of the plan that want it.
    """

    kind: str
    value: str
    machines: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Need:
    """How much of a quota a plan takes.

    :param free: ``None`` when there is no limit.
    """

    name: str
    need: int
    free: int | None = None
    limit: int | None = None

    @property
    def short(self) -> int:
        """What is missing, 0 when it fits."""
        return 0 if self.free is None else max(0, self.need - self.free)


@dataclass(frozen=True)
class Bytes:
    """How much is moved: size of the disks, what the source keeps, what is read, what is sent."""

    capacity: int = 0
    allocated: int = 0
    read: int = 0
    sent: int = 0


@dataclass(frozen=True)
class Estimate:
    """How long something takes.

    :param seconds: ``None`` when no rate was measured.
    :param limit: what the time is due to, in words.
    """

    seconds: float | None = None
    limit: str = ""


@dataclass(frozen=True)
class Wave:
    """Machines that are migrated together."""

    name: str
    machines: tuple[str, ...]
    bytes: Bytes = Bytes()
    estimate: Estimate = Estimate()


@dataclass(frozen=True)
class Document:
    """A whole plan.

    :param project: id of the project at the target.
    :param settings: what holds for every machine (method, limits), for whoever carries the plan out.
    :param problems: what stands against the plan as a whole.
    """

    project: str
    machines: tuple[Machine, ...] = ()
    waves: tuple[Wave, ...] = ()
    collisions: tuple[Collision, ...] = ()
    quota: tuple[Need, ...] = ()
    bytes: Bytes = Bytes()
    estimate: Estimate = Estimate()
    settings: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing stands against carrying it out: some machines may be left out, none may collide."""
        return bool(self.waves) and not self.problems

    def body(self) -> dict[str, Any]:
        """Everything but the digest, JSON-able."""
        parts = {key: value for key, value in dataclasses.asdict(self).items() if key != "machines"}
        parts["quota"] = [{**dataclasses.asdict(one), "short": one.short} for one in self.quota]
        parts["vms"] = [dataclasses.asdict(one) for one in self.machines]
        plain: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, "version": VERSION, **parts}))
        return plain

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that name exactly this plan; what an operator confirms."""
        return digest_of(self.body())

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form, with the digest."""
        body = self.body()
        return {"digest": digest_of(body), **body}

    def text(self) -> str:
        """The file."""
        return text_of(self.as_dict())


def text_of(data: Mapping[str, Any]) -> str:
    """The file of a plan: sorted keys, one value a line."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest_of(body: Mapping[str, Any]) -> str:
    """The digest of a plan without (or with) its digest."""
    without = {key: value for key, value in body.items() if key != "digest"}
    text = json.dumps(without, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load(path: str) -> Document:
    """The plan of a file.

    :raises InputError: it cannot be read, or is no plan.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            return parse(stream.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The plan {path} cannot be read: {error}", hint="Make it with vm_migration_plan") from error


def parse(text: str, name: str) -> Document:
    """The plan of a file.

    :param name: of the file, for messages.
    :raises InputError: it is none, of another version, or was changed without a new digest.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no plan: {error}", hint="Make it with vm_migration_plan") from error
    return document_of(data, name)


def document_of(data: Any, name: str) -> Document:
    """The plan of what a file holds.

    :raises InputError: it is none, of another version, or was changed without a new digest.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise InputError(f"{name} is no plan of a migration", hint="Make it with vm_migration_plan")
    if data.get("version") != VERSION:
        raise InputError(f"{name} has version {data.get('version')}, this collection reads {VERSION}")
    if data.get("digest") != digest_of(data):
        hint = "A plan is changed by its options, and made and reviewed again; not by hand"
        raise InputError(f"{name} was changed after it was made: its digest is not {data.get('digest')}", hint=hint)
    try:
        return Document(
            project=str(data["project"]),
            machines=tuple(_machine(one) for one in data["vms"]),
            waves=tuple(_wave(one) for one in data["waves"]),
            collisions=tuple(_made(Collision, one) for one in data["collisions"]),
            quota=tuple(_made(Need, {k: v for k, v in one.items() if k != "short"}) for one in data["quota"]),
            bytes=_made(Bytes, data["bytes"]),
            estimate=_made(Estimate, data["estimate"]),
            settings=dict(data["settings"]),
            problems=tuple(data["problems"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} is not whole: {error}", hint="Make it again with vm_migration_plan") from error


def _made(kind: Any, data: Mapping[str, Any], **more: Any) -> Any:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return kind(**{**values, **more})


def _machine(data: Mapping[str, Any]) -> Machine:
    disks = tuple(_made(Disk, one) for one in data["disks"])
    ports = tuple(_made(Port, one) for one in data["ports"])
    made: Machine = _made(Machine, data, disks=disks, ports=ports)
    return made


def _wave(data: Mapping[str, Any]) -> Wave:
    made: Wave = _made(Wave, data, bytes=_made(Bytes, data["bytes"]), estimate=_made(Estimate, data["estimate"]))
    return made


def machines_of(document: Document, wave: str) -> Sequence[Machine]:
    """The machines of a wave, in its order; of all waves when the name is empty.

    :raises InputError: there is no such wave.
    """
    names = [one.name for one in document.waves]
    if wave and wave not in names:
        raise InputError(f"The plan has no wave {wave}, but {', '.join(names) or 'none at all'}")
    by = {one.uuid: one for one in document.machines}
    return [by[uuid] for one in document.waves if wave in ("", one.name) for uuid in one.machines]
