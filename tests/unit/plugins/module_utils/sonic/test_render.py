# SPDX-License-Identifier: Apache-2.0
"""Landscape -> CONFIG_DB: valid in both releases, clean to the linter, the same on every path into FRR, refused where due."""

from __future__ import annotations

import datetime
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, plan, targets, yang_check
from ansible_collections.scs.landscape.plugins.module_utils.sonic.frr import faults, fields
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import index
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate as lint
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build, files
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render.model import Rows
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.landscape.docs import hostile
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import fabrics, golden

#: What the linter says of the rendered labs: by rule, how often, and why it stays.
SAID = {
    "scs-lab": {
        "SL406": (6, "these switches have no loopback in the landscape: their management address is the router id"),
        "SL409": (8, "true of every fabric with peer groups; says how the rows must be written"),
        "SL812": (1, "the two switches of the lab fabric share an AS number, as their own configurations do"),
    },
    "embedded": {"SL409": (6, "true of every fabric with peer groups; says how the rows must be written")},
    "fabric": {"SL409": (5, "true of every fabric with peer groups; says how the rows must be written")},
}
SECRETS = {"snmp_communities": ["canary-community"], "tacacs_passkey": "canary-passkey"}


def test_the_test_fabric_is_a_good_landscape() -> None:
    found = validate.check(fabrics.view("fabric"), [], today=datetime.date(2026, 1, 1))
    assert [str(finding) for finding in found] == []


@pytest.mark.slow
@pytest.mark.accept("S1.3")
@pytest.mark.parametrize("release", golden.RELEASES)
@pytest.mark.parametrize("name", sorted(fabrics.LANDSCAPES))
def test_rendered_configurations_are_valid(name: str, release: str) -> None:
    models = golden.models(release)
    with golden.judge(release) as judge:
        for switch, config in fabrics.configs(fabrics.view(name), release=release, secrets=SECRETS).items():
            verdict = yang_check.check(models, config, judge)
            assert ([str(fault) for fault in verdict.faults], verdict.without_model) == ([], ()), switch


@pytest.mark.accept("S1.3")
@pytest.mark.parametrize("release", golden.RELEASES)
@pytest.mark.parametrize("name", sorted(fabrics.LANDSCAPES))
def test_rendered_configurations_are_lint_clean(name: str, release: str) -> None:
    configs = fabrics.configs(fabrics.view(name), release=release)
    found = lint.check(index.Fabric([index.Switch(switch, config) for switch, config in configs.items()]))
    assert [str(issue) for issue in found if issue.severity == "error"] == []
    assert Counter(issue.rule for issue in found) == {rule: count for rule, (count, _why) in SAID[name].items()}


@pytest.mark.parametrize("name", sorted(fabrics.LANDSCAPES))
def test_every_path_into_frr_gives_the_same(name: str) -> None:
    """The renderer keeps clear of all known faults but the order of ``config load``, which no row can mend.

    An upper bound that is the longest length there is says nothing: with and without it is the same.
    """
    for config in fabrics.configs(fabrics.view(name)).values():
        boot, live = (faults.expected(config, path) for path in ("boot", "live"))
        short = {
            section: {re.sub(r"( ge [0-9]+) le (32|128)$", r"\1", line) for line in lines - fields.BOOT_ONLY}
            for section, lines in boot.items()
        }
        assert short == live


@pytest.mark.accept("S1.6")
@pytest.mark.parametrize("name", sorted(fabrics.LANDSCAPES))
def test_rendering_is_a_fixed_point(name: str) -> None:
    """What was rendered, read back from a switch's database, needs no change."""
    for switch, config in fabrics.configs(fabrics.view(name), secrets=SECRETS).items():
        read = codec.from_redis(codec.to_redis(config))
        assert plan.plan_switch(switch, read, config, "202605").changes == ()
        assert plan.plan_switch(switch, config, read, "202605").changes == ()


