# SPDX-License-Identifier: Apache-2.0
"""Runs commands as root in a guest for whoever is on this machine, without SSH: the part inside of the guest.

The last network device of a guest leads to this program alone. It lies in a network namespace of its own, so that the
guest has the ports of the model and no other. A request is a line of JSON, the rest are frames: a byte that says what
it is, four that say how long, the content.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

ADDRESS, PORT = ("169.254.213.1", "169.254.213.2"), 1
STDIN, STDOUT, STDERR, ENDED = range(4)
_HEAD = struct.Struct("!BI")
_CLONE_NEWNET = 0x40000000
_MOST = 65536


class Line:
    """A connection that carries frames."""

    def __init__(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._stream, self._lock = connection, connection.makefile("rb"), threading.Lock()

    def ask(self, request):
        """Send the first line."""
        self._connection.sendall(json.dumps(request).encode() + b"\n")

    def asked(self):
        """What the first line says."""
        return json.loads(self._stream.readline())

    def send(self, kind, content):
        """Send one frame."""
        with self._lock:
            self._connection.sendall(_HEAD.pack(kind, len(content)) + content)

    def receive(self):
        """The next frame, what it is and its content; nothing at the end of the connection."""
        head = self._stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack(head)
        return kind, self._stream.read(length)

    def close(self):
        """No more frames, either way."""
        with contextlib.suppress(OSError):  # the other side was first
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def main():
    """Answers for ever."""
    listening = _listen(sys.argv[1])
    while True:
        line = Line(listening.accept()[0])
        threading.Thread(target=_serve, args=(line,), daemon=True).start()


def _listen(device):
    """A socket in a network namespace that holds the device and nothing else; we ourselves stay where we are."""
    ours = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(
        ["nsenter", "--net=/proc/1/ns/net", "ip", "link", "set", device, "netns", str(os.getpid())], check=True
    )
    subprocess.run(["ip", "address", "add", f"{ADDRESS[1]}/30", "dev", device], check=True)
    subprocess.run(["ip", "link", "set", device, "up"], check=True)
    listening = socket.create_server((ADDRESS[1], PORT))
    if libc.setns(ours, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    return listening


def _serve(line):
    try:
        request = line.asked()
        try:
            process = subprocess.Popen(
                request["argv"],
                env=request["environment"],
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            line.send(STDERR, f"{error}\n".encode())
            line.send(ENDED, b"127")
            return
        _attend(line, process)
    except (OSError, ValueError):
        pass  # whoever asked is gone
    finally:
        line.close()


def _attend(line, process):
    readers = [
        threading.Thread(target=_pump, args=(pipe, line, kind), daemon=True)
        for pipe, kind in ((process.stdout, STDOUT), (process.stderr, STDERR))
    ]
    for thread in (*readers, threading.Thread(target=_feed, args=(line, process), daemon=True)):
        thread.start()
    code = process.wait()
    for reader in readers:
        reader.join()  # as with a pipe: a daemon that keeps the output open keeps us waiting
    line.send(ENDED, str(code).encode())


def _pump(pipe, line, kind):
    try:
        while True:
            part = os.read(pipe.fileno(), _MOST)
            if not part:
                return
            line.send(kind, part)
    except OSError:
        pass  # whoever asked is gone; the command is ended by _feed
    finally:
        pipe.close()


def _feed(line, process):
    """Pass on what the command reads; when nobody waits for it any more, end it."""
    while True:
        try:
            frame = line.receive()
        except (OSError, ValueError):
            frame = None
        if frame is None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            return
        try:
            if frame[1]:
                process.stdin.write(frame[1])
                process.stdin.flush()
            else:
                process.stdin.close()
        except (OSError, ValueError):
            pass  # it does not read any more


if __name__ == "__main__":
    main()
