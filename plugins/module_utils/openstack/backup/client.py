# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Programs that write the bytes of a volume: started, read, ended whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import tempfile
from collections.abc import Iterator

from ...core.errors import LandscapeError
from .blocks import Piece, ring_of

#: F_SETPIPE_SZ of fcntl(2), which Python knows from 3.10 on.
_PIPE_SIZE = 1031
#: Bytes of what a program said that are told.
_WORDS = 1000


class PipeStream:
    """What a program writes; it is ended when reading is."""

    def __init__(self, name: str, argv: list[str], stall: float) -> None:
        self.name, self._stall, self._argv = name, stall, argv
        self._loop = asyncio.new_event_loop()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process: asyncio.subprocess.Process | None = None
        self._pipe, there = os.pipe()
        try:
            begin = asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=there, stderr=self._said
            )
            self._process = self._loop.run_until_complete(begin)
        except OSError as error:
            self.close()
            if isinstance(error, FileNotFoundError):
                raise LandscapeError(
                    f"{name} cannot be read: there is no program {argv[0]}", hint="Install ceph-common where this runs"
                ) from error
            raise LandscapeError(f"{name} cannot be read: {argv[0]}: {error.strerror or error}") from error
        finally:
            os.close(there)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._pipe, _PIPE_SIZE, 1024 * 1024)  # fewer switches between the two; a refusal does no harm

    def blocks(self, size: int) -> Iterator[Piece]:
        """See :class:`..blocks.Stream`.

        :raises LandscapeError: the program failed, or wrote nothing for too long.
        """
        ring, turn = ring_of(size), 0
        while True:
            many = self._read(ring[turn])
            if many:
                yield ring[turn] if many == size else bytes(ring[turn][:many])
            if many < size:
                break
            turn = (turn + 1) % len(ring)
        status = self._end(self._stall)
        if status:
            raise LandscapeError(f"{self.name} cannot be read: {self._argv[0]} ended with {status}: {self._words()}")

    def _read(self, buffer: bytearray) -> int:
        many = 0
        with memoryview(buffer) as view:
            while many < len(view):
                if not select.select([self._pipe], [], [], self._stall)[0]:
                    raise LandscapeError(
                        f"{self.name} cannot be read: {self._argv[0]} wrote nothing for {self._stall:.0f} s"
                    )
                got = os.readv(self._pipe, [view[many:]])
                if not got:
                    break
                many += got
        return many

    def _end(self, seconds: float) -> int:
        if self._process is None:
            return 0
        try:
            return self._loop.run_until_complete(asyncio.wait_for(self._process.wait(), seconds))
        except asyncio.TimeoutError:
            raise LandscapeError(f"{self.name} cannot be read: {self._argv[0]} does not end") from None

    def _words(self) -> str:
        # The last of them: Ceph's libraries log what they try before they say what is wrong.
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _WORDS))
        return " ".join(self._said.read(_WORDS).decode("utf-8", "replace").split()) or "it said nothing"

    def close(self) -> None:
        """Ends the program, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            with contextlib.suppress(LandscapeError):
                self._end(30.0)
        self._loop.run_until_complete(asyncio.sleep(0))  # lets it say that the program has ended
        os.close(self._pipe)
        self._said.close()
        self._loop.close()