def test_both_ends_of_every_link_agree() -> None:
    for name in ("scs-lab", "fabric"):
        view = fabrics.view(name)
        configs = fabrics.configs(view)
        for switch, config in configs.items():
            for link in view.devices[switch].links:
                far = configs.get(link.peer, {}).get("PORT", {}).get(link.peer_port)
                near = config["PORT"].get(link.port)
                if near and far:
                    for field in ("speed", "mtu", "admin_status"):
                        assert near[field] == far[field], (switch, link.port, field)
                    assert near["description"] == f"{link.peer}:{link.peer_port}"
        assert sum(len(config["PORT"]) for config in configs.values()) > 100


def test_the_order_of_a_landscape_does_not_matter(tmp_path: Path) -> None:
    document = fabrics.document()
    first = fabrics.configs(fabrics.view_of(document, tmp_path))
    turned = {
        section: dict(reversed(rows.items())) if isinstance(rows, dict) else list(reversed(rows))
        for section, rows in reversed(document.items())
    }
    second = fabrics.configs(fabrics.view_of(turned, tmp_path))
    assert {name: files.text(config) for name, config in first.items()} == {
        name: files.text(config) for name, config in second.items()
    }


ROWS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("leaf1", "BGP_NEIGHBOR", "default|Ethernet48", {"bfd": "true", "peer_group_name": "fabric"}),
    ("leaf1", "BGP_NEIGHBOR", "default|Ethernet3", {"peer_group_name": "hosts_lab"}),
    ("leaf1", "INTERFACE", "Ethernet48", {"ipv6_use_link_local_only": "enable"}),
    ("leaf1", "SYSLOG_SERVER", "192.0.2.4", {"vrf": "mgmt"}),
    ("leaf1", "DNS_NAMESERVER", "fd00:ffff::2", {}),
    ("leaf1", "MGMT_INTERFACE", "eth0|192.0.2.21/24", {"gwaddr": "192.0.2.1"}),
    ("leaf1", "MGMT_VRF_CONFIG", "vrf_global", {"mgmtVrfEnabled": "true"}),
    ("leaf1", "LOOPBACK_INTERFACE", "Loopback0|fd00:1::10:1:0:21/128", {}),
    ("leaf1", "SNMP", "LOCATION", {"Location": "Room 1"}),
    ("leaf1", "BANNER_MESSAGE", "global", {"login": "leaf", "state": "enabled"}),
    ("leaf1", "BGP_GLOBALS_AF", "default|ipv4_unicast", {"max_ebgp_paths": "64"}),
    ("border1", "INTERFACE", "Ethernet72|203.0.113.1/31", {}),
    (
        "border1",
        "BGP_NEIGHBOR",
        "default|203.0.113.0",
        {"admin_status": "up", "asn": "64496", "bfd": "true", "name": "uplink"},
    ),
    ("oob1", "VLAN_MEMBER", "Vlan100|Ethernet0", {"tagging_mode": "untagged"}),
    ("oob1", "VLAN_MEMBER", "Vlan200|PortChannel1", {"tagging_mode": "tagged"}),
    ("oob1", "PORTCHANNEL_MEMBER", "PortChannel1|Ethernet56", {}),
    ("oob1", "VLAN_INTERFACE", "Vlan200|198.51.100.129/25", {}),
    ("oob1", "VLAN", "Vlan200", {"description": "bmc", "dhcp_servers": ["198.51.100.200"], "vlanid": "200"}),
    ("oob1", "DHCP_RELAY", "Vlan200", {"dhcpv6_servers": ["fd00:200::10"], "interface_id": "true"}),
    ("oob1", "SSH_SERVER", "POLICIES", {"login_timeout": "60"}),
]


@pytest.mark.parametrize(("switch", "table", "key", "row"), ROWS)
def test_rows(switch: str, table: str, key: str, row: dict[str, Any]) -> None:
    assert fabrics.configs(fabrics.view("fabric"))[switch][table][key] == row


