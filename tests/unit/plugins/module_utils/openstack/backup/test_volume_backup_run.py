# SPDX-License-Identifier: Apache-2.0
"""Backups of a run: the right kind for the right reason, each once, whatever fails in between."""

from __future__ import annotations

import contextlib
import datetime
import time
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.stream import heard_by
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model, volumes
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.waits import Waits
from ansible_collections.scs.landscape.plugins.modules import volume_backup_run
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import (
    HASHES,
    START,
    FakeCinder,
    Killed,
)


def run(cloud: FakeCinder, check: bool = False, waits: Waits | None = None, **options: Any) -> Result:
    """One task; time is the fake's."""
    defaults = {name: spec.get("default") for name, spec in volume_backup_run.ARGUMENTS.items()}
    if not set(options) & {"volumes", "servers", "server_tags", "volume_metadata", "policy"}:
        options["all_volumes"] = True
    return volume_backup_run.main(
        {**defaults, **options},
        check,
        connect=lambda *_args, **_more: cloud,
        now=lambda: cloud.now,
        waits=waits or Waits(cloud.clock, cloud.sleep),
    )


def told(result: Result) -> dict[str, dict[str, Any]]:
    return {one["volume"]: one for one in result.values["backups"]}


def one_volume(**more: Any) -> FakeCinder:
    cloud = FakeCinder()
    cloud.add_volume("a", **more)
    return cloud


def next_day(cloud: FakeCinder, **options: Any) -> Result:
    cloud.pass_by(days=1)
    return run(cloud, **options)


def test_the_first_is_full_the_second_incremental_and_a_second_run_of_a_day_changes_nothing():
    cloud = one_volume()
    predicted = run(cloud, check=True)
    assert cloud.writes == []
    first = run(cloud)
    assert (first.failed, first.changed, first.steps_done) == ("", True, 1)
    assert first.plan.digest == predicted.plan.digest
    made = told(first)["a"]
    assert (made["status"], made["kind"], made["why"]) == ("available", "full", "there is no backup to stand on")
    assert made["chain"] == made["id"] == cloud.of("a")[0]["id"]
    before = len(cloud.requests)
    again = run(cloud)
    assert (again.changed, again.plan.steps, told(again)["a"]["status"]) == (False, (), "present")
    assert [method for method, _path in cloud.requests[before:]] == ["GET", "GET"]
    second = told(next_day(cloud))["a"]
    assert (second["kind"], second["parent"], second["chain"]) == ("incremental", made["id"], made["id"])
    assert [one["is_incremental"] for one in cloud.of("a")] == [False, True]
    assert cloud.of("a")[0]["metadata"] == {
        model.RUN: "2026-03-01",
        model.LEVEL: "none",
        model.TYPE: "__DEFAULT__",
        model.WHY: "there is no backup to stand on",
    }


def test_a_plan_of_many_volumes_takes_as_many_requests_as_one_of_a_single_volume():
    cloud = FakeCinder()
    cloud.quota = {"maxTotalBackups": -1, "maxTotalBackupGigabytes": -1}
    for number in range(200):
        volume = cloud.add_volume(f"v{number}")["id"]
        cloud.add_backup(f"b{number}", volume, metadata={model.RUN: "x"})
    done = run(cloud, check=True)
    assert {one["kind"] for one in done.values["backups"]} == {"incremental"}
    lists = [path for _method, path in cloud.requests if path.endswith("/detail")]
    assert lists == ["/volumes/detail", "/backups/detail"]
    assert len(cloud.requests) == 4


# Which kind, and why.


@pytest.mark.accept("B1.3")
def test_a_volume_that_grew_gets_a_full_one_with_its_reason():
    cloud = one_volume()
    run(cloud)
    cloud.volumes["a"]["size"] = 2
    made = told(next_day(cloud))["a"]
    assert (made["kind"], made["why"]) == ("full", "the volume has grown from 1 to 2 GiB")
    assert made["chain"] == made["id"]
    assert told(next_day(cloud))["a"]["kind"] == "incremental"


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"max_chain": 3}, "fiifiif"),
        ({"max_chain": 1}, "fffffff"),
        ({"max_chain": 0, "full_days": 4}, "fiiifii"),
        ({"max_chain": 0, "full_days": 0}, "fiiiiii"),
        ({"mode": "full"}, "fffffff"),
    ],
    ids=["length", "always", "age", "never", "asked"],
)
def test_a_chain_ends_when_it_is_long_or_old(options, kinds):
    cloud = one_volume()
    found = [told(next_day(cloud, **options))["a"] for _day in range(7)]
    assert "".join(one["kind"][0] for one in found) == kinds
    assert all(one["why"] for one in found)


