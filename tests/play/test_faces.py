# SPDX-License-Identifier: Apache-2.0
"""Modules of the controller have two faces: called in Ansible's process, and sent as a program. Both return the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Play = Callable[..., list[dict[str, Any]]]

#: Name of the task, module, options, and whether it fails; ``lab`` and ``pages`` lie beside the playbook.
TASKS: tuple[tuple[str, str, dict[str, Any], bool], ...] = (
    ("valid", "landscape_validate", {"src": "lab", "fail_on": "{{ level }}"}, False),
    ("no such file", "landscape_validate", {"src": ["nowhere"]}, True),
    ("no such choice", "landscape_validate", {"src": ["lab"], "fail_on": "never ever"}, True),
    ("no such option", "landscape_validate", {"src": ["lab"], "fial_on": "never"}, True),
    ("gate", "landscape_docs", {"src": ["lab"], "dest": "pages", "stale": "fail"}, True),
    ("pages", "landscape_docs", {"src": ["lab"], "dest": "pages", "front_matter": "{{ matter }}"}, False),
    ("files", "landscape_render", {"src": ["lab"], "dest": "files", "formats": ["hosts", "ssh_config"]}, False),
    ("cables", "lldp_cables", {"src": ["lab"], "observed": "{{ observed }}"}, False),
    ("guard", "landscape_guard", {"src": ["lab"], "plans": {}}, False),
    ("run", "landscape_run", {"src": ["lab"], "state": "ended"}, True),
    ("report", "landscape_report", {"src": ["lab"], "run": {}, "results": {}, "alive": []}, True),
)
VARIABLES = {
    "level": "error",
    "matter": {"sidebar_label": "{{ level }}"},
    "observed": {"st01-sw25g-r01-u34": {"lldpctl": {"lldp": []}}},
}


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    """What counts in a result: not what Ansible adds about the way it was made."""
    added = ("invocation", "exception", "deprecations", "action", "task", "host")
    return {name: value for name, value in result.items() if not name.startswith("_ansible") and name not in added}


@pytest.fixture
def outcomes(play: Play, repo: Path, tmp_path: Path) -> Callable[[str, dict[str, str]], dict[str, Any]]:
    def run(name: str, environment: dict[str, str]) -> dict[str, Any]:
        folder = tmp_path / name
        shutil.copytree(repo / "examples/scs-lab", folder / "lab")
        tasks = [
            {
                "name": title,
                f"scs.landscape.{module}": options,
                "check_mode": title == "gate",
                "ignore_errors": fails,
                "diff": True,
            }
            for title, module, options, fails in TASKS
        ]
        head = {"hosts": "all", "gather_facts": False, "vars": VARIABLES, "environment": environment}
        book = folder / "book.yml"
        book.write_text(yaml.safe_dump([{**head, "tasks": tasks}]), encoding="utf-8")
        results = {result["task"]: _outcome(result) for result in play(book)}
        assert (folder / "pages/index.md").is_file(), "relative paths are meant from the playbook"
        return results

    return run


def test_both_faces_return_the_same(outcomes: Callable[[str, dict[str, str]], dict[str, Any]], tmp_path: Path) -> None:
    inside = outcomes("inside", {})
    # A task with variables of its own cannot be called in a process that has others.
    sent = outcomes("sent", {"SCS_FACE": "module"})
    assert list(inside) == [title for title, *_rest in TASKS]
    for title, _module, _options, fails in TASKS:
        ours, theirs = inside[title], sent[title]
        assert bool(ours.get("failed")) == bool(theirs.get("failed")) == fails, title
        if title.startswith("no such"):
            assert ours["msg"].splitlines()[0][:40] == theirs["msg"].splitlines()[0][:40]
        else:
            here = str(tmp_path / "inside")
            assert yaml.safe_dump(ours).replace(here, "") == yaml.safe_dump(theirs).replace(str(tmp_path / "sent"), "")
