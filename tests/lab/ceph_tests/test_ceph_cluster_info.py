# SPDX-License-Identifier: Apache-2.0
"""Both modules of Ceph as people call them: by Ansible, over SSH, through a command of several words."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

OPTIONS = {"command": ["env", "CEPH_ARGS=--id admin", "/usr/bin/ceph"], "command_timeout": 60}


def called(cluster: CephCluster, tmp_path: Path, module: str, check: bool = False, **options: Any) -> dict[str, Any]:
    """What a module returns on the first host."""
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\ninterpreter_python=/usr/bin/python3\n", encoding="utf-8")
    command = [
        *(str(PROGRAMS / "ansible"), "ceph-1", "--inventory", str(cluster.lab.outside), "--become"),
        *("--module-name", f"scs.landscape.{module}", "--args", json.dumps({**OPTIONS, **options})),
        *(["--check"] if check else []),
    ]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(config), "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL
    )
    head, arrow, result = done.stdout.partition(" => ")
    assert arrow, done.stdout + done.stderr
    return {**json.loads(result), "failed": "FAILED" in head}


def test_the_cluster_is_described_as_it_is(ceph, tmp_path):
    found = called(ceph, tmp_path, "ceph_cluster_info")
    assert not found["changed"]
    assert found["fsid"] == ceph.ask("status")["fsid"]
    assert found["health"] == {"status": "HEALTH_OK", "checks": []}
    assert found["daemons"] == {
        "mon": ["ceph-1", "ceph-2", "ceph-3"],
        "mgr": ["ceph-1", "ceph-2"],
        "osd": ["0", "1", "2"],
        "rgw": ["ceph-1.rgw0"],
    }
    assert {osd["location"]["host"] for osd in found["osds"]} == set(ceph.layout.hosts)
    assert {"volumes", "images", "backups", "vms"} <= {pool["name"] for pool in found["pools"]}
    assert {kind: list(counts.values()) for kind, counts in found["versions"].items()} == {
        "mon": [3],
        "mgr": [2],
        "osd": [3],
        "rgw": [1],
    }


@pytest.mark.accept("O1.13")
def test_the_gate_is_the_same_over_ssh(ceph, tmp_path):
    passed = called(
        ceph, tmp_path, "ceph_health_gate", mons=list(ceph.layout.hosts), probe_pools=["images"], timeout=60
    )
    assert passed["gate"]["passed"]
    assert not passed["failed"]
    refused = called(ceph, tmp_path, "ceph_health_gate", stop_osds=[0, 1], timeout=0)
    assert refused["failed"]
    assert "osd.0, osd.1 must not be stopped: PG " in refused["msg"]
    checked = called(ceph, tmp_path, "ceph_health_gate", check=True, stop_osds=[0, 1], timeout=0)
    assert not checked["failed"]
    assert not checked["gate"]["passed"]
