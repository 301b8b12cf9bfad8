# SPDX-License-Identifier: Apache-2.0
"""Images of a catalogue on a real Glance: switched without a second generic one, killed in between, and nobody's loss."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack.logs import Request
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, Sample, Watcher
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule, one_in_twenty

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

GLANCE = "http://127.0.0.1:9292"
VERSIONS = ["20260101", "20260201", "20260301", "20260401", "20260501"]


@pytest.fixture
def desk(cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    """An administrator beside a cloud that other tests use as well; what a catalogue made is removed afterwards."""
    found = Desk(cloud, tmp_path)
    yield found
    found.clean()


def live(images: dict[str, dict[str, Any]], distro: str) -> list[dict[str, Any]]:
    return [
        one
        for one in images.values()
        if (one["visibility"], one["os_hidden"], one.get("os_purpose"), one.get("os_distro"))
        == ("public", False, "generic", distro)
    ]


@pytest.mark.accept("O1.4")
def test_four_rotations_never_show_a_second_generic_image_and_the_name_never_goes(desk: Desk) -> None:
    name = "Ubuntu 24.04"
    desk.sync([desk.entry(name, VERSIONS[0])])
    (first,) = live(desk.images(), "ubuntu")
    desk.patch(first["id"], operators_own="kept", hw_disk_bus="ide", tags=["mine", *first["tags"]])
    assert desk.sync([desk.entry(name, VERSIONS[0])]).changed
    (first,) = live(desk.images(), "ubuntu")
    # What the catalogue says is brought back, what an operator set besides stays.
    assert (first["hw_disk_bus"], first["operators_own"], "mine" in first["tags"]) == ("scsi", "kept", True)
    seen = [first["id"]]
    began = time.time()
    with Watcher(desk) as watcher:
        for version in VERSIONS[1:]:
            done = desk.sync([desk.entry(name, VERSIONS[0], version)])
            assert (done.failed, [one["entry"] for one in done.values["rotated"]]) == ("", [name])
            (now,) = live(desk.images(), "ubuntu")
            assert (now["name"], now["internal_version"]) == (name, version)
            assert now["id"] not in seen
            seen.append(now["id"])
    gaps = [(one.at, two.at + two.seconds) for one, two in switches(desk, began)]
    assert len(gaps) == 4
    judge(watcher.samples, gaps, name, "ubuntu")
    there = {key: one for key, one in desk.images().items() if one.get("scs_landscape_entry") == name}
    assert len(there) == 5
    old = there[seen[0]]
    assert (old["name"], old["os_hidden"], old["os_purpose"]) == (f"{name} ({VERSIONS[0]})", True, "oldgeneric")
    assert (old["operators_own"], "mine" in old["tags"], old["visibility"]) == ("kept", True, "public")
    with desk.session("second") as member:  # an old id still works for anybody
        assert member.get("image", f"/images/{seen[0]}")["status"] == "active"
        assert member.call("image", "GET", f"/images/{seen[0]}/file").status == 200
    assert not desk.sync([desk.entry(name, *VERSIONS)]).changed


def judge(samples: list[Sample], gaps: list[tuple[float, float]], name: str, distro: str) -> None:
    """At most one generic image and at least one of the name, always; exactly one but for the gap of one request."""
    assert len(samples) > 50
    assert max(len(sample.generic(distro)) for sample in samples) == 1
    assert min(len(sample.named(name)) for sample in samples) >= 1
    without = [sample for sample in samples if not sample.generic(distro)]
    outside = [sample for sample in without if not any(a <= sample.ended and sample.began <= b for a, b in gaps)]
    assert outside == []
    took = [1000 * (end - begin) for begin, end in gaps]
    print(f"\n{len(samples)} samples, {len(without)} of them in gaps of {min(took):.0f} to {max(took):.0f} ms")


def switches(desk: Desk, since: float) -> list[tuple[Request, Request]]:
    """Of each switch the request that hid the old image and the one that made the new one generic."""
    moves = [one for one in desk.cloud.writes("glance", since) if one.method == "PATCH" and one.status == 200]
    # A switch is offer, retire, finish: the first and the last are about one image, the second about another.
    triples = zip(moves, moves[1:], moves[2:])
    return [(b, c) for a, b, c in triples if a.path == c.path != b.path]


@pytest.mark.full
@pytest.mark.accept("O1.7")
def test_a_rotation_that_is_killed_anywhere_goes_on(desk: Desk, seed: int) -> None:
    name, chance = "Debian 13", random.Random(seed)
    desk.sync([desk.entry(name, VERSIONS[0])])
    began = time.time()
    for number, version in enumerate(VERSIONS[1:]):
        entry = desk.entry(name, VERSIONS[0], version)
        missing = desk.run("image_lifecycle", check_mode=True, images=[entry]).values["imports"]
        desk.run("image_import", images=missing, cache_dir=str(desk.folder / "cache"))
        # The first three are killed after the first, second and third request of the switch, the last anywhere.
        killed_after(desk, entry, number + 1 if number < 3 else 0, chance)
        (now,) = settled(desk, entry, "debian")
        assert (now["name"], now["internal_version"]) == (name, version)
    there = [one for one in desk.images().values() if one.get("scs_landscape_entry") == name]
    assert sorted(one["internal_version"] for one in there) == VERSIONS
    assert [one["os_purpose"] for one in there if one["os_hidden"]] == ["oldgeneric"] * 4
    assert not [one for one in desk.cloud.writes("glance", began) if one.status >= 500]


def killed_after(desk: Desk, entry: dict[str, Any], requests: int, chance: random.Random) -> None:
    """Starts a switch and kills it as soon as Glance has done so many requests of it; 0 is any time."""
    began, process = time.time(), desk.start("image_lifecycle", images=[entry])
    end = time.monotonic() + (300 if requests else chance.uniform(0.5, 6))
    while time.monotonic() < end and process.poll() is None:
        if requests and len(desk.cloud.writes("glance", began)) >= requests:
            break
        time.sleep(0.002)
    process.kill()
    process.communicate(timeout=60)


def settled(desk: Desk, entry: dict[str, Any], distro: str) -> list[dict[str, Any]]:
    """What is offered after the next run, which finds nothing strange; the one after it changes nothing."""
    assert len(live(desk.images(), distro)) <= 1
    done = desk.run("image_lifecycle", images=[entry])
    assert done.failed == ""
    assert not desk.run("image_lifecycle", images=[entry]).changed
    return live(desk.images(), distro)


@pytest.mark.accept("O1.11")
def test_five_percent_of_planted_faults_change_nothing_of_what_is_switched_and_removed(
    desk: Desk, seed: int, tmp_path: Path
) -> None:
    names = [f"Planted {number}" for number in range(8)]
    assert desk.sync([desk.entry(name, VERSIONS[0]) for name in names]).failed == ""
    for newest in VERSIONS[1:3]:
        wanted = [desk.entry(name, newest) for name in names]
        # Imports through such a line are tested elsewhere.
        missing = desk.run("image_lifecycle", check_mode=True, images=wanted).values["imports"]
        assert desk.run("image_import", images=missing, cache_dir=str(desk.folder / "cache")).failed == ""
        chance = one_in_twenty(seed)
        # So few requests write that chance alone might plant nothing there.
        certain = [Rule("cut", method="PATCH", skip=skip, times=1, late=True) for skip in (0, 4, 9, 17)]
        certain += [Rule(status, method="PATCH", skip=2, times=1) for status in (429, 503)]
        certain += [Rule("cut", method="DELETE", times=1, late=True), Rule(429, method="DELETE", skip=2, times=1)]
        ending = {"images": wanted, "delete": True, "grace_days": 0, "absent_services": ["compute", "block-storage"]}
        with Watcher(desk) as watcher:
            with FaultProxy(GLANCE, certain + chance, seed=seed, namespace=desk.cloud.namespace) as glance:
                desk.clouds = desk.cloud.proxied(tmp_path / "clouds.yaml", glance=glance.url)
                done = desk.run("image_lifecycle", **ending)
                assert (done.failed, len(done.values["rotated"]), len(done.values["deleted"])) == ("", 8, 8)
                assert not desk.run("image_lifecycle", **ending).changed
        desk.clouds = None
        assert [rule for rule in certain if rule.acted != 1] == []
        assert sum(rule.acted for rule in chance) >= 1, glance.count()
        for name in names:
            assert min(len(sample.named(name)) for sample in watcher.samples) >= 1
            (mine,) = [one for one in desk.images().values() if one.get("scs_landscape_entry") == name]
            assert (mine["name"], mine["internal_version"], mine["os_purpose"]) == (name, newest, "generic")
        seen = [[one.get("os_version") for one in sample.images if generic(one)] for sample in watcher.samples]
        assert all(len(versions) == len(set(versions)) for versions in seen)


def generic(image: dict[str, Any]) -> bool:
    return image.get("os_distro") == "planted" and image.get("os_purpose") == "generic"


@pytest.mark.accept("O1.9")
def test_check_mode_writes_nothing_and_plans_what_is_done(desk: Desk) -> None:
    name = "Fedora 43"
    desk.sync([desk.entry(name, VERSIONS[0])])
    entry = desk.entry(name, VERSIONS[0], VERSIONS[1])
    missing = desk.run("image_lifecycle", check_mode=True, images=[entry]).values["imports"]
    desk.run("image_import", images=missing, cache_dir=str(desk.folder / "cache"))
    began = time.time()
    predicted = desk.run("image_lifecycle", check_mode=True, images=[entry])
    assert desk.cloud.writes("glance", began) == []
    assert [step.action for step in predicted.plan.steps] == ["offer", "retire", "finish"]
    done = desk.run("image_lifecycle", images=[entry])
    assert done.plan.digest == predicted.plan.digest
    began = time.time()
    assert not desk.run("image_lifecycle", images=[entry]).changed
    assert desk.cloud.writes("glance", began) == []


@pytest.mark.accept("O1.8")
def test_a_member_keeps_a_catalogue_of_a_project(desk: Desk) -> None:
    member = Desk(desk.cloud, desk.folder, "member")
    name, private = "Arch rolling", {"visibility": "private"}
    assert member.sync([member.entry(name, VERSIONS[0], **private)]).failed == ""
    # This cloud has Glance alone, and only its operator can know that.
    alone = {"absent_services": ["compute", "block-storage"]}
    done = member.sync([member.entry(name, *VERSIONS[:2], **private)], delete=True, grace_days=0, **alone)
    assert (done.failed, len(done.values["retired"])) == ("", 1)
    left = [one for one in member.images().values() if one.get("scs_landscape_entry") == name]
    assert [one["internal_version"] for one in left] == [VERSIONS[1]]
    # Nobody but an administrator makes an image public; what was begun is undone.
    public = member.sync([member.entry(name, *VERSIONS[:2])])
    assert "403" in public.failed
    (kept,) = [one for one in member.images().values() if one.get("scs_landscape_entry") == name]
    assert (kept["id"], kept["visibility"], kept["name"]) == (left[0]["id"], "private", name)
    with member.session() as session:
        session.call("image", "DELETE", f"/images/{kept['id']}")


def test_images_of_openstack_image_manager_are_taken_over(desk: Desk) -> None:
    name = "Rocky 9"
    entry = desk.entry(name, VERSIONS[0])
    told = {"os_purpose": "generic", "os_distro": "rocky", "os_version": "9", "internal_version": VERSIONS[0]}
    with desk.session() as session:
        body = {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public", **told}
        made = session.call("image", "POST", "/images", json={**body, "tags": ["managed_by_osism"]}).body
        kind = {"Content-Type": "application/octet-stream"}
        session.call("image", "PUT", f"/images/{made['id']}/file", data=b"x" * 1000, headers=kind)
    done = desk.sync([entry])
    assert (done.failed, done.values["imports"]) == ("", [])
    now = desk.images()[made["id"]]
    assert (now["scs_landscape_entry"], now["image_original_user"]) == (name, "rocky")
    assert "managed_by_osism" in now["tags"]
    assert not desk.sync([entry]).changed


def test_an_image_of_somebody_else_stands_in_the_way(desk: Desk) -> None:
    name = "Gentoo 1"
    told = {"os_purpose": "generic", "os_distro": "gentoo", "os_version": "1", "architecture": "x86_64"}
    with desk.session() as session:
        body = {"name": "foreign", "disk_format": "raw", "container_format": "bare", "visibility": "public", **told}
        made = session.call("image", "POST", "/images", json=body).body
        kind = {"Content-Type": "application/octet-stream"}
        session.call("image", "PUT", f"/images/{made['id']}/file", data=b"x", headers=kind)
    try:
        done = desk.sync([desk.entry(name, VERSIONS[0])])
        assert f"{made['id']} already are generic" in done.failed
        assert [one["id"] for one in live(desk.images(), "gentoo")] == [made["id"]]
    finally:
        with desk.session() as session:
            session.call("image", "DELETE", f"/images/{made['id']}")
    assert desk.sync([desk.entry(name, VERSIONS[0])]).failed == ""
