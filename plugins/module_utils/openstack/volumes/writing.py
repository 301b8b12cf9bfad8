# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A local disk into a volume: what is there, what is to be done, and doing it. Everything is read back from the far end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Union

from ...core.blockmap import BlockMap, Head, map_of
from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan, Step
from ...core.stream import Meter, say
from ...core.transfer import Piece, Source, TruncatedError, in_order, with_holes
from ...core.units import format_bytes
from ..backup.model import Volume
from ..backup.volumes import check_room
from ..model import CloudError, is_passing
from . import model, qcow2
from .model import Wanted
from .scan import Scan
from .service import VolumeService
from .sinks import ImagedVolumeSink, Settings, VolumeSink, open_sink

FORMATS = ("auto", "raw", "qcow2")
#: Bytes between two flushes, seconds between two lines about progress, blocks that are compared before going on.
_FLUSH, _SAY, _AGAIN = 256 << 20, 20.0, 4
#: How often an image is sent to a service that is busy or loses it.
_SENDS = 4
_SPARSE = 0.75
AnySink = Union[VolumeSink, ImagedVolumeSink]


class DifferentError(LandscapeError):
    """The far end does not hold the bytes that were written."""


@dataclass(frozen=True)
class Todo:
    """What is to be done.

    :param action: none, update, create, resume or replace.
    :param moves: bytes that go over the wire.
    """

    wanted: Wanted
    action: str
    method: str
    format: str
    moves: int
    digest: str
    volume: Volume | None = None
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)


@dataclass
class Done:
    """What became of it.

    :ivar moved: bytes that were handed to the volume or the image service.
    :ivar resumed: bytes that a killed run had left.
    """

    volume: str = ""
    moved: int = 0
    resumed: int = 0
    seconds: float = 0.0
    kept: str = ""


def plan(
    wanted: Wanted, found: list[Volume], scanned: Scan, method: str, image_format: str, limits: Mapping[str, int]
) -> Todo:
    """What is to be done for a disk. Pure.

    :param found: volumes that were made for it, done or not.
    :param limits: of the project.
    :raises InputError: a volume has other bytes already, or there is no room.
    """
    digest = scanned.map.root
    how, moves = _how(wanted, scanned, method, image_format)
    base = Todo(wanted, "none", method, how, moves, digest)
    done = [one for one in found if model.is_done(one)]
    same = next((one for one in done if one.metadata.get(model.DIGEST) == digest), None)
    if same is not None:
        if same.size < wanted.gib:
            raise InputError(f"volume {same} has {same.size} GiB, and {wanted.gib} are wanted")
        changes = model.drift(same, wanted)
        return replace(base, moves=0, action="update" if changes else "none", volume=same, changes=changes)
    if done:
        raise InputError(
            f"volume {done[0]} was made for this disk, and has other bytes ({done[0].metadata.get(model.DIGEST)})",
            hint="Remove it, or choose another name",
        )
    left = found[0] if found else None
    if left is None:
        check_room(limits, 1, wanted.gib, f"volume {wanted.name} cannot be made")
        return replace(base, action="create")
    return replace(base, action="resume" if method == "attach" else "replace", volume=left)


def _how(wanted: Wanted, scanned: Scan, method: str, image_format: str) -> tuple[str, int]:
    """The format, and the bytes that travel."""
    if method == "attach":
        return "raw", scanned.data
    sparse = qcow2.layout(wanted.bytes, scanned.extents).length
    chosen = image_format
    if chosen == "auto":
        chosen = "qcow2" if sparse < wanted.bytes * _SPARSE else "raw"
    return (chosen, sparse) if chosen == "qcow2" else ("raw", wanted.bytes)


def steps(todo: Todo) -> Plan:
    """The plan as it is shown. Pure."""
    name, wanted = f"volume {todo.wanted.name}", todo.wanted
    if todo.action == "none":
        return Plan()
    if todo.action == "update":
        now, then = ({key: pair[side] for key, pair in todo.changes.items()} for side in (0, 1))
        return Plan((Step("update", name, now, then, undo="set the former values"),))
    after = {
        "size": wanted.gib,
        "type": wanted.kind,
        "availability_zone": wanted.zone,
        "bootable": wanted.bootable,
        "image_metadata": dict(wanted.properties),
        "metadata": wanted.labels,
        "bytes": wanted.bytes,
        "digest": todo.digest,
        "method": todo.method,
        "format": todo.format,
        "moves": todo.moves,
    }
    before = {"status": todo.volume.status} if todo.volume else None
    gate = "what is read back from the volume has the digest of the disk"
    if todo.method == "image":
        gate = "what the image service gives back has the digest of the disk"
    return Plan((Step(todo.action, name, before, after, undo="remove the volume", gate=gate),))


