# SPDX-License-Identifier: Apache-2.0
"""Volumes and images of machines go again; what does not go holds up no other machine, and is told."""

from __future__ import annotations

import functools
import itertools
import json
import threading

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import removing
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Volume
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.service import VolumeService
from ansible_collections.scs.landscape.plugins.modules import vm_migration_copy
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes.fake_volumes import FakeVolumes

from . import fakes_migration

UUIDS = [fakes_migration.vm(number)["uuid"] for number in (1, 2, 3)]


class Stubborn(FakeVolumes):
    """A cloud that keeps some images.

    :ivar locked: ids of images that nobody may remove.
    """

    locked: frozenset[str] = frozenset()

    def _images(self, method, path, body):
        if method == "DELETE" and path[1] in self.locked:
            return 403, {"message": "it is protected"}
        return super()._images(method, path, body)


class Lab:
    """A plan of three machines, and a cloud with two volumes and an image of each."""

    def __init__(self, folder):
        self.plan, self.folder = folder / "plan.json", folder
        document = fakes_migration.made([fakes_migration.vm(number, power="off") for number in (1, 2, 3)])
        self.plan.write_text(json.dumps(document.as_dict()))
        (folder / "share").mkdir()
        self.cloud = Stubborn(folder / "share")
        image = {"owner": self.cloud.project_id, "os_hidden": True, "status": "active"}
        for number, uuid in enumerate(UUIDS, 1):
            marks = {"migration_vm": uuid, "migration_state": "done"}
            for key in ("2000", "2001"):
                self.cloud._made({"name": f"vm{number}", "size": 0, "metadata": {**marks, "migration_disk": key}})
            name = f"image{number}"
            more = {"migration_disk": "2000", "updated_at": "2026-01-01T00:00:00Z"}
            self.cloud.images[name] = {**image, **marks, **more, "id": name, "name": name}

    def run(self, state="absent", check=False):
        options = {"src": str(self.plan), "maps": str(self.folder), "state": state}
        given = ArgumentSpecValidator(vm_migration_copy.ARGUMENTS).validate(options)
        assert not given.error_messages
        return vm_migration_copy.main(given.validated_parameters, check, connect=lambda _params: self.cloud)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    seconds = itertools.count()
    clock = {"clock": lambda: float(next(seconds)), "sleep": lambda _seconds: None}
    monkeypatch.setattr(vm_migration_copy, "VolumeService", functools.partial(VolumeService, **clock))
    return Lab(tmp_path)


@pytest.mark.accept("V1.15")
def test_a_volume_that_does_not_go_holds_up_no_other_machine(lab):
    checked = lab.run(check=True)
    assert checked.values["removed"] == [f"vol-{number}" for number in range(1, 7)]
    assert lab.cloud.writes == []
    # The second disk of the second machine.
    lab.cloud.volumes["vol-4"]["status"] = "reserved"
    done = lab.run()
    assert sorted(lab.cloud.volumes) == ["vol-4"]
    assert done.values["removed"] == ["vol-1", "vol-2", "vol-3", "vol-5", "vol-6"]
    assert list(done.values["errors"]) == [UUIDS[1]]
    assert done.values["errors"][UUIDS[1]].startswith("vm2 at esx1.example: volume ")
    assert "cannot be removed: it is reserved" in done.failed
    # Who keeps a volume keeps its image.
    assert (sorted(lab.cloud.images), done.values["images"]) == (["image2"], ["image1", "image3"])
    assert (done.changed, done.steps_done) == (True, 5 + 2)
    again = lab.run()
    assert (again.changed, again.steps_done, list(again.values["errors"])) == (False, 0, [UUIDS[1]])
    lab.cloud.volumes["vol-4"]["status"] = "available"
    last = lab.run()
    assert (last.failed, last.values["errors"], last.values["removed"]) == ("", {}, ["vol-4"])
    assert (lab.cloud.volumes, lab.cloud.images) == ({}, {})
    assert not lab.run().changed


@pytest.mark.parametrize("state", ["absent", "clean"])
def test_an_image_that_does_not_go_holds_up_no_other(lab, state):
    lab.cloud.locked = frozenset(["image1"])
    done = lab.run(state)
    assert (sorted(lab.cloud.images), done.values["images"]) == (["image1"], ["image2", "image3"])
    assert list(done.values["errors"]) == [UUIDS[0]]
    assert done.values["errors"][UUIDS[0]].startswith("vm1 at esx1.example: image image1 was not removed: ")
    assert "it is protected" in done.failed
    assert (done.values["images_kept"], done.warnings) == ([], [])
    assert len(lab.cloud.volumes) == (0 if state == "absent" else 6)
    lab.cloud.locked = frozenset()
    last = lab.run(state)
    assert (last.failed, last.values["errors"], last.values["images"]) == ("", {}, ["image1"])


def test_all_images_of_a_machine_that_do_not_go_are_named(lab):
    lab.cloud.images["image4"] = {**lab.cloud.images["image1"], "id": "image4", "migration_disk": "2001"}
    lab.cloud.locked = frozenset(["image1", "image4"])
    (error,) = lab.run("clean").values["errors"].values()
    assert "image image1 was not removed" in error
    assert "image image4 was not removed" in error


def test_machines_do_not_wait_for_each_other():
    machines = fakes_migration.made([fakes_migration.vm(number) for number in (1, 2, 3)]).machines
    found = [Volume(f"v{number}", metadata={"migration_vm": uuid}) for number, uuid in enumerate(UUIDS, 1)]
    others = threading.Barrier(2, timeout=10)

    def discard(volume):
        if volume == "v1":
            others.wait()
            raise LandscapeError("it does not go")
        if volume == "v2":
            others.wait()

    gone, errors = removing.carry_out(machines, found, discard)
    assert gone == ["v2", "v3"]
    assert errors == {UUIDS[0]: "vm1 at esx1.example: it does not go"}


def test_nothing_to_remove_is_nothing_to_do():
    assert removing.carry_out([], [], lambda _volume: None) == ([], {})
