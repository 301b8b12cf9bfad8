# SPDX-License-Identifier: Apache-2.0
"""Debian packages the checks stand on: installed when we may, one clear sentence when we may not."""

from __future__ import annotations

import os
import shutil
import subprocess

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


def _install(wanted: list[str], why: str) -> None:
    command = f"apt-get install {' '.join(wanted)}"
    if os.geteuid() != 0:
        raise Unavailable(f"{why} needs Debian packages; run as root: {command}")
    say(f"installing Debian packages for {why}: {' '.join(wanted)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise Unavailable(f"{why}: `{command}` failed: {' '.join(last)}")
