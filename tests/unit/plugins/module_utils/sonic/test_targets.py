# SPDX-License-Identifier: Apache-2.0
"""Where a change leads: what is kept, what goes, and references that would lead nowhere."""

from __future__ import annotations

import ast
import copy
import random
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff, fleet, numbering, plan, tables, targets
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build, owned
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing, fabrics, golden

SECRETS = {"snmp_communities": ["canary"], "tacacs_passkey": "canary"}


def with_peering():
    """The smallest fabric with one session to the outside, the only one that has rows for a neighbour's families."""
    document = fabrics.document()
    document["networks"]["transfer"] = {"purpose": "transfer", "v4": "203.0.113.0/31"}
    session = {"switch": "leaf1", "port": "Ethernet52", "network": "transfer", "asn": 64496, "announces": ["red"]}
    document["peerings"] = {"out": {**session, "local_v4": "203.0.113.1", "remote_v4": "203.0.113.0"}}
    return document


def blocking(before, after):
    made = plan.plan_switch("leaf1", before, after, changing.RELEASE)
    return [item.path for item in made.obstacles if item.blocks == "all"]


@pytest.mark.accept("S1.5")
def test_the_last_peering_leaves_nothing_behind(tmp_path):
    old = fabrics.configs(fabrics.view_of(with_peering(), tmp_path))["leaf1"]
    rendered = build.render(fabrics.view_of(fabrics.document(), tmp_path), "leaf1", build.Options())
    operators = {"CRM": {"Config": {"polling_interval": "300"}}, "STATIC_ROUTE": {"default|0.0.0.0/0": {}}}
    assert set(old) - set(rendered.config) == {"BGP_NEIGHBOR_AF", "BGP_GLOBALS_AF_AGGREGATE_ADDR"}
    target = targets.wanted({**old, **operators}, rendered.config, rendered.owned)
    assert target == {**rendered.config, **operators}
    assert list(targets.unmet(target)) == []
    naive = targets.wanted(old, rendered.config)
    assert blocking(old, naive) == [
        "BGP_NEIGHBOR_AF|default|203.0.113.0|ipv4_unicast neighbor",
        "BGP_NEIGHBOR_AF|default|203.0.113.0|ipv4_unicast route_map_in",
        "BGP_NEIGHBOR_AF|default|203.0.113.0|ipv4_unicast route_map_out",
    ]


def test_an_unmet_reference_says_table_key_field_and_what_is_missing():
    port = {"PORT": {"Ethernet0": {"lanes": "1"}}}
    acl = {"ACL_TABLE": {"T": {"type": "L3", "ports": ["Ethernet0", "Ethernet4"]}}}
    made = plan.plan_switch("leaf1", port, {**port, **acl}, changing.RELEASE)
    (obstacle,) = made.obstacles
    assert (obstacle.path, obstacle.blocks) == ("ACL_TABLE|T ports", "all")
    assert "PORT|Ethernet4" in obstacle.reason
    assert "PORT|Ethernet4" in obstacle.needs


DANGLING = {
    "list field": ({"ACL_TABLE": {"T": {"ports": ["Ethernet7"]}}}, "ports", ("PORT|Ethernet7",)),
    "key part": (
        {"VLAN_MEMBER": {"Vlan5|Ethernet0": {}}, "PORT": {"Ethernet0": {}}},
        "name",
        ("VLAN|Vlan5",),
    ),
    "part of the own table": ({"INTERFACE": {"Ethernet0|192.0.2.1/31": {}}, "PORT": {"Ethernet0": {}}}, "name", ()),
    "routing instance beside default": (
        {"BGP_GLOBALS": {"VrfX": {}, "default": {}}},
        "vrf_name",
        ("VRF|VrfX",),
    ),
    "plain text in the models": (
        {"VXLAN_TUNNEL": {"vtep": {}}, "VXLAN_TUNNEL_MAP": {"vtep|m": {"vlan": "Vlan9", "vni": "9"}}},
        "vlan",
        ("VLAN|Vlan9",),
    ),
    "needed by a daemon": ({"ROUTE_MAP": {"M|10": {"route_operation": "permit"}}}, "name", ("ROUTE_MAP_SET|M",)),
    "unnumbered neighbour": (
        {
            "BGP_GLOBALS": {"default": {}},
            "BGP_NEIGHBOR": {"default|Ethernet0": {}, "default|192.0.2.1": {}},
            "PORT": {"Ethernet0": {}},
        },
        "neighbor",
        ("INTERFACE|Ethernet0", "PORTCHANNEL_INTERFACE|Ethernet0", "VLAN_INTERFACE|Ethernet0"),
    ),
}