def test_ports() -> None:
    configs = fabrics.configs(fabrics.view("fabric"))
    ports = configs["leaf1"]["PORT"]
    assert (ports["Ethernet3"]["speed"], ports["Ethernet0"]["speed"]) == ("10000", "25000")
    assert (ports["Ethernet48"]["mtu"], ports["Ethernet0"]["mtu"]) == ("9000", "9100")
    assert ports["Ethernet48"]["lanes"] == "77,78,79,80"
    assert (ports["Ethernet4"]["admin_status"], "description" in ports["Ethernet4"]) == ("down", False)
    # plugged in and switched off: described, but down
    off = configs["leaf2"]["PORT"]["Ethernet3"]
    assert (off["admin_status"], off["description"]) == ("down", "lab1:nic1")
    assert "default|Ethernet3" not in configs["leaf2"]["BGP_NEIGHBOR"]


def test_additions_are_merged_in_order() -> None:
    leaf2 = fabrics.configs(fabrics.view("fabric"))["leaf2"]
    assert "BANNER_MESSAGE" not in leaf2, "the switch takes away what its group adds"
    assert leaf2["PORT"]["Ethernet47"]["description"] == "spare"
    assert leaf2["PORT"]["Ethernet47"]["speed"] == "25000", "the rest of the row stays"


def test_additions_take_fields_and_rows_away(tmp_path: Path) -> None:
    document = fabrics.document()
    document["switches"]["leaf1"]["config_db"] = {
        "PORT": {"Ethernet0": {"description": None, "fec": "rs"}},
        "LLDP": {"GLOBAL": None},
        "NTP": {"global": {"src_intf": ["eth0"]}},
        "ACL_TABLE": {"T": {"services": [True, 5, "SSH"]}},
    }
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    assert "description" not in config["PORT"]["Ethernet0"]
    assert config["PORT"]["Ethernet0"]["fec"] == "rs"
    assert "LLDP" not in config
    assert config["NTP"]["global"]["src_intf"] == ["eth0"]
    assert config["ACL_TABLE"]["T"]["services"] == ["true", "5", "SSH"]


def test_the_time_zone_is_written_only_when_it_is_said(tmp_path: Path) -> None:
    """A switch has one of its own, which nobody means to change by saying nothing."""
    for services, zone in (({}, None), ({"timezone": "Europe/Berlin"}, "Europe/Berlin")):
        document = {**fabrics.document(), "services": {"snmp_location": "Room 1", **services}}
        config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
        assert config["DEVICE_METADATA"]["localhost"].get("timezone") == zone
        before = {
            **config,
            "DEVICE_METADATA": {"localhost": {**config["DEVICE_METADATA"]["localhost"], "timezone": "UTC"}},
        }
        changes = plan.plan_switch("leaf1", before, targets.wanted(before, config), "202605").changes
        assert [change.fields for change in changes] == ([("timezone",)] if zone else [])


def test_secrets_come_from_options_alone() -> None:
    without = fabrics.configs(fabrics.view("fabric"))["leaf1"]
    assert not {"SNMP_COMMUNITY", "TACPLUS", "TACPLUS_SERVER", "AAA"} & set(without)
    config = fabrics.configs(fabrics.view("fabric"), secrets=SECRETS)["leaf1"]
    assert config["SNMP_COMMUNITY"] == {"canary-community": {"TYPE": "RO"}}
    assert config["TACPLUS"]["global"]["passkey"] == "canary-passkey"
    assert config["AAA"]["authentication"]["login"] == "tacacs+,local"
    # asked first is what has the higher priority
    assert [config["TACPLUS_SERVER"][f"192.0.2.{last}"]["priority"] for last in (5, 6)] == ["2", "1"]
    assert "canary" not in files.masked(files.text(config))
    assert "Ethernet0" in files.masked(files.text(config))
    assert files.masked("canary, not JSON") == files.masked("[1]")


def test_a_list_has_no_item_that_is_nothing() -> None:
    with pytest.raises(InputError, match=r"ACL_TABLE\|T ports"):
        Rows().put("ACL_TABLE", "T", ports=["Ethernet0", None])


