# SPDX-License-Identifier: Apache-2.0
"""The landscape as an inventory: which hosts, which groups, which variables."""

from __future__ import annotations

import operator
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.inventory import (
    DEFAULT_PREFIXES,
    Options,
    build,
    is_inert,
    options_of,
)

LANDSCAPE = """
version: 1
sites: {s1: {}}
racks: {r01: {site: s1, units: 42}, r.02: {site: s1, units: 42}}
environments: {prod: {}, lab: {protected: false}}
networks:
  mgmt: {purpose: management, v4: 10.0.23.0/24, router_v4: 10.0.23.254}
  nodes: {purpose: loopback, v4: 10.0.21.0/24, v6: 'fd00:1::/64', scheme_v6: embed-v4}
asn_schemes: {scs: {kind: scs}}
roles:
  compute: {kind: server, oob_network: mgmt, loopback_network: nodes, asn_scheme: scs, uplinks_to: [leaf]}
  leaf: {kind: switch, oob_network: mgmt}
  box: {kind: other, oob_network: mgmt}
device_models:
  node:
    part_number: H12SSL-NT
    kind: server
    ports:
      - {names: [MGMT], use: bmc, speed: 1G, connector: rj45}
      - {names: ['eth{0..2}'], speed: 25G, connector: sfp28}
  edge-sw:
    kind: switch
    ports:
      - {names: [eth0], use: management, speed: 1G, connector: rj45}
      - {names: ['Ethernet{0..47}'], speed: 100G, connector: qsfp28}
hosts:
  n1:
    {model: node, role: compute, environment: prod, rack: r01, unit: 9, index: 25, serial: X1, console: usb1,
     macs: {MGMT: '3c:ec:ef:9f:e2:40'}, power: {Top: A}, description: First, vars: {internal_interface: bond0, own: [1, x]}}
  n2: {model: node, role: compute, environment: lab, rack: r.02, index: 26}
  n10: {model: node, role: compute, environment: lab, state: planned, index: 27, groups: [future]}
  b1: {model: missing, role: box, environment: nowhere, index: 30}
switches:
  l1: {model: edge-sw, role: leaf, environment: prod, index: 107, asn: 65404, console: usb2, macs: {eth0: 'd0:77:ce:4b:b4:7a'}}
  l2: {model: edge-sw, role: leaf, environment: prod, index: 108, loopback_v4: 10.0.20.2}
cables:
  - {a: l1/Ethernet0, b: n1/eth0}
  - {a: l2/Ethernet0, b: n1/eth1, state: deactivated, speed: 10G}
  - {a: n1/eth2, b: n2/eth2}
groups:
  ceph-control: {roles: [compute]}
  ceph-rgw: {children: [ceph-control]}
  empty: {}
"""


@pytest.fixture
def view_of(tmp_path):
    """Return a function that resolves a landscape written as text."""

    def resolve(text):
        file = tmp_path / "landscape.yml"
        file.write_text(text, encoding="utf-8")
        return derive.resolve(client.load([str(file)])[0])

    return resolve


@pytest.fixture
def view(view_of):
    return view_of(LANDSCAPE)


@pytest.fixture
def lab(repo):
    return derive.resolve(client.load([str(repo / "examples/scs-lab")])[0])


@pytest.mark.accept("F1.6")
def test_the_lab_equals_its_own_inventory_but_for_the_listed_differences(lab, repo):
    fixtures = repo / "tests/unit/fixtures/scs-lab-inventory"
    expected = yaml.safe_load((fixtures / "lab.yml").read_text("utf-8"))
    listed = yaml.safe_load((fixtures / "differences.yml").read_text("utf-8"))["differences"]
    ours = build(lab)
    found = []
    for host, variables in expected["hosts"].items():
        if host not in ours.hosts:
            found.append((host, "", "a host", None))
        else:
            values = ours.hosts[host]
            found += [(host, n, want, values.get(n)) for n, want in variables.items() if values.get(n) != want]
    for group, content in expected["groups"].items():
        if group not in ours.groups:
            found.append((group, "", "a group", None))
            continue
        assert set(ours.groups[group]) == set(content.get("hosts", [])), group
        assert ours.children.get(group, []) == content.get("children", []), group
    assert set(ours.hosts) <= set(expected["hosts"])
    assert all(entry["reason"] for entry in listed)
    key = operator.itemgetter(0, 1)
    assert sorted(found, key=key) == sorted(
        ((entry["object"], entry["variable"], entry["lab"], entry["ours"]) for entry in listed), key=key
    )
    compared = sum(len(variables) for variables in expected["hosts"].values())
    assert compared == 21 * 10 + 12 * 6, "the expectation itself has shrunk"


