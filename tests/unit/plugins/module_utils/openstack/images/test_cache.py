# SPDX-License-Identifier: Apache-2.0
"""A download is whole and right, or it is not there; what broke goes on."""

from __future__ import annotations

import base64
import fcntl
import http.server
import os
import threading
import urllib.request
import zlib
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.retry import Backoff
from ansible_collections.scs.landscape.plugins.module_utils.core.stream import Meter
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import cache as caches
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.model import Digest
from ansible_collections.scs.landscape.tests.lab.openstack import fetches

SIZE = 2_500_000


@pytest.fixture(scope="module")
def server():
    found = fetches.Server(0)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def asked(monkeypatch):
    """Headers of every request."""
    seen, real = [], caches.client.ask

    def ask(url, headers, timeout):
        seen.append((url, dict(headers)))
        return real(url, headers, timeout)

    monkeypatch.setattr(caches.client, "ask", ask)
    return seen


@pytest.fixture
def cache(tmp_path):
    return caches.Cache(str(tmp_path / "cache"), caches.Patience(2.0, Backoff(0.01, 0.02)))


@pytest.fixture
def address(server, request):
    port, name = server.server_address[1], request.node.name.replace("/", "_")

    def url(behaviour: str, query: str = "") -> str:
        return f"http://127.0.0.1:{port}/{behaviour}/{zlib.crc32(name.encode())}/{SIZE}/x.raw{query}"

    return url


def right(url: str, algorithm: str = "sha256") -> Digest:
    seed = url.split("/")[4]
    return Digest(algorithm, fetches.digest(seed, SIZE, "x.raw", algorithm))


def test_a_file_is_there_once_and_asked_for_once(cache, address, asked):
    url = address("good")
    first = cache.get(right(url), (url,), Meter())
    assert (first.size, Path(first.path).stat().st_size) == (SIZE, SIZE)
    assert first.digests["sha512"] == right(url, "sha512").value
    assert cache.get(right(url), (url,), Meter()) == first
    assert len(asked) == 1
    assert sorted(path.suffix for path in Path(cache.folder).iterdir()) == ["", ".json", ".lock"]


def test_what_broke_goes_on_where_it_was(cache, address, asked):
    url = address("truncated", "?times=1&at=1500000")
    assert cache.get(right(url), (url,), Meter()).size == SIZE
    assert [headers.get("Range") for _url, headers in asked] == [None, "bytes=1500000-"]
    assert asked[1][1]["If-Range"].startswith('"')


def test_a_server_without_ranges_sends_all_again(cache, address):
    whole, cut = address("norange"), address("truncated", "?at=1000")
    with pytest.raises(LandscapeError, match="broke off"):
        cache.get(right(cut), (cut,), Meter())
    assert cache.get(right(whole), (whole,), Meter()).size == SIZE


def test_another_run_goes_on(cache, address, asked):
    url = address("hang", "?times=1&at=1200000")
    cache.patience.stop.set()
    with pytest.raises(caches.Stopped):
        cache.get(right(url), (url,), Meter())
    again = caches.Cache(cache.folder, caches.Patience(2.0, Backoff(0.01, 0.02)))
    assert again.get(right(url), (url,), Meter()).size == SIZE


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("wrong", "holds other bytes"),
        ("flipped", "holds other bytes"),
        ("short", "holds other bytes"),
        ("truncated", "broke off"),
        ("loop", "in a circle"),
        ("404", "answered 404"),
        ("500", "answered 500"),
        ("hang", "silent"),
    ],
)
def test_other_bytes_are_never_kept(cache, address, behaviour, says):
    url = address(behaviour)
    cache.patience.stall = 0.3
    with pytest.raises(LandscapeError, match=says):
        cache.get(right(url), (url,), Meter())
    assert not os.path.exists(cache.path(right(url)))


def test_mirrors_are_tried_in_turn(cache, address, asked):
    urls = (address("404"), address("wrong"), address("good"))
    assert cache.get(right(urls[0]), urls, Meter()).size == SIZE
    assert len({url for url, _headers in asked}) == 3


def test_every_mirror_is_told_of(cache, address):
    urls = (address("404"), address("wrong"))
    with pytest.raises(LandscapeError, match=r"404.*; .*holds other bytes"):
        cache.get(right(urls[0]), urls, Meter())


def test_a_trickle_is_a_stall(cache, address):
    url = address("good", "?rate=20000")
    cache.patience.stall = 0.5
    with pytest.raises(LandscapeError, match="64 KiB"):
        cache.get(right(url), (url,), Meter())


def test_damage_on_the_disk_is_found(cache, address, asked):
    url = address("good")
    path = Path(cache.get(right(url), (url,), Meter()).path)
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert cache.get(right(url), (url,), Meter()).size == SIZE
    assert len(asked) == 2
    os.utime(path, ns=(2, 2))
    cache.get(right(url), (url,), Meter())
    assert len(asked) == 2, "a file with another date is read, not downloaded"


def test_parts_that_do_not_fit_are_thrown_away(cache, address, asked):
    url = address("good")
    digest = right(url)
    os.makedirs(cache.folder)
    Path(cache.path(digest) + ".part").write_bytes(b"x" * 1000)
    Path(cache.path(digest) + ".json").write_text(f'{{"url": "{url}", "validator": "\\"old\\""}}', encoding="utf-8")
    assert cache.get(digest, (url,), Meter()).size == SIZE
    assert [headers.get("Range") for _url, headers in asked] == ["bytes=1000-", None]


