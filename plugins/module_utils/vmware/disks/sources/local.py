# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A folder on this machine: what somebody copied, an export on a share, a datastore that is mounted."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from ....core.errors import LandscapeError
from ....core.local_file import next_data, next_hole
from ....core.transfer import CHUNK, TruncatedError
from ..store import Part


class LocalStore:
    """See :class:`..store.Store`. Links and devices are not opened, whatever a descriptor names."""

    def __init__(self, folder: str) -> None:
        self.name = folder.rstrip("/") or "/"
        self._open: dict[str, tuple[int, int]] = {}

    def close(self) -> None:
        """Closes what was opened."""
        while self._open:
            os.close(self._open.popitem()[1][0])

    def __enter__(self) -> LocalStore:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def size(self, name: str) -> int:
        """See :class:`..store.Store`."""
        return self._file(name)[1]

    def state(self, name: str) -> str:
        """See :class:`..store.Store`."""
        handle, size = self._file(name)
        return f"{size} {int(os.fstat(handle).st_mtime)}"

    def read(self, name: str, offset: int, length: int) -> bytes:
        """See :class:`..store.Store`."""
        return self._read(name, self._file(name)[0], offset, length)

    def stream(self, name: str, begin: int, end: int) -> Iterator[Part]:
        """See :class:`..store.Store`; holes of the file are not read."""
        handle, _size = self._file(name)
        place = begin
        while place < end:
            data = min(next_data(handle, place, end), end)
            if data > place:
                yield data - place
                place = data
            hole = min(next_hole(handle, place, end), end) if place < end else end
            while place < hole:
                part = self._read(name, handle, place, min(CHUNK, hole - place))
                yield part
                place += len(part)

    def _file(self, name: str) -> tuple[int, int]:
        found = self._open.get(name)
        if found:
            return found
        path = os.path.join(self.name, name)
        try:
            # Never waits for a pipe, never follows a link out of the folder.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            reason = "it is a link" if error.errno == errno.ELOOP else error.strerror or str(error)
            raise LandscapeError(f"{path} cannot be read: {reason}") from error
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise LandscapeError(f"{path} is no file")
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        self._open[name] = handle, status.st_size
        return self._open[name]

    def _read(self, name: str, handle: int, offset: int, length: int) -> bytes:
        parts = []
        while length:
            try:
                part = os.pread(handle, length, offset)
            except OSError as error:
                raise LandscapeError(f"{self.name}/{name} cannot be read: {error.strerror or error}") from error
            if not part:
                raise TruncatedError(f"{self.name}/{name} ends at byte {offset}")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
