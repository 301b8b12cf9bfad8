# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends what waits for services that do not answer, and leaves a little time for tidying up."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import pool
from ansible_collections.scs.landscape.plugins.module_utils.core.stream import Stopped
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client, model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.answers import BrokenAnswerError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.lines.client import Lines
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.test_client import (
    Connection,
    Proxy,
    Reply,
    Time,
)


def interrupted(work: Any, under_way: threading.Semaphore, count: int) -> float:
    """Seconds from Ctrl-C until so many workers have ended, each of which waits for an answer."""
    pressed = 0.0

    def tick() -> None:
        nonlocal pressed
        for _number in range(count):
            assert under_way.acquire(timeout=60)
        pressed = time.monotonic()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.each(range(count), work, count, tick=tick, every=0.05)
    return time.monotonic() - pressed


def test_who_waits_is_let_go_and_new_connections_work() -> None:
    lines, under_way = Lines(), threading.Semaphore(0)
    pool.cut_when_interrupted(lines)
    with contextlib.ExitStack() as stack:
        ends = [socket.socketpair() for _number in range(3)]
        for one, other in ends:
            stack.enter_context(one)
            stack.enter_context(other)
            one.settimeout(300)
            lines.add(one)

        def work(number: int) -> bytes:
            under_way.release()
            return ends[number][0].recv(1)

        assert interrupted(work, under_way, 3) < 10 * max(1.0, yardstick.pace())
        one, other = socket.socketpair()
        with one, other:
            lines.add(one)
            other.sendall(b"x")
            assert one.recv(1) == b"x"


def test_a_request_that_was_cut_is_not_repeated_and_later_ones_have_little_time() -> None:
    proxy, clock, lines = Proxy(), Time(), Lines()
    cloud = client.Cloud("fake", Connection(proxy), clock=clock, sleep=clock.sleep, chance=lambda: 1.0, lines=lines)

    def broken(_path: str, _method: str, **_options: Any) -> Any:
        cloud.cut()
        raise BrokenAnswerError("cut")

    whole, proxy.request = proxy.request, broken  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        cloud.get("image", "/images/1")
    assert clock.now < 1
    proxy.request = whole  # type: ignore[method-assign]
    proxy.replies = [Reply(503) for _number in range(100)]
    with pytest.raises(model.CloudError):
        cloud.call("image", "DELETE", "/images/1")
    assert 5 < clock.now < 12
    assert {options["timeout"] for _method, _path, options in proxy.seen} == {10.0}


def test_who_pauses_is_woken() -> None:
    lines = Lines()
    began = time.monotonic()
    threading.Timer(0.1, lines.cut).start()
    lines.pause(600)
    assert time.monotonic() - began < 60
    began = time.monotonic()
    lines.pause(0.2)  # nobody wakes who tidies up
    assert time.monotonic() - began >= 0.2


class Service:
    """A service that takes every request and answers those for ``/quick`` only.

    :ivar under_way: released for each request that waits.
    """

    def __init__(self) -> None:
        self.under_way = threading.Semaphore(0)
        self._taken: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _peer = self._listener.accept()
                self._taken.append(line)
                threading.Thread(target=self._one, args=(line,), daemon=True).start()

    def _one(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            asked = line.recv(65536).split(b" ")
            if len(asked) > 1 and asked[1].endswith(b"/quick"):
                said = json.dumps({"id": 1}).encode()
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                line.sendall(head + str(len(said)).encode() + b"\r\n\r\n" + said)
            else:
                self.under_way.release()

    def close(self) -> None:
        """Ends it."""
        for one in (self._listener, *self._taken):
            one.close()


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    yield found
    found.close()


@pytest.mark.skipif(client.openstack is None, reason="this leg has no openstacksdk")
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_real_client_lets_go_of_a_service_that_never_answers(service: Service) -> None:
    there = {"auth_type": "none", "auth": {"endpoint": service.address}}
    cloud = client.connect({"cloud": {**there, "image_endpoint_override": f"{service.address}/v2", "api_timeout": 300}})
    assert cloud.get("image", "/quick") == {"id": 1}
    failed: list[str] = []

    def work(number: int) -> None:
        try:
            cloud.get("image", f"/images/{number}")
        except Stopped as error:
            failed.append(str(error))

    assert interrupted(work, service.under_way, 4) < 10 * max(1.0, yardstick.pace())
    assert len(failed) == 4
    # What tidies up still gets through.
    assert cloud.get("image", "/quick") == {"id": 1}
