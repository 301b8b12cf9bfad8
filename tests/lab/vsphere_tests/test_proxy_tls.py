# SPDX-License-Identifier: Apache-2.0
"""The fault proxy in front of an endpoint with TLS, and what it does to files of datastores and leases."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import ssl
import threading
import time

import pytest

from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.soap import Client
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.test_provider import MACHINE, fetched

FLAT = "böse 1/böse 1-flat.vmdk"


def through(esxi, *rules, **more):
    """A proxy in front of the ESXi, with a certificate of the same CA."""
    return FaultProxy(esxi.url, rules, ca=more.pop("ca", esxi.ca), certificate=esxi.front, **more)


def asked(client, begin, end, path=FLAT):
    """Status and bytes of a part of a file."""
    status, body, _headers = client.ask("GET", client.file("ds 1", path), {"Range": f"bytes={begin}-{end - 1}"})
    return status, body


def test_govmomi_exports_the_same_bytes_through_it(vsphere, disks, tmp_path, qemu_img):
    with FaultProxy(vsphere.url, ca=vsphere.ca, certificate=vsphere.front) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        found = fetched(vsphere, tmp_path, "lease", port)
        assert qemu_img(tmp_path / "disk-0.vmdk") == disks["odd"].read_bytes()
        # whose URLs lead through it too
        assert proxy.count("GET", "^/nfc/") == len(found)
        assert proxy.count("POST", "^/sdk") > 5
        sent = [seen.sent for seen in proxy.requests if seen.path.endswith("disk-0.vmdk")]
        assert sent == [found[0]["size"]]


def test_a_range_that_is_stripped(esxi, disks):
    raw = disks["small"].read_bytes()
    with through(esxi, Rule("strip", path="^/folder", skip=1, times=1)) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2])).login()
        path = "böse 1/böse 1_1-flat.vmdk"
        assert asked(client, 1000, 5000, path) == (206, raw[1000:5000])
        assert asked(client, 1000, 5000, path) == (200, raw)
        assert asked(client, 1000, 5000, path) == (206, raw[1000:5000])
    assert [(seen.ranged, seen.act, seen.status) for seen in proxy.requests if "folder" in seen.path] == [
        ("bytes=1000-4999", "", 206),
        ("bytes=1000-4999", "strip", 200),
        ("bytes=1000-4999", "", 206),
    ]


def test_a_401_mid_way(esxi, disks):
    raw = disks["odd"].read_bytes()
    with through(esxi, Rule(401, path="^/folder", skip=2, times=1)) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2])).login()
        found = [asked(client, at << 20, (at + 1) << 20) for at in range(4)]
    assert [status for status, _body in found] == [206, 206, 401, 206]
    assert found[3][1] == raw[3 << 20 : 4 << 20]


@pytest.mark.parametrize("at", [None, 70_001])
def test_a_truncated_stream_with_a_well_formed_end(esxi, at):
    with through(esxi, Rule("end", path="^/nfc/.*disk-1", times=1, at=at)) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2])).login()
        lease = client.export(esxi.machines[MACHINE])
        (first, short), (second, body) = lease.get("disk-1.vmdk"), lease.get("disk-1.vmdk")
        lease.say("Complete")
    assert (first, second) == (200, 200), "nothing looks broken"
    assert len(short) == (len(body) // 2 if at is None else at)
    assert body.startswith(short)
    assert proxy.rules[0].acted == 1


def test_a_known_length_ends_well_formed_as_well(esxi, disks):
    with through(esxi, Rule("end", path="^/folder", at=1000)) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2])).login()
        status, body, headers = client.ask("GET", client.file("ds 1", FLAT))
    assert (status, body, headers["Content-Length"]) == (200, disks["odd"].read_bytes()[:1000], None)


def test_a_stream_that_breaks_behind_it_does_not_end_well():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for end in (b"", b"0\r\n\r\n"):
                connection, _address = server.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + end)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with FaultProxy(f"http://127.0.0.1:{server.getsockname()[1]}") as proxy:
            found = []
            for _time in range(2):
                connection = http.client.HTTPConnection("127.0.0.1", int(proxy.url.rpartition(":")[2]), timeout=60)
                with contextlib.closing(connection):
                    connection.request("GET", "/")
                    try:
                        found.append(connection.getresponse().read())
                    except (http.client.IncompleteRead, ConnectionError):
                        found.append(None)
        thread.join(60)
    assert found == [None, b"abc"]


def test_each_connection_has_the_rate(esxi, seed):
    rate, size = 2 << 20, 1 << 20
    draw = random.Random(seed)
    begin = draw.randrange(1 << 20)
    with through(esxi, rate=rate) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2])).login()
        asked(client, 0, 1)
        bodies: list[int] = []
        began = time.monotonic()
        threads = [
            threading.Thread(target=lambda: bodies.append(len(asked(client, begin, begin + size)[1])))
            for _number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        took = time.monotonic() - began
        assert bodies == [size] * 4
        assert proxy.most("GET", "^/folder") == 4
    assert took >= 0.95 * size / rate, "none is faster than its rate"
    alone = [seen.until - seen.at for seen in proxy.requests if seen.sent == size]
    assert min(alone) >= 0.95 * size / rate
    assert sum(alone) > 1.5 * took, "none waits for the others"


def test_a_wrong_certificate_lets_nobody_in(esxi, vcenter):
    before = len(esxi.calls())
    with through(esxi, ca=vcenter.ca) as proxy:
        client = Client(esxi, int(proxy.url.rpartition(":")[2]))
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            client.login()
    with FaultProxy(esxi.url, ca=esxi.ca, certificate=vcenter.front) as other:
        with pytest.raises(ssl.SSLCertVerificationError):
            Client(esxi, int(other.url.rpartition(":")[2])).login()
        assert other.requests == []
    assert len(esxi.calls()) == before