def _changed(change: Any) -> dict[str, Any]:
    document = fabrics.document()
    change(document)
    return document


def _lag_to_two(document: dict[str, Any]) -> None:
    document["switches"]["leaf2"] = {**document["switches"]["leaf1"], "index": 22}
    document["cables"][1]["lag"] = "bond0"
    document["cables"].append({"a": "leaf2/Ethernet0", "b": "red1/nic1", "lag": "bond0"})


def _two_peers_one_lag(document: dict[str, Any]) -> None:
    document["cables"][1]["lag"] = document["cables"][2]["lag"] = "PortChannel7"


def _shared_gateway(document: dict[str, Any]) -> None:
    document["switches"]["leaf2"] = {**document["switches"]["leaf1"], "index": 22}
    document["networks"]["tenants"] = {"purpose": "internal", "v4": "10.9.0.0/24", "router_v4": "10.9.0.1", "vlan": 9}
    document["networks"]["tenants"]["routers"] = ["leaf1", "leaf2"]


def _vlan_and_bgp(document: dict[str, Any]) -> None:
    document["networks"]["tenants"] = {"purpose": "internal", "vlan": 9}
    document["roles"]["red"]["networks"] = ["tenants"]


def _l2vni(document: dict[str, Any]) -> None:
    document["networks"]["tenants"] = {"purpose": "provider", "vlan": 9, "vni": 10009}
    document["cables"][1]["networks"] = ["tenants"]


def _l3vni(document: dict[str, Any]) -> None:
    document["vrfs"] = {"blue": {"vni": 50100, "vlan": 3100}}
    document["environments"]["blue"]["vrf"] = "blue"


def _long_vrf(document: dict[str, Any]) -> None:
    document["vrfs"] = {"a-very-long-name": {}}
    document["environments"]["blue"]["vrf"] = "a-very-long-name"


def _two_vrfs_one_name(document: dict[str, Any]) -> None:
    document["vrfs"] = {"blue": {}, "Blue": {}}
    document["environments"]["blue"]["vrf"] = "blue"
    document["environments"]["red"]["vrf"] = "Blue"


def _peering_without_asn(document: dict[str, Any]) -> None:
    document["networks"]["transfer"] = {"purpose": "transfer", "v4": "203.0.113.0/31"}
    session = {"switch": "oob1", "port": "Ethernet52", "network": "transfer", "asn": 64496}
    document["peerings"] = {"out": {**session, "local_v4": "203.0.113.1", "remote_v4": "203.0.113.0"}}


def _announced_elsewhere(document: dict[str, Any]) -> None:
    _peering_without_asn(document)
    document["vrfs"] = {"out": {}}
    document["networks"]["transfer"]["vrf"] = "out"
    document["peerings"]["out"] |= {"switch": "leaf1", "announces": ["red"]}


def _vni_without_loopback(document: dict[str, Any]) -> None:
    _l2vni(document)
    document["roles"]["leaf"] |= {"loopback_network": "", "asn_scheme": "own"}
    del document["roles"]["leaf"]["loopback_network"]
    document["asn_schemes"]["own"] = {"kind": "explicit"}
    document["switches"]["leaf1"]["asn"] = 65001


def _list_with_nothing(document: dict[str, Any]) -> None:
    document["switches"]["leaf1"]["config_db"] = {"ACL_TABLE": {"T": {"ports": ["Ethernet0", None]}}}


def _one_vlan_twice(document: dict[str, Any]) -> None:
    for number, name in enumerate(("red", "blue"), 1):
        routed = {"purpose": "internal", "v4": f"10.9.{number}.0/24", "router_v4": f"10.9.{number}.1", "vlan": 9}
        document["networks"][f"{name}-vlan"] = {**routed, "environment": name, "routers": ["leaf1"]}


