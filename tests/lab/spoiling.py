# SPDX-License-Identifier: Apache-2.0
"""What the fault proxy does with one request: the rules, what was seen, and how answers are spoilt."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import random
import re
import socketserver
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .proxy import FaultProxy

_PIECE = 1 << 16
_SECONDS = 900.0
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection", "te"})
#: Parts in which a throttled body is sent: so many a second.
_TICKS = 20


@dataclass
class Rule:
    """What happens to which requests.

    :param act: delay, cut, truncate, end, flip, strip, count, or a status.
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


@dataclass
class Seen:
    """One request that came; noted before anything happens to it.

    :param act: what happens to it; empty when nothing does.
    :param status: what the client was told; 0 when nothing was, or nothing yet.
    :param ranged: the Range that the client asked for.
    :param sent: bytes of the answer's body that the client was sent.
    :param until: when it was over; 0 as long as it is not.
    :param token: of Keystone, that came along.
    """

    at: float
    method: str
    path: str
    act: str
    status: int = 0
    token: str = ""
    ranged: str = ""
    sent: int = 0
    until: float = 0.0


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        self.context: ssl.SSLContext | None = None
        if proxy.certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(proxy.certificate)
        super().__init__(("127.0.0.1", port), _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Request(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def setup(self) -> None:
        """Speak TLS when there is a certificate; one handshake keeps nobody else waiting."""
        context = self.server.context
        if context is not None:
            self.request.settimeout(_SECONDS)
            self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """A socket with TLS is ours to close."""
        super().finish()
        if self.server.context is not None:
            self.connection.close()

    def _any(self) -> None:
        proxy = self.server.proxy
        proxy.enter()
        self.close_connection = True
        rule = proxy.choose(self.command, self.path)
        act = str(rule.act) if rule else ""
        self.seen = Seen(time.time(), self.command, self.path, act, ranged=self.headers.get("Range") or "")
        self.seen.token = self.headers.get("X-Auth-Token", "")
        proxy.note(self.seen)
        try:
            self._act(rule)
        finally:
            self.seen.until = time.time()

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
        upstream = proxy.upstream(_SECONDS)
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
        dropped = _HOP - {"content-length"} | ({"range", "if-range"} if rule and rule.act == "strip" else set())
        for key, value in self.headers.items():
            if key.lower() not in dropped:
                upstream.putheader(key, value)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        upstream.endheaders()
        length = int(self.headers.get("Content-Length") or 0)
        flips = rule is not None and rule.act == "flip" and rule.upload
        parts = _flipped(self._body(), _place(rule, length)) if rule and flips else self._body()
        for part in self._paced(parts):
            upstream.send(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            upstream.send(b"0\r\n\r\n")

    def _pass_on(self, answer: http.client.HTTPResponse, rule: Rule | None) -> None:
        known = answer.getheader("Content-Length")
        length = int(known) if known is not None else None
        parts: Iterator[bytes] = iter(lambda: answer.read(_PIECE), b"")
        act = rule.act if rule else ""
        if rule and act in ("truncate", "end") and rule.at is None and length is None and answer.chunked:
            whole = answer.read()  # only so its middle is known
            parts, rule = iter([whole]), replace(rule, at=len(whole) // 2)
        if rule and act == "flip" and not rule.upload:
            parts = _flipped(parts, _place(rule, length or 0))
        left = _place(rule, length or 0) if rule and act in ("truncate", "end") else None
        # what came in chunks goes on in chunks: whoever reads must be able to tell an end from a break
        chunked = self.command != "HEAD" and (act == "end" or (length is None and bool(answer.chunked)))
        self._begin(answer.status, answer.getheaders(), None if chunked else length)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in self._paced(parts):
            self._send(part if left is None else part[:left], chunked)
            if left is not None:
                left -= len(part)
                if left <= 0:
                    break
        if left is not None and act == "truncate":
            self._drop()
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _send(self, part: bytes, chunked: bool) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked and part else part)
        self.seen.sent += len(part)

    def _paced(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """The same bytes, no faster than the proxy's rate."""
        rate = self.server.proxy.rate
        if not rate:
            yield from parts
            return
        size, gone, began = max(int(rate / _TICKS), 1), 0, time.monotonic()
        for part in parts:
            for at in range(0, len(part), size):
                piece = part[at : at + size]
                gone += len(piece)
                wait = began + gone / rate - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                yield piece

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
