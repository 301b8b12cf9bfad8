# SPDX-License-Identifier: Apache-2.0
"""The lab's web server: test images of any size that are stored nowhere, and the ways in which a mirror goes wrong.

An address is ``/<behaviour>/<seed>/<size>/<name>``: the same seed, size and ending of the name give the same bytes at
every time and place. ``?times=2`` misbehaves for the first two requests of that address only, ``?rate=1000000`` sends so
many bytes per second, ``?at=4096`` says at which byte the misbehaviour happens (in the middle when left out).

=========== =====================================================================================
good        the file; HEAD, Range, ETag and Last-Modified work
norange     the file, whole, whatever range was asked for
wrong       another file of the same size
flipped     the file with one bit of one byte changed
truncated   announces the size and closes the connection early
short       a shorter file, announced as such
hang        stops sending in the middle and keeps the connection open
silent      takes the request and never answers
500 ...     any status from 400 to 599, with Retry-After: 1 for 429 and 503
redirect    sends to the good file
loop        sends to itself
sums        the line of a checksum file: ``/sums/<seed>/<size>/<name>?algorithm=sha256``
files       a file of the server's folder: ``/files/<name>``
=========== =====================================================================================
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import socketserver
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

_BLOCK = 1 << 20
_HANG = 900.0
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PLAIN = ("good", "norange", "wrong", "flipped", "truncated", "short", "hang")


def _head(size: int, name: str) -> bytes:
    """The first bytes of a file, where its format wants certain ones: Glance looks at them."""
    if name.endswith(".qcow2"):
        fields = (b"QFI\xfb", 3, 0, 0, 16, max(size, 1 << 20), 0, 1, 65536, 131072, 1, 0, 0, 0, 0, 0, 4, 104)
        return struct.pack(">4sIQIIQIIQQIIQQQQII", *fields) + bytes(8)
    return b""


def content(seed: str, size: int, name: str = "", start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from ``start`` to ``stop``, in pieces of up to 1 MiB.

    Blocks are all alike but for their number, so a gigabyte takes less than a second to make.
    """
    block = hashlib.shake_128(f"{seed}".encode()).digest(_BLOCK)
    head = _head(size, name)
    end = size if stop is None else min(stop, size)
    while start < end:
        number, offset = divmod(start, _BLOCK)
        piece = number.to_bytes(16, "big") + block[16:]
        if number == 0 and head:
            piece = head + piece[len(head) :]
        part = piece[offset : offset + end - start]
        yield part
        start += len(part)


def digest(seed: str, size: int, name: str = "", algorithm: str = "sha256") -> str:
    """The digest of a file, as hex."""
    total = hashlib.new(algorithm)
    for part in content(seed, size, name):
        total.update(part)
    return total.hexdigest()


class Fetches:
    """The tests' side of the server.

    :param address: where it answers.
    :param folder: files put here are served below ``/files/``.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder

    def url(self, behaviour: str, seed: object, size: int, name: str = "image.raw", **query: object) -> str:
        """The address of a file that behaves so."""
        words = "&".join(f"{key}={value}" for key, value in query.items())
        return f"{self.address}/{behaviour}/{seed}/{size}/{quote(name)}{'?' if words else ''}{words}"

    def file(self, name: str, text: str | bytes) -> str:
        """Serve these bytes; their address."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return f"{self.address}/files/{quote(name)}"

    @staticmethod
    def digest(seed: object, size: int, name: str = "image.raw", algorithm: str = "sha256") -> str:
        """The digest of what the good file holds."""
        return digest(str(seed), size, name, algorithm)


class Server(socketserver.ThreadingTCPServer):
    """Answers until it is ended."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, log: Path | None = None, folder: Path | None = None) -> None:
        self.log, self.folder = log, folder
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Request)

    def due(self, path: str, times: int | None) -> bool:
        """Whether a request of an address still misbehaves."""
        with self.lock:
            self.counts[path] += 1
            return times is None or self.counts[path] <= times

    def write(self, fields: list[object]) -> None:
        """One line per request, in the format of the APIs' logs."""
        if self.log:
            with self.lock, open(self.log, "a", encoding="utf-8") as log:
                log.write("\t".join(str(field).replace("\t", " ") for field in fields) + "\n")


