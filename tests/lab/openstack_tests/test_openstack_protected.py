# SPDX-License-Identifier: Apache-2.0
"""The inventory of protected servers against a real Nova and Cinder, by Ansible's own program."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_UNSAFE = "__ansible_unsafe"
HOSTILE = "{{ lookup('pipe', 'touch /tmp/never') }}"


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(compute_cloud, tmp_path, "member")
    with Desk(compute_cloud, tmp_path, "member").session() as cloud:
        for one in cloud.pages("block-storage", "/backups", "backups"):
            machines.gone(cloud, "block-storage", f"/backups/{one['id']}")
    compute_cloud.clean("demo")


def inventory(desk: Desk, file: Path) -> dict[str, Any]:
    """What ``ansible-inventory --list`` says; it wraps what is no template, and that is what everything of a cloud is."""
    argv = [*desk.cloud.entering(), str(PROGRAMS / "ansible-inventory"), "-i", str(file), "--list"]
    environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(desk.cloud.clouds_yaml), "HOME": str(desk.folder)}
    environ.update({"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "PYTHONWARNINGS": "ignore"})
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    for one in json.loads(done.stdout)["_meta"]["hostvars"].values():
        assert set(one["protected_name"]) == {_UNSAFE}
    return dict(json.loads(done.stdout, object_hook=lambda one: one.get(_UNSAFE, one)))


def lists(desk: Desk, since: float) -> list[str]:
    """Paths of the lists that were asked for."""
    found = [one for api in ("nova", "cinder") for one in desk.cloud.access_log(api) if one.at >= since]
    assert {one.method for one in found} <= {"GET"}
    return sorted(one.path.rpartition("/v")[2].split("/", 1)[-1] for one in found if one.path.endswith("/detail"))


@pytest.mark.accept("B1.18")
def test_servers_by_policy_and_proof_with_three_lists_and_a_cached_run_without_any(desk: Desk) -> None:
    with desk.session() as cloud:
        root = machines.volume(cloud, "root", True, metadata={"backup:policy": "gold"})
        server = machines.server(cloud, "shop", [root])
        odd = machines.server(cloud, HOSTILE, [machines.volume(cloud, "odd", True)])
        cinder = Cinder(cloud)
        made = cinder.begin_backup(root, name="b", metadata={model.RUN: "r"}, force=True)
        found = machines.until(lambda: _ended(cinder, made), 900)
        assert found.status == "available"
        cinder.mark(found, {model.PROVEN: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    file = desk.folder / "demo.protected.yml"
    text = "plugin: scs.landscape.openstack_protected\ncloud: member\ncache: true\n"
    text += f"cache_plugin: ansible.builtin.jsonfile\ncache_connection: {desk.folder / 'cache'}\n"
    file.write_text(text, encoding="utf-8")
    began = time.time()
    said = inventory(desk, file)
    assert len(lists(desk, began)) == 3
    hosts = said["_meta"]["hostvars"]
    assert set(hosts) == {"shop", odd}
    assert hosts["shop"]["protected_id"] == server
    assert said["policy_gold"]["hosts"] == ["shop"]
    assert (said["proof_1d"]["hosts"], said["proof_never"]["hosts"]) == (["shop"], [odd])
    assert HOSTILE in json.dumps(hosts[odd]).replace("\\", "")
    began = time.time()
    assert inventory(desk, file) == said
    assert lists(desk, began) == []


def _ended(cinder: Cinder, identifier: str) -> Any:
    found = cinder.backup(identifier)
    return found if found and found.status in ("available", "error") else None
