# SPDX-License-Identifier: Apache-2.0
"""Debian packages the checks stand on: installed when we may, one clear sentence when we may not."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .console import Unavailable, say
from .paths import CACHE, locked

#: Asked by every package that wants to start its service; it says no while we install.
_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_SERVICES = (
    "#!/bin/sh\n# Written by the tests of scs.landscape, removed when they have installed what they need.\nexit 101\n"
)


def missing(packages: list[str]) -> list[str]:
    """Return the packages that are not installed."""

    def installed(package: str) -> bool:
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"

    return [package for package in packages if not installed(package)]


def ensure(packages: list[str], why: str, services: tuple[str, ...] = ()) -> None:
    """Install what is missing.

    :param why: what the packages are for, for the message.
    :param services: units of these packages that must neither start now nor at the next boot, when we bring them.
    :raises Unavailable: without apt or root, or when apt fails.
    """
    if not shutil.which("apt-get"):
        raise Unavailable(f"{why} needs the programs of {', '.join(packages)}, and this machine has no apt")
    with locked(CACHE / "apt"):
        wanted = missing(packages)
        if wanted:
            with _held_back(services):
                _install(wanted, why)


@contextlib.contextmanager
def _held_back(services: tuple[str, ...]) -> Iterator[None]:
    """Start no service of what is installed meanwhile; the machine's own rule, where it has one, stays."""
    ours = bool(services) and (not _POLICY.exists() or _POLICY.read_text(encoding="utf-8") == _NO_SERVICES)
    if ours and os.geteuid() == 0:
        _POLICY.write_text(_NO_SERVICES, encoding="utf-8")
        _POLICY.chmod(0o755)
    try:
        yield
        if services and shutil.which("systemctl"):
            # Debian enables what it installs; without systemd as PID 1 this changes links only.
            subprocess.run(["systemctl", "--quiet", "disable", *services], capture_output=True, check=False)
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def program(name: str, package: str, why: str) -> Path:
    """Return a program: the machine's own, else one taken out of its Debian package without installing that.

    For a tool whose package would also start a service.

    :param why: what the program is for, for the message.
    :raises Unavailable: without apt, or when the package cannot be had.
    """
    own = shutil.which(name)
    if own:
        return Path(own)
    if not shutil.which("apt-get"):
        raise Unavailable(f"{why} needs {name}, and this machine has no apt")
    folder = CACHE / "packages" / package
    with locked(folder):
        if not folder.is_dir():
            _unpack(package, folder, why)
    return folder / "usr" / "bin" / name


def _unpack(package: str, folder: Path, why: str) -> None:
    partial = folder.with_name(f"{package}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if os.geteuid() == 0:
        _run(["apt-get", "--quiet", "update"], why)
    # The sandbox user of apt may not write into our folder.
    _run(["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", "download", package], why, partial)
    archive = next(partial.glob("*.deb"))
    _run(["dpkg-deb", "--extract", str(archive), str(partial)], why, partial)
    archive.unlink()
    partial.rename(folder)


def _install(wanted: list[str], why: str) -> None:
    if os.geteuid() != 0:
        raise Unavailable(f"{why} needs Debian packages; run as root: apt-get install {' '.join(wanted)}")
    say(f"installing Debian packages for {why}: {' '.join(wanted)}")
    _run(["apt-get", "--quiet", "update"], why)
    _run(["apt-get", "--quiet", "install", "--yes", "--no-install-recommends", *wanted], why)


def _run(command: list[str], why: str, folder: Path | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"{why}: `{' '.join(command)}` failed: {' '.join(last)}")
