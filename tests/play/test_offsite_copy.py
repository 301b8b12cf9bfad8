# SPDX-License-Identifier: Apache-2.0
"""The role backup_offsite and both faces of the module offsite_copy, with a folder as the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.full

HEAD = {"hosts": "localhost", "gather_facts": False}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "records").mkdir(parents=True)
    (folder / "records/one.json").write_text('{"canary": "content-of-a-file"}')
    (folder / "bundle.age").write_bytes(bytes(range(256)))
    return folder


def book(tmp_path: Path, *tasks: dict[str, Any], **head: Any) -> Path:
    path = tmp_path / "book.yml"
    path.write_text(yaml.safe_dump([{**HEAD, **head, "tasks": list(tasks)}]), encoding="utf-8")
    return path


def test_only_apply_writes_and_a_second_run_changes_nothing(
    ansible: Callable[..., Any], tmp_path: Path, source: Path
) -> None:
    store = tmp_path / "store"
    options = {"backup_offsite_src": str(source), "backup_offsite_store": {"kind": "directory", "path": str(store)}}
    play = tmp_path / "book.yml"
    play.write_text(yaml.safe_dump([{**HEAD, "vars": options, "roles": ["scs.landscape.backup_offsite"]}]))
    for arguments in (("--tags", "plan"), ("--check",)):
        ansible("ansible-playbook", play, *arguments)
        assert not store.exists()
    done = ansible("ansible-playbook", play, "--diff", "-vvv")
    assert "changed=1 " in done.stdout
    assert "content-of-a-file" not in done.stdout + done.stderr
    assert len(list((store / "snapshots").iterdir())) == 1
    assert "changed=0 " in ansible("ansible-playbook", play).stdout
    next(path for path in (store / "objects").rglob("*") if path.is_file()).write_bytes(b"")
    failed = ansible("ansible-playbook", play, "--tags", "verify", fails=True)
    assert "is not what was copied" in failed.stdout


def test_both_faces_return_the_same(ansible: Callable[..., Any], tmp_path: Path, source: Path) -> None:
    results = []
    for face, environment in (("inside", {}), ("sent", {"SCS_FACE": "module"})):
        store = {"kind": "directory", "path": str(tmp_path / face)}
        copy = {"scs.landscape.offsite_copy": {"src": str(source), "store": store}, "register": "made"}
        save = {
            "ansible.builtin.copy": {"content": "{{ made | to_json }}", "dest": str(tmp_path / f"{face}.json")},
            "environment": {},
        }
        ansible("ansible-playbook", book(tmp_path, copy, save, environment=environment))
        made = json.loads((tmp_path / f"{face}.json").read_text())
        assert made["changed"]
        made["snapshot"].pop("taken")
        made["snapshots"][0].pop("taken")
        made["plan"].pop("digest")
        results.append(json.dumps(made, sort_keys=True).replace(str(tmp_path / face), ""))
    assert results[0] == results[1]
