# SPDX-License-Identifier: Apache-2.0
"""Images are switched without a second generic one, whatever interrupts it, and removed when nobody needs them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.catalogue import model as catalogue_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.lifecycle import expiry
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.lifecycle.plan import Rules
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import (
    CloudError,
    ForbiddenError,
    UnreachableError,
)
from ansible_collections.scs.landscape.plugins.modules import image_lifecycle
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.images.fake_glance import (
    FakeCloud,
    Killed,
    entry,
    image,
    imported,
    version,
)

DAY = 86400.0
NOW = 1_780_000_000.0
NAME = "Ubuntu 24.04"


def run(cloud: FakeCloud, *entries: dict[str, Any], check: bool = False, now: float = NOW, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in image_lifecycle.ARGUMENTS.items()}
    params = {**defaults, "images": list(entries), **options}
    return image_lifecycle.main(params, check, connect=lambda *_args, **_more: cloud, now=lambda: now)


def sync(cloud: FakeCloud, *entries: dict[str, Any], **options: Any) -> Result:
    imported(cloud, run(cloud, *entries, check=True, **options).values["imports"])
    return run(cloud, *entries, **options)


def generic(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in images if offered(one) and one.get("os_purpose") == "generic"]


def offered(one: dict[str, Any]) -> bool:
    return one["visibility"] == "public" and not one["os_hidden"]


def named(images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in images if offered(one) and one["name"] == NAME]


def by_version(cloud: FakeCloud) -> dict[str, dict[str, Any]]:
    return {one["internal_version"]: one for one in cloud.images.values()}


def test_the_first_version_is_imported_and_offered():
    cloud = FakeCloud()
    before = run(cloud, entry(NAME, "1"), check=True)
    (wanted,) = before.values["imports"]
    assert (wanted["visibility"], wanted["hidden"], wanted["name"]) == ("private", True, f"{NAME} (1)")
    assert wanted["match"] == {"scs_landscape_entry": NAME, "scs_landscape_version": "1"}
    assert before.values["entries"][NAME]["state"] == "missing"
    assert not before.changed
    done = sync(cloud, entry(NAME, "1"))
    (one,) = cloud.images.values()
    assert (done.failed, one["name"], one["os_purpose"], one["visibility"]) == ("", NAME, "generic", "public")
    assert {"managed_by_scs_landscape", "os:ubuntu"} <= set(one["tags"])
    assert (one["image_source"], one["image_original_user"]) == ("https://example.org/1/disk.img", "ubuntu")
    again = run(cloud, entry(NAME, "1"))
    assert (again.changed, again.values["entries"][NAME]["state"]) == (False, "unchanged")


@pytest.mark.accept("O1.4")
def test_what_follows_an_import_is_foreseen():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    (first,) = cloud.images
    more = {"delete": True, "grace_days": 0, "foresee": True}
    plain = run(cloud, entry(NAME, "2"), check=True, **{**more, "foresee": False})
    seen = run(cloud, entry(NAME, "2"), check=True, **more)
    assert plain.values["imports"] == seen.values["imports"]
    assert (plain.plan.steps, seen.values["entries"][NAME]["state"]) == ((), "missing")
    shown = [(step.action, step.object) for step in seen.plan.steps]
    new = f"image {NAME} (not imported yet, 2)"
    old = f"image {NAME} ({first})"
    assert shown == [("offer", new), ("retire", old), ("finish", new), ("delete", old)]
    imported(cloud, seen.values["imports"])
    done = run(cloud, entry(NAME, "2"), **more)
    (second,) = cloud.images
    assert [(step.action, step.object.replace(second, "not imported yet, 2")) for step in done.plan.steps] == shown
    assert [step.after for step in done.plan.steps] == [step.after for step in seen.plan.steps]
    # What really is done is never planned on what is not there.
    assert not run(cloud, entry(NAME, "3"), **more).changed


def test_four_rotations():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    cloud.seen.clear()
    for number in range(2, 6):
        done = sync(cloud, entry(NAME, *map(str, range(1, number + 1))))
        assert [step.action for step in done.plan.steps] == ["offer", "retire", "finish"]
        assert len(generic(list(cloud.images.values()))) == 1
    assert max(len(generic(state)) for state in cloud.seen) == 1
    assert min(len(named(state)) for state in cloud.seen) >= 1
    old = by_version(cloud)["1"]
    assert (old["name"], old["os_purpose"], old["os_hidden"]) == (f"{NAME} (1)", "oldgeneric", True)
    assert old["scs_landscape_retired"] == "2026-05-28T20:26:40Z"


@pytest.mark.accept("O1.7")
@pytest.mark.parametrize("writes", range(3))
def test_killed_after_every_request_the_next_run_goes_on(writes):
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    both = entry(NAME, "1", "2")
    imported(cloud, run(cloud, both, check=True).values["imports"])
    cloud.seen.clear()
    cloud.kill_after = len(cloud.writes) + writes
    with pytest.raises(Killed):
        run(cloud, both)
    cloud.kill_after = None
    done = run(cloud, both)
    assert (done.failed, len(cloud.images)) == ("", 2)
    assert max(len(generic(state)) for state in cloud.seen) == 1
    assert min(len(named(state)) for state in cloud.seen) >= 1
    found = by_version(cloud)
    assert (found["1"]["os_purpose"], found["2"]["os_purpose"]) == ("oldgeneric", "generic")
    assert not run(cloud, both).changed


@pytest.mark.parametrize("refused", ["1", "2"])
def test_a_switch_that_fails_is_undone(refused):
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    both = entry(NAME, "1", "2")
    imported(cloud, run(cloud, both, check=True).values["imports"])
    before = {key: dict(one) for key, one in cloud.images.items()}
    # The old image cannot be hidden at all; of the new one the first change is accepted, and then none.
    target = by_version(cloud)[refused]["id"]
    cloud.refuse = {target: 0 if refused == "1" else 1}
    done = run(cloud, both)
    assert "answered 403" in done.failed
    assert done.values["entries"][NAME]["state"] == "failed"
    assert by_version(cloud)["1"] == before[by_version(cloud)["1"]["id"]]
    if refused == "1":
        assert by_version(cloud)["2"] == before[by_version(cloud)["2"]["id"]]
    cloud.refuse = {}
    assert run(cloud, both).failed == ""
    assert [one["internal_version"] for one in generic(list(cloud.images.values()))] == ["2"]


def test_what_is_offered_stays_until_its_successor_is_there():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    (first,) = cloud.images.values()
    first["hw_disk_bus"] = "ide"
    both = entry(NAME, "1", "2", meta={"hw_disk_bus": "scsi"})
    done = run(cloud, both)
    assert [step.action for step in done.plan.steps] == ["update"]
    assert (first["hw_disk_bus"], first["os_hidden"]) == ("scsi", False)
    unfinished = image("x", name=f"{NAME} (2)", status="active", os_hidden=True, scs_landscape_state="host 1 2")
    cloud.images["x"] = {**unfinished, "scs_landscape_entry": NAME, "scs_landscape_version": "2"}
    assert not run(cloud, both).changed
    # And even when the catalogue has forgotten it.
    assert not run(cloud, entry(NAME, "2")).changed


def test_properties_of_operators_stay_and_those_of_the_catalogue_go_with_it():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1", meta={"hw_rng_model": "virtio", "hw_vif": True}))
    (one,) = cloud.images.values()
    assert (one["hw_rng_model"], one["hw_vif"]) == ("virtio", "True")
    one.update(my_own="1", tags=[*one["tags"], "mine"], os_distro="wrong", min_ram=1)
    run(cloud, entry(NAME, "1"))
    assert "hw_rng_model" not in one
    assert (one["my_own"], one["os_distro"], one["min_ram"], "mine" in one["tags"]) == ("1", "ubuntu", 512, True)
    # What had the wanted value before us is not ours to take away.
    run(cloud, entry(NAME, "1", meta={"my_own": "1"}))
    run(cloud, entry(NAME, "1"))
    assert one["my_own"] == "1"


def test_going_back_to_an_older_version():
    cloud = FakeCloud()
    for versions in (["1"], ["1", "2"]):
        sync(cloud, entry(NAME, *versions))
    done = sync(cloud, entry(NAME, "1"))
    found = by_version(cloud)
    assert (done.failed, len(cloud.images)) == ("", 2)
    assert (found["1"]["os_purpose"], found["1"]["name"]) == ("generic", NAME)
    assert "scs_landscape_retired" not in found["1"]
    assert (found["2"]["os_purpose"], found["2"]["os_hidden"]) == ("oldgeneric", True)


def test_of_two_images_of_one_version_one_is_kept():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    (first,) = list(cloud.images.values())
    cloud.images["copy"] = {**first, "id": "copy", "scs_landscape_id": "copy", "created_at": "2026-02-01T00:00:00Z"}
    run(cloud, entry(NAME, "1"))
    assert [one["id"] for one in generic(list(cloud.images.values()))] == [first["id"]]


def test_images_of_openstack_image_manager_are_taken_over():
    told = {"os_purpose": "generic", "os_distro": "ubuntu", "os_version": "24.04", "architecture": "x86_64"}
    now = image("a", name=NAME, visibility="public", internal_version="2", **told)
    old = image("b", name=f"{NAME} (1)", visibility="community", internal_version="1", **told)
    other = image("c", name="Ubuntu 24.04 of mine", internal_version="2")
    cloud = FakeCloud(now, old, other)
    done = run(cloud, entry(NAME, "1", "2"))
    assert (done.failed, done.values["imports"]) == ("", [])
    assert (cloud.images["a"]["scs_landscape_version"], cloud.images["b"]["os_hidden"]) == ("2", True)
    assert cloud.images["b"]["visibility"] == "community"
    assert cloud.images["c"] == other


def test_another_generic_image_stands_in_the_way():
    told = {"os_purpose": "generic", "os_distro": "ubuntu", "os_version": "24.04", "architecture": "x86_64"}
    cloud = FakeCloud(image("x", name="theirs", owner="other", visibility="public", **told))
    done = sync(cloud, entry(NAME, "1"))
    assert "x already are generic for the same distribution" in done.failed
    assert done.values["blocked"][0]["rivals"] == ["x"]
    assert cloud.writes == []
    # Another purpose, or another architecture, is fine.
    assert sync(cloud, entry(NAME, "1", meta={"os_purpose": "minimal"})).failed == ""


def test_versions_that_stand_side_by_side():
    cloud = FakeCloud()
    cirros = entry("Cirros", "0.6.2", "0.6.10", multi=False, meta={"os_distro": "cirros", "os_purpose": "minimal"})
    sync(cloud, cirros)
    assert sorted(one["name"] for one in cloud.images.values()) == ["Cirros 0.6.10", "Cirros 0.6.2"]
    assert {one["os_version"] for one in cloud.images.values()} == {"0.6.2", "0.6.10"}
    cirros["versions"] = cirros["versions"][1:]
    done = run(cloud, cirros)
    assert [one["entry"] for one in done.values["retired"]] == ["Cirros"]
    assert by_version(cloud)["0.6.2"]["os_hidden"]
    assert by_version(cloud)["0.6.2"]["os_purpose"] == "minimal"


def rotated(versions: int = 3, **more: Any) -> tuple[FakeCloud, dict[str, Any]]:
    cloud = FakeCloud()
    for number in range(1, versions + 1):
        wanted = entry(NAME, *map(str, range(1, number + 1)), **more)
        sync(cloud, wanted)
    return cloud, wanted


@pytest.mark.accept("O1.5")
def test_what_is_used_stays_with_all_ids_and_goes_when_they_are_gone():
    cloud, wanted = rotated(2)
    old = by_version(cloud)["1"]["id"]
    cloud.servers = [{"id": "s1", "image": old}]
    cloud.volumes = [{"id": "v1", "volume_image_metadata": {"image_id": old}}, {"id": "v2"}]
    cloud.snapshots = [{"id": "n1", "volume_id": "v1"}, {"id": "n2", "volume_id": "v2"}]
    later = {"now": NOW + 31 * DAY, "delete": True}
    done = run(cloud, wanted, **later)
    (blocked,) = done.values["blocked"]
    assert blocked["used_by"] == {"servers": ["s1"], "volumes": ["v1"], "snapshots": ["n1"]}
    assert blocked["reason"] == "it is used by server s1; volume v1; snapshot n1"
    assert old in cloud.images
    cloud.servers = cloud.volumes = cloud.snapshots = []
    predicted = run(cloud, wanted, check=True, **later)
    assert predicted.plan.impact == Impact.DESTROYED
    done = run(cloud, wanted, **later)
    assert [one["id"] for one in done.values["deleted"]] == [old]
    assert old not in cloud.images
    assert done.plan.digest == predicted.plan.digest


def test_an_image_that_somebody_begins_to_use_meanwhile_stays():
    cloud, wanted = rotated(2)
    old = by_version(cloud)["1"]["id"]

    class Late(type(cloud)):  # type: ignore[misc]
        looks = 0

        def pages(self, service: str, path: str, key: str, **query: Any) -> Any:
            if path == "/servers":
                self.looks += 1
                self.servers = [{"id": "s1", "image": old}] if self.looks > 1 else []
            return super().pages(service, path, key, **query)

    cloud.__class__ = Late
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert "it is used by server s1" in done.failed
    assert old in cloud.images


HELD = [
    ({}, {"grace_days": 40}, ["it was replaced 31.0 days ago, and stays for 40"] * 2),
    ({}, {}, ["", ""]),
    ({}, {"delete": False}, ["removal is not switched on"] * 2),
    ({"keep": True}, {}, ["the catalogue says keep"] * 2),
    ({"meta": {"uuid_validity": "last-1"}}, {}, ["it is one of the last 1 that were replaced", ""]),
    ({"meta": {"uuid_validity": "last-3"}}, {}, ["it is one of the last 3 that were replaced"] * 2),
    ({"meta": {"uuid_validity": "forever"}}, {}, ["uuid_validity is forever"] * 2),
    ({"meta": {"uuid_validity": "notice"}}, {}, ["uuid_validity is notice"] * 2),
    ({"meta": {"uuid_validity": "2099-01-01"}}, {}, ["uuid_validity is 2099-01-01"] * 2),
    ({"meta": {"uuid_validity": "2020-01-01"}}, {}, ["", ""]),
]


@pytest.mark.parametrize(("more", "options", "reasons"), HELD, ids=[str(number) for number in range(len(HELD))])
def test_what_holds_an_image(more, options, reasons):
    cloud, wanted = rotated(3, **more)
    done = run(cloud, wanted, check=True, now=NOW + 31 * DAY, **{"delete": True, **options})
    said = {one["name"]: one["reason"] for one in done.values["blocked"]}
    assert [said.get(f"{NAME} ({number})", "") for number in (2, 1)] == reasons


def test_protected_images_stay():
    cloud, wanted = rotated(2)
    by_version(cloud)["1"]["protected"] = True
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert done.values["blocked"][0]["reason"] == "it is protected"


@pytest.mark.parametrize("lives", ["notice", "last-3", "none"])
def test_an_entry_is_taken_back_as_a_whole(lives):
    cloud, wanted = rotated(2, meta={"uuid_validity": lives})
    done = run(cloud, wanted, retire=[NAME], delete=True)
    assert len(done.values["blocked"]) == 2
    assert named(list(cloud.images.values())) == []
    assert {one["os_purpose"] for one in cloud.images.values()} == {"oldgeneric"}
    run(cloud, wanted, retire=[NAME], delete=True, now=NOW + 31 * DAY)
    assert cloud.images == {}


def test_retired_in_the_catalogue_is_the_same():
    cloud, wanted = rotated(1)
    done = run(cloud, {**wanted, "retired": True, "retired_visibility": "community"})
    (one,) = cloud.images.values()
    assert ([step.action for step in done.plan.steps], one["visibility"]) == (["retire"], "community")
    assert done.values["imports"] == []


@pytest.mark.parametrize(("partial", "private"), [(False, False), (True, False), (False, True)])
def test_a_token_that_sees_one_project_removes_only_what_nobody_else_can_use(partial, private):
    cloud, wanted = rotated(2)
    cloud.roles = ("member",)
    old = by_version(cloud)["1"]
    if private:
        old["visibility"] = "private"
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True, partial_view=partial)
    if partial or private:
        assert old["id"] not in cloud.images
    else:
        reason = "the token sees one project only, so nobody knows who uses it"
        assert [one["reason"] for one in done.values["blocked"]] == [reason]


BOTH = ["compute", "block-storage"]


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("partial", [False, True], ids=["whole", "partial"])
@pytest.mark.parametrize("missing", [*[[one] for one in BOTH], BOTH], ids="+".join)
def test_without_a_service_in_the_catalog_nobody_knows_who_uses_an_image(missing, partial, visibility):
    cloud, wanted = rotated(2)
    by_version(cloud)["1"]["visibility"] = visibility
    cloud.services -= set(missing)
    later = {"now": NOW + 31 * DAY, "delete": True, "partial_view": partial}
    done = run(cloud, wanted, **later)
    said = " and no ".join(missing)
    reason = f"the catalog of the cloud lists no {said}, so nobody knows who uses it"
    assert ([one["reason"] for one in done.values["blocked"]], len(cloud.images)) == ([reason], 2)
    # Only the operator can say that there is none.
    done = run(cloud, wanted, **later, absent_services=missing)
    assert (len(done.values["deleted"]), len(cloud.images)) == (1, 1)


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("silent", ["/servers", "/volumes/detail", "/snapshots/detail"])
def test_a_service_that_does_not_answer_keeps_all_images(silent):
    cloud, wanted = rotated(2)
    old = by_version(cloud)["1"]["id"]
    cloud.volumes = [{"id": "v1", "volume_image_metadata": {"image_id": old}}]

    class Down(type(cloud)):  # type: ignore[misc]
        def pages(self, service: str, path: str, key: str, **query: Any) -> Any:
            if path == silent:
                raise UnreachableError("no answer")
            return super().pages(service, path, key, **query)

    cloud.__class__ = Down
    with pytest.raises(CloudError, match="no answer"):
        run(cloud, wanted, now=NOW + 31 * DAY, delete=True, absent_services=BOTH)
    assert old in cloud.images


def test_a_version_without_a_digest_is_told_and_not_imported():
    wanted = entry(NAME)
    wanted["versions"] = [{"version": "1", "url": "https://example.org/x"}]
    done = run(FakeCloud(), wanted)
    assert done.values["imports"] == []
    assert done.warnings == [f"image {NAME}: version 1 has no digest in the catalogue, so it is not imported"]


def test_names_choose_entries():
    cloud = FakeCloud()
    other = entry("Debian 13", "1", meta={"os_distro": "debian"})
    done = run(cloud, entry(NAME, "1"), other, names=["Debian 13"])
    assert list(done.values["entries"]) == ["Debian 13"]
    with pytest.raises(InputError, match="no image Nothing"):
        run(cloud, other, names=["Nothing"])


def test_a_cloud_that_forgets_is_noticed():
    class Forgetful(FakeCloud):
        def _patched(self, identifier: str, image: dict[str, Any], operations: Any) -> Any:
            kept = [step for step in operations if step["path"] != "/min_ram"]
            answer = super()._patched(identifier, image, kept)
            answer.body.update(min_ram=512)
            return answer

    cloud = Forgetful()
    imported(cloud, run(cloud, entry(NAME, "1"), check=True).values["imports"])
    next(iter(cloud.images.values()))["min_ram"] = 0
    assert "not as it should be after it was switched" in run(cloud, entry(NAME, "1")).failed


def test_the_purpose_and_visibility_of_what_was_replaced_can_be_chosen():
    cloud = FakeCloud()
    sync(cloud, entry(NAME, "1"))
    sync(cloud, entry(NAME, "1", "2"), old_purpose="custom", retired_visibility="community")
    old = by_version(cloud)["1"]
    assert (old["os_purpose"], old["visibility"]) == ("custom", "community")
    assert not run(cloud, entry(NAME, "1", "2"), old_purpose="custom", retired_visibility="community").changed


def test_hidden_versions_and_ids_are_those_of_the_catalogue():
    wanted = entry(NAME)
    wanted["versions"] = [version("1", hidden=True, id="12345678-1234-4234-8234-123456789012")]
    assert run(FakeCloud(), wanted).values["imports"][0]["id"] == "12345678-1234-4234-8234-123456789012"
    cloud = FakeCloud()
    sync(cloud, wanted)
    (one,) = cloud.images.values()
    assert (one["os_hidden"], one["name"]) == (True, NAME)
    assert not run(cloud, wanted).changed


def test_an_administrator_who_may_not_see_all_projects_is_as_blind_as_a_member():
    cloud, wanted = rotated(2)

    class Narrow(type(cloud)):  # type: ignore[misc]
        def pages(self, service: str, path: str, key: str, **query: Any) -> Any:
            if "all_tenants" in query:
                raise (
                    CloudError("not allowed", status=403) if self.broken else ForbiddenError("not allowed", status=403)
                )
            return super().pages(service, path, key, **query)

    cloud.__class__, cloud.broken = Narrow, False
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert "the token sees one project only" in done.values["blocked"][0]["reason"]
    cloud.broken = True
    with pytest.raises(CloudError, match="only removed when it is known that nothing uses it"):
        run(cloud, wanted, now=NOW + 31 * DAY, delete=True)


#: What Nova and Cinder make of servers and volumes; properties of the image are copied into all of them.
COPIES = {
    "snapshot": {"image_type": "snapshot", "base_image_ref": "x", "instance_uuid": "s1"},
    "backup": {"image_type": "backup"},
    "shelved": {"image_type": "snapshot", "instance_uuid": "s1"},
    "server with a volume": {"block_device_mapping": "[]"},
    "volume": {},
}


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("state", ["", "host 1 2"], ids=["finished", "unfinished"])
@pytest.mark.parametrize("kind", COPIES)
def test_what_was_made_of_servers_and_volumes_is_never_touched(kind, state):
    cloud, wanted = rotated(2)
    for number, original in enumerate(list(cloud.images.values())):
        more = {"scs_landscape_state": state} if state else {}
        copy = {
            **original,
            "id": f"copy{number}",
            "name": "of a customer",
            "visibility": "private",
            **COPIES[kind],
            **more,
        }
        cloud.images[copy["id"]] = copy
    before = {key: dict(one) for key, one in cloud.images.items() if key.startswith("copy")}
    for options in ({}, {"retire": [NAME]}):
        done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True, grace_days=0, **options)
        assert done.failed == ""
        assert not [path for _method, path in cloud.writes if "copy" in path]
    run(cloud, wanted, now=NOW + 99 * DAY, delete=True, retire=[NAME])
    assert cloud.images == before


def test_a_snapshot_with_the_name_of_an_image_is_not_taken_over():
    told = {"internal_version": "1", "os_distro": "ubuntu", "instance_uuid": "s1"}
    cloud = FakeCloud(image("x", name=NAME, **told))
    done = run(cloud, entry(NAME, "1"), delete=True)
    assert (done.changed, len(done.values["imports"]), cloud.writes) == (False, 1, [])


RIVAL = {"os_purpose": "generic", "os_distro": "ubuntu", "os_version": "24.04", "architecture": "x86_64"}


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("known", [True, False], ids=["listed", "forgotten"])
def test_a_blocked_entry_keeps_what_it_offers(known):
    cloud, _wanted = rotated(2)
    after = entry(NAME, *(["1", "2", "3"] if known else ["3"]))
    imported(cloud, run(cloud, after, check=True).values["imports"])
    cloud.images["x"] = image("x", name="theirs", owner="other", visibility="public", **RIVAL)
    before = {key: dict(one) for key, one in cloud.images.items()}
    later = {"now": NOW + 99 * DAY, "delete": True, "grace_days": 0}
    assert run(cloud, after, check=True, **later).plan.impact == Impact.NONE
    done = run(cloud, after, **later)
    assert "x already are generic" in done.failed
    assert (done.values["deleted"], done.values["retired"], cloud.images) == ([], [], before)


def test_what_is_on_offer_after_the_moves_is_never_held_to_be_removable():
    (found,) = catalogue_model.entries_of([("x", {"images": [entry(NAME, "1")]})])
    rules = Rules("2026-05-28T20:26:40Z")
    for state in ({}, {"os_hidden": True}, {"scs_landscape_retired": "2020-01-01T00:00:00Z"}):
        assert expiry.held(found, image("a", **state), 5, rules, 0) == "it is still on offer"
    gone = image("a", os_hidden=True, scs_landscape_retired="2020-01-01T00:00:00Z")
    assert expiry.held(found, gone, 5, rules, 0) == ""


UNREADABLE = ["2099-12", "2099", "last-three", "last-", "last--1", "Forever", "31.12.2099", "until 2099-01-01", "soon"]


@pytest.mark.accept("O1.5")
@pytest.mark.parametrize("taken_back", [False, True], ids=["replaced", "taken back"])
@pytest.mark.parametrize("lives", UNREADABLE)
def test_a_promise_that_nobody_can_read_holds(lives, taken_back):
    cloud, wanted = rotated(2)
    old = by_version(cloud)["1"]
    old["uuid_validity"] = lives
    more = {"retire": [NAME]} if taken_back else {}
    done = run(cloud, wanted, now=NOW + 99 * DAY, delete=True, **more)
    assert old["id"] in cloud.images
    reasons = {one["id"]: one["reason"] for one in done.values["blocked"]}
    assert f"uuid_validity is {lives!r}, which is none" in reasons[old["id"]]


def test_a_token_without_a_project_lists_nothing():
    cloud, wanted = rotated(2)
    cloud.project_id = ""
    cloud.writes.clear()
    with pytest.raises(InputError, match="no project"):
        run(cloud, wanted, now=NOW + 99 * DAY, delete=True)
    assert cloud.writes == []


def test_images_of_others_are_never_touched_even_where_the_service_lists_them():
    class Generous(FakeCloud):
        def pages(self, service: str, path: str, key: str, **query: Any) -> Any:
            query.pop("owner", None)
            return super().pages(service, path, key, **query)

    cloud, wanted = rotated(2)
    cloud.__class__ = Generous
    old = by_version(cloud)["1"]
    old["owner"] = "other"
    before = dict(old)
    run(cloud, wanted, now=NOW + 99 * DAY, delete=True, retire=[NAME])
    assert cloud.images[old["id"]] == before


class Away(FakeCloud):
    """The image service does a change and goes away before it answers; ``back`` reads later it is there again."""

    target, back, asked = "", 0, 0

    def call(self, service: str, method: str, path: str, **options: Any) -> Any:
        if self.asked:
            self.asked += 1
            if not self.back or self.asked <= self.back:
                raise UnreachableError("no answer")
        answer = super().call(service, method, path, **options)
        if method == "PATCH" and path.endswith(self.target) and not self.asked:
            self.asked = 1
            raise UnreachableError("the answer was lost")
        return answer


@pytest.mark.accept("O1.7")
@pytest.mark.parametrize("back", [2, 0], ids=["back", "away"])
@pytest.mark.parametrize("lost", ["offer", "retire", "finish"])
def test_an_answer_that_is_lost_never_takes_the_name_away(lost, back):
    cloud, _wanted = rotated(1)
    both = entry(NAME, "1", "2")
    imported(cloud, run(cloud, both, check=True).values["imports"])
    first, second = by_version(cloud)["1"], by_version(cloud)["2"]
    before = {key: dict(one) for key, one in cloud.images.items()}
    cloud.__class__ = Away
    cloud.target, cloud.back = (first if lost == "retire" else second)["id"], back
    if lost == "finish":
        cloud.__class__ = type("Late", (Away,), {"target": property(lambda self: self.late(), lambda *_: None)})
        cloud.late = lambda: second["id"] if first["os_hidden"] else "nothing"
    cloud.seen.clear()
    with contextlib.suppress(CloudError):  # reading back fails where the service stays away
        assert run(cloud, both).failed
    assert min(len(named(state)) for state in cloud.seen) >= 1
    assert max(len(generic(state)) for state in cloud.seen) <= 1
    if back:
        assert cloud.images == before
    cloud.__class__ = FakeCloud
    assert run(cloud, both).failed == ""
    assert [one["internal_version"] for one in generic(list(cloud.images.values()))] == ["2"]


def test_what_failed_is_not_told_as_done():
    cloud, _wanted = rotated(2)
    three = entry(NAME, "1", "2", "3")
    imported(cloud, run(cloud, three, check=True).values["imports"])
    cloud.refuse = {by_version(cloud)["2"]["id"]: 0}
    later = {"now": NOW + 31 * DAY, "delete": True}
    done = run(cloud, three, **later)
    assert done.failed
    assert [done.values[key] for key in ("rotated", "retired", "deleted")] == [[], [], []]
    (kept,) = [one for one in done.values["blocked"] if one["id"] == by_version(cloud)["1"]["id"]]
    assert "not removed: " in kept["reason"]
    planned = run(cloud, three, check=True, **later)
    assert [len(planned.values[key]) for key in ("rotated", "retired", "deleted")] == [1, 1, 1]


def test_an_image_that_cannot_be_removed_is_not_told_as_removed():
    class Sticky(FakeCloud):
        def call(self, service: str, method: str, path: str, **options: Any) -> Any:
            if method == "DELETE" and path.endswith(sticky):
                raise CloudError("it sticks", status=403)
            return super().call(service, method, path, **options)

    cloud, wanted = rotated(3)
    sticky, loose = by_version(cloud)["1"]["id"], by_version(cloud)["2"]["id"]
    cloud.__class__ = Sticky
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert [one["id"] for one in done.values["deleted"]] == [loose]
    assert [(one["id"], one["reason"]) for one in done.values["blocked"]] == [(sticky, "it sticks")]


@pytest.mark.parametrize("change", [{"os_hidden": False}, {"protected": True}, {"scs_landscape_id": "x"}], ids=str)
def test_an_image_that_was_changed_meanwhile_stays(change):
    class Late(FakeCloud):
        def call(self, service: str, method: str, path: str, **options: Any) -> Any:
            if method == "GET" and path.endswith(old["id"]):
                old.update(change)
            return super().call(service, method, path, **options)

    cloud, wanted = rotated(2)
    old = by_version(cloud)["1"]
    cloud.__class__ = Late
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert (old["id"] in cloud.images, done.values["deleted"]) == (True, [])
    assert done.failed


class Volume(dict):  # type: ignore[type-arg]
    """A volume that counts how many of its kind are in memory."""

    alive = peak = 0

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        Volume.alive += 1
        Volume.peak = max(Volume.peak, Volume.alive)

    def __del__(self) -> None:
        Volume.alive -= 1


@pytest.mark.accept("O1.15")
def test_users_are_looked_for_twice_whatever_goes_and_volumes_are_not_kept():
    looks = []

    class Many(FakeCloud):
        def pages(self, service: str, path: str, key: str, **query: Any) -> Any:
            looks.append(path)
            if path == "/volumes/detail":
                return (Volume(id=f"v{number}", volume_image_metadata={"image_id": "x"}) for number in range(5000))
            return super().pages(service, path, key, **query)

    cloud, wanted = rotated(5)
    cloud.__class__ = Many
    done = run(cloud, wanted, now=NOW + 31 * DAY, delete=True)
    assert len(done.values["deleted"]) == 4
    assert looks.count("/volumes/detail") == 2
    assert Volume.peak < 5
