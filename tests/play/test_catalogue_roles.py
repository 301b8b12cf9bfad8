# SPDX-License-Identifier: Apache-2.0
"""The roles image_catalogue and flavor_catalogue with their playbooks: what runs for which tags, how often, and what fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2]

# Stands where a module stands: notes that it ran, and says what the test wants.
STAND_IN = """#!/usr/bin/python
# WANT_JSON
import json, os, sys
name, folder = "NAME", "FOLDER"
with open(sys.argv[1]) as stream:
    options = json.load(stream)
checked = bool(options.get("_ansible_check_mode"))
with open(os.path.join(folder, "log"), "a") as log:
    log.write(json.dumps([name, "check" if checked else "apply"]) + "\\n")
with open(os.path.join(folder, name + ".json")) as stream:
    print(stream.read())
"""

SEEN = {"changed": True, "imports": [{"name": "one"}], "entries": {}}
ANSWERS = {
    "image_lifecycle": SEEN,
    "image_import": {"changed": True},
    "flavor_set": {"changed": True, "flavors": {}},
}


class Stage:
    """The collection with modules that only note that they ran, and a group of three hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = folder / "ansible_collections" / "scs" / "landscape"
        for part in ("roles/image_catalogue", "roles/flavor_catalogue", "playbooks", "meta"):
            shutil.copytree(HERE / part, root / part)
        (root / "plugins" / "modules").mkdir(parents=True)
        for name, answer in ANSWERS.items():
            module = STAND_IN.replace("NAME", name).replace("FOLDER", str(folder))
            (root / "plugins" / "modules" / f"{name}.py").write_text(module, encoding="utf-8")
            self.answer(name, answer)
        (folder / "hosts").write_text("[clouds]\na\nb\nc\n", encoding="utf-8")

    def answer(self, name: str, answer: dict[str, Any]) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")

    def play(self, name: str, *options: str) -> tuple[int, list[tuple[str, str]], str]:
        """Exit status, what ran, and what was said."""
        log = self.folder / "log"
        log.write_text("", encoding="utf-8")
        program = str(Path(sys.executable).parent / "ansible-playbook")
        argv = [program, f"scs.landscape.{name}", "-i", str(self.folder / "hosts"), "-e", "hosts_openstack=clouds"]
        environ = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
        }
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run([*argv, *options], env=environ, cwd=self.folder, timeout=300, check=False, **pipe)
        ran = [tuple(json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]
        return done.returncode, ran, done.stdout


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


LOOK, BRING, SWITCH = ("image_lifecycle", "check"), ("image_import", "apply"), ("image_lifecycle", "apply")
DIFFER, ALIGN = ("flavor_set", "check"), ("flavor_set", "apply")
RUNS = {
    "images": ("images_sync", [], [LOOK, BRING, SWITCH]),
    "images plan": ("images_sync", ["--tags", "plan"], [LOOK]),
    "images preflight": ("images_sync", ["--tags", "preflight"], [LOOK]),
    "images verify": ("images_sync", ["--tags", "verify"], []),
    "images apply": ("images_sync", ["--tags", "apply"], [LOOK, BRING, SWITCH]),
    "retire": ("images_retire", [], [LOOK, SWITCH]),
    "retire plan": ("images_retire", ["--tags", "plan"], [LOOK]),
    "flavors": ("flavors_sync", [], [DIFFER, ALIGN]),
    "flavors plan": ("flavors_sync", ["--tags", "plan"], [DIFFER]),
    "flavors verify": ("flavors_sync", ["--tags", "verify"], []),
    "flavors apply": ("flavors_sync", ["--tags", "apply"], [ALIGN]),
}


# Each run of a play takes seconds; those that say something of their own run always.
QUICK = ("images", "images plan", "retire plan", "flavors plan")


@pytest.mark.accept("O1.9")
@pytest.mark.parametrize("case", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in RUNS])
def test_only_apply_writes_and_a_group_of_hosts_is_one_cloud(stage, case):
    name, options, expected = RUNS[case]
    status, ran, said = stage.play(name, *options)
    assert (status, ran) == (0, expected), said


WHICH = [
    [],
    pytest.param(["--tags", "apply"], marks=pytest.mark.slow),
    pytest.param(["--tags", "plan"], marks=pytest.mark.slow),
]


@pytest.mark.parametrize("options", WHICH, ids=["all", "apply", "plan"])
def test_an_entry_that_is_blocked_does_not_stop_the_others_and_fails_the_play_at_its_end(stage, options):
    stage.answer("image_lifecycle", {**SEEN, "failed": True, "msg": "image one: x already is generic"})
    status, ran, said = stage.play("images_sync", *options)
    assert ran == ([LOOK] if "plan" in options else [LOOK, BRING, SWITCH]), said
    assert (status, "x already is generic" in said) == (2, True), said


@pytest.mark.slow
def test_a_cloud_that_cannot_be_read_ends_the_play(stage):
    stage.answer("image_lifecycle", {"failed": True, "msg": "no login"})
    status, ran, said = stage.play("images_sync")
    assert (status, ran) == (2, [LOOK]), said


@pytest.mark.slow
def test_an_image_that_cannot_be_imported_fails_the_play_at_its_end(stage):
    stage.answer("image_import", {"failed": True, "msg": "image one: other bytes"})
    status, ran, said = stage.play("images_sync")
    assert (status, ran, "image one: other bytes" in said) == (2, [LOOK, BRING, SWITCH], True), said


@pytest.mark.slow
def test_a_flavor_that_is_refused_fails_the_play_at_its_end(stage):
    stage.answer("flavor_set", {**ANSWERS["flavor_set"], "failed": True, "msg": "flavor one differs"})
    status, ran, said = stage.play("flavors_sync")
    assert (status, ran, "flavor one differs" in said) == (2, [DIFFER, ALIGN], True), said
