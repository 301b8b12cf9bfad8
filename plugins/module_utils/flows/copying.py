# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""One disk on its way: source, holes, digests, sink; resumed after a break, read back, a difference located.

A second thread reads ahead, so that the slower end decides and not the sum of both. What is kept in memory is bounded by
:data:`.ahead.AHEAD` and a few pieces. Flushing is followed by a line of the block map; so a killed run loses less than four blocks,
or what came in half a minute where flushing is dear.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ..core.blockmap import BlockMap, Hasher, Head, block_for, map_of
from ..core.errors import LandscapeError
from ..core.journal import Journal
from ..core.retry import Backoff
from ..core.stream import Stopped
from ..core.transfer import Piece, Sink, Source, TruncatedError, is_zero
from ..core.units import format_bytes
from .ahead import Ahead, look
from .sparse import extents_of

#: Blocks after which bytes are flushed, and blocks that are compared before a copy goes on.
FLUSHED, COMPARED = 3, 4
#: State of a disk whose source is not needed any more.
READING_BACK = "reading back"
#: Seconds after which bytes are flushed to a sink that wants more of them at once.
_OFTEN = 30.0
#: Errors of a source after which it is asked to go on where it ended.
BROKEN: tuple[type[LandscapeError], ...] = (TruncatedError,)
_PATIENCE = Backoff(first=0.5, longest=15.0, within=120.0)


class MismatchError(LandscapeError):
    """What was read back is not what was written.

    :param ranges: offset and length in bytes of each stretch that differs.
    """

    def __init__(self, name: str, ranges: list[tuple[int, int]], hint: str) -> None:
        shown = ", ".join(f"{length} bytes at {offset}" for offset, length in ranges[:4])
        more = f" and {len(ranges) - 4} more" if len(ranges) > 4 else ""
        details = {"name": name, "ranges": [{"offset": offset, "length": length} for offset, length in ranges]}
        super().__init__(f"{name}: what was read back differs in {shown}{more}", hint=hint, details=details)
        self.ranges = ranges


def _nothing() -> None:
    """Nobody judges."""


