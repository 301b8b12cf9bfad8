# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The switch's world: its database, its programs, its clock. The only file here that talks to any of them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Union

from .words import Hash, Rows, SwitchError

SOCKET = "/var/run/redis/redis.sock"
CONFIG_DB, STATE_DB = 4, 6
#: Seconds for one answer of the database: a dump of 10,000 rows takes less than one.
ANSWER = 20.0
#: Set by SONiC when CONFIG_DB is complete.
INITIALISED = "CONFIG_DB_INITIALIZED"

#: Bytes that a program may print: what FRR says of its largest tables would fill the memory of a switch.
OUTPUT = 32_000_000
#: In the environment of whatever a process starts in its turn, with where and who it is: what it left is found by that.
HOLDER = "SCS_LANDSCAPE_HOLDER"
_turns: list[tuple[int, str]] = []

Reply = Union[None, int, bytes, Exception, list[Any]]


class Refused(Exception):
    """The database answered with an error."""


class Redis:
    """One connection to one database, in the protocol RESP 2.

    :raises SwitchError: ``database_gone`` when nobody answers.
    """

    def __init__(self, number: int = CONFIG_DB, path: str = SOCKET, patience: float = 0.0) -> None:
        self._path, self._number = path, number
        end, pause = time.monotonic() + patience, 0.01
        while True:
            try:
                self._open()
                return
            except (OSError, Refused) as error:  # Refused: it is still reading its file
                if time.monotonic() >= end:
                    raise SwitchError("database_gone", path=path, why=str(error)) from error
                time.sleep(pause)
                pause = min(2 * pause, 0.3)

    def _open(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER)
            self._socket.connect(self._path)
            self._stream: BinaryIO = self._socket.makefile("rb")
            self._socket.sendall(_encoded(["SELECT", str(self._number)]) + _encoded(["PING"]))
            for _number in range(2):
                reply = self._reply()
                if isinstance(reply, Exception):
                    raise reply
        except (OSError, Refused):
            self._socket.close()
            raise

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(OSError):
            self._stream.close()
            self._socket.close()

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, *_parts: object) -> None:
        self.close()

    def many(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """The replies to several commands sent at once; an error is one of the replies."""
        try:
            for start in range(0, len(commands), 500):  # both sides have buffers that end somewhere
                part = commands[start : start + 500]
                self._socket.sendall(b"".join(_encoded(command) for command in part))
                if start == 0:
                    replies: list[Reply] = []
                replies += [self._reply() for _command in part]
        except OSError as error:
            raise SwitchError("database_gone", path=self._path, why=str(error) or type(error).__name__) from error
        return replies if commands else []

    def call(self, *command: str) -> Any:
        """The reply to one command.

        :raises SwitchError: ``database_refused`` when it is an error.
        """
        reply = self.many([command])[0]
        if isinstance(reply, Exception):
            raise SwitchError("database_refused", why=str(reply), command=command[0])
        return reply

    def _reply(self) -> Reply:
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("it closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Refused(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return [self._reply() for _item in range(int(rest))] if int(rest) >= 0 else None
        raise ConnectionError("it speaks another protocol")

    def _bulk(self, size: int) -> bytes | None:
        if size < 0:
            return None
        content = self._stream.read(size + 2)
        if len(content) != size + 2:
            raise ConnectionError("it closed the connection")
        return content[:-2]

    def dump(self) -> Rows:
        """All rows: what has ``|`` in its name and is a hash."""
        names = sorted(text(name) for name in self.call("KEYS", "*|*"))
        replies = self.many([("HGETALL", name) for name in names])
        return {name: fields(reply) for name, reply in zip(names, replies) if isinstance(reply, list) and reply}

    def row(self, name: str) -> Hash | None:
        """One row, or nothing when it is not there."""
        return fields(self.call("HGETALL", name)) or None


def _encoded(command: Sequence[str]) -> bytes:
    parts = [part.encode("utf-8", "surrogateescape") for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def text(raw: bytes) -> str:
    """What the database holds as a text; bytes that are no UTF-8 survive the way there and back."""
    return raw.decode("utf-8", "surrogateescape")


def fields(reply: Any) -> Hash:
    """The fields of a reply to ``HGETALL``, sorted."""
    words = [text(word) for word in reply]
    return dict(sorted(zip(words[::2], words[1::2])))


def write(redis: Redis, name: str, before: Hash | None, after: Hash | None, *, force: bool = False) -> None:
    """Makes one row what it is to be, as one transaction.

    :param before: how it must be found; not looked at with ``force``.
    :raises SwitchError: ``row_changed`` when it is found another way; nothing is written then.
    """
    redis.call("WATCH", name)
    found = redis.row(name)
    if not force and found != before:
        redis.call("UNWATCH")
        raise SwitchError("row_changed", row=name)
    commands: list[list[str]] = [["MULTI"]]
    if after is None:
        commands.append(["DEL", name])
    else:
        gone = sorted((found or {}).keys() - after.keys())
        new = [part for pair in sorted(after.items()) if (found or {}).get(pair[0]) != pair[1] for part in pair]
        # A row is never without fields: that would remove it.
        commands += [["HSET", name, *new]] if new else []
        commands += [["HDEL", name, *gone]] if gone else []
    replies = redis.many([*commands, ["EXEC"]])
    faults = [reply for reply in replies if isinstance(reply, Exception)]
    if faults:
        raise SwitchError("database_refused", why=str(faults[0]), row=name)
    results = replies[-1]
    if results is None:
        raise SwitchError("row_changed", row=name)
    for result in results if isinstance(results, list) else []:
        if isinstance(result, Exception):
            raise SwitchError("database_refused", why=str(result), row=name)


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


async def _printed(stream: Any, group: int) -> bytes | None:
    """What a program prints to its end; nothing when it was ended because that is too much."""
    data, is_much = bytearray(), False
    while True:
        part = await stream.read(65536)  # also after it was ended: nobody sees that before its pipes are empty
        if not part:
            return None if is_much else bytes(data)
        data += part
        if len(data) > OUTPUT:
            _end(group)
            data, is_much = bytearray(), True


def run(argv: Sequence[str], seconds: float = 60.0) -> tuple[int, str, str]:
    """Runs a program without a shell, without input and never for ever: exit status, output, errors.

    The status is 124 when it took too long, 125 when it printed more than :data:`OUTPUT`, and 127 when it cannot be started.
    A program that took too long or printed too much is ended with all that it started.
    """
    import asyncio  # takes longer to load than all the rest, and a call that only reads rows does without

    path = f"{os.environ.get('PATH', '')}:/usr/local/bin:/usr/sbin:/sbin"

    async def ended() -> tuple[int, str, str]:
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        # vtysh keeps a history of all that it is told, secrets included
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": path, "VTYSH_HISTFILE": "/dev/null"}
        environment.update((HOLDER, f"{place} {pid}") for pid, place in _turns if pid == os.getpid())
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=nothing, stdout=pipe, stderr=pipe, cwd="/", env=environment, start_new_session=True
        )
        try:
            whole = asyncio.gather(
                _printed(process.stdout, process.pid), _printed(process.stderr, process.pid), process.wait()
            )
            out, err, _status = await asyncio.wait_for(whole, seconds)
        except asyncio.TimeoutError:
            _end(process.pid)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.communicate(), 5.0)
            return 124, "", f"{argv[0]} did not end within {seconds:.0f} s"
        if out is None or err is None:
            return 125, "", f"{argv[0]} prints more than {OUTPUT // 1_000_000} MB"
        return process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    try:
        return asyncio.run(ended())
    except OSError as error:
        return 127, "", f"{argv[0]}: {error.strerror or error}"


@contextlib.contextmanager
def marked(place: str) -> Iterator[None]:
    """Whatever is started in the block carries our number, and the file that says whose turn it is."""
    _turns.append((os.getpid(), place))
    try:
        yield
    finally:
        _turns.remove((os.getpid(), place))


def end_orphans(place: str, patience: float = 10.0) -> int:
    """Ends what a process that is gone started in its turn, and waits for that; to be called in turn. How many there were.

    :raises SwitchError: ``busy`` when one does not end.
    """
    count, end = 0, time.monotonic() + patience
    while True:
        left = _marked_by_others(place)
        if not left:
            return count
        if time.monotonic() >= end:
            raise SwitchError("busy", pid=0)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                group = os.getpgid(pid)
                os.kill(pid, signal.SIGKILL)
                if group not in (0, 1, os.getpgid(0)):
                    os.killpg(group, signal.SIGKILL)
        count += len(left)
        time.sleep(0.05)


def _marked_by_others(place: str) -> list[int]:
    mark = f"{HOLDER}={place} ".encode()
    own = mark + str(os.getpid()).encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and name != str(os.getpid()):
            try:
                with open(f"/proc/{name}/environ", "rb") as stream:
                    words = stream.read().split(b"\0")
            except OSError:
                continue
            if own not in words and any(word.startswith(mark) for word in words):
                found.append(int(name))
    return found


def boot_id() -> str:
    """Names the time since the last boot."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def keeps_database() -> bool:
    """Whether the last boot was one of those (warm, fast, express) that keep all databases and load no file."""
    with open("/proc/cmdline", encoding="utf-8", errors="replace") as stream:
        words = stream.read().split()
    return any(word == "fast-reboot" or (word.startswith("SONIC_BOOT_TYPE=") and word[16:] != "cold") for word in words)


def uptime() -> float:
    """Seconds since boot, also those asleep; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def log(message: str) -> None:
    """One line in the switch's log; never values, never keys."""
    run(["logger", "-t", "scs-landscape", "--", message], 5.0)


@contextlib.contextmanager
def database(number: int = CONFIG_DB, patience: float = 0.0) -> Iterator[Redis]:
    """A connection for the time of the block."""
    with Redis(number, os.environ.get("SCS_LANDSCAPE_REDIS", SOCKET), patience) as redis:
        yield redis
