# SPDX-License-Identifier: Apache-2.0
"""NetBox: answers of its API in two versions, data of netbox-manager, and the way there and back without a loss."""

from __future__ import annotations

import json
import random

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import client as imports_client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import (
    emit,
    netbox,
    netbox_types,
    plain,
    settings,
)
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render import netbox as renderer
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.landscape.imports import scs_lab

FIXTURES = scs_lab.REPO / "tests" / "unit" / "fixtures" / "netbox"
NOTHING = settings.settings({}, {}, {})


def exports(version):
    """The answers of one version of NetBox by file name."""
    return {path.name: json.loads(path.read_text()) for path in sorted((FIXTURES / version).glob("*.json"))}


def told(result, kind):
    """Reports of one kind as file, object number, reason."""
    return [(report.file, report.row, report.reason) for report in result.reports if report.kind == kind]


def rendered(landscape):
    """The data for netbox-manager, read again as its files are."""
    files = renderer.files(derive.resolve(landscape))
    return {name: imports_client.parsed(name, text) for name, text in files.items()}


def canonical(landscape):
    """The landscape as data in which the order of cables and their ends does not count."""
    document = plain.document_of(landscape)
    cables = document.pop("cables", [])
    return document, {frozenset((cable["a"], cable["b"])): {**cable, "a": "", "b": ""} for cable in cables}


@pytest.mark.parametrize("version", ["3.7", "4.x"])
def test_answers_of_the_api_become_a_landscape(version):
    result = netbox.from_exports(exports(version), NOTHING)
    document = result.document
    assert settings.shape_findings(document) == []
    assert document["switches"]["leaf-1"] == {
        "model": "edgecore-7726-32x-o-ac-f", "role": "Leaf", "environment": "prod", "rack": "1000", "unit": 40, "index": 201,
        "serial": "EC1", "macs": {"eth0": "aa:bb:cc:00:00:01"}, "origin": "dcim_devices.json:1",
    }  # fmt: skip
    node = document["hosts"]["node-2"]
    assert (node["index"], node["loopback_v4"]) == (12, "192.168.16.99")
    assert document["hosts"]["node-1"]["power"] == {"PSU1": "UPS-A"}
    assert document["hosts"]["node-3"]["state"] == "planned"
    assert document["device_models"]["edgecore-7726-32x-o-ac-f"]["ports"] == [
        {"names": ["eth0"], "use": "management", "speed": "1G", "connector": "rj45"},
        {"names": ["Ethernet{0..124..4}"], "speed": "100G", "connector": "qsfp28"},
    ]
    assert document["networks"]["oob"] == {
        "description": "Out of band",
        "purpose": "management",
        "v4": "172.16.0.0/20",
        "vlan": 100,
    }
    assert document["networks"]["ceph-traffic"]["vrf"] == "storage"
    assert document["roles"]["Leaf"]["oob_network"] == "oob"
    assert document["racks"]["1000"]["feeds"] == ["UPS-A"]
    ends = [(cable["a"], cable["b"], cable.get("lag"), cable.get("state")) for cable in document["cables"]]
    assert ends[0] == ("node-1/eno1", "leaf-1/Ethernet0", "bond0", None)
    assert ends[-1] == ("leaf-1/Ethernet120", "leaf-2/Ethernet120", None, "deactivated")
    assert len(ends) == 5


@pytest.mark.parametrize("version", ["3.7", "4.x"])
def test_every_object_is_used_or_reported(version):
    result = netbox.from_exports(exports(version), NOTHING)
    for counted in result.counts.values():
        assert counted["rows"] == counted["used"] + counted["merged"] + counted["unused"]
    assert [(file, row) for file, row, _reason in told(result, "unused")] == [
        ("ipam_asns.json", 1),
        ("ipam_ip-addresses.json", 9),
        ("dcim_cables.json", 7),
    ]
    assert ("dcim_devices.json", 2, "a landscape has no place for its tags") in told(result, "cell")


def test_both_versions_say_the_same():
    old, new = (netbox.from_exports(exports(version), NOTHING).document for version in ("3.7", "4.x"))
    new["hosts"]["node-1"]["macs"].pop("eno1")  # an object of its own since 4.2
    assert old == new


@pytest.mark.parametrize("shape", ["list", "mapping", "one"])
def test_forms_of_exports(shape):
    devices = exports("4.x")["dcim_devices.json"]["results"]
    data = {
        "list": ("devices.json", devices),
        "mapping": ("all.json", {"dcim/devices": devices}),
        "one": ("x.json", devices[0]),
    }
    name, content = data[shape]
    result = netbox.from_exports({name: content}, NOTHING)
    assert result.counts["total"]["used"] == (1 if shape == "one" else 5)


