# SPDX-License-Identifier: Apache-2.0
"""From tables to a landscape: what is joined, derived, made up, refused and reported."""

from __future__ import annotations

import random

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import build, emit, settings, tables

NETWORKS = "name,network,router,vlan,description\nmgmt,10.0.0.0/24,10.0.0.1,VLAN 23,Out of band\n"
DEVICES = "name,model,serial,mgmt ip,mgmt mac,role\n"
CABLES = "source,source_port,destination,destination_port,link_type,connection_group,ident_group,description\n"
BASE = {
    "device_models": {
        "r640": {
            "vendor": "Dell",
            "part_number": "PowerEdge R640",
            "kind": "server",
            "psus": ["A", "B"],
            "ports": [
                {"names": ["iDRAC"], "use": "bmc", "speed": "1G", "connector": "rj45"},
                {"names": ["eno{1..4}"], "speed": "25G", "connector": "sfp28"},
            ],
        }
    },
    "roles": {"node": {"kind": "server", "oob_network": "mgmt", "names": ["n"]}},
    "networks": {"mgmt": {"purpose": "management"}},
}


def made(files, base=None, **told):
    """What the importer makes of texts by file name."""
    read = [table for name, text in files.items() for table in tables.read(name, text)]
    options = settings.settings(
        told.get("mapping", {}), BASE if base is None else base, told.get("defaults", {}), told.get("naming", "")
    )
    return build.from_tables(read, options)


def told(result, kind):
    """Reports of one kind as file, row, reason."""
    return [(report.file, report.row, report.reason) for report in result.reports if report.kind == kind]


def adds_up(result):
    """Whether every row is accounted for, and every unused one reported."""
    unused = [report for report in result.reports if report.kind == "unused"]
    return len(unused) == result.counts["total"]["unused"] and all(
        counted["rows"] == counted["used"] + counted["merged"] + counted["unused"] for counted in result.counts.values()
    )


def test_what_follows_from_the_index_is_not_written():
    result = made(
        {"networks.csv": NETWORKS, "devices.csv": DEVICES + "n1,Dell PowerEdge R640,S1,10.0.0.11,aabb.cc00.0001,node\n"}
    )
    assert result.document["hosts"]["n1"] == {
        "model": "r640",
        "role": "node",
        "environment": "default",
        "serial": "S1",
        "index": 11,
        "macs": {"iDRAC": "aa:bb:cc:00:00:01"},
        "origin": "devices.csv:2",
    }
    assert adds_up(result)


def test_what_does_not_follow_is_written_with_its_origin():
    extra = "name,asn,node_ipv4\nn1,65000,10.1.0.1\n"
    result = made({"networks.csv": NETWORKS, "a.csv": DEVICES + "n1,r640,,10.0.0.11,,node\n", "b.csv": extra})
    host = result.document["hosts"]["n1"]
    assert (host["index"], host["asn"], host["loopback_v4"]) == (11, 65000, "10.1.0.1")
    assert host["origin"] == "a.csv:2, b.csv:2"


def test_tables_that_contradict_each_other_are_told_and_the_first_counts():
    result = made({"a.csv": DEVICES + "n1,r640,S1,,,node\n", "b.csv": DEVICES + "n1,r640,S2,,,\n"})
    assert result.document["hosts"]["n1"]["serial"] == "S1"
    assert told(result, "contradiction") == [("b.csv", 2, "n1: serial is 'S2', but a.csv:2 says 'S1'")]


def test_contradictions_inside_one_row_are_told():
    text = "name,model,role,management_ip,management_ips\nn1,r640,node,10.0.0.1,10.0.0.2\n"
    assert told(made({"a.csv": text}), "contradiction") == [
        ("a.csv", 2, "oob_address is '10.0.0.1' and '10.0.0.2' in one row")
    ]


