# SPDX-License-Identifier: Apache-2.0
"""A project with one server that has everything, and how modules are run on it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.modules import server_capture
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import FakeProject

SECRET = base64.b64encode(b"#cloud-config\npassword: Tr0ub4dor&3\n").decode()
MACS = ("fa:16:3e:10:00:01", "fa:16:3e:10:00:02")


def run(module: Any, cloud: FakeProject, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
    found = module.main({**defaults, **options}, check, connect=lambda *_args, **_more: cloud)
    assert isinstance(found, Result)
    return found


def furnished(image: str = "", off: bool = False, locked: bool = False) -> FakeProject:
    """A project with one server that has everything."""
    cloud = FakeProject(admin=True)
    groups = {}
    for name in ("web", "ssh"):
        groups[name] = cloud.call("n", "POST", "/security-groups", json={"security_group": {"name": name}}).body[
            "security_group"
        ]["id"]
    rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
    rule = {**rule, "security_group_id": groups["web"], "remote_group_id": groups["ssh"]}
    cloud.call("n", "POST", "/security-group-rules", json={"security_group_rule": rule})
    cloud.kept["security-groups"][groups["ssh"]]["tags"] = ["b", "a"]
    cards = []
    for index, mac in enumerate(MACS):
        port = {
            "network_id": "net",
            "name": f"card-{index}",
            "description": f"card {index}",
            "mac_address": mac,
            "fixed_ips": [{"subnet_id": "sub", "ip_address": f"10.7.0.{20 - index}"}],
            "allowed_address_pairs": [{"ip_address": "10.7.0.9"}, {"ip_address": "10.7.1.0/24", "mac_address": "x"}],
            "security_groups": [groups["web"]] if index else [groups["web"], groups["ssh"]],
        }
        cards.append(cloud.call("n", "POST", "/ports", json={"port": port}).body["port"]["id"])
        cloud.kept["ports"][cards[-1]]["tags"] = ["blue"]
    mapping = []
    for index, name in enumerate(("root", "data")):
        more = {"metadata": {"tier": "gold"}, "description": "boots"} if not index else {}
        volume = cloud.call("c", "POST", "/volumes", json={"volume": {"name": name, "size": 1 + index, **more}}).body
        identifier = volume["volume"]["id"]
        cloud.kept["volumes"][identifier]["bootable"] = "false" if index else "true"
        cloud.kept["backups"][f"b-{identifier}"] = {
            "id": f"b-{identifier}",
            "volume_id": identifier,
            "status": "available",
            "data_timestamp": "2026-11-01",
            "brings": {"metadata": {"tier": "old"}},
        }
        boot = -1 if image or index else 0
        mapping.append({"uuid": identifier, "source_type": "volume", "boot_index": boot, "delete_on_termination": True})
    group = cloud.call("n", "POST", "/os-server-groups", json={"server_group": {"name": "apart", "policy": "affinity"}})
    wanted = {
        "name": "shop",
        "flavorRef": "f1",
        "imageRef": image,
        "description": "the shop",
        "key_name": "mine",
        "user_data": SECRET,
        "config_drive": True,
        "metadata": {"owner": "Zoë"},
        "tags": ["front", "eu-1"],
        "block_device_mapping_v2": mapping,
        "networks": [{"port": one} for one in cards],
    }
    body = {"server": wanted, "os:scheduler_hints": {"group": group.body["server_group"]["id"]}}
    made = cloud.call("n", "POST", "/servers", json=body).body["server"]["id"]
    cloud.kept["servers"][made].update(
        status="SHUTOFF" if off else "ACTIVE", locked=locked, locked_reason="audit" if locked else None
    )
    cloud.writes.clear()
    return cloud


def with_address(cloud: FakeProject) -> str:
    """Its first card gets a floating address; the id of the card."""
    card = next(iter(cloud.kept["ports"]))
    address = {"id": "fip", "floating_ip_address": "203.0.113.9", "fixed_ip_address": "10.7.0.20", "port_id": card}
    cloud.kept["floatingips"]["fip"] = {**address, "floating_network_id": "ext"}
    return card


def captured(cloud: FakeProject, folder: Path) -> dict[str, Any]:
    done = run(server_capture, cloud, dest=str(folder))
    assert done.failed == ""
    return dict(json.loads(Path(done.values["servers"][0]["path"]).read_text()))