@dataclass(frozen=True)
class Job:
    """One disk to be copied.

    :param subject: names the bytes (machine, disk, state of the source); a block map of others is not gone on with. What
        gives that name is asked when the source is there.
    :param map_path: file of the block map.
    :param read_back: compare what the far end has with what was sent.
    :param whole: also compute the SHA-256 of all bytes, zeroes included.
    :param size: bytes, for the order and for progress before it begins.
    :param judge: asked when all bytes are there and before they count; raises what speaks against the source.
    :param sparse: whether the sink wants to know beforehand where there is data: it is then opened with a list of offsets and lengths,
        or with nothing where the source can be read only once.
    """

    name: str
    subject: str | Callable[[], str]
    source: Callable[[], Source]
    sink: Callable[..., Sink]
    map_path: str
    host: str = ""
    datastore: str = ""
    converter: str = ""
    size: int = 0
    read_back: bool = True
    whole: bool = False
    broken: tuple[type[LandscapeError], ...] = BROKEN
    judge: Callable[[], None] = _nothing
    sparse: bool = False

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Where it takes a slot."""
        named = (("host", self.host), ("datastore", self.datastore), ("converter", self.converter))
        return tuple(pair for pair in named if pair[1])


@dataclass
class Progress:
    """How far a job is; one thread writes, others look.

    :param done: bytes from the start that are at the sink; ``begun``: those that were there before.
    :param data: bytes that were no holes; ``again``: how often the source was asked to go on.
    :param compared: bytes that were read back.
    """

    total: int = 0
    begun: int = 0
    done: int = 0
    data: int = 0
    again: int = 0
    compared: int = 0
    state: str = "waiting"


@dataclass(frozen=True)
class Copied:
    """What became of a disk.

    :param resumed: bytes that an earlier run had brought; ``data``: bytes that were no holes, ``zero``: the others.
    :param digest: of size and blocks; ``sha256`` of all bytes, where it was asked for and no break came between.
    :param sink: the sink, finished, for what it knows (ids).
    """

    size: int
    resumed: int
    data: int
    zero: int
    digest: str
    sha256: str
    seconds: float
    restarts: int
    read_back: bool
    sink: Any = None

    @property
    def rate(self) -> float:
        """Bytes of the disk per second."""
        return (self.size - self.resumed) / max(self.seconds, 0.001)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        keys = ("size", "resumed", "data", "zero", "digest", "sha256", "restarts", "read_back")
        values = {key: getattr(self, key) for key in keys}
        return {**values, "seconds": round(self.seconds, 3), "rate": round(self.rate)}


def copy(
    job: Job,
    progress: Progress,
    stop: threading.Event,
    *,
    backoff: Backoff = _PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Copied:
    """Copies one disk, or goes on where an earlier run ended.

    :raises Stopped: the whole run ends; what is flushed stays where that can be gone on with.
    :raises MismatchError: what was read back differs; the next run begins at the first block that does.
    :raises LandscapeError: source or sink failed.
    """
    began = clock()
    source = job.source()
    sink = _opened(job, source, progress, stop, backoff)
    journal: Journal | None = None
    try:
        journal = Journal(job.map_path, _head(job, source.size), keep=sink.resumable)
        _move(job, source, sink, journal, progress, stop, backoff)
    except LandscapeError as error:
        progress.state = "stopped" if isinstance(error, Stopped) else "failed"
        _give_up(source, sink, journal)
        raise
    finally:
        if journal is not None:
            journal.close()
    progress.state = "done"
    return Copied(
        size=source.size,
        resumed=progress.begun,
        data=progress.data,
        zero=source.size - progress.begun - progress.data,
        digest=journal.map.root,
        sha256=journal.map.whole,
        seconds=clock() - began,
        restarts=progress.again,
        read_back=job.read_back,
        sink=sink,
    )


def _opened(job: Job, source: Source, progress: Progress, stop: threading.Event, backoff: Backoff) -> Sink:
    """The sink; one that wants to know where there is data is told."""
    try:
        if not job.sparse:
            return job.sink()
        progress.state = "looking for zeroes"
        return job.sink(extents_of(source, job.broken, progress, stop, backoff))
    except LandscapeError as error:
        progress.state = "stopped" if isinstance(error, Stopped) else "failed"
        raise


def _give_up(source: Source, sink: Sink, journal: Journal | None) -> None:
    """Leaves what the next run can go on with, and nothing else."""
    if not (sink.resumable and source.restartable):
        if journal is not None:
            journal.remove()
        sink.abort()
    elif hasattr(sink, "leave"):
        with contextlib.suppress(LandscapeError):  # the first error is the one that counts
            sink.leave()


def _head(job: Job, size: int) -> Head:
    return Head(job.subject if isinstance(job.subject, str) else job.subject(), size, block_for(size))


def _move(
    job: Job,
    source: Source,
    sink: Sink,
    journal: Journal,
    progress: Progress,
    stop: threading.Event,
    backoff: Backoff,
) -> None:
    begin = _begin(journal, source, sink)
    progress.total, progress.begun, progress.done, progress.state = source.size, begin, begin, "copying"
    with contextlib.closing(Ahead(source, begin, job.broken, progress, stop, backoff)) as ahead:
        _write(ahead, sink, journal, job.whole, progress)
    if job.read_back:
        progress.state = READING_BACK
        _compare(job.name, sink, journal, progress, stop)
        _tell(sink, journal)
    job.judge()
    journal.end()
    if hasattr(sink, "digest"):
        sink.digest = journal.map.root  # it writes that on what it made
    sink.finish()


def _tell(sink: Any, journal: Journal) -> None:
    """Has a sink know that what it gives back is right, and what else it may compare."""
    if hasattr(sink, "verified"):
        sink.verified = sink.reads
    if hasattr(sink, "expected"):
        sink.expected = journal.map


def _begin(journal: Journal, source: Source, sink: Sink) -> int:
    """Where to begin: behind what the map covers, if its last blocks with data are at the far end as it says."""
    blocks = journal.map
    if not len(blocks):
        return 0
    # A sink may know that it is a new one: zeroes of an empty disk look like zeroes of the old one.
    if not (source.restartable and sink.resumable) or getattr(sink, "fresh", False):
        journal.back_to(0)
        return 0
    full = [number for number in range(len(blocks)) if blocks.digest(number)][-COMPARED:]
    runs = [full] if getattr(sink, "from_start", False) and full else [[number] for number in full]
    good = [one for run in runs for one in _are_there(blocks, run, sink)]
    if False in good:
        # When not even the oldest of them is right, nothing before it can be trusted.
        journal.back_to(full[good.index(False)] if good[0] else 0)
    return blocks.covered


def _are_there(blocks: BlockMap, numbers: Sequence[int], sink: Sink) -> list[bool]:
    """Whether the far end has some blocks as the map says; read at once, with what lies between them."""
    first, last = numbers[0], numbers[-1]
    low, high = first * blocks.head.block, min((last + 1) * blocks.head.block, blocks.head.size)
    try:
        moved = (Piece(one.offset - low, one.length, one.data) for one in sink.read(low, high))
        there = map_of(Head(blocks.head.subject, high - low, blocks.head.block), moved)
    except LandscapeError:
        return [False] * len(numbers)
    return [there.complete and there.digest(number - first) == blocks.digest(number) for number in numbers]


def _write(ahead: Ahead, sink: Sink, journal: Journal, whole: bool, progress: Progress) -> None:
    """Everything that comes, to the sink; flushed and noted every few blocks, or more of them where flushing is dear."""
    hasher = Hasher(journal.map, whole=whole)
    noted, step = len(journal.map), FLUSHED if sink.resumable else 1 << 30
    dear, flushed = getattr(sink, "flush_bytes", 0) // journal.map.head.block, time.monotonic()
    try:
        for piece in ahead:
            sink.write(piece)
            hasher.feed(piece)
            progress.done = piece.end
            progress.data += 0 if piece.data is None else piece.length
            many = len(journal.map) - noted
            if many >= step and (many >= dear or time.monotonic() - flushed >= _OFTEN):
                sink.flush()
                journal.commit()
                noted, flushed = len(journal.map), time.monotonic()
    except LandscapeError:
        if sink.resumable:
            with contextlib.suppress(LandscapeError):  # the first error is the one that counts
                sink.flush()
                journal.commit()
        raise
    sink.flush()
    journal.commit()


def _compare(name: str, sink: Sink, journal: Journal, progress: Progress, stop: threading.Event) -> None:
    """Reads back what is at the far end.

    :raises MismatchError: it differs.
    """

    def passing() -> Iterator[Piece]:
        for piece in sink.read():
            look(stop)
            progress.compared = piece.end
            yield piece

    ranges = journal.map.compare(map_of(journal.map.head, passing()))
    if ranges:
        journal.back_to(ranges[0][0] // journal.map.head.block)
        journal.commit()
        raise MismatchError(name, ranges, "Look at the storage of the target; the next run begins at the first of them")
    room = getattr(sink, "room", sink.size)
    for piece in sink.read(sink.size, room) if room > sink.size else ():
        look(stop)
        if piece.data is not None and not is_zero(piece.data):
            hint = "Behind the disk there must be zeroes; remove the volume"
            raise MismatchError(name, [(piece.offset, piece.length)], hint)


def described(progress: Progress) -> str:
    """How far a job is, for people."""
    if progress.state == READING_BACK:
        return f"{format_bytes(progress.compared)} of {format_bytes(progress.total)} compared"
    return f"{format_bytes(progress.done)} of {format_bytes(progress.total)}"
