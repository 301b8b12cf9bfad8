# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Programs that write or take bytes by a pipe: started without a shell, and ended whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import tempfile
import time
from collections.abc import Mapping

from .errors import LandscapeError

#: F_SETPIPE_SZ of fcntl(2), which Python knows from 3.10 on.
_PIPE_SIZE = 1031
#: Bytes of what a program said that are told.
_WORDS = 1000


class _Program:
    """A program with one end of a pipe.

    :param doing: object and what became of it, for messages: ``volume x cannot be read``.
    :param writes: whether it writes into the pipe; otherwise it reads from it.
    """

    def __init__(
        self,
        name: str,
        doing: str,
        argv: list[str],
        stall: float,
        hint: str,
        environment: Mapping[str, str] | None,
        writes: bool,
    ) -> None:
        self.name, self._doing, self._stall, self._argv = name, doing, stall, argv
        self._loop = asyncio.new_event_loop()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process: asyncio.subprocess.Process | None = None
        self._open = True
        reading, writing = os.pipe()
        self._pipe, there = (reading, writing) if writes else (writing, reading)
        ends = (asyncio.subprocess.DEVNULL, there) if writes else (there, asyncio.subprocess.DEVNULL)
        try:
            begin = asyncio.create_subprocess_exec(
                *argv, stdin=ends[0], stdout=ends[1], stderr=self._said, env=environment
            )
            self._process = self._loop.run_until_complete(begin)
        except OSError as error:
            self.close()
            if isinstance(error, FileNotFoundError):
                raise LandscapeError(f"{doing}: there is no program {argv[0]}", hint=hint or None) from error
            raise LandscapeError(f"{doing}: {argv[0]}: {error.strerror or error}") from error
        finally:
            os.close(there)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._pipe, _PIPE_SIZE, 1024 * 1024)  # fewer switches between the two; a refusal does no harm

    def status(self) -> int:
        """How the program ended, after all was read.

        :raises LandscapeError: it does not end.
        """
        return self._end(self._stall)

    def words(self) -> str:
        """The last of what it said: libraries log what they try before they say what is wrong."""
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _WORDS))
        return " ".join(self._said.read(_WORDS).decode("utf-8", "replace").split()) or "it said nothing"

    def ended(self) -> None:
        """Waits for the end.

        :raises LandscapeError: it failed.
        """
        status = self.status()
        if status:
            raise LandscapeError(f"{self._doing}: {self._argv[0]} ended with {status}: {self.words()}")

    def _end(self, seconds: float) -> int:
        if self._process is None:
            return 0
        try:
            return self._loop.run_until_complete(asyncio.wait_for(self._process.wait(), seconds))
        except asyncio.TimeoutError:
            raise LandscapeError(f"{self._doing}: {self._argv[0]} does not end") from None

    def close(self) -> None:
        """Ends the program, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            with contextlib.suppress(LandscapeError):
                self._end(30.0)
        self._loop.run_until_complete(asyncio.sleep(0))  # lets it say that the program has ended
        self._shut()
        self._said.close()
        self._loop.close()

    def _shut(self) -> None:
        """Closes our end of the pipe; twice is fine."""
        if self._open:
            self._open = False
            os.close(self._pipe)


class Pipe(_Program):
    """What a program writes; it is ended when reading is.

    :param name: of what is read, for messages.
    :param stall: seconds without a byte after which it is given up.
    :param hint: what to do when there is no such program.
    :raises LandscapeError: it cannot be started.
    """

    def __init__(
        self, name: str, argv: list[str], stall: float, hint: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(name, f"{name} cannot be read", argv, stall, hint, environment, True)

    def fill(self, buffer: bytearray) -> int:
        """Reads into memory; the number of bytes, fewer than it holds only at the end.

        :raises LandscapeError: nothing came for too long.
        """
        many = 0
        with memoryview(buffer) as view:
            while many < len(view):
                if not select.select([self._pipe], [], [], self._stall)[0]:
                    raise LandscapeError(f"{self._doing}: {self._argv[0]} wrote nothing for {self._stall:.0f} s")
                got = os.readv(self._pipe, [view[many:]])
                if not got:
                    break
                many += got
        return many

    def some(self, most: int) -> bytes:
        """The bytes that are there, at least one unless it is the end.

        :raises LandscapeError: nothing came for too long.
        """
        if not select.select([self._pipe], [], [], self._stall)[0]:
            raise LandscapeError(f"{self._doing}: {self._argv[0]} wrote nothing for {self._stall:.0f} s")
        return os.read(self._pipe, most)


class Feed(_Program):
    """What a program takes; it is ended when writing is.

    :param name: of what is written, for messages.
    :param stall: seconds in which it takes nothing after which it is given up.
    :param hint: what to do when there is no such program.
    :raises LandscapeError: it cannot be started.
    """

    def __init__(
        self, name: str, argv: list[str], stall: float, hint: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(name, f"{name} cannot be written", argv, stall, hint, environment, False)
        os.set_blocking(self._pipe, False)

    def put(self, data: bytes) -> None:
        """Hands all of it over.

        :raises LandscapeError: it takes nothing for too long, or has ended.
        """
        view, end = memoryview(data), time.monotonic() + self._stall
        while view:
            if not select.select([], [self._pipe], [], max(0.0, end - time.monotonic()))[1]:
                raise LandscapeError(f"{self._doing}: {self._argv[0]} took nothing for {self._stall:.0f} s")
            try:
                done = os.write(self._pipe, view)
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self.ended()  # says why
                raise LandscapeError(f"{self._doing}: {self._argv[0]} ended too early") from None
            view, end = view[done:], time.monotonic() + self._stall

    def end(self) -> None:
        """There is no more: waits until the program has done all of it.

        :raises LandscapeError: it failed, or does not end.
        """
        self._shut()
        self.ended()
