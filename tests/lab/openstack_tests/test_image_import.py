# SPDX-License-Identifier: Apache-2.0
"""Images get into a real Glance only as they should be, whatever the web server, the line or the operator does."""

from __future__ import annotations

import hashlib
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.importing import SIZE, Images, Spy, by_name

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def images(cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest, seed: int) -> Images:
    return Images(cloud, tmp_path, hashlib.sha256(f"{request.node.name}{seed}".encode()).hexdigest()[:8])


BEHAVIOURS = ("wrong", "hang", "500", "truncated", "flipped", "loop", "short", "silent", "404")


@pytest.mark.accept("O1.2")
def test_no_image_with_other_bytes_is_ever_seen_and_the_others_finish(
    images: Images, monkeypatch: pytest.MonkeyPatch, paces: dict[str, float]
) -> None:
    spy = Spy().watch(monkeypatch)
    bad = [images.image(f"bad{kind}", kind, visibility="public") for kind in BEHAVIOURS]
    # The service downloads these itself, where it can be proven afterwards; then we do.
    served = [
        images.image(f"web{kind}", kind, visibility="public", algorithm="sha512")
        for kind in ("wrong", "500", "truncated", "flipped", "loop", "hang")
    ]
    good = [images.image("good", visibility="public"), images.image("norange", "norange", visibility="community")]
    began = time.monotonic()
    # All at once, so that what hangs hangs together; a slow machine gets more time before it counts as hanging.
    stall = min(15, round(4 * paces["image"]))
    everything = [*bad, good[0], *served, good[1]]
    result = images.run(everything, stall_timeout=stall, service_timeout=stall, max_parallel=len(everything))
    took = time.monotonic() - began
    told = by_name(result)
    assert {name for name, one in told.items() if one["status"] == "done"} == {"good", "norange"}
    assert all(one["message"] for name, one in told.items() if name not in ("good", "norange"))
    there = images.there()
    assert {name.rpartition("-")[0]: one["visibility"] for name, (one,) in there.items()} == {
        "good": "public",
        "norange": "community",
    }
    for entry in good:
        assert images.bytes_of("fast", there[entry["name"]][0]["id"]) == entry["digest"].partition(":")[2]
    assert images.unfinished() == []
    assert result.failed.startswith(f"{len(bad) + len(served)} of {len(bad) + len(served) + 2} images")
    assert took < 1200
    # Nobody could see one of them at any time: all were made private, and no request was to show any but the good ones.
    fine = {one["id"] for (one,) in there.values()}
    made = {body["id"] for body in spy.made}
    assert {body["visibility"] for body in spy.made} == {"private"}
    assert len(made - fine) >= len(served)
    assert spy.published() == fine
    assert images.shown_ever() == fine
    # The service itself was asked for no other change than those that were seen here.
    asked = {r.path.rpartition("/")[2] for r in images.cloud.writes("glance") if r.method == "PATCH"}
    assert asked & made <= {identifier for identifier, _operations in spy.changes}


@pytest.mark.accept("O1.2")
def test_a_mirror_helps_and_a_broken_download_goes_on(images: Images) -> None:
    entry = images.image("mirrored", "truncated", size=6_000_000, query={"times": 1})
    other = images.image("other", "404")
    entry["url"] = [other["url"][0], *entry["url"]]
    told = by_name(images.run([entry]))["mirrored"]
    assert told["status"] == "done"
    ranges = [r.request_id for r in images.cloud.access_log("fetches") if f"{images.seed}-mirrored" in r.path]
    assert any("bytes=" in text and "bytes=0-" not in text for text in ranges), ranges


@pytest.mark.accept("O1.3")
def test_two_stores_get_the_same_bytes_and_a_missing_copy_is_made(images: Images) -> None:
    both = images.image("both", stores=["fast", "slow"])
    one = images.image("one", stores=["slow"])
    told = by_name(images.run([both, one]))
    assert told["both"]["stores"] == {"fast": "active", "slow": "active"}
    assert (told["both"]["method"], told["one"]["method"]) == ("glance-direct", "upload")
    wanted = both["digest"].partition(":")[2]
    assert {images.bytes_of(store, told["both"]["id"]) for store in ("fast", "slow")} == {wanted}
    assert not (images.cloud.store("fast") / told["one"]["id"]).exists()
    again = by_name(images.run([{**one, "stores": ["slow", "fast"]}]))["one"]
    assert (again["actions"], again["stores"]) == (["copy"], {"slow": "active", "fast": "active"})
    assert images.bytes_of("fast", told["one"]["id"]) == one["digest"].partition(":")[2]


@pytest.fixture
def read_only(cloud: Cloud) -> Iterator[str]:
    """The store ``slow`` takes nothing, in the mount namespace of the services only."""
    path, keeper = str(cloud.store("slow")), cloud.namespace.split("/")[2]
    enter = ["nsenter", "-t", keeper, "-m"]
    subprocess.run([*enter, "mount", "--bind", path, path], check=True)
    subprocess.run([*enter, "mount", "-o", "remount,bind,ro", path], check=True)
    yield "slow"
    subprocess.run([*enter, "umount", path], check=True)