def test_the_reason_of_length_and_age_has_its_numbers():
    cloud = one_volume()
    run(cloud)
    assert told(next_day(cloud, max_chain=1, check=True))["a"]["why"] == "the chain has 1 of max_chain 1 members"
    cloud.pass_by(days=30)
    assert told(run(cloud, check=True))["a"]["why"] == "the chain is 31.0 days old, and full_days is 30"


def test_nothing_of_ours_stands_on_what_a_user_made():
    cloud = one_volume()
    run(cloud)
    cloud.pass_by(hours=1)
    cloud.add_backup("by-hand", "a", parent="backup-1")
    made = told(next_day(cloud))["a"]
    assert (made["kind"], made["why"]) == ("full", "the newest backup by-hand is not one of ours")
    cloud.add_backup("again", "a", parent=made["id"])
    allowed = told(next_day(cloud, own_only=False))["a"]
    assert (allowed["kind"], allowed["parent"], allowed["chain"]) == ("incremental", "again", made["id"])
    # Ours, and yet its chain holds what is not.
    later = told(next_day(cloud))["a"]
    assert later["why"] == "the newest backup stands on again, which is not one of ours"


def test_nothing_stands_on_what_a_restore_refuted_until_a_later_one_proved_it():
    cloud = one_volume()
    run(cloud)
    cloud.backups["backup-1"]["metadata"][model.REFUTED] = "2026-03-01T04:00:00Z"
    made = told(next_day(cloud, check=True))["a"]
    assert made["why"] == "backup-1 gave other bytes when it was restored, on 2026-03-01T04:00:00Z"
    cloud.backups["backup-1"]["metadata"][model.PROVEN] = "2026-03-02T04:00:00Z"
    assert told(run(cloud, check=True))["a"]["kind"] == "incremental"


def test_a_backup_whose_chain_is_broken_carries_nothing():
    cloud = one_volume()
    run(cloud)
    next_day(cloud)
    cloud.backups["backup-1"]["status"] = "error"
    made = told(next_day(cloud))["a"]
    assert made["kind"] == "full"
    assert "cannot be restored" in made["why"]


def test_what_cinder_cannot_make_incremental_is_made_full_with_its_words_and_nothing_is_left():
    cloud = one_volume()
    run(cloud)
    cloud.endings = [HASHES]
    done = next_day(cloud)
    made = told(done)["a"]
    assert (done.failed, made["kind"], made["status"]) == ("", "full", "available")
    assert made["why"] == f"Cinder could not make an incremental one: {HASHES}"
    assert [one["status"] for one in cloud.of("a")] == ["available", "available"]
    assert cloud.of("a")[-1]["metadata"][model.WHY] == made["why"][:255]


def test_it_is_tried_as_a_full_one_once():
    cloud = one_volume()
    run(cloud)
    cloud.endings = [HASHES, HASHES]
    done = next_day(cloud)
    assert "ended as error: Invalid backup: Hash block size" in done.failed
    assert len([one for one in cloud.writes if one[0] == "POST"]) == 3


def test_incremental_means_incremental():
    cloud = one_volume()
    cloud.add_volume("b")
    cloud.add_backup("b1", "b", metadata={model.RUN: "x"})
    done = run(cloud, mode="incremental", max_chain=1)
    assert told(done)["a"]["status"] == "refused"
    assert "an incremental backup is asked for, and there is no backup to stand on" in done.failed
    assert told(done)["b"]["kind"] == "incremental"
    assert cloud.of("a") == []


def test_a_driver_that_makes_a_full_one_is_reported():
    cloud = one_volume()
    run(cloud)

    def hook(method: str, path: str) -> None:
        for one in cloud.backups.values():
            one["is_incremental"] = False

    cloud.hook = hook
    made = told(next_day(cloud))["a"]
    assert made["why"] == "Cinder made a full one where an incremental one was asked for; its driver decides that"


# Which volumes.


