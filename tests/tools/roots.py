# SPDX-License-Identifier: Apache-2.0
"""Another Debian's root file system, for the Python versions that this machine lacks.

A command in a root sees the cache folder at its usual path, so the same command line works inside and outside.
Mounts live in a mount namespace of their own and vanish with the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import apt
from .console import Unavailable, say
from .interpreters import Interpreter
from .paths import CACHE, locked

_PYTHON = {"bookworm": 11, "trixie": 13}
_PACKAGES = "python3,python3-venv,git,ca-certificates,openssh-client"
_ENTER = """
set -e
root=$1 cache=$2 cwd=$3
shift 3
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$cache" "$root$HOME"
mount --bind "$cache" "$root$cache"
if [ -d "${SCS_SHARED:-}" ]; then
  mkdir -p "$root$SCS_SHARED"
  mount --bind "$SCS_SHARED" "$root$SCS_SHARED"
fi
exec chroot "$root" /usr/bin/env -C "$cwd" "$@"
"""

# The same for a root that is used as a machine of its own: it has nothing of this machine's file system.
_ENTER_MACHINE = """
set -e
root=$1
shift
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot "$root" "$@"
"""
_UNSHARED = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


def wrap(root: Path, cwd: Path, argv: list[str]) -> list[str]:
    """Return the command line that runs ``argv`` inside ``root``, in folder ``cwd`` of the cache."""
    return [*_UNSHARED, _ENTER, "enter", str(root), str(CACHE), str(cwd), *argv]


def wrap_machine(root: Path, argv: list[str]) -> list[str]:
    """Return the command line that runs ``argv`` as root of a machine whose files are in ``root``, caches included."""
    return [*_UNSHARED, _ENTER_MACHINE, "enter", str(root), *argv]


def build_machine(release: str, root: Path, packages: tuple[str, ...]) -> None:
    """Install a Debian with more packages into ``root``, with this machine's ways to packages.

    :raises Unavailable: when that takes rights or packages that we do not have.
    """
    _build(release, root, f"a machine with Debian {release}", ",".join((_PACKAGES, *packages)))
    for path in (
        "etc/resolv.conf",
        *(f"etc/apt/apt.conf.d/{file.name}" for file in Path("/etc/apt/apt.conf.d").iterdir()),
    ):
        shutil.copy(Path("/", path), root / path)


def interpreter(release: str) -> Interpreter:
    """Return the Python of a Debian release, building its root file system at first use.

    :raises Unavailable: when that takes rights or packages that we do not have.
    """
    root = CACHE / "roots" / f"{release}-1"
    with locked(root):
        if not root.is_dir():
            _build(release, root, f"a Debian {release} root (this machine lacks the Python version)", _PACKAGES)
    minor = _PYTHON[release]
    return Interpreter(Path(f"/usr/bin/python3.{minor}"), minor, root)


def _build(release: str, root: Path, why: str, packages: str) -> None:
    if os.geteuid() != 0:
        raise Unavailable(f"{why} can only be built and entered as root")
    apt.ensure(["debootstrap", "debian-archive-keyring"], why)
    partial = root.with_name(f"{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    say(f"building {why}: about two minutes, once")
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", release, str(partial), _mirror()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{why} failed: {(done.stdout.strip().splitlines() or ['no output'])[-1]}")
    _take_settings(partial)
    partial.rename(root)


def _take_settings(root: Path) -> None:
    """Copy the machine's certificates and pip settings, and make the file that is mounted over."""
    for name in ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    (root / "etc/resolv.conf").touch()


def _mirror() -> str:
    """Return the package mirror from which this machine's own Debian comes."""
    query = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("Debian Debian "):
            return line.split()[2]
    raise Unavailable("apt knows no Debian mirror on this machine (run `apt-get update` once, as root)")