def test_what_is_no_object_or_of_no_kind_is_reported():
    result = netbox.from_exports({"x.json": [{"name": "a"}, 5, None], "y.json": 7}, NOTHING)
    assert result.counts["total"] == {"rows": 3, "used": 0, "merged": 0, "unused": 3}


@pytest.mark.accept("F1.10")
@pytest.mark.parametrize(
    "source", [scs_lab.EXAMPLE, scs_lab.FIXTURES / "as-documented" / "landscape"], ids=["corrected", "documented"]
)
def test_the_scs_lab_comes_back_from_netbox_without_a_loss(source):
    landscape, _findings = client.load([str(source)])
    result = netbox.from_exports(rendered(landscape), NOTHING)
    assert told(result, "unused") == []
    assert settings.shape_findings(result.document) == []
    before, after = canonical(landscape), canonical(settings.as_landscape(result.document))
    assert after[0] == before[0]
    assert after[1] == before[1]


@pytest.mark.accept("F1.10")
@pytest.mark.parametrize("version", ["3.7", "4.x"])
def test_import_render_import_loses_nothing(version):
    first = settings.as_landscape(netbox.from_exports(exports(version), NOTHING).document)
    again = settings.as_landscape(netbox.from_exports(rendered(first), NOTHING).document)
    assert canonical(again) == canonical(first)


@pytest.mark.accept("F1.10")
def test_what_netbox_refuses_is_listed_and_kept_as_data():
    landscape, _findings = client.load([str(scs_lab.FIXTURES / "as-documented" / "landscape")])
    view = derive.resolve(landscape)
    listed = renderer.warnings(view)
    assert len(listed) == 18
    assert (
        "cables/st01-sw25g-r01-u36/eth0 -- st01-sw1g-r01-u32/Ethernet46 is no cable for NetBox: st01-sw25g-r01-u36 is not known"
        in listed
    )
    tasks = yaml.safe_load(renderer.files(view)["resources/400-cables.yml"])
    ends = [tuple(task["cable"][f"termination_{side}"].values()) for task in tasks for side in "ab"]
    assert len(ends) == len(set(ends)) == 2 * (len(landscape.cables) - 18)
    assert renderer.warnings(derive.resolve(client.load([str(scs_lab.EXAMPLE)])[0])) == []


