# SPDX-License-Identifier: Apache-2.0
"""Images of a catalogue on a real Glance: switched without a second generic one, killed in between, and nobody's loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, Sample, Watcher
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import lane

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

VERSIONS = ["20260101", "20260201", "20260301", "20260401", "20260501"]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A Keystone and a Glance for the tests of this file."""
    found = Cloud(lane("lifecycle"), profile="image")
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture
def desk(cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(cloud, tmp_path)
    yield found
    with found.session() as session:
        for identifier in found.images():
            session.call("image", "DELETE", f"/images/{identifier}", accept=(404,))


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
    with Watcher(desk) as watcher:
        for version in VERSIONS[1:]:
            done = desk.sync([desk.entry(name, VERSIONS[0], version)])
            assert (done.failed, [one["entry"] for one in done.values["rotated"]]) == ("", [name])
            (now,) = live(desk.images(), "ubuntu")
            assert (now["name"], now["internal_version"]) == (name, version)
            assert now["id"] not in seen
            seen.append(now["id"])
    judge(desk, watcher.samples, name, "ubuntu", rotations=4)
    there = desk.images()
    assert len(there) == 5
    old = there[seen[0]]
    assert (old["name"], old["os_hidden"], old["os_purpose"]) == (f"{name} ({VERSIONS[0]})", True, "oldgeneric")
    assert (old["operators_own"], "mine" in old["tags"], old["visibility"]) == ("kept", True, "public")
    with desk.session("second") as member:  # an old id still works for anybody
        assert member.get("image", f"/images/{seen[0]}")["status"] == "active"
        assert member.call("image", "GET", f"/images/{seen[0]}/file").status == 200
    assert not desk.sync([desk.entry(name, *VERSIONS)]).changed


def judge(desk: Desk, samples: list[Sample], name: str, distro: str, rotations: int) -> None:
    """At most one generic image and at least one of the name, always; exactly one but for the gap of one request."""
    assert len(samples) > 50
    assert max(len(sample.generic(distro)) for sample in samples) == 1
    assert min(len(sample.named(name)) for sample in samples) >= 1
    without = [sample for sample in samples if not sample.generic(distro)]
    gaps = [(retired.at, finished.at + finished.seconds) for retired, finished in pairs(desk)]
    assert len(gaps) == rotations
    outside = [sample for sample in without if not any(a <= sample.ended and sample.began <= b for a, b in gaps)]
    assert outside == []
    switched = [1000 * (end - begin) for begin, end in gaps]
    print(
        f"\n{len(samples)} samples, {len(without)} of them inside the {rotations} gaps;"
        f" a gap takes {min(switched):.0f} to {max(switched):.0f} ms"
    )


def pairs(desk: Desk) -> list[tuple[Any, Any]]:
    """Of each switch the request that hid the old image and the one that made the new one generic."""
    moves = [one for one in desk.cloud.access_log("glance") if one.method == "PATCH" and one.status == 200]
    # A switch is offer, retire, finish: the first and the last are about one image, the second about another.
    triples = zip(moves, moves[1:], moves[2:])
    return [(b, c) for a, b, c in triples if a.path == c.path != b.path and c.at - a.at < 5]
