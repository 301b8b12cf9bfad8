# SPDX-License-Identifier: Apache-2.0
"""server_recreate and floating addresses: they come back, are taken from nobody, and a server is complete without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import diff
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import run as task
from ansible_collections.scs.landscape.plugins.modules import server_recreate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import FakeProject
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import (
    captured,
    furnished,
    run,
    with_address,
)

ADDRESS = "203.0.113.9"


@pytest.fixture
def cloud(tmp_path: Path) -> FakeProject:
    """A server with a floating address was written down, and all is gone but the address."""
    found = furnished()
    with_address(found)
    captured(found, tmp_path / "before")
    found.lose_everything()
    found.kept["floatingips"]["fip"].update(port_id=None, fixed_ip_address=None)
    return found


def again(cloud: FakeProject, folder: Path, check: bool = False) -> Any:
    return run(server_recreate, cloud, check, manifests=[str(folder / "before")], missing_volumes="backup")


def posts(cloud: FakeProject) -> int:
    return cloud.writes.count(("POST", "/floatingips"))


@pytest.mark.parametrize("released", [False, True], ids=["kept", "released"])
def test_a_floating_address_comes_back_and_the_plan_says_so(cloud: FakeProject, tmp_path: Path, released: bool):
    if released:
        cloud.kept["floatingips"].clear()
    predicted = again(cloud, tmp_path, check=True)
    (step,) = [one for one in predicted.plan.steps if one.object == f"floating address {ADDRESS}"]
    assert (step.action, step.after["fixed"]) == ("create" if released else "update", "10.7.0.20")
    done = again(cloud, tmp_path)
    assert (done.failed, done.plan.digest) == ("", predicted.plan.digest)
    (address,) = cloud.kept["floatingips"].values()
    assert address["floating_ip_address"] == ADDRESS
    before, now = (captured(cloud, tmp_path / one) for one in ("now", "now"))
    assert diff.differences(before, now) == []
    assert before["ports"][0]["floating_ips"][0]["fixed"] == "10.7.0.20"


def test_an_address_that_another_server_has_now_is_not_taken_from_it(cloud: FakeProject, tmp_path: Path):
    """It moved to a replacement, and production goes there."""
    cloud.kept["ports"]["other"] = {"id": "other", "device_id": "replacement", "mac_address": "x", "network_id": "net"}
    cloud.kept["floatingips"]["fip"].update(port_id="other")
    with pytest.raises(InputError, match=f"floating address {ADDRESS} is in use by port other of server replacement"):
        again(cloud, tmp_path)
    assert cloud.writes == []


def test_an_address_that_moves_while_the_server_is_made_stays_there(
    cloud: FakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    planned = task.make_plans

    def moved(*args: Any) -> None:
        planned(*args)
        cloud.kept["floatingips"]["fip"].update(port_id="other")

    monkeypatch.setattr(task, "make_plans", moved)
    done = again(cloud, tmp_path)
    assert (done.failed, cloud.kept["floatingips"]["fip"]["port_id"]) == ("", "other")
    (told,) = done.values["servers"]
    assert told["omitted"] == [
        {"port": 0, "what": f"floating address {ADDRESS}", "reason": "it is in use by port other"}
    ]


@pytest.mark.parametrize(
    ("chooses", "elsewhere", "words"), [(False, "", "disallowed"), (True, ADDRESS, "is in use")], ids=["403", "409"]
)
def test_a_server_is_complete_without_an_address_that_cannot_be_had(
    cloud: FakeProject, tmp_path: Path, chooses: bool, elsewhere: str, words: str
):
    cloud.kept["floatingips"].clear()
    cloud.chooses, cloud.owned_elsewhere = chooses, elsewhere
    done = again(cloud, tmp_path)
    (told,) = done.values["servers"]
    assert (done.failed, told["status"], posts(cloud)) == ("", "made", 1)
    assert [one["what"] for one in told["omitted"]] == [f"floating address {ADDRESS}"]
    assert words in told["omitted"][0]["reason"]
    assert any(f"does not have floating address {ADDRESS}" in one for one in done.warnings)
    assert [one["path"] for one in told["differences"]] == ["ports[0].floating_ips[0]"]
    # Its volumes have their names, its mark is gone, and a second start has nothing to do.
    assert sorted(one["name"] for one in cloud.kept["volumes"].values()) == ["data", "root"]
    count = len(cloud.writes)
    second = again(cloud, tmp_path)
    assert (second.changed, second.failed, second.values["servers"][0]["status"]) == (False, "", "present")
    assert len(cloud.writes) == count


@pytest.mark.parametrize("acted", [True, False], ids=["acted", "not-acted"])
def test_a_lost_answer_is_looked_for_before_it_is_asked_again(cloud: FakeProject, tmp_path: Path, acted: bool):
    cloud.kept["floatingips"].clear()
    cloud.lose = [("POST", "/floatingips", acted)]
    done = again(cloud, tmp_path)
    assert (done.failed, cloud.lose, posts(cloud)) == ("", [], 1 if acted else 2)
    assert done.values["servers"][0]["omitted"] == []
    (address,) = cloud.kept["floatingips"].values()
    assert address["port_id"] in cloud.kept["ports"]
