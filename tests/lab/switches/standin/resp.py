# SPDX-License-Identifier: Apache-2.0
"""A client of valkey, as small as a switch needs it: requests, replies, and the events of a database's keys."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Any

SOCKET = "/var/run/redis/redis.sock"
APPL, CONFIG, STATE = 0, 4, 6
_SECONDS = 30.0


class Refused(Exception):
    """The database answered with an error."""


class Connection:
    """One connection to one database.

    :raises OSError: the database is not there, or went away; every method may.
    """

    def __init__(self, number: int = CONFIG, path: str = SOCKET) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_SECONDS)
        self._socket.connect(path)
        self._buffer = b""
        if number:
            self.call("SELECT", str(number))

    def call(self, *words: str) -> Any:
        """The answer to one request: a text, a number, a list, or None.

        :raises Refused: the answer is an error.
        """
        return self.calls([words])[0]

    def calls(self, requests: Sequence[Sequence[str]]) -> list[Any]:
        """The answers to several requests that travel together."""
        self.send(requests)
        answers = [self._reply() for _request in requests]
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        return answers

    def send(self, requests: Sequence[Sequence[str]]) -> None:
        """Ask without waiting for answers."""
        parts = []
        for request in requests:
            parts.append(b"*%d\r\n" % len(request))
            for word in request:
                data = word.encode()
                parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self._socket.sendall(b"".join(parts))

    def ready(self, seconds: float) -> bool:
        """Whether something is there to be read within so many seconds."""
        return bool(self._buffer) or bool(select.select([self._socket], [], [], seconds)[0])

    def fileno(self) -> int:
        """For ``select``; mind :meth:`ready`, which knows what was read ahead."""
        return self._socket.fileno()

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def read(self) -> Any:
        """The next answer or message."""
        return self._reply()

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count + 2:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count + 2 :]
        return data

    def _more(self) -> None:
        part = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionResetError("the database closed the connection")
        self._buffer += part

    def _reply(self) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._take(int(rest)).decode(errors="surrogateescape")
        if kind == b"*":
            return [self._reply() for _item in range(int(rest))]
        raise ConnectionError(f"no answer of a database: {line!r}")


class Events(Connection):
    """Names of the keys of a database that change, in the order of the changes."""

    def __init__(self, number: int = CONFIG, path: str = SOCKET) -> None:
        super().__init__(0, path)
        self._prefix = f"__keyspace@{number}__:"
        self.send([("PSUBSCRIBE", f"{self._prefix}*")])
        self.read()

    def key(self) -> str:
        """The key of the next change; waits for one."""
        message = self.read()
        return str(message[2]).removeprefix(self._prefix)
