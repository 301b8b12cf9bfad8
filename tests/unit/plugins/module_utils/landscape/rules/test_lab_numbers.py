# SPDX-License-Identifier: Apache-2.0
"""The numbers of the SCS lab follow from the index of each server, and numbers that cannot be are refused."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive

#: Server, AS number, loopbacks, address of the management controller: the lab's own host variables.
SERVERS = [
    ("st01-comp-r01-u09", 4210021025, "10.10.21.25", "fd0c:cc24:75a0:1:10:10:21:25", "10.10.23.25"),
    ("st01-comp-r01-u11", 4210021026, "10.10.21.26", "fd0c:cc24:75a0:1:10:10:21:26", "10.10.23.26"),
    ("st01-comp-r01-u13", 4210021027, "10.10.21.27", "fd0c:cc24:75a0:1:10:10:21:27", "10.10.23.27"),
    ("st01-comp-r01-u15", 4210021028, "10.10.21.28", "fd0c:cc24:75a0:1:10:10:21:28", "10.10.23.28"),
    ("st01-comp-r01-u17", 4210021029, "10.10.21.29", "fd0c:cc24:75a0:1:10:10:21:29", "10.10.23.29"),
    ("st01-comp-r01-u19", 4210021030, "10.10.21.30", "fd0c:cc24:75a0:1:10:10:21:30", "10.10.23.30"),
    ("st01-comp-r01-u21", 4210021015, "10.10.21.15", "fd0c:cc24:75a0:1:10:10:21:15", "10.10.23.15"),
    ("st01-comp-r01-u22", 4210021016, "10.10.21.16", "fd0c:cc24:75a0:1:10:10:21:16", "10.10.23.16"),
    ("st01-comp-r01-u23", 4210021017, "10.10.21.17", "fd0c:cc24:75a0:1:10:10:21:17", "10.10.23.17"),
    ("st01-comp-r01-u24", 4210021018, "10.10.21.18", "fd0c:cc24:75a0:1:10:10:21:18", "10.10.23.18"),
    ("st01-comp-r01-u25", 4210021019, "10.10.21.19", "fd0c:cc24:75a0:1:10:10:21:19", "10.10.23.19"),
    ("st01-comp-r01-u26", 4210021020, "10.10.21.20", "fd0c:cc24:75a0:1:10:10:21:20", "10.10.23.20"),
    ("st01-ctl-r01-u27", 4210021012, "10.10.21.12", "fd0c:cc24:75a0:1:10:10:21:12", "10.10.23.12"),
    ("st01-ctl-r01-u28", 4210021013, "10.10.21.13", "fd0c:cc24:75a0:1:10:10:21:13", "10.10.23.13"),
    ("st01-ctl-r01-u29", 4210021014, "10.10.21.14", "fd0c:cc24:75a0:1:10:10:21:14", "10.10.23.14"),
    ("st01-mgmt-r01-u30", 4210021010, "10.10.21.10", "fd0c:cc24:75a0:1:10:10:21:10", "10.10.23.10"),
    ("st01-mgmt-r01-u31", 4210021011, "10.10.21.11", "fd0c:cc24:75a0:1:10:10:21:11", "10.10.23.11"),
    ("st01-stor-r01-u01", 4210021021, "10.10.21.21", "fd0c:cc24:75a0:1:10:10:21:21", "10.10.23.21"),
    ("st01-stor-r01-u03", 4210021022, "10.10.21.22", "fd0c:cc24:75a0:1:10:10:21:22", "10.10.23.22"),
    ("st01-stor-r01-u05", 4210021023, "10.10.21.23", "fd0c:cc24:75a0:1:10:10:21:23", "10.10.23.23"),
    ("st01-stor-r01-u07", 4210021024, "10.10.21.24", "fd0c:cc24:75a0:1:10:10:21:24", "10.10.23.24"),
]

LANDSCAPE = """
environments: {prod: {}}
device_models: {box: {kind: server, ports: [{names: [MGMT], use: bmc, speed: 1G, connector: rj45}]}}
asn_schemes: {nodes: {kind: %(kind)s}, free: {kind: explicit}}
networks:
  oob: {purpose: management, v4: 10.10.23.0/24}
  nodes: {purpose: loopback, v4: 10.10.21.0/24, v6: 'fd0c:cc24:75a0:1::/64', scheme_v6: embed-v4}
