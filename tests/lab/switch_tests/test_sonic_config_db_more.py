# SPDX-License-Identifier: Apache-2.0
"""What goes leaves nothing behind and takes nothing else with it; what was wrecked comes back from a backup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

from .playing import LEAF, Stage, change, holding, rows, wait_for

#: A port that nothing is said of but what it is.
PORT = "Ethernet8"
#: Rows of somebody else: in tables that nobody knows, in known ones, and fields of rows that stay.
FOREIGN: list[tuple[str, str, dict[str, Any]]] = [
    ("VENDOR_TABLE", "theirs", {"some": "thing", "more@": "a,b"}),
    ("PORT", PORT, {"vendor_field": "theirs"}),
    ("PREFIX_SET", "THEIRS", {"mode": "IPv4"}),
    ("NTP_SERVER", "192.0.2.70", {"vendor_field": "theirs"}),
]
VLANS, PEERS = ("Vlan3200", "Vlan3201"), ("192.0.2.98", "192.0.2.99")
#: A row in a table that no one has, with a value that is no row at all beside it.
_KEY = ("VENDOR_KEY", "theirs")
WIDE: dict[str, Any] = {"max_impact": "destroyed", "verify_timeout": 45, "confirm_within": 90}


def overlay(pair: Fabric) -> dict[str, Any]:
    """Two networks that VXLAN carries, and two neighbours."""
    loopback = next(key for key in pair.configs[LEAF]["LOOPBACK_INTERFACE"] if "|" in key and ":" not in key)
    vtep = loopback.partition("|")[2].partition("/")[0]
    vnis = {f"vtep|map_10{vlan[4:]}_{vlan}": {"vlan": vlan, "vni": f"10{vlan[4:]}"} for vlan in VLANS}
    return {
        "VXLAN_TUNNEL": {"vtep": {"src_ip": vtep}},
        "VXLAN_EVPN_NVO": {"nvo": {"source_vtep": "vtep"}},
        "VLAN": {vlan: {"vlanid": vlan[4:]} for vlan in VLANS},
        "VLAN_MEMBER": {f"{VLANS[0]}|{PORT}": {"tagging_mode": "untagged"}},
        "VXLAN_TUNNEL_MAP": vnis,
        "BGP_GLOBALS_AF": {"default|l2vpn_evpn": {"advertise-all-vni": "true"}},
        "BGP_NEIGHBOR": {f"default|{peer}": {"asn": "65099", "name": "more"} for peer in PEERS},
        "BGP_NEIGHBOR_AF": {f"default|{peer}|ipv4_unicast": {"admin_status": "true"} for peer in PEERS},
    }


def devices(pair: Fabric) -> set[str]:
    """What the kernel has, and where ports belong."""
    found = json.loads(pair.machine(LEAF).run(["ip", "-json", "link", "show"]).stdout)
    return {f"{one['ifname']} {one.get('master', '')}" for one in found}


def lines(pair: Fabric) -> list[str]:
    """What FRR runs."""
    return sorted(" ".join(line.split()) for line in pair.vtysh(LEAF, "show running-config").splitlines())


@pytest.fixture
def foreign(pair: Fabric) -> Iterator[list[str]]:
    """Rows and a key of somebody else, saved; their names."""
    pair.write(LEAF, FOREIGN)
    pair.database(LEAF, "SET", *_KEY)
    pair.machine(LEAF).run(["config", "save", "-y"])
    pair.settle(LEAF)
    yield ["VENDOR_TABLE|theirs", f"PORT|{PORT}", "PREFIX_SET|THEIRS", "NTP_SERVER|192.0.2.70", _KEY[0]]
    pair.database(LEAF, "DEL", "VENDOR_TABLE|theirs", "PREFIX_SET|THEIRS", "NTP_SERVER|192.0.2.70", _KEY[0])
    pair.database(LEAF, "HDEL", f"PORT|{PORT}", "vendor_field")
    pair.machine(LEAF).run(["config", "save", "-y"])


@pytest.mark.accept("S2.6")
def test_what_is_removed_is_gone_everywhere_and_nothing_else(pair: Fabric, stage: Stage, foreign: list[str]) -> None:
    """A VLAN, its VNI and a neighbour by `deleted`, the other ones by `overridden`: rows, devices and lines of FRR."""
    more, before = overlay(pair), (rows(pair, LEAF), devices(pair), lines(pair))
    theirs = {name: pair.database(LEAF, "--no-raw", "DUMP", name) for name in foreign}
    made = stage.run(LEAF, change(more, **WIDE))
    assert made.rc == 0, made.output[-4000:]
    # this kernel has no 802.1Q: a bridge for each VLAN stands in for the one of SONiC
    assert {f"{PORT} {VLANS[0]}", *(f"{vlan} " for vlan in VLANS)} <= devices(pair) - before[1]
    assert all(any(f"neighbor {peer}" in line for line in lines(pair)) for peer in PEERS)
    assert set(pair.frr(LEAF, "show evpn vni")) == {f"10{vlan[4:]}" for vlan in VLANS}

    single = {
        "VLAN": {VLANS[0]: {}},
        "VLAN_MEMBER": {f"{VLANS[0]}|{PORT}": {}},
        "VXLAN_TUNNEL_MAP": {f"vtep|map_10{VLANS[0][4:]}_{VLANS[0]}": {}},
        "BGP_NEIGHBOR": {f"default|{PEERS[0]}": {}},
        "BGP_NEIGHBOR_AF": {f"default|{PEERS[0]}|ipv4_unicast": {}},
    }
    with pair.monitor(LEAF) as seen:
        done = stage.run(LEAF, change(single, state="deleted", **WIDE))
    assert done.rc == 0, done.output[-4000:]
    assert seen.writes, "it is seen"
    assert [one for one in seen.writes if any(f'"{name}"' in one for name in foreign)] == []
    assert set(pair.frr(LEAF, "show evpn vni")) == {f"10{VLANS[1][4:]}"}
    assert [line for line in lines(pair) if PEERS[0] in line] == []
    assert [line for line in lines(pair) if PEERS[1] in line], "the other one stays"
    left = devices(pair)
    assert f"{VLANS[1]} " in left
    assert [one for one in left if VLANS[0] in one or VLANS[0][4:] in one] == []

    then = json.loads(before[0])
    whole = {table: then.get(table, {}) for table in more if then.get(table)}
    with pair.monitor(LEAF) as seen:
        done = stage.run(LEAF, change(whole, state="overridden", tables=[t for t in more if t not in whole], **WIDE))
    assert done.rc == 0, done.output[-4000:]
    assert [one for one in seen.writes if any(f'"{name}"' in one for name in foreign)] == []
    assert (rows(pair, LEAF), devices(pair), lines(pair)) == before
    assert {name: pair.database(LEAF, "--no-raw", "DUMP", name) for name in foreign} == theirs
    assert pair.saved(LEAF) == then


#: Secrets in fields and in a key.
SECRETS: dict[str, Any] = {
    "SNMP_COMMUNITY": {"canary4711snmp": {"TYPE": "RO"}},
    "SNMP_USER": {"watcher": {"SNMP_USER_TYPE": "Priv", "SNMP_USER_AUTH_PASSWORD": "canary4711user"}},
    "TACPLUS_SERVER": {"192.0.2.77": {"passkey": "canary4711tacacs", "priority": "1"}},
}
LOUD = ("-vvv", "--diff")


@pytest.fixture
def secrets(pair: Fabric, stage: Stage) -> Iterator[str]:
    """A switch with secrets, saved; its rows."""
    done = stage.run(LEAF, change(SECRETS, **WIDE))
    assert done.rc == 0
    yield rows(pair, LEAF)
    gone = {table: {key: {} for key in content} for table, content in SECRETS.items()}
    assert stage.run(LEAF, change(gone, state="deleted", unsaved="accept", **WIDE)).rc == 0
    stage.run(LEAF, {"scs.landscape.sonic_checkpoint": {"name": "backup", "state": "absent"}})


def wreck(pair: Fabric, *keys: str) -> None:
    """Somebody's script goes through the database: rows lost, changed, and such that nobody needs."""
    pair.database(LEAF, "DEL", *keys)
    pair.write(
        LEAF,
        [
            ("PORT", PORT, {"description": "wrecked", "mtu": "1500"}),
            ("VLAN", "Vlan3999", {"vlanid": "3999"}),
            ("NTP_SERVER", "192.0.2.71", {}),
        ],
    )
    pair.settle(LEAF)


