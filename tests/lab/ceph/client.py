# SPDX-License-Identifier: Apache-2.0
"""Ceph's client programs and libraries for this machine, taken out of Debian's packages without installing them.

For programs outside the hosts of a cluster, such as OpenStack's services: they run in the cluster's network namespace with
:func:`environment` and read :attr:`CephCluster.conf`.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from ...tools import apt
from ...tools.console import Unavailable, say
from ...tools.paths import CACHE, digest, locked

_WANTED = ["ceph-common", "python3-rados", "python3-rbd"]
_WHY = "a client of the lab's Ceph"
_SECONDS = 900


def environment() -> dict[str, str]:
    """Variables with which ``rbd``, ``ceph``, ``import rados`` and ``import rbd`` work; unpacked at first use.

    The bindings are those of Debian's own Python: another needs the same first two numbers.

    :raises Unavailable: without apt, or when the packages cannot be had.
    """
    root = _root()
    if root is None:
        return {}
    libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    paths = {
        "PATH": f"{root}/usr/bin",
        "LD_LIBRARY_PATH": ":".join(map(str, (libraries, libraries / "ceph", root / "lib" / libraries.name))),
        "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages",
    }
    return {name: ":".join(filter(None, (path, os.environ.get(name, "")))) for name, path in paths.items()}


def _root() -> Path | None:
    """Where the packages lie; None when this machine has them installed."""
    if not shutil.which("apt-get"):
        raise Unavailable(f"{_WHY} needs {', '.join(_WANTED)}, and this machine has no apt")
    if not apt.missing(_WANTED):
        return None
    folder = CACHE / "packages" / f"ceph-client-{digest(*_WANTED)}"
    with locked(folder):
        if not folder.is_dir():
            _unpack(folder)
    return folder


def _unpack(folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    say("taking Ceph's client out of Debian's packages, once")
    # what apt would install is what this machine lacks
    install = ["apt-get", "--simulate", "--no-install-recommends", "install", *_WANTED]
    plan = _run(install, partial)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    _run(["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", "download", *names], partial)
    for archive in sorted(partial.glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(partial)], partial)
        archive.unlink()
    partial.rename(folder)


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{_WHY}: `{command[0]}` took more than {_SECONDS} s; is the package mirror slow?") from None
    if done.returncode:
        raise Unavailable(
            f"{_WHY}: `{' '.join(command[:4])}` failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
        )
    return done.stdout
