# SPDX-License-Identifier: Apache-2.0
"""What a lane may leave behind on this machine: mounts, namespaces, processes, loop devices, control groups."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.scs.landscape.tests.lab import kernel


def readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def traces(words: list[str], namespaces: set[int], born: set[int] | None = None) -> dict[str, list[str]]:
    """Everything on this machine that names one of the words or lives in one of the namespaces.

    :param born: pids that may live in the namespaces. The kernel gives the number of a namespace that ended to the
        next one, so of other lanes' processes only the younger can seem to live in ours.
    """
    ours = kernel.ancestors()
    found: dict[str, list[str]] = {"mounts": [], "namespaces": [], "processes": [], "loops": [], "cgroups": []}
    for pid in kernel.processes():
        if pid in ours:
            continue
        process = Path(f"/proc/{pid}")
        found["mounts"] += [
            line for line in readable(process / "mountinfo").splitlines() if any(w in line for w in words)
        ]
        if born is None or pid in born:
            found["namespaces"] += [
                str(pid) for kind in ("net", "mnt", "pid") if kernel.namespace_of(pid, kind) in namespaces
            ]
        if any(word in readable(process / "cmdline") for word in words):
            found["processes"].append(readable(process / "cmdline").replace("\0", " "))
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        found["loops"] += [line for line in [readable(backing)] if any(word in line for word in words)]
    for root, folders, _files in os.walk("/sys/fs/cgroup"):
        found["cgroups"] += [f"{root}/{name}" for name in folders if any(name == Path(word).name for word in words)]
    return found
