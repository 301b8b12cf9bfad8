# SPDX-License-Identifier: Apache-2.0
"""The playbooks against a real cloud: with ``--check`` they write nothing, then they do what they say, then nothing more."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import sets
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

NAME, VERSIONS = "Void 1", ["20260101", "20260201"]

# A checkout that speaks the documented options and output of the compliance tests.
CHECKER = """
import os, sys
name = sys.argv[sys.argv.index("-s") + 1]
assert os.path.isfile(os.environ["OS_CLIENT_CONFIG_FILE"])
print("scs-0103-flavor-1v-2: PASS")
print("scs-0103-flavor-2v-8: " + ("PASS" if name == "member" else "ABORT"))
"""


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path)
    yield found
    found.clean()
    found.run("flavor_set", flavors=[{"name": name, "state": "absent"} for name in sets.MANDATORY])


def play(desk: Desk, name: str, *options: str, **variables: Any) -> str:
    """What a playbook says; it must succeed."""
    file = desk.folder / "variables.yml"
    file.write_text(yaml.safe_dump(variables), encoding="utf-8")
    argv = [str(PROGRAMS / "ansible-playbook"), f"scs.landscape.{name}", "-e", f"@{file}", *options]
    environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "PWD": str(desk.folder), "ANSIBLE_NOCOLOR": "1"}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), *sys.path[-1:]]))
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = desk.cloud.run(argv, env=environ, cwd=desk.folder, timeout=900, **pipe)
    assert done.returncode == 0, done.stdout[-6000:]
    return str(done.stdout)


def changed(said: str) -> int:
    """How many tasks changed something."""
    return int(said.rpartition("changed=")[2].split()[0])


def writes(desk: Desk, since: float) -> list[str]:
    services = ("keystone", "glance", "nova", "cinder")
    return [f"{one.method} {one.path}" for service in services for one in desk.cloud.writes(service, since)]


@pytest.mark.accept("O1.9")
def test_flavors_sync(desk: Desk) -> None:
    began = time.time()
    said = play(desk, "flavors_sync", "--check", "--diff")
    assert (changed(said), writes(desk, began)) == (1, [])
    assert "SCS-4V-16-100s" in said
    assert changed(play(desk, "flavors_sync")) == 1
    began = time.time()
    assert changed(play(desk, "flavors_sync")) == 0
    assert writes(desk, began) == []


@pytest.mark.accept("O1.9", "O1.5")
def test_images_sync_and_images_retire(desk: Desk) -> None:
    folder = desk.folder / "images"
    folder.mkdir()
    for count in (1, 2):
        entry = desk.entry(NAME, *VERSIONS[:count])
        (folder / "void.yml").write_text(yaml.safe_dump({"images": [entry]}), encoding="utf-8")
        began = time.time()
        said = play(desk, "images_sync", "--check", "--diff")
        assert writes(desk, began) == []
        # What is not imported yet is foreseen with all that follows from it.
        assert f"image {NAME} (not imported yet, {VERSIONS[count - 1]}) (offer)" in said
        assert [f"({one['id']}) (retire)" in said for one in offered(desk)] == [True] * (count - 1)
        assert changed(said) == 2
        assert changed(play(desk, "images_sync")) == 2  # imported and offered
        (now,) = offered(desk)
        assert (now["name"], now["internal_version"]) == (NAME, VERSIONS[count - 1])
    began = time.time()
    assert changed(play(desk, "images_sync")) == 0
    assert writes(desk, began) == []
    retire = {"image_catalogue_retire": [NAME], "image_catalogue_grace_days": 0}
    began = time.time()
    assert changed(play(desk, "images_retire", "--check", "--diff", **retire)) == 1
    assert writes(desk, began) == []
    assert changed(play(desk, "images_retire", **retire)) == 1
    assert [one for one in desk.images().values() if one.get("scs_landscape_entry") == NAME] == []


def offered(desk: Desk) -> list[dict[str, Any]]:
    mine = [one for one in desk.images().values() if one.get("scs_landscape_entry") == NAME]
    return [one for one in mine if not one["os_hidden"] and one["visibility"] == "public"]


def test_scs_comply(desk: Desk) -> None:
    tests = desk.folder / "standards" / "Tests"
    tests.mkdir(parents=True)
    (tests / "scs-compliance-check.py").write_text(CHECKER, encoding="utf-8")
    (tests / "scs-compatible-iaas.yaml").touch()
    variables = {"scs_conformance_checkout": "standards", "scs_conformance_clouds_file": str(desk.cloud.clouds_yaml)}
    play(desk, "scs_comply", "--check", **variables)
    assert not (desk.folder / "build").exists()
    assert changed(play(desk, "scs_comply", **variables)) == 1
    assert 'tests="2" failures="0"' in (desk.folder / "build" / "scs-conformance.xml").read_text(encoding="utf-8")
    with pytest.raises(AssertionError, match="scs-0103-flavor-2v-8: ABORT"):
        play(desk, "scs_comply", **variables, scs_conformance_cloud="admin")
