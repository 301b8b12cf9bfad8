# SPDX-License-Identifier: Apache-2.0
"""Builds the lab's Go programs, once per content; with the machine's own Go or the one of the package index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ...tools import environments
from ...tools.console import Unavailable, say
from ...tools.legs import LEGS
from ...tools.paths import CACHE, REPO, digest, locked

SOURCES = REPO / "tests" / "lab" / "vsphere" / "simulator"
#: What go.mod asks for.
_LEAST = (1, 25)
_SECONDS = 1800


def program(name: str = "simulator") -> Path:
    """The program of that name, built at first use: ``simulator``, or ``govmomi``, the client of its own.

    :raises Unavailable: no Go can be had, or its modules cannot be fetched.
    """
    files = sorted(path for path in SOURCES.rglob("*") if path.suffix in (".go", ".mod", ".sum"))
    folder = CACHE / "lab" / "vsphere" / "programs" / digest(*(part for file in files for part in _parts(file)))
    with locked(folder):
        if not (folder / "complete").exists():
            _build(folder)
    return folder / name


def _parts(file: Path) -> tuple[str, bytes]:
    return str(file.relative_to(SOURCES)), file.read_bytes()


def _build(folder: Path) -> None:
    command = go()
    say("building the lab's vSphere (once, one to five minutes)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # where modules come from is the machine's own business: GOPROXY and its like stay as they are
    environ = {
        **os.environ,
        "GOMODCACHE": str(CACHE / "go" / "modules"),
        "GOCACHE": str(CACHE / "go" / "build"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "CGO_ENABLED": "0",
    }
    argv = [command, "build", "-o", f"{folder}/", "./..."]
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": _SECONDS}
    done = subprocess.run(argv, cwd=SOURCES, env=environ, check=False, **options)
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise Unavailable(f"the lab's vSphere cannot be built: {last}")
    (folder / "complete").touch()


def go() -> str:
    """A Go that is new enough: of this machine, else of the package index.

    :raises Unavailable: the package cannot be installed.
    """
    for found in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if found and os.access(found, os.X_OK) and _version(found) >= _LEAST:
            return found
    # the program itself: what pip puts beside it wants the environment's Python, which may be that of another Debian
    packages = environments.environment(LEGS["go"]).path / "lib"
    return str(next(packages.glob("python3.*/site-packages/go/bin/go")))


def _version(command: str) -> tuple[int, ...]:
    environ = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([command, "version"], env=environ, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else (0,)
