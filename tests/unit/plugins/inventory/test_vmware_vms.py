# SPDX-License-Identifier: Apache-2.0
"""The inventory of VMs: names and groups, what it asks for, and that nothing of an owner of VMs is evaluated."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible_collections.scs.landscape.plugins.inventory.vmware_vms import InventoryModule
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import endpoints, inventory
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Endpoint, UnreachableError
from ansible_collections.scs.landscape.plugins.plugin_utils import inventory as base
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import trees
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware.fakes import FakeSession

DEFAULTS = {
    "endpoints": [{"hostname": "esxi1"}, {"name": "dc1", "hostname": "vcenter"}],
    "username": "reader",
    "password": "pass-4711",
    "port": 443,
    "validate_certs": True,
    "ca_path": None,
    "timeout": 60,
    "on_unreachable": "fail",
    "max_parallel": 4,
    "group_by": dict(inventory.DEFAULT_PREFIXES),
    "waves": {},
    "wave_note": "migration_wave",
    "folders": [],
    "templates": False,
    "target": {},
    "ignore": [],
    "cache": False,
    "strict": False,
    "use_extra_vars": False,
    "compose": {},
    "groups": {},
    "keyed_groups": [],
    "leading_separator": True,
}
ON = {"runtime__powerState": "poweredOn"}


def trusted(text: str) -> str:
    """A text of a configuration file, which may be a template; before ansible-core 2.19 every text may."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    return trust_as_template(text)


class Plugin(InventoryModule):
    """The plugin with options as given, and endpoints in memory by their host names."""

    def __init__(self, machines: dict[str, list[dict[str, Any]]], **options: Any) -> None:
        super().__init__()
        self.machines, self.given = machines, {**DEFAULTS, **options}
        self._cache: dict[str, Any] = {}
        self.shown: list[str] = []
        self.logins: list[dict[str, Any]] = []

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        return self.given[option]

    def get_options(self, hostvars: Any = None) -> dict[str, Any]:
        return dict(self.given)

    def get_cache_key(self, path: str) -> str:
        return f"key of {path}"

    def _read_config_data(self, path: str) -> dict[str, Any]:
        return {}

    def connect(self, login: Any) -> Any:
        self.logins.append(dict(login))
        if login["hostname"] not in self.machines:
            raise UnreachableError(f"{login['name']} gave no answer")
        found = [*copy.deepcopy(trees.AROUND), *self.machines[login["hostname"]]]
        return FakeSession(found, Endpoint(login["name"], "esxi", free_licence=False))


def parse(plugin: Plugin, cache: bool = True) -> InventoryData:
    class Display:
        def __getattr__(self, name: str) -> Any:
            return (lambda message, *_more: plugin.shown.append(message)) if name == "warning" else lambda *_more: None

    plugin.display = Display()
    data = InventoryData()
    plugin.parse(data, DataLoader(), "/nowhere/x.vmware.yml", cache=cache)
    data.reconcile_inventory()
    return data


def groups(data: InventoryData, host: str) -> set[str]:
    return {group.name for group in data.hosts[host].groups} - {"all", "ungrouped"}


@pytest.fixture
def machines() -> dict[str, list[dict[str, Any]]]:
    tpm = [trees.PVSCSI, trees.controller("VirtualTPM", 11000), trees.disk(2000, 1000, 0), trees.card(4000)]
    return {
        "esxi1": [
            trees.machine("web", config__annotation="shop\nmigration_wave: 2\n", **ON),
            trees.machine("db", tpm, moid="8", config__firmware="efi", config__guestId="rhel9_64Guest"),
            trees.machine("golden", moid="9", config__template=True),
        ],
        "vcenter": [trees.machine("web", moid="vm-12", config__instanceUuid="52bb")],
    }


def test_names_groups_and_variables(machines):
    data = parse(Plugin(machines, waves={"1": ["d*"]}))
    assert sorted(data.hosts) == ["db", "web@dc1", "web@esxi1"]
    common = {"host_esxi1_example_com", "datastore_datastore1", "warm_capable"}
    assert groups(data, "web@esxi1") == common | {
        "wave_2",
        "endpoint_esxi1",
        "os_debian",
        "firmware_bios",
        "power_on",
        "blocker_none",
    }
    assert groups(data, "db") == common | {
        "wave_1",
        "endpoint_esxi1",
        "os_rhel",
        "firmware_uefi",
        "power_off",
        "blocker_vtpm",
    }
    values = data.hosts["db"].vars
    assert values["vmware_vm"]["disks"][0]["capacity_bytes"] == 1 << 30
    assert (values["vmware_blockers"], values["vmware_migratable"], values["vmware_wave"]) == (["vtpm"], False, "1")
    assert values["vmware_transports"] == ["nfc", "folder", "ssh", "local"]
    assert "pass-4711" not in json.dumps([host.vars for host in data.hosts.values()], default=str)


def test_options_narrow_and_widen(machines):
    data = parse(
        Plugin(machines, templates=True, ignore=["vtpm"], group_by={"blocker": ""}, folders=["/ha-datacenter/vm/"])
    )
    assert sorted(data.hosts) == ["db", "golden", "web@dc1", "web@esxi1"]
    assert groups(data, "db") == {"none"}
    assert parse(Plugin(machines, folders=["/ha-datacenter/vm/web"])).hosts == {}


