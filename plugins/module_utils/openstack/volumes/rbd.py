# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images of Ceph, written and read by the program ``rbd``.

``rbd import-diff`` takes stretches of bytes and of zeroes from a pipe (doc/dev/rbd-diff.rst of Ceph: a header, then records
``w`` offset length bytes, ``z`` offset length, ``e``), so an image is written sparsely, without a device of the kernel. When the
program has ended well, the bytes are in the pool. Zeroes are discarded, so they need no room.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from ...core.errors import LandscapeError
from ...core.pipe import Feed
from ...core.transfer import Piece, pieces_of
from ..backup.client import PipeStream

_HEADER = b"rbd diff v1\n"
_BLOCK = 1024 * 1024
_HINT = "Install ceph-common where this runs"


class RbdPlace:
    """An image of Ceph.

    :param spec: pool, namespace where there is one, and image.
    :param conf: path of ``ceph.conf``, empty for the program's default.
    :param user: name of a client without ``client.``, empty for the program's default.
    :param stall: seconds without progress after which the program is given up.
    :cvar from_start: what lies before the bytes that are wanted is read as well.
    :cvar flush_bytes: bytes after which flushing is worth a new program.
    """

    from_start, flush_bytes = True, 256 << 20

    def __init__(self, spec: str, conf: str = "", user: str = "", stall: float = 120.0, program: str = "rbd") -> None:
        self.name, self._stall = spec, stall
        self._argv = [program, *(["--conf", conf] if conf else []), *(["--id", user] if user else [])]
        self._writer: Feed | None = None

    def write(self, piece: Piece) -> None:
        """Bytes, or zeroes where other bytes may be."""
        kind = b"z" if piece.data is None else b"w"
        self._send(kind + struct.pack("<QQ", piece.offset, piece.length))
        if piece.data is not None:
            self._send(piece.data)

    def _send(self, data: bytes) -> None:
        if self._writer is None:
            argv = [*self._argv, "import-diff", "--no-progress", "-", self.name]
            # It writes what it has before it ends, which shows no progress.
            self._writer = Feed(self.name, argv, self._stall, _HINT)
            self._writer.put(_HEADER)
        self._writer.put(data)

    def flush(self) -> None:
        """Ends the program: then all is in the pool. The next bytes get another one."""
        if self._writer is None:
            return
        try:
            self._writer.put(b"e")
            self._writer.end()
        finally:
            self.close()

    def read(self, begin: int, end: int) -> Iterator[Piece]:
        """What is there. The program reads from the start, so what lies before ``begin`` is read, too, and thrown away."""
        argv = [*self._argv, "export", "--no-progress", self.name, "-"]
        place = 0
        with contextlib.closing(PipeStream(self.name, argv, self._stall)) as stream:
            for block in stream.blocks(_BLOCK):
                data = bytes(block) if not isinstance(block, int) else bytes(block * _BLOCK)
                low, high = max(begin - place, 0), min(end - place, len(data))
                if low < high:
                    yield from pieces_of(data[low:high], place + low)
                place += len(data)
                if place >= end:
                    return
        raise LandscapeError(f"{self.name} ends after {place} bytes, before all were there")

    def close(self) -> None:
        """Ends the program, whatever it does; twice is fine."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