def test_variables_of_a_server(view):
    assert build(view).hosts["n1"] == {
        "ansible_host": "10.0.21.25",
        "device_model": "H12SSL-NT",
        "mgmt_address": "10.0.23.25",
        "mgmt_mac": "3c:ec:ef:9f:e2:40",
        "serial_device": "usb1",
        "internal_interface": "bond0",
        "network_interface": "dummy0",
        "internal_address": "10.0.21.25",
        "frr_local_as": 4210021025,
        "frr_loopback_v4": "10.0.21.25",
        "frr_loopback_v6": "fd00:1::10:0:21:25",
        "frr_uplinks": [{"interface": "eth0", "remote_as": 65404}],
        "own": [1, "x"],
        "landscape_site": "s1",
        "landscape_rack": "r01",
        "landscape_unit": 9,
        "landscape_role": "compute",
        "landscape_environment": "prod",
        "landscape_protected": True,
        "landscape_model": "node",
        "landscape_serial": "X1",
        "landscape_state": "active",
        "landscape_index": 25,
        "landscape_description": "First",
        "landscape_asn": 4210021025,
        "landscape_loopback_v4": "10.0.21.25",
        "landscape_loopback_v6": "fd00:1::10:0:21:25",
        "landscape_power": {"Top": "A"},
        "landscape_oob": {
            "address": "10.0.23.25",
            "mac": "3c:ec:ef:9f:e2:40",
            "port": "MGMT",
            "network": "mgmt",
            "gateway": "10.0.23.254",
            "prefix": 24,
        },
        "landscape_dhcp": {
            "address": "10.0.23.25",
            "mac": "3c:ec:ef:9f:e2:40",
            "hostname": "n1",
            "network": "mgmt",
        },
        "landscape_links": [
            {"port": "eth0", "peer": "l1", "peer_port": "Ethernet0", "state": "active", "speed": "25G"},
            {"port": "eth1", "peer": "l2", "peer_port": "Ethernet0", "state": "deactivated", "speed": "10G"},
            {"port": "eth2", "peer": "n2", "peer_port": "eth2", "state": "active", "speed": "25G"},
        ],
        "landscape_neighbors": [
            {"interface": "eth0", "peer": "l1", "remote_asn": 65404},
            {"interface": "eth2", "peer": "n2", "remote_asn": 4210021026},
        ],
    }


def test_variables_of_switches(view):
    hosts = build(view).hosts
    leaf = {name: hosts["l1"].get(name) for name in ("ansible_host", "device_model", "bgp_asn", "serial_device")}
    assert leaf == {"ansible_host": "10.0.23.107", "device_model": "edge-sw", "bgp_asn": 65404, "serial_device": "usb2"}
    assert hosts["l2"]["ansible_host"] == "10.0.23.108", "a switch is reached by its management address"
    assert not {"bgp_asn", "frr_local_as", "internal_interface", "mgmt_mac", "landscape_dhcp"} & set(hosts["l2"])


def test_a_device_of_which_little_is_known_is_protected_and_reached_by_its_management_address(view):
    assert build(view).hosts["b1"] == {
        "ansible_host": "10.0.23.30",
        "mgmt_address": "10.0.23.30",
        "landscape_role": "box",
        "landscape_environment": "nowhere",
        "landscape_protected": True,
        "landscape_model": "missing",
        "landscape_state": "active",
        "landscape_index": 30,
        "landscape_power": {},
        "landscape_oob": {"address": "10.0.23.30", "network": "mgmt", "gateway": "10.0.23.254", "prefix": 24},
        "landscape_links": [],
        "landscape_neighbors": [],
    }


def test_only_what_is_asked_for(view):
    bare = build(view, Options(osism=False, own=False, group_by={}))
    assert bare.hosts["n1"] == {"ansible_host": "10.0.21.25", "internal_interface": "bond0", "own": [1, "x"]}
    assert bare.groups == {"ceph-control": ["n1", "n2"], "ceph-rgw": [], "empty": []}
    assert "landscape_role" not in build(view, Options(own=False)).hosts["n1"]
    assert "mgmt_address" not in build(view, Options(osism=False)).hosts["n1"]


def test_states(view):
    assert list(build(view).hosts) == ["b1", "l1", "l2", "n1", "n2"]
    planned = build(view, Options(states=("planned",)))
    assert list(planned.hosts) == ["n10"]
    assert planned.groups["future"] == ["n10"]
    assert planned.groups["ceph-control"] == [], "what is not there yet joins groups by name only"


