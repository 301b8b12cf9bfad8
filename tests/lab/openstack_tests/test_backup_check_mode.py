# SPDX-License-Identifier: Apache-2.0
"""The roles and playbooks of backups in check mode, before a stand-in that remembers every request: they only read.

And what they ask for before something is lost: which words open the gates.
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pretended import Pretended
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeRestores,
)

KEY = model.POLICY_KEY
ROLES = ("policy", "take", "thin", "prove", "restore", "metrics")


class Stage:
    """A project in which every role has something to do.

    :param before: the program that starts playbooks, with its arguments; none when empty.
    """

    def __init__(self, cloud: Pretended, folder: Path, before: Sequence[str] = ()) -> None:
        self.before = before
        self.cloud, self.fake, self.folder = cloud, cloud.fake, folder
        self.digests = folder / "digests"
        self.digests.mkdir()
        # The run of today: what Cinder has is older than the clock of the machine.
        self.fake.now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)
        gold = {model.POLICY: "gold"}
        for name, policy in (("db", "gold"), ("web", "gold"), ("new", "")):
            self.fake.add_volume(name, metadata={KEY: policy} if policy else {})
        for number in (1, 2):
            self.fake.back_up(f"b{number}", "db", b"bytes", str(self.digests), metadata=gold)
            self.fake.pass_by(days=1)
        self.fake.duration = 0
        self.cloud.requests.clear()

    def variables(self) -> dict[str, Any]:
        return {
            "backup_policies": {"gold": {"keep": {"last": 1}}},
            "backup_policy_assign": {"gold": ["new"]},
            "backup_digests": str(self.digests),
            "backup_reader": {"kind": "file", "path": str(self.folder / "volume-{id}")},
            "backup_restore_restores": [{"backup": "b2", "name": "restored"}],
            "backup_metrics": str(self.folder / "backups.prom"),
        }

    def play(self, book: str, *options: str, **more: Any) -> tuple[int, str]:
        """Exit status and what was said."""
        file = self.folder / "variables.yml"
        file.write_text(yaml.safe_dump({**self.variables(), **more}), encoding="utf-8")
        argv = [*self.before, str(PROGRAMS / "ansible-playbook"), book, "-e", f"@{file}", *options]
        environ = {
            **os.environ,
            "OS_CLIENT_CONFIG_FILE": str(self.cloud.clouds_yaml),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
            "PWD": str(self.folder),
        }
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), *sys.path[-1:]]))
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        limit = 300 * max(1.0, yardstick.pace())
        done = subprocess.run(argv, env=environ, cwd=self.folder, timeout=limit, check=False, **pipe)
        return done.returncode, done.stdout


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Pretended(FakeRestores(), tmp_path) as cloud:
        yield Stage(cloud, tmp_path)


def book_of(folder: Path, *roles: str) -> str:
    """A playbook of roles for backups."""
    book = folder / "book.yml"
    play = {"hosts": "localhost", "gather_facts": False, "roles": [f"scs.landscape.backup_{name}" for name in roles]}
    book.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return str(book)


def changed(said: str) -> list[str]:
    """Names of the tasks that changed something (or would)."""
    found = re.findall(r"^TASK \[(?:scs\.landscape\.)?([^\]]+)\] \*+\n((?:(?!^TASK|^PLAY).*\n)*)", said, re.MULTILINE)
    return [name for name, lines in found if re.search(r"^changed: ", lines, re.MULTILINE)]


WRITING = [
    "backup_policy : Put volumes under their policies",
    "backup_take : Take the backups",
    "backup_thin : Thin out",
    "backup_prove : Prove",
    "backup_restore : Restore",
]


@pytest.mark.accept("B1.17")
def test_check_mode_of_every_role_sends_only_reading_requests(stage: Stage) -> None:
    status, said = stage.play(book_of(stage.folder, *ROLES), "--check", "--diff")
    assert status == 0, said[-6000:]
    # Every one of them had something to do, looked at the cloud, and wrote nothing.
    assert changed(said) == WRITING, said[-6000:]
    assert {("GET", f"/volume/v3/{kind}/detail") for kind in ("volumes", "backups")} <= set(stage.cloud.requests)
    assert stage.cloud.writes == []
    assert sorted(one.name for one in stage.folder.glob("backups.prom*")) == []
    # The stand-in would have seen it.
    stage.cloud.answer("DELETE", "/volume/v3/backups/b1", None)
    assert stage.cloud.writes == [("DELETE", "/volume/v3/backups/b1")]


@pytest.mark.full
def test_the_playbooks_do_once_what_they_say(stage: Stage) -> None:
    for book, path in (("backup_run", "/backups"), ("backup_prune", "/backups/b1"), ("backup_restore", "/volumes")):
        unread: dict[str, Any] = {"backup_reader": {}}
        stage.cloud.requests.clear()
        status, said = stage.play(f"scs.landscape.{book}", "--check", **unread)
        assert (status, stage.cloud.writes) == (0, []), said[-6000:]
        status, said = stage.play(f"scs.landscape.{book}", **unread)
        assert (status, f"/volume/v3{path}" in [where for _method, where in stage.cloud.writes]) == (0, True), said[
            -6000:
        ]
        stage.cloud.requests.clear()
        status, said = stage.play(f"scs.landscape.{book}", **unread)
        assert (status, changed(said), stage.cloud.writes) == (0, [], []), said[-6000:]
    assert "scs_landscape_backup" in (stage.folder / "backups.prom").read_text(encoding="utf-8")
    assert sorted(stage.fake.volumes["new"]["metadata"].items()) == [(KEY, "gold")]


@pytest.mark.full
def test_only_the_words_of_that_plan_let_a_volume_be_overwritten(stage: Stage) -> None:
    given: dict[str, Any] = {
        "backup_reader": {},
        "backup_restore_restores": [{"backup": "b2", "volume": "web", "run": "ticket-1"}],
    }
    status, said = stage.play("scs.landscape.backup_restore", **given)
    assert (status, stage.cloud.writes) == (2, []), said[-6000:]
    given["backup_restore_overwrite"] = True
    status, said = stage.play("scs.landscape.backup_restore", **given)
    (words,) = set(re.findall(r'landscape_confirm=\\?"(member \w+)', said))
    assert (status, stage.cloud.writes) == (2, []), said[-6000:]
    other = [{"backup": "b1", "volume": "web", "run": "ticket-1"}]
    changed_plan = {**given, "backup_restore_restores": other, "landscape_confirm": words}
    status, said = stage.play("scs.landscape.backup_restore", **changed_plan)
    assert (status, stage.cloud.writes) == (2, []), said[-6000:]
    status, said = stage.play("scs.landscape.backup_restore", landscape_confirm=words, **given)
    assert (status, ("POST", "/volume/v3/backups/b2/restore") in stage.cloud.writes) == (0, True), said[-6000:]


@pytest.mark.full
def test_more_than_is_allowed_is_asked_for(stage: Stage) -> None:
    status, said = stage.play("scs.landscape.backup_prune", backup_thin_most=0)
    (words,) = set(re.findall(r'landscape_confirm=\\?"(gold \w+)', said))
    assert (status, stage.cloud.writes) == (2, []), said[-6000:]
    status, said = stage.play("scs.landscape.backup_prune", backup_thin_most=0, landscape_confirm=words)
    assert (status, stage.cloud.writes) == (0, [("DELETE", "/volume/v3/backups/b1")]), said[-6000:]
    stage.cloud.requests.clear()
    status, said = stage.play(
        "scs.landscape.backup_run", backup_take_full_gib=1, backup_take_mode="full", backup_reader={}
    )
    assert (status, "3 GiB of full backups" in said) == (2, True), said[-6000:]
    assert [where for _method, where in stage.cloud.writes] == ["/volume/v3/volumes/new/metadata"]


@pytest.mark.full
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"backup_policies": {}}, "There is no policy"),
        ({"backup_only": ["glod"]}, "glod is no policy; there are gold"),
        ({"backup_policies": {"gold": {"kep": {}}}}, "policies.gold.kep: there is no such key; did you mean keep?"),
        ({"backup_reader": {}}, "A proof needs a reader"),
    ],
    ids=["none", "unknown", "key", "reader"],
)
def test_what_is_wrong_is_said_before_anything_is_asked_for(stage: Stage, more: dict[str, Any], sentence: str) -> None:
    status, said = stage.play("scs.landscape.backup_verify", **more)
    assert (status, stage.cloud.requests) == (2, [])
    assert sentence in re.sub(r"\s+", " ", said)