def fleet() -> FakeCinder:
    cloud = FakeCinder()
    cloud.add_volume("gold", metadata={"backup:policy": "gold"})
    cloud.add_volume("out", metadata={"backup:policy": "gold", "backup:exclude": "True"})
    cloud.add_volume("silver", metadata={"backup:policy": "silver", "tier": "db"})
    cloud.add_volume("root", attachments=[{"server_id": "s1", "device": "/dev/vda"}], status="in-use")
    cloud.add_volume("going", status="deleting")
    # A restore gives a volume the metadata of its source.
    cloud.add_volume("scratch", description=f"{volumes.SCRATCH}x", metadata={"backup:policy": "gold"})
    return cloud


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({"policy": "gold"}, ["gold"]),
        ({"volume_metadata": {"tier": "db"}}, ["silver"]),
        ({"servers": ["s1"]}, ["root"]),
        ({"volumes": ["out"], "servers": ["s1"]}, ["out", "root"]),
        ({"all_volumes": True}, ["gold", "silver", "root"]),
        ({"policy": "silver", "all_volumes": True}, ["gold", "silver", "root"]),
        ({"policy": "db", "policy_key": "tier"}, ["silver"]),
        ({"all_volumes": True, "exclude_key": "tier"}, ["gold", "out", "silver", "root"]),
    ],
    ids=["policy", "metadata", "server", "named", "all", "all-of-a-policy", "own-key", "own-exclusion"],
)
def test_volumes_are_selected(options, chosen):
    done = run(fleet(), check=True, **options)
    assert [one["volume"] for one in done.values["backups"]] == chosen
    assert done.failed == ""


def test_what_is_left_out_is_listed_with_its_reason():
    cloud = fleet()
    left = {one["id"]: one["reason"] for one in run(cloud, check=True).values["omitted"]}
    assert left == {
        "out": "its metadata say backup:exclude=True",
        "going": "it is deleting",
        "scratch": "it is there for a proof alone",
    }


def test_what_is_named_and_not_there_fails_and_the_rest_is_backed_up():
    cloud = FakeCinder()
    for name in ("a", "b", "c"):
        cloud.add_volume(name, name="twin" if name != "c" else "single")
    done = run(cloud, volumes=["single", "twin", "nobody"], servers=["s9"])
    assert [one["volume"] for one in done.values["backups"]] == ["c"]
    assert done.failed.splitlines()[1:] == [
        "2 volumes have the name twin: a, b",
        "there is no volume nobody",
        "there is no server s9",
    ]
    assert len(cloud.backups) == 1


def with_servers() -> FakeCinder:
    """Four servers, three of which have a volume: web, two with the name twin, and one without."""
    cloud = FakeCinder()
    for server, name, tags, project in (
        ("s1", "web", ["db", "gold"], "p1"),
        ("s2", "twin", ["db"], "p1"),
        ("s3", "twin", [], "p1"),
        ("s4", "bare", ["none"], "p1"),
        ("s5", "web", ["db"], "p2"),
    ):
        cloud.servers[server] = {"id": server, "name": name, "tags": tags, "tenant_id": project, "status": "ACTIVE"}
        if name != "bare":
            attached = [{"server_id": server, "device": "/dev/vdb"}]
            owner = {"os-vol-tenant-attr:tenant_id": project}
            cloud.add_volume(f"v{server[1]}", status="in-use", attachments=attached, **owner)
    cloud.add_volume("free", metadata={"backup:policy": "gold"})
    return cloud


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({"servers": ["s2"]}, ["v2"]),
        ({"servers": ["web"], "projects": ["p1"]}, ["v1"]),
        ({"server_tags": ["db"], "projects": ["p1"]}, ["v1", "v2"]),
        ({"server_tags": ["db", "gold"]}, ["v1"]),
        ({"server_tags": ["gold"], "servers": ["s3"], "volumes": ["free"]}, ["v1", "v3", "free"]),
        ({"server_tags": ["none"]}, []),
        # What a tag does not find must not be found by a policy instead.
        ({"server_tags": ["nobody"], "policy": "gold"}, []),
    ],
    ids=["id", "name", "tag", "all-tags", "added-up", "no-volumes", "no-server"],
)
def test_servers_are_found_by_id_name_and_tags(options, chosen):
    cloud = with_servers()
    cloud.admin = True
    done = run(cloud, check=True, **options)
    assert ([one["volume"] for one in done.values["backups"]], done.failed) == (chosen, "")
    assert (("GET", "/servers/detail") in cloud.requests) == (options != {"servers": ["s2"]})


