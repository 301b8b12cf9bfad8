# SPDX-License-Identifier: Apache-2.0
"""Runs a command as root in a guest, as ``nsenter`` does in a machine: the same input, output and exit code.

``python3 guests_client.py <path of the network namespace> <environment as JSON> <command> <arguments>``
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import sys
import threading
import time

if __package__:
    from . import guests_agent as agent
else:  # a program that must start quickly
    import guests_agent as agent

_CLONE_NEWNET = 0x40000000
#: Seconds a guest may take until its part of us answers; a guest that boots does not at once.
_PATIENCE = 60.0
_NOBODY = 255


def main() -> int:
    """Returns the exit code of the command; 255 when there is no guest to run it."""
    path, environment, *argv = sys.argv[1:]
    handle = os.open(path, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns {path}")
    try:
        line = _connect(path)
        line.ask({"argv": argv, "environment": json.loads(environment)})
        threading.Thread(target=_feed, args=(line,), daemon=True).start()
        return _relay(line)
    except OSError as error:
        print(f"the guest does not answer: {error}", file=sys.stderr)
        return _NOBODY


def _connect(path: str) -> agent.Line:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = socket.create_connection((agent.ADDRESS[1], agent.PORT), timeout=2)
        except OSError:
            if time.monotonic() > end or not os.path.exists(path):
                raise
            time.sleep(0.05)
            continue
        connection.settimeout(None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4)):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        return agent.Line(connection)


def _feed(line: agent.Line) -> None:
    with contextlib.suppress(OSError):
        while True:
            part = os.read(0, 65536)
            line.send(agent.STDIN, part)
            if not part:
                return


def _relay(line: agent.Line) -> int:
    while True:
        frame = line.receive()
        if frame is None:
            raise ConnectionError("the connection ended")
        kind, content = frame
        if kind == agent.ENDED:
            return int(content)
        view = memoryview(content)
        while view:
            view = view[os.write(1 if kind == agent.STDOUT else 2, view) :]


if __name__ == "__main__":
    code = main()
    if code < 0:  # ended by a signal, and so do we
        os.kill(os.getpid(), -code)
    os._exit(code)  # the thread that waits for input would hold us
