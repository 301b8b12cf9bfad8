# SPDX-License-Identifier: Apache-2.0
"""Journals: killed anywhere and run again gives the same end; how a machine was is never lost."""

from __future__ import annotations

import copy
import os
import random
import stat

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.record import RunRecord
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import journals, state
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import vm_of
from ansible_collections.scs.landscape.plugins.modules import vm_migration_state

from . import fakes_migration


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A plan of three machines in a file, and where journals go."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)  # nothing here loses its power, and disks may be busy
    vms = [fakes_migration.vm(number, power="off" if number == 2 else "on") for number in (1, 2, 3)]
    document = fakes_migration.made(vms)
    (tmp_path / "plan.json").write_text(document.text(), encoding="utf-8")
    return {"src": str(tmp_path / "plan.json"), "folder": str(tmp_path / "journals"), "vms": vms, "document": document}


def params(place, state_wanted, **more):
    given = {name: spec.get("default") for name, spec in vm_migration_state.ARGUMENTS.items()}
    return {**given, "src": place["src"], "folder": place["folder"], "vms": place["vms"], "state": state_wanted, **more}


def run(place, state_wanted, check=False, **more):
    return vm_migration_state.main(params(place, state_wanted, **more), check)


def states(result):
    return [one["state"] for one in result.values["vms"]]


def test_a_machine_goes_its_way_and_a_second_time_nothing_changes(place):
    for name in state.WAY:
        first = run(place, name)
        assert (first.changed, first.steps_done, states(first)) == (True, 3, [name] * 3)
        again = run(place, name)
        assert (again.changed, again.steps_done, states(again)) == (False, 0, [name] * 3)
    assert set(state.STATES) == set(state.MEANING)


def test_check_mode_writes_nothing_and_tells_what_would_be(place):
    result = run(place, "planned", check=True)
    assert (result.changed, result.steps_done) == (True, 0)
    assert not os.path.exists(place["folder"])
    run(place, "planned")
    done = run(place, None)
    assert states(done) == ["planned"] * 3
    assert not done.changed


def test_no_state_is_left_out_and_none_is_gone_back_to(place):
    run(place, "planned")
    with pytest.raises(InputError, match="vm1 is planned and cannot become stopped"):
        run(place, "stopped")
    for name in state.WAY[1:5]:
        run(place, name)
    assert not run(place, "probed").changed
    assert states(run(place, None)) == ["copied"] * 3


def test_the_journal_says_who_needs_what(place):
    run(place, "planned")
    first = place["vms"][0]["uuid"]
    run(place, "probed", only=[first])
    due = run(place, None).values["due"]
    assert due["probed"] == [vm["uuid"] for vm in place["vms"][1:]]
    assert len(due["claimed"]) == 3


@pytest.mark.accept("V1.15")
def test_how_a_machine_was_is_written_once_and_kept_until_it_was_rolled_back(place):
    run(place, "planned")
    for name in state.WAY[1:4]:
        run(place, name)
    off = [dict(vm, power="off", nics=[]) for vm in place["vms"]]
    found = run(place, "stopped", vms=off).values["vms"]
    assert [one["original"]["power"] for one in found] == ["on", "off", "on"]
    assert found[0]["original"]["nics"] == {"4000": True}
    run(place, "rolled_back", vms=off)
    anew = run(place, "planned", vms=off).values["vms"]
    assert [one["original"]["power"] for one in anew] == ["off"] * 3
    assert [one["made"] for one in anew] == [{}] * 3


def test_what_was_made_is_kept_and_added_to(place):
    run(place, "planned")
    uuid = place["vms"][0]["uuid"]
    run(place, "probed", made={uuid: {"ports": {"4000": "p1"}}})
    run(place, "claimed", made={uuid: {"ports": {"4001": "p2"}, "volumes": {"2000": "v1"}}})
    (found,) = [one for one in run(place, None).values["vms"] if one["uuid"] == uuid]
    assert found["made"] == {"ports": {"4000": "p1", "4001": "p2"}, "volumes": {"2000": "v1"}}


def test_facts_are_needed_for_the_beginning_alone(place):
    with pytest.raises(InputError, match="no journal says how it was"):
        run(place, "planned", vms=[])
    run(place, "planned")
    for name in state.WAY:
        assert states(run(place, name, vms=[])) == [name] * 3


def test_metadata_are_short_and_bring_back_what_was(place):
    (found, *_others) = run(place, "planned").values["vms"]
    mark = found["metadata"]["migration_source"]
    assert state.original_from(mark) == found["original"]
    many = vm_of(fakes_migration.vm(1, nics=[fakes_migration.nic(1, 4000 + number) for number in range(10)]))
    assert len(state.mark_of(state.original_of(many))) <= 255
    lost = dict(place, folder=place["folder"] + "-new")
    off = [dict(vm, power="off") for vm in place["vms"]]
    again = run(lost, "planned", vms=off, marks={found["uuid"]: mark}).values["vms"]
    assert [one["original"]["power"] for one in again] == ["on", "off", "off"]
    with pytest.raises(InputError, match="does not say"):
        state.original_from("[1]")


