# SPDX-License-Identifier: Apache-2.0
"""Debian packages the checks stand on: installed when we may, one clear sentence when we may not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .console import Unavailable, say
from .paths import CACHE, locked


def missing(packages: list[str]) -> list[str]:
    """Return the packages that are not installed."""

    def installed(package: str) -> bool:
        query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"

    return [package for package in packages if not installed(package)]


def ensure(packages: list[str], why: str) -> None:
    """Install what is missing.

    :param why: what the packages are for, for the message.
    :raises Unavailable: without apt or root, or when apt fails.
    """
    if not shutil.which("apt-get"):
        raise Unavailable(f"{why} needs the programs of {', '.join(packages)}, and this machine has no apt")
    with locked(CACHE / "apt"):
        wanted = missing(packages)
        if wanted:
            _install(wanted, why)


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
