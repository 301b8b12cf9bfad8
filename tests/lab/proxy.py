# SPDX-License-Identifier: Apache-2.0
"""A loopback proxy that spoils what it is told to: for any HTTP endpoint, by rule, the same way for the same seed.

``with FaultProxy("http://127.0.0.1:9292", [Rule(503, method="GET", percent=5)], seed=7) as proxy: ...`` answers at
``proxy.url``. Rules are tried in order; the first that is due acts. What the server saw stands in ``proxy.requests``.
Each request has a connection of its own.

========== ====================================================================================================
delay      wait ``seconds``, then go on
cut        close the connection instead of answering; ``late``: after the server did what it was asked
400..599   answer so, the server is not asked (``late``: is asked, and its answer thrown away); 413, 429 and 503
           carry ``Retry-After``
truncate   announce the whole body and close after ``at`` bytes (half of it when left out)
end        send ``at`` bytes (half of them) in chunks, with a well-formed end: nothing looks broken
strip      ask for the whole where a Range was asked for: 200 instead of 206
flip       change one bit of the byte ``at`` of the answer's body (``upload``: of the request's)
count      do nothing
========== ====================================================================================================
"""

from __future__ import annotations

import http.client
import itertools
import math
import random
import re
import ssl
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from . import kernel
from .spoiling import Rule, Seen, Server

__all__ = ["FaultProxy", "Rule", "Seen", "one_in_twenty"]


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


class FaultProxy:
    """A proxy in front of one endpoint, for the time of a ``with``.

    :param target: scheme, host and port of the endpoint; what stands behind them is left out.
    :param namespace: the network namespace in which it listens and from which it asks; this one when left out.
    :param port: where it listens; any free one when left out.
    :param ca: the CA of an endpoint with TLS; without one no certificate of it is looked at.
    :param certificate: file with a certificate and its key, for TLS towards the client.
    :param rate: bytes a second that pass in one connection, each way; 0 for no limit.
    """

    def __init__(
        self,
        target: str,
        rules: Iterable[Rule] = (),
        seed: int = 0,
        namespace: str = "",
        port: int = 0,
        *,
        ca: str | Path = "",
        certificate: str | Path | None = None,
        rate: float = 0.0,
    ) -> None:
        parts = urlsplit(target)
        self.context = _towards(ca) if parts.scheme == "https" else None
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or (443 if self.context else 80)
        self.certificate, self.rate = certificate, rate
        self.rules, self.namespace = list(rules), namespace
        self.requests: list[Seen] = []
        self.lock = threading.Lock()
        self._draws = [random.Random(f"{seed} {number}") for number in range(len(self.rules))]
        self._listen = port
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        assert self._server is not None, "use it in a `with`"
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        ready = threading.Event()
        failed: list[BaseException] = []

        def serve() -> None:
            try:
                self.enter()
                self._server = Server(self, self._listen)
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

    def most(self, method: str = ".*", path: str = "") -> int:
        """How many requests that match were under way at once, at most."""
        with self.lock:
            found = [s for s in self.requests if re.fullmatch(method, s.method) and re.search(path, s.path)]
        steps = sorted(step for s in found for step in ((s.at, 1), (s.until or math.inf, -1)))
        return max(itertools.accumulate(change for _at, change in steps), default=0)

    def upstream(self, seconds: float) -> http.client.HTTPConnection:
        """A connection to the endpoint, not open yet."""
        if self.context is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        return http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=self.context)


def _towards(ca: str | Path) -> ssl.SSLContext:
    if ca:
        return ssl.create_default_context(cafile=str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
