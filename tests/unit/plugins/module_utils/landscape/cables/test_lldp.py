# SPDX-License-Identifier: Apache-2.0
"""What lldpd and SONiC print, and what a hostile frame may do to it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables.lldp import observation_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.cables.model import Neighbor

# Printed by lldpd 1.0.16 (Debian 12): two neighbours, one of which sends no system name.
JSON0 = {
    "lldp": [
        {
            "interface": [
                {
                    "name": "enp65s0f0np0", "via": "LLDP", "rid": "1", "age": "1 day, 01:02:03",
                    "chassis": [{
                        "id": [{"type": "mac", "value": "AA:BB:CC:00:00:01"}],
                        "name": [{"value": "leaf-1"}],
                        "descr": [{"value": "Debian GNU/Linux 12"}],
                        "mgmt-ip": [{"value": "10.1.0.9"}, {"value": "fe80::1"}],
                        "mgmt-iface": [{"value": "2"}],
                        "capability": [{"type": "Bridge", "enabled": False}, {"type": "Router", "enabled": True}],
                    }],
                    "port": [{
                        "id": [{"type": "local", "value": "Eth1/1"}],
                        "descr": [{"value": "Ethernet0"}],
                        "ttl": [{"value": "120"}],
                    }],
                },
                {
                    "name": "enp65s0f1np1", "via": "LLDP", "rid": "2", "age": "0 day, 00:00:07",
                    "chassis": [{"id": [{"type": "mac", "value": "aa:bb:cc:00:00:02"}]}],
                    "port": [{"id": [{"type": "mac", "value": "aa:bb:cc:00:00:03"}], "ttl": [{"value": "120"}]}],
                },
            ]
        }
    ]
}  # fmt: skip
EXPECTED = (
    Neighbor("enp65s0f0np0", "leaf-1", ("Eth1/1", "Ethernet0"), "aa:bb:cc:00:00:01", ("10.1.0.9", "fe80::1"), 90123.0),
    Neighbor("enp65s0f1np1", "", ("aa:bb:cc:00:00:03",), "aa:bb:cc:00:00:02", (), 7.0),
)


@pytest.mark.parametrize("said", [JSON0, json.dumps(JSON0)], ids=["data", "text"])
def test_json0(said):
    assert observation_of("h", {"lldpctl": said}).neighbors == EXPECTED


def test_json():
    said = {
        "lldp": {
            "interface": [
                {"p1": {"age": "0 day, 00:00:01", "chassis": {"leaf-1": {"id": {"value": "aa:bb"}, "mgmt-ip": ["10.0.0.1"]}},
                        "port": {"id": {"value": "Eth1"}, "descr": "Ethernet0"}}},
                {"p2": {"chassis": {"id": {"value": "cc:dd"}}, "port": {"id": {"value": "x"}}}},
            ]
        }
    }  # fmt: skip
    assert observation_of("h", {"lldpctl": said}).neighbors == (
        Neighbor("p1", "leaf-1", ("Eth1", "Ethernet0"), "aa:bb", ("10.0.0.1",), 1.0),
        Neighbor("p2", "", ("x",), "cc:dd"),
    )


def test_json_of_a_single_interface():
    said = {"lldp": {"interface": {"p1": {"chassis": {"x": {}}, "port": {}}}}}
    assert observation_of("h", {"lldpctl": said}).neighbors == (Neighbor("p1", "x"),)


@pytest.mark.parametrize("said", [{"lldp": [{}]}, {"lldp": {}}, {}, [], {"lldp": [{"interface": []}]}, {"lldp": 7}])
def test_no_neighbours(said):
    assert observation_of("h", {"lldpctl": said}).neighbors == ()


def test_sonic():
    said = {
        "LLDP_ENTRY_TABLE:Ethernet0": {
            "type": "hash",
            "value": {"lldp_rem_sys_name": "comp-1", "lldp_rem_port_id": "aa:bb:cc:00:00:01",
                      "lldp_rem_port_desc": "nic0", "lldp_rem_chassis_id": "AA:BB", "lldp_rem_man_addr": "10.0.0.1,fe80::1"},
        },
        "Ethernet4": {"lldp_rem_sys_name": "comp-2", "lldp_rem_port_id": "nic0"},
        "broken": 3,
    }  # fmt: skip
    assert observation_of("h", {"sonic": said}).neighbors == (
        Neighbor("Ethernet0", "comp-1", ("aa:bb:cc:00:00:01", "nic0"), "aa:bb", ("10.0.0.1", "fe80::1")),
        Neighbor("Ethernet4", "comp-2", ("nic0",)),
    )
    assert observation_of("h", {"sonic": []}).neighbors == ()


def test_a_reason():
    assert observation_of("h", {"reason": "it is down", "lldpctl": None}).reason == "it is down"


@pytest.mark.parametrize(
    "said",
    ["text", {"lldpctl": "{"}, {"lldpctl": {}, "sonic": {}}, {"lldp": {}}, {"command": "text"}],
    ids=["text", "no-json", "two", "unknown", "no-result"],
)
def test_what_is_refused(said):
    with pytest.raises(InputError, match="What h observed"):
        observation_of("h", said)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"rc": 0, "stdout": json.dumps(JSON0)}, ""),
        ({"rc": 1, "stderr": "unable to connect to socket /run/lldpd.socket"}, "lldpd does not answer: unable to"),
        ({"rc": 2, "msg": "[Errno 2] No such file or directory: b'lldpctl'"}, "lldpd is not installed"),
        (
            {"unreachable": True, "msg": "ssh: connect to host h port 22: Connection timed out"},
            "does not answer: it is off",
        ),
        ({"skipped": True}, "it was not asked"),
        ({}, "it was not asked"),
    ],
    ids=["output", "silent", "absent", "unreachable", "skipped", "empty"],
)
def test_the_result_of_a_task(result, reason):
    found = observation_of("h", {"command": result})
    assert found.reason.startswith(reason)
    assert bool(found.neighbors) == (not reason)


def test_nothing_was_asked():
    assert observation_of("h", {}).reason == "it was not asked"
    failure = {"stage": "reach", "message": "Host key verification failed."}
    assert "another SSH host key" in observation_of("h", {"reason": failure}).reason


def test_a_hostile_frame_is_cut_and_printable():
    said = {"neighbors": [{"port": "p", "peer": "x\n\x1b[31m" + "y" * 9000, "peer_port": ["no", "text"]}, "junk"]}
    (neighbor,) = observation_of("h", said).neighbors
    assert len(neighbor.peer) == 255
    assert neighbor.peer.isprintable()
    assert neighbor.peer_ports == ()


def test_a_flood_is_cut():
    interfaces = [{"name": f"p{number}", "chassis": None, "port": [[]]} for number in range(5000)]
    assert len(observation_of("h", {"lldpctl": {"lldp": [{"interface": interfaces}, "x"]}}).neighbors) == 4096