def test_a_server_that_is_not_clear_is_told_with_all_that_it_may_be():
    cloud = with_servers()
    done = run(cloud, check=True, servers=["twin", "nobody", "bare"], policy="gold")
    assert done.values["backups"] == []
    assert done.failed.splitlines()[1:] == [
        "2 servers have the name twin: s2, s3",
        "there is no server nobody",
        "server s4 has no volumes here",
    ]


def test_a_nova_without_tags_is_said():
    cloud = with_servers()
    cloud.microversions = "2.25"
    with pytest.raises(LandscapeError, match=r"servers have no tags there \(microversion 2\.26 of Nova\)"):
        run(cloud, server_tags=["db"])


def test_a_policy_that_nobody_chose_is_said():
    assert run(fleet(), policy="glod").warnings == [
        "No volume is selected, so run glod/2026-03-01 has nothing to back up"
    ]


def test_other_projects_are_seen_only_when_asked_for():
    cloud = FakeCinder()
    cloud.admin = True
    cloud.add_volume("theirs", **{"os-vol-tenant-attr:tenant_id": "p2"})
    cloud.add_volume("ours")
    cloud.add_backup("b", "theirs", **{"os-backup-project-attr:project_id": "p2"})
    assert [one["volume"] for one in run(cloud, check=True).values["backups"]] == ["ours"]
    found = told(run(cloud, projects=["p2"]))
    # Their own backup is in their project: Cinder would not take it as a parent for one of ours.
    assert {key: one["kind"] for key, one in found.items()} == {"theirs": "full"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"volumes": []}, "Nothing says which volumes are meant"),
        ({"volumes": [""]}, "An empty name"),
        ({"max_chain": -1}, "max_chain is -1, and 0 is the least"),
        ({"timeout": 0}, "timeout is 0, and 1 is the least"),
        ({"max_parallel": 0}, "max_parallel is 0, and 1 is the least"),
        ({"run_id": "x" * 300}, "The name of the run has 300 characters"),
        ({"labels": {"scs_landscape_run": "x"}}, "belong to this collection: scs_landscape_run"),
        ({"labels": {"a": "x" * 256}}, "more than 255 characters: a"),
    ],
)
def test_bad_options_are_refused_before_anybody_is_asked(options, message):
    cloud = one_volume()
    with pytest.raises(InputError, match=message):
        run(cloud, **options)
    assert cloud.requests == []


def test_periods_have_names_and_labels_go_along():
    cloud = one_volume()
    names = [run(cloud, check=True, period=one, policy="p").values["run"] for one in ("hour", "day", "week", "month")]
    assert names == ["p/2026-03-01T02", "p/2026-03-01", "p/2026-W09", "p/2026-03"]
    cloud.volumes["a"]["attachments"] = [{"server_id": "s1"}]
    run(cloud, labels={"ticket": 7}, policy="p", all_volumes=True)
    assert cloud.of("a")[0]["metadata"].items() >= {("ticket", "7"), (model.POLICY, "p"), (model.SERVER, "s1")}


# Room and services.


@pytest.mark.accept("B1.9")
@pytest.mark.parametrize(("count", "size"), [(2, 100), (5, 2)], ids=["count", "gigabytes"])
def test_a_quota_one_short_is_refused_before_anything_is_begun(count, size):
    cloud = FakeCinder()
    cloud.quota = {"maxTotalBackups": count, "maxTotalBackupGigabytes": size}
    for name in ("a", "b", "c"):
        cloud.add_volume(name)
    with pytest.raises(InputError, match="No backup was begun") as refused:
        run(cloud)
    expected = (
        "3 more backups are needed, maxTotalBackups is 2, 0 are used and 2 left"
        if count == 2
        else "3 more GiB of backups are needed, maxTotalBackupGigabytes is 2, 0 are used and 2 left"
    )
    assert expected in str(refused.value)
    assert cloud.writes == []
    assert run(cloud, volumes=["a", "b"]).failed == ""


