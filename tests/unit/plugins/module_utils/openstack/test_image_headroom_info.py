# SPDX-License-Identifier: Apache-2.0
"""The room for images, to the piece and to the byte."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import limits, model
from ansible_collections.scs.landscape.plugins.modules import image_headroom_info

MIB = limits.MIB


class FakeGlance:
    """Answers as Glance does; ``None`` as usage stands for a service from before Xena."""

    project_id = "p"

    def __init__(self, usage: dict[str, tuple[int, int]] | None, images: Any = ()) -> None:
        self.usage = usage
        self.images = list(images)

    def call(self, _service: str, method: str, path: str, accept: Any = ()) -> model.Answer:
        assert (method, path) == ("GET", "/info/usage")
        if self.usage is None:
            assert 404 in accept
            return model.Answer(404)
        return model.Answer(200, body={"usage": {k: {"limit": a, "usage": b} for k, (a, b) in self.usage.items()}})

    def pages(self, _service: str, path: str, _key: str, owner: str, os_hidden: str, limit: int) -> Any:
        assert (path, owner) == ("/images", "p")
        assert limit > 0
        return [one for one in self.images if one.get("os_hidden", False) == (os_hidden == "true")]


def run(cloud: FakeGlance, **options: Any) -> Any:
    defaults = {name: spec.get("default") for name, spec in image_headroom_info.ARGUMENTS.items()}
    return image_headroom_info.main({**defaults, **options}, False, connect=lambda *_args, **_more: cloud)


def whole(count: int = 0, size: int = 0, **more: tuple[int, int]) -> dict[str, tuple[int, int]]:
    usage = {"image_count_total": (40, count), "image_size_total": (204800, size)}
    return {**usage, "image_stage_total": (-1, 0), "image_count_uploading": (-1, 0), **more}


@pytest.mark.accept("O1.10")
@pytest.mark.parametrize(("count", "fits"), [(38, True), (39, True), (40, False), (41, False)])
def test_one_more_image(count, fits):
    done = run(FakeGlance(whole(count)), images=1, fail_on=["room", "target"])
    assert done.values["fits"]["fits"] is fits
    left = max(0, 40 - count)
    assert done.values["room"]["limits"]["image_count_total"] == {"limit": 40, "usage": count, "free": left}
    said = f"1 images do not fit: image_count_total has 0 left ({count} of 40 used)"
    assert done.failed == ("" if fits else said)


@pytest.mark.accept("O1.10")
@pytest.mark.parametrize(("more", "fits"), [(-1, True), (0, True), (1, False)])
def test_the_last_byte(more, fits):
    free = (204800 - 1000) * MIB
    done = run(FakeGlance(whole(3, 1000)), bytes=free + more, fail_on=["room"])
    assert done.values["room"]["limits"]["image_size_total"]["free"] == free
    assert done.values["fits"]["fits"] is fits
    said = "203801 MiB do not fit: image_size_total has 203800 MiB left (1000 of 204800 used)"
    assert done.failed == ("" if fits else said)


TARGETS = [
    ({}, []),
    ({"image_count_total": (39, 0)}, ["40 images are asked for, image_count_total allows 39"]),
    ({"image_size_total": (204799, 0)}, ["204800 MiB are asked for, image_size_total allows 204799 MiB"]),
    ({"image_count_total": (-1, 7), "image_size_total": (-1, 9)}, []),
    (
        {"image_stage_total": (0, 0)},
        ["image_stage_total is 0, which forbids imports by glance-direct and web-download"],
    ),
    ({"image_count_uploading": (0, 0)}, ["image_count_uploading is 0, which forbids uploads"]),
    ({"image_count_total": (0, 0)}, ["image_count_total is 0, which forbids any image"]),
]


@pytest.mark.parametrize(("changes", "problems"), TARGETS, ids=[str(number) for number in range(len(TARGETS))])
def test_the_target_of_40_images_and_200_gib(changes, problems):
    done = run(FakeGlance(whole(**changes)), fail_on=["target"])
    assert done.values["target"] == {"fits": not problems, "problems": problems}
    assert done.failed == "; ".join(problems)


def test_the_staging_area_takes_the_largest_image():
    usage = whole(image_stage_total=(100, 60))
    assert run(FakeGlance(usage), largest=40 * MIB).values["fits"]["fits"]
    problems = run(FakeGlance(usage), largest=40 * MIB + 1).values["fits"]["problems"]
    assert problems == ["41 MiB do not fit: image_stage_total has 40 MiB left (60 of 100 used)"]


@pytest.mark.parametrize("usage", [None, {}])
def test_a_service_without_limits_says_so(usage):
    done = run(FakeGlance(usage), images=1000, bytes=10**15, fail_on=["room", "target"])
    assert done.failed == ""
    assert done.values["room"]["limited"] is False
    assert done.values["room"]["limits"] == {}


def test_images_are_counted_hidden_ones_and_every_store():
    images = [
        {"size": 5, "stores": "fast,slow"},
        {"size": 7, "os_hidden": True},
        {"size": None, "stores": ""},
    ]
    room = run(FakeGlance(whole(), images)).values["room"]
    assert (room["images"], room["bytes"]) == (3, 17)


def test_over_the_limit_there_is_no_room_rather_than_less():
    done = run(FakeGlance(whole(50, 300000)))
    assert done.values["room"]["limits"]["image_size_total"]["free"] == 0
    assert done.values["fits"]["fits"] is True  # nothing is about to be made


def test_a_token_without_a_project_counts_nobodys_images():
    cloud = FakeGlance(whole())
    cloud.project_id = ""
    with pytest.raises(InputError, match="no project"):
        run(cloud)