def _instance_on_two(document: dict[str, Any]) -> None:
    document["vrfs"] = {"blue": {}}
    document["environments"]["blue"]["vrf"] = "blue"
    document["switches"]["leaf2"] = {**document["switches"]["leaf1"], "index": 22}
    document["hosts"]["blue2"] = {**document["hosts"]["blue1"], "index": 2}
    document["cables"] += [
        {"a": "leaf2/Ethernet48", "b": "spine1/Ethernet4", "speed": "100G"},
        {"a": "leaf2/Ethernet0", "b": "blue2/nic0"},
    ]


def _instance_behind_the_fabric(document: dict[str, Any]) -> None:
    """The way out of an instance is on another switch than its hosts."""
    document["vrfs"] = {"blue": {}}
    document["environments"]["blue"]["vrf"] = "blue"
    _peering_without_asn(document)
    document["networks"]["transfer"]["vrf"] = "blue"
    document["peerings"]["out"]["switch"] = "spine1"


def _vnis_of_two(document: dict[str, Any]) -> None:
    for number, name in enumerate(("red", "blue")):
        document["environments"][name]["separated"] = True
        document["networks"][f"{name}-overlay"] = {"purpose": "internal", "vni": 100 + number, "environment": name}


REFUSED: list[tuple[str, Any, str, str, str]] = [
    ("SR001", lambda d: d["device_models"]["as7326"].pop("sonic_hwsku"), "leaf1", "202605", "port map"),
    ("SR004", lambda d: d["cables"][1].update(speed="100M"), "leaf1", "202605", "100M"),
    ("SR005", _lag_to_two, "leaf1", "202605", "leaf2"),
    ("SR005", _two_peers_one_lag, "leaf1", "202605", "same aggregation"),
    ("SR006", _vlan_and_bgp, "leaf1", "202605", "speaks BGP"),
    ("SR008", _shared_gateway, "leaf1", "202605", "leaf2"),
    ("SR009", _vni_without_loopback, "leaf1", "202605", "loopback"),
    ("SR010", _long_vrf, "leaf1", "202605", "15 characters"),
    ("SR010", _two_vrfs_one_name, "leaf1", "202605", "VrfBlue"),
    ("SR012", lambda d: d["switches"]["leaf1"].update(config_db={"PORT": 5}), "leaf1", "202605", "int"),
    (
        "SR012",
        lambda d: d["switches"]["leaf1"].update(config_db={"PORT": {"Ethernet0": "x"}}),
        "leaf1",
        "202605",
        "str",
    ),
    ("SR012", _list_with_nothing, "leaf1", "202605", "list ports"),
    ("SR016", lambda d: d["switches"]["leaf1"].update(breakout={"Ethernet52": "8x10G"}), "leaf1", "202605", "8x10G"),
    ("SR017", _instance_on_two, "leaf1", "202605", "leaf2"),
    ("SR017", _instance_on_two, "leaf2", "202411", "give it vni"),
    ("SR017", _instance_behind_the_fabric, "leaf1", "202605", "spine1"),
    ("SR018", _one_vlan_twice, "leaf1", "202605", "networks red-vlan and blue-vlan are both VLAN 9"),
    ("SR019", _vnis_of_two, "leaf1", "202605", "VNI 101 of others"),
    ("SR014", _peering_without_asn, "oob1", "202605", "AS number"),
    ("SR015", _announced_elsewhere, "leaf1", "202605", "VrfOut"),
    ("SR020", lambda d: d["roles"]["leaf"].update(config_db={"SAG": {"GLOBAL": {}}}), "leaf1", "202605", "202605"),
    ("SR020", lambda d: d["roles"]["leaf"].update(config_db={"STP": {"GLOBAL": {}}}), "leaf1", "202411", "202511"),
    ("SR021", _l2vni, "leaf1", "202411", "202505"),
    ("SR021", _l3vni, "leaf1", "202605", "202605"),
    ("SR022", _l3vni, "leaf1", "202605", "202605"),
]


