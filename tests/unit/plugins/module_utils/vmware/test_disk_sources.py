# SPDX-License-Identifier: Apache-2.0
"""Where bytes of disks come from: parts, answers that are none, connections that break, commands that are quoted."""

from __future__ import annotations

import http.client
import http.server
import os
import random
import re
import stat
import sys
import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import TruncatedError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks import layout
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.descriptor import FormatError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources import folder, nfc, ssh
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.web import client as web
from ansible_collections.scs.landscape.plugins.module_utils.vmware.link.client import Trust

from . import vmdk
from .vmdk import MIB, SECTOR


class Server(http.server.ThreadingHTTPServer):
    """Files of a datastore, with what goes wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.cookie = {}, [], "vmware_soap_session=1"
        self.strip = self.no_head = False
        self.cut = self.refuse = 0
        self.changed = "Wed, 21 Oct 2026 07:28:00 GMT"


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_what):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        server = self.server
        server.asked.append((self.command, self.path, self.headers.get("Range")))
        if self.headers.get("Cookie") != server.cookie:
            return self._say(401, b"<html>no")
        if server.refuse:
            server.refuse -= 1
            return self._say(503, b"busy")
        if server.no_head and self.command == "HEAD":
            return self._say(405, b"")
        data = server.files.get(unquote(self.path))
        if data is None:
            return self._say(404, b"")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if not found or server.strip:
            return self._say(200, data)
        begin, end = int(found[1]), int(found[2]) + 1
        return self._say(206, data[begin:end], f"bytes {begin}-{end - 1}/{len(data)}")

    def _say(self, status, body, part=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", self.server.changed)
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.cut and status < 300 and len(body) > self.server.cut:
            body, self.server.cut = body[: self.server.cut], 0
            self.close_connection = True
        self.wfile.write(body)


@dataclass(frozen=True)
class Plain(web.Host):
    """A host without TLS."""

    def link(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)


class Session:
    """Logs in again when it is asked to."""

    def __init__(self, server, port=None):
        self.name, self.host, self.port, self.timeout, self.trust = "esxi", "127.0.0.1", port, 10.0, Trust()
        self._server, self.cookie, self.renewed = server, server.cookie, 0

    def renew(self):
        self.renewed += 1
        self.cookie = self._server.cookie


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def session(server):
    return Session(server, server.server_address[1])


@pytest.fixture
def store(server, session):
    host = Plain("esxi", "127.0.0.1", session.port, Trust(), 10.0, session)
    with folder.FolderStore(host, "data store", "größe") as made:
        yield made


def put(server, name, data):
    """Puts a file into the folder of the store."""
    server.files[f"/folder/größe/{name}?dcPath=ha-datacenter&dsName=data store"] = data


def test_parts(server, store, seed):
    chance = random.Random(seed)
    data = chance.randbytes(3 * MIB + SECTOR)
    put(server, "a b-flat.vmdk", data)
    assert store.size("a b-flat.vmdk") == len(data)
    for _number in range(5):
        begin = chance.randrange(len(data))
        end = chance.randrange(begin, len(data)) + 1
        assert store.read("a b-flat.vmdk", begin, end - begin) == data[begin:end]
        assert b"".join(store.stream("a b-flat.vmdk", begin, end)) == data[begin:end]
    assert b"".join(store.stream("a b-flat.vmdk", 0, len(data))) == data
    assert server.asked[-1][2] is None
    assert not store.stripped
    assert store.state("a b-flat.vmdk").endswith(" 1792567680")


def test_an_endpoint_that_ignores_parts(server, store, seed):
    data = random.Random(seed).randbytes(2 * MIB)
    put(server, "f", data)
    server.strip = True
    assert b"".join(store.stream("f", MIB + SECTOR, 2 * MIB)) == data[MIB + SECTOR :]
    assert b"".join(store.stream("f", 0, MIB)) == data[:MIB]
    assert store.read("f", MIB - 1, 9) == data[MIB - 1 : MIB + 8]
    assert store.stripped == 3


@pytest.mark.parametrize("number", range(3))
def test_a_break_is_noticed_and_gone_on_after(server, store, seed, number):
    chance = random.Random(seed + number)
    data = chance.randbytes(2 * MIB)
    put(server, "a-flat.vmdk", data)
    put(server, "a.vmdk", vmdk.text("vmfs", [f'RW {len(data) // SECTOR} VMFS "a-flat.vmdk"']))
    source = layout.open_disk(store, "a.vmdk")
    server.cut = chance.randrange(1, len(data))
    got = bytearray()
    with pytest.raises(TruncatedError):
        [got.extend(piece.data) for piece in source.pieces()]
    assert data.startswith(bytes(got))
    for piece in source.pieces(len(got)):
        got += piece.data
    assert got == data


def test_a_session_that_ran_out(server, store, session):
    put(server, "f", b"x" * 1000)
    server.cookie = "vmware_soap_session=2"
    assert store.read("f", 10, 20) == b"x" * 20
    assert session.renewed == 1
    session.renew = lambda: None
    server.cookie = "vmware_soap_session=3"
    with pytest.raises(LandscapeError, match="refused again"):
        store.read("f", 10, 20)


def test_a_file_that_changes_is_not_mixed(server, store):
    put(server, "f", b"x" * 1000)
    assert store.read("f", 0, 500) == b"x" * 500
    server.changed = "Wed, 21 Oct 2026 07:29:00 GMT"
    with pytest.raises(LandscapeError, match="was changed") as error:
        store.read("f", 500, 500)
    assert not isinstance(error.value, TruncatedError)


def test_refusals(server, store):
    with pytest.raises(LandscapeError, match="404") as error:
        store.size("none")
    assert "nfc" in error.value.hint
    put(server, "f", b"x" * 1000)
    server.refuse = 1
    with pytest.raises(web.BrokenError, match="503"):
        store.size("f")
    server.no_head = True
    assert store.size("f") == 1000


def test_nobody_answers(server, session):
    host = Plain("esxi", "127.0.0.1", 1, Trust(), 10.0, session)
    with pytest.raises(web.BrokenError, match="esxi failed"):
        folder.FolderStore(host, "d", "f").size("x")


@pytest.mark.parametrize("text", ["x", "[a] ../x", "[a] b//x", "[a] ", "[a] b/..", "a/b.vmdk", "[a] /etc/x"])
def test_paths_stay_in_their_datastore(text):
    with pytest.raises(InputError):
        folder.datastore_path(text)


def test_paths():
    assert folder.datastore_path("[data store] a b/c.vmdk") == folder.DatastorePath("data store", "a b", "c.vmdk")
    assert folder.datastore_path("[d] c.vmdk") == folder.DatastorePath("d", "", "c.vmdk")


@pytest.mark.parametrize(
    ("url", "cookie", "pinned"),
    [
        ("https://esxi.example:443/nfc/1/disk-0.vmdk", True, ""),
        ("https://ESXI.example/nfc/1/disk-0.vmdk?a=b", True, ""),
        ("https://other.example/nfc/1/disk-0.vmdk", False, "ab" * 20),
        ("https://esxi.example:8443/nfc/1/disk-0.vmdk", False, "ab" * 20),
    ],
    ids=["same", "same-port", "other", "other-port"],
)
def test_our_cookie_goes_to_the_endpoint_alone(url, cookie, pinned):
    session = SimpleNamespace(name="esxi", host="esxi.example", port=443, timeout=1.0, trust=Trust(True, "/ca", ""))
    host, path = web.host_of_url(session, url, "ab" * 20)
    assert path.startswith("/nfc/1/disk-0.vmdk")
    assert (host.session is session) is cookie
    assert host.trust.thumbprint == pinned
    assert host.trust.ca_path == "/ca"


@pytest.mark.parametrize("url", ["http://h/x", "file:///etc/passwd", "https:///x", "https://h:x/y", "https://u:p@h/x"])
def test_other_addresses_are_refused(url):
    session = SimpleNamespace(name="esxi", host="h", port=443, timeout=1.0, trust=Trust())
    with pytest.raises(LandscapeError, match="not one of HTTPS"):
        web.host_of_url(session, url)


def leased(server, session, data, size):
    """A disk of a lease of the server."""
    server.files["/nfc/1/disk-0.vmdk"] = data
    made = nfc.LeaseSource(session, f"https://127.0.0.1:{session.port}/nfc/1/disk-0.vmdk", "web scsi0:0", size)
    made._host = Plain("esxi", "127.0.0.1", session.port, Trust(), 10.0, session)
    return made


def test_a_disk_of_a_lease(server, session, seed):
    data = vmdk.disk(random.Random(seed), 3 * MIB)
    source = leased(server, session, vmdk.stream(data), len(data))
    assert b"".join(piece.data or bytes(piece.length) for piece in source.pieces()) == data
    assert source.place == len(data)
    assert [asked[0] for asked in server.asked] == ["GET"]
    with pytest.raises(FormatError, match="from its start"):
        list(source.pieces(SECTOR))
    with pytest.raises(LandscapeError, match="the machine has one of"):
        list(leased(server, session, vmdk.stream(data), 4 * MIB).pieces())


def test_a_lease_that_is_cut_with_a_good_end(server, session, seed):
    data = random.Random(seed).randbytes(2 * MIB)
    whole = vmdk.stream(data)
    source = leased(server, session, whole[: len(whole) * 7 // 10], len(data))
    with pytest.raises(TruncatedError):
        list(source.pieces())


class Lease:
    """Counts what keeps it."""

    timeout = 1

    def __init__(self, fail=0):
        self.said, self._fail = [], fail

    def progress(self, percent):
        self.said.append(percent)
        if len(self.said) <= self._fail:
            raise LandscapeError("gone")


def test_a_lease_is_kept():
    lease = Lease(fail=1)
    lease.timeout = 300
    with nfc.kept(lease, lambda: 250.0, every=0.01):
        end = time.monotonic() + 30
        while len(lease.said) < 5:
            assert time.monotonic() < end
            time.sleep(0.01)
    count = len(lease.said)
    assert set(lease.said) == {99}
    time.sleep(0.05)
    assert len(lease.said) == count


def test_a_lost_lease_is_no_success():
    lease = Lease(fail=10**6)

    def work():
        with nfc.kept(lease, lambda: 1.0, every=0.6):
            end = time.monotonic() + 30
            while not lease.said and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(0.2)

    with pytest.raises(LandscapeError, match="could not be kept"):
        work()


FAKE = """#!{python}
import json, os, sys
with open({log!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + chr(10))
if os.path.exists({broken!r}):
    sys.stdout.buffer.write(b"x" * 1000)
    sys.stderr.write("Connection reset")
    sys.exit(255)
os.execvp("sh", ["sh", "-c", sys.argv[-1]])
"""


@pytest.fixture
def far(tmp_path):
    """A host over a program that stands for ssh; its log; what breaks it."""
    program, log, broken = tmp_path / "ssh", tmp_path / "log", tmp_path / "broken"
    program.write_text(FAKE.format(python=sys.executable, log=str(log), broken=str(broken)))
    program.chmod(0o700)
    volumes = tmp_path / "volumes"
    (volumes / "data store" / "a'b $(touch x)").mkdir(parents=True)
    host = ssh.SshHost(
        "esxi.example", key="/k", known_hosts="/h", volumes=str(volumes), program=str(program), timeout=20
    )
    return SimpleNamespace(host=host, folder=volumes / "data store" / "a'b $(touch x)", log=log, broken=broken)


@pytest.mark.accept("V1.22")
def test_disks_over_ssh(far, seed):
    chance = random.Random(seed)
    data = vmdk.disk(chance, 3 * MIB + SECTOR)
    (far.folder / "größe-flat.vmdk").write_bytes(data)
    (far.folder / "größe.vmdk").write_bytes(vmdk.text("vmfs", [f'RW {len(data) // SECTOR} VMFS "größe-flat.vmdk"']))
    (far.folder / "s.vmdk").write_bytes(vmdk.sparse(data, chance))
    with ssh.SshStore(far.host, "data store", far.folder.name) as store:
        source = layout.open_disk(store, "größe.vmdk", expected=len(data))
        for begin in (0, SECTOR, MIB, MIB + SECTOR, len(data) - SECTOR):
            assert b"".join(piece.data or bytes(piece.length) for piece in source.pieces(begin)) == data[begin:]
        other = layout.open_disk(store, "s.vmdk")
        assert b"".join(piece.data or bytes(piece.length) for piece in other.pieces()) == data
        far.broken.touch()
        with pytest.raises(TruncatedError, match="no way to esxi"):
            list(source.pieces())
        far.broken.unlink()
        with pytest.raises(LandscapeError, match="cannot be read at esxi"):
            store.size("none")
        (far.folder / "link").symlink_to("/etc/passwd")
        (far.folder / "folder").mkdir()
        for name in ("link", "folder"):
            with pytest.raises(LandscapeError, match="is no file"):
                store.size(name)
    words = far.log.read_text()
    for wanted in (
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        "ClearAllForwardings=yes",
        '"-F", "/dev/null"',
        "dd 'if=",
    ):
        assert wanted in words
    assert not os.path.exists("x")
    assert stat.S_ISDIR(os.stat(far.folder).st_mode)


@pytest.mark.parametrize(
    "options",
    [
        {"host": "-oProxyCommand=x"},
        {"host": "a b"},
        {"host": ""},
        {"host": "h", "user": "-x"},
        {"host": "h", "user": "a;b"},
        {"host": "h", "key": "k"},
        {"host": "h", "key": "/a b"},
        {"host": "h", "known_hosts": "/a%d"},
    ],
    ids=["option", "spaces", "empty", "user", "shell", "relative", "blank", "percent"],
)
def test_words_for_ssh_are_confined(options):
    with pytest.raises(InputError):
        ssh.SshHost(**options)


@pytest.mark.parametrize(("datastore", "path"), [("..", ""), ("a", "../b"), ("a/b", ""), ("", "x"), ("a", "b//c")])
def test_folders_over_ssh_are_confined(datastore, path):
    with pytest.raises(InputError):
        ssh.SshStore(ssh.SshHost("h"), datastore, path)


def test_there_is_no_ssh(tmp_path):
    with pytest.raises(LandscapeError, match="no program") as error:
        ssh.SshStore(ssh.SshHost("h", program=str(tmp_path / "none")), "d", "f").size("x")
    assert "openssh-client" in error.value.hint