@pytest.mark.parametrize("case", sorted(DANGLING))
def test_what_leads_nowhere_is_seen(case):
    config, field, missing = DANGLING[case]
    (gap,) = targets.unmet(config)
    assert gap.field == field
    assert gap.missing == (missing or ("INTERFACE|Ethernet0",))


@pytest.mark.parametrize("name", golden.SWITCHES)
def test_golden_configurations_refer_to_nothing_that_is_missing(name):
    assert list(targets.unmet(golden.config(name))) == []


def test_tables_of_daemons_are_not_judged():
    config = {"BUFFER_PG": {"Ethernet0|0": {"profile": "NULL"}}}
    assert [gap.table for gap in targets.unmet(config)] == ["BUFFER_PG"]
    assert list(targets.unmet(config, plan.RUNTIME_OWNED)) == []


@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("name", golden.BACKUPS)
def test_from_the_backups_of_the_lab_to_its_landscape(name):
    """What the landscape speaks for goes, what the operator added stays, nothing dangles, and the models agree."""
    sides = (fleet.Side([str(golden.path_of(name))], []), fleet.Side([], [str(fabrics.REPO / "examples" / "scs-lab")]))
    compared = fleet.compare(*sides, [], fleet.Rendering())
    ((_name, (before, target)),) = compared.targets().items()
    rendered = compared.pairs[name][1]
    assert set(rendered) <= set(target) <= set(rendered) | (set(before) - owned.FABRIC)
    assert list(targets.unmet(target, plan.RUNTIME_OWNED)) == []
    enterprise = name == "st01-sw25g-r01-u34"
    assert blocking(before, target) == (["DEVICE_METADATA|localhost"] if enterprise else [])
    with changing.judge() as judge:
        faults = judge.faults(target)
    assert {(table, field) for table, _key, field in faults} == ({("FEATURE", "has_timer")} if enterprise else set())


def test_between_two_landscapes_nothing_of_the_fabric_is_kept(tmp_path):
    sides = []
    for name, document in (("one", with_peering()), ("two", fabrics.document())):
        (tmp_path / name).mkdir()
        fabrics.view_of({**document}, tmp_path / name)
        sides.append(fleet.Side([], [str(tmp_path / name)]))
    compared = fleet.compare(*sides, [], fleet.Rendering(on_finding="ignore"))
    assert compared.targets() == compared.pairs
    assert "BGP_NEIGHBOR_AF" in compared.pairs["leaf1"][0]
    assert "BGP_NEIGHBOR_AF" not in compared.targets()["leaf1"][1]


