# SPDX-License-Identifier: Apache-2.0
"""The controller's side of a lane: a process whose network namespace is the controller's, and the way to packages.

Machines have no Internet. Their apt asks this small HTTP proxy, which answers for Debian's repositories alone and gets
the files from the mirrors of this machine's own apt. Its threads live in the network namespace of this machine, the
listening socket in that of the lane.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from . import kernel

PORT = 3142
_SECONDS = 60


class Forwarder(socketserver.ThreadingTCPServer):
    """Answers what the machines' apt asks for."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, mirrors: dict[str, str], outside: str) -> None:
        self.mirrors, self.outside = mirrors, outside
        super().__init__(("0.0.0.0", PORT), _Request)  # noqa: S104 - all there is in its namespace

    def real(self, address: str) -> str:
        """Where a file really is; empty for everything that is not of Debian's repositories."""
        for known, mirror in self.mirrors.items():
            if address.startswith(f"{known}/") and ".." not in address:
                return mirror + address[len(known) :]
        return ""


class _Request(http.server.BaseHTTPRequestHandler):
    """One request of a machine's apt."""

    server: Forwarder
    timeout = _SECONDS

    def do_GET(self) -> None:  # the name is http.server's
        """Pass the request on and the answer back."""
        address = self.server.real(self.path)
        if not address:
            self.send_error(403, "Only Debian's repositories are forwarded")
            return
        kernel.enter_network(self.server.outside)
        names = ("If-Modified-Since", "Range", "If-Range", "Cache-Control")
        headers = {name: self.headers[name] for name in names if self.headers[name]}
        try:
            request = urllib.request.Request(address, headers=headers)  # noqa: S310 - a mirror of apt's
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                self._begin(answer.status, answer.headers)
                shutil.copyfileobj(answer, self.wfile)
        except urllib.error.HTTPError as error:
            self.send_response(error.code)
            self.end_headers()
        except OSError as error:
            with contextlib.suppress(OSError):
                self.send_error(502, f"The mirror does not answer: {type(error).__name__}")

    def _begin(self, status: int, headers: object) -> None:
        self.send_response(status)
        for name in ("Content-Length", "Content-Type", "Last-Modified", "Content-Range"):
            value = headers.get(name)  # type: ignore[attr-defined]
            if value:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # the name is http.server's
        """Nobody reads it."""


def main() -> None:
    """Makes the namespace, says so, and stays when told within its starter's life."""
    mirrors = json.loads(sys.argv[1])
    outside = os.open("/proc/self/ns/net", os.O_RDONLY)
    kernel.own_network()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    forwarder = Forwarder(mirrors, f"/proc/{os.getpid()}/fd/{outside}")
    print(f"ready {os.getpid()}", flush=True)
    if sys.stdin.readline().strip() != "go":
        return  # whoever started us is gone, and nobody wrote down that we are here
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    threading.Thread(target=forwarder.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