def odd_landscape():
    """Everything the format can say at once, in words that hurt."""
    hostile = "{{ lookup('pipe', 'id') }} {% raw %} {# x #} '\""
    return settings.as_landscape(
        {
            "version": 1, "title": hostile, "naming": {"pattern": "x.*", "exempt": ["a"]},
            "sites": {"Dc.1": {"description": hostile, "address": "Street", "contact": "me"}},
            "feeds": {"F1": {"site": "Dc.1", "kind": "generator", "description": hostile}},
            "racks": {"R1": {"site": "Dc.1", "units": 42, "feeds": ["F1"], "description": hostile}},
            "device_models": {
                "Model_A": {"kind": "other", "vendor": "V", "height": 0, "psus": ["P1"], "firmware": {"bios": "1.0"}, "ports": [
                    {"names": ["p{1..4}"], "aliases": ["Q{1..4}"], "speed": "1G", "connector": "sfp"},
                    {"names": ["tty0"], "use": "console", "speed": "10M", "connector": "serial"},
                    {"names": ["MGMT"], "use": "bmc", "speed": "1G", "connector": "rj45"},
                ]},
                "model-a": {"kind": "server"}, "model.a": {"kind": "switch", "sonic_hwsku": "X"},
            },
            "asn_schemes": {"s": {"kind": "octets", "prefix": 4200}},
            "networks": {
                "n1": {"purpose": "management", "v4": "10.0.0.0/24", "v6": "fd00::/64", "vlan": 5, "vrf": "red", "environment": "E1",
                       "router_v4": "10.0.0.1", "uplink": True, "description": hostile,
                       "ranges": [{"start": "10.0.0.5", "end": "10.0.0.9", "purpose": "dhcp"}]},
                "n2": {"purpose": "loopback", "v4": "10.1.0.0/16"}, "n3": {"purpose": "lab", "vni": 7, "description": "no prefix"},
                "n4": {"purpose": "storage", "v6": "fd00:1::/64", "scheme_v6": "index", "description": "a: b"},
            },
            "environments": {"E1": {"protected": False, "connects_to": ["e2"], "description": hostile}, "e2": {}},
            "roles": {
                "Role A": {"kind": "server"}, "rA": {"kind": "server", "oob_network": "n1", "loopback_network": "n2", "uplinks": 2},
                "ra": {"kind": "switch", "asn_scheme": "s", "description": hostile}, "r.o": {"kind": "other"},
            },
            "hosts": {
                "h1": {"model": "Model_A", "role": "rA", "environment": "E1", "rack": "R1", "unit": 3, "index": 7, "serial": hostile,
                       "macs": {"MGMT": "02:00:00:00:00:01"}, "power": {"P1": "F1"}, "groups": ["g-1"], "vars": {"x": [1, hostile, None]},
                       "console": "c", "os": "o", "delivered": "2024-01-01", "description": hostile, "origin": "a.csv:1"},
                "h2": {"model": "model-a", "role": "rA", "environment": "e2", "state": "planned", "macs": {"odd": "02:00:00:00:00:02"}},
                "h3": {"model": "gone", "role": "gone", "environment": "gone", "rack": "gone", "unit": 9, "state": "retired",
                       "loopback_v4": "10.9.9.9", "loopback_v6": "fd00::9", "oob_address": "10.0.0.77", "override_reason": "r", "asn": 65000},
                "h4": {"model": "Model_A", "role": "ra", "environment": "E1", "index": 8, "oob_address": "10.0.0.8", "oob_network": "n1"},
            },
            "switches": {"s1": {"model": "model.a", "role": "rA", "environment": "E1", "index": 9}},
            "externals": {"X-1": {"ports": ["a{1..3}"], "description": hostile, "origin": "b.csv:2"}, "X-2": {}},
            "cables": [
                {"a": "h1/p1", "b": "X-1/a1", "speed": "100M", "connector": "rj45", "group": hostile, "description": hostile},
                {"a": "h1/p2", "b": "h4/p2", "state": "deactivated", "lag": "bond0"},
                {"a": "h4/p3", "b": "h1/p3", "state": "planned", "lag": "bond1", "origin": "c.csv:3"},
                {"a": "h1/p1", "b": "h4/p4"}, {"a": "nobody/p1", "b": "h4/p4"}, {"a": "h4/p9", "b": "X-1/a9"}, {"a": "h1/p4", "b": "h1/p4"},
            ],
            "redundancy_groups": {"g": {"kind": "pair", "members": ["h1", "h4"]}},
            "groups": {"g-2": {"roles": ["rA"], "children": ["g-3"]}, "g-3": {"hosts": ["h1"]}},
            "waivers": [{"rule": "C01", "object": "*", "reason": hostile, "expires": "2030-01-01"}],
        }
    )  # fmt: skip


@pytest.mark.accept("F1.10")
def test_everything_the_format_can_say_comes_back():
    landscape = odd_landscape()
    result = netbox.from_exports(rendered(landscape), NOTHING)
    before, after = canonical(landscape), canonical(settings.as_landscape(result.document))
    assert after[0] == before[0]
    assert after[1] == before[1]


def test_no_text_of_a_landscape_is_a_template_for_ansible():
    for name, text in renderer.files(derive.resolve(odd_landscape())).items():
        for opening in ("{{ lookup", "{%", "{#"):
            assert opening not in text.replace("{{ '{' }}", ""), name


def test_guarded_texts_mean_themselves_to_jinja(seed):
    jinja2 = pytest.importorskip("jinja2")
    source = random.Random(seed)
    for _round in range(300):
        text = "".join(
            source.choice(["{", "}", "%", "#", "{{", "}}", "{%", "%}", " x ", "'", "{{ '{' }}"]) for _number in range(8)
        )
        assert jinja2.Environment(autoescape=False).from_string(netbox_types.guarded(text)).render() == text, (
            f"seed {seed}"
        )
        assert netbox_types.unguarded(netbox_types.guarded(text)) == text


