# SPDX-License-Identifier: Apache-2.0
"""What a switch's database is told: valkey's own MONITOR, which sees every command of every client."""

from __future__ import annotations

import re
import threading
import uuid
from types import TracebackType

from .standin.resp import Connection

_SECONDS = 30.0
#: Commands that change nothing. Whatever is not among them counts as a change.
_READ_WORDS = (
    "auth client command config dbsize discard echo exec exists get getrange hello hexists hget hgetall hkeys hlen hmget "
    "hscan hstrlen hvals info keys lastsave lindex llen lrange mget monitor multi object ping psubscribe pttl publish "
    "punsubscribe quit randomkey scan scard select sismember smembers sscan strlen subscribe time ttl type unsubscribe "
    "unwatch watch xinfo xlen xrange xread zcard zrange zscore"
)
_READS = frozenset(_READ_WORDS.split())
_LINE = re.compile(r'^[0-9.]+ \[(?P<database>\d+) (?P<client>[^\]]*)\] "(?P<verb>[^"]*)"(?P<rest>.*)$')


class Monitor:
    """Commands seen between entering and leaving.

    :param socket: the database's, as this machine sees it.
    """

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._mark = uuid.uuid4().hex
        self._over = threading.Event()
        self.lines: list[str] = []

    @property
    def commands(self) -> list[str]:
        """All commands, as ``<database> <verb> <arguments>``."""
        found = [match for line in self.lines if (match := _LINE.match(line))]
        return [f"{one['database']} {one['verb'].upper()}{one['rest']}" for one in found]

    @property
    def writes(self) -> list[str]:
        """Those that change CONFIG_DB (database 4). The switch's own daemons write to other databases all the time."""
        return [one for one in self.commands if one.startswith("4 ") and one.split()[1].lower() not in _READS]

    def __enter__(self) -> Monitor:
        self._watching = Connection(0, self._socket)
        self._watching.call("MONITOR")
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            last = Connection(0, self._socket)
            last.call("ECHO", self._mark)
            last.close()
            self._over.wait(_SECONDS)  # whatever was said before has been read by then
        except OSError:
            pass  # the database went away meanwhile: what was seen stays seen
        finally:
            self._watching.close()

    def _read(self) -> None:
        while not self._over.is_set():
            try:
                line = str(self._watching.read())
            except TimeoutError:
                continue
            except (OSError, ValueError):
                return  # the database went away
            if self._mark in line:
                self._over.set()
            else:
                self.lines.append(line)
