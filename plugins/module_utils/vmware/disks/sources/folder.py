# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files of a datastore over HTTPS (``/folder``), in parts where the endpoint can give them.

An endpoint that ignores what part was asked for sends the file from its start; then what lies in front is passed over, and
never taken for what was wanted. A file that changes while it is read ends the export: half of it would be of another disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from ....core.errors import InputError, LandscapeError
from ....core.transfer import CHUNK, TruncatedError
from ..store import Part
from ..web.client import Answer, Host, Web

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PATH = re.compile(r"\[([^\]]+)\] (?:(.*)/)?([^/]+)")


@dataclass(frozen=True)
class DatastorePath:
    """``[datastore] folder/file``; the folder may be empty."""

    datastore: str
    folder: str
    file: str


def datastore_path(text: str) -> DatastorePath:
    """The parts of a path as vSphere writes it.

    :raises InputError: it is none, or leads elsewhere.
    """
    found = _PATH.fullmatch(text)
    if not found:
        raise InputError(f"{text!r} is no path in a datastore", hint="It looks like [datastore1] web/web.vmdk")
    datastore, folder, file = found[1], found[2] or "", found[3]
    parts = folder.split("/") if folder else []
    if any(part in ("", ".", "..") for part in parts) or file in (".", "..") or "\0" in text:
        raise InputError(f"{text!r} leads out of its datastore")
    return DatastorePath(datastore, folder, file)


@dataclass
class _File:
    """What is known of a file; another state of it later is another file."""

    size: int
    changed: int


class FolderStore:
    """See :class:`..store.Store`.

    :param datacenter: path of the datacenter, ``ha-datacenter`` on an ESXi host.
    :ivar stripped: how often the endpoint ignored what part was asked for.
    """

    def __init__(self, host: Host, datastore: str, folder: str, datacenter: str = "ha-datacenter") -> None:
        self.name = f"[{datastore}] {folder}".rstrip()
        self.stripped = 0
        self._host, self._folder = host, folder
        self._query = f"dcPath={quote(datacenter, safe='')}&dsName={quote(datastore, safe='')}"
        self._web = Web(host)
        self._files: dict[str, _File] = {}

    def close(self) -> None:
        """Ends the connection."""
        self._web.close()

    def __enter__(self) -> FolderStore:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def state(self, name: str) -> str:
        """See :class:`..store.Store`."""
        self.size(name)
        return f"{self._files[name].size} {self._files[name].changed}"

    def size(self, name: str) -> int:
        """See :class:`..store.Store`."""
        if name not in self._files:
            with self._web.ask("HEAD", self._path(name), self._what(name)) as answer:
                if answer.status not in (200, 405, 501):
                    raise answer.refusal()
                length = answer.length if answer.status == 200 else None
                changed = _changed(answer)
            if length is None:
                length = self._probed(name)
            self._files[name] = _File(length, changed)
        return self._files[name].size

    def _probed(self, name: str) -> int:
        """The size, from an endpoint that tells it only with a part."""
        with self._web.ask("GET", self._path(name), self._what(name), {"Range": "bytes=0-0"}) as answer:
            found = _RANGE.fullmatch(answer.header("Content-Range"))
            if answer.status not in (200, 206):
                raise answer.refusal()
            if not found or not found[3].isdigit():
                raise LandscapeError(f"{self._what(name)}: {self._host.name} does not say how long it is")
            answer.drain()
            return int(found[3])

    def read(self, name: str, offset: int, length: int) -> bytes:
        """See :class:`..store.Store`."""
        if not length:
            return b""
        data = b"".join(self._got(self._web, name, offset, offset + length))
        if len(data) != length:
            raise TruncatedError(f"{self._what(name)} ends at byte {offset + len(data)}")
        return data

    def stream(self, name: str, begin: int, end: int) -> Iterator[Part]:
        """See :class:`..store.Store`."""
        web = Web(self._host)  # of its own: it may be given up in the middle
        try:
            place = begin
            for chunk in self._got(web, name, begin, end) if begin < end else ():
                place += len(chunk)
                yield chunk
            if place != end:
                raise TruncatedError(f"{self._what(name)} ends at byte {place}, and {end} were announced")
        finally:
            web.close()

    def _got(self, web: Web, name: str, begin: int, end: int) -> Iterator[bytes]:
        """The bytes of a part, whatever the endpoint makes of it."""
        size = self.size(name)
        whole = begin == 0 and end == size
        headers = {} if whole else {"Range": f"bytes={begin}-{end - 1}"}
        with web.ask("GET", self._path(name), self._what(name), headers) as answer:
            skip, left = self._skipped(answer, name, begin, end), end - begin
            for chunk in answer.chunks():
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                wanted = chunk[skip : skip + left] if skip or len(chunk) > left else chunk
                skip, left = 0, left - len(wanted)
                yield wanted
                if not left and answer.length != end - begin:
                    return  # What follows was not asked for.

    def _skipped(self, answer: Answer, name: str, begin: int, end: int) -> int:
        """Bytes in front of what was asked for.

        :raises LandscapeError: the answer is of another file, or none.
        """
        known = self._files[name]
        if answer.status == 206:
            found = _RANGE.fullmatch(answer.header("Content-Range"))
            if not found or int(found[1]) != begin or int(found[2]) != end - 1:
                raise LandscapeError(f"{self._what(name)}: other bytes came than those from {begin} to {end - 1}")
            size, skip = (known.size if found[3] == "*" else int(found[3])), 0
        elif answer.status == 200:
            size = known.size if answer.length is None else answer.length
            skip = begin
            self.stripped += begin > 0 or end < known.size
            if begin and begin > 64 * CHUNK and end - begin <= CHUNK:
                raise LandscapeError(
                    f"{self._what(name)}: {self._host.name} sends whole files only, and this disk is read in small parts",
                    hint="Take the transport nfc or ssh",
                )
        else:
            raise answer.refusal()
        if size != known.size or _changed(answer) != known.changed:
            raise LandscapeError(
                f"{self._what(name)} was changed while it was read",
                hint="The machine must be off, and nobody else may work on its disks; run it again",
            )
        return skip

    def _path(self, name: str) -> str:
        path = f"{self._folder}/{name}" if self._folder else name
        return f"/folder/{quote(path)}?{self._query}"

    def _what(self, name: str) -> str:
        return f"{self.name}/{name}"


def _changed(answer: Answer) -> int:
    """Seconds since 1970 of the last change; 0 when the endpoint does not tell."""
    try:
        return int(parsedate_to_datetime(answer.header("Last-Modified")).timestamp())
    except (TypeError, ValueError, IndexError):
        return 0
