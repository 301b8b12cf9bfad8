# SPDX-License-Identifier: Apache-2.0
"""The fault proxy: every fault arrives as such, and the same seed plants the same."""

from __future__ import annotations

import http.client
import http.server
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule, one_in_twenty

BODY = bytes(range(256)) * 400


class Behind(http.server.ThreadingHTTPServer):
    """A server that remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Behind

    def _any(self) -> None:
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(BODY)

    do_GET = do_HEAD = do_POST = do_PUT = _any  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def behind() -> Iterator[Behind]:
    with Behind() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(url: str, method: str = "GET", data: object = None) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - ours
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def test_without_a_rule_everything_passes_unchanged(behind):
    with FaultProxy(behind.url) as proxy:
        status, body, headers = ask(f"{proxy.url}/v2/images?limit=3")
        assert (status, body) == (200, BODY)
        assert f"http://{headers['X-Host']}" == proxy.url, "links of an API must lead through the proxy again"
        assert ask(f"{proxy.url}/file", "PUT", b"some bytes")[0] == 200
        assert ask(f"{proxy.url}/file", "HEAD")[:2] == (200, b"")
        assert ask(f"{proxy.url}/file", "PUT", iter([b"one ", b"two"]))[0] == 200
    assert behind.seen == [
        ("GET", "/v2/images?limit=3", b""),
        ("PUT", "/file", b"some bytes"),
        ("HEAD", "/file", b""),
        ("PUT", "/file", b"one two"),
    ]
    assert proxy.count("PUT", "file") == 2


@pytest.mark.parametrize("code", [401, 409, 413, 429, 500, 503])
def test_a_status_is_answered_in_the_server_s_place(behind, code):
    with FaultProxy(behind.url, [Rule(code, path="/images", times=1, retry_after=7)]) as proxy:
        status, _body, headers = ask(f"{proxy.url}/images", "POST", b"x" * 200_000)
        assert status == code
        assert headers.get("Retry-After") == ("7" if code in (413, 429, 503) else None)
        assert ask(f"{proxy.url}/images", "POST", b"x")[0] == 200
    assert len(behind.seen) == 1


@pytest.mark.parametrize(("late", "reached"), [(False, 0), (True, 1)], ids=["early", "late"])
def test_a_cut_loses_the_answer_and_perhaps_the_question(behind, late, reached):
    with FaultProxy(behind.url, [Rule("cut", late=late)]) as proxy:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError, urllib.error.URLError)):
            ask(f"{proxy.url}/a", "POST", b"x")
    assert len(behind.seen) == reached
    assert [(seen.act, seen.status) for seen in proxy.requests] == [("cut", 0)]


def test_a_late_status_hides_what_the_server_did(behind):
    with FaultProxy(behind.url, [Rule(503, late=True)]) as proxy:
        assert ask(f"{proxy.url}/a", "POST", b"x")[0] == 503
    assert len(behind.seen) == 1


def test_a_truncated_answer_is_noticed_by_whoever_counts(behind):
    with FaultProxy(behind.url, [Rule("truncate", at=1000)]) as proxy:
        with pytest.raises(http.client.IncompleteRead) as caught:
            ask(f"{proxy.url}/a")
    assert caught.value.partial == BODY[:1000]


def test_one_bit_differs(behind):
    with FaultProxy(behind.url, [Rule("flip", method="GET"), Rule("flip", method="PUT", at=1, upload=True)]) as proxy:
        body = ask(f"{proxy.url}/a")[1]
        ask(f"{proxy.url}/a", "PUT", b"abc")
    assert [at for at in range(len(BODY)) if body[at] != BODY[at]] == [len(BODY) // 2]
    assert behind.seen[1][2] == b"a" + bytes([ord("b") ^ 1]) + b"c"


def test_a_delay_is_a_delay(behind):
    with FaultProxy(behind.url, [Rule("delay", seconds=0.5)]) as proxy:
        began = time.monotonic()
        assert ask(f"{proxy.url}/a")[0] == 200
        assert time.monotonic() - began >= 0.5


def test_the_same_seed_plants_the_same(behind, seed):
    def planted(number: int) -> list[int]:
        with FaultProxy(behind.url, [Rule(503, percent=30)], seed=number) as proxy:
            return [ask(f"{proxy.url}/{index}")[0] for index in range(40)]

    first = planted(seed)
    assert first == planted(seed)
    assert set(first) == {200, 503}
    assert first != planted(seed + 1)


@pytest.mark.parametrize("plus", range(20))
def test_one_request_in_twenty_meets_a_fault_whatever_the_seed(seed, plus):
    draw, rules = random.Random(seed), one_in_twenty(seed + plus)
    hits = [number for number in range(1, 241) if [rule for rule in rules if rule.due("GET", "/x", draw)]]
    assert len(hits) == 12
    assert hits[0] <= 20
    assert [rule.acted for rule in rules] == [2] * 6


def test_every_third_after_two_and_no_more_than_twice(behind):
    with FaultProxy(behind.url, [Rule(500, path="^/x", every=3, skip=2, times=2)]) as proxy:
        statuses = [ask(f"{proxy.url}/x")[0] for _number in range(14)]
        assert ask(f"{proxy.url}/y")[0] == 200
    assert [number for number, status in enumerate(statuses, 1) if status == 500] == [5, 8]


def test_in_a_namespace_it_is_reached_from_there_alone(cloud):
    with FaultProxy("http://127.0.0.1:9292", [Rule(503, path="images$")], namespace=cloud.namespace) as proxy:
        with pytest.raises(urllib.error.URLError):
            ask(f"{proxy.url}/versions")
        with cloud.inside():
            assert ask(f"{proxy.url}/versions")[0] in (200, 300)
            assert ask(f"{proxy.url}/v2/images")[0] == 503
        assert proxy.count() == 2


def test_a_cloud_reached_through_proxies(cloud, tmp_path):
    code = "import openstack; c = openstack.connect('member'); print(list(c.image.images()))"
    with (
        FaultProxy("http://127.0.0.1:9292", namespace=cloud.namespace) as glance,
        FaultProxy("http://127.0.0.1:5000", namespace=cloud.namespace) as keystone,
    ):
        other = cloud.proxied(tmp_path / "clouds.yaml", glance=glance.url, keystone=keystone.url)
        argv = ["env", f"OS_CLIENT_CONFIG_FILE={other}", str(cloud.python), "-W", "ignore", "-c", code]
        done = cloud.run(argv, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert glance.count("GET", "/images") == 1
        assert keystone.count("POST", "/auth/tokens") == 1
    assert other.stat().st_mode & 0o777 == 0o600