class Writing:
    """Carries a plan out."""

    def __init__(self, cloud: Any, service: VolumeService, settings: Settings, read_back: bool = True) -> None:
        self.cloud, self.service, self.settings, self.read_back = cloud, service, settings, read_back

    def carry_out(self, todo: Todo, source: Source, scanned: Scan) -> Done:
        """Does it.

        :raises DifferentError: the far end has other bytes; nothing is left.
        :raises LandscapeError: it failed; what can be gone on with is left, and everything else is removed.
        """
        began, done = time.monotonic(), Done()
        if todo.action == "none":
            done.volume = todo.volume.id if todo.volume else ""
        elif todo.action == "update":
            done.volume = todo.volume.id if todo.volume else ""
            self.service.settle(done.volume, todo.wanted, todo.digest)
        else:
            self._write(todo, source, scanned, done)
        done.seconds = round(time.monotonic() - began, 2)
        return done

    def _write(self, todo: Todo, source: Source, scanned: Scan, done: Done) -> None:
        extents = scanned.extents if todo.format == "qcow2" else None
        for attempt in range(_SENDS):
            sink = open_sink(
                self.cloud, todo.wanted, todo.method, settings=self.settings, extents=extents, service=self.service
            )
            try:
                self._through(sink, source, scanned, done)
                return
            except CloudError as error:
                if todo.method == "attach" or attempt == _SENDS - 1 or not is_passing(error):
                    raise
                say(f"{sink.name}: sending again, {error.message}")
                self.service.making.sleep(max(error.wait, 2.0**attempt))

    def _through(self, sink: AnySink, source: Source, scanned: Scan, done: Done) -> None:
        state = "begun"
        try:
            begin = resume_at(sink, scanned.map)
            done.resumed, done.moved = begin, 0
            _copy(sink, source, begin, done)
            if self.read_back:
                check(sink, scanned.map)
                sink.verified = sink.reads
                if isinstance(sink, ImagedVolumeSink):
                    sink.expected = scanned.map
            sink.digest = scanned.map.root
            sink.finish()
            state = "done"
        except (DifferentError, TruncatedError):
            state = "wrong"
            raise
        finally:
            if state != "done":  # also when somebody interrupts
                with contextlib.suppress(LandscapeError):  # why it failed is what matters
                    sink.abort() if state == "wrong" else sink.leave()
        done.volume = sink.volume
        if isinstance(sink, ImagedVolumeSink):
            done.kept, done.moved = sink.kept, sink.image.length


def resume_at(sink: AnySink, expected: BlockMap) -> int:
    """Where to go on: behind what a killed run left, if the last blocks of it are what they must be; else at 0."""
    block = expected.head.block
    count = sink.flushed // block
    first = max(0, count - _AGAIN)
    if not count:
        return 0
    low = first * block
    there = (Piece(one.offset - low, one.length, one.data) for one in sink.read(low, count * block))
    found = map_of(Head("", count * block - low, block), there)
    same = all(found.digest(number - first) == expected.digest(number) for number in range(first, count))
    return count * block if same else 0


def _copy(sink: AnySink, source: Source, begin: int, done: Done) -> None:
    meter, told, mark = Meter(source.size), time.monotonic(), begin
    meter.begin(source.size, begin)
    for piece in with_holes(in_order(source, begin)):
        sink.write(piece)
        meter.add(piece.length)
        if piece.data is not None:
            done.moved += piece.length
        if piece.end - mark >= _FLUSH:
            sink.flush()
            mark = piece.end
        if time.monotonic() - told >= _SAY:
            told = time.monotonic()
            say(f"{sink.name}: {meter}")
    sink.flush()


def check(sink: AnySink, expected: BlockMap) -> None:
    """Reads back what is there.

    :raises DifferentError: it is something else; the message names where.
    """
    say(f"{sink.name}: reading it back")
    differing = expected.compare(map_of(expected.head, sink.read()))
    if isinstance(sink, VolumeSink) and not differing:
        tail = next((one for one in sink.read(sink.size, sink.room) if one.data is not None), None)
        differing = [(tail.offset, tail.length)] if tail else []
    if differing:
        count = sum(length for _offset, length in differing)
        raise DifferentError(
            f"{sink.name} does not hold the bytes that were written: {format_bytes(count)} in {len(differing)} ranges"
            f" differ, the first at byte {differing[0][0]}",
            hint="Either the disk changed while it was read, or the way to the volume changes bytes",
            details={"differing": [{"offset": offset, "length": length} for offset, length in differing[:50]]},
        )


def values(todo: Todo, done: Done | None, volume: Volume | None) -> dict[str, Any]:
    """What the module returns. Pure.

    :param done: nothing in check mode.
    """
    wanted = todo.wanted
    known = volume or todo.volume
    shown = {
        "id": known.id if known and todo.action != "replace" else None,
        "name": wanted.name,
        "size": known.size if known else wanted.gib,
        "type": known.type if known else wanted.kind,
        "availability_zone": known.zone if known else wanted.zone,
        "bootable": wanted.bootable,
        "image_metadata": dict(wanted.properties),
        "metadata": {**(known.metadata if known else {}), **wanted.labels},
        "status": known.status if known else "available",
    }
    if done is None and todo.action != "none":
        shown.update(predicted=True)
    found = {"volume": shown, "bytes": wanted.bytes, "digest": todo.digest, "method": todo.method}
    found.update(format=todo.format, moves=todo.moves, moved=done.moved if done else 0)
    seconds = done.seconds if done else 0.0
    rate = round(wanted.bytes / seconds) if done and done.moved and seconds else 0
    return {**found, "resumed_from": done.resumed if done else 0, "seconds": seconds, "rate": rate}