def established(pair: Fabric) -> bool:
    peers = pair.frr(LEAF, "show bgp ipv4 unicast summary").get("peers", {})
    return bool(peers.get("Ethernet48", {}).get("state") == "Established")


@pytest.mark.accept("S2.9")
def test_what_was_wrecked_comes_back_from_a_backup(pair: Fabric, stage: Stage, tmp_path: Path, secrets: str) -> None:
    archive = tmp_path / "archive"
    keep = [
        {
            "ansible.builtin.include_role": {"name": "scs.landscape.fabric_archive"},
            "vars": {"fabric_archive_dest": str(archive)},
        },
        {"scs.landscape.sonic_checkpoint": {"name": "backup"}},
    ]
    kept = stage.run(LEAF, *keep, arguments=LOUD)
    assert kept.rc == 0, kept.output[-3000:]
    frr = lines(pair)
    neighbours = [f"BGP_NEIGHBOR|{key}" for key in json.loads(secrets)["BGP_NEIGHBOR"]]
    lost = [*neighbours[:2], "BGP_NEIGHBOR|default|Ethernet48", "INTERFACE|Ethernet48", "PREFIX_SET|LOOPBACKS"]
    back = {"src": str(archive / f"{LEAF}.json"), "state": "overridden", "unsaved": "accept", "hold": 0, **WIDE}
    back["tables"] = ["NTP_SERVER", "VLAN"]  # the backup has none of these

    wreck(pair, *lost)
    assert rows(pair, LEAF) != secrets
    assert lines(pair) != frr
    mended = stage.run(LEAF, {"scs.landscape.sonic_config_db": back}, arguments=LOUD)
    assert mended.rc == 0, mended.output[-3000:]
    assert rows(pair, LEAF) == secrets
    assert json.loads(secrets) == pair.saved(LEAF)
    assert lines(pair) == frr

    # what no backup holds is lost with the switch's own: nobody makes a mask the password
    wreck(pair, *lost, "SNMP_COMMUNITY|canary4711snmp", "TACPLUS_SERVER|192.0.2.77")
    refused = stage.run(LEAF, {"scs.landscape.sonic_config_db": back}, arguments=LOUD)
    assert refused.rc != 0
    assert "TACPLUS_SERVER|192.0.2.77 passkey" in refused.output
    assert "SNMP_COMMUNITY" in refused.only()["msg"]
    way = {"name": "backup", "state": "rolled_back", "hold": 0, "max_impact": "destroyed"}
    whole = stage.run(LEAF, {"scs.landscape.sonic_checkpoint": way}, arguments=LOUD)
    assert whole.rc == 0, whole.output[-3000:]
    assert rows(pair, LEAF) == secrets
    assert json.loads(secrets) == pair.saved(LEAF)
    assert lines(pair) == frr
    wait_for(lambda: established(pair), 60, "the session does not come back")

    said = "".join(done.output for done in (kept, mended, refused, whole))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {f"{LEAF}.json", f"{LEAF}.frr.conf"} <= {path.name for path in files}
    assert [line[:300] for line in said.splitlines() if "canary4711" in line] == []
    said_by_us = "play-"  # the plays of this test, which bring the secrets to the switch
    assert [
        one.name for one in files if b"canary4711" in one.read_bytes() and not one.name.startswith(said_by_us)
    ] == []
    assert holding(pair) == ""
    assert "canary4711" in secrets, "the control: they are there"