@pytest.mark.parametrize(("rule", "change", "switch", "release", "word"), REFUSED)
def test_what_cannot_be_is_refused(
    rule: str, change: Any, switch: str, release: str, word: str, tmp_path: Path
) -> None:
    view = fabrics.view_of(_changed(change), tmp_path)
    refused = [issue for issue in build.render(view, switch, build.Options(release)).refused if issue.rule == rule]
    assert refused
    assert any(word in f"{issue.message} {issue.hint}" for issue in refused)
    assert all(issue.switch == switch and release in issue.releases for issue in refused)


def test_every_refusal_has_a_case() -> None:
    """SR002, SR003, SR007 and SR023 are warnings, SR011 and SR013 are cases of test_render_separation."""
    source = "".join(path.read_text(encoding="utf-8") for path in Path(build.__file__).parent.glob("*.py"))
    rules = {f"SR{number:03d}" for number in range(100) if f'"SR{number:03d}"' in source}
    assert rules - {rule for rule, *_rest in REFUSED} == {"SR002", "SR003", "SR007", "SR011", "SR013", "SR023"}


def test_an_instance_on_two_switches_passes_with_a_vni_or_a_link_of_its_own(tmp_path: Path) -> None:
    document = _changed(_instance_on_two)

    def rules(name: str) -> set[str]:
        options = build.Options(unmodelled=True)
        return {issue.rule for issue in build.render(fabrics.view_of(document, tmp_path), name, options).refused}

    assert rules("leaf1") == rules("leaf2") == {"SR017"}
    document["vrfs"]["blue"] = {"vni": 50100, "vlan": 3100}
    assert rules("leaf1") == rules("leaf2") == set()
    document["vrfs"]["blue"] = {}
    part = {"VLAN_SUB_INTERFACE": {"Ethernet48.10": {"vlan": "10", "vrf_name": "VrfBlue"}}}
    document["roles"]["leaf"]["config_db"] = {**part, "BGP_NEIGHBOR": {"VrfBlue|Ethernet48.10": {"asn": "65000"}}}
    assert rules("leaf1") == rules("leaf2") == set()


def test_a_vlan_belongs_to_the_network_that_is_on_the_switch(tmp_path: Path) -> None:
    document = _changed(_one_vlan_twice)
    document["networks"]["red-vlan"] |= {"environment": "net", "routers": ["oob1"]}
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    assert config["VLAN"]["Vlan9"]["description"] == "blue-vlan"
    assert set(config["VLAN_INTERFACE"]) == {"Vlan9", "Vlan9|10.9.2.1/24"}


def test_a_vlan_with_a_vni_is_stretched_where_the_release_can(tmp_path: Path) -> None:
    document = _changed(_l2vni)
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    assert config["VXLAN_TUNNEL"] == {"vtep": {"src_ip": "10.1.0.21"}}
    assert config["VXLAN_TUNNEL_MAP"] == {"vtep|map_10009_Vlan9": {"vlan": "Vlan9", "vni": "10009"}}
    assert config["BGP_GLOBALS_AF"]["default|l2vpn_evpn"] == {"advertise-all-vni": "true"}
    assert config["BGP_PEER_GROUP_AF"]["default|fabric|l2vpn_evpn"]["admin_status"] == "up"
    assert "default|Ethernet0" not in config["BGP_NEIGHBOR"], "a port is routed or switched"
    spine = fabrics.configs(fabrics.view_of(document, tmp_path))["spine1"]
    assert "VXLAN_TUNNEL" not in spine
    assert spine["BGP_PEER_GROUP_AF"]["default|fabric|l2vpn_evpn"]["unchanged_nexthop"] == "true"


def test_an_l3vni_is_rendered_when_asked_for(tmp_path: Path) -> None:
    view = fabrics.view_of(_changed(_l3vni), tmp_path)
    rendered = build.render(view, "leaf1", build.Options(unmodelled=True))
    assert rendered.refused == ()
    assert {issue.rule for issue in rendered.issues} == {"SR021", "SR022"}
    config = rendered.config
    assert config["VRF"] == {"VrfBlue": {"vni": "50100"}}
    assert config["VLAN_INTERFACE"]["Vlan3100"] == {"vrf_name": "VrfBlue"}
    assert config["VXLAN_TUNNEL_MAP"]["vtep|map_50100_Vlan3100"] == {"vlan": "Vlan3100", "vni": "50100"}
    routes = config["BGP_GLOBALS_AF"]["VrfBlue|l2vpn_evpn"]
    assert (routes["route-distinguisher"], routes["import-rts"]) == ("10.1.0.21:50100", routes["export-rts"])
    assert config["INTERFACE"]["Ethernet1"]["vrf_name"] == "VrfBlue"


