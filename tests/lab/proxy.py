# SPDX-License-Identifier: Apache-2.0
"""A loopback proxy that spoils what it is told to: for any HTTP endpoint, by rule, the same way for the same seed.

``with FaultProxy("http://127.0.0.1:9292", [Rule(503, method="GET", percent=5)], seed=7) as proxy: ...`` answers at
``proxy.url``. Rules are tried in order; the first that is due acts. What the server saw stands in ``proxy.requests``.

========== ====================================================================================================
delay      wait ``seconds``, then go on
cut        close the connection instead of answering; ``late``: after the server did what it was asked
400..599   answer so, the server is not asked (``late``: is asked, and its answer thrown away); 413, 429 and 503
           carry ``Retry-After``
truncate   announce the whole body and close after ``at`` bytes (half of it when left out)
flip       change one bit of the byte ``at`` of the answer's body (``upload``: of the request's)
count      do nothing
========== ====================================================================================================
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import random
import re
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from urllib.parse import urlsplit

from . import kernel

_PIECE = 1 << 16
_SECONDS = 900.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection", "te"})


@dataclass
class Rule:
    """What happens to which requests.

    :param act: delay, cut, truncate, flip, count, or a status.
    :param method: regular expression, matched whole.
    :param path: regular expression, searched for in path and query.
    :param every: the n-th, 2n-th, ... matching request.
    :param percent: so many of a hundred matching requests, drawn by the proxy's seed.
    :param skip: so many matching requests pass first.
    :param times: it acts so often at most.
    """

    act: str | int
    method: str = ".*"
    path: str = ""
    every: int = 1
    percent: float = 100.0
    skip: int = 0
    times: int | None = None
    seconds: float = 1.0
    at: int | None = None
    late: bool = False
    upload: bool = False
    retry_after: int = 1
    #: How many requests matched, and on how many of them it acted.
    matched: int = field(default=0, init=False)
    acted: int = field(default=0, init=False)

    def due(self, method: str, path: str, draw: random.Random) -> bool:
        """Whether it acts on this request; counts it."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        self.matched += 1
        lot = draw.uniform(0, 100)
        number = self.matched - self.skip
        if number <= 0 or number % self.every or lot >= self.percent:
            return False
        if self.times is not None and self.acted >= self.times:
            return False
        self.acted += 1
        return True


def one_in_twenty(seed: int) -> list[Rule]:
    """Faults of every kind for every twentieth request: which kind, and from which on, is drawn by ``seed``.

    Were each request drawn by itself, one run in some of a few dozen requests would see no fault at all.
    """
    draw = random.Random(seed)
    kinds = [
        Rule(503),
        Rule(429),
        Rule("cut"),
        Rule("cut", late=True),
        Rule(500, late=True),
        Rule("truncate", method="GET"),
    ]
    draw.shuffle(kinds)
    first, every = draw.randint(1, 20), 20 * len(kinds)
    return [replace(kind, every=every, skip=first + 20 * number - every) for number, kind in enumerate(kinds)]


@dataclass
class Seen:
    """One request that came; noted before anything happens to it.

    :param act: what happens to it; empty when nothing does.
    :param status: what the client was told; 0 when nothing was, or nothing yet.
    :param token: of Keystone, that came along.
    """

    at: float
    method: str
    path: str
    act: str
    status: int = 0
    token: str = ""