def test_a_limit_of_minus_one_is_none():
    cloud = one_volume()
    cloud.quota = {"maxTotalBackups": -1, "maxTotalBackupGigabytes": -1}
    assert run(cloud).failed == ""


def test_a_dead_service_is_noticed_where_the_login_may_see_it():
    cloud = one_volume()
    cloud.admin = True
    cloud.services[0]["state"] = "down"
    with pytest.raises(InputError, match="no cinder-backup takes any work: ctl1 is down and enabled"):
        run(cloud)
    assert cloud.writes == []


def test_a_dead_service_that_cannot_be_seen_ends_after_the_time_and_the_next_start_goes_on():
    cloud = one_volume()
    cloud.dead = True
    done = run(cloud, timeout=600)
    assert "backup a 2026-03-01 (backup-1) is still creating after 600 s" in done.failed
    assert "services: this login may not see whether cinder-backup runs" in done.values["unseen"]
    cloud.dead = False
    cloud.backups["backup-1"]["_due"] = cloud.now + datetime.timedelta(seconds=60)
    again = run(cloud)
    assert (again.failed, again.changed, told(again)["a"]["status"]) == ("", False, "available")
    assert len(cloud.of("a")) == 1


def in_ceph(*free: Any, pool: str = "volumes") -> FakeCinder:
    """Volumes and backups in Ceph, and an administrator who sees it."""
    cloud = FakeCinder()
    cloud.ceph = cloud.admin = True
    cloud.pools = [{"name": "h@nfs#x", "capabilities": {"storage_protocol": "NFS", "free_capacity_gb": 1}}]
    for number, one in enumerate(free):
        place = f"ceph:/etc/ceph/ceph.conf:11-22:cinder:{pool}"
        said = {"storage_protocol": "ceph", "location_info": place, "free_capacity_gb": one}
        cloud.pools.append({"name": f"h@rbd{number}#ceph", "capabilities": said})
    for name in ("a", "b"):
        cloud.add_volume(name, size=20)
    return cloud


def test_volumes_and_backups_in_one_kind_of_store_are_warned_of_before_the_first_request():
    cloud, said = in_ceph("unknown"), []
    first = run(cloud)
    assert first.warnings == []  # nobody knows the driver of backups yet
    assert first.values["unseen"] == ["store: no backup is there yet that tells its driver; backup_driver says it"]
    with heard_by(lambda text: said.append((text, len(cloud.writes)))):
        done = next_day(cloud)
    (warning,) = done.warnings
    assert warning.startswith("Volumes and their backups are both in Ceph (volumes are in cluster 11-22): if it is")
    assert said[0] == (f"warning: {warning}", 2)  # those of the day before
    assert done.values["unseen"] == []
    assert next_day(cloud, backup_driver="chunked").warnings == []
    cloud.admin = False
    assert any("one cluster" in text for text in next_day(cloud).values["unseen"])


def test_backups_in_the_very_pool_of_the_volumes_are_told():
    cloud = in_ceph("unknown", pool="backups")
    run(cloud)
    assert (
        "Backups lie in pool backups of Ceph beside volumes (volumes are in cluster 11-22)"
        in next_day(cloud).warnings[0]
    )


@pytest.mark.parametrize(
    ("free", "tight"),
    [((39.5,), True), ((40,), False), ((10.0, 100), False), ((10.0, 30.0), True), ((1, "unknown"), False), ((), False)],
    ids=["short", "just", "other-pool", "all-short", "unknown", "no-ceph"],
)
def test_free_room_below_what_is_planned_is_warned_of(free, tight):
    cloud = in_ceph(*free)
    told = [text for text in run(cloud, check=True, backup_driver="ceph").warnings if "GiB are planned" in text]
    assert bool(told) == tight
    if tight:
        assert told[0].startswith("2 full backups of up to 40 GiB are planned, and 0 incremental ones; pool h@rbd")
    run(cloud, backup_driver="ceph")
    later = next_day(cloud, backup_driver="ceph", check=True)
    assert not any("are planned" in text for text in later.warnings)  # nobody knows how large incremental ones will be


# Attached volumes.


