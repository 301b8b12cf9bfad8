# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The host itself: files, accounts, kernel settings, services, packages. The only file of the domain that does I/O."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable

from ..core.errors import LandscapeError
from ..core.record import write_atomic
from .model import FileState, Unit, User

#: Runs a program: ``run(argv, seconds, environment)`` gives exit status, output and errors. See ``adapter.programs``.
Runner = Callable[[Sequence[str], float, Mapping[str, str]], tuple[int, str, str]]
#: For every program: the C locale, no questions, and programs of the system (a user's PATH has no sbin).
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin",
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
}
#: Starts its arguments in a session of their own, without anything of ours open; ``setsid`` forks before it looks.
_DETACH = 'command -v "$1" >/dev/null && exec setsid --fork "$@" </dev/null >/dev/null 2>&1'


class Outcome:
    """How a command ended.

    :param code: exit status; 127 when there is no such program, 124 when it took too long.
    """

    def __init__(self, code: int, out: str = "", err: str = "") -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def reason(self) -> str:
        """The last thing it said, in one line."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"exit status {self.code}"


def together(commands: Sequence[Sequence[str]], seconds: float) -> list[Outcome]:
    """Runs programs at the same time, which the one after the other of :meth:`Host.run` cannot; never raises for how they end."""

    async def ended() -> list[Outcome]:
        return list(await asyncio.gather(*(_ended(argv, seconds) for argv in commands)))

    return asyncio.run(ended())


async def _ended(argv: Sequence[str], seconds: float) -> Outcome:
    """How a program ended, or was ended."""
    nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    environment = {**os.environ, **_ENVIRONMENT}
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=nothing, stdout=pipe, stderr=pipe, env=environment, cwd="/"
        )
    except OSError as error:
        return Outcome(127, err=f"{argv[0]} cannot be started: {error.strerror}")
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        return Outcome(124)
    return Outcome(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))


class Host:
    """The machine we run on.

    :param runner: runs programs.
    :param root: where its file system begins; another one than ``/`` in tests.
    """

    def __init__(self, runner: Runner, root: str = "/") -> None:
        self.runner = runner
        self.root = root

    def at(self, path: str) -> str:
        """Where a path of the host is found."""
        return os.path.join(self.root, path.lstrip("/"))

    def run(self, argv: Sequence[str], seconds: float = 30.0) -> Outcome:
        """Runs a program; never raises for how it ends."""
        return Outcome(*self.runner(argv, seconds, _ENVIRONMENT))

    def start(self, argv: Sequence[str]) -> bool:
        """Starts a program that outlives us; whether it could be started."""
        return not self.run(["sh", "-c", _DETACH, "sh", *argv]).code

    def greets(self, port: int, patience: float = 8.0) -> bool:
        """Whether an SSH server answers on a port of this host, IPv4 or IPv6, now or soon.

        :param patience: seconds; a server that was told to reload starts itself anew and is away for a moment.
        """
        deadline = time.monotonic() + patience
        while True:
            for address in ("127.0.0.1", "::1"):
                with contextlib.suppress(OSError), socket.create_connection((address, port), 2) as connection:
                    connection.settimeout(2)
                    if connection.recv(4) == b"SSH-":
                        return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)

    def is_root(self) -> bool:
        """Whether we may change anything."""
        return os.geteuid() == 0 or self.root != "/"

    def read(self, path: str) -> FileState | None:
        """A file, or nothing when there is none.

        :raises LandscapeError: it is there and cannot be read, or is no file.
        """
        try:
            with open(self.at(path), encoding="utf-8", errors="surrogateescape", newline="") as stream:
                status = os.fstat(stream.fileno())
                return FileState(stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LandscapeError(f"{path} cannot be read: {error.strerror or error}") from error

    def text(self, path: str) -> str:
        """Content of a file of the kernel or the system, empty when it is not there or not readable."""
        try:
            with open(self.at(path), encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except OSError:
            return ""

    def link(self, path: str) -> str:
        """Where a symbolic link leads, empty when it is none."""
        try:
            return os.readlink(self.at(path))
        except OSError:
            return ""

    def names(self, folder: str) -> list[str]:
        """Names in a folder, none when there is no folder."""
        try:
            return sorted(os.listdir(self.at(folder)))
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Whether there is something of that name."""
        return os.path.lexists(self.at(path))

    def user(self, name: str) -> User | None:
        """An account, or nothing."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return User(name, entry.pw_uid, entry.pw_gid, entry.pw_dir)

    def nodename(self) -> str:
        """The kernel's host name."""
        return os.uname().nodename

    def set_nodename(self, name: str) -> None:
        """Sets the kernel's host name.

        :raises LandscapeError: it cannot be set.
        """
        try:
            socket.sethostname(name)
        except OSError as error:
            raise LandscapeError(f"The host name cannot be set to {name}: {error.strerror}") from error

    def write(self, path: str, content: str, mode: int, before: FileState | None, account: User | None) -> None:
        """Puts a file in place as a whole.

        :raises LandscapeError: it cannot be written; the old one is still there.
        """
        target = self.at(path)
        try:
            with _as(account, self.root):
                self._make_folders(os.path.dirname(target), 0o700 if account else 0o755)
                write_atomic(target, content, mode=mode, scratch=f"{target}.scs-landscape")
            if account is None and before is not None and (before.uid or before.gid):
                os.chown(target, before.uid, before.gid)
        except OSError as error:
            reason = error.strerror or str(error)
            hint = "The old file is still there; mend that and run again"
            raise LandscapeError(f"{path} cannot be written: {reason}", hint=hint) from error
        if self.exists("/sys/fs/selinux/enforce"):
            self.run(["restorecon", "-F", path])

    def _make_folders(self, folder: str, mode: int) -> None:
        if os.path.islink(folder) and mode == 0o700:
            raise OSError(f"{folder} is a symbolic link")
        if not os.path.isdir(folder):
            self._make_folders(os.path.dirname(folder), mode)
            os.mkdir(folder, mode)
            os.chmod(folder, mode)

    def remove(self, path: str, account: User | None = None) -> None:
        """Takes a file away; none is fine.

        :raises LandscapeError: it cannot be removed.
        """
        try:
            with _as(account, self.root), contextlib.suppress(FileNotFoundError):
                os.unlink(self.at(path))
        except OSError as error:
            raise LandscapeError(f"{path} cannot be removed: {error.strerror or error}") from error

    def sysctl(self, key: str) -> tuple[str | None, bool]:
        """A kernel setting and whether it can be written; ``None`` when the kernel has none of that name."""
        path = self.at(sysctl_path(key))
        try:
            with open(path, encoding="utf-8") as stream:
                return " ".join(stream.read().split()), os.access(path, os.W_OK)
        except PermissionError:
            return "", os.access(path, os.W_OK)  # some can only be written
        except OSError:
            return None, False

    def set_sysctl(self, key: str, value: str) -> None:
        """Sets a kernel setting.

        :raises LandscapeError: the kernel refuses.
        """
        try:
            with open(self.at(sysctl_path(key)), "w", encoding="utf-8") as stream:
                stream.write(value)
        except OSError as error:
            raise LandscapeError(f"sysctl {key} cannot be set to {value!r}: {error.strerror}") from error

    def units(self, names: Sequence[str]) -> dict[str, Unit]:
        """State of systemd units, by one call; empty where there is no systemd."""
        if not names or not self.exists("/run/systemd/system"):
            return {}
        done = self.run(["systemctl", "show", "--property=Id,ActiveState,LoadState", "--", *names])
        found = {}
        for block in done.out.split("\n\n"):
            pairs = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if "Id" in pairs:
                found[pairs["Id"]] = Unit(pairs.get("ActiveState", ""), pairs.get("LoadState") == "loaded")
        # A unit may answer under its real name (sshd.service for ssh.service).
        return {name: found.get(name, Unit()) for name in names}

    def obstacles(self, paths: Iterable[str], need: int) -> list[str]:
        """Why files cannot be written, one sentence for each reason; ``need`` bytes are to be free."""
        found: dict[str, str] = {}
        for folder in sorted({self._existing(os.path.dirname(path)) for path in paths}):
            why = self._obstacle(folder, need)
            above = [
                known for known, told in found.items() if told[:9] == why[:9] and f"{folder}/".startswith(f"{known}/")
            ]
            if why and not above:
                found[folder] = why
        return [f"the file system of {folder} {why}" for folder, why in found.items()]

    def _existing(self, folder: str) -> str:
        while not os.path.isdir(self.at(folder)) and folder != "/":
            folder = os.path.dirname(folder)
        return folder

    def _obstacle(self, folder: str, need: int) -> str:
        space = os.statvfs(self.at(folder))
        if space.f_flag & os.ST_RDONLY:
            return "is read-only"
        if space.f_blocks and space.f_bfree * space.f_frsize < need:
            return f"is full ({space.f_bfree * space.f_frsize // 1024} KiB left, {need // 1024} KiB needed)"
        return "has no inodes left" if space.f_files and not space.f_ffree else ""

    def ask(self, command: Sequence[str], text: str) -> tuple[int, str]:
        """Exit status of a program that reads a text, and what it said about it (or printed, when it is content).

        The text is handed over in memory: nothing is written, so that check mode can ask too.

        :param command: ``{}`` in it becomes a path that holds the text.
        """
        handle = os.memfd_create("scs-landscape")
        try:
            os.write(handle, text.encode("utf-8", "surrogateescape"))
            path = f"/proc/{os.getpid()}/fd/{handle}"
            done = self.run([part.replace("{}", path) for part in command])
        finally:
            os.close(handle)
        if not done.code:
            return 0, done.out
        said = [line.strip() for line in (done.err + done.out).splitlines() if line.strip()]
        return done.code, " / ".join(said)[:500].replace(path, "the new text") or f"exit status {done.code}"

    def judge(self, command: Sequence[str], text: str) -> str:
        """Why a program does not accept a text, empty when it does or is not installed."""
        code, said = self.ask(command, text)
        return said if code not in (0, 127) else ""


@contextlib.contextmanager
def _as(account: User | None, root: str) -> Iterator[None]:
    """Acts with the rights of a user, so that links in a home folder lead nowhere that the user may not go."""
    if account is None or os.geteuid() != 0 or root != "/":
        yield
        return
    groups = os.getgroups()
    os.setgroups([account.gid])
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def sysctl_path(key: str) -> str:
    """The file of a kernel setting. sysctl.d(5): dots and slashes change places when a slash comes first."""
    first = next((character for character in key if character in "./"), ".")
    return "/proc/sys/" + (key.replace(".", "/") if first == "." and "/" not in key else _mixed(key, first))


def _mixed(key: str, first: str) -> str:
    return key if first == "/" else key.translate(str.maketrans("./", "/."))
