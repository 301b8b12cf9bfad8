# SPDX-License-Identifier: Apache-2.0
"""Waves of sparse disks of odd sizes, by every sink: the plan announces what is sent, and no more is sent."""

from __future__ import annotations

import functools
import itertools
import json
import random
import threading

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.retry import Backoff
from ansible_collections.scs.landscape.plugins.module_utils.flows import copying, sparse
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import parts
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import model, sinks
from ansible_collections.scs.landscape.plugins.modules import vm_migration_copy
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes import fake_volumes
from ansible_collections.scs.landscape.tests.unit.plugins.modules.test_vmware_disk_export import Machine

from . import fakes_migration
from .fakes_copying import UNIT, Memory

MIB = 1 << 20
#: Unlike Cinder's, so that tests move no gibibytes.
SMALL = 8 * MIB


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nobody waits, and a gibibyte is small."""
    seconds = itertools.count()
    place = vm_migration_copy
    later = functools.partial(place.VolumeService, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    monkeypatch.setattr(place, "VolumeService", later)
    for one in (model, sinks, fake_volumes, parts):
        monkeypatch.setattr(one, "GIB", SMALL)


@pytest.fixture
def cloud(tmp_path):
    (tmp_path / "share").mkdir()
    found = fake_volumes.FakeVolumes(tmp_path / "share")
    found.kinds = ("ssd",)
    return found


def wave(tmp_path, chance, size, **choices):
    """A machine with one disk that holds little, and the plan of its migration."""
    machine = Machine(tmp_path, chance, sizes=(size,))
    data = bytearray(size)
    for at in (0, chance.randrange(size), size - 1):
        data[at] = chance.randrange(1, 256)
    machine.data = [bytes(data)]
    (machine.where / "web-flat.vmdk").write_bytes(data)
    facts = {**machine.vm.as_dict(), "cpus": 1, "memory_mb": 1024}
    facts["disks"][0]["allocated_bytes"] = size // 4
    document = fakes_migration.made([facts], transport="local", volume_types={"*": "ssd"}, **choices)
    return machine, facts, document


def copy(tmp_path, machine, facts, document, cloud, check=False, **options):
    (tmp_path / "plan.json").write_text(json.dumps(document.as_dict()))
    options = {"src": str(tmp_path / "plan.json"), "maps": str(tmp_path / "maps"), "vms": [facts], **options}
    options["local_path"] = str(machine.folder / "datastores")
    given = ArgumentSpecValidator(vm_migration_copy.ARGUMENTS).validate(options)
    assert not given.error_messages
    return vm_migration_copy.main(given.validated_parameters, check, connect=lambda _params: cloud)


@pytest.mark.accept("V1.6", "V1.7", "V1.23")
@pytest.mark.parametrize("method", ["volume", "raw", "qcow2"])
@pytest.mark.parametrize("size", [SMALL + MIB, SMALL - 512, SMALL, 5 * MIB + 512], ids=str)
def test_a_sparse_disk_of_any_size_moves_what_was_announced(tmp_path, seed, cloud, size, method):
    choices = {"method": "volume"} if method == "volume" else {"method": "image", "image_format": method}
    machine, facts, document = wave(tmp_path, random.Random(seed ^ size), size, **choices)
    (planned,) = document.machines[0].disks
    announced = {"volume": size // 4, "raw": size, "qcow2": size // 4}[method]
    assert (planned.sent, document.bytes.sent) == (announced, announced)
    assert planned.read == {"volume": size // 4, "raw": size // 4, "qcow2": 2 * (size // 4)}[method]
    mounts = {"mounts": {fake_volumes.EXPORT: str(cloud.share)}} if method == "volume" else {}
    checked = copy(tmp_path, machine, facts, document, cloud, check=True, **mounts)
    assert cloud.writes == []
    assert checked.plan.steps[0].after["sent"] == announced
    done = copy(tmp_path, machine, facts, document, cloud, **mounts)
    assert (done.failed, done.plan.digest) == ("", checked.plan.digest)
    (one,) = done.values["disks"]
    if method == "raw":
        assert one["sent"] == cloud.sent == size
    elif method == "qcow2":
        assert one["sent"] == cloud.sent <= 10 * 65536  # three clusters of data, and tables
    else:
        assert one["sent"] <= 3 * 65536
    assert done.values["figures"]["sent"] == one["sent"]
    ((identifier, volume),) = cloud.volumes.items()
    held = cloud.path(identifier).read_bytes()
    assert len(held) == volume["size"] * SMALL == -(-size // SMALL) * SMALL
    assert (held[:size] == machine.data[0], held[size:].count(0)) == (True, len(held) - size)
    if method != "raw":
        assert cloud.path(identifier).stat().st_blocks * 512 <= 5 * 65536
    assert cloud.images == {}
    assert not copy(tmp_path, machine, facts, document, cloud, **mounts).changed


@pytest.mark.accept("V1.6")
@pytest.mark.parametrize(
    ("transport", "wanted", "allocated", "found"),
    [
        ("folder", "auto", 3, "qcow2"),
        ("ssh", "auto", 3, "qcow2"),
        ("local", "auto", 7, "qcow2"),
        ("folder", "auto", 8, "raw"),
        ("folder", "auto", None, "raw"),
        ("folder", "qcow2", 10, "qcow2"),
        ("folder", "raw", 1, "raw"),
        ("nfc", "auto", 1, "raw"),
        ("nfc", "qcow2", 1, "raw"),
    ],
)
def test_a_disk_is_read_twice_where_that_pays_and_can_be(transport, wanted, allocated, found):
    assert sparse.format_of(wanted, transport, 10, allocated) == found


def test_looking_for_zeroes_goes_on_after_a_break(seed):
    chance = random.Random(seed)
    data = bytearray(64 * UNIT)
    for number in (3, 4, 40):
        data[number * UNIT : number * UNIT + 10] = chance.randbytes(9) + b"x"
    source = Memory(bytes(data), cuts=(5 * UNIT, 50 * UNIT))
    progress, fast = copying.Progress(), Backoff(first=0.0, longest=0.0, within=60.0)
    found = sparse.extents_of(source, copying.BROKEN, progress, threading.Event(), fast)
    assert found == [(3 * UNIT, 2 * UNIT), (40 * UNIT, UNIT)]
    assert progress.again == 2
    once = Memory(bytes(data), restartable=False)
    assert sparse.extents_of(once, copying.BROKEN, progress, threading.Event(), fast) is None
    assert once.begins == []


@pytest.mark.accept("V1.4")
def test_bytes_that_came_after_looking_are_not_lost(tmp_path, seed, cloud, monkeypatch):
    """Somebody writes between the two times of reading: nothing is made of it."""
    machine, facts, document = wave(tmp_path, random.Random(seed), SMALL, method="image")
    real = sparse.extents_of

    def then(*given):
        found = real(*given)
        with open(machine.where / "web-flat.vmdk", "r+b") as file:
            file.write(b"late" * (SMALL // 4))
        return found

    monkeypatch.setattr(copying, "extents_of", then)
    result = copy(tmp_path, machine, facts, document, cloud)
    assert "the source said there were only zeroes" in result.failed
    assert (cloud.volumes, cloud.images) == ({}, {})


def test_a_disk_that_cannot_be_looked_at_leaves_nothing(tmp_path, seed, cloud, monkeypatch):
    machine, facts, document = wave(tmp_path, random.Random(seed), SMALL, method="image")

    def broken(*_given):
        raise LandscapeError("the cable was pulled")

    monkeypatch.setattr(copying, "extents_of", broken)
    result = copy(tmp_path, machine, facts, document, cloud)
    assert "the cable was pulled" in result.failed
    assert cloud.writes == []