class FaultProxy:
    """A proxy in front of one endpoint, for the time of a ``with``.

    :param target: scheme, host and port of the endpoint.
    :param namespace: the network namespace in which it listens and from which it asks; this one when left out.
    :param port: where it listens; any free one when left out.
    """

    def __init__(
        self, target: str, rules: Iterable[Rule] = (), seed: int = 0, namespace: str = "", port: int = 0
    ) -> None:
        parts = urlsplit(target)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.rules, self.namespace = list(rules), namespace
        self.requests: list[Seen] = []
        self.lock = threading.Lock()
        self._draws = [random.Random(f"{seed} {number}") for number in range(len(self.rules))]
        self._listen = port
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        assert self._server is not None, "use it in a `with`"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        ready = threading.Event()
        failed: list[BaseException] = []

        def serve() -> None:
            try:
                self.enter()
                self._server = _Server(self, self._listen)
            except BaseException as error:  # handed to whoever waits
                failed.append(error)
                return
            finally:
                ready.set()
            self._server.serve_forever(0.05)

        threading.Thread(target=serve, daemon=True).start()
        ready.wait()
        if failed:
            raise failed[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def enter(self) -> None:
        """Move the calling thread to where the endpoint is."""
        if self.namespace:
            kernel.enter_network(self.namespace)

    def choose(self, method: str, path: str) -> Rule | None:
        """The rule that acts on a request."""
        with self.lock:
            for rule, draw in zip(self.rules, self._draws):
                if rule.due(method, path, draw):
                    return rule
        return None

    def note(self, seen: Seen) -> None:
        """Remember a request."""
        with self.lock:
            self.requests.append(seen)

    def count(self, method: str = ".*", path: str = "") -> int:
        """How many requests came that match."""
        with self.lock:
            return sum(bool(re.fullmatch(method, s.method) and re.search(path, s.path)) for s in self.requests)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Request(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def _any(self) -> None:
        proxy = self.server.proxy
        proxy.enter()
        self.close_connection = True
        rule = proxy.choose(self.command, self.path)
        self.seen = Seen(time.time(), self.command, self.path, str(rule.act) if rule else "")
        self.seen.token = self.headers.get("X-Auth-Token", "")
        proxy.note(self.seen)
        self._act(rule)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any  # noqa: N815 - http.server's names

    def _act(self, rule: Rule | None) -> None:
        act = rule.act if rule else ""
        if rule and act == "delay":
            time.sleep(rule.seconds)
        early = rule is not None and not rule.late
        if act == "cut" and early:
            self._drop()
        elif rule and isinstance(act, int) and early:
            self._refuse(rule)
        else:
            self._forward(rule)

    def _drop(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)

    def _refuse(self, rule: Rule) -> None:
        code = int(rule.act)
        for _part in () if rule.late else self._body():
            pass  # a client that still sends would see a broken pipe instead of the answer
        text = json.dumps({"error": {"code": code, "message": "planted by the lab"}}).encode()
        self._begin(code, [("Content-Type", "application/json")], len(text))
        if code in (413, 429, 503):
            self.send_header("Retry-After", str(rule.retry_after))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _begin(self, code: int, headers: list[tuple[str, str]], length: int | None) -> None:
        self.seen.status = code
        self.send_response_only(code)
        for key, value in headers:
            if key.lower() not in _HOP:
                self.send_header(key, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")

    def _body(self) -> Iterator[bytes]:
        """The request's body in pieces."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            part = self.rfile.read(min(left, _PIECE))
            if not part:
                return
            left -= len(part)
            yield part

    def _forward(self, rule: Rule | None) -> None:
        proxy = self.server.proxy
        upstream = http.client.HTTPConnection(proxy.host, proxy.port, timeout=_SECONDS)
        try:
            self._ask(upstream, rule)
            answer = upstream.getresponse()
            if rule and rule.act == "cut":
                answer.read()
                self._drop()
            elif rule and isinstance(rule.act, int):
                answer.read()
                self._refuse(rule)
            else:
                self._pass_on(answer, rule)
        finally:
            upstream.close()

    def _ask(self, upstream: http.client.HTTPConnection, rule: Rule | None) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():
            if key.lower() not in _HOP - {"content-length"}:
                upstream.putheader(key, value)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        length = int(self.headers.get("Content-Length") or 0)
        flips = rule is not None and rule.act == "flip" and rule.upload
        parts = _flipped(self._body(), _place(rule, length)) if rule and flips else self._body()
        for part in parts:
            upstream.send(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            upstream.send(b"0\r\n\r\n")

    def _pass_on(self, answer: http.client.HTTPResponse, rule: Rule | None) -> None:
        known = answer.getheader("Content-Length")
        length = int(known) if known is not None else None
        self._begin(answer.status, answer.getheaders(), length)
        self.end_headers()
        parts: Iterator[bytes] = iter(lambda: answer.read(_PIECE), b"")
        if rule and rule.act == "flip" and not rule.upload:
            parts = _flipped(parts, _place(rule, length or 0))
        left = _place(rule, length or 0) if rule and rule.act == "truncate" else None
        for part in parts:
            self.wfile.write(part if left is None else part[:left])
            if left is not None:
                left -= len(part)
                if left <= 0:
                    self._drop()
                    return

    def log_message(self, format: str, *args: object) -> None:  # the name is http.server's
        """It has a list of its own."""


def _place(rule: Rule, length: int) -> int:
    return length // 2 if rule.at is None else rule.at


def _flipped(parts: Iterator[bytes], at: int) -> Iterator[bytes]:
    for part in parts:
        if 0 <= at < len(part):
            yield part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]
        else:
            yield part
        at -= len(part)
