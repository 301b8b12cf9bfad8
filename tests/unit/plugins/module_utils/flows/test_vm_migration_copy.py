# SPDX-License-Identifier: Apache-2.0
"""Waves of disks: what is there is left alone, what is missing is moved within limits, and ways are opened once and closed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import threading
from types import SimpleNamespace

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.flows import copying
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import (
    fitness,
    moving,
    removing,
    source,
    target,
    ways,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Attachment, Volume
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import glance, owner
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import leftovers, model, sinks
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.places import Reach
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.service import VolumeService
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks import opening
from ansible_collections.scs.landscape.plugins.modules import vm_migration_copy
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes import fake_volumes
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.volumes.fake_volumes import FakeVolumes

from . import fakes_migration
from .fakes_copying import UNIT, Broken, Keeper, Memory, Store

SIZE = 8 * UNIT


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(copying, "block_for", lambda _size: 4 * UNIT)


def wave(count=3, disks=2, **more):
    """Facts, and their plan."""
    keys = range(2000, 2000 + disks)
    many = [fakes_migration.disk(key, capacity_bytes=SIZE, allocated_bytes=SIZE) for key in keys]
    vms = [fakes_migration.vm(number, power="off", disks=many) for number in range(1, count + 1)]
    return vms, fakes_migration.made(vms, **more)


class Source:
    """Machines that give their disks; counts what is open."""

    def __init__(self, broken=()):
        self.data, self.broken, self.opened, self.ended = {}, set(broken), [], {}
        self.open_now = self.reading = self.most = 0
        self.state_of, self.lost = "state1", False
        self.lock = threading.Lock()

    def bytes(self, vm, key):
        return self.data.setdefault((vm.uuid, key), os.urandom(SIZE // 2) + bytes(SIZE // 2))

    @contextlib.contextmanager
    def open(self, vm, disks, transports):
        self.opened.append((vm.name, tuple(disk.key for disk in disks), transports))
        self.open_now += 1
        outer = self

        def make(disk):
            cuts = (5,) if (vm.name, disk.key) in outer.broken else ()
            return Watched(outer, outer.bytes(vm, disk.key), name=vm.name, cuts=cuts, error=Broken)

        def check():
            if outer.lost:
                raise LandscapeError("The lease could not be kept")

        try:
            yield SimpleNamespace(transport=transports[0], source=make, state=lambda _disk: self.state_of, check=check)
            self.ended[vm.name] = "complete"
        except LandscapeError:
            self.ended[vm.name] = "abort"
            raise
        finally:
            self.open_now -= 1


class Watched(Memory):
    """A source that says when it is read."""

    def __init__(self, outer, data, **more):
        super().__init__(data, **more)
        self.outer = outer

    def pieces(self, begin=0):
        with self.outer.lock:
            self.outer.reading += 1
            self.outer.most = max(self.outer.most, self.outer.reading)
        try:
            yield from super().pieces(begin)
        finally:
            with self.outer.lock:
                self.outer.reading -= 1


class Target:
    """Volumes by name."""

    def __init__(self):
        self.stores, self.wanted = {}, {}

    def sink(self, wanted):
        self.wanted[wanted.name] = wanted
        store = self.stores.setdefault(wanted.name, Store(wanted.bytes))
        sink = Keeper(store)
        sink.volume, sink.digest = f"id-{wanted.name}", ""
        return sink


def move(vms, document, where, target, tmp_path, there=()):
    items = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path / "maps"), {})
    moving.look(items, there)
    seconds = moving.Moving(where.open, target.sink, "c1").carry_out(items, document)
    return items, moving.values(items, seconds)


def test_a_wave_is_moved_and_each_way_is_opened_once(tmp_path):
    vms, document = wave()
    where, target = Source(), Target()
    items, found = move(vms, document, where, target, tmp_path)
    assert [one.status for one in items] == ["done"] * 6
    assert sorted(where.opened) == [(f"vm{n}", (2000, 2001), ("nfc", "folder", "ssh")) for n in (1, 2, 3)]
    assert where.ended == {f"vm{n}": "complete" for n in (1, 2, 3)}
    assert where.open_now == 0
    for one in items:
        assert bytes(target.stores[one.wanted.name].bytes) == where.bytes(one.vm, one.disk.key)
    assert found["copied"] == [vm["uuid"] for vm in vms]
    made = found["made"][vms[0]["uuid"]]
    assert made["volumes"] == {"2000": "id-vm1-0", "2001": "id-vm1-1"}
    # What later reports need, for no later run moves these disks.
    kept = made["figures"]["2000"]
    assert (kept["volume"], kept["transport"], kept["status"]) == ("id-vm1-0", "nfc", "done")
    assert kept["began"] > 0
    assert found["figures"]["size"] == sum(one["size"] for one in found["disks"])
    assert (found["figures"]["size"], found["figures"]["data"]) == (6 * SIZE, 3 * SIZE)
    assert not "\n".join(fitness.broken(items).values())


def test_the_boot_volume_alone_carries_what_the_server_is_made_of(tmp_path):
    vms, document = wave(1)
    target = Target()
    move(vms, document, Source(), target, tmp_path)
    boot, data = target.wanted["vm1-0"], target.wanted["vm1-1"]
    assert (boot.bootable, data.bootable) == (True, False)
    assert boot.properties["os_distro"] == "debian"
    assert data.properties == {}
    assert "image_build_date" not in boot.properties
    dated = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {}, day="2026-11-22")
    assert [one.wanted.properties.get("image_build_date") for one in dated] == ["2026-11-22", None]
    assert boot.metadata == {
        "migration_vm": vms[0]["uuid"],
        "migration_disk": "2000",
        "migration_source_state": "state1",
    }


@pytest.mark.accept("V1.18")
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_an_esxi_host_never_serves_more_disks_than_its_limit(tmp_path, limit):
    vms, document = wave(4, limits={"host": limit})
    where = Source()
    move(vms, document, where, Target(), tmp_path)
    assert where.most <= limit


@pytest.mark.accept("V1.13")
def test_what_is_done_is_left_alone(tmp_path):
    vms, document = wave(2)
    there = [
        SimpleNamespace(
            id=f"v{number}{key}",
            status="available",
            created="1",
            attachments=(),
            metadata={
                "migration_vm": vm["uuid"],
                "migration_disk": str(key),
                "migration_state": "done",
                "migration_digest": "d",
            },
        )
        for number, vm in enumerate(vms)
        for key in (2000, 2001)
    ]
    where, target = Source(), Target()
    items, found = move(vms, document, where, target, tmp_path, there)
    assert not moving.plan_of(items)
    assert (where.opened, target.stores) == ([], {})
    assert found["made"][vms[1]["uuid"]]["volumes"] == {"2000": "v12000", "2001": "v12001"}
    assert found["figures"]["size"] == 0


def test_one_disk_that_fails_ends_its_way_as_a_failure_and_no_other(tmp_path):
    vms, document = wave()
    where, target = Source(broken=[("vm2", 2001)]), Target()
    items, found = move(vms, document, where, target, tmp_path)
    assert [one.status for one in items] == ["done", "done", "done", "failed", "done", "done"]
    assert where.ended == {"vm1": "complete", "vm2": "abort", "vm3": "complete"}
    assert vms[1]["uuid"] not in found["copied"]
    assert "vm2 Hard disk 2: vm2 broke off" in "\n".join(fitness.broken(items).values())
    where.broken.clear()
    (again,) = [
        one
        for one in move(vms[1:2], fakes_migration.made(vms[1:2]), where, target, tmp_path)[0]
        if one.disk.key == 2001
    ]
    assert again.status == "done"
    assert bytes(target.stores["vm2-1"].bytes) == where.bytes(again.vm, 2001)


@pytest.mark.parametrize(("state", "resumed"), [("state1", True), ("another", False), ("", False)])
def test_a_disk_that_changed_meanwhile_is_begun_anew(tmp_path, state, resumed):
    vms, document = wave(1, 1)
    where, target = Source(), Target()

    class Breaking(Watched):
        def pieces(self, begin=0):
            for piece in super().pieces(begin):
                if piece.offset >= 6 * UNIT:
                    raise Broken("it broke off")
                yield piece

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "Watched", Breaking)
        (item,), _found = move(vms, document, where, target, tmp_path)
        assert item.status == "failed"
    where.state_of = state
    (item,), _found = move(vms, document, where, target, tmp_path)
    assert item.status == "done"
    assert (item.copied.resumed > 0) == resumed
    assert bytes(target.stores["vm1-0"].bytes) == where.bytes(item.vm, 2000)


@pytest.mark.accept("V1.11")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"power": "on"}, "is on; its disks change"),
        ({"disks": []}, "Hard disk 1 is gone"),
        ({"disks": [fakes_migration.disk(2000, capacity_bytes=2 * SIZE)]}, "was 524288 bytes when it was planned"),
        (
            {"disks": [fakes_migration.disk(2000, capacity_bytes=SIZE), fakes_migration.disk(2005)]},
            "2005 is not in the plan",
        ),
    ],
    ids=["on", "gone", "grown", "new"],
)
def test_a_machine_that_is_not_as_planned_is_refused_before_anything_is_made(tmp_path, change, reason):
    vms, document = wave(2, 1)
    with pytest.raises(InputError, match=reason):
        moving.items_of(document.machines, source.vms_of([vms[0], {**vms[1], **change}]), str(tmp_path), {})
    with pytest.raises(InputError, match=r"vm2 at esx1\.example is not among vms"):
        moving.items_of(document.machines, source.vms_of(vms[:1]), str(tmp_path), {})


def test_the_plan_says_what_would_be_made(tmp_path):
    vms, document = wave(1)
    items = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {})
    steps = moving.plan_of(items).as_dict()["steps"]
    assert [step["object"] for step in steps] == ["volume vm1-0", "volume vm1-1"]
    assert steps[0]["after"]["bytes"] == SIZE
    assert all(one["predicted"] for one in moving.values(items, 0)["disks"])
    assert os.listdir(tmp_path) == []


def test_things_are_made_once_by_many_threads():
    made = []
    once = ways.Once(lambda name: made.append(name) or name.upper())
    threads = [threading.Thread(target=once.get, args=("a",)) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == ["a"]
    assert once.get("a") == "A"


def test_only_what_was_made_is_removed_and_nothing_that_is_used():
    _vms, document = wave(2)
    mine = {"migration_vm": document.machines[0].uuid, "migration_disk": "2000", "migration_state": "done"}
    volumes = [
        Volume("v1", "vm1-0", 1, metadata=mine),
        Volume("v2", "half", 1, metadata={**mine, "migration_state": "writing 5"}),
        Volume("decoy", "vm1-0", 1),
        Volume("marked", "x", 1, metadata={"migration_vm": mine["migration_vm"]}),
        Volume("other", "y", 1, metadata={**mine, "migration_vm": "another"}),
    ]
    found, errors = removing.removable(document.machines, volumes)
    assert ([one.id for one in found], errors) == (["v1", "v2"], {})
    assert [step.action for step in removing.removal(found).steps] == ["delete"] * 2
    served = Volume("v3", "z", 1, "in-use", metadata=mine, attachments=(Attachment("server1", "vda"),))
    other = Volume("v4", "vm2-0", 1, metadata={**mine, "migration_vm": document.machines[1].uuid})
    found, errors = removing.removable(document.machines, [*volumes, served, other])
    # A machine keeps all of its volumes or none.
    assert [one.id for one in found] == ["v4"]
    assert list(errors) == [document.machines[0].uuid]
    assert "vm1" in errors[document.machines[0].uuid]
    assert "attached to a server. Remove the server first" in errors[document.machines[0].uuid]
    assert removing.removable(document.machines, [served], used=True) == ([served], {})


@pytest.mark.accept("V1.14")
def test_what_a_killed_copy_left_attached_can_be_removed_and_what_a_living_one_fills_cannot():
    _vms, document = wave(1)
    mine = {"migration_vm": document.machines[0].uuid, "migration_disk": "2000", "migration_state": "writing 5"}
    machine, _space, rest = owner.mark().partition(" ")
    left = Volume(
        "v1",
        "x",
        1,
        "in-use",
        metadata={**mine, "migration_run": f"{machine} 999999999 1 1"},
        attachments=(Attachment("", ""),),
    )
    assert removing.removable(document.machines, [left]) == ([left], {})
    parent = f"{machine} {os.getppid()} {owner.started(os.getppid())} 1"
    filled = Volume("v2", "x", 1, "in-use", metadata={**mine, "migration_run": parent})
    found, errors = removing.removable(document.machines, [filled])
    assert found == []
    assert "another run works on" in errors[document.machines[0].uuid]
    assert rest


def present(document, vms, tmp_path, state, server=""):
    """The items of a machine whose volumes are there, filled when the source was something."""
    items = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {})
    uses = (Attachment(server, "vda"),) if server else ()
    marks = {"migration_state": "done", **({"migration_source_state": state} if state else {})}
    there = [Volume(f"v{one.disk.key}", metadata={**one.wanted.metadata, **marks}, attachments=uses) for one in items]
    moving.look(items, there)
    assert [one.status for one in items] == ["present"] * 2
    return items


@pytest.mark.accept("V1.13")
@pytest.mark.parametrize(
    ("was", "now", "server", "reason"),
    [
        ("a", "a", "", ""),
        ("a", "a", "s1", ""),
        ("a", "b", "", "was changed after its volume v2000 was filled"),
        ("a", "b", "s1", "was changed after its volume v2000 was filled"),
        ("", "b", "", "nobody can tell"),
        ("a", "", "", "nobody can tell"),
        ("", "", "s1", ""),
    ],
)
def test_a_volume_of_a_machine_that_has_run_since_is_not_taken_for_right(tmp_path, was, now, server, reason):
    vms, document = wave(1)
    items = present(document, vms, tmp_path, was, server)
    if not reason:
        moving.unchanged(items, lambda _item: now, whole=True)
        return
    with pytest.raises(InputError, match=reason) as caught:
        moving.unchanged(items, lambda _item: now)
    assert "v2001" in str(caught.value)


def test_before_servers_are_made_all_volumes_have_to_be_there(tmp_path):
    vms, document = wave(1)
    items = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {})
    moving.unchanged(items, lambda _item: "a")
    with pytest.raises(InputError, match="has no volume that is whole"):
        moving.unchanged(items, lambda _item: "a", whole=True)


@pytest.mark.accept("V1.11")
@pytest.mark.parametrize("what", ["lost", "changed"])
def test_no_volume_counts_when_its_way_is_not_to_be_trusted_any_more(tmp_path, what):
    vms, document = wave(1, 1)
    where, target = Source(), Target()

    class Failing(Watched):
        def pieces(self, begin=0):
            yield from super().pieces(begin)
            where.lost, where.state_of = what == "lost", "state2" if what == "changed" else "state1"

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "Watched", Failing)
        items, found = move(vms, document, where, target, tmp_path)
    assert [one.status for one in items] == ["failed"]
    assert [store.finished for store in target.stores.values()] == [0]
    assert vms[0]["uuid"] not in found["copied"]
    assert ("could not be kept" if what == "lost" else "was changed while it was copied") in "\n".join(
        fitness.broken(items).values()
    )


def copying_task(tmp_path, vms, document, check=False, **more):
    """The module on a cloud that has nothing."""
    (tmp_path / "plan.json").write_text(json.dumps(document.as_dict()))
    (tmp_path / "share").mkdir(exist_ok=True)
    options = {"src": str(tmp_path / "plan.json"), "maps": str(tmp_path), "vms": vms, **more}
    options["mounts"] = {"nfs.example:/volumes": str(tmp_path / "share")}
    given = ArgumentSpecValidator(vm_migration_copy.ARGUMENTS).validate(options)
    assert not given.error_messages
    cloud = FakeVolumes(tmp_path / "share")
    cloud.kinds = ("hdd", "ssd")
    return vm_migration_copy.main(given.validated_parameters, check, connect=lambda _params: cloud)


LOGIN = {"hostname": "esx1.example", "username": "root", "password": "x"}


@pytest.mark.accept("V1.22")
@pytest.mark.parametrize(
    ("transport", "offered", "reason"),
    [
        ("ssh", {"endpoints": [LOGIN]}, "no host for SSH is named"),
        ("ssh", {"endpoints": [{**LOGIN, "ssh": {"user": "root"}}]}, ""),
        ("local", {}, "no local folder is named"),
        ("local", {"local_path": "/srv"}, ""),
        ("folder", {}, "no endpoint is named"),
        ("auto", {"endpoints": [{**LOGIN, "hostname": "another"}]}, "no endpoint is named"),
        ("auto", {"endpoints": [LOGIN]}, ""),
    ],
    ids=["ssh-not-offered", "ssh", "local-not-offered", "local", "folder-not-offered", "other-endpoint", "auto"],
)
def test_what_nobody_offers_is_told_before_machines_are_shut_down(tmp_path, transport, offered, reason):
    vms, document = wave(2, transport=transport)
    for vm in vms:
        vm["power"] = "on"
    if not reason:
        assert len(copying_task(tmp_path, vms, document, check=True, **offered).plan.steps) == 4
        return
    found = copying_task(tmp_path, vms, document, check=True, **offered)
    assert reason in found.failed
    assert all(f"There is no way to the disks of vm{number}" in found.failed for number in (1, 2))
    assert (found.changed, sorted(found.values["errors"])) == (False, sorted(vm["uuid"] for vm in vms))


@pytest.mark.accept("V1.22")
@pytest.mark.parametrize(
    ("path", "host"),
    [("/ha-datacenter/vm/web", "esx1.example"), ("/DC0/vm/web", "esx7.example")],
    ids=["esxi", "vcenter"],
)
def test_a_lease_that_is_refused_leaves_files_and_the_shell(path, host):
    vms, document = wave(1)
    (machine,) = document.machines
    assert (machine.transport, machine.fallback) == ("nfc", ("folder", "ssh"))
    (vm,) = source.vms_of([{**vms[0], "path": path, "esxi_host": "esx7.example"}])
    login = {**LOGIN, "ssh": {"host": None, "user": "root", "port": 2222}, "timeout": 9}
    found = vm_migration_copy.offered(
        {"local_path": None}, {vm.endpoint: login}, vm, ("nfc", "folder", "ssh"), object()
    )
    assert (found.ssh.host, found.ssh.port) == (host, 2222)
    assert opening.usable(vm, found)[0] == ["nfc", "folder", "ssh"]
    assert opening.usable(vm, dataclasses.replace(found, ssh=None))[0] == ["nfc", "folder"]
    assert opening.usable(vm, dataclasses.replace(found, session=None))[0] == ["ssh"]


@pytest.fixture
def cloned(tmp_path):
    """A plan of two machines, and a cloud with a volume of the first one that stands on its image, and images of others."""
    _vms, document = wave(2)
    (tmp_path / "plan.json").write_text(json.dumps(document.as_dict()))
    (tmp_path / "share").mkdir()
    cloud, mine = FakeVolumes(tmp_path / "share"), document.machines[0].uuid
    marks = {"migration_vm": mine, "migration_disk": "2000", "migration_state": "done"}
    cloud._made({"name": "vm1-0", "size": 0, "metadata": marks})
    image = {"owner": cloud.project_id, "os_hidden": True, "status": "active", "updated_at": "2026-01-01T00:00:00Z"}
    for name, more in {
        "mine": {**marks, "migration_state": "writing"},
        "other": {**marks, "migration_vm": "another"},
        "decoy": {"migration_vm": mine},
        "theirs": {**marks, "owner": "somebody"},
        "filled": {**marks, "migration_run": f"{os.uname().nodename}-other 1 1", "updated_at": "2999-01-01T00:00:00Z"},
    }.items():
        cloud.images[name] = {**image, "id": name, "name": name, **more}

    def run(state, check=False):
        options = {"src": str(tmp_path / "plan.json"), "maps": str(tmp_path), "state": state}
        given = ArgumentSpecValidator(vm_migration_copy.ARGUMENTS).validate(options)
        assert not given.error_messages
        return vm_migration_copy.main(given.validated_parameters, check, connect=lambda _params: cloud)

    return SimpleNamespace(cloud=cloud, run=run)


@pytest.mark.accept("V1.15")
def test_images_go_with_the_volumes_that_stood_on_them(cloned):
    checked = cloned.run("absent", check=True)
    assert (checked.values["images"], cloned.cloud.writes) == (["mine"], [])
    done = cloned.run("absent")
    assert done.plan.digest == checked.plan.digest
    assert (done.changed, done.steps_done, done.warnings) == (True, 2, [])
    assert (cloned.cloud.volumes, sorted(cloned.cloud.images)) == ({}, ["decoy", "filled", "other", "theirs"])
    again = cloned.run("absent")
    assert (again.changed, bool(again.plan)) == (False, False)


def test_an_image_that_a_volume_still_stands_on_stays_and_is_told(cloned, monkeypatch):
    monkeypatch.setattr(leftovers, "_GOES", -1.0)
    cloned.cloud.cloned = True
    kept = cloned.run("clean")
    assert (kept.changed, kept.values["images_kept"]) == (False, ["mine"])
    assert kept.warnings == ["image mine stays: a volume stands on it"]
    assert len(cloned.cloud.volumes) == 1
    cloned.cloud.cloned = False
    assert cloned.run("clean").values == {"images": ["mine"], "images_kept": [], "errors": {}}
    assert len(cloned.cloud.volumes) == 1


def test_an_image_that_had_to_stay_is_told_with_its_disk(tmp_path):
    vms, document = wave(1)
    target = Target()
    plain = target.sink

    def sink(wanted):
        found = plain(wanted)
        found.kept = "image-0" if wanted.name.endswith("-0") else ""
        return found

    target.sink = sink
    _items, found = move(vms, document, Source(), target, tmp_path)
    assert found["made"][vms[0]["uuid"]]["images"] == {"2000": "image-0"}


def test_in_check_mode_machines_may_still_run(tmp_path):
    vms, document = wave(1)
    vms[0]["power"] = "on"
    assert len(moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {}, off=False)) == 2


def test_a_machine_that_cannot_be_moved_holds_up_no_other(tmp_path):
    vms, document = wave(2)
    vms[1]["power"] = "on"
    items, errors = fitness.fit(document.machines, source.vms_of(vms), str(tmp_path), {})
    assert {one.machine.name for one in items} == {"vm1"}
    assert list(errors) == [vms[1]["uuid"]]
    assert "vm2 at esx1.example is on" in errors[vms[1]["uuid"]]

    def judge(mine):
        raise InputError(f"{len(mine)} disks of {mine[0].machine.name} are strange")

    assert fitness.each(items, judge) == {vms[0]["uuid"]: "2 disks of vm1 are strange"}
    items[0].status, items[0].message = items[1].status, items[1].message = "failed", "broke off"
    assert fitness.broken(items) == {vms[0]["uuid"]: "vm1 Hard disk 1: broke off\nvm1 Hard disk 2: broke off"}


@pytest.mark.accept("V1.21")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flavors": ()}, "there is no flavor"),
        ({"networks": ()}, "there is no network front (n1) any more"),
        ({"groups": {}}, "there is no security group g1 any more"),
        ({"servers": (("vm1", "another"),)}, "there is a server vm1 at the target that did not come from it"),
    ],
    ids=["flavor", "network", "group", "name"],
)
def test_what_the_target_lacks_since_it_was_planned_is_told_before_a_shutdown(change, reason):
    vms, document = wave(2)
    assert fitness.lacking(document.machines, fakes_migration.cloud()) == {}
    found = fitness.lacking(document.machines, fakes_migration.cloud(**change))
    assert found[vms[0]["uuid"]].startswith(f"{document.machines[0].label}: {reason}")
    assert (vms[1]["uuid"] in found) == ("servers" not in change)
    # Who has a server needs none of it any more.
    made = {vm["uuid"]: target.Made(instances=1) for vm in vms}
    assert fitness.lacking(document.machines, fakes_migration.cloud(made=made, **change)) == {}


@pytest.mark.accept("V1.21")
def test_quotas_that_do_not_do_stop_the_wave_before_a_shutdown():
    _vms, document = wave(2)
    cloud = fakes_migration.cloud(quota={"volumes": target.Bound(5, 2)})
    with pytest.raises(InputError, match="quota volumes: 4 are needed, 3 of 5 are free"):
        fitness.lacking(document.machines, cloud)


@pytest.mark.accept("V1.15")
def test_volumes_say_how_machines_were_to_a_converter_without_a_journal():
    vms, document = wave(2)
    first = {"migration_vm": vms[0]["uuid"], "migration_disk": "2000", "migration_state": "writing 5"}
    there = [
        Volume("v1", metadata={**first, "migration_source": '["on",1,{}]'}),
        Volume("v2", metadata={**first, "migration_disk": "2001"}),
        Volume("v3", metadata={**first, "migration_vm": "another", "migration_source": "x"}),
    ]
    assert moving.marks(document.machines, there) == {vms[0]["uuid"]: '["on",1,{}]'}


def test_what_cannot_be_is_told_before_anything_is_shut_down(tmp_path):
    vms, document = wave(1)
    items = moving.items_of(document.machines, source.vms_of(vms), str(tmp_path), {})
    moving.possible(items, lambda _wanted: [], Reach({"a:/b": str(tmp_path)}))
    moving.possible(items, lambda _wanted: [], None)
    with pytest.raises(InputError, match="nobody says where volumes lie"):
        moving.possible(items, lambda _wanted: [], Reach())
    with pytest.raises(InputError, match=r"there is no type x\n.*gone is no folder"):
        moving.possible(items, lambda _wanted: ["there is no type x"], Reach({"a:/b": str(tmp_path / "gone")}))
    for one in items:
        one.status = "present"
    moving.possible(items, lambda _wanted: ["there is no type x"], Reach())


def carried(cloud, method, vms, document, where, folder):
    """A wave of one disk into volumes of a stand-in that is the real code up to the wire."""
    seconds = itertools.count()
    service = VolumeService(cloud, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    settings = sinks.Settings(Reach({fake_volumes.EXPORT: str(cloud.share)}, None, None))

    def sink(wanted):
        return sinks.open_sink(cloud, wanted, method, settings=settings, service=service)

    items = moving.items_of(document.machines, source.vms_of(vms), str(folder), {})
    moving.look(items, service.cinder.volumes())
    moving.Moving(where.open, sink, "c1").carry_out(items, document)
    return items


@pytest.mark.slow
@pytest.mark.accept("V1.21")
@pytest.mark.parametrize("method", ["attach", "image"])
@pytest.mark.parametrize(
    ("status", "acted"), [(409, False), (413, False), (503, False), (503, True)], ids=["409", "413", "503", "503-late"]
)
def test_a_refusal_anywhere_leaves_nothing_and_the_next_run_ends_well(tmp_path, monkeypatch, method, status, acted):
    for module in (model, sinks, fake_volumes):
        monkeypatch.setattr(module, "GIB", 16 * UNIT)
    monkeypatch.setattr(glance.Glance, "_wait_a_little", lambda _self, _attempt: None)
    (tmp_path / "share").mkdir()
    cloud, where = FakeVolumes(tmp_path / "share"), Source()
    vms, document = wave(1, disks=1)

    def leftovers_of():
        there = [one["status"] for one in cloud.volumes.values() if one["status"] != "available"]
        return [*there, *(one["status"] for one in cloud.images.values()), *cloud.attachments]

    failed = []
    for number in range(100):
        cloud.writes.clear()
        cloud.trouble = (number, status, acted)
        (item,) = carried(cloud, method, vms, document, where, tmp_path / f"maps-{number}")
        if item.status == "failed":
            failed.append(item.message)
            assert leftovers_of() == [], cloud.writes
            (item,) = carried(cloud, method, vms, document, where, tmp_path / f"maps-{number}")
        # What came too late for the run is there for the next one.
        assert item.status in (("done", "present") if failed else ("done",))
        assert leftovers_of() == []
        assert len(cloud.volumes) == 1
        identifier = next(iter(cloud.volumes))
        assert cloud.path(identifier).read_bytes() == where.bytes(item.vm, 2000) + bytes(8 * UNIT)
        if cloud.trouble is not None:
            break
        cloud.volumes.clear()
    assert 4 < number < 99
    assert failed or (status, acted) == (503, True)
