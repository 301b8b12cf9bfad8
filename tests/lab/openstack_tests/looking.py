# SPDX-License-Identifier: Apache-2.0
"""What a cloud leaves on this machine, and what openstacksdk sees in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud


def readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def traces(word: str, spaces: set[int]) -> dict[str, list[str]]:
    """Everything on this machine that names a folder or lives in one of the namespaces."""
    ours = kernel.ancestors()
    found: dict[str, list[str]] = {"mounts": [], "namespaces": [], "processes": []}
    for pid in kernel.processes():
        if pid in ours:
            continue
        process = Path(f"/proc/{pid}")
        found["mounts"] += [line for line in readable(process / "mountinfo").splitlines() if word in line]
        found["namespaces"] += [str(pid) for kind in ("net", "mnt", "pid") if kernel.namespace_of(pid, kind) in spaces]
        if word in readable(process / "cmdline"):
            found["processes"].append(readable(process / "cmdline").replace("\0", " "))
    return found


def script(cloud: Cloud, code: str, name: str = "member") -> Any:
    """The JSON that a piece of Python prints; ``cloud`` is openstacksdk's connection."""
    lines = ["import json, time, openstack", f"cloud = openstack.connect({name!r})", code]
    argv = [str(cloud.python), "-W", "ignore", "-c", "\n".join(lines)]
    done = cloud.run(argv, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else None


def keeper(cloud: Cloud) -> int:
    return int(cloud.namespace.split("/")[2])
