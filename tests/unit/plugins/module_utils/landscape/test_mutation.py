# SPDX-License-Identifier: Apache-2.0
"""Small mistakes are caught without looking at the machines; those that cannot be are named here, with the reason."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.bench import generate, mutants

#: A thousand mutants of each landscape in `make test-all`, a quarter in every other run.
DRAWS = 1000 if os.environ.get("SCS_FULL") else 250
WANTED = 0.95

#: What nothing else in a landscape contradicts: field, part of it, kinds of mistake (empty: all), and why.
MISSES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    # Values that only the machine knows
    (
        "Device.macs",
        "value",
        ("typo", "off by one"),
        "the last three octets are the maker's; only the sticker or LLDP tells",
    ),
    (
        "Device.index",
        "value",
        (),
        "a number that is free, and in line with its neighbours, is as good as the right one",
    ),
    (
        "Device.asn",
        "value",
        (),
        "an explicit AS number has no formula; the switch's own configuration tells (O01, O02)",
    ),
    ("AsnScheme.prefix", "value", (), "another prefix makes other AS numbers that are private and different as well"),
    ("Device.loopback_v4", "value", (), "written because it does not follow from anything"),
    ("Device.loopback_v6", "value", (), "written because it does not follow from anything"),
    (
        "Device.model",
        "value",
        ("neighbour",),
        "two models with the same ports, height and maker differ on the sticker only",
    ),
    (
        "Device.environment",
        "value",
        ("neighbour",),
        "a device whose cables stay within what both environments may reach",
    ),
    ("Device.unit", "value", (), "a free place, where the name does not tell the unit"),
    ("Device.state", "value", (), "planned or retired devices are left out of most checks"),
    ("Device.groups", "value", (), "a further inventory group is somebody's wish"),
    # Cables
    (
        "Landscape.cables",
        "whole",
        ("delete",),
        "a cable between switches that no rule counts, or to somebody else's device",
    ),
    (
        "Cable.a",
        "value",
        ("typo", "off by one", "neighbour"),
        "the port beside it is free and of the same kind; LLDP tells (O03)",
    ),
    (
        "Cable.b",
        "value",
        ("typo", "off by one", "neighbour"),
        "the port beside it is free and of the same kind; LLDP tells (O03)",
    ),
    ("Cable.state", "value", (), "whether a plugged cable is switched off shows in the switch only"),
    ("Cable.speed", "value", (), "a speed that both ports can do, where fewer than three cables can be compared"),
    ("Cable.connector", "value", (), "sockets that take several kinds"),
    ("Cable.lag", "value", (), "the name of an aggregation, where all its cables carry it"),
    ("External.ports", "value", (), "ports of somebody else's device that no cable of ours ends in"),
    # Networks
    ("Landscape.networks", "key", (), "a network that no role and no device takes addresses from"),
    ("Landscape.networks", "whole", ("delete",), "a network that no role and no device takes addresses from"),
    ("Network.v4", "value", (), "another prefix that still holds all addresses and overlaps with none"),
    ("Network.v6", "value", (), "another prefix that still holds all addresses and overlaps with none"),
    (
        "Network.router_v4",
        "value",
        (),
        "another free address of the same network; loopback networks may have no router",
    ),
    ("Network.router_v6", "value", (), "another free address of the same network"),
    ("Network.vlan", "value", (), "another free VLAN id; the switches tell (O09)"),
    ("Network.vni", "value", (), "another free VNI; the switches tell (O09)"),
    ("Network.vrf", "value", (), "a routing instance of its own name"),
    ("Network.uplink", "value", (), "a network may lead outside or not"),
    ("Network.purpose", "value", ("neighbour",), "another purpose that its router and its ranges suit as well"),
    ("Network.environment", "value", (), "a network without devices, or one that several environments may use"),
    ("Network.scheme_v6", "value", (), "addresses of loopbacks follow, whatever the scheme"),
    ("Network.ranges", "whole", ("delete",), "nobody else knows what was given out there"),
    ("AddressRange.start", "value", (), "a range at the edge of nothing"),
    ("AddressRange.end", "value", (), "a range at the edge of nothing"),
    ("AddressRange.purpose", "value", (), "who gives addresses out is told here alone"),
    # Models and racks
    ("DeviceModel.architecture", "value", (), "fewer than three models to compare, or a real other architecture"),
    ("DeviceModel.bmc", "value", (), "another flavour that exists, or the only one of its kind"),
    ("DeviceModel.height", "value", (), "free units around the devices"),
    (
        "DeviceModel.mac_prefixes",
        "value",
        (),
        "a prefix that no MAC address in the landscape uses, or fewer than three models",
    ),
    ("DeviceModel.ports", "whole", ("delete",), "ports that no cable ends in"),
    ("DeviceModel.psus", "value", (), "no device of the model says how it is fed"),
    ("PortGroup.names", "value", (), "ports that no cable ends in"),
    ("PortGroup.aliases", "value", (), "labels on the front that no other model has"),
    ("PortGroup.speed", "value", (), "another speed of the same socket, where no cable tells"),
    ("PortGroup.connector", "value", (), "another socket of the same speed, where no cable tells"),
    ("PortGroup.use", "value", (), "ports that no cable ends in"),
    ("Rack.units", "value", (), "a rack that is not full"),
    ("Rack.feeds", "value", (), "a feed that no device of the rack uses"),
    ("Feed.kind", "value", (), "a feed is what it is; nothing else speaks of it"),
    (
        "Naming.pattern",
        "value",
        ("typo", "off by one"),
        "a standard that allows more than before still fits every name",
    ),
    ("Naming.exempt", "value", (), "an exempt name that would fit as well"),
    # Choices of people
    ("Environment.protected", "value", (), "the operator's choice"),
    ("Environment.connects_to", "value", (), "a permission that no cable uses"),
    ("Landscape.groups", "key", (), "names of groups that OSISM does not know are free"),
    ("Landscape.groups", "whole", ("delete",), "a group that no other group and no device speaks of"),
    ("Group.roles", "value", (), "who belongs to a group is told here alone"),
    ("Group.hosts", "value", (), "who belongs to a group is told here alone"),
    ("Group.models", "value", (), "who belongs to a group is told here alone"),
    ("Group.environments", "value", (), "who belongs to a group is told here alone"),
    ("Group.without", "value", (), "who belongs to a group is told here alone"),
    ("Group.children", "value", (), "who belongs to a group is told here alone"),
    ("Landscape.redundancy_groups", "key", (), "nothing else speaks of the name of a redundancy group"),
    ("Landscape.redundancy_groups", "whole", ("delete",), "a set that nothing is plugged into in pairs"),
    ("RedundancyGroup.kind", "value", ("neighbour",), "two switches may be a leaf pair or a spine set"),
    ("RedundancyGroup.members", "value", (), "members that fit as well"),
    ("Role.asn_scheme", "value", ("neighbour",), "another scheme whose numbers are private and different as well"),
    (
        "Role.loopback_network",
        "value",
        ("neighbour", "delete"),
        "another loopback network where the same addresses are free, or switches that may route without loopbacks",
    ),
    ("Role.uplinks", "value", (), "roles whose devices have different numbers of uplinks"),
    ("Role.uplinks_to", "value", (), "roles that no uplink leads to"),
    ("Role.names", "value", (), "spellings that no name uses"),
    # Waivers of what only observed facts can show are not judged without them
    ("Landscape.waivers", "whole", ("delete",), "a waiver of an O rule matches only when observed facts are given"),
    ("Waiver.rule", "value", (), "a waiver of an O rule matches only when observed facts are given"),
    ("Waiver.object", "value", (), "a waiver of an O rule matches only when observed facts are given"),
    ("Waiver.expires", "value", (), "any later day will do"),
)


@pytest.fixture(params=["scs-lab", "generated"])
def subject(request: pytest.FixtureRequest, repo: Path, tmp_path: Path) -> mutants.Subject:
    if request.param == "scs-lab":
        return mutants.Subject([str(repo / "examples" / "scs-lab")])
    return mutants.Subject([str(generate.write(tmp_path / "landscape", 20))])


def _undocumented(outcomes: list[mutants.Outcome]) -> list[str]:
    """Misses that the list above does not name."""
    known = {(label, part): kinds or mutants.KINDS for label, part, kinds, _why in MISSES}
    return [
        f"{outcome.instance.label} ({outcome.instance.part}), {outcome.kind}: {outcome.change}"
        for outcome in outcomes
        if not outcome.caught and outcome.kind not in known.get((outcome.instance.label, outcome.instance.part), ())
    ]


def _table(outcomes: list[mutants.Outcome]) -> str:
    """Caught of counted, by field and kind."""
    counted = Counter((outcome.instance.label, outcome.kind) for outcome in outcomes)
    caught = Counter((outcome.instance.label, outcome.kind) for outcome in outcomes if outcome.caught)
    lines = ["field".ljust(32) + "".join(kind.rjust(14) for kind in mutants.KINDS)]
    for label in sorted({label for label, _kind in counted}):
        cells = [
            f"{caught[label, kind]}/{counted[label, kind]}" if counted[label, kind] else "" for kind in mutants.KINDS
        ]
        lines.append(label.ljust(32) + "".join(cell.rjust(14) for cell in cells))
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.accept("F1.11")
def test_mistakes_drawn_at_random_are_caught_or_named(subject: mutants.Subject, seed: int) -> None:
    assert subject.findings == []
    source = random.Random(f"{seed} mutants")
    drawn = [subject.draw(source) for _draw in range(DRAWS)]
    outcomes = [outcome for outcome in drawn if not outcome.equal]
    caught = sum(outcome.caught for outcome in outcomes)
    print(_table(outcomes))
    print(
        f"seed {seed}: {DRAWS} drawn, {DRAWS - len(outcomes)} equal to the original, {caught} of {len(outcomes)} caught"
    )
    assert _undocumented(outcomes) == []
    # The share of all mistakes is asserted below; a sample may lie four standard deviations beside it.
    allowed = 4 * (WANTED * (1 - WANTED) / len(outcomes)) ** 0.5
    assert caught / len(outcomes) >= WANTED - allowed


@pytest.mark.accept("F1.11")
@pytest.mark.slow
@pytest.mark.full
def test_of_all_mistakes_ninety_five_in_a_hundred_are_caught(subject: mutants.Subject) -> None:
    """Not a sample: every field, every kind, each weighted as a uniform draw would meet it."""
    results = list(subject.every(random.Random(1)))
    outcomes = [outcome for outcome, _share in results]
    share = sum(share for outcome, share in results if outcome.caught) / sum(share for _outcome, share in results)
    print(_table(outcomes))
    print(f"{len(outcomes)} mutants, {share:.2%} of a uniform draw caught")
    assert _undocumented(outcomes) == []
    assert share >= WANTED


def test_the_list_of_misses_names_fields_that_exist() -> None:
    seen = [(label, part) for label, part, _kinds, _why in MISSES]
    assert len(set(seen)) == len(seen)
    models = {"Landscape": mutants.Landscape, **{model.__name__: model for model in mutants.models()}}
    for label, _part, kinds, why in MISSES:
        model, field = label.split(".")
        spec = mutants.specs_of(models[model])[field]
        assert not spec.free, f"{label} is free and never mutated"
        assert set(kinds) <= set(mutants.KINDS)
        assert why


def test_a_mutant_leaves_no_trace(subject: mutants.Subject, seed: int) -> None:
    before = mutants.Subject(list(subject.trees)).landscape
    source = random.Random(seed)
    for _draw in range(20):
        subject.draw(source)
    again = [subject._decode(file)[0] for file in subject.trees]
    assert mutants.combine(again)[0] == before


@pytest.mark.parametrize(
    ("text", "wanted"), [("a1b", {"a0b", "a2b"}), ("07", {"06", "08"}), ("x", {None}), ("0", {"1"})]
)
def test_off_by_one(text: str, wanted: set[str | None]) -> None:
    assert {mutants.off_by_one(text, random.Random(number)) for number in range(20)} == wanted


def test_typing_errors_differ_by_one_character() -> None:
    made = {mutants.typo("abc", random.Random(number)) for number in range(300)}
    assert {"bac", "acb", "ab", "bc", "ac"} <= made
    assert all(2 <= len(text or "") <= 4 for text in made)
    assert mutants.typo("", random.Random(1)) is None