def test_nobody_waits_for_ever_for_another_process(cache, address):
    url = address("good")
    os.makedirs(cache.folder)
    cache.patience.stall = 0.2
    with open(cache.path(right(url)) + ".lock", "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="does not get on"):
            cache.get(right(url), (url,), Meter())
    assert cache.get(right(url), (url,), Meter()).size == SIZE


def test_an_owner_that_works_without_growing_is_waited_for(cache, address, monkeypatch):
    """Hashing what is there takes longer than the patience of those who wait."""
    digest, inside, over = right(address("good")), threading.Event(), threading.Event()
    real = caches.Cache._there

    def slow(self, *args):
        if not inside.is_set():
            inside.set()
            over.wait(60)
        return real(self, *args)

    monkeypatch.setattr(caches.Cache, "_there", slow)
    urls, first = (address("good"),), caches.Cache(cache.folder, caches.Patience(0.8, Backoff(0.01, 0.02)))
    owner = threading.Thread(target=first.get, args=(digest, urls, Meter()))
    owner.start()
    assert inside.wait(60)
    beats: list[float] = []
    clock = [0.0]

    def now() -> float:
        lock = os.stat(cache.path(digest) + ".lock").st_mtime_ns
        if lock not in beats:
            beats.append(lock)
        if len(beats) > 3:
            over.set()
        clock[0] += 0.0001
        return clock[0] + 100 * len(beats)

    waiting = caches.Cache(cache.folder, caches.Patience(60, Backoff(0.01, 0.02), clock=now))
    try:
        assert waiting.get(digest, urls, Meter()).size == SIZE
    finally:
        over.set()
        owner.join()
    assert len(beats) > 3


def test_a_body_without_a_length_does_not_fill_the_disk(cache, address, monkeypatch):
    usage = type("Usage", (), {"free": caches._RESERVE - 1})
    monkeypatch.setattr(caches.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(LandscapeError, match="left"):
        cache._keep_room()


@pytest.mark.parametrize("target", ["ftp://x/y", "file:///etc/passwd"])
def test_only_web_servers_are_followed_to(target):
    asked = urllib.request.Request("http://x/y")
    with pytest.raises(caches.SourceError, match="no web server"):
        caches.client._Redirects().redirect_request(asked, None, 302, "", {}, target)


def test_a_full_disk_is_said_before_anything_is_fetched(cache, address, monkeypatch):
    url = address("good")
    monkeypatch.setattr(caches.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    with pytest.raises(LandscapeError, match=r"has 1000 B left, and 2\.4 MiB are needed"):
        cache.get(right(url), (url,), Meter())


def test_a_file_of_the_operators(tmp_path):
    path = tmp_path / "own"
    path.write_bytes(b"abc")
    value = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert caches.measure(str(path), Digest("sha256", value), Meter()).size == 3
    with pytest.raises(LandscapeError, match="holds other bytes"):
        caches.measure(str(path), Digest("sha256", "0" * 64), Meter())
    with pytest.raises(LandscapeError, match="cannot be read"):
        caches.measure(str(tmp_path / "none"), Digest("sha256", value), Meter())


class _Doors(http.server.BaseHTTPRequestHandler):
    """Notes who says a password; sends to another path, or to another place."""

    told: list[tuple[str, str | None]] = []  # noqa: RUF012 - one list for all requests is what it is for
    other = ""

    def do_GET(self) -> None:
        self.told.append((self.headers["Host"] + self.path, self.headers["Authorization"]))
        to = {"/here": "/there", "/away": f"{self.other}/there"}.get(self.path.partition("?")[0])
        self.send_response(302 if to else 200)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """It has a list of its own."""


@pytest.fixture
def doors(monkeypatch):
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Doors) for _number in range(2)]
    threads = [threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    places = [f"127.0.0.1:{one.server_address[1]}" for one in servers]
    monkeypatch.setattr(_Doors, "told", [])
    monkeypatch.setattr(_Doors, "other", f"http://{places[1]}")
    yield places
    for one, thread in zip(servers, threads):
        one.shutdown()
        thread.join()
        one.server_close()


@pytest.mark.parametrize("path", ["/plain", "/here", "/away", "?x=a@b", "/plain?x=a@b"])
def test_a_password_in_an_address_is_told_its_own_host_alone(doors, path):
    caches.client.ask(f"http://robot:s%40same@{doors[0]}{path}", {}, 5).stream.close()
    expected = "Basic " + base64.b64encode(b"robot:s@same").decode()
    assert {said for where, said in _Doors.told if where.startswith(doors[0])} == {expected}
    assert [said for where, said in _Doors.told if where.startswith(doors[1])] == ([None] if path == "/away" else [])


def test_an_address_without_a_password_says_none(doors):
    caches.client.ask(f"http://{doors[0]}/plain?x=a@b", {}, 5).stream.close()
    assert [said for _where, said in _Doors.told] == [None]


def test_a_failure_does_not_say_the_password():
    with pytest.raises(caches.client.SourceError) as refused:
        caches.client.ask("http://robot:sesame@127.0.0.1:port/x?key=sesame", {}, 5)
    assert "sesame" not in str(refused.value)