@pytest.mark.accept("B1.6")
def test_an_attached_volume_is_forced_only_where_that_is_necessary_and_allowed():
    cloud = one_volume(status="in-use")
    cloud.add_volume("b")
    sent: list[Any] = []
    real = cloud.call

    def call(service: str, method: str, path: str, **options: Any) -> Any:
        if method == "POST":
            sent.append(options["json"]["backup"])
        return real(service, method, path, **options)

    cloud.call = call  # type: ignore[method-assign]
    never = run(cloud, force="never")
    assert "the volume is in use, and force is never" in never.failed
    assert [one["volume_id"] for one in sent] == ["b"]
    assert run(cloud).failed == ""
    assert [one["force"] for one in sent] == [False, True]
    assert cloud.volumes["a"]["status"] == "in-use"


@pytest.mark.parametrize("status", ["error", "error_restoring", "awaiting-transfer"])
def test_a_volume_that_cannot_be_read_fails_alone(status):
    cloud = one_volume(status=status)
    cloud.add_volume("b")
    done = run(cloud)
    assert f"volume a (a): the volume is {status}" in done.failed
    assert told(done)["b"]["status"] == "available"


def test_somebody_else_s_backup_of_a_volume_is_waited_for_and_then_looked_at_again():
    cloud = one_volume()
    run(cloud)
    cloud.pass_by(days=1)
    by_hand = {"volume_id": "a", "name": "by-hand", "incremental": False, "force": False}
    cloud.call("block-storage", "POST", "/backups", json={"backup": by_hand})
    made = told(run(cloud))["a"]
    assert (made["kind"], made["why"]) == ("full", "the newest backup backup-2 is not one of ours")


def test_a_volume_that_vanishes_while_it_is_waited_for_fails_alone():
    cloud = one_volume(status="backing-up")
    cloud.add_volume("b")

    def hook(method: str, path: str) -> None:
        if path == "/volumes/a":
            cloud.volumes.pop("a", None)

    cloud.hook = hook
    done = run(cloud)
    assert "volume a (a) is gone" in done.failed
    assert told(done)["b"]["status"] == "available"


def test_a_volume_that_is_not_given_back_is_a_failure_although_the_backup_is_there():
    cloud = one_volume()

    def hook(method: str, path: str) -> None:
        if path == "/volumes/a":
            cloud.volumes["a"]["status"] = "error"

    cloud.hook = hook
    done = run(cloud)
    assert "the backup is there, and the volume is error now" in done.failed
    assert told(done)["a"]["status"] == "available"


# Faults.


@pytest.mark.accept("B1.10")
@pytest.mark.parametrize("limit", [1, 3, 4])
def test_never_more_under_way_than_allowed(limit):
    cloud = FakeCinder()
    cloud.quota["maxTotalBackups"] = 30
    for number in range(12):
        cloud.add_volume(f"v{number:02}")
    assert run(cloud, max_parallel=limit).failed == ""
    assert cloud.most <= limit
    assert len(cloud.backups) == 12


class Hurried(FakeCinder):
    """A fake whose time is the real one, a hundred times as fast."""

    speed = 100

    @property
    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=(time.monotonic() - self.began) * self.speed)

    @now.setter
    def now(self, _moment: datetime.datetime) -> None:
        self.__dict__.setdefault("began", time.monotonic())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)


@pytest.mark.slow
@pytest.mark.accept("B1.10")
def test_thirty_volumes_four_at_a_time_are_two_and_a_half_times_as_fast_as_one_by_one():
    seconds = {}
    for limit in (1, 4):
        cloud = Hurried(duration=20)
        cloud.quota["maxTotalBackups"] = 30
        for number in range(30):
            cloud.add_volume(f"v{number:02}")
        began = time.monotonic()
        assert run(cloud, max_parallel=limit).failed == ""
        seconds[limit] = time.monotonic() - began
        assert (cloud.most, len(cloud.backups)) == (limit, 30)
    assert seconds[1] / seconds[4] > 2.5, seconds


@pytest.mark.accept("B1.19")
@pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
def test_a_lost_answer_makes_no_second_backup(done):
    cloud = one_volume()
    left = [1]

    def hook(method: str, path: str) -> str | None:
        if method == "POST" and left:
            left.pop()
            if done:
                return "lose"
            raise cloud_model.UnreachableError("fake: cut", status=0)
        return None

    cloud.hook = hook
    assert run(cloud).failed == ""
    assert len(cloud.of("a")) == 1
    assert len(cloud.writes) == (1 if done else 2)