def test_constructed_groups_and_variables(machines):
    keyed = [{"key": trusted("vmware_vm.os_guess.distro"), "prefix": "system"}]
    compose = {"ansible_host": trusted("vmware_vm.nics[0].mac")}
    data = parse(Plugin(machines, keyed_groups=keyed, compose=compose, group_by={}, strict=True))
    assert groups(data, "db") == {"system_rhel"}
    assert data.hosts["db"].vars["ansible_host"] == "00:0c:29:3a:4b:5c"


def test_two_vms_of_one_endpoint_with_one_name(machines):
    machines["esxi1"].append(trees.machine("db", moid="10", config__instanceUuid="52cc"))
    data = parse(Plugin(machines))
    assert sorted(data.hosts) == ["db@esxi1@10", "db@esxi1@8", "web@dc1", "web@esxi1"]


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("file server 1", "file_server_1"),
        ("Büro", "Büro"),
        ("{{ lookup('pipe', 'id') }}", "___lookup__pipe____id_____"),
        ("a,b:c[1:2]!x&y", "a_b_c_1_2__x_y"),
        ("localhost", "localhost@esxi1"),
        ("all", "all@esxi1"),
        ("-x", "_x"),
    ],
    ids=["spaces", "umlaut", "template", "pattern", "localhost", "all", "dash"],
)
def test_names_of_owners_are_names_and_nothing_else(machines, name, host):
    machines["esxi1"] = [trees.machine(name)]
    data = parse(Plugin(machines))
    assert sorted(data.hosts) == sorted(["web", host])
    told = data.hosts[host].vars["vmware_vm"]["name"]
    assert told == name
    needed = base.marked is not base._plain and not base.is_inert(name)
    assert getattr(told, "__UNSAFE__", False) is needed


def test_two_names_that_become_the_same(machines):
    machines["esxi1"] = [trees.machine("a b"), trees.machine("a_b", moid="8")]
    assert sorted(parse(Plugin(machines)).hosts) == ["a_b@esxi1@7", "a_b@esxi1@8", "web"]


def test_one_endpoint_that_does_not_answer(machines):
    del machines["vcenter"]
    with pytest.raises(AnsibleParserError, match="dc1 gave no answer"):
        parse(Plugin(machines))
    plugin = Plugin(machines, on_unreachable="warn")
    assert sorted(parse(plugin).hosts) == ["db", "web"]
    assert plugin.shown == ["VMs of an endpoint are missing: dc1 gave no answer"]


def test_the_same_whenever_the_vms_are_the_same(machines):
    def told(data):
        return json.dumps({name: data.hosts[name].vars for name in data.hosts}, default=str)

    first = told(parse(Plugin(machines)))
    assert first == told(parse(Plugin({key: list(reversed(value)) for key, value in machines.items()})))


def test_a_cache_asks_for_nothing_and_holds_no_password(machines):
    plugin = Plugin(machines, cache=True)
    first = parse(plugin)
    assert len(plugin.logins) == 2
    second = parse(plugin)
    assert len(plugin.logins) == 2
    assert {name: host.vars for name, host in first.hosts.items()} == {
        name: host.vars for name, host in second.hosts.items()
    }
    before = json.dumps(plugin._cache, default=str)
    assert "pass-4711" not in before
    plugin.given["password"] = "other"
    parse(plugin)
    assert len(plugin.logins) == 2  # not even a digest of it decides about the cache
    plugin.given["waves"] = {"1": ["web"]}
    parse(plugin)
    assert len(plugin.logins) == 4


def test_passwords_may_be_templates(machines):
    plugin = Plugin(machines, password=trusted("{{ 'se' ~ 'cret' }}"))
    parse(plugin)
    assert [login["password"] for login in plugin.logins] == ["secret", "secret"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoints": []}, ["endpoints is empty"]),
        ({"endpoints": ["esxi1"]}, ["endpoints[0] is no dictionary"]),
        ({"endpoints": [{"hostname": "a"}, {"hostname": "a"}]}, ["a is there 2 times"]),
        ({"endpoints": [{"hostnam": "a"}]}, ["'hostnam', which means nothing", "has no hostname"]),
        ({"password": None}, ["endpoints[0] has no password", "endpoints[1] has no password"]),
        ({"group_by": {"colour": "c_"}}, ["group_by does not know colour"]),
        ({"waves": {"1": "web"}}, ["waves: 1 is no list"]),
        ({"ignore": ["tpm"]}, ["'tpm', which is no rule"]),
    ],
    ids=["none", "no-dict", "twice", "typo", "password", "group", "waves", "ignore"],
)
def test_options_that_mean_nothing_are_refused_before_anybody_is_asked(machines, changes, words):
    plugin = Plugin(machines, **changes)
    with pytest.raises(AnsibleParserError) as caught:
        parse(plugin)
    assert all(word in str(caught.value) for word in words)
    assert plugin.logins == []


def test_an_endpoint_has_what_it_says_and_the_rest_from_beside():
    told = {
        "endpoints": [{"hostname": "a", "username": "root", "validate_certs": "no"}, {"hostname": "b", "port": 8443}]
    }
    first, second = endpoints.logins_of({**DEFAULTS, **told})
    assert (first["username"], first["password"], first["validate_certs"]) == ("root", "pass-4711", False)
    assert (second["username"], second["port"], second["validate_certs"]) == ("reader", 8443, True)
    with pytest.raises(InputError):
        endpoints.logins_of({**DEFAULTS, "endpoints": None})


def test_groups_whose_names_are_taken_are_told(machines):
    plugin = Plugin(machines, group_by={"os": ""}, keyed_groups=[])
    machines["esxi1"][1]["name"] = "debian"
    data = parse(plugin)
    assert "debian" in data.hosts
    assert plugin.shown == ["the group debian is left out: its name is taken"]
