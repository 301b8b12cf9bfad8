# SPDX-License-Identifier: Apache-2.0
"""``ansible-inventory --list`` of a landscape beside the same inventory as static YAML: seconds and memory, in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.bench import generate

HOSTS, CABLES = 1000, 5000
MAX_MEMORY = 300 * 1024 * 1024
PROGRAM = Path(sys.executable).parent / "ansible-inventory"


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds by the clock, seconds of processor time, peak memory in bytes."""

    wall: float
    processor: float
    memory: int

    def __str__(self) -> str:
        return f"{self.processor:6.2f} s of processor, {self.wall:6.2f} s by the clock, {self.memory / 2**20:4.0f} MiB"


def listed(source: Path, *arguments: str) -> Cost:
    """Runs ``ansible-inventory --list`` and takes its time; its output goes where ``--output`` says."""
    environ = {
        **os.environ,
        "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "ignore",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
    }
    started = time.monotonic()
    process = subprocess.Popen([PROGRAM, "-i", source, "--list", *arguments], env=environ)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    # ru_maxrss counts KiB on Linux.
    return Cost(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


@pytest.mark.accept("F1.12")
def test_inventory_is_not_slower_than_static_yaml(tmp_path):
    generate.write(tmp_path / "landscape", HOSTS, CABLES)
    source, static = tmp_path / "x.landscape.yml", tmp_path / "static.yml"
    source.write_text("plugin: scs.landscape.landscape\nsrc: [landscape]\n", encoding="utf-8")
    listed(source, "--yaml", "--output", str(static))
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    plugin = listed(source, "--output", str(ours))
    yaml = listed(static, "--output", str(theirs))
    document, expected = (json.loads(file.read_text("utf-8")) for file in (ours, theirs))
    assert len(document["_meta"]["hostvars"]) == len(expected["_meta"]["hostvars"]) >= HOSTS
    assert set(document) == set(expected)
    ratio = plugin.processor / yaml.processor
    print(f"\nansible-inventory --list, {HOSTS} hosts, {CABLES} cables, rules applied")
    print(f"  landscape plugin  {plugin}")
    print(f"  static YAML       {yaml}")
    print(f"  ratio             {ratio:.2f}")
    assert ratio <= 1
    assert plugin.memory < MAX_MEMORY
