# SPDX-License-Identifier: Apache-2.0
"""Cables against real LLDP daemons: clean, exchanged, pulled, one too many; asked directly and in a play."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import picture
from ansible_collections.scs.landscape.plugins.modules import lldp_cables
from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests.deploying import cables_of, pictures_of

LEAF, OTHER_LEAF = "em01-leaf-r01-u38", "em01-leaf-r02-u39"
#: LLDP speaks every two seconds and forgets after six; five times that is late.
NOTICED = 30.0


def compared(lab: Lab, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the module says about what the daemons say now.

    :param without: machines that are not asked.
    """

    def ask(name: str) -> dict[str, str]:
        return {"lldpctl": lab.machine(name).run(["lldpctl", "-f", "json0"]).stdout}

    names = [name for name in lab.wiring.machines if name not in without]
    with ThreadPoolExecutor(8) as pool:
        observed = dict(zip(names, pool.map(ask, names)))
    params = {"src": [str(lab.landscape)], "observed": observed, "ignore_ports": [], "fail_on": []}
    return lldp_cables.main(params, False).values


def kinds(values: dict[str, Any]) -> dict[str, int]:
    return {kind: number for kind, number in values["counts"].items() if number}


def becomes(lab: Lab, wanted: Callable[[dict[str, Any]], bool], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The comparison, once it is as wanted; whatever it is when that takes too long."""
    end = time.monotonic() + NOTICED
    while True:
        values = compared(lab, without)
        if wanted(values) or time.monotonic() > end:
            return values
        time.sleep(0.5)


def is_clean(values: dict[str, Any]) -> bool:
    return set(kinds(values)) == {"matched"}


def from_both_ends(values: dict[str, Any]) -> bool:
    return all(len(link["seen_by"]) == 2 for result in values["results"] for link in result["seen"])


@pytest.fixture(autouse=True)
def _clean_before(lab: Lab) -> None:
    assert is_clean(becomes(lab, is_clean))


def defects(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [result for result in values["results"] if result["kind"] not in ("matched", "unknown")]


@pytest.mark.accept("L1.4")
def test_a_clean_lab_is_all_matched_from_both_ends(lab):
    values = becomes(lab, lambda values: is_clean(values) and from_both_ends(values))
    expected = [cable for cable in lab.wiring.cables if "campus-sw" not in (cable.a[0], cable.b[0])]
    assert kinds(values) == {"matched": len(expected)}
    assert from_both_ends(values)
    assert values["not_asked"] == {}


@pytest.mark.accept("L1.4")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{LEAF}/Ethernet1", f"{LEAF}/Ethernet2"),
        ("em01-comp-r01-u04/enp65s0f0np0", "em01-comp-r01-u04/enp65s0f1np1"),
        (f"{LEAF}/Ethernet48", f"{OTHER_LEAF}/Ethernet48"),
    ],
    ids=["on a switch", "on a host", "across racks"],
)
def test_two_swapped_cables_are_one_finding_that_names_both_ports(lab, first, second):
    with faults.swap_cables(lab, first, second):
        values = becomes(lab, lambda values: values["counts"]["swapped"] == 1 and len(defects(values)) == 1)
    (found,) = defects(values)
    assert found["kind"] == "swapped"
    assert first in found["message"]
    assert second in found["message"]
    assert len(found["cables"]) == 2
    assert values["counts"]["matched"] == len(values["results"]) - 1


@pytest.mark.accept("L1.4")
@pytest.mark.parametrize("fault", [faults.pull_cable, faults.cut_cable], ids=["pulled", "cut"])
def test_a_cable_that_is_gone_is_missing(lab, fault):
    with fault(lab, f"{LEAF}/Ethernet1"):
        values = becomes(lab, lambda values: values["counts"]["missing"] == 1)
    (found,) = defects(values)
    assert found["kind"] == "missing"
    assert {found["cables"][0]["a"], found["cables"][0]["b"]} == {
        f"{LEAF}/Ethernet1",
        "em01-ctl-r01-u03/enp65s0f0np0",
    }
    assert "twentyfiveGigE" in found["advice"], "the name printed on the front is what a technician looks for"


@pytest.mark.accept("L1.4")
def test_an_extra_cable_is_unexpected(lab):
    with faults.extra_cable(lab, f"{LEAF}/Ethernet20", f"{OTHER_LEAF}/Ethernet21"):
        values = becomes(lab, lambda values: values["counts"]["unexpected"] == 1)
    (found,) = defects(values)
    assert found["kind"] == "unexpected"
    assert {found["seen"][0]["a"], found["seen"][0]["b"]} == {f"{LEAF}/Ethernet20", f"{OTHER_LEAF}/Ethernet21"}


def test_a_stranger_on_a_free_port_is_unexpected(lab):
    with faults.foreign_neighbour(lab, f"{LEAF}/Ethernet20"):
        values = becomes(lab, lambda values: values["counts"]["unexpected"] == 1)
    (found,) = defects(values)
    assert "stranger/eth7, which the landscape does not know" in found["message"]


def test_the_right_device_and_the_wrong_port(lab):
    with contextlib.ExitStack() as stack:
        stack.enter_context(faults.pull_cable(lab, f"{LEAF}/Ethernet1"))
        stack.enter_context(faults.extra_cable(lab, f"{LEAF}/Ethernet30", "em01-ctl-r01-u03/enp65s0f0np0"))
        values = becomes(lab, lambda values: values["counts"]["wrong_port"] == 1)
    (found,) = defects(values)
    assert "from port Ethernet30 (twentyfiveGigE31) to port Ethernet1 (twentyfiveGigE2)" in found["advice"]


def test_machines_that_are_not_asked_make_cables_unknown_only_where_nobody_else_saw_them(lab):
    spines = ("em01-spine-r01-u41", "em01-spine-r02-u41")
    assert kinds(compared(lab, spines)) == {"matched": 32}
    values = compared(lab, (*spines, LEAF))
    assert set(kinds(values)) == {"matched", "unknown"}
    assert set(values["not_asked"]) == {*spines, LEAF}


@pytest.mark.accept("L1.4", "L1.11")
def test_in_a_play(lab, play, tmp_path):
    """The play says which cables are swapped, draws them red, and fails where somebody has to go."""
    latest = tmp_path / "controller" / "reports" / "latest"
    clean = play("scs.landscape.lab_status")
    assert clean.rc == 0, clean.output[-3000:]
    assert not any(picture.RED in cables_of(drawn) for drawn in pictures_of(latest))
    with faults.swap_cables(lab, f"{LEAF}/Ethernet1", f"{LEAF}/Ethernet2"):
        becomes(lab, lambda values: values["counts"]["swapped"] == 1)
        broken = play("scs.landscape.lab_status")
    assert broken.rc != 0
    assert f"{LEAF}/Ethernet1" in broken.output
    assert "are swapped" in broken.output
    assert [host for host, counters in broken.recap().items() if counters["failed"]] == [LEAF]
    assert [picture.RED in cables_of(drawn) for drawn in pictures_of(latest)] == [True, False]
