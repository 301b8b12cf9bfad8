# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files of an ESXi host over SSH, with what its shell has under every licence: ``stat`` and ``dd``.

The program ``ssh`` of this machine is used, with a configuration of its own: the key of the host must be known, nothing is
forwarded, nobody is asked, and no file of a user adds commands. What is asked for is quoted for the shell at the other end.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ....core.errors import InputError, LandscapeError
from ....core.pipe import Pipe
from ....core.transfer import CHUNK, TruncatedError
from ..descriptor import SECTOR
from ..store import Part
from ..web.client import BrokenError

_HOST = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:_-]{0,254}")
_USER = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.@-]{0,63}")
_STAT = re.compile(r"(\d+) (\d+) (.+)")
#: Exit status of ``ssh`` when the connection failed, and not the command.
_NO_CONNECTION = 255
_HINT = "Switch SSH on at the host, put the key into /etc/ssh/keys-root/authorized_keys, and the host's key into known_hosts"


@dataclass(frozen=True)
class SshHost:
    """How a host is reached.

    :param key: file of the private key; the agent's keys when empty.
    :param known_hosts: file with the key of the host; the user's and the system's when empty.
    :param volumes: where datastores are mounted.
    :param timeout: seconds for connecting, and without a byte.
    """

    host: str
    user: str = "root"
    port: int = 22
    key: str = ""
    known_hosts: str = ""
    volumes: str = "/vmfs/volumes"
    timeout: float = 60.0
    program: str = "ssh"

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host) or not _USER.fullmatch(self.user):
            raise InputError(f"ssh: {self.user!r} at {self.host!r} is no user at a host")
        for option, path in (("key", self.key), ("known_hosts", self.known_hosts)):
            # ssh would read a leading ~, %, $ and spaces in them as something else.
            if path and (not path.startswith("/") or re.search(r"[\s%$\"'\\#]", path)):
                raise InputError(f"ssh: {option} is {path!r}, and has to be an absolute path of plain letters")

    def argv(self, command: list[str]) -> list[str]:
        """What runs a command there."""
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "PermitLocalCommand": "no",
            "ControlPath": "none",
            "LogLevel": "ERROR",
            "Compression": "no",
            # The default of OpenSSH costs three times the CPU where the processor knows AES.
            "Ciphers": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
            "ConnectTimeout": str(int(min(self.timeout, 30))),
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": str(max(1, int(self.timeout / 15))),
        }
        if self.key:
            options.update(IdentitiesOnly="yes", IdentityFile=self.key, IdentityAgent="none")
        if self.known_hosts:
            options.update(UserKnownHostsFile=self.known_hosts, GlobalKnownHostsFile="/dev/null")
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        where = ["-l", self.user, "-p", str(self.port), "--", self.host]
        return [self.program, "-F", "/dev/null", "-T", "-x", "-a", *words, *where, shlex.join(command)]

    def environment(self) -> dict[str, str]:
        """What ssh may know of ours."""
        names = ("PATH", "HOME", "USER") if self.key else ("PATH", "HOME", "USER", "SSH_AUTH_SOCK")
        return {"LC_ALL": "C", **{name: os.environ[name] for name in names if name in os.environ}}


#: Options of modules that reach hosts; without ``host`` it is the host that the endpoint is.
SSH_ARGUMENTS: dict[str, dict[str, object]] = {
    "host": {"type": "str"},
    "user": {"type": "str", "default": "root"},
    "port": {"type": "int", "default": 22},
    "key": {"type": "path", "no_log": False},
    "known_hosts": {"type": "path"},
    "volumes": {"type": "str", "default": "/vmfs/volumes"},
}


def ssh_of(options: Mapping[str, Any] | None, host: str, timeout: float) -> SshHost | None:
    """The host that options name, or that is meant where they name none; nothing without options."""
    if options is None:
        return None
    given = {name: value for name, value in options.items() if value is not None}
    return SshHost(**{"host": host, **given}, timeout=float(timeout))


