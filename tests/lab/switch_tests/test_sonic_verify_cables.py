# SPDX-License-Identifier: Apache-2.0
"""Two cables of a switch are exchanged: sonic_verify names every end that is wrong, as the inventory and as the front do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import faults, kernel
from ansible_collections.scs.landscape.tests.lab.hosts import EMBEDDED
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

from .playing import LEAF, SPINE, Stage

pytestmark = pytest.mark.accept("S2.2")

OTHER = "em01-spine-r02-u41"
#: The leaf's ports to the spines, and theirs to the leaf: name and alias.
UPLINKS = {SPINE: ("Ethernet48", "hundredGigE49"), OTHER: ("Ethernet52", "hundredGigE50")}
#: A neighbour that says nothing any more is kept for two minutes.
_SECONDS = 180.0


@pytest.fixture(scope="module")
def three() -> Iterator[Fabric]:
    """A leaf with a cable to each of two spines."""
    found = Fabric(lane("cabling"), [LEAF, SPINE, OTHER])
    found.down()
    found.up()
    yield found
    found.down()


def alias(fabric: Fabric, switch: str, port: str) -> str:
    return str(fabric.configs[switch]["PORT"][port]["alias"])


def judged(stage: Stage, names: list[str]) -> dict[str, dict[str, Any]]:
    """What sonic_verify says of each switch's cables."""
    task = {"scs.landscape.sonic_verify": {"landscape": [str(EMBEDDED)], "checks": ["lldp"], "on_failure": "report"}}
    done = stage.run(names, task)
    assert done.rc == 0, done.output[-3000:]
    return {name: results[0] for name, results in done.results.items()}


def heard(fabric: Fabric, switch: str, port: str, far: str, name: str) -> bool:
    """Whether a port of a switch hears another switch at a port of that name, and nobody else: who was there before is kept a while."""
    said = fabric.machine(switch).run(["lldpctl", "-f", "keyvalue", port], check=False).stdout.splitlines()
    there = [line.partition("=")[2] for line in said if line.startswith(f"lldp.{port}.chassis.name=")]
    return there == [far] and any(line.endswith(f"={name}") for line in said)


def both_hear(fabric: Fabric, cables: list[tuple[str, str, str]]) -> bool:
    """Whether both ends of cables hear each other; either may be later.

    :param cables: port of the leaf, spine, and port of the spine.
    """
    return all(
        heard(fabric, LEAF, near, spine, alias(fabric, spine, far))
        and heard(fabric, spine, far, LEAF, alias(fabric, LEAF, near))
        for near, spine, far in cables
    )


def test_exchanged_cables_are_named_at_both_ends(three: Fabric, tmp_path: Path, collections_root: Path) -> None:
    stage = Stage(three, tmp_path, collections_root)
    ends = {spine: three.wiring.far((LEAF, port)) for spine, (port, _alias) in UPLINKS.items()}
    assert {spine: end and end[0] for spine, end in ends.items()} == {SPINE: SPINE, OTHER: OTHER}
    assert {port: alias(three, LEAF, port) for port, _alias in UPLINKS.values()} == dict(UPLINKS.values())

    cables = [(port, spine, str(ends[spine][1])) for spine, (port, _alias) in UPLINKS.items()]

    def as_cabled() -> bool:
        return both_hear(three, cables)

    assert kernel.wait_for(as_cabled, _SECONDS, 0.5)
    well = judged(stage, [LEAF, SPINE, OTHER])
    assert (well[LEAF]["ok"], well[LEAF]["unjudged"]) == (True, {}), well[LEAF]
    # every other cable of the spines leads to a switch that is not there; those to the leaf are right
    places = {spine: f"{end[1]} ({alias(three, spine, end[1])})" for spine, end in ends.items() if end}
    assert all(places[spine] not in [one["local"] for one in well[spine]["failures"]] for spine in places), well

    near, far = UPLINKS[SPINE][0], UPLINKS[OTHER][0]
    with faults.swap_cables(three, f"{LEAF}/{near}", f"{LEAF}/{far}"):
        exchanged = [(far, *cables[0][1:]), (near, *cables[1][1:])]
        assert kernel.wait_for(lambda: both_hear(three, exchanged), _SECONDS, 0.5)
        wrong = judged(stage, [LEAF, SPINE, OTHER])
    told = {one["local"]: (one["check"], one["expected"], one["got"]) for one in wrong[LEAF]["failures"]}
    assert set(told) == {f"{port} ({name})" for port, name in UPLINKS.values()}, wrong[LEAF]
    for spine, other in ((SPINE, OTHER), (OTHER, SPINE)):
        port, name = UPLINKS[spine]
        check, expected, got = told[f"{port} ({name})"]
        here, there = ends[spine], ends[other]
        assert here is not None
        assert there is not None
        assert check == "lldp"
        assert expected == f"{spine} {here[1]} or {alias(three, spine, here[1])}"
        assert got == f"{other} {there[1]} ({alias(three, other, there[1])})"
        # and the spine says which port of the leaf it has instead of its own
        seen = {one["local"]: (one["expected"], one["got"]) for one in wrong[spine]["failures"]}
        mine, theirs = UPLINKS[spine], UPLINKS[other]
        assert seen[places[spine]] == (f"{LEAF} {mine[0]} or {mine[1]}", f"{LEAF} {theirs[0]} ({theirs[1]})"), seen

    assert kernel.wait_for(as_cabled, _SECONDS, 0.5)
    again = judged(stage, [LEAF])
    assert again[LEAF]["ok"], again