def test_groups_of_what_devices_state(view):
    groups = build(view).groups
    assert {name: groups[name] for name in ("site_s1", "rack_r01", "rack_r_02", "role_compute", "model_edge_sw")} == {
        "site_s1": ["n1", "n2"],
        "rack_r01": ["n1"],
        "rack_r_02": ["n2"],
        "role_compute": ["n1", "n2"],
        "model_edge_sw": ["l1", "l2"],
    }
    dashes = build(view, Options(group_by={"model": "", "rack": "in-"}, keep_dashes=True)).groups
    assert {"edge-sw", "in-r_02"} <= set(dashes)
    assert list(groups) == sorted(groups, key=str), "groups come in the order of their names"


def test_children_and_circles(view_of):
    text = LANDSCAPE + "  a: {children: [b, nobody]}\n  b: {children: [c]}\n  c: {children: [a, c]}\n"
    inventory = build(view_of(text))
    assert inventory.children == {"a": ["b"], "b": ["c"], "ceph-rgw": ["ceph-control"]}
    assert inventory.refused == [
        "the group a was not made a child of c: c already belongs to a",
        "the group c was not made a child of c: c already belongs to c",
    ]


def test_names_of_ansible_itself_are_refused(view_of):
    text = LANDSCAPE.replace("  b1:", "  localhost:") + "  all: {roles: [leaf]}\n"
    inventory = build(view_of(text))
    assert "localhost" not in inventory.hosts
    assert "all" not in inventory.groups
    assert inventory.refused == [
        "the device localhost was left out: the name belongs to the Ansible controller",
        "the group all is Ansible's own and was left out; give it another name",
    ]


def test_vars_do_not_change_connections_or_hide_the_landscape(view_of):
    evil = "vars: {ansible_connection: local, landscape_protected: false, inventory_hostname: x, mtu: 9000}"
    view = view_of(LANDSCAPE.replace("vars: {internal_interface: bond0, own: [1, x]}", evil))
    inventory = build(view)
    host = inventory.hosts["n1"]
    assert host["mtu"] == 9000
    assert host["landscape_protected"] is True
    assert not {"ansible_connection", "inventory_hostname"} & set(host)
    assert [text.partition(" was left out")[0] for text in inventory.refused] == [
        "the variable ansible_connection of n1",
        "the variable landscape_protected of n1",
        "the variable inventory_hostname of n1",
    ]
    permitted = build(view, Options(connection_vars=True))
    assert permitted.hosts["n1"]["ansible_connection"] == "local"
    assert permitted.hosts["n1"]["landscape_protected"] is True
    assert len(permitted.refused) == 2


def test_same_landscape_same_inventory(view_of):
    assert build(view_of(LANDSCAPE)) == build(view_of(LANDSCAPE))


PARAMS = SimpleNamespace(
    states=["active"],
    group_by=dict(DEFAULT_PREFIXES),
    group_names="valid",
    osism_vars=True,
    landscape_vars=True,
    connection_vars=False,
)


def test_options_of_a_plugin():
    assert options_of(vars(PARAMS)) == Options()
    changed = {**vars(PARAMS), "group_by": {"role": None, "rack": "in_"}, "group_names": "dashes"}
    assert options_of(changed) == Options(group_by={"role": "", "rack": "in_"}, keep_dashes=True)
    assert options_of({**vars(PARAMS), "group_by": None}).group_by == {}


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        ({"rol": "x"}, "group_by does not know 'rol'. did you mean role?"),
        ({"colour": ""}, "It knows site, rack, role, environment, model, state"),
        ({"role": 5}, "The prefix of group_by role is 5, not a text"),
        (["role"], "group_by is a list"),
    ],
)
def test_options_that_cannot_be(group_by, message):
    with pytest.raises(InputError) as caught:
        options_of({**vars(PARAMS), "group_by": group_by})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "st01-comp-r01-u09", "fd0c::1/64", "3c:ec:ef:9f:e2:40", "Ethernet1/1", "a b, c; 5"]
)
def test_names_and_addresses_are_inert(text):
    assert is_inert(text)


@pytest.mark.parametrize(
    "text", ["{{ x }}", "{% x %}", "f(x)", "a|b", "'a'", '"a"', "a[0]", "$(x)", "`x`", "a\nb", "ä"]
)
def test_everything_else_is_not(text):
    assert not is_inert(text)
