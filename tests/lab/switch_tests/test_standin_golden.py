# SPDX-License-Identifier: Apache-2.0
"""The stand-in for SONiC's daemons, pinned to what SONiC's own code did with the same CONFIG_DB."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ansible_collections.scs.landscape.tests.lab.switch_tests import golden
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

pytestmark = pytest.mark.skipif(
    golden.folder() is None, reason="the measurements of SONiC's own code are not on this machine"
)

_MACHINES = 3
_SWITCHES = golden.switches()
_SECONDS = 900.0
#: Path -> what SONiC's daemon logged; the boot file was read by vtysh alone.
_LOGS = {"live": "frrcfgd.log.txt", "load": "frrcfgd.load.log.txt"}

Runs = dict[tuple[str, str], Future[tuple[str, list[str]]]]


@pytest.fixture(scope="module")
def bench() -> Iterator[Fabric]:
    """Switches without cables, used again and again: FRR says what it was told, with or without a neighbour."""
    found = Fabric.plain(lane("golden"), _MACHINES)
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture(scope="module")
def runs(bench: Fabric) -> Iterator[Runs]:
    """FRR's running configuration of each switch on each path, as soon as one of the machines was free for it."""
    free: queue.Queue[str] = queue.Queue()
    for name in bench.switches:
        free.put(name)

    def run(switch: str, path: str) -> tuple[str, list[str]]:
        machine = free.get()
        try:
            return golden.bring(bench, machine, switch, path)
        finally:
            free.put(machine)

    with ThreadPoolExecutor(_MACHINES) as pool:
        yield {(switch, path): pool.submit(run, switch, path) for switch in _SWITCHES for path in golden.PATHS}


@pytest.mark.accept("S2.1")
@pytest.mark.parametrize("path", golden.PATHS)
@pytest.mark.parametrize("switch", _SWITCHES)
def test_same_configuration_in_same_frr_out(runs: Runs, switch: str, path: str) -> None:
    wanted = golden.lines(golden.read(switch, golden.PATHS[path]))
    assert golden.lines(runs[(switch, path)].result(_SECONDS)[0]) == wanted


@pytest.mark.accept("S2.1")
@pytest.mark.parametrize("path", _LOGS)
@pytest.mark.parametrize("switch", _SWITCHES)
def test_the_same_is_refused(runs: Runs, switch: str, path: str) -> None:
    wanted = golden.refused(golden.read(switch, _LOGS[path]))
    assert runs[(switch, path)].result(_SECONDS)[1] == wanted
    assert wanted or path == "live" or switch.startswith("d-")  # a load in the order of names goes wrong


@pytest.mark.accept("S2.1")
def test_the_as_number_does_not_change_while_it_runs(bench: Fabric, runs: Runs) -> None:
    for one in runs.values():
        one.exception(_SECONDS)  # the machine is free
    root = golden.folder()
    assert root is not None
    change = root / "changes" / "12-local-asn"
    before, after = (json.loads((change / f"{name}.json").read_text(encoding="utf-8")) for name in ("before", "after"))
    machine = bench.switches[0]
    bench.reload(
        machine, {table: rows for table, rows in before.items() if table in golden.BARE}, frr_starts_empty=True
    )
    bench.write(machine, list(golden.steps("a-underlay/leaf1")))
    bench.settle(machine)
    bench.write(machine, [("BGP_GLOBALS", key, row) for key, row in after["BGP_GLOBALS"].items()])
    bench.settle(machine)
    assert bench.config_db(machine)["BGP_GLOBALS"] == after["BGP_GLOBALS"] != before["BGP_GLOBALS"]
    wanted = golden.lines((change / "frr.after.txt").read_text(encoding="utf-8"))
    assert golden.lines(bench.vtysh(machine, "show running-config")) == wanted