def test_tasks_as_people_write_them_for_netbox_manager():
    text = """
- vars: {site: Discworld, rack: "1000"}
- tenant: {name: Testbed, slug: testbed}
- site: {name: "{{ site }}", slug: discworld}
- rack: {name: "{{ rack }}", site: "{{ site }}", u_height: 47}
- device_role: {name: Leaf}
- device:
    name: switch-0
    site: "{{ site }}"
    rack: "{{ rack }}"
    device_type: edgecore-7726-32x-o-ac-f
    device_role: leaf
    position: 27
    tags: [managed-by-osism]
- device_interface: {device: switch-0, name: Loopback0, type: virtual}
- ip_address: {address: 192.168.16.27/32, assigned_object: {name: Loopback0, device: switch-0}}
- device: {name: switch-0, primary_ip4: 192.168.16.27/32}
- custom_field: {name: sonic_parameters, type: json}
- device: {name: "{{ unknown }}", device_type: x, device_role: y}
- cable: broken
"""
    result = netbox.from_exports({"tasks.yml": imports_client.parsed("tasks.yml", text)}, NOTHING)
    device = result.document["switches"]["switch-0"]
    assert (device["rack"], device["unit"], device["loopback_v4"]) == ("1000", 27, "192.168.16.27")
    assert result.counts["total"] == {"rows": 12, "used": 8, "merged": 1, "unused": 3}
    assert [row for _file, row, _reason in told(result, "unused")] == [10, 12, 11]


def test_yaml_that_is_none_is_refused():
    with pytest.raises(InputError, match="is no YAML"):
        imports_client.parsed("x.yml", "a: [")


@pytest.mark.parametrize(
    "residual",
    [
        {"index": "many"}, {"colour": "red"}, {"power": {"P": []}}, {"macs": {"a b": 1}}, {"groups": "x y"}, {"model": None}, {"vars": 5},
        {"section": "hosts", "unit": 99}, {"role": {}},
    ],
)  # fmt: skip
def test_local_context_data_that_is_no_landscape_is_taken_out(residual):
    data = exports("4.x")
    data["dcim_devices.json"]["results"][2]["local_context_data"] = {"landscape": residual}
    result = netbox.from_exports(data, NOTHING)
    assert [str(finding) for finding in settings.shape_findings(result.document)] == []
    assert "node-2" in result.document["hosts"]


@pytest.mark.parametrize(
    "residual",
    [
        {"hosts": 5}, {"roles": {"x": {"kind": "y"}}}, {"cables": [{"a": 1, "b": []}, 7]}, {"naming": []}, {"title": {}}, {"waivers": [{}]},
        {"version": 7}, {"groups": {"a b": {}}}, {"networks": {"oob": {"v4": "x"}}}, [], {"redundancy_groups": {"g": {"kind": "pair", "x": 1}}},
    ],
)  # fmt: skip
def test_config_contexts_that_are_no_landscape_are_taken_out(residual):
    data = exports("4.x")
    data["contexts.json"] = [
        {"url": "/api/extras/config-contexts/1/", "name": "landscape", "data": {"landscape": residual}}
    ]
    result = netbox.from_exports(data, NOTHING)
    assert [str(finding) for finding in settings.shape_findings(result.document)] == []
    assert len(result.document["hosts"]) == 3


VALUES = [
    None,
    "",
    "{{ x }}",
    "../x",
    "x" * 10_000,
    "a\x00",
    -1,
    1.5,
    True,
    [],
    {},
    {"name": "n"},
    {"value": 3},
    ["x"],
    10**30,
    "10.0.0.1/99",
    "é",
]


@pytest.mark.slow
@pytest.mark.accept("F1.11")
def test_broken_objects_end_in_reports(seed):
    source = random.Random(seed)
    for _round in range(60):
        data = exports(source.choice(["3.7", "4.x"]))
        for content in data.values():
            items = content["results"] if isinstance(content, dict) else content
            for item in source.sample(items, min(3, len(items))):
                for key in source.sample(sorted(item), min(4, len(item))):
                    item[key] = source.choice(VALUES)
        result = netbox.from_exports(data, NOTHING)
        assert [str(finding) for finding in settings.shape_findings(result.document)] == [], f"seed {seed}"
        assert "{{ x" not in emit.document(result.document)
        for counted in result.counts.values():
            assert counted["rows"] == counted["used"] + counted["merged"] + counted["unused"]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["e0", "e1", "e2"], ["e{0..2}"]),
        (["e0", "e4", "e8", "x"], ["e{0..8..4}", "x"]),
        (["e0", "e1"], ["e0", "e1"]),
        (["e00", "e01", "e02"], ["e0{0..2}"]),
        (["a1b", "a2b", "a3b"], ["a1b", "a2b", "a3b"]),
        (["e2", "e1", "e0"], ["e2", "e1", "e0"]),
        (["p1", "p2", "p3", "q4", "p5"], ["p{1..3}", "q4", "p5"]),
        ([], []),
    ],
)
def test_ranges_of_names(names, folded):
    assert netbox_types.folded_ranges(names) == folded
    assert derive.expand_all(tuple(folded)) == names