@pytest.mark.accept("B1.19")
def test_a_backup_that_shows_up_late_is_found_by_the_refusal_of_the_second():
    cloud = one_volume()
    hidden: list[Any] = []

    def hook(method: str, path: str) -> str | None:
        posts = [one for one in cloud.requests if one[0] == "POST"]
        if path == "/backups/detail" and len(posts) == 1 and cloud.backups:
            hidden.append(cloud.backups.popitem())  # the service has not committed yet
        if method == "POST" and hidden:
            cloud.backups.update([hidden.pop()])
        return "lose" if method == "POST" and len(posts) == 1 else None

    cloud.hook = hook
    done = run(cloud)
    assert done.failed == ""
    assert len(cloud.of("a")) == 1


def test_a_service_that_stays_broken_ends_in_bounded_time():
    cloud = one_volume()

    def hook(method: str, path: str) -> None:
        if method == "POST":
            raise cloud_model.UnreachableError("fake: cut")

    cloud.hook = hook
    began = cloud.now
    done = run(cloud)
    assert "fake: cut" in done.failed
    assert (cloud.now - began).total_seconds() < 300


def test_a_refusal_is_not_sent_again():
    cloud = one_volume()
    cloud.quota["maxTotalBackups"] = -1

    def hook(method: str, path: str) -> None:
        if method == "POST":
            cloud.quota["maxTotalBackups"] = 0  # somebody else was faster

    cloud.hook = hook
    done = run(cloud)
    assert "Maximum number of backups allowed exceeded; 1 more backups are needed, maxTotalBackups is 0" in done.failed
    assert len(cloud.writes) == 1


@pytest.mark.accept("B1.11")
@pytest.mark.parametrize("after", range(0, 40, 3))
def test_a_run_that_was_killed_anywhere_is_finished_by_the_next(after):
    cloud = FakeCinder()
    for number in range(6):
        cloud.add_volume(f"v{number}")
    began = len(cloud.requests)

    def hook(method: str, path: str) -> None:
        if len(cloud.requests) - began > after:
            raise Killed

    cloud.hook = hook
    with contextlib.suppress(Killed):
        run(cloud, max_parallel=2)
    cloud.hook = lambda _method, _path: None
    assert run(cloud, max_parallel=2).failed == ""
    assert {volume: len(cloud.of(volume)) for volume in cloud.volumes} == dict.fromkeys(cloud.volumes, 1)
    assert not run(cloud).changed


def test_one_that_failed_is_removed_and_made_again():
    cloud = one_volume()
    cloud.endings = ["disk full"]
    first = run(cloud)
    assert "ended as error: disk full" in first.failed
    again = run(cloud)
    assert (again.failed, [step.action for step in again.plan.steps]) == ("", ["delete", "create"])
    assert [one["status"] for one in cloud.of("a")] == ["available"]


def test_what_a_killed_run_began_and_that_failed_is_begun_again():
    cloud = one_volume()
    body = {"volume_id": "a", "name": "x", "incremental": False, "force": False, "metadata": {model.RUN: "2026-03-01"}}
    cloud.endings = ["died"]
    cloud.call("block-storage", "POST", "/backups", json={"backup": body})
    done = run(cloud)
    assert (done.failed, told(done)["a"]["status"]) == ("", "available")
    assert [one["status"] for one in cloud.of("a")] == ["available"]


def test_two_runs_of_one_name_that_were_equally_fast_keep_the_first():
    cloud = one_volume()

    def hook(method: str, path: str) -> None:
        if method == "GET" and path.startswith("/backups/backup-") and "early" not in cloud.backups:
            cloud.add_backup("early", "a", metadata={model.RUN: "2026-03-01"}, created_at="2026-03-01T00:00:00")

    cloud.hook = hook
    done = run(cloud)
    assert told(done)["a"]["id"] == "early"
    cloud.pass_by(minutes=1)
    assert [one["id"] for one in cloud.of("a")] == ["early"]


