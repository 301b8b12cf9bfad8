# SPDX-License-Identifier: Apache-2.0
"""Prepared clusters: what the hosts of a stopped, clean cluster hold, as one archive per host, below the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..machine import Machine
from .layout import DISKS

#: What makes a host a part of the cluster. Folders of OSDs are in memory and made from their disks at every boot.
_PARTS = ("etc/ceph", "var/lib/ceph", "etc/systemd/system")
_PREPARED = f"{DISKS}/prepared"
_SECONDS = 120


def exists(folder: Path) -> bool:
    """Whether a prepared cluster is there, whole."""
    return (folder / "complete").is_file()


def restore(folder: Path, host: str, root: Path, disks: str = "", outer: Sequence[Path] = ()) -> bool:
    """Unpack the state of a host below its root, before it boots; False when there is none.

    :param disks: where its disks are to be, when they are files of its own.
    :param outer: its disks, when they are not; one that was written to already stays as it is.
    """
    if not exists(folder):
        return False
    os.utime(folder / "complete")
    command = ["tar", "--extract", "--sparse", "--numeric-owner", "--overwrite", "--directory", str(root), "--file"]
    subprocess.run([*command, str(folder / f"{host}.tar")], check=True, capture_output=True, timeout=_SECONDS)
    if disks:
        (root / _PREPARED).rename(root / disks)
    for path in outer:
        if not path.stat().st_blocks:
            _copy(folder / path.name, path)
    return True


def save(folder: Path, machines: dict[str, Machine], disks: str, outer: Mapping[str, Sequence[Path]]) -> None:
    """Stop the daemons of a clean cluster, archive what its hosts hold, and start them again.

    :param disks: where disks are that are files of the hosts.
    :param outer: hosts with other disks.
    """
    for kinds in (("radosgw", "mds", "mgr"), ("osd",), ("mon",)):
        # a stopped target alone would not have waited for its daemons
        units = [unit for kind in kinds for unit in (f"ceph-{kind}.target", f"ceph-{kind}@*.service")]
        _all(machines, ["systemctl", "stop", *units])
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for host, machine in machines.items():
        command = ["tar", "--create", "--sparse", "--numeric-owner", "--one-file-system", "--file=-", "--directory=/"]
        with open(partial / f"{host}.tar", "wb") as file:
            named = ["--exclude=var/lib/ceph/crash/*", f"--transform=s,^{disks},{_PREPARED},"]
            own = [*_PARTS] if host in outer else [*_PARTS, disks]
            machine.run([*command, *named, *own], stdout=file, stderr=subprocess.PIPE, capture_output=False)
        for path in outer.get(host, ()):
            machine.run(["sync"])
            _copy(path, partial / path.name)
    (partial / "complete").touch()
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    _all(machines, ["systemctl", "reset-failed"])  # else Ceph's units may start three times in half an hour only
    for started in ("mon", "osd mgr", "radosgw mds"):
        _all(machines, ["systemctl", "start", *(f"ceph-{kind}.target" for kind in started.split())])


def _copy(path: Path, target: Path) -> None:
    subprocess.run(["cp", "--sparse=always", path, target], check=True, capture_output=True, timeout=_SECONDS)


def _all(machines: dict[str, Machine], argv: list[str]) -> None:
    with ThreadPoolExecutor(len(machines)) as pool:
        list(pool.map(lambda machine: machine.run(argv), machines.values()))