@pytest.mark.accept("O1.3")
def test_a_store_that_takes_nothing_is_named(images: Images, read_only: str) -> None:
    both = images.image("both", stores=["fast", read_only], visibility="public")
    only = images.image("only", stores=[read_only], visibility="public")
    told = by_name(images.run([both, only]))
    assert (told["both"]["status"], told["both"]["stores"]) == ("partial", {"fast": "active", read_only: "failed"})
    assert read_only in told["both"]["message"]
    assert told["only"]["status"] == "failed"
    assert list(images.there()) == [both["name"]]
    assert images.unfinished() == []


@pytest.mark.accept("O1.8")
def test_a_member_imports_for_its_project_and_is_told_what_it_may_not(images: Images) -> None:
    own = images.image("own", algorithm="sha512", properties={"os_distro": "debian"})
    public = images.image("public", visibility="public")
    told = by_name(images.run([own, public], cloud="member"))
    assert told["own"]["status"] == "done"
    assert told["public"]["status"] == "failed"
    assert "may not make images public" in told["public"]["message"]
    assert list(images.there()) == [own["name"]]
    copied = by_name(images.run([{**own, "stores": ["fast", "slow"]}], cloud="member"))["own"]
    assert (copied["status"], copied["stores"]["fast"]) == ("partial", "active")
    assert "403" in copied["stores"]["slow"]


@pytest.mark.accept("O1.9")
def test_check_mode_writes_nothing_and_its_plan_is_the_real_one(images: Images) -> None:
    there = [images.image("kept", properties={"os_distro": "debian", "hw_disk_bus": "scsi"}), images.image("same")]
    images.run(there)
    wanted = [
        {**there[0], "properties": {"os_distro": "ubuntu"}, "visibility": "public", "min_disk": 3},
        there[1],
        images.image("new", visibility="public"),
        images.image("stored", stores=["fast", "slow"], algorithm="sha512"),
    ]
    began = time.time()
    checked = images.run(wanted, check_mode=True)
    assert images.cloud.writes("glance", since=began) == []
    assert checked.steps_done == 0
    assert by_name(checked)["new"]["predicted"] is True
    real = images.run(wanted)
    assert real.failed == ""
    assert real.plan.as_dict() == checked.plan.as_dict()
    assert [step.action for step in real.plan.steps] == ["update", "publish", *["create", "publish"] * 2]
    began = time.time()
    again = images.run(wanted)
    assert (again.changed, again.plan.as_dict()["steps"]) == (False, [])
    assert images.cloud.writes("glance", since=began) == []


@pytest.mark.accept("O1.9")
def test_properties_are_brought_into_line_and_the_operators_own_are_kept(images: Images) -> None:
    entry = images.image("lined", properties={"os_distro": "debian", "hw_disk_bus": "scsi"}, tags=["a"])
    identifier = by_name(images.run([entry]))["lined"]["id"]
    by_hand = {"hw_rng_model": "virtio", "os_distro": "gentoo"}
    for name, value in by_hand.items():
        images.cloud.run(
            [str(images.cloud.python), "-c", _SET, identifier, name, value], check=True, env={"PATH": "/usr/bin:/bin"}
        )
    result = images.run([{**entry, "properties": {"os_distro": "debian"}, "tags": ["b"]}])
    assert by_name(result)["lined"]["actions"] == ["update"]
    found = images.properties(identifier)
    assert found["os_distro"] == "debian"
    assert found["hw_rng_model"] == "virtio"
    assert "hw_disk_bus" not in found


_SET = """
import sys, openstack
image, name, value = sys.argv[1:]
openstack.connect(cloud="admin").image.update_image(image, **{name: value})
"""


def test_other_bytes_under_the_same_name_are_refused(images: Images) -> None:
    entry = images.image("fixed")
    images.run([entry])
    other = {**images.image("else"), "name": entry["name"]}
    told = by_name(images.run([other]))["fixed"]
    assert told["status"] == "failed"
    assert "holds other bytes" in told["message"]


def test_bad_options_are_refused_before_anybody_is_asked(images: Images) -> None:
    began = time.time()
    with pytest.raises(InputError) as refused:
        images.run([{"name": "a", "url": ["ftp://x/y"]}, {"name": "b", "digest": "md5:" + "0" * 32, "file": "/x"}])
    assert "a: " in str(refused.value)
    assert "b: md5 is no proof" in str(refused.value)
    assert [r for r in images.cloud.access_log("glance") if r.at >= began] == []


def test_an_image_known_by_its_marks_may_be_renamed(images: Images) -> None:
    entry = images.image("marked", match={"scs_landscape_entry": images.seed}, hidden=True)
    first = by_name(images.run([entry]))["marked"]
    result = images.run([{**entry, "name": f"renamed-{images.seed}"}])
    assert (first["status"], result.changed) == ("done", False)
    assert result.values["results"][0]["id"] == first["id"]


def test_a_file_and_a_name_and_a_readback(images: Images) -> None:
    content = random.Random(images.seed).randbytes(SIZE) + bytes(SIZE)
    path = images.folder / "own.raw"
    path.write_bytes(content)
    entry = {"name": f"own-{images.seed}", "file": str(path), "disk_format": "raw", "visibility": "public"}
    wrong = images.run([{**entry, "digest": "sha256:" + "0" * 64}])
    assert "holds other bytes" in wrong.failed
    assert images.there() == {}
    told = by_name(images.run([{**entry, "digest": hashlib.sha256(content).hexdigest()}], proof="readback"))["own"]
    assert told["verified"]["by"] == "reading all bytes back"
    assert images.bytes_of("fast", told["id"]) == hashlib.sha256(content).hexdigest()
