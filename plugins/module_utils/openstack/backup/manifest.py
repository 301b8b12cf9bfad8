# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Lists of block digests as files.

A list is a file of JSON lines: a head (format, volume, size, block size, project), then for each block its SHA-256 or, for blocks
of zeroes, how many follow each other, then an end with the digest of all lines before it. That digest names the file and
is written into the metadata of the backup, so a list can neither be swapped nor changed without being noticed. Lists are
read and written as streams: memory does not depend on the size of a volume.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Callable

from ...core.errors import InputError, LandscapeError

FORMAT = "scs-landscape-blocks"
VERSION = 1
#: Bytes of a block: small enough to say where a difference is, large enough for a list of 70 bytes a block.
BLOCK = 4 * 1024 * 1024
#: Block sizes that are read and written, in bytes; powers of two, so that every volume is whole blocks.
SMALLEST, LARGEST = 4096, 64 * 1024 * 1024

_SUFFIX = ".blocks"
_ROOT = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: Seconds after which a file that was never finished counts as left by a killed run.
_STALE = 24 * 3600.0
_LINE = 4096
_HINT = "Without it nothing can be compared: put the right file there, or take a full backup with digests"


class ManifestError(LandscapeError):
    """The list of digests cannot be used: nothing was compared, so nothing is proven.

    :param kind: ``missing``, ``damaged``, ``other`` (of another backup) or ``size`` (of another size).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message, hint=_HINT)
        self.kind = kind


@dataclass(frozen=True)
class Head:
    """Of which bytes a list is.

    :param volume: id of the volume they were read from.
    :param size: bytes.
    :param block: bytes of a block.
    :param project: id of the project whose backup names the list; empty in a list that says nothing of it.
    """

    volume: str
    size: int
    block: int = BLOCK
    project: str = ""

    @property
    def count(self) -> int:
        """Number of blocks."""
        return -(-self.size // self.block)

    def line(self) -> bytes:
        """First line of the list."""
        said = {key: value for key, value in asdict(self).items() if value != ""}
        return _line({"format": FORMAT, "version": VERSION, **said})


@dataclass(frozen=True)
class BlockMap:
    """A list that was written, or was read and found to be whole.

    :param root: its digest, ``sha256:...``; what ``model.DIGEST`` of a backup holds.
    :param zero: number of blocks that hold nothing but zeroes.
    """

    path: str
    head: Head
    root: str
    zero: int = 0

    def digests(self) -> Iterator[int | bytes]:
        """For each block its digest, or the number of blocks of zeroes that follow each other."""
        try:
            with open(self.path, "rb") as stream:
                for number, line in enumerate(stream, 1):
                    entry = None if number == 1 else _entry(line, number)
                    if isinstance(entry, (int, str)):
                        yield entry if isinstance(entry, int) else bytes.fromhex(entry)
        except (OSError, _Damage) as error:
            text = f"The list of digests was changed or removed while it was used: {self.path}: {error}"
            raise ManifestError("damaged", text) from error


def name_of(root: str) -> str:
    """Name of the file of a list.

    :raises InputError: that is no digest.
    """
    if not _ROOT.fullmatch(root):
        raise InputError(f"{root!r} is no digest of a list of blocks", hint="It looks like sha256:... with 64 digits")
    return root.replace(":", "-") + _SUFFIX


def load(folder: str, root: str, volume: str, size: int, subject: str) -> BlockMap:
    """The list that belongs to a backup, read once as a whole and found to be right.

    :param root: what the metadata of the backup says.
    :param size: bytes of the volume when it was backed up.
    :param subject: the backup, for messages.
    :raises ManifestError: it is missing, damaged, of another backup or of another size.
    """
    path = os.path.join(folder, name_of(root))
    head, found, zero = _read(path, subject)
    if found != root or head.volume != volume:
        whose = f"volume {head.volume}" if head.volume != volume else f"the digest {found}"
        raise ManifestError("other", f"{subject}: the list of digests {path} is that of another backup, of {whose}")
    if head.size != size:
        said = f"{head.size} bytes, and the backup has {size}"
        raise ManifestError("size", f"{subject}: the list of digests {path} is of another size: {said}")
    return BlockMap(path, head, root, zero)


def peek(path: str) -> Head | None:
    """Of which bytes a list is, by its first line alone; nothing when that is not the one of a list.

    :raises OSError: it cannot be read.
    """
    with open(path, "rb") as stream:
        try:
            return _head(stream.readline(_LINE))
        except _Damage:
            return None


class Writer:
    """Writes a list line by line; runs of zeroes are one line.

    :ivar zero: number of blocks of zeroes so far.
    """

    def __init__(self, file: BinaryIO, head: Head) -> None:
        self._file, self._head, self._sum = file, head, hashlib.sha256()
        self._run = self.zero = self._count = 0
        self._put(head.line())

    def _put(self, line: bytes) -> None:
        self._sum.update(line)
        self._write(line)

    def _write(self, line: bytes) -> None:
        try:
            self._file.write(line)
        except OSError as error:
            raise _unwritten(self._file.name, error) from error

    def add(self, count: int, digest: bytes) -> None:
        """The next block, or so many blocks of zeroes."""
        self._count += count
        if not digest:
            self._run += count
            self.zero += count
            return
        self._flush()
        self._put(_line(digest.hex()))

    def _flush(self) -> None:
        if self._run:
            self._put(_line(self._run))
            self._run = 0

    def end(self) -> str:
        """Writes the last line; the digest."""
        self._flush()
        root = f"sha256:{self._sum.hexdigest()}"
        self._write(_line({"blocks": self._count, "root": root}))
        return root


@contextlib.contextmanager
def new(folder: str, head: Head) -> Iterator[tuple[Writer, Callable[[str], str]]]:
    """A list in the making, and what gives it its name when it is whole; without that nothing of it is left.

    :raises LandscapeError: the folder cannot be written.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _clear(folder)
        handle, path = tempfile.mkstemp(".part", "pending-", folder)
    except OSError as error:
        raise LandscapeError(f"{folder} cannot hold lists of digests: {error.strerror or error}") from error
    try:
        file = os.fdopen(handle, "wb")
        try:
            yield Writer(file, head), lambda root: _finish(file, path, os.path.join(folder, name_of(root)))
        finally:
            with contextlib.suppress(OSError):  # what is left in memory of a list that does not fit
                file.close()
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _finish(file: BinaryIO, path: str, target: str) -> str:
    try:
        file.flush()
        os.fsync(file.fileno())
        os.replace(path, target)
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unwritten(target, error) from error
    return target