@pytest.mark.accept("B1.11")
@pytest.mark.parametrize("same", [True, False], ids=["same-run", "another-run"])
def test_a_run_that_another_one_is_faster_than_waits_for_it(same: bool):
    """Between the plan and the request: Cinder refuses, because the volume is being backed up."""
    cloud = one_volume()
    begun = []

    def hook(method: str, path: str) -> None:
        if (method, path) == ("POST", "/backups") and not begun:
            begun.append(path)
            other = {model.RUN: "2026-03-01" if same else "other"}
            body = {"volume_id": "a", "name": "x", "incremental": False, "force": False, "metadata": other}
            cloud.call("block-storage", "POST", "/backups", json={"backup": body})

    cloud.hook = hook
    done = run(cloud)
    assert (done.failed, len(begun)) == ("", 1)
    assert len(cloud.of("a")) == (1 if same else 2)
    assert not run(cloud).changed


def test_a_backup_that_somebody_removes_meanwhile_is_said():
    cloud = one_volume()

    def hook(method: str, path: str) -> None:
        if path.startswith("/backups/backup-"):
            cloud.backups.clear()

    cloud.hook = hook
    assert "is gone, somebody has removed it" in run(cloud).failed


def test_a_clock_that_jumps_back_makes_nothing_twice():
    cloud = one_volume()
    first = told(next_day(cloud))["a"]
    cloud.pass_by(days=-1)
    second = told(run(cloud))["a"]
    assert second["id"] != first["id"]
    assert not run(cloud).changed
    cloud.pass_by(days=1)
    assert not run(cloud).changed


def test_a_service_without_metadata_is_refused():
    cloud = one_volume()
    cloud.microversions = "3.40"
    with pytest.raises(LandscapeError, match=r"microversion 3\.43"):
        run(cloud)


def test_diff_and_check_show_what_a_run_does():
    cloud = one_volume(status="in-use")
    seen = run(cloud, check=True)
    (entry,) = seen.diff
    assert entry["before"] == ""
    assert '"why": "there is no backup to stand on"' in entry["after"]
    assert '"force": true' in entry["after"]
    assert told(seen)["a"]["status"] == "planned"


# Digests of the source.


def with_files(cloud: FakeCinder, folder: Any) -> dict[str, Any]:
    for one in cloud.volumes.values():
        with (folder / f"volume-{one['id']}").open("wb") as file:
            file.write(one["id"].encode() * 1000)
            file.truncate(one["size"] * 1024**3)
    return {
        "reader": {"kind": "file", "path": str(folder / "volume-{id}"), "snapshot_path": str(folder / "{snapshot}")},
        "digests": str(folder / "digests"),
    }


def test_the_digest_of_a_detached_volume_is_taken_and_named_on_the_backup(tmp_path):
    cloud = one_volume()
    options = with_files(cloud, tmp_path)
    made = told(run(cloud, **options))["a"]
    (backup,) = cloud.of("a")
    assert made["digest"] == backup["metadata"][model.DIGEST]
    assert [one.name for one in (tmp_path / "digests").iterdir()] == [made["digest"].replace(":", "-") + ".blocks"]
    assert told(run(cloud, **options))["a"]["digest"] == made["digest"]


@pytest.mark.parametrize("why", ["attached", "touched", "unreadable"])
def test_a_backup_whose_source_cannot_be_read_is_made_and_said(tmp_path, why):
    cloud = one_volume(status="in-use" if why == "attached" else "available", updated_at="1")
    options = with_files(cloud, tmp_path)
    if why == "attached":
        del options["reader"]["snapshot_path"]
    looks = [0]

    def hook(method: str, path: str) -> None:
        looks[0] += path == "/volumes/a"
        if looks[0] == 2:
            cloud.volumes["a"]["updated_at"] = "2"

    expected = {
        "attached": "the volume is in-use, and only a snapshot of it could be read",
        "touched": "something was done with the volume while it was read",
        "unreadable": "cannot be read",
    }
    if why == "touched":
        cloud.hook = hook
    if why == "unreadable":
        (tmp_path / "volume-a").unlink()
    done = run(cloud, **options)
    assert "the backup has no digest: " in done.failed
    assert expected[why] in done.failed
    assert told(done)["a"]["status"] == "available"
    assert model.DIGEST not in cloud.of("a")[0]["metadata"]


@pytest.mark.parametrize("missing", ["reader", "digests"])
def test_reader_and_folder_belong_together(tmp_path, missing):
    cloud = one_volume()
    options = with_files(cloud, tmp_path)
    del options[missing]
    with pytest.raises(InputError, match="belong together"):
        run(cloud, **options)
