# SPDX-License-Identifier: Apache-2.0
"""What a switch's database is told: valkey's own MONITOR, which sees every command of every client."""

from __future__ import annotations

import re
import subprocess
import threading
import uuid
from types import TracebackType
from typing import Any

_SECONDS = 30.0
#: Commands that change a database. Whatever is not known to read counts as a change.
_READS = frozenset(
    "auth client command config dbsize echo exists get getrange hello hexists hget hgetall hkeys hlen hmget hscan hstrlen "
    "hvals info keys lastsave lindex llen lrange mget monitor object ping psubscribe pttl publish punsubscribe quit "
    "randomkey scan scard select sismember smembers sscan strlen subscribe time ttl type unsubscribe unwatch watch "
    "xinfo xlen xrange xread zcard zrange zscore multi exec discard".split()
)
_LINE = re.compile(r'^[0-9.]+ \[(?P<database>\d+) (?P<client>[^\]]*)\] "(?P<verb>[^"]*)"(?P<rest>.*)$')


class Monitor:
    """Commands seen between entering and leaving."""

    def __init__(self, machine: Any, socket: str) -> None:
        self._machine, self._socket = machine, socket
        self._process: subprocess.Popen[str] | None = None
        self._began, self._ended = threading.Event(), threading.Event()
        self._end = uuid.uuid4().hex
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
        entering = self._machine._entering({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        command = [*entering, "valkey-cli", "-s", self._socket, "MONITOR"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()
        if not self._began.wait(_SECONDS):
            self._process.kill()
            raise TimeoutError(f"valkey of {self._machine.name} does not let itself be watched")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        try:
            self._machine.run(["valkey-cli", "-s", self._socket, "ECHO", self._end], check=False)
            self._ended.wait(_SECONDS)  # whatever was said before has been read by then
        finally:
            self._process.kill()
            self._process.wait(_SECONDS)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        try:
            for line in self._process.stdout:
                if line.strip() == "OK":
                    self._began.set()
                elif self._end in line:
                    self._ended.set()
                else:
                    self.lines.append(line.rstrip("\n"))
        except ValueError:
            pass  # closed behind our back, at the very end