@pytest.mark.accept("S1.3")
def test_what_the_renderer_writes_is_what_it_speaks_for():
    said = owned.FABRIC | owned.SERVICES | owned.ACCESS
    assert len(said) == len(owned.FABRIC) + len(owned.SERVICES) + len(owned.ACCESS)
    written = set()
    for name in fabrics.LANDSCAPES:
        for one in build.render_all(fabrics.view(name), build.Options(secrets=SECRETS)):
            written |= set(one.config)
    source = Path(owned.__file__).parent
    named = {
        node.value
        for path in source.glob("*.py")
        if path.name not in ("owned.py", "releases.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in tables.TABLES
    }
    assert named <= said
    assert said - named == set()
    assert written - said <= {"BANNER_MESSAGE", "SSH_SERVER"}, "rows that a landscape adds in config_db"


def test_services_and_access_are_taken_away_only_where_the_landscape_speaks_of_them(tmp_path):
    document = fabrics.document()
    before = {name: {"x": {}} for name in owned.FABRIC | owned.SERVICES | owned.ACCESS}

    def gone(**more):
        one = build.render(fabrics.view_of({**document, **more}, tmp_path), "leaf1", build.Options())
        return {name for name in before if name not in targets.wanted(before, one.config, one.owned)}

    without = gone()
    assert not without & (owned.SERVICES | owned.ACCESS - {"MGMT_VRF_CONFIG"})
    assert "PORTCHANNEL" in without
    assert gone(services={"ntp_servers": ["192.0.2.9"]}) - without == {"DNS_NAMESERVER", "SNMP", "SYSLOG_SERVER"}
    document["switches"]["leaf1"]["config_db"] = {"CRM": None}
    before["CRM"] = {"Config": {}}
    assert "CRM" in gone()


def broken_out(folder):
    """A port that is split into four, and back: what the landscape renders for both."""
    document = fabrics.document()
    one = build.render(fabrics.view_of(document, folder), "spine1", build.Options())
    document["switches"]["spine1"]["breakout"] = {"Ethernet20": "4x25G"}
    return fabrics.configs(fabrics.view_of(document, folder))["spine1"], one


@pytest.mark.accept("S1.5")
def test_what_daemons_wrote_for_a_port_goes_with_it(tmp_path):
    split, one = broken_out(tmp_path)
    before = {
        **split,
        "BUFFER_POOL": {"pool": {"mode": "dynamic", "type": "ingress", "size": "1"}},
        "BUFFER_PROFILE": {"p": {"pool": "pool", "size": "0", "dynamic_th": "3"}},
        "BUFFER_PG": {"Ethernet21|0": {"profile": "p"}, "Ethernet0|0": {"profile": "p"}},
        "BUFFER_QUEUE": {"Ethernet0,Ethernet21|0-2": {"profile": "p"}, "Ethernet22|3": {"profile": "p"}},
        "CABLE_LENGTH": {"AZURE": {"Ethernet20": "5m", "Ethernet21": "5m", "Ethernet22": "40m"}},
        "PFC_WD": {"GLOBAL": {"POLL_INTERVAL": "200"}, "Ethernet23": {"action": "drop"}},
    }
    target = targets.wanted(before, one.config, one.owned)
    made = plan.plan_switch("spine1", before, target, changing.RELEASE)
    assert [item for item in made.obstacles if item.blocks == "all"] == []
    done = [(step.action, step.name) for step in made.changes]
    others = [step for step in done if not step[1].startswith("PORT|")]
    assert sorted(others) == [
        ("create", "BUFFER_QUEUE|Ethernet0|0-2"),
        ("delete", "BUFFER_PG|Ethernet21|0"),
        ("delete", "BUFFER_QUEUE|Ethernet0,Ethernet21|0-2"),
        ("delete", "BUFFER_QUEUE|Ethernet22|3"),
        ("delete", "PFC_WD|Ethernet23"),
        *[("update", "CABLE_LENGTH|AZURE")]
        * 2,  # the port that stays is made again with other lanes, and its length with it
    ]
    rows = diff.rows_of(before)
    for step in made.changes:
        diff.advance(rows, step)
        assert list(targets.unmet(diff.config_of(rows))) == [], step
    assert rows["CABLE_LENGTH", "AZURE"] == {"Ethernet20": "5m"}
    assert ("BUFFER_PG", "Ethernet0|0") in rows
    with changing.judge() as judge:
        assert judge.faults(diff.config_of(rows)) == set()


def test_a_length_for_a_port_that_is_not_there_is_seen():
    config = {"PORT": {"Ethernet0": {"lanes": "1"}}, "CABLE_LENGTH": {"AZURE": {"Ethernet0": "5m", "Ethernet4": "5m"}}}
    assert [(gap.key, gap.field, gap.missing) for gap in targets.unmet(config)] == [
        ("AZURE", "Ethernet4", ("PORT|Ethernet4",))
    ]


def test_speeds_come_from_the_port_map_and_from_who_is_told():
    config = changing.change("7b-port-speed-not-supported")[0]
    assert targets.speeds(config)["Ethernet48"] == ("40000", "50000", "100000")
    told = {"Ethernet48": [100000], "Ethernet52": "40000,100000"}
    assert targets.speeds(config, told)["Ethernet48"] == ("100000",)
    assert targets.speeds(config, told)["Ethernet52"] == ("40000", "100000")
    config["PORT"]["Ethernet52"]["lanes"] = "1"
    assert "Ethernet52" not in targets.speeds(config)
    assert targets.speeds({}) == {}
    with pytest.raises(InputError):
        targets.speeds({}, ["100000"])


EDITS = {
    "host": lambda d, r: d["hosts"].pop(r.choice(list(d["hosts"])), None) and _drop_cables(d),
    "cable": lambda d, r: d["cables"].pop(r.randrange(len(d["cables"]))),
    "peering": lambda d, r: d.update(with_peering_of(d)),
    "no peering": lambda d, r: d.pop("peerings", None),
    "separated": lambda d, r: d["environments"]["red"].update(separated=r.random() < 0.5),
    "instance": lambda d, r: d["environments"]["blue"].update(vrf="blue"),
    "bridge": lambda d, r: _bridge(d),
    "breakout": lambda d, r: _broken_out(d),
    "aggregation": lambda d, r: _aggregated(d),
    "speed": lambda d, r: [
        c.update(speed=r.choice(["40G", "100G"])) for c in d["cables"] if c["a"] == "leaf1/Ethernet48"
    ],
    "loopback": lambda d, r: d["switches"]["leaf1"].update(index=r.randint(21, 29)),
}
_TENANTS = {"purpose": "internal", "v4": "10.9.0.0/24", "router_v4": "10.9.0.1", "vlan": 9, "vni": 10009}


def _drop_cables(document):
    known = {*document["hosts"], *document["switches"]}
    document["cables"] = [
        cable for cable in document["cables"] if all(cable[end].split("/")[0] in known for end in ("a", "b"))
    ]


def with_peering_of(document):
    made = with_peering()
    document["networks"]["transfer"] = made["networks"]["transfer"]
    return {"peerings": made["peerings"]}


def _bridge(document):
    document["networks"]["tenants"] = {**_TENANTS, "routers": ["leaf1"]}
    for cable in document["cables"]:
        if cable["a"].startswith("leaf1/Ethernet0"):
            cable["networks"] = ["tenants"]


def _broken_out(document):
    document["switches"]["leaf1"]["breakout"] = {"Ethernet56": "4x25G"}
    document["hosts"]["blue2"] = (
        {**document["hosts"]["blue1"], "index": 2}
        if "blue1" in document["hosts"]
        else {"model": "box", "role": "blue", "environment": "blue", "index": 2}
    )
    document["cables"].append({"a": "leaf1/Ethernet57", "b": "blue2/nic0"})


def _aggregated(document):
    document["hosts"]["red9"] = {"model": "box", "role": "red", "environment": "red", "index": 9}
    for number in (0, 1):
        document["cables"].append({"a": f"leaf1/Ethernet{8 + number}", "b": f"red9/nic{number}", "lag": "bond0"})


@pytest.mark.slow
@pytest.mark.accept("S1.5")
@pytest.mark.parametrize("draw", range(25))
def test_any_edit_of_a_landscape_leads_to_exactly_what_is_rendered(draw, seed, tmp_path):
    """Over an operator's rows: owned tables become what is rendered, no step leaves a reference that leads nowhere."""
    source = random.Random(f"{seed} edits {draw}")
    document = {**fabrics.document(), "vrfs": {"blue": {}}}
    earlier = _edited(document, source)
    later = _edited(earlier if source.random() < 0.5 else document, source)
    operators = {"CRM": {"Config": {"polling_interval": "300"}}, "LLDP_PORT": {"Ethernet2": {"enabled": "true"}}}
    before = {**_rendered(earlier, tmp_path).config, **operators}
    wanted = _rendered(later, tmp_path)
    target = targets.wanted(before, wanted.config, wanted.owned)
    assert {name: rows for name, rows in target.items() if name not in operators} == wanted.config
    made = plan.plan_switch("leaf1", before, target, changing.RELEASE)
    assert [item for item in made.obstacles if item.blocks == "all"] == []
    rows = diff.rows_of(before)
    for step in made.changes:
        diff.advance(rows, step)
        assert list(targets.unmet(diff.config_of(rows))) == [], step
    left_out = set(plan.RUNTIME_OWNED)
    reached = {place: row for place, row in rows.items() if place[0] not in left_out}
    meant = diff.rows_of(numbering.kept(before, target))
    assert reached == {place: row for place, row in meant.items() if place[0] not in left_out}


def _edited(document, source):
    made = copy.deepcopy(document)
    for name in source.sample(sorted(EDITS), source.randint(1, 4)):
        EDITS[name](made, source)
    return made


def _rendered(document, folder):
    one = build.render(fabrics.view_of(document, folder), "leaf1", build.Options(unmodelled=True))
    assert one.refused == ()
    return one
