# SPDX-License-Identifier: Apache-2.0
"""Access logs: every request that an API answered."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

_READING = ("GET", "HEAD", "OPTIONS")
_PROBE = "lab-probe"


@dataclass(frozen=True)
class Request:
    """One request.

    :param at: when it came, in seconds since the epoch.
    :param path: without query.
    :param seconds: how long it took.
    :param bytes: size of the answer's body.
    :param received: size of the request's body; 0 for one sent in chunks.
    """

    at: float
    method: str
    path: str
    query: str
    status: int
    bytes: int
    received: int
    seconds: float
    request_id: str
    agent: str

    @property
    def writes(self) -> bool:
        """Whether it was meant to change something; a login is not."""
        token = self.method == "POST" and self.path.endswith("/auth/tokens")
        return self.method not in _READING and not token


def of(folder: Path, service: str) -> list[Request]:
    """The requests of a service, whose logs are in a folder."""
    path = folder / f"{service}.access"
    if path.exists():
        return read(settled(path))
    return read_eventlet(settled(folder / f"{service}.log"))


def settled(path: Path) -> Path:
    """The same path, once nothing was written for a moment: a line comes after the answer that it tells of."""
    end = time.monotonic() + 2.0
    while path.exists() and time.time() - path.stat().st_mtime < 0.1 and time.monotonic() < end:
        time.sleep(0.02)
    return path


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def read(path: Path) -> list[Request]:
    """The requests of an API, in the order in which they ended; the lab's own looks are left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        fields = line.split("\t")
        if len(fields) != 9 or fields[8] == _PROBE:
            continue
        at, method, uri, status, size, received, micros, request, agent = fields
        parts = urlsplit(uri)
        found.append(
            Request(
                at=_number(at) / 1000,
                method=method,
                path=parts.path,
                query=parts.query,
                status=_number(status),
                bytes=_number(size),
                received=_number(received),
                seconds=_number(micros) / 1e6,
                request_id=request,
                agent=agent,
            )
        )
    return found


#: A request in the log of an API that runs without uWSGI, as Debian 13's Glance does.
_EVENTLET = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \d+ INFO eventlet\.wsgi\.server \[(?P<context>[^\]]*)\] .*"
    r'"(?P<method>[A-Z]+) (?P<uri>\S+) HTTP/[0-9.]+" (?P<status>\d+) (?P<size>\d+) (?P<seconds>[0-9.]+)$'
)


def read_eventlet(path: Path) -> list[Request]:
    """The same from a service's own log. It does not tell what was received, nor by which program; times are UTC's.

    A request is logged when it ended: the time is the log's less what the request took.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for match in filter(None, map(_EVENTLET.match, lines)):
        parts = urlsplit(match["uri"])
        if (match["method"], parts.path) == ("GET", "/"):
            continue  # the lab's own looks
        ended = datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=timezone.utc).timestamp()
        request = next((word for word in match["context"].split() if word.startswith("req-")), "")
        found.append(
            Request(
                at=ended - float(match["seconds"]),
                method=match["method"],
                path=parts.path,
                query=parts.query,
                status=_number(match["status"]),
                bytes=_number(match["size"]),
                received=0,
                seconds=float(match["seconds"]),
                request_id=request,
                agent="",
            )
        )
    return found