def test_a_machine_under_way_goes_on_by_its_own_task_only(place, tmp_path):
    run(place, "planned")
    run(place, "probed")
    other = fakes_migration.made(place["vms"], overrides={"vm1": {"server": "another"}})
    (tmp_path / "other.json").write_text(other.text(), encoding="utf-8")
    with pytest.raises(InputError, match=r"vm1 at esx1\.example is probed by plan"):
        run(dict(place, src=str(tmp_path / "other.json")), "planned")
    run(place, "rolled_back")
    assert states(run(dict(place, src=str(tmp_path / "other.json")), "planned")) == ["planned"] * 3


def test_a_new_plan_that_wants_the_same_goes_on(place, tmp_path):
    run(place, "planned")
    run(place, "probed")
    waves = fakes_migration.made(place["vms"], wave_size=1)
    assert waves.digest != place["document"].digest
    (tmp_path / "waves.json").write_text(waves.text(), encoding="utf-8")
    assert states(run(dict(place, src=str(tmp_path / "waves.json")), "claimed")) == ["claimed"] * 3


def test_a_machine_that_failed_stays_where_it_is_and_holds_up_no_other(place):
    run(place, "planned")
    first, second, third = (vm["uuid"] for vm in place["vms"])
    found = run(place, "probed", errors={first: "its address is taken"}, made={first: {"ports": {"4000": "p1"}}})
    assert states(found) == ["planned", "probed", "probed"]
    assert found.values["errors"] == {first: "its address is taken"}
    assert found.values["vms"][0]["made"] == {"ports": {"4000": "p1"}}
    assert (found.values["going"], found.values["due"]["claimed"]) == ([second, third], [second, third])
    assert not run(place, "probed").changed
    assert states(run(place, "claimed")) == ["planned", "claimed", "claimed"]
    # Another run tries again.
    anew = run(place, "planned")
    assert (anew.values["errors"], anew.values["due"]["probed"]) == ({}, [first])
    assert states(run(place, "probed")) == ["probed", "claimed", "claimed"]
    run(place, "claimed", errors={second: "gone"})
    assert run(place, "rolled_back").values["errors"] == {}


def test_a_machine_that_lacks_something_from_the_start_is_not_begun(place):
    first = place["vms"][0]["uuid"]
    found = run(place, "planned", errors={first: "there is no flavor any more"})
    assert [one["uuid"] for one in found.values["vms"]] == [vm["uuid"] for vm in place["vms"][1:]]


def told(result, uuid):
    """State and error of a machine."""
    return next((one["state"], one["error"]) for one in result.values["vms"] if one["uuid"] == uuid)


@pytest.mark.parametrize("before", ["rolled_back", "planned"])
def test_a_machine_that_is_gone_holds_up_no_other_whatever_its_journal_says(place, tmp_path, before):
    first, *others = (vm["uuid"] for vm in place["vms"])
    run(place, "planned")
    if before == "rolled_back":
        run(place, "rolled_back", only=[first])
    # Of another task, so that what was begun does not count.
    other = fakes_migration.made(place["vms"], overrides={"vm1": {"server": "another"}})
    (tmp_path / "other.json").write_text(other.text(), encoding="utf-8")
    here = dict(place, src=str(tmp_path / "other.json"))
    there, gone = place["vms"][1:], {first: "vm1 is not among vms"}
    with pytest.raises(InputError, match=r"vm1 at esx1\.example is not at the source any more"):
        run(here, "planned", vms=there)
    found = run(here, "planned", vms=there, errors=gone)
    assert told(found, first) == (before, "vm1 is not among vms")
    assert (found.values["going"], found.values["errors"], found.values["due"]["probed"]) == (others, gone, others)
    for name in state.WAY[1:]:
        found = run(here, name, vms=[])
        assert states(found) == [before, name, name]
    assert found.values["errors"] == gone
    # It is there again: another run begins it by the plan of then.
    anew = run(here, "planned")
    assert told(anew, first) == ("planned", "")
    assert anew.values["vms"][0]["plan"] == other.digest
    assert anew.values["due"]["probed"] == [first]


@pytest.mark.parametrize("end", ["done", "cleaned"])
def test_a_machine_at_the_end_of_its_way_needs_no_source(place, end):
    first, *others = (vm["uuid"] for vm in place["vms"])
    for name in (*state.WAY, *([end] if end != "done" else [])):
        run(place, name, only=[first])
    gone, there = {first: "vm1 is not among vms", others[0]: "its host is silent"}, place["vms"][1:]
    found = run(place, "planned", vms=there, errors=gone)
    assert told(found, first) == (end, "")
    assert [one["uuid"] for one in found.values["vms"]] == [first, others[1]]
    assert (found.values["going"], found.values["errors"]) == ([first, others[1]], {})
    assert found.values["due"]["done"] == [others[1]]
    # What an earlier run wrote down is gone with another try.
    assert told(run(place, "checked", only=[first], errors={first: "its server is off"}), first)[1]
    assert told(run(place, "planned", vms=there, errors=gone), first) == (end, "")
    assert not run(place, "planned", vms=there, errors=gone).changed