def _output(host: SshHost, command: list[str], where: str, failed: str, hint: str) -> Iterator[bytes]:
    """What a command writes at a host.

    :raises BrokenError: the host is not reached.
    :raises LandscapeError: the command failed.
    """
    pipe = Pipe(where, host.argv(command), host.timeout, "Install openssh-client where this runs", host.environment())
    try:
        while True:
            chunk = bytearray(CHUNK)
            many = pipe.fill(chunk)
            if many:
                yield bytes(chunk[:many] if many < CHUNK else chunk)
            if many < CHUNK:
                break
        status = pipe.status()
        if status == _NO_CONNECTION:
            raise BrokenError(f"{where}: no way to {host.host} over SSH: {pipe.words()}", hint=_HINT)
        if status:
            raise LandscapeError(f"{failed}: {pipe.words()}", hint=hint or None)
    finally:
        pipe.close()


def said(host: SshHost, command: list[str], doing: str) -> str:
    """What a short command says at a host.

    :raises LandscapeError: it is not reached, or the command failed.
    """
    return b"".join(_output(host, command, doing, f"{doing}: {host.host} refused", "")).decode("utf-8", "replace")


class SshStore:
    """See :class:`..store.Store`.

    :param folder: inside the datastore; may be empty.
    """

    def __init__(self, host: SshHost, datastore: str, folder: str) -> None:
        self.name = f"[{datastore}] {folder}".rstrip()
        self._host = host
        parts = [datastore, *(folder.split("/") if folder else [])]
        if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
            raise InputError(f"{self.name} leads out of its datastore")
        self._folder = "/".join([host.volumes.rstrip("/"), *parts])
        self._files: dict[str, tuple[int, str]] = {}

    def close(self) -> None:
        """Nothing stays open between two commands."""

    def __enter__(self) -> SshStore:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def state(self, name: str) -> str:
        """See :class:`..store.Store`."""
        size = self.size(name)
        return f"{size} {self._files[name][1]}"

    def size(self, name: str) -> int:
        """See :class:`..store.Store`."""
        if name not in self._files:
            text = b"".join(self._run(name, ["stat", "-c", "%s %Y %F", self._path(name)])).decode("utf-8", "replace")
            found = _STAT.fullmatch(text.strip())
            if not found or not found[3].startswith("regular"):
                raise LandscapeError(f"{self.name}/{name} is no file: {text.strip()[:100] or 'nothing was said'}")
            self._files[name] = int(found[1]), found[2]
        return self._files[name][0]

    def read(self, name: str, offset: int, length: int) -> bytes:
        """See :class:`..store.Store`."""
        data = b"".join(self._bytes(name, offset, offset + length)) if length else b""
        if len(data) != length:
            raise TruncatedError(f"{self.name}/{name} ends at byte {offset + len(data)}")
        return data

    def stream(self, name: str, begin: int, end: int) -> Iterator[Part]:
        """See :class:`..store.Store`."""
        place = begin
        for chunk in self._bytes(name, begin, end) if begin < end else ():
            place += len(chunk)
            yield chunk
        if place != end:
            raise BrokenError(f"{self.name}/{name} broke off at byte {place} of {end}")

    def _bytes(self, name: str, begin: int, end: int) -> Iterator[bytes]:
        # Not every dd of a host can count in bytes; so whole blocks are asked for, and their ends cut off here.
        block = SECTOR if end - begin <= CHUNK // 16 else CHUNK
        first = begin // block
        counts = [f"bs={block}", f"skip={first}", f"count={-(-end // block) - first}"]
        skip, left = begin - first * block, end - begin
        for chunk in self._run(name, ["dd", f"if={self._path(name)}", *counts]):
            wanted = chunk[skip : skip + left] if skip or len(chunk) > left else chunk
            skip, left = max(0, skip - len(chunk)), left - len(wanted)
            if wanted:
                yield wanted

    def _run(self, name: str, command: list[str]) -> Iterator[bytes]:
        """What a command writes."""
        where = f"{self.name}/{name}"
        failed = f"{where} cannot be read at {self._host.host}"
        hint = "The machine must be off: files of a running one are locked"
        return _output(self._host, command, where, failed, hint)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"
