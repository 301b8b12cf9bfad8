# SPDX-License-Identifier: Apache-2.0
"""What a run that changes nothing costs the controller: a catalogue of 60 images and 40 flavors, beside loops of openstack.cloud."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import sets
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, lane

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

IMAGES, FLAVORS = 60, 40
#: openstack.cloud 2.5 asks the SDK for ``openstack.version`` without importing it, which SDK 4.22 does not do by itself any more.
LATE = """
import importlib.abc, importlib.machinery, sys


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "openstack":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def whole(module):
            load(module)
            import openstack.version

        spec.loader.exec_module = whole
        return spec


sys.meta_path.insert(0, Finder())
"""
#: The loops are linear in their items; one item in this many is run, beside an empty play that is taken off.
PART = 10
#: O1.15: our CPU seconds times this are not more than those of the loops.
RATIO = 10.0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A cloud with the images and flavors of the catalogue."""
    cloud = Cloud(lane("bench-catalogue"), profile="compute")
    cloud.down()
    cloud.up()
    found = Desk(cloud, tmp_path_factory.mktemp("catalogue"))
    try:
        yield found
    finally:
        cloud.down()


def catalogue(desk: Desk) -> list[dict[str, Any]]:
    return [desk.entry(f"Distro{number} {number}", "20260101") for number in range(IMAGES)]


def flavors() -> list[dict[str, Any]]:
    more = [{"name": f"own-{number}", "vcpus": 1 + number, "ram": 1024, "disk": 0} for number in range(FLAVORS)]
    return [*({"name": name} for name in (*sets.MANDATORY, *sets.RECOMMENDED)), *more][:FLAVORS]


def fill(desk: Desk, images: list[dict[str, Any]]) -> None:
    """Images as openstack-image-manager leaves them, so that no import is needed; then both modules once."""

    def add(entry: dict[str, Any]) -> None:
        body = {"name": entry["name"], "disk_format": "raw", "container_format": "bare", "internal_version": "20260101"}
        with desk.cloud.inside():
            made = cloud.call("image", "POST", "/images", json=body).body["id"]
            kind = {"Content-Type": "application/octet-stream"}
            cloud.call("image", "PUT", f"/images/{made}/file", data=b"x" * 100, headers=kind)

    with desk.session() as cloud, ThreadPoolExecutor(4) as executor:
        list(executor.map(add, images))
    for done in (desk.run("image_lifecycle", images=images), desk.run("flavor_set", flavors=flavors())):
        assert not done.failed, done.failed


def play(desk: Desk, tasks: list[dict[str, Any]], path: str = "") -> tuple[float, float, str]:
    """CPU seconds and seconds of a playbook on the controller, and what it said.

    :param path: a folder for Python's path.
    """
    header = {"name": "Bench", "hosts": "localhost", "connection": "local", "gather_facts": False}
    file = desk.folder / "play.yml"
    file.write_text(yaml.safe_dump([{**header, "tasks": tasks}]), encoding="utf-8")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environ = {
        **os.environ,
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
    }
    if path:
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [path, environ.get("PYTHONPATH")]))
    argv = [str(PROGRAMS / "ansible-playbook"), "-i", "localhost,", str(file)]
    done = desk.cloud.run(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout[-4000:]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - began, done.stdout


def ours(desk: Desk, images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    file = desk.folder / "images.yml"
    file.write_text(json.dumps({"images": images}), encoding="utf-8")
    return [
        {"name": "Images", "scs.landscape.image_lifecycle": {"cloud": "admin", "catalogue": [str(file)]}},
        {"name": "Flavors", "scs.landscape.flavor_set": {"cloud": "admin", "flavors": flavors()}},
    ]


def theirs(desk: Desk) -> list[dict[str, Any]]:
    """The same with one item in ``PART``, each with the properties and extra specs that it has."""
    found = [one for one in desk.images().values() if "scs_landscape_entry" in one][: IMAGES // PART]
    with desk.session() as cloud:
        pages = cloud.pages("compute", "/flavors/detail", "flavors", microversion="2.61", is_public="None")
        known = {one["name"]: one for one in pages}
    some = [known[one["name"]] for one in flavors()[: FLAVORS // PART]]
    properties = ("os_distro", "os_version", "os_purpose", "architecture", "hw_disk_bus", "image_source")
    images = [
        {
            "name": f"Image {one['name']}",
            "openstack.cloud.image": {
                "cloud": "admin",
                "name": one["name"],
                "visibility": "public",
                "min_disk": one["min_disk"],
                "min_ram": one["min_ram"],
                "properties": {name: one[name] for name in properties},
            },
        }
        for one in found
    ]
    return images + [
        {
            "name": f"Flavor {one['name']}",
            "openstack.cloud.compute_flavor": {
                "cloud": "admin",
                "name": one["name"],
                "vcpus": one["vcpus"],
                "ram": one["ram"],
                "disk": one["disk"],
                "extra_specs": one["extra_specs"],
            },
        }
        for one in some
    ]


@pytest.mark.accept("O1.15")
def test_a_run_that_changes_nothing_costs_a_tenth_and_writes_nothing(desk: Desk) -> None:
    images = catalogue(desk)
    fill(desk, images)
    empty, _seconds, _said = play(desk, [{"name": "Nothing", "ansible.builtin.meta": "noop"}])
    began = time.time()
    cpu, seconds, said = play(desk, ours(desk, images))
    assert "CHANGED" not in said
    assert [one.path for api in ("glance", "nova", "keystone") for one in desk.cloud.writes(api, began)] == []
    requests = sum(one.at >= began for api in ("glance", "nova") for one in desk.cloud.access_log(api))
    late = desk.folder / "late"
    late.mkdir()
    (late / "sitecustomize.py").write_text(LATE, encoding="utf-8")
    part, part_seconds, _said = play(desk, theirs(desk), str(late))
    loops = (part - empty) * PART + empty
    print(f"\ncatalogue of {IMAGES} images and {FLAVORS} flavors, nothing to change:")
    print(f"  scs.landscape: {cpu:.1f} s of CPU, {seconds:.1f} s, {requests} requests, none of them writes")
    print(
        f"  openstack.cloud: {loops:.1f} s of CPU for all, from {part:.1f} s ({part_seconds:.1f} s) for one in {PART}"
    )
    print(f"  ratio {loops / cpu:.1f} (limit {RATIO:.0f}); an empty play takes {empty:.1f} s of CPU")
    assert loops >= RATIO * cpu
