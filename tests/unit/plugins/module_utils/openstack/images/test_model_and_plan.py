# SPDX-License-Identifier: Apache-2.0
"""What is wanted is understood or refused as a whole, and the plan of an image is what must be done, no more."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import model, plan, policy
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.model import Service

S256, S512 = "a" * 64, "b" * 128
BOTH = Service(("glance-direct", "web-download", "copy-image"), ("fast", "slow"))
NONE = Service((), ())


def wanted(**options: Any) -> model.Wanted:
    return model.wanted_of({"name": "one", "url": ["https://x/y.img"], "digest": S256, **options})


def image(**fields: Any) -> dict[str, Any]:
    plain = {
        "id": "i1",
        "name": "one",
        "owner": "p",
        "status": "active",
        "visibility": "private",
        "os_hidden": False,
        "protected": False,
        "min_disk": 0,
        "min_ram": 0,
        "tags": [],
        "disk_format": "qcow2",
        "container_format": "bare",
        "os_hash_algo": "sha512",
        "os_hash_value": S512,
        "stores": "fast",
        model.DIGEST: f"sha256:{S256}",
    }
    return {key: value for key, value in {**plain, **fields}.items() if value is not None}


def todo(want: model.Wanted, *images: dict[str, Any], service: Service = BOTH) -> plan.Todo:
    return plan.plan(want, want.digest, images, service, "p")


def actions(found: plan.Todo) -> list[str]:
    return [step.action for step in found.steps()]


@pytest.mark.parametrize(
    ("text", "algorithm"), [(S256, "sha256"), (f"SHA-512:{S512.upper()}", "sha512"), (f" sha256:{S256}\n", "sha256")]
)
def test_digests(text, algorithm):
    assert model.digest_of(text).algorithm == algorithm


@pytest.mark.parametrize("text", ["", "abc", f"sha512:{S256}", "md5:" + "0" * 32, "0" * 40, "sha256:" + "g" * 64])
def test_what_is_no_digest_or_no_proof_is_refused(text):
    with pytest.raises(InputError):
        model.digest_of(text)


def test_a_weak_digest_may_be_allowed():
    assert str(model.digest_of("0" * 32, weak=True)) == "md5:" + "0" * 32


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": ""}, "no name"),
        ({"id": "1"}, "no UUID"),
        ({"file": "/x"}, "one of url, file and remote, not url and file"),
        ({"url": None}, "not none"),
        ({"url": ["file:///etc/passwd"]}, "no http or https address"),
        ({"url": ["ftp://user:secret@x/y"]}, "'ftp://x/y' is no http"),
        ({"digest": None}, "nobody can check"),
        ({"digests": {"source": "https://x/S"}}, "exclude each other"),
        ({"properties": {"status": "active", "os_distro": "x"}}, "status is no property to set"),
        ({"properties": {"scs_landscape_state": "x"}}, "kept for the module"),
        ({"method": "glance-download"}, "needs remote"),
        ({"match": {"mark": None}}, "match has no value for mark"),
    ],
)
def test_what_is_wrong_is_said(options, says):
    with pytest.raises(InputError) as refused:
        wanted(**options)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


def test_everything_wrong_is_said_at_once():
    with pytest.raises(InputError) as refused:
        model.wanted_of({"name": "x", "id": "1", "digest": "zz"})
    assert str(refused.value).count(";") >= 2


def test_what_is_empty_or_there_twice():
    want = wanted(properties={"a": None, "b": ""}, tags=["b", "a", "b"])
    assert (want.properties, want.tags) == ({"b": ""}, ("a", "b"))


def test_values_are_written_as_openstack_writes_them():
    want = wanted(properties={"a": True, "b": 2, "c": False}, match={"m": 1})
    assert want.properties == {"a": "True", "b": "2", "c": "False", "m": "1"}


# Ways


@pytest.mark.parametrize(
    ("options", "service", "methods"),
    [
        ({}, BOTH, ["upload"]),
        ({"digest": S512}, BOTH, ["web-download", "upload"]),
        ({"digest": S512}, NONE, ["upload"]),
        ({"digest": S512, "convert": True}, BOTH, ["glance-direct"]),
        ({"digest": S512, "stores": ["fast", "slow"]}, BOTH, ["web-download", "glance-direct"]),
        ({"stores": ["fast", "slow"]}, BOTH, ["glance-direct"]),
        ({"method": "upload", "stores": ["fast", "slow"]}, BOTH, ["upload"]),
        ({"method": "web-download"}, BOTH, ["web-download"]),
        ({"url": None, "file": "/x"}, BOTH, ["upload"]),
    ],
)
def test_ways(options, service, methods):
    want = wanted(**options)
    found = policy.ways(want, want.digest, service)
    assert [way.method for way in found] == methods
    assert all(way.reason for way in found)


@pytest.mark.parametrize("url", ["https://u:p@x/y", "https://x/y?X-Amz-Signature=abc"])
def test_an_address_with_a_secret_is_not_told_the_service(url):
    want = wanted(url=[url], digest=S512)
    assert [way.method for way in policy.ways(want, want.digest, BOTH)] == ["upload"]


def test_the_services_own_hash_decides_about_web_download():
    want = wanted()
    assert policy.ways(want, want.digest, BOTH, "sha256")[0].method == "web-download"


@pytest.mark.parametrize(
    ("options", "service"),
    [({"method": "web-download"}, NONE), ({"convert": True}, NONE), ({"method": "glance-direct"}, NONE)],
)
def test_a_way_that_is_not_there_is_refused(options, service):
    with pytest.raises(InputError, match="not switched on"):
        policy.ways(wanted(**options), wanted().digest, service)


def test_an_image_of_another_region():
    remote = {"region": "r2", "id": "i9"}
    with pytest.raises(InputError, match="nobody can check"):
        wanted(url=None, digest=None, remote=remote)
    want = wanted(url=None, remote=remote)
    with pytest.raises(InputError, match="glance-download"):
        policy.ways(want, None, BOTH)
    assert policy.ways(want, None, Service(("glance-download",)))[0].method == "glance-download"


# Plans


def test_a_new_image_is_private_first_and_published_last():
    found = todo(wanted(visibility="public", protected=True))
    assert actions(found) == ["create", "publish"]
    create, publish = found.steps()
    assert create.after["visibility"] == "private"
    assert publish.after == {"visibility": "public", "protected": True, "os_hidden": False}


def test_nothing_is_to_be_done():
    assert todo(wanted(), image()).steps() == []


def test_an_image_with_the_vendors_hash_is_taken_as_it_is():
    assert todo(wanted(digest=S512), image(**{model.DIGEST: None})).steps() == []


def test_images_of_others_do_not_count():
    assert actions(todo(wanted(), image(owner="q"), image(name="two"))) == ["create", "publish"]


def test_other_bytes_are_refused():
    with pytest.raises(InputError, match="holds other bytes"):
        todo(wanted(), image(**{model.DIGEST: "sha256:" + "c" * 64}))
    with pytest.raises(InputError, match="holds other bytes"):
        todo(wanted(digest="c" * 128), image(**{model.DIGEST: None}))


def test_digests_of_another_kind_cannot_be_compared():
    with pytest.raises(InputError, match=r"cannot be compared: it is known by sha256:a+, wanted is sha512:c+"):
        todo(wanted(digest="c" * 128), image(os_hash_algo=None, os_hash_value=None))
    with pytest.raises(InputError, match=r"cannot be compared: it is known by sha512:b+, wanted is sha256:a+"):
        todo(wanted(), image(**{model.DIGEST: None}))
    with pytest.raises(InputError, match="holds other bytes"):
        todo(wanted(digest="c" * 128), image())


def test_what_is_not_said_is_left_alone():
    theirs = image(visibility="community", os_hidden=True, protected=True, min_disk=5, min_ram=6)
    assert todo(wanted(), theirs).steps() == []
    said = todo(wanted(visibility="private", hidden=False, protected=False, min_disk=0, min_ram=0), theirs)
    assert said.changes == {"min_disk": 0, "min_ram": 0}
    assert said.final == {"visibility": "private", "os_hidden": False, "protected": False}


def test_two_images_of_one_name_are_refused():
    with pytest.raises(InputError, match="i1, i2"):
        todo(wanted(), image(), image(id="i2"))


def test_somebody_elses_half_image_is_refused():
    with pytest.raises(InputError, match="was not made by this module"):
        todo(wanted(), image(status="saving", **{model.DIGEST: None}))


def test_properties_of_ours_go_and_the_operators_stay():
    there = image(os_distro="gentoo", hw_disk_bus="scsi", by_hand="x", **{model.OWNED: "hw_disk_bus,os_distro"})
    found = todo(wanted(properties={"os_distro": "debian"}), there)
    assert found.changes == {"os_distro": "debian", "hw_disk_bus": None, model.OWNED: "os_distro"}
    (step,) = found.steps()
    assert (step.before, step.after) == (
        {"os_distro": "gentoo", "hw_disk_bus": "scsi"},
        {"os_distro": "debian", "hw_disk_bus": None},
    )


def test_a_property_that_was_right_before_us_is_not_ours_to_take_away():
    assert todo(wanted(properties={"os_distro": "debian"}), image(os_distro="debian")).steps() == []


def test_attributes_are_brought_into_line():
    found = todo(wanted(min_disk=3, tags=["b", "a"], visibility="community"), image(tags=["c"]))
    assert actions(found) == ["update", "publish"]
    assert found.changes == {"min_disk": 3, "tags": ["a", "b"]}


def test_a_missing_store_gets_a_copy():
    found = todo(wanted(stores=["fast", "slow"]), image())
    assert (actions(found), found.copies) == (["copy"], ("slow",))
    assert todo(wanted(stores=["slow"]), image(stores="slow,fast")).steps() == []


def test_an_upload_into_two_stores_is_copied():
    found = todo(wanted(stores=["fast", "slow"], method="upload"))
    assert actions(found) == ["create", "copy", "publish"]


@pytest.mark.parametrize("stores", [["nowhere"], ["slow"]])
def test_stores_that_cannot_be_written_are_refused(stores):
    with pytest.raises(InputError, match=r"no such store|takes no images"):
        todo(wanted(stores=stores), service=Service((), ("fast", "slow"), ("slow",)))


@pytest.mark.parametrize(
    ("status", "expected"), [("queued", ["continue", "publish"]), ("active", ["continue", "publish"])]
)
def test_a_half_image_of_ours_is_continued(status, expected):
    assert actions(todo(wanted(), image(status=status, **{model.STATE: "h 1 2"}))) == expected


@pytest.mark.parametrize("fields", [{"status": "saving"}, {"status": "queued", "disk_format": "raw"}], ids=str)
def test_a_half_image_that_is_of_no_use_is_replaced(fields):
    half = image(**fields, **{model.STATE: "h 1 2"})
    assert actions(todo(wanted(), half)) == ["delete", "create", "publish"]


def test_half_images_beside_a_whole_one_are_removed():
    found = todo(wanted(), image(), image(id="i2", status="queued", **{model.STATE: "h 1 2"}))
    assert (actions(found), [one["id"] for one in found.leftovers]) == (["delete"], ["i2"])


def test_the_best_half_image_is_kept():
    halves = [
        image(id=f"i{n}", status=s, **{model.STATE: "h"}) for n, s in enumerate(("queued", "active", "importing"))
    ]
    found = todo(wanted(), *halves)
    assert found.image is not None
    assert found.image["id"] == "i1"
    assert {one["id"] for one in found.leftovers} == {"i0", "i2"}


def test_marks_and_ids_name_images():
    marked = image(name="renamed", mark="m")
    assert todo(wanted(match={"mark": "m"}), marked, image(id="i2")).changes == {}
    identifier = "00000000-0000-4000-8000-000000000001"
    assert todo(wanted(id=identifier), image(id=identifier, name="old")).changes == {"name": "one"}


def test_a_snapshot_of_a_server_inherits_marks_and_is_not_the_image():
    snapshot = image(id="i2", name="s", mark="m", base_image_ref="i1", instance_uuid="x", image_type="snapshot")
    found = todo(wanted(match={"mark": "m"}), image(mark="m"), snapshot)
    assert found.image is not None
    assert found.image["id"] == "i1"


def test_what_is_shown_has_no_password_in_it():
    text = str([step.as_dict() for step in todo(wanted(url=["https://u:secret@x/y?token=secret"])).steps()])
    assert "https://x/y" in text
    assert "secret" not in text
