# SPDX-License-Identifier: Apache-2.0
"""A server with everything on it: captured, deleted with all that belongs to it, and made again, in a real cloud."""

from __future__ import annotations

import base64
import json
import random
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import diff, model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SECRET = "#cloud-config\npassword: Tr0ub4dor&3\n"
MACS = ("fa:16:3e:10:00:01", "fa:16:3e:10:00:02")
#: What is another one when a thing is made again, and nothing else.
NEW = {
    "server": {
        "id", "created", "updated", "links", "hostId", "OS-SRV-USG:launched_at", "server_groups", "scheduler_hints",
        "os-extended-volumes:volumes_attached", "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname",
        "OS-EXT-SRV-ATTR:instance_name", "OS-EXT-SRV-ATTR:reservation_id",
    },
    "port": {"id", "created_at", "updated_at", "revision_number", "device_id", "binding:host_id", "security_groups"},
    "volume": {"id", "created_at", "updated_at", "attachments", "links"},
    "attachment": {"id", "volumeId", "serverId", "attachment_id", "bdm_uuid"},
    "security_group": {"id", "created_at", "updated_at", "revision_number"},
    "rule": {"id", "created_at", "updated_at", "revision_number", "security_group_id", "remote_group_id", "standard_attr_id"},
    "group": {"id", "members"},
}  # fmt: skip