class _Request(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_HEAD(self) -> None:  # the name is http.server's
        """As GET, without the body."""
        self.do_GET()

    def do_GET(self) -> None:  # the name is http.server's
        """Find out what is wanted, and send or spoil it."""
        began, self.sent, self.code = time.time(), 0, 0
        try:
            self._answer()
        except (BrokenPipeError, ConnectionError, TimeoutError):
            self.close_connection = True
        except (ValueError, IndexError, LookupError):
            self._status(404)
        asked = self.headers.get("Range", "")
        agent = self.headers.get("User-Agent", "")
        micros = int((time.time() - began) * 1e6)
        self.server.write([int(began * 1000), self.command, self.path, self.code, self.sent, 0, micros, asked, agent])

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        words = parts.path.strip("/").split("/")
        behaviour = words[0]
        if behaviour == "files":
            self._file("/".join(words[1:]))
            return
        seed, size, name = words[1], int(words[2]), (words[3] if len(words) > 3 else "")
        times = int(query["times"]) if "times" in query else None
        if not self.server.due(self.path, times):
            behaviour = "good"
        if behaviour == "sums":
            line = f"{digest(seed, size, name, query.get('algorithm', 'sha256'))}  {name}\n".encode()
            self._begin(200, {"Content-Type": "text/plain", "Content-Length": len(line)})
            self._send([line])
        elif behaviour in _PLAIN:
            self._body(behaviour, seed, size, name, query)
        elif behaviour in ("redirect", "loop"):
            target = self.path.replace("/redirect/", "/good/", 1)
            self._begin(302, {"Location": target, "Content-Length": 0})
        elif behaviour == "silent":
            time.sleep(_HANG)
            self.close_connection = True
        else:
            self._status(int(behaviour))

    def _status(self, code: int) -> None:
        more = {"Retry-After": 1} if code in (429, 503) else {}
        with contextlib.suppress(OSError):
            self._begin(code, {"Content-Length": 0, **more})

    def _file(self, name: str) -> None:
        folder = self.server.folder
        path = (folder / name).resolve() if folder else None
        if path is None or folder is None or folder.resolve() not in path.parents or not path.is_file():
            self._status(404)
            return
        data = path.read_bytes()
        self._begin(200, {"Content-Length": len(data), "Content-Type": "application/octet-stream"})
        self._send([data])

    def _body(self, behaviour: str, seed: str, size: int, name: str, query: dict[str, str]) -> None:
        at = min(int(query.get("at", size // 2)), size)
        if behaviour == "wrong":
            seed = f"not {seed}"
        whole = size
        if behaviour == "short":
            size = at
        start, stop = (0, size) if behaviour == "norange" else self._range(size)
        if start >= size > 0:
            self._begin(416, {"Content-Range": f"bytes */{size}", "Content-Length": 0})
            return
        headers: dict[str, object] = {
            "Content-Type": "application/octet-stream",
            "Content-Length": stop - start,
            "ETag": f'"{seed}-{size}-{name}"',
            "Last-Modified": "Mon, 05 Jan 2026 12:00:00 GMT",
        }
        if behaviour != "norange":
            headers["Accept-Ranges"] = "bytes"
        if (start, stop) != (0, size):
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self._begin(206 if "Content-Range" in headers else 200, headers)
        last = min(stop, max(start, at)) if behaviour in ("hang", "truncated") else stop
        pieces = content(seed, whole, name, start, last)
        if behaviour == "flipped":
            pieces = _flipped(pieces, at - start)
        self._send(pieces, int(query.get("rate", 0)))
        if behaviour == "hang" and self.command == "GET":
            time.sleep(_HANG)
        if last < stop:
            self.close_connection = True

    def _range(self, size: int) -> tuple[int, int]:
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not found or found.groups() == ("", ""):
            return 0, size
        first, last = found.groups()
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(size, int(last) + 1) if last else size

    def _begin(self, code: int, headers: dict[str, object]) -> None:
        self.code = code
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key, str(value))
        self.end_headers()

    def _send(self, pieces: Iterator[bytes] | list[bytes], rate: int = 0) -> None:
        if self.command == "HEAD":
            return
        began = time.monotonic()
        for piece in pieces:
            step = max(1, rate // 10) if rate else len(piece)
            for offset in range(0, len(piece), step):
                part = piece[offset : offset + step]
                self.wfile.write(part)
                self.sent += len(part)
                if rate:
                    time.sleep(max(0.0, self.sent / rate - (time.monotonic() - began)))

    def log_message(self, format: str, *args: object) -> None:  # the name is http.server's
        """It has a log of its own."""


def _flipped(pieces: Iterator[bytes], at: int) -> Iterator[bytes]:
    for piece in pieces:
        if 0 <= at < len(piece):
            yield piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
        else:
            yield piece
        at -= len(piece)


if __name__ == "__main__":
    Server(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])).serve_forever()
