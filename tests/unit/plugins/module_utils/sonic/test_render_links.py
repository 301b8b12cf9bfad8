# SPDX-License-Identifier: Apache-2.0
"""Cables that are off, come or go: what stays in use, and under which name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import fabrics

#: Tables that say what a link aggregation is for.
USES = ("VLAN_MEMBER", "PORTCHANNEL_INTERFACE", "BGP_NEIGHBOR")


def fabric() -> dict[str, Any]:
    """The test fabric, to be changed at will."""
    text = fabrics.REPO.joinpath(*fabrics.LANDSCAPES["fabric"], "landscape.yml").read_text("utf-8")
    return yaml.safe_load(text)


def cable(document: dict[str, Any], end: str) -> dict[str, Any]:
    """The cable of a port."""
    return next(one for one in document["cables"] if end in (one["a"], one["b"]))


def aggregated() -> dict[str, Any]:
    """A host with a link aggregation that BGP is spoken over."""
    document = fabrics.document()
    for number in (0, 1):
        document["cables"].append({"a": f"leaf1/Ethernet{8 + number}", "b": f"red2/nic{number}", "lag": "bond0"})
    document["hosts"]["red2"] = {**document["hosts"]["red1"], "index": 2}
    return document


@pytest.mark.parametrize("state", ["deactivated", "planned"])
@pytest.mark.parametrize("off", ["first", "last"])
@pytest.mark.parametrize("kind", ["bridged", "routed"])
def test_a_cable_that_is_off_leaves_the_aggregation_in_use(kind, off, state, tmp_path):
    document, switch, ports = (
        (fabric(), "oob1", ("Ethernet52", "Ethernet56"))
        if kind == "bridged"
        else (aggregated(), "leaf1", ("Ethernet8", "Ethernet9"))
    )
    whole = fabrics.configs(fabrics.view_of(document, tmp_path))[switch]
    port = ports[0 if off == "first" else 1]
    cable(document, f"{switch}/{port}")["state"] = state
    left = fabrics.configs(fabrics.view_of(document, tmp_path))[switch]
    assert left["PORT"][port]["admin_status"] == "down"
    assert {**left, "PORT": {}} == {**whole, "PORT": {}}
    assert any("PortChannel" in key for table in USES for key in left.get(table, {}))


def test_an_aggregation_without_any_cable_in_use_is_for_nothing(tmp_path):
    document = fabric()
    for port in ("Ethernet52", "Ethernet56"):
        cable(document, f"oob1/{port}")["state"] = "deactivated"
    left = fabrics.configs(fabrics.view_of(document, tmp_path))["oob1"]
    assert [key for table in USES for key in left.get(table, {}) if "PortChannel" in key] == []


def test_the_name_of_an_aggregation_hangs_on_no_cable(tmp_path):
    document = aggregated()
    both = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    fewer = copy.deepcopy(document)
    fewer["cables"].remove(cable(fewer, "leaf1/Ethernet8"))
    one = fabrics.configs(fabrics.view_of(fewer, tmp_path))["leaf1"]
    assert list(one["PORTCHANNEL"]) == list(both["PORTCHANNEL"])
    assert len(both["PORTCHANNEL_MEMBER"]) == 2
    assert len(one["PORTCHANNEL_MEMBER"]) == 1


def test_many_aggregations_without_a_name_have_a_number_each(tmp_path):
    document = fabrics.document()
    for number in range(2, 48):
        document["hosts"][f"red{number}"] = {**document["hosts"]["red1"], "index": number}
        document["cables"].append({"a": f"leaf1/Ethernet{number}", "b": f"red{number}/nic0", "lag": "bond0"})
    config = fabrics.configs(fabrics.view_of(document, tmp_path))["leaf1"]
    assert len(config["PORTCHANNEL"]) == 46
    assert all(1001 <= int(name[len("PortChannel") :]) <= 9999 for name in config["PORTCHANNEL"])


@pytest.mark.parametrize("state", ["deactivated", "planned"])
def test_a_session_with_others_needs_a_cable_in_use(state, tmp_path):
    document = fabric()
    document["cables"].remove(cable(document, "border1/Ethernet72"))
    without = fabrics.configs(fabrics.view_of(document, tmp_path))["border1"]
    assert without["PORT"]["Ethernet72"]["admin_status"] == "up"
    assert "default|203.0.113.0" in without["BGP_NEIGHBOR"]
    document = fabric()
    cable(document, "border1/Ethernet72")["state"] = state
    off = fabrics.configs(fabrics.view_of(document, tmp_path))["border1"]
    assert off["PORT"]["Ethernet72"]["admin_status"] == "down"
    assert [key for key in off["BGP_NEIGHBOR"] if "203.0.113" in key] == []
    assert "BGP_NEIGHBOR_AF" not in off
