# SPDX-License-Identifier: Apache-2.0
"""The official SCS tests say what they should of a cloud that we have set up; where a checkout of them is named."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors import sets
from ansible_collections.scs.landscape.plugins.modules import scs_check
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

CHECKOUT = os.environ.get("SCS_STANDARDS", "")
#: An interpreter with what they need; that of the lab's services has all but boto3.
PYTHON = os.environ.get("SCS_STANDARDS_PYTHON", "")

pytestmark = [
    pytest.mark.skipif(not CHECKOUT, reason="SCS_STANDARDS names no checkout of SovereignCloudStack/standards"),
    # What the SDK will drop some day; Python itself shows neither kind to users.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

VERSIONS = ["20260101", "20260201"]


@pytest.fixture
def programs() -> Any:
    """Runs programs in the network of the thread that asks."""

    def run(argv: list[str], seconds: float, environment: dict[str, str]) -> tuple[int, str, str]:
        environ = {**os.environ, **environment}
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=seconds, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path)
    yield found
    found.clean()
    names = [*sets.MANDATORY, *sets.RECOMMENDED]
    found.run("flavor_set", flavors=[{"name": name, "state": "absent"} for name in names])


def judged(desk: Desk, programs: Any, **options: Any) -> Any:
    given = {
        "checkout": CHECKOUT,
        "cloud": "member",
        "python": PYTHON or str(desk.cloud.python),
        "timeout": 900,
        **options,
    }
    checked = ArgumentSpecValidator(scs_check.ARGUMENTS).validate({"clouds_file": str(desk.cloud.clouds_yaml), **given})
    assert not checked.error_messages
    with desk.cloud.inside():
        return scs_check.main(checked.validated_parameters, False, programs)


@pytest.mark.accept("O1.4", "O1.6")
def test_flavors_and_images_pass_as_a_member_sees_them(desk: Desk, programs: Any) -> None:
    flavors = "scs-010[03]"
    before = judged(desk, programs, cases=flavors, fail_on=[])
    assert before.values["counts"]["FAIL"] >= 15
    desk.run("flavor_set", sets=["scs-mandatory", "scs-recommended"])
    began = time.time()
    after = judged(desk, programs, cases=flavors, before=before.values["cases"], junit=str(desk.folder / "scs.xml"))
    assert (after.failed, after.values["counts"]["PASS"]) == ("", len(after.values["cases"]))
    mandatory = {f"scs-0103-flavor-{name[4:].lower()}" for name in sets.MANDATORY}
    assert {case for case, verdict in after.values["cases"].items() if verdict == "PASS"} >= mandatory
    assert {one["after"] for one in after.values["changes"]} == {"PASS"}
    assert [one.path for one in desk.cloud.writes("nova", began)] == []
    print(f"\n{after.values['commit'][:10]} {after.values['versions']}: {after.values['counts']} for {flavors}")
    images(desk, programs)


def images(desk: Desk, programs: Any) -> None:
    """Two rotations; the cases about properties, uniqueness and sources pass after each."""
    source = "https://cloud-images.ubuntu.com/noble/current/noble.img"
    for count in (1, 2):
        wanted = desk.entry("Ubuntu 24.04", *VERSIONS[:count], meta={"hw_rng_model": "virtio"})
        for version in wanted["versions"]:
            version["source"] = source
        assert desk.sync([wanted]).failed == ""
        cases = r"scs-0102-(prop|os_purpose)|scs-0104-(source|image-ubuntu-2404)"
        done = judged(desk, programs, cases=cases, fail_on=[])
        wrong = {case for case, verdict in done.values["cases"].items() if verdict != "PASS"}
        assert wrong == set(), done.values["messages"]
    print(f"{done.values['counts']} for {cases}")


def test_an_administrator_only_gets_aborts_and_the_reason(desk: Desk, programs: Any) -> None:
    done = judged(desk, programs, cloud="admin", cases="scs-0100")
    assert set(done.values["cases"].values()) == {"ABORT"}
    assert "The tests say" in done.failed
