# SPDX-License-Identifier: Apache-2.0
"""The story of ``make demo-backup``, small enough for every run: one server with two volumes, two rounds, a drill, all deleted, rebuilt.

Keystone, Cinder and Glance are real, and the playbooks are those of the demo; Nova and Neutron are pretended. With real ones the
demo runs in ``test_demo_backup.py``. Whatever the playbooks ask goes over recording proxies, with its token.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.disks import PATIENCE, until
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pretended_nova import COMPUTE, NETWORK, PretendedNova
from ansible_collections.scs.landscape.tests.lab.proxy import FaultProxy
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS
from ansible_collections.scs.landscape.tests.tools import demo_backup, yardstick
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import FakeProject

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PORTS = {"keystone": 5000, "cinder": 8776, "glance": 9292}
MAC, ADDRESS = "fa:16:3e:70:00:01", "10.7.0.10"


class Small(demo_backup.Shop):
    """The demo's project with one server.

    :param proxies: over which the member reaches the services.
    """

    volumes = ("db-root", "db-data")
    rounds, written, drilled = 2, (6, 2), 1
    # Moments of servers are Nova's; the demo itself has real ones.
    consistency, program = "none", str(PROGRAMS / "ansible-playbook")

    def __init__(self, desk: Desk, build: Path, nova: PretendedNova, proxies: dict[str, FaultProxy]) -> None:
        super().__init__(desk.cloud, build)
        self.desk, self.nova, self.proxies = desk, nova, proxies

    def _begin(self) -> None:
        super()._begin()
        known = json.loads(self.clouds.read_text(encoding="utf-8"))
        member = known["clouds"]["member"]
        urls = {name: proxy.url for name, proxy in self.proxies.items()}
        member["auth"]["auth_url"] = member["identity_endpoint_override"] = f"{urls['keystone']}/v3"
        member["block_storage_endpoint_override"] = f"{urls['cinder']}/v3"
        member["image_endpoint_override"] = urls["glance"]
        member["compute_endpoint_override"] = urls["nova"] + COMPUTE
        member["network_endpoint_override"] = urls["nova"] + NETWORK
        self.clouds.write_text(json.dumps(known), encoding="utf-8")

    def _environ(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *sys.path[-1:]]))
        return {**super()._environ(), "PYTHONPATH": path}

    def furnish(self) -> dict[str, str]:
        made = {}
        for name in self.volumes:
            body = {"size": 1, "name": name, "metadata": {"backup:policy": "gold", "tier": "db"}}
            with self.desk.session() as cloud:
                found = cloud.call("block-storage", "POST", "/volumes", json={"volume": body}).body
            made[name] = str(found["volume"]["id"])
        self._until(lambda: [one["status"] for one in self._all("volumes")] == ["available"] * len(made))
        with self.desk.session() as cloud:
            bootable = {"os-set_bootable": {"bootable": True}}
            cloud.call("block-storage", "POST", f"/volumes/{made['db-root']}/action", json=bootable)
        port = {
            "network_id": "net",
            "name": "shop-db",
            "mac_address": MAC,
            "fixed_ips": [{"subnet_id": "sub", "ip_address": ADDRESS}],
            "allowed_address_pairs": [{"ip_address": "10.7.0.100"}],
            "security_groups": ["default"],
        }
        status, answer = self.nova.answer("POST", f"{NETWORK}/ports", {"port": port})
        assert status == 201, answer
        disks = [
            {"uuid": one, "source_type": "volume", "boot_index": -1 if number else 0, "delete_on_termination": False}
            for number, one in enumerate(made.values())
        ]
        wanted = {"name": "shop-db", "flavorRef": "f1", "metadata": {"owner": "shop"}, "block_device_mapping_v2": disks}
        wanted["networks"] = [{"port": answer["port"]["id"]}]
        status, answer = self.nova.answer("POST", f"{COMPUTE}/servers", {"server": wanted})
        assert status == 202, answer
        return made

    def delete(self) -> Any:
        with self.desk.session() as cloud:
            for one in self._all("volumes"):
                cloud.call("block-storage", "DELETE", f"/volumes/{one['id']}")
        self.nova.fake.lose_everything()
        self._until(lambda: not self._all("volumes"))
        return {"left": [*self.look()["servers"]], "backups": len(self._all("backups"))}

    def look(self) -> Any:
        kept = self.nova.fake.kept
        return {
            "volumes": {one["name"]: one["id"] for one in self._all("volumes")},
            "servers": {one["name"]: one["status"] for one in kept["servers"].values()},
            "ports": sorted(
                f"{one['name']} {one['mac_address']} {one['fixed_ips'][0]['ip_address']}"
                for one in kept["ports"].values()
            ),
        }

    def _all(self, kind: str) -> list[dict[str, Any]]:
        with self.desk.session() as cloud:
            return list(cloud.pages("block-storage", f"/{kind}/detail", kind))

    def _until(self, condition: Any) -> None:
        assert until(condition, PATIENCE * yardstick.pace()), self._all("volumes")


def who(desk: Desk, token: str) -> tuple[str, frozenset[str]]:
    """Whose token it is and which roles it has, as Keystone says."""
    with desk.session("admin") as admin:
        told = admin.call("identity", "GET", "/auth/tokens", headers={"X-Subject-Token": token}).body["token"]
    return told["user"]["name"], frozenset(one["name"] for one in told["roles"])


@pytest.fixture
def shop(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Small]:
    desk, fake = Desk(volume_cloud, tmp_path, "member"), FakeProject()
    with desk.session() as cloud:
        fake.project_id = cloud.project_id

    def volume(identifier: str) -> dict[str, Any]:
        with desk.session() as cloud:
            return dict(cloud.get("block-storage", f"/volumes/{identifier}")["volume"])

    with contextlib.ExitStack() as stack:
        nova = stack.enter_context(PretendedNova(volume_cloud, fake, volume))
        targets = {name: f"http://127.0.0.1:{port}" for name, port in PORTS.items()}
        proxies = {
            name: stack.enter_context(FaultProxy(target, namespace=volume_cloud.namespace))
            for name, target in {**targets, "nova": nova.address}.items()
        }
        yield Small(desk, tmp_path, nova, proxies)
    volume_cloud.clean("demo")


@pytest.mark.accept("B1.20")
def test_a_member_alone_brings_a_server_and_every_byte_of_its_volumes_back(shop: Small) -> None:
    began = time.monotonic()
    assert shop.play() == 0
    print(f"\n{time.monotonic() - began:.0f} s")
    # Read past all services by the demo: two volumes with bytes of their own, the server, its address.
    assert [line.split()[0] for line in shop.verdict] == ["db-root", "db-data", "servers", "ports"]
    assert [line.partition("  the same")[1] for line in shop.verdict[:2]] == ["  the same"] * 2
    assert [line.split(maxsplit=1)[1] for line in shop.verdict[2:]] == ["as they were"] * 2
    assert len(set(shop.digests.values())) == 2
    assert shop.before["servers"] == {"shop-db": "ACTIVE"}
    assert shop.before["ports"] == [f"shop-db {MAC} {ADDRESS}"]
    drill, rebuild = (
        json.loads((one / "report.json").read_text(encoding="utf-8"))
        for kind in ("restore_drill", "dr_rebuild")
        for one in shop.build.glob(f"reports/*-{kind}-*")
    )
    assert (drill["status"], drill["facts"]["Restored with the same bytes"]) == ("passed", "1 of 1")
    assert (rebuild["status"], rebuild["facts"]["Restored with the same bytes"]) == ("passed", "2 of 2")
    assert (rebuild["facts"]["Backups"], rebuild["facts"]["Proven"]) == ("4", "1 of 4")
    assert rebuild["facts"]["Servers as they were"] == "1 of 1"

    # All of it with tokens of the member's, as Keystone says, and with no credentials but the member's at hand.
    assert list(json.loads(shop.clouds.read_text(encoding="utf-8"))["clouds"]) == ["member"]
    seen = {name: [one.token for one in proxy.requests if one.token] for name, proxy in shop.proxies.items()}
    assert all(seen[name] for name in ("cinder", "glance", "nova")), {name: len(seen[name]) for name in seen}
    people = {who(shop.desk, one) for tokens in seen.values() for one in set(tokens)}
    assert {name for name, _roles in people} == {"member"}
    assert not any("admin" in roles for _name, roles in people)
    refused = {one.path for proxy in shop.proxies.values() for one in proxy.requests if one.status == 403}
    assert {path.partition("?")[0] for path in refused} <= {"/v3/os-services"}
    # An administrator's token would be seen.
    with shop.desk.session("admin") as admin:
        name, roles = who(shop.desk, admin.token_headers()["X-Auth-Token"])
    assert (name != "member", "admin" in roles) == (True, True)
