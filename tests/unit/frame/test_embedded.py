# SPDX-License-Identifier: Apache-2.0
"""The embedded lab's landscape is without findings, and what the lab makes of landscapes is what they say."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.modules import landscape_validate
from ansible_collections.scs.landscape.tests.lab import seeds, wiring
from ansible_collections.scs.landscape.tests.lab.wiring import Cable, Machine, Wiring
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

NO_ADDRESS = """
environments: {e: {}}
roles: {r: {kind: server}}
device_models: {m: {kind: server, ports: []}}
hosts: {a: {model: m, role: r, environment: e}}
"""


@pytest.fixture(scope="module")
def embedded(repo):
    return wiring.read(repo / "examples" / "embedded")


def test_the_embedded_landscape_has_no_findings(repo):
    options = {"observed": [], "fail_on": "info", "reports": [], "as_of": "2026-11-21"}
    result = landscape_validate.main({"src": [str(repo / "examples" / "embedded")], **options}, True)
    assert result.failed == ""
    assert {name: result.values["counts"][name] for name in ("error", "warning", "info", "waived")} == {
        "error": 0,
        "warning": 0,
        "info": 0,
        "waived": 0,
    }


def test_it_is_the_room_that_is_promised(embedded):
    kinds = [machine.kind for machine in embedded.machines.values()]
    assert (kinds.count("host"), kinds.count("switch")) == (6, 7)
    assert len(embedded.cables) == 34
    assert {port for cable in embedded.cables for _name, port in (cable.a, cable.b) if len(port) > 15} == set()


def test_the_management_switch_joins_every_management_port(embedded):
    assert embedded.bridged("em01-oob-r01-u40") == tuple(f"Ethernet{number}" for number in range(12))
    assert [name for name in embedded.machines if embedded.bridged(name)] == ["em01-oob-r01-u40"]
    # into the switch for everything it joins, and into its own management port, which hangs on the network outside
    assert embedded.entries(set(embedded.machines)) == [
        ("em01-oob-r01-u40", "controller"),
        ("em01-oob-r01-u40", "eth0"),
    ]


def test_without_the_management_switch_every_machine_is_reached_at_its_own_port(embedded):
    running = {"em01-comp-r01-u04", "em01-leaf-r01-u38"}
    assert embedded.entries(running) == [("em01-comp-r01-u04", "eno1"), ("em01-leaf-r01-u38", "eth0")]


def test_the_controller_takes_an_address_that_is_nobodys(embedded):
    assert embedded.controllers == ("10.20.0.2/24",)


def test_wiring_survives_the_way_through_another_python(embedded):
    assert wiring.from_json(wiring.to_json(embedded)) == embedded


def test_two_switches_that_are_joined_are_one_network():
    def machine(name: str, kind: str) -> Machine:
        return Machine(name, kind, "eth0", "10.0.0.1/24", {}, {})

    machines = {name: machine(name, "switch") for name in ("one", "two")} | {"a": machine("a", "host")}
    machines["b"] = machine("b", "host")
    cables = (
        Cable(("one", "p1"), ("a", "eth0"), True),
        Cable(("two", "p1"), ("b", "eth0"), True),
        Cable(("two", "p2"), ("one", "p2"), True),
        Cable(("two", "eth0"), ("one", "p3"), True),
    )
    joined = Wiring(machines, cables, ())
    assert joined.bridged("one") == ("p1", "p2", "p3")
    # one port of one switch; the other entry is the own management port of the switch that nothing joins
    assert joined.entries(set(machines)) == [("one", "controller"), ("one", "eth0")]


def test_a_switch_names_its_ports_by_their_alias_and_a_host_by_their_name(embedded):
    leaf = seeds.lldp(embedded.machines["em01-leaf-r01-u38"], {"Ethernet48", "eth0"})
    assert "configure ports Ethernet48 lldp portidsubtype local hundredGigE49 description Ethernet48\n" in leaf
    host = seeds.lldp(embedded.machines["em01-comp-r01-u04"], {"enp65s0f0np0"})
    assert "configure ports" not in host
    assert "configure lldp portidsubtype ifname\n" in host


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hosts: [", "is not valid YAML"),
        (NO_ADDRESS, "a has no out-of-band port or address"),
    ],
    ids=["no-yaml", "no-address"],
)
def test_a_landscape_that_cannot_be_built_is_refused_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "landscape.yml"
    path.write_text(f"version: 1\n{text}", encoding="utf-8")
    with pytest.raises(Unavailable) as refused:
        wiring.read(path)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