def test_a_machine_that_ended_by_a_plan_that_wanted_something_else_is_told(place, tmp_path):
    first = place["vms"][0]["uuid"]
    for name in state.WAY:
        run(place, name, only=[first])
    other = fakes_migration.made(place["vms"], overrides={"vm1": {"server": "another"}})
    (tmp_path / "other.json").write_text(other.text(), encoding="utf-8")
    here = dict(place, src=str(tmp_path / "other.json"))
    assert told(run(here, "planned", errors={first: "gone"}), first) == ("done", "gone")


def test_journals_are_for_one_run_at_a_time(place):
    run(place, "planned")
    with RunRecord(place["folder"], "somebody").locked(), pytest.raises(LockedError, match="somebody"):
        journals.advance(place["document"], params(place, "probed"), False, patience=0.2)
    path = os.path.join(place["folder"], f"vm-{place['vms'][0]['uuid']}.json")
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o022 == 0


@pytest.mark.parametrize("only", [["nobody"], ["../../etc/passwd"]])
def test_a_machine_that_the_plan_does_not_have_is_refused(place, only):
    with pytest.raises(InputError, match="no machine"):
        run(place, "planned", only=only)


# The whole way over a world that forgets nothing.


class World:
    """A source and a target. Every act may be done twice; acts count what they change."""

    def __init__(self, vms):
        self.vms = {vm["uuid"]: copy.deepcopy(vm) for vm in vms}
        self.things = {}
        self.changes = 0

    def put(self, key, value):
        if self.things.get(key) != value:
            self.things[key] = value
            self.changes += 1

    def act(self, uuid, name):
        vm = self.vms[uuid]
        if name == "claimed":
            self.put(("port", uuid), "claimed")
        elif name == "stopped":
            vm["power"] = "off"
        elif name in ("copied", "verified"):
            self.put(("volume", uuid), "written")
        elif name == "built":
            self.put(("server", uuid), self.things.get(("server", uuid), "off"))
        elif name == "started":
            self.put(("server", uuid), "on")
        elif name == "cut_over":
            for nic in vm["nics"]:
                nic["connected"] = nic["start_connected"] = False

    def back(self, uuid, original):
        vm = self.vms[uuid]
        for nic in vm["nics"]:
            nic["connected"] = nic["start_connected"] = original["nics"][str(nic["key"])]
        vm["power"] = original["power"]
        for kind in ("port", "volume", "server"):
            self.things.pop((kind, uuid), None)


class Died(Exception):
    """The play was killed."""


def play(place, world, fuse):
    """One run of the role: acts for the machines that need it, then records; dies when the fuse is burnt."""

    def burn():
        fuse[0] -= 1
        if fuse[0] == 0:
            raise Died

    for name in state.WAY:
        facts = list(world.vms.values())
        known = run(place, None, vms=facts).values
        todo = known["due"][name] if name in known["due"] and known["vms"] else [vm["uuid"] for vm in place["vms"]]
        for uuid in todo:
            world.act(uuid, name)
            burn()
        run(place, name, vms=facts)
        burn()
    return run(place, None).values["vms"]


def ending(found, world):
    return [(one["state"], one["original"], one["made"]) for one in found], world.things, world.vms


@pytest.mark.slow
@pytest.mark.accept("V1.14")
def test_killed_after_any_act_and_run_again_ends_the_same(place, tmp_path, seed):
    places = range(1, 45) if os.environ.get("SCS_FULL") else sorted(random.Random(seed).sample(range(1, 45), 12))
    world = World(place["vms"])
    wanted = ending(play(dict(place, folder=str(tmp_path / "whole")), world, [0]), world)
    for burnt in places:
        here = dict(place, folder=str(tmp_path / f"killed-{burnt}"))
        world, fuse = World(place["vms"]), [burnt]
        with pytest.raises(Died):
            play(here, world, fuse)
        assert ending(play(here, world, [0]), world) == wanted, f"killed at act {burnt}"
    with_rest = [0]
    before = world.changes
    play(here, world, with_rest)
    assert world.changes == before, "a second run changes nothing"


@pytest.mark.accept("V1.15")
def test_rolled_back_from_anywhere_the_source_is_as_it_was(place, tmp_path, seed):
    chance = random.Random(seed)
    for number in range(15):
        here = dict(place, folder=str(tmp_path / f"back-{number}"))
        world = World(place["vms"])
        with pytest.raises(Died):
            play(here, world, [chance.randint(5, 40)])
        for one in run(here, None).values["vms"]:
            world.back(one["uuid"], one["original"])
        run(here, "rolled_back")
        assert world.things == {}
        assert list(world.vms.values()) == [{**vm, "nics": world.vms[vm["uuid"]]["nics"]} for vm in place["vms"]]
        assert all(nic["connected"] for vm in world.vms.values() for nic in vm["nics"])
