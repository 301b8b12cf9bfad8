# SPDX-License-Identifier: Apache-2.0
"""What the embedded landscape expects of its switches."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import expected, verify

LANDSCAPE = str(Path(__file__).resolve().parents[6] / "examples" / "embedded")


def of(name: str) -> verify.Expected:
    return expected.of(name, [LANDSCAPE], "202505", unmodelled=False, secrets={})


def test_a_leaf_reaches_the_other_leaves_over_every_spine() -> None:
    found = of("em01-leaf-r01-u38")
    assert sorted(found.ecmp.values()) == [2, 2, 2]
    spines = {cable.system for cable in found.cables if "spine" in cable.system}
    assert spines == {"em01-spine-r01-u41", "em01-spine-r02-u41"}
    cable = next(cable for cable in found.cables if cable.system == "em01-spine-r01-u41")
    assert cable.ports == ("Ethernet0", "hundredGigE1")
    assert found.config is not None
    assert found.config["BGP_GLOBALS"]["default"]["local_asn"]
    assert "BGP_NEIGHBOR" in found.owned


def test_a_port_of_another_switch_has_a_name_and_an_alias() -> None:
    """What LLDP says is one of them; whoever has to find the cable needs both."""
    found = of("em01-leaf-r01-u38").ports["em01-spine-r01-u41"]
    assert found["Ethernet0"] == found["hundredGigE1"] == "Ethernet0 (hundredGigE1)"


def test_sessions_are_judged_over_cables_to_those_that_are_named() -> None:
    name, spines = "em01-leaf-r01-u38", ["em01-spine-r01-u41", "em01-spine-r02-u41"]
    found = expected.of(name, [LANDSCAPE], "202505", unmodelled=False, secrets={}, bgp_with=spines)
    assert found.bgp_ports == {"Ethernet48", "Ethernet52"}
    assert of(name).bgp_ports is None


def test_spines_do_not_hear_of_each_other() -> None:
    assert of("em01-spine-r01-u41").ecmp == {}


def test_a_switch_of_another_landscape_is_refused() -> None:
    with pytest.raises(InputError, match="has no switch other"):
        of("other")