def test_unknown_models_roles_and_places_are_made_up_and_told():
    text = "name,model,role,rack,unit,mgmt mac\nsw-1,Acme 48,Leaf Switch,A1,40,aa:bb:cc:00:00:01\n"
    cable = CABLES + "sw-1,Ethernet1,sw-1,Ethernet2,SFP28/25G,,,\nsw-1,Ethernet3,sw-1,Ethernet4,,,,\n"
    result = made({"a.csv": text, "cables.csv": cable}, base={})
    assert result.document["switches"]["sw-1"]["role"] == "leaf-switch"
    assert result.document["device_models"]["acme-48"]["ports"] == [
        {"names": ["eth0"], "use": "management", "speed": "1G", "connector": "rj45"},
        {"names": ["Ethernet1", "Ethernet2"], "speed": "25G", "connector": "sfp28"},
    ]
    assert result.document["racks"]["A1"] == {"site": "site", "units": 42}
    notes = " ".join(reason for _file, _row, reason in told(result, "note"))
    for name in (
        "device_models/acme-48",
        "roles/leaf-switch",
        "racks/A1",
        "sites/site",
        "eth0",
        "lacks the port Ethernet3",
    ):
        assert name in notes
    assert settings.shape_findings(result.document) == []


def test_a_device_without_model_is_no_device():
    result = made({"rack.csv": "host,unit\nghost,4\n", "power.csv": "host,psu,feed\nghost,A,x\nnobody,A,x\n"})
    assert "hosts" not in result.document
    assert result.observed["rack.csv"]["devices"] == {"ghost": {"origin": "rack.csv:2"}}
    assert [row for _file, row, _reason in told(result, "unused")] == [3, 2]
    assert adds_up(result)


def test_power_supplies():
    rows = "n1,A,f1\nn1,A,f1\nn1,A,f2\nn1,-,f1\nn1,B,../f\n"
    result = made({"a.csv": DEVICES + "n1,r640,,,,node\n", "power.csv": "host,psu,feed\n" + rows})
    assert result.document["hosts"]["n1"]["power"] == {"A": "f1"}
    assert result.counts["power.csv"] == {"rows": 5, "used": 1, "merged": 1, "unused": 3}


NODES = DEVICES + "n1,r640,,,,node\nn2,r640,,,,node\n"


@pytest.mark.parametrize(
    ("rows", "cables", "unused"),
    [
        (["n1,eno1,n2,eno1,,,,"], [{"a": "n1/eno1", "b": "n2/eno1"}], 0),
        (["n1,eno1,n2,eno1,SFP28/10G,,,"], [{"a": "n1/eno1", "b": "n2/eno1", "speed": "10G"}], 0),
        (["n1,eno1,n2,eno1,QSFP28/25G,,,"], [{"a": "n1/eno1", "b": "n2/eno1", "connector": "qsfp28"}], 0),
        (["n1,eno1,n2,eno1,,,,DEACTIVATED"], [{"a": "n1/eno1", "b": "n2/eno1", "state": "deactivated"}], 0),
        (["n1,eno1,n2,eno1,,,,spare"], [{"a": "n1/eno1", "b": "n2/eno1", "description": "spare"}], 0),
        (["n1,eno1,n1,eno1,,,,"], [], 1),
        (["n1,eno1,,,,,,"], [], 1),
        ([",,n1,eno1,,,,"], [], 1),
        (["n1,../x,n2,eno1,,,,"], [], 1),
        (["n1,Po1,n2,PortChannel1,,,PC1,"], [], 1),
    ],
)
def test_rows_of_cables(rows, cables, unused):
    result = made({"devices.csv": NODES, "cables.csv": CABLES + "\n".join(rows)})
    found = [
        {key: value for key, value in cable.items() if key != "origin"} for cable in result.document.get("cables", [])
    ]
    assert found == cables
    assert result.counts["cables.csv"]["unused"] == unused
    assert adds_up(result)


