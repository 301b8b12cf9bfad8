# SPDX-License-Identifier: Apache-2.0
"""The inventory of protected servers and volumes: what it says, what it asks for, and that nothing of a cloud is evaluated."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible_collections.scs.landscape.plugins.inventory.openstack_protected import InventoryModule
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.plugin_utils import inventory as base

NOW = datetime.datetime.now(datetime.timezone.utc)
DEFAULTS = {
    "hosts": "servers",
    "all_projects": False,
    "group_by": {one: f"{one}_" for one in ("policy", "project", "zone", "host", "backup", "proof")},
    "age_days": [1, 7, 30],
    "policy_key": "backup:policy",
    "exclude_key": "backup:exclude",
    "cache": False,
    "strict": False,
    "use_extra_vars": False,
    "compose": {},
    "groups": {},
    "keyed_groups": [],
    "leading_separator": True,
}


def ago(days: float) -> str:
    return (NOW - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")


class FakeLists:
    """What lists answer, a page at a time."""

    name = "fake"

    def __init__(self) -> None:
        self.servers: list[dict[str, Any]] = []
        self.volumes: list[dict[str, Any]] = []
        self.backups: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.size = 100

    def microversion(self, _service: str, wanted: str) -> str:
        return wanted

    def pages(self, _service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        found = getattr(self, key)
        for start in range(0, max(1, len(found)), self.size):
            self.requests.append((path, str(query.get("all_tenants", ""))))
            yield from found[start : start + self.size]

    def server(self, identifier: str, name: str = "", **more: Any) -> None:
        self.servers.append({"id": identifier, "name": name or identifier, "tenant_id": "p1", "image": "", **more})

    def volume(self, identifier: str, server: str = "", **metadata: str) -> None:
        keys = {key.replace("_", ":"): value for key, value in metadata.items()}
        used = [{"server_id": server, "device": "/dev/vda"}] if server else []
        self.volumes.append(
            {"id": identifier, "name": f"disk {identifier}", "size": 1, "attachments": used, "metadata": keys}
        )

    def backup(self, volume: str, taken: float, status: str = "available", **marks: str) -> None:
        identifier = f"b{len(self.backups)}"
        when = {"data_timestamp": ago(taken)}
        self.backups.append({"id": identifier, "volume_id": volume, "status": status, "metadata": marks, **when})


class Plugin(InventoryModule):
    """The plugin with options as given, and a cloud in memory."""

    def __init__(self, cloud: FakeLists, **options: Any) -> None:
        super().__init__()
        self.cloud, self.given = cloud, {**DEFAULTS, **options}
        self._cache: dict[str, Any] = {}
        self.shown: list[str] = []

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        return self.given[option]

    def get_options(self, hostvars: Any = None) -> dict[str, Any]:
        return dict(self.given)

    def get_cache_key(self, path: str) -> str:
        return f"key of {path}"

    def _read_config_data(self, path: str) -> dict[str, Any]:
        return {}

    def connect(self, params: Any) -> Any:
        return self.cloud


@pytest.fixture
def cloud() -> FakeLists:
    found = FakeLists()
    found.server("s1", "web", **{"OS-EXT-AZ:availability_zone": "eu-1", "metadata": {"backup:policy": "gold"}})
    found.volume("v1", "s1", backup_policy="silver")
    found.volume("v2", "s1")
    found.backup("v1", 20, **{model.PROVEN: ago(4)})
    found.backup("v1", 0.5)
    found.backup("v2", 2, **{model.PROVEN: ago(10)})
    found.server("s2", "db")
    found.volume("v3", "s2")
    found.backup("v3", 1, status="error")
    found.volume("v4", "s2", backup_exclude="yes")
    found.server("s3", "cache", metadata={"backup:exclude": "true", "backup:policy": "gold"}, image={"id": "i"})
    found.volume("v5")
    found.backup("v5", 40, **{model.PROVEN: ago(5), model.REFUTED: ago(4)})
    return found


def parse(plugin: Plugin, cache: bool = True) -> InventoryData:
    class Display:
        def __getattr__(self, name: str) -> Any:
            return (lambda message, *_more: plugin.shown.append(message)) if name == "warning" else lambda *_more: None

    plugin.display = Display()
    data = InventoryData()
    plugin.parse(data, DataLoader(), "/nowhere/x.protected.yml", cache=cache)
    data.reconcile_inventory()
    return data


def groups(data: InventoryData, host: str) -> set[str]:
    return {group.name for group in data.hosts[host].groups} - {"all", "ungrouped"}


@pytest.mark.accept("B1.18")
def test_a_server_is_as_old_as_the_weakest_of_its_volumes(cloud: FakeLists):
    data = parse(Plugin(cloud))
    assert sorted(data.hosts) == ["cache", "db", "web"]
    web = {"policy_gold", "policy_silver", "project_p1", "zone_eu_1", "backup_7d", "proof_30d"}
    assert groups(data, "web") == web
    assert groups(data, "db") == {"policy_none", "project_p1", "backup_never", "proof_never"}
    assert groups(data, "cache") == {"policy_none", "project_p1", "backup_never", "proof_never"}
    values = data.hosts["web"].vars
    assert (values["protected_id"], values["protected_last_backup"], values["protected_proven"]) == (
        "s1",
        ago(2),
        ago(10),
    )
    assert [one["backups"] for one in values["protected_volumes"]] == [2, 1]
    assert "ansible_host" not in values
    assert [one["excluded"] for one in data.hosts["db"].vars["protected_volumes"]] == [False, True]


@pytest.mark.accept("B1.18")
def test_volumes_and_refuted_proofs(cloud: FakeLists):
    data = parse(Plugin(cloud, hosts="volumes", group_by={"proof": "p_", "backup": ""}, age_days=[3, 365]))
    # Two volumes may have the same name, and one with a space is none for a host.
    assert sorted(data.hosts) == ["v1", "v2", "v3", "v4", "v5"]
    assert groups(data, "v5") == {"p_never", "never"}  # a restore of its only backup gave other bytes
    assert groups(data, "v1") == {"p_365d", "3d"}
    assert cloud.requests == [("/volumes/detail", ""), ("/backups/detail", "")]


@pytest.mark.accept("B1.18")
def test_lists_are_read_once_page_by_page_and_a_cached_run_asks_for_nothing(cloud: FakeLists):
    for number in range(200):
        cloud.server(f"x{number}")
    for number in range(500):
        cloud.volume(f"y{number}", f"x{number % 200}")
        cloud.backup(f"y{number}", number)
    plugin = Plugin(cloud, cache=True, all_projects=True)
    first = parse(plugin)
    pages = -(-len(cloud.servers) // 100) - (-len(cloud.volumes) // 100) - (-len(cloud.backups) // 100)
    assert len(cloud.requests) == pages
    assert {tenants for _path, tenants in cloud.requests} == {"1"}
    again = parse(plugin)
    assert len(cloud.requests) == pages
    assert {name: host.vars for name, host in again.hosts.items()} == {
        name: host.vars for name, host in first.hosts.items()
    }
    parse(plugin, cache=False)
    assert len(cloud.requests) == 2 * pages
    plugin.given["age_days"] = [2]
    parse(plugin)
    assert len(cloud.requests) == 3 * pages


HOSTILE = "{{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "all", "a,b", "x[1:3]", "../x", "-v", "", HOSTILE, "ä", "s2"]
)
def test_a_name_that_could_mean_something_else_is_no_name_of_a_host(name: str, cloud: FakeLists):
    cloud.server("odd", name or " ")
    assert "odd" in parse(Plugin(cloud)).hosts


def test_names_that_are_not_unique_are_no_names_of_hosts(cloud: FakeLists):
    cloud.server("s9", "web")
    assert {"s1", "s9"} <= set(parse(Plugin(cloud)).hosts)


@pytest.mark.accept("B1.18")
def test_what_users_of_a_cloud_write_is_never_evaluated(cloud: FakeLists):
    cloud.server("odd", HOSTILE, metadata={"backup:policy": HOSTILE})
    data = parse(Plugin(cloud))
    values = data.hosts["odd"].vars
    needed = base.marked is not base._plain
    assert (values["protected_name"], values["protected_policies"]) == (HOSTILE, [HOSTILE])
    assert getattr(values["protected_name"], "__UNSAFE__", False) is needed
    assert getattr(values["protected_policies"][0], "__UNSAFE__", False) is needed
    assert not getattr(data.hosts["web"].vars["protected_name"], "__UNSAFE__", False)
    assert all(name.replace("_", "").isalnum() for name in data.groups)


def test_a_group_whose_name_is_taken_is_left_out_and_told(cloud: FakeLists):
    cloud.server("s7", "s7", metadata={"backup:policy": "web"})
    cloud.server("s8", "s8", metadata={"backup:policy": "all"})
    plugin = Plugin(cloud, group_by={"policy": ""})
    data = parse(plugin)
    assert "web" not in data.groups
    assert plugin.shown == ["group all is left out: its name is taken", "group web is left out: its name is taken"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group_by": {"colour": "c"}}, "group_by does not know colour"),
        ({"age_days": [7, 1]}, "numbers from 1 on that grow"),
        ({"age_days": [0]}, "numbers from 1 on that grow"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str, cloud: FakeLists):
    with pytest.raises(AnsibleParserError, match=message):
        parse(Plugin(cloud, **options))
    assert cloud.requests == []