def _unwritten(path: object, error: OSError) -> LandscapeError:
    return LandscapeError(f"The list of digests {path} cannot be written: {error.strerror or error}")


def _clear(folder: str) -> None:
    """Removes what killed runs never finished."""
    for entry in list(os.scandir(folder)):
        if entry.name.startswith("pending-") and entry.name.endswith(".part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > _STALE:
                    os.unlink(entry.path)


class _Damage(Exception):
    """A line that is not what it has to be."""


def _read(path: str, subject: str) -> tuple[Head, str, int]:
    """Head, digest and number of blocks of zeroes of a list that is whole.

    :raises ManifestError: it is not.
    """
    try:
        with open(path, "rb") as stream:
            return _walk(stream)
    except FileNotFoundError:
        raise ManifestError("missing", f"{subject}: its list of digests {path} is missing") from None
    except OSError as error:
        said = error.strerror or error
        raise ManifestError("missing", f"{subject}: its list of digests {path} cannot be read: {said}") from error
    except _Damage as error:
        raise ManifestError("damaged", f"{subject}: its list of digests {path} is damaged: {error}") from None


def _walk(stream: BinaryIO) -> tuple[Head, str, int]:
    first = stream.readline(_LINE)
    head, total = _head(first), hashlib.sha256(first)
    count = zero = 0
    for number, line in enumerate(iter(lambda: stream.readline(_LINE), b""), 2):
        entry = _entry(line, number)
        if isinstance(entry, dict):
            root = f"sha256:{total.hexdigest()}"
            if entry.get("root") != root or entry.get("blocks") != count or count != head.count or stream.read(1):
                raise _Damage("what it says is not what its last line was written for")
            return head, root, zero
        many = entry if isinstance(entry, int) else 1
        zero += many if isinstance(entry, int) else 0
        count += many
        total.update(line)
    raise _Damage(f"it ends after {count} of {head.count} blocks")


def _head(line: bytes) -> Head:
    entry = _parsed(line, 1)
    if not isinstance(entry, dict) or entry.get("format") != FORMAT:
        raise _Damage(f"line 1 does not say that this is {FORMAT}")
    if entry.get("version") != VERSION:
        raise _Damage(f"it has version {entry.get('version')!r}, and {VERSION} is understood")
    volume, size, block, project = (entry.get(key) for key in ("volume", "size", "block", "project"))
    if not isinstance(volume, str) or not isinstance(size, int) or not isinstance(block, int):
        raise _Damage("line 1 has no volume, size and size of a block")
    if size <= 0 or not is_block(block):
        raise _Damage(f"line 1 says {size} bytes in blocks of {block}")
    return Head(volume, size, block, project if isinstance(project, str) else "")


def is_block(size: Any) -> bool:
    """Whether this is a size of blocks: a power of two within the bounds."""
    return isinstance(size, int) and SMALLEST <= size <= LARGEST and size & (size - 1) == 0


def _entry(line: bytes, number: int) -> Any:
    """A number of blocks of zeroes, a digest, or the end."""
    entry = _parsed(line, number)
    zeroes = isinstance(entry, int) and not isinstance(entry, bool) and entry > 0
    if zeroes or isinstance(entry, dict) or (isinstance(entry, str) and _DIGEST.fullmatch(entry)):
        return entry
    raise _Damage(f"line {number} is neither a digest nor a number of blocks")


def _parsed(line: bytes, number: int) -> Any:
    try:
        if not line.endswith(b"\n"):
            raise ValueError
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _Damage(f"line {number} is cut off or no JSON") from None


def _line(entry: Any) -> bytes:
    return json.dumps(entry, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"
