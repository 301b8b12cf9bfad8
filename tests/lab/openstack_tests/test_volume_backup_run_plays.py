# SPDX-License-Identifier: Apache-2.0
"""Tasks of a play back up, restore and prove a volume of a real Cinder: what Ansible's own worker process does, with progress."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import Disks
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def disks(volume_cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Iterator[Disks]:
    mark = f"{zlib.crc32(f'{request.node.name}{seed}'.encode()):08x}"
    yield Disks(Desk(volume_cloud, tmp_path, "member"), mark, random.Random(seed))
    volume_cloud.clean("demo")


def play(disks: Disks, *options: str, **tasks: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """What each task returned, and all that was said on the way."""
    folder = disks.desk.folder
    steps = [{f"scs.landscape.{name}": {"cloud": "member", **given}} for name, given in tasks.items()]
    content = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": steps}]
    (folder / "play.json").write_text(json.dumps(content), encoding="utf-8")
    argv = [str(PROGRAMS / "ansible-playbook"), "-vv", str(folder / "play.json"), *options]
    environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}
    environ.update(ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), *sys.path[-1:]]))
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = disks.desk.cloud.run(argv, env=environ, cwd=folder, timeout=900, **pipe)
    assert done.returncode == 0, done.stdout[-6000:]
    found, decoder = [], json.JSONDecoder()
    for piece in done.stdout.split("[localhost] => ")[1:]:
        found.append(decoder.raw_decode(piece)[0])
    assert len(found) == len(tasks), done.stdout[-6000:]
    return found, done.stdout


@pytest.mark.accept("B1.16")
def test_a_play_backs_up_restores_and_proves(disks: Disks) -> None:
    volume = disks.make("a")
    digest, path = disks.digest(volume), str(disks.desk.cloud.share / "volume-{id}")
    reading = {"reader": {"kind": "file", "path": path}, "digests": str(disks.desk.folder / "digests")}
    take = {"volumes": [volume], "policy": disks.mark, "run_id": "1", **reading}
    began = time.time()
    (foreseen,), _said = play(disks, "--check", "--diff", volume_backup_run=take)
    assert (foreseen["changed"], disks.desk.cloud.writes("cinder", began)) == (True, [])
    (taken,), said = play(disks, volume_backup_run=take)
    (made,) = taken["backups"]
    assert (taken["changed"], made["status"], made["kind"]) == (True, "available", "full")
    assert "backups done; under way" in said or made["seconds"] < 30, said[-3000:]
    restore = {"restores": [{"backup": made["id"], "name": f"{disks.mark}-restored"}], **reading}
    (again, restored, proven), _said = play(
        disks, volume_backup_run=take, volume_backup_restore=restore, volume_backup_verify={**reading, "limit": 1}
    )
    assert (again["changed"], restored["changed"], proven["changed"]) == (False, True, True)
    (one,) = restored["restores"]
    assert (one["compared"], disks.digest(one["volume"]["id"])) == (True, digest)
    assert [each["status"] for each in proven["verified"]] == ["proven"]
    (backup,) = disks.backups()
    assert backup.metadata[model.PROVEN]