roles:
  node: {kind: server, oob_network: oob, loopback_network: nodes, asn_scheme: nodes}
  own: {kind: server, oob_network: oob, asn_scheme: free}
hosts:
  a: {model: box, role: node, environment: prod, index: %(a)s}
  b: {model: box, role: %(role)s, environment: prod, index: %(b)s}
"""


def _rules(findings):
    return sorted(
        {(finding.rule, finding.object) for finding in findings if finding.rule[0] in "AB" or finding.rule == "S06"}
    )


@pytest.fixture(scope="module")
def lab(repo):
    landscape, findings = client.load([str(repo / "examples/scs-lab")])
    assert findings == []
    return derive.resolve(landscape)


@pytest.mark.accept("F1.5")
@pytest.mark.parametrize(("name", "asn", "v4", "v6", "bmc"), SERVERS, ids=[row[0] for row in SERVERS])
def test_numbers_of_a_server(lab, name, asn, v4, v6, bmc):
    server = lab.devices[name]
    assert (server.asn, server.loopback_v4, server.loopback_v6, server.oob_v4) == (asn, v4, v6, bmc)
    own = server.device
    assert (own.asn, own.loopback_v4, own.loopback_v6, own.oob_address) == (None, "", "", ""), "derived, not written"


@pytest.mark.accept("F1.5")
def test_all_servers_are_compared(lab):
    assert len(SERVERS) == 21
    assert {row[0] for row in SERVERS} == set(lab.landscape.hosts)


@pytest.mark.accept("F1.5")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, [], id="what is allowed"),
        pytest.param({"b": 254}, [], id="the last index"),
        pytest.param({"b": 255}, [("A01", "hosts/b")], id="the broadcast address"),
        pytest.param({"b": 256}, [("A01", "hosts/b")], id="the next network"),
        pytest.param({"b": 65534}, [("A01", "hosts/b")], id="far away"),
        pytest.param({"b": 0}, [("S06", "hosts/b")], id="the address of the network"),
        pytest.param({"b": 65535}, [("S06", "hosts/b")], id="no index at all"),
        pytest.param({"b": 1}, [("A02", "hosts/b"), ("B02", "hosts/b")], id="an index given twice"),
        pytest.param({"kind": "octets, prefix: 4294"}, [], id="the largest prefix"),
        pytest.param(
            {"kind": "octets, prefix: 4199"}, [("B01", "hosts/a"), ("B01", "hosts/b")], id="below the private range"
        ),
        pytest.param(
            {"kind": "octets, prefix: 429"}, [("B01", "hosts/a"), ("B01", "hosts/b")], id="somebody else's number"
        ),
        pytest.param(
            {"kind": "octets, prefix: 4295"},
            [("S06", "asn_schemes/nodes")],
            id="more than four octets",
        ),
        pytest.param({"kind": "octets"}, [("B01", "asn_schemes/nodes")], id="no prefix"),
        pytest.param({"role": "own", "b": "2, asn: 64511"}, [("B01", "hosts/b")], id="one below the first block"),
        pytest.param({"role": "own", "b": "2, asn: 64512"}, [], id="first of the first block"),
        pytest.param({"role": "own", "b": "2, asn: 65534"}, [], id="last of the first block"),
        pytest.param({"role": "own", "b": "2, asn: 65535"}, [("B01", "hosts/b")], id="reserved, two octets"),
        pytest.param({"role": "own", "b": "2, asn: 4199999999"}, [("B01", "hosts/b")], id="one below the second block"),
        pytest.param({"role": "own", "b": "2, asn: 4294967294"}, [], id="last of the second block"),
        pytest.param({"role": "own", "b": "2, asn: 4294967295"}, [("B01", "hosts/b")], id="reserved, four octets"),
        pytest.param({"role": "own", "b": "2, asn: 4294967296"}, [("S06", "hosts/b")], id="beyond four octets"),
    ],
)
def test_what_cannot_be_is_refused(check_text, values, expected):
    given = {"kind": "scs", "a": 1, "b": 2, "role": "node", **values}
    assert _rules(check_text(LANDSCAPE % given)) == expected
