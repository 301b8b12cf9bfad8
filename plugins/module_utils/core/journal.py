# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files of block maps: they grow with a copy and say where to go on.

A file of JSON lines for its owner alone: a head, then for each block its digest, or a number of blocks of zeroes that
follow each other, then an end with the digest of all before it. Lines are appended and flushed after the bytes that they
describe; so what a killed run leaves describes bytes that are there, and at most its last line is torn.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from .blockmap import FORMAT, VERSION, BlockMap, Head
from .errors import InputError, LandscapeError

_HEAD_LINE = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Journal:
    """A map in its file.

    :param path: of the file.
    :ivar map: what the file says, and what was added since.
    :raises LandscapeError: the file cannot be written.
    """

    def __init__(self, path: str, head: Head, *, keep: bool = True) -> None:
        """Goes on with the file of a broken run when it is of the same bytes, or begins a new one.

        :param keep: ``False`` always begins a new one.
        """
        self.path = path
        found = load(path) if keep else None
        fits = found is not None and found.head == head
        self.map = found if found is not None and fits else BlockMap(head)
        #: Whether an earlier run left something that can be used.
        self.continued = len(self.map) > 0
        self._written = 0
        self._stream: BinaryIO | None = None

    def back_to(self, count: int) -> None:
        """Forgets all but the first blocks: their bytes are not what they should be."""
        self.close()
        self.map.cut(count)
        self.continued = count > 0

    def commit(self) -> None:
        """Writes what was added; to be called after the bytes themselves were flushed."""
        stream = self._opened()
        with _told(self.path):
            stream.writelines(self.map.lines(self._written))
            self._written = len(self.map)
            _flushed(stream)

    def end(self) -> None:
        """All is there: writes the last line.

        :raises LandscapeError: blocks are missing.
        """
        if not self.map.complete:
            raise LandscapeError(f"{self.path}: {len(self.map)} of {self.map.head.count} blocks are there")
        self.commit()
        with _told(self.path):
            self._opened().write(self.map.end_line())
            _flushed(self._opened())
        self.close()

    def close(self) -> None:
        """Ends writing; the file stays."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def remove(self) -> None:
        """Ends writing and removes the file."""
        self.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _opened(self) -> BinaryIO:
        """The file, written anew: what a killed run left may be torn at its end, and is small."""
        if self._stream is None:
            with _told(self.path):
                pending = self.path + ".new"
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(pending)
                stream = open(pending, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
                stream.write(self.map.head.line())
                stream.writelines(self.map.lines())
                self._written = len(self.map)
                _flushed(stream)
                os.replace(pending, self.path)
                self._stream = stream
        return self._stream


def is_recorded(path: str, map_path: str, head: Head) -> bool:
    """Whether a file is whole, as its map says, and was not written since."""
    found = load(map_path)
    if found is None or not found.complete or found.head != head:
        return False
    try:
        file, record = os.stat(path), os.stat(map_path)
    except OSError:
        return False
    return file.st_size == head.size and file.st_mtime_ns <= record.st_mtime_ns


def load(path: str) -> BlockMap | None:
    """What a file says, as far as it is whole; nothing when there is none or it is no map.

    :raises LandscapeError: it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return _loaded(stream)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LandscapeError(f"The block map {path} cannot be read: {error.strerror or error}") from error


def _loaded(stream: BinaryIO) -> BlockMap | None:
    head = _head(stream.readline(_HEAD_LINE))
    if head is None:
        return None
    found = BlockMap(head)
    while True:
        line = stream.readline(_HEAD_LINE)
        entry = _parsed(line) if line.endswith(b"\n") else None
        left = head.count - len(found)
        if isinstance(entry, str) and left and _DIGEST.fullmatch(entry):
            found.add(bytes.fromhex(entry))
        elif isinstance(entry, int) and not isinstance(entry, bool) and 0 < entry <= left:
            found.add(b"", entry)
        else:
            if isinstance(entry, dict) and entry.get("root") == found.root:
                found.whole = str(entry.get("whole") or "")
            elif isinstance(entry, dict):
                return None  # It ends with a digest of other lines: somebody changed it.
            return found


def _head(line: bytes) -> Head | None:
    entry = _parsed(line)
    if not isinstance(entry, dict) or entry.get("format") != FORMAT or entry.get("version") != VERSION:
        return None
    subject, size, block = entry.get("subject"), entry.get("size"), entry.get("block")
    if not isinstance(subject, str) or not isinstance(size, int) or not isinstance(block, int) or size < 0:
        return None
    try:
        return Head(subject, size, block)
    except InputError:
        return None


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _flushed(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LandscapeError(f"The block map {path} cannot be written: {error.strerror or error}") from error