def test_a_cable_shut_down_at_one_end_is_shut_down_and_told():
    rows = "n1,eno1,n2,eno1,SFP28/25G,,,\nn2,eno1,n1,eno1,SFP28/10G,,,DEACTIVATED\n"
    result = made({"devices.csv": NODES, "cables.csv": CABLES + rows})
    assert result.document["cables"] == [
        {"a": "n1/eno1", "b": "n2/eno1", "state": "deactivated", "origin": "cables.csv:2, cables.csv:3"}
    ]
    assert [reason for _file, _row, reason in told(result, "contradiction")] == [
        "state is deactivated, but cables.csv:2 says active for the same cable",
        "speed is 10G, but cables.csv:2 says 25G for the same cable",
    ]


def test_aggregations_fold_into_their_cables():
    rows = "n1,eno1,n2,eno1,,G,PC1,\nn1,eno2,n2,eno2,,G,PC1,\nn1,bond0,n2,bond0,,G,PC1,\nn1,eno3,n2,eno3,,G,,\n"
    cables = made({"devices.csv": NODES, "cables.csv": CABLES + rows}).document["cables"]
    assert [cable.get("lag") for cable in cables] == ["bond0", "bond0", None]


def test_only_names_that_are_not_ours_become_external():
    rows = "n1,eno1,S1-48,Port37,,,,\nn2,eno1,n99,eno1,,,,\n"
    result = made({"devices.csv": NODES, "cables.csv": CABLES + rows}, naming=r"n\d+")
    assert result.document["externals"] == {"S1-48": {"ports": ["Port37"], "origin": "cables.csv:2"}}


def test_endpoints_in_one_column():
    result = made({"devices.csv": NODES, "cables.csv": "a,b\nn1/eno1,n2:eno1\nn1,n2/eno2\n"})
    assert [(cable["a"], cable["b"]) for cable in result.document["cables"]] == [("n1/eno1", "n2/eno1")]


def test_networks_and_ranges():
    networks = NETWORKS + "lab,10.1.0.0/24,SLAAC,VXLAN 80,,\nbad,10.2.0.5/24,,,\nlab,fd00::/64,fd00::1,,\n"
    ranges = "name,from,to,description\nmgmt,10.0.0.5,10.0.0.9,DHCP\nprod,10.1.0.7,,VIP\nx,10.9.0.1,,\nmgmt,10.0.0.5,10.0.0.9,DHCP\n"
    result = made({"networks.csv": networks, "ranges.csv": ranges})
    assert result.document["networks"]["mgmt"] == {
        "purpose": "management", "v4": "10.0.0.0/24", "description": "Out of band", "router_v4": "10.0.0.1", "vlan": 23,
        "ranges": [{"start": "10.0.0.5", "end": "10.0.0.9", "purpose": "dhcp", "description": "DHCP"}],
        "origin": "networks.csv:2, ranges.csv:2",
    }  # fmt: skip
    lab = result.document["networks"]["lab"]
    assert (lab["v4"], lab["v6"], lab["router_v6"], lab["vni"], lab["purpose"]) == (
        "10.1.0.0/24",
        "fd00::/64",
        "fd00::1",
        80,
        "lab",
    )
    assert lab["ranges"] == [{"start": "10.1.0.7", "purpose": "virtual", "description": "VIP"}]
    assert (
        told(result, "cell") == [("networks.csv", 3, "'SLAAC' is no address")] or "SLAAC" in told(result, "cell")[0][2]
    )
    assert result.counts["ranges.csv"] == {"rows": 4, "used": 2, "merged": 1, "unused": 1}
    assert adds_up(result)


def test_groups():
    rows = "web,n1\nweb,n1\nall web,n1\nweb:vars,n1\nweb,../n\nsites:children,web\n"
    result = made({"groups.csv": "group,member\n" + rows})
    assert result.document["groups"] == {
        "web": {"hosts": ["n1"], "origin": "groups.csv:2"},
        "sites": {"children": ["web"], "origin": "groups.csv:7"},
    }
    assert result.counts["groups.csv"] == {"rows": 6, "used": 2, "merged": 1, "unused": 3}


