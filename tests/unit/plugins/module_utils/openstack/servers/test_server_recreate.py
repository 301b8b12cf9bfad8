# SPDX-License-Identifier: Apache-2.0
"""Servers are made again whatever interrupts, and compared with what they were."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import diff, model, recreate
from ansible_collections.scs.landscape.plugins.modules import server_recreate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import (
    FakeProject,
    Killed,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.furnished import (
    MACS,
    SECRET,
    captured,
    furnished,
    run,
    with_address,
)


def test_a_key_that_an_administrator_did_not_see_must_be_there_and_is_not_compared(tmp_path: Path):
    cloud = furnished()
    key = cloud.keypairs.pop("mine")
    assert captured(cloud, tmp_path)["keypair"] == {"name": "mine", "type": None, "public_key": None}
    cloud.lose_everything()
    with pytest.raises(InputError, match="no key pair mine, and the manifest has no public key"):
        run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    cloud.keypairs["mine"] = key
    assert run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup").failed == ""
    assert not run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup").changed


@pytest.mark.parametrize("shape", [{}, {"off": True}, {"locked": True}, {"image": "i1"}], ids=str)
def test_all_that_was_deleted_is_made_again_once(shape: dict[str, Any], tmp_path: Path):
    cloud = furnished(**shape)
    before = captured(cloud, tmp_path)
    cloud.lose_everything()
    cloud.keypairs.clear()
    predicted = run(server_recreate, cloud, check=True, manifests=[str(tmp_path)], missing_volumes="backup")
    assert cloud.writes == []
    assert predicted.values["servers"][0]["predicted"] is True
    done = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    assert (done.failed, done.steps_done, done.plan.digest) == ("", 1, predicted.plan.digest)
    (told,) = done.values["servers"]
    assert (told["status"], told["differences"], told["old_id"]) == ("made", [], before["id"])
    assert SECRET[:20] not in json.dumps([done.values, done.diff, done.plan.as_dict()])
    now = captured(cloud, tmp_path / "now")
    assert diff.differences(before, now) == []
    assert now["user_data"] == before["user_data"]
    count = len(cloud.writes)
    again = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    assert (again.changed, again.values["servers"][0]["status"], len(cloud.writes)) == (False, "present", count)


#: What is another one when a thing is made again, and nothing else.
NEW = {
    "servers": {"id", "attached", "cards"},
    "volumes": {"id", "attachments"},
    "ports": {"id", "device_id", "security_groups"},
    "security-groups": {"id", "security_group_rules"},
    "os-server-groups": {"id", "members"},
}


def services(cloud: FakeProject) -> dict[str, Any]:
    """All that the services have, in their own words; what points at something says its name instead of its id."""
    names = {one["id"]: one["name"] for kept in cloud.kept.values() for one in kept.values() if "name" in one}
    found = {
        kind: {
            one["name"]: {
                key: sorted(value) if key == "tags" else value for key, value in one.items() if key not in new
            }
            for one in cloud.kept[kind].values()
        }
        for kind, new in NEW.items()
    }
    for one in cloud.kept["servers"].values():
        attached = {names[key]: {**value, "volumeId": names[key]} for key, value in one["attached"].items()}
        found["servers"][one["name"]].update(attached=attached, cards=[names[card] for card in one["cards"]])
    for one in cloud.kept["volumes"].values():
        ends = [{**each, "server_id": names[each["server_id"]]} for each in one["attachments"]]
        found["volumes"][one["name"]]["attachments"] = ends
    for one in cloud.kept["ports"].values():
        groups = sorted(names[each] for each in one["security_groups"])
        found["ports"][one["name"]].update(security_groups=groups, device_id=names[one["device_id"]])
    for one in cloud.kept["security-groups"].values():
        rules = [
            {**rule, "id": "", "remote_group_id": names.get(rule["remote_group_id"])}
            for rule in one["security_group_rules"]
        ]
        found["security-groups"][one["name"]]["security_group_rules"] = sorted(rules, key=json.dumps)
    for one in cloud.kept["os-server-groups"].values():
        found["os-server-groups"][one["name"]]["members"] = [names[each] for each in one["members"]]
    return copy.deepcopy(found)


@pytest.mark.accept("B1.15")
@pytest.mark.parametrize("shape", [{}, {"off": True, "locked": True}], ids=["on", "off-and-locked"])
def test_what_the_services_show_of_a_server_that_was_made_again_is_what_they_showed(
    shape: dict[str, Any], tmp_path: Path
):
    """Not what a second capture says: that could overlook what the first one did."""
    cloud = furnished(**shape)
    manifest = captured(cloud, tmp_path)
    before, old = services(cloud), set(cloud.kept["servers"]) | set(cloud.kept["volumes"]) | set(cloud.kept["ports"])
    cloud.lose_everything()
    assert services(cloud)["servers"] == {}
    assert run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup").failed == ""
    now = services(cloud)
    # The one thing that is added, and in no manifest: by it the server is known, whatever is changed about it.
    assert now["servers"]["shop"]["metadata"].pop(model.RECREATED) == manifest["id"]
    assert diff.differences(before, now, ()) == []
    assert not old & (set(cloud.kept["servers"]) | set(cloud.kept["volumes"]) | set(cloud.kept["ports"]))


@pytest.mark.slow
@pytest.mark.parametrize("keep", [True, False], ids=["same-addresses", "other-addresses"])
def test_killed_anywhere_the_next_start_finishes_and_doubles_nothing(keep: bool, tmp_path: Path):
    options = {"manifests": [str(tmp_path)], "missing_volumes": "backup", "keep_macs": keep, "keep_ips": keep}
    whole = furnished(off=True, locked=True)
    with_address(whole)
    before = captured(whole, tmp_path)
    whole.lose_everything()
    whole.kept["floatingips"]["fip"].update(port_id=None)
    run(server_recreate, whole, **options)
    total = len(whole.writes)
    assert total > 25
    for writes in range(total):
        cloud = furnished(off=True, locked=True)
        with_address(cloud)
        cloud.lose_everything()
        cloud.kept["floatingips"]["fip"].update(port_id=None)
        cloud.kill_after = writes
        with pytest.raises(Killed):
            run(server_recreate, cloud, **options, max_parallel=1)
        cloud.kill_after = None
        done = run(server_recreate, cloud, **options)
        assert done.failed == "", (writes, done.failed)
        counts = [len(cloud.kept[one]) for one in ("servers", "ports", "volumes", "security-groups")]
        assert counts == [1, 2, 2, 3], writes
        free = [one["path"] for one in diff.differences(before, captured(cloud, tmp_path / f"{writes}"))]
        assert all(one.startswith("ports[") for one in free), (writes, free)
        assert not (keep and free), (writes, free)


@pytest.mark.parametrize("acted", [True, False], ids=["acted", "not-acted"])
def test_lost_answers_double_nothing(acted: bool, tmp_path: Path):
    cloud = furnished()
    before = captured(cloud, tmp_path)
    cloud.lose_everything()
    paths = ("/security-groups", "/os-server-groups", "/ports", "/volumes", "/servers")
    cloud.lose = [("POST", path, acted) for path in paths]
    done = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    assert (done.failed, cloud.lose) == ("", [])
    assert [len(cloud.kept[one]) for one in ("servers", "ports", "volumes", "security-groups")] == [1, 2, 2, 3]
    assert diff.differences(before, captured(cloud, tmp_path / "now")) == []


def test_all_that_is_missing_is_told_at_once_and_nothing_is_made(tmp_path: Path):
    cloud = furnished(image="i1")
    manifest = captured(cloud, tmp_path)
    cloud.lose_everything()
    cloud.kept["networks"].clear()
    cloud.kept["flavors"]["f1"].update(ram=1024)
    cloud.kept["images"].clear()
    cloud.keypairs["mine"]["public_key"] = "another"
    cloud.project_id = "p2"
    with pytest.raises(InputError) as caught:
        run(server_recreate, cloud, manifests=[str(tmp_path)])
    for words in (
        "it was in project p1, and the token is for p2",
        "flavor small has ram 1024 instead of 2048",
        "there is no image i1",
        "there is no network front",
        "key pair mine is another key now",
        f"volume data ({manifest['volumes'][1]['id']}) is gone; name a restored one in volumes",
    ):
        assert words in str(caught.value)
    assert cloud.writes == []


def test_user_data_that_was_lost_is_asked_for_and_never_shown(tmp_path: Path):
    cloud = furnished()
    manifest = captured(cloud, tmp_path)
    (tmp_path / f"{manifest['id']}.user_data").unlink()
    cloud.lose_everything()
    with pytest.raises(InputError, match="its user data is not beside"):
        run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    given = {"shop": SECRET}
    done = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup", user_data=given)
    (made,) = cloud.kept["servers"].values()
    assert (done.failed, made["OS-EXT-SRV-ATTR:user_data"]) == ("", SECRET)
    (tmp_path / f"{manifest['id']}.user_data").write_text(base64.b64encode(b"other").decode())
    with pytest.raises(InputError, match="its digest is another one") as caught:
        run(server_recreate, cloud, manifests=[str(tmp_path)])
    assert "b3RoZXI" not in str(caught.value)


@pytest.mark.parametrize("missing", ["refuse", "backup", "empty"])
def test_volumes_are_never_silently_empty(missing: str, tmp_path: Path):
    cloud = furnished()
    captured(cloud, tmp_path)
    cloud.lose_everything()
    cloud.kept["backups"].clear()
    words = {
        "refuse": "is gone; name",
        "backup": "there is no backup of it",
        "empty": "nothing boots from an empty",
    }
    with pytest.raises(InputError, match=words[missing]):
        run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes=missing)
    assert cloud.writes == []


def test_volumes_that_stayed_or_were_restored_before_are_taken(tmp_path: Path):
    cloud = furnished()
    manifest = captured(cloud, tmp_path)
    root, data = (one["id"] for one in manifest["volumes"])
    volumes = dict(cloud.kept["volumes"])
    cloud.lose_everything()
    volumes[root].update(status="available", attachments=[])
    cloud.kept["volumes"][root] = volumes[root]
    cloud.kept["volumes"]["restored"] = {**volumes[data], "id": "restored", "name": "x", "status": "available"}
    cloud.kept["volumes"]["restored"].update(attachments=[{"server_id": "other"}])
    mapped = {"manifests": [str(tmp_path)], "volumes": {data: "restored"}}
    with pytest.raises(InputError, match="restored is attached to server other"):
        run(server_recreate, cloud, **mapped)
    cloud.kept["volumes"]["restored"].update(attachments=[], size=1)
    with pytest.raises(InputError, match="restored has 1 GiB, 2 are needed"):
        run(server_recreate, cloud, **mapped)
    cloud.kept["volumes"]["restored"].update(size=2)
    done = run(server_recreate, cloud, **mapped)
    assert (done.failed, set(cloud.kept["volumes"])) == ("", {root, "restored"})
    assert cloud.kept["volumes"]["restored"]["name"] == "data"


def test_a_copy_has_other_addresses_and_a_taken_one_is_told(tmp_path: Path):
    cloud = furnished()
    captured(cloud, tmp_path)
    (original,) = cloud.kept["servers"].values()
    original["name"], original["id"] = "moved", "moved"
    cloud.kept["servers"] = {"moved": original}
    for port in cloud.kept["ports"].values():
        port["device_id"] = "moved"
    cloud.kept["volumes"].clear()
    with pytest.raises(InputError, match=f"MAC address {MACS[0]} is taken by port port-\\d+ of server moved"):
        run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    copy = {"manifests": [str(tmp_path)], "missing_volumes": "backup", "keep_ips": False, "keep_macs": False}
    done = run(server_recreate, cloud, **copy, power="off")
    assert done.failed == ""
    assert len({one["mac_address"] for one in cloud.kept["ports"].values()}) == 4
    assert sorted(one["status"] for one in cloud.kept["servers"].values()) == ["ACTIVE", "SHUTOFF"]


def test_a_server_that_fails_is_told_and_its_volumes_stay_when_it_is_deleted(tmp_path: Path):
    cloud = furnished()
    captured(cloud, tmp_path)
    cloud.lose_everything()
    cloud.broken = "No valid host was found"
    done = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    assert "is ERROR: No valid host was found" in done.failed
    (server,) = cloud.kept["servers"].values()
    assert {one["delete_on_termination"] for one in server["attached"].values()} == {False}


def test_what_differs_in_the_end_fails_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cloud = furnished()
    captured(cloud, tmp_path)
    cloud.lose_everything()
    monkeypatch.setattr(recreate.Maker, "_finish_port", lambda *_args: None)
    done = run(server_recreate, cloud, manifests=[str(tmp_path)], missing_volumes="backup")
    assert "and differs in ports[0].description, ports[0].tags" in done.failed
    assert {"path": "ports[0].tags[0]", "before": "blue", "after": "(nothing)"} in done.values["servers"][0][
        "differences"
    ]


def test_a_server_that_is_there_is_left_alone_and_its_drift_is_told(tmp_path: Path):
    cloud = furnished()
    captured(cloud, tmp_path)
    (server,) = cloud.kept["servers"].values()
    server["metadata"]["owner"] = "Ada"
    done = run(server_recreate, cloud, manifests=[str(tmp_path)])
    assert (done.changed, done.failed, cloud.writes) == (False, "", [])
    assert done.values["servers"][0]["differences"] == [{"path": "metadata.owner", "before": "Zoë", "after": "Ada"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no manifest"),
        ("[]", "is no manifest of a server"),
        ('{"format": "scs.landscape.server", "version": 2}', "has version 2 of the format, known is 1"),
        ('{"format": "scs.landscape.server", "version": 1, "id": 3}', "id is missing or of a wrong kind"),
    ],
)
def test_a_damaged_manifest_is_refused(text: str, words: str, tmp_path: Path):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=words):
        run(server_recreate, FakeProject(), manifests=[str(tmp_path)])


def test_parts_of_a_manifest_that_are_missing_are_named(tmp_path: Path):
    manifest = captured(furnished(), tmp_path)
    del manifest["ports"][1]["mac_address"]
    manifest["volumes"][0] = 7
    with pytest.raises(InputError, match=r"ports\[1\].mac_address is missing .*volumes\[0\].size is missing"):
        model.load(model.dump(manifest), "x")
    with pytest.raises(InputError, match="is no id of a server"):
        model.file_name({"id": "../../etc/passwd"})
    with pytest.raises(InputError, match="there is no manifest in"):
        run(server_recreate, FakeProject(), manifests=[str(tmp_path / "nothing-here")[:-13]][:0])
