# SPDX-License-Identifier: Apache-2.0
"""Servers are captured whole, without a secret in sight, and the same as long as they are."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.modules import server_capture
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import (
    MACS,
    SECRET,
    captured,
    furnished,
    run,
)


def test_a_manifest_is_the_same_as_long_as_the_server_is_and_shows_no_secret(tmp_path: Path):
    cloud = furnished()
    predicted = run(server_capture, cloud, check=True, dest=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    done = run(server_capture, cloud, dest=str(tmp_path / "new"))
    assert (done.changed, done.steps_done, done.plan.digest) == (True, 2, predicted.plan.digest)
    files = {one.name: one for one in (tmp_path / "new").iterdir()}
    assert {stat.S_IMODE(one.stat().st_mode) for one in files.values()} == {0o600}
    (identifier,) = cloud.kept["servers"]
    assert files[f"{identifier}.user_data"].read_text().strip() == SECRET
    told = json.dumps([done.values, done.diff, done.plan.as_dict(), files[f"{identifier}.json"].read_text()])
    assert SECRET[:20] not in told
    assert "Tr0ub4dor" not in told
    assert (done.values["omitted"], cloud.writes) == ([], [])
    again = run(server_capture, cloud, dest=str(tmp_path / "new"))
    assert (again.changed, again.values["servers"][0]["status"]) == (False, "unchanged")
    cloud.kept["servers"][identifier]["metadata"]["owner"] = "Ada"
    changed = run(server_capture, cloud, dest=str(tmp_path / "new"))
    (entry,) = changed.diff
    assert ("Zoë" in entry["before"], "Ada" in entry["after"]) == (True, True)


def test_a_manifest_holds_what_belongs_to_the_server(tmp_path: Path):
    found = captured(furnished(), tmp_path)
    assert [one["mac_address"] for one in found["ports"]] == list(MACS)
    assert found["ports"][0]["security_groups"] == ["ssh", "web"]
    assert [(one["name"], one["root"], one["device"]) for one in found["volumes"]] == [
        ("root", True, "/dev/vda"),
        ("data", False, "/dev/vdb"),
    ]
    web = next(one for one in found["security_groups"] if one["name"] == "web")
    assert [one["remote_group"] for one in web["rules"] if one["direction"] == "ingress"] == ["ssh"]
    assert (found["group"]["policy"], found["keypair"]["public_key"]) == ("affinity", "ssh-ed25519 AAAA")
    assert found["user_data"]["size"] == 36


@pytest.mark.accept("B1.16")
def test_what_a_member_may_not_see_is_told_and_nothing_fails(tmp_path: Path):
    cloud = furnished()
    cloud.admin = False
    done = run(server_capture, cloud, dest=str(tmp_path))
    (identifier,) = cloud.kept["servers"]
    assert done.values["omitted"] == [{"server": identifier, "what": "user_data: only an administrator sees it"}]
    assert (done.failed, [one.name for one in tmp_path.iterdir()]) == ("", [f"{identifier}.json"])
    cloud.keypairs.clear()
    cloud.admin = True
    done = run(server_capture, cloud, dest=str(tmp_path), user_data=False)
    assert [one["what"] for one in done.values["omitted"]] == [
        "keypair mine: it belongs to another user",
        "user_data: not asked for",
    ]


def test_servers_are_chosen_by_name_id_and_metadata(tmp_path: Path):
    cloud = furnished()
    (identifier,) = cloud.kept["servers"]
    for chosen in ([identifier], ["shop"], []):
        assert len(run(server_capture, cloud, check=True, dest=str(tmp_path), servers=chosen).values["servers"]) == 1
    none = run(server_capture, cloud, check=True, dest=str(tmp_path), metadata={"owner": "nobody"})
    assert (none.changed, none.values["servers"]) == (False, [])
    with pytest.raises(InputError, match="'a' is the name or id of no server; 'b' is"):
        run(server_capture, cloud, dest=str(tmp_path), servers=["a", "b"])


def test_a_server_that_cannot_be_read_is_told_and_the_others_are_captured(tmp_path: Path):
    cloud = furnished()
    (identifier,) = cloud.kept["servers"]
    cloud.kept["servers"]["odd"] = {**cloud.kept["servers"][identifier], "id": "odd", "OS-EXT-SRV-ATTR:user_data": "%"}
    done = run(server_capture, cloud, dest=str(tmp_path))
    assert "1 servers could not be read:\nshop (odd): user data is no base64" in done.failed
    assert [one["status"] for one in done.values["servers"]] == ["captured", "failed"]


def test_a_nova_that_is_too_old_is_told(tmp_path: Path):
    cloud = furnished()
    cloud.newest = (2, 60)
    with pytest.raises(LandscapeError, match=r"older than its microversion 2\.71"):
        run(server_capture, cloud, dest=str(tmp_path))