def test_ports_are_broken_out(tmp_path: Path) -> None:
    document = fabrics.document()
    document["switches"]["leaf1"]["breakout"] = {"Ethernet52": "4x25G", "Ethernet56": "2x50G"}
    document["cables"][1]["a"] = "leaf1/Ethernet53"
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    ports = {name: (row["lanes"], row["speed"]) for name, row in config["PORT"].items()}
    assert [ports[f"Ethernet{number}"] for number in (52, 53, 54, 55)] == [
        ("85", "25000"),
        ("86", "25000"),
        ("87", "25000"),
        ("88", "25000"),
    ]
    assert [ports[f"Ethernet{number}"] for number in (56, 58)] == [("93,94", "50000"), ("95,96", "50000")]
    assert config["PORT"]["Ethernet53"]["description"] == "red1:nic0"
    assert "default|Ethernet53" in config["BGP_NEIGHBOR"]


def test_a_name_that_sonic_would_not_take_becomes_a_number(tmp_path: Path) -> None:
    document = fabrics.document()
    document["cables"][1]["lag"] = "bond0"
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    (name,) = config["PORTCHANNEL"]
    assert 1001 <= int(name.removeprefix("PortChannel")) <= 9999
    assert config["PORTCHANNEL_MEMBER"] == {f"{name}|Ethernet0": {}}
    assert config["PORTCHANNEL_INTERFACE"][name] == {"ipv6_use_link_local_only": "enable"}
    assert "Ethernet0" not in config["INTERFACE"]


def test_equal_as_numbers_make_internal_sessions(tmp_path: Path) -> None:
    document = fabrics.document()
    document["asn_schemes"]["one"] = {"kind": "explicit", "shared": True}
    for role, switch in (("leaf", "leaf1"), ("spine", "spine1")):
        document["roles"][role]["asn_scheme"] = "one"
        document["switches"][switch]["asn"] = 65000
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    assert config["BGP_PEER_GROUP"]["default|fabric-internal"]["peer_type"] == "internal"
    assert config["BGP_PEER_GROUP_AF"]["default|fabric-internal|ipv4_unicast"]["nhself"] == "true"


def test_a_hostile_landscape_gives_answers() -> None:
    """No traceback, and nothing in a configuration but texts and lists of texts."""
    with tempfile.TemporaryDirectory() as folder:
        view = fabrics.view_of(json.loads(json.dumps(hostile.landscape(), default=str)), Path(folder))
    for name in view.landscape.switches:
        for table in build.render(view, name, build.Options()).config.values():
            for row in table.values():
                for value in row.values():
                    assert isinstance(value, str) or all(isinstance(item, str) for item in value)


def test_unknown_switch_and_release() -> None:
    view = fabrics.view("fabric")
    with pytest.raises(InputError, match="no switch 'nobody'"):
        build.render(view, "nobody", build.Options())
    with pytest.raises(InputError, match="202605"):
        build.render(view, "leaf1", build.Options("209901"))


def test_only_active_switches_with_a_hwsku_are_rendered(tmp_path: Path) -> None:
    document = fabrics.document()
    document["switches"]["spine1"]["state"] = "planned"
    del document["device_models"]["as4630"]["sonic_hwsku"]
    view = fabrics.view_of(document, tmp_path)
    assert sorted(fabrics.configs(view)) == ["leaf1"]
    assert [one.name for one in build.render_all(view, build.Options(), ["spine1", "leaf1"])] == ["leaf1", "spine1"]