def test_observed_facts_keep_what_their_table_says():
    text = "host,ansible_host,device_model,mgmt_mac,frr_local_as,role,groups\nn1,10.0.0.1,Acme,zz,AS65000,king,\n"
    result = made(
        {"host_vars.csv": text, "up.csv": "host,interface,remote_as\nn1,eno1,65001\nn1,eno1,many\nn1,e o,1\n"}
    )
    assert result.observed["host_vars.csv"]["devices"]["n1"] == {
        "origin": "host_vars.csv:2",
        "model": "Acme",
        "asn": 65000,
    }
    assert [entry.get("remote_asn") for entry in result.observed["up.csv"]["devices"]["n1"]["uplinks"]] == [65001, None]
    assert [reason for _file, _row, reason in told(result, "cell")][:2] == [
        "role: 'king' is no role of the landscape",
        "oob_mac: 'zz' is no MAC address",
    ]
    assert adds_up(result)


def test_groups_can_be_observed_facts():
    mapping = {"tables": {"groups.csv": {"into": "observed"}}}
    result = made({"groups.csv": "group,member\nweb,n1\nx:children,web\n"}, mapping=mapping)
    assert result.observed["groups.csv"]["devices"]["n1"]["groups"] == ["web"]
    assert "groups" not in result.document
    assert result.counts["groups.csv"]["unused"] == 1


def test_the_mapping_names_columns_and_translates_cells():
    mapping = {
        "tables": {
            "x.csv": {
                "kind": "devices",
                "columns": {"Kiste": "name", "Art": ["role", "description"], "Typ": "model", "Rest": []},
            }
        },
        "values": {"role": {"Knoten": "node"}, "model": {"Dell": "r640"}},
    }
    result = made(
        {"x.csv": "Kiste,Art,Typ,Rest,Mehr\nn1,Knoten,Dell,1,2\n"}, mapping=mapping, defaults={"environment": "prod"}
    )
    host = result.document["hosts"]["n1"]
    assert (host["role"], host["description"], host["model"], host["environment"]) == ("node", "Knoten", "r640", "prod")
    assert told(result, "column") == [("x.csv", 1, "no field takes Mehr")]


def test_tables_that_are_nothing_are_reported_row_by_row():
    result = made({"x.csv": "colour,shape\nred,round\nblue,square\n"})
    assert result.counts["x.csv"] == {"rows": 2, "used": 0, "merged": 0, "unused": 2}
    assert "the columns fit no kind of table" in told(result, "unused")[0][2]


CELLS = [
    "", "-", "n1", "n2", "r640", "eno1", "eno2", "10.0.0.11", "fd00::1", "aa:bb:cc:00:00:01", "65000", "0", "-1", "1e9", "VLAN 5000",
    "{{ 7*7 }}", "../../x", "=1+1", "x" * 10_000, "a\x00", "'", '"', "yes", "NaN", "2023-13-45", "10.0.0.0/33", "€", "n1/eno1", "Portchannel1",
    "node", "DEACTIVATED", "None", "9" * 400, "a/b/c", "::/0", "web:children", "\ufeff",
]  # fmt: skip
HEADERS = [
    DEVICES, CABLES, NETWORKS.splitlines()[0] + "\n", "host,psu,feed\n", "host,unit,height,type,hardware,environment\n", "group,member\n",
    "name,from,to,description\n", "host,interface,remote_as\n", "host,ansible_host,device_model,mgmt_mac,frr_local_as\n", "a,b\n",
]  # fmt: skip


@pytest.mark.accept("F1.11")
def test_hostile_tables_end_in_reports_and_what_is_made_can_be_read(seed):
    source = random.Random(seed)
    for _round in range(60):
        files = {}
        for number in range(source.randrange(1, 6)):
            header = source.choice(HEADERS)
            quoted = [
                ['"' + source.choice(CELLS).replace('"', '""') + '"' for _column in header.split(",")]
                for _row in range(8)
            ]
            files[f"t{number}.csv"] = header + "\n".join(map(",".join, quoted)) + "\n"
        result = made(files)
        assert adds_up(result), f"seed {seed}"
        assert [str(finding) for finding in settings.shape_findings(result.document)] == [], f"seed {seed}"
        assert "{{" not in emit.document(result.document)