@pytest.fixture
def desk(compute_cloud: Cloud, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(compute_cloud, tmp_path, "member")
    yield found
    compute_cloud.clean("demo")
    with found.session() as cloud:
        for one in cloud.pages("network", "/security-groups", "security_groups"):
            if one["name"] in ("web", "ssh"):
                cloud.call("network", "DELETE", f"/security-groups/{one['id']}", accept=(404, 409))
        for one in cloud.pages("compute", "/os-server-groups", "server_groups"):
            cloud.call("compute", "DELETE", f"/os-server-groups/{one['id']}", accept=(404,))
        cloud.call("compute", "DELETE", "/os-keypairs/mine", accept=(404,))


def neutron(cloud: Any, kind: str, **body: Any) -> dict[str, Any]:
    path = f"/{kind.replace('_', '-')}s"
    return dict(cloud.call("network", "POST", path, json={kind: body}, repeat=False).body[kind])


def furnish(cloud: Any) -> dict[str, Any]:
    """A server with all that a member can put on one."""
    network = neutron(cloud, "network", name="front")["id"]
    subnet = neutron(cloud, "subnet", network_id=network, name="front", ip_version=4, cidr="10.7.0.0/24")["id"]
    groups = {
        name: neutron(cloud, "security_group", name=name, description=f"for {name}")["id"] for name in ("web", "ssh")
    }
    rule = {"security_group_id": groups["web"], "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
    neutron(cloud, "security_group_rule", **rule, port_range_min=443, port_range_max=443, remote_ip_prefix="0.0.0.0/0")
    neutron(cloud, "security_group_rule", **rule, port_range_min=22, port_range_max=22, remote_group_id=groups["ssh"])
    ports = []
    for index, mac in enumerate(MACS):
        made = neutron(
            cloud,
            "port",
            network_id=network,
            name=f"card-{index}",
            description=f"card {index}",
            mac_address=mac,
            fixed_ips=[{"subnet_id": subnet, "ip_address": f"10.7.0.{20 - index}"}],
            allowed_address_pairs=[{"ip_address": "10.7.0.100"}, {"ip_address": "10.7.1.0/24", "mac_address": MACS[0]}],
            security_groups=[groups["web"], groups["ssh"]] if index == 0 else [groups["ssh"]],
        )
        cloud.call("network", "PUT", f"/ports/{made['id']}/tags", json={"tags": ["blue", f"card-{index}"]})
        ports.append(str(made["id"]))
    volumes = [
        machines.volume(cloud, "root", True, {"os_distro": "debian"}, metadata={"tier": "gold"}, description="boots"),
        machines.volume(cloud, "data", volume_type="lab"),
    ]
    pair = {"name": "mine", "public_key": _key()}
    cloud.call("compute", "POST", "/os-keypairs", json={"keypair": pair}, microversion="2.2", accept=(409,))
    body = {"server_group": {"name": "apart", "policy": "anti-affinity"}}
    group = cloud.call("compute", "POST", "/os-server-groups", json=body, microversion="2.64").body["server_group"][
        "id"
    ]
    server = machines.server(
        cloud,
        "shop",
        volumes,
        networks=[{"port": one} for one in ports],
        metadata={"backup:policy": "gold", "owner": "Zoë <z@example.org>"},
        tags=["front", "eu-1"],
        description="the shop",
        key_name="mine",
        user_data=base64.b64encode(SECRET.encode()).decode(),
        config_drive=True,
        hints={"group": group},
    )
    return {"server": server, "ports": ports, "volumes": volumes, "groups": groups, "group": group}


def _key() -> str:
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + random.Random(7).randbytes(32)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} somebody@example"


def state(desk: Desk, name: str = "shop") -> dict[str, Any]:
    """What the services say about the server and all that belongs to it, but for what is another one each time."""

    def cut(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key not in NEW[kind]}

    with desk.session("admin") as admin:
        pages = admin.pages("compute", "/servers/detail", "servers", all_tenants="1")
        found = next(one["id"] for one in pages if one["name"] == name)
        server = admin.get("compute", f"/servers/{found}", microversion="2.100")["server"]
        path = f"/servers/{server['id']}/os-volume_attachments"
        attached = admin.get("compute", path, microversion="2.89")["volumeAttachments"]
        volumes = [admin.get("block-storage", f"/volumes/{one['volumeId']}")["volume"] for one in attached]
        groups = {one["id"]: one for one in admin.pages("network", "/security-groups", "security_groups")}
        ports = list(admin.pages("network", "/ports", "ports", device_id=server["id"]))
        used = {one for port in ports for one in port["security_groups"]}
        # Of a server that was made again: the id that it had.
        server["metadata"].pop(model.RECREATED, None)
        # Sets, which Nova shows in any order.
        server["security_groups"].sort(key=lambda one: str(one["name"]))
        server["tags"].sort()
        (group,) = server["server_groups"]
        shown = admin.get("compute", f"/os-server-groups/{group}", microversion="2.64")["server_group"]

    def rules(found: dict[str, Any]) -> list[dict[str, Any]]:
        cleaned = [
            {**cut("rule", one), "remote": groups.get(one["remote_group_id"], {}).get("name")}
            for one in found["security_group_rules"]
        ]
        return sorted(cleaned, key=lambda one: json.dumps(one, sort_keys=True))

    return {
        "server": cut("server", server),
        "members": shown["members"] == [server["id"]],
        "group": cut("group", shown),
        "hinted": server["scheduler_hints"] == {"group": [group]} or server["scheduler_hints"] == {"group": group},
        "attachments": sorted((cut("attachment", one) for one in attached), key=lambda one: str(one["device"])),
        "volumes": sorted((cut("volume", one) for one in volumes), key=lambda one: str(one["name"])),
        "ports": {
            port["mac_address"]: {**cut("port", port), "groups": sorted(groups[one]["name"] for one in port["security_groups"])}
            for port in ports
        },
        "groups": {groups[one]["name"]: {**cut("security_group", groups[one]), "security_group_rules": rules(groups[one])} for one in used},
    }  # fmt: skip


def writes(desk: Desk, since: float) -> list[Any]:
    """What was changed by requests, but for what Neutron tells Nova about ports, late and by itself."""
    found = [one for api in ("nova", "cinder", "neutron") for one in desk.cloud.writes(api, since)]
    return [one for one in found if not one.path.endswith("/os-server-external-events")]


def delete_all(desk: Desk, made: dict[str, Any]) -> None:
    with desk.session() as cloud:
        machines.gone(cloud, "compute", f"/servers/{made['server']}")
        for one in made["ports"]:
            cloud.call("network", "DELETE", f"/ports/{one}", accept=(404,))
        for one in made["volumes"]:
            machines.gone(cloud, "block-storage", f"/volumes/{one}")
        for one in made["groups"].values():  # one points at the other
            cloud.call("network", "DELETE", f"/security-groups/{one}", accept=(404,))
        cloud.call("compute", "DELETE", f"/os-server-groups/{made['group']}")


@pytest.mark.accept("B1.15", "B1.16", "B1.17")
def test_a_server_is_captured_deleted_with_all_it_had_and_made_again(desk: Desk, seed: int, tmp_path: Path) -> None:
    with desk.session() as cloud:
        made = furnish(cloud)
    noise = random.Random(seed)
    bytes_of = {}
    for one in made["volumes"]:
        offset, data = noise.randrange(1 << 29), noise.randbytes(100_000)
        machines.write(desk.cloud, one, offset, data)
        bytes_of[one] = (offset, data)
    # A member's token does not see user data: that is told, and nothing fails.
    mine = desk.run("server_capture", dest=str(tmp_path / "member"))
    assert (mine.failed, mine.changed) == ("", True)
    assert mine.values["omitted"] == [{"server": made["server"], "what": "user_data: only an administrator sees it"}]
    # An administrator's does; then it lies in a file of its own, and is shown nowhere.
    folder = tmp_path / "manifests"
    operator = Desk(desk.cloud, tmp_path, "admin")
    began = time.time()
    wanted = {"dest": str(folder), "all_projects": True, "servers": ["shop"]}
    predicted = operator.run("server_capture", check_mode=True, **wanted)
    assert not folder.exists()
    done = operator.run("server_capture", **wanted)
    assert [done.failed, done.steps_done, done.plan.digest] == ["", 2, predicted.plan.digest]
    assert not operator.run("server_capture", **wanted).changed
    assert writes(desk, began) == []
    shown = json.dumps([done.values, done.diff, done.plan.as_dict()]) + (folder / f"{made['server']}.json").read_text()
    assert "Tr0ub4dor" not in shown
    assert base64.b64encode(SECRET.encode()).decode()[:20] not in shown
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    before = state(desk)
    with desk.session() as cloud:
        cinder = Cinder(cloud)
        backups = [cinder.begin_backup(one, name="b", metadata={}, force=True) for one in made["volumes"]]
        assert [machines.until(lambda one=one: _ended(cinder, one), 900) for one in backups] == ["available"] * 2
    delete_all(desk, made)

    recreate = {"manifests": [str(folder)], "missing_volumes": "backup"}
    began = time.time()
    refused = {"manifests": [str(folder)]}
    with pytest.raises(Exception, match=r"volume root .* is gone; .*volume data .* is gone"):
        desk.run("server_recreate", **refused)
    predicted = desk.run("server_recreate", check_mode=True, **recreate)
    assert [one["status"] for one in predicted.values["servers"]] == ["planned"]
    assert writes(desk, began) == []
    result = desk.run("server_recreate", **recreate)
    assert (result.failed, result.plan.digest) == ("", predicted.plan.digest)
    assert "Tr0ub4dor" not in json.dumps([result.values, result.diff, result.plan.as_dict()])
    (told,) = result.values["servers"]
    assert (told["status"], told["differences"]) == ("made", [])
    assert told["id"] != made["server"]
    assert diff.differences(before, state(desk), ()) == []
    with desk.session() as cloud:
        now = {one["name"]: one["id"] for one in cloud.pages("block-storage", "/volumes/detail", "volumes")}
        assert set(now) == {"root", "data"}
    for name, old in zip(("root", "data"), made["volumes"], strict=True):
        offset, data = bytes_of[old]
        assert machines.read(desk.cloud, now[name], offset, len(data)) == data
    began = time.time()
    again = desk.run("server_recreate", **recreate)
    assert (again.changed, again.failed, again.values["servers"][0]["status"]) == (False, "", "present")
    assert writes(desk, began) == []
    # Captured once more it is the same but for ids.
    desk.run("server_capture", dest=str(tmp_path / "again"))
    with desk.session() as cloud:
        delete_later = [one["id"] for one in cloud.pages("block-storage", "/backups", "backups")]
        machines.gone(cloud, "compute", f"/servers/{told['id']}")
        for one in delete_later:
            machines.gone(cloud, "block-storage", f"/backups/{one}")


def _ended(cinder: Cinder, identifier: str) -> str:
    found = cinder.backup(identifier)
    return found.status if found and found.status in ("available", "error") else ""
