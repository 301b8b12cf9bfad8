# SPDX-License-Identifier: Apache-2.0
"""Refusals of a real Glance and Cinder in the middle of a volume: nothing is left that nobody can use, and another try works."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.test_volume_write import SHARE, equal
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy, Rule

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MIB = 1 << 20
GLANCE, CINDER = "http://127.0.0.1:9292", "http://127.0.0.1:8776"
ALWAYS = None
UPLOAD: dict[str, Any] = {"method": "PUT", "path": "/file$"}
VOLUME: dict[str, Any] = {"method": "POST", "path": "/volumes$"}
ATTACHMENT: dict[str, Any] = {"method": "POST", "path": "/attachments$"}
ACTION: dict[str, Any] = {"method": "POST", "path": "/action$"}
GONE: dict[str, Any] = {"method": "DELETE", "path": "/attachments/"}
#: Service, way, rule, and whether the run ends well in spite of it. What comes once is waited for or looked after.
FAULTS = [
    ("glance", "image", Rule(409, times=ALWAYS, **UPLOAD), False),
    ("glance", "image", Rule(413, times=ALWAYS, **UPLOAD), False),
    ("glance", "image", Rule(503, times=ALWAYS, **UPLOAD), False),
    ("glance", "image", Rule(503, times=1, **UPLOAD), True),
    ("glance", "image", Rule(503, times=1, late=True, **UPLOAD), True),
    ("cinder", "image", Rule(409, times=ALWAYS, **VOLUME), False),
    ("cinder", "image", Rule(503, times=1, late=True, **VOLUME), True),
    ("cinder", "image", Rule(409, times=ALWAYS, **ACTION), False),
    ("cinder", "attach", Rule(413, times=1, **VOLUME), True),
    ("cinder", "attach", Rule(503, times=1, late=True, **VOLUME), True),
    ("cinder", "attach", Rule(409, times=ALWAYS, **ATTACHMENT), False),
    ("cinder", "attach", Rule(503, times=1, late=True, **ATTACHMENT), True),
    ("cinder", "attach", Rule(409, times=1, **GONE), True),
    ("cinder", "attach", Rule(409, times=ALWAYS, **ACTION), False),
]


def named(case: tuple[str, str, Rule, bool]) -> str:
    service, way, rule, _fine = case
    often = "always" if rule.times is ALWAYS else "late" if rule.late else "once"
    return f"{service}-{way}-{rule.act}-{rule.method}-{rule.path.strip('/$')}-{often}"


@pytest.fixture
def desk(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    """Of a plain member; emptied afterwards."""
    found = Desk(volume_cloud, tmp_path, "member")
    yield found
    with found.session() as cloud:
        machines.no_volumes(cloud)


def stuck(desk: Desk) -> list[str]:
    """Images of disks, and volumes that are not available, once nobody removes any more."""
    end = time.monotonic() + 60
    while True:
        images = [f"image {one['status']}" for one in desk.images().values() if one.get("migration_disk")]
        with desk.session() as cloud:
            states = [str(one["status"]) for one in cloud.pages("block-storage", "/volumes/detail", "volumes")]
        if "deleting" not in states or time.monotonic() > end:
            return images + [f"volume {state}" for state in states if state != "available"]
        time.sleep(0.5)


def written(desk: Desk, source: Path, way: str, clouds: Path | None = None) -> Any:
    mounts = {SHARE: str(desk.cloud.share)}
    options = {"name": "spoilt", "bootable": True, "image_metadata": {"hw_disk_bus": "scsi"}, "mounts": mounts}
    given = Desk(desk.cloud, desk.folder, desk.user, clouds)
    return given.run("volume_write", source=str(source), method=way, image_format="raw", **options)


@pytest.mark.full
@pytest.mark.accept("V1.21")
@pytest.mark.parametrize("case", FAULTS, ids=named)
def test_a_refusal_leaves_nothing_and_another_try_works(
    desk: Desk, tmp_path: Path, seed: int, case: tuple[str, str, Rule, bool]
) -> None:
    service, way, rule, fine = case
    source = tmp_path / "disk.raw"
    source.write_bytes(random.Random(seed).randbytes(3 * MIB) + bytes(3 * MIB + 512))
    rule.acted = rule.matched = 0
    where = {"glance": GLANCE, "cinder": CINDER}[service]
    with FaultProxy(where, [rule], seed=seed, namespace=desk.cloud.namespace) as proxy:
        clouds = desk.cloud.proxied(tmp_path / "clouds.yaml", **{service: proxy.url})
        with contextlib.nullcontext() if fine else pytest.raises(LandscapeError, match=f"answered {rule.act}"):
            written(desk, source, way, clouds)
    assert rule.acted >= 1
    assert stuck(desk) == []
    done = written(desk, source, way)
    assert done.changed is not fine
    assert stuck(desk) == []
    equal(desk, done.values["volume"], source)
    with desk.session() as cloud:
        assert len(list(cloud.pages("block-storage", "/volumes/detail", "volumes"))) == 1
