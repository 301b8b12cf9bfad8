# SPDX-License-Identifier: Apache-2.0
"""Rows in any order make the same FRR: the one that SONiC's own daemon and its boot templates make of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.switch_tests import golden
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.switches.renderer import BARE
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

from .playing import Stage

pytestmark = [
    pytest.mark.accept("S2.1"),
    pytest.mark.skipif(golden.folder() is None, reason="the measurements of SONiC's own code are not on this machine"),
]

#: Switches at once, and how often each of them is filled in the run of everything: twenty orders.
MACHINES, ROUNDS = 4, 5
SWITCH = "a-underlay/leaf1"
#: What leads to the switch stays as it is, so what stands on the golden one is left out.
_WAY = ("MGMT_INTERFACE", "MGMT_PORT", "NTP")


@pytest.fixture(scope="module")
def bench() -> Iterator[Fabric]:
    """Switches without cables."""
    found = Fabric.plain(lane("order"), MACHINES)
    found.down()
    found.up()
    yield found
    found.down()


def shuffled(config: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """The same configuration with its tables, rows and fields in another order; that of items may mean something."""

    def mixed(data: Any) -> Any:
        names = source.sample(sorted(data), len(data)) if isinstance(data, dict) else []
        return {name: mixed(data[name]) for name in names} if isinstance(data, dict) else data

    return dict(mixed(config))


def filled(bench: Fabric, stage: Stage, source: random.Random) -> list[tuple[list[str], list[str]]]:
    """What FRR runs on each bare switch after the change, each in an order of its own: at once, and after a restart."""
    config = {
        table: rows for table, rows in json.loads(golden.read(SWITCH, "config_db.json")).items() if table not in _WAY
    }
    for name in bench.switches:
        bench.reload(name, {table: rows for table, rows in config.items() if table in BARE}, frr_starts_empty=True)
        (stage.folder / f"{name}.json").write_text(json.dumps(shuffled(config, source)))
    options = {"src": f"{stage.folder}/{{{{ inventory_hostname }}}}.json", "state": "overridden", "hold": 0}
    task = {"scs.landscape.sonic_config_db": {**options, "max_impact": "destroyed", "verify_timeout": 60}}
    done = stage.run(bench.switches, task)
    assert done.rc == 0, [result.get("msg") for (result,) in done.results.values()]
    assert not any(result["verify"]["restarted_bgp"] for (result,) in done.results.values()), "the order was right"
    assert len({json.dumps(result["plan"]["steps"]) for (result,) in done.results.values()}) == 1, (
        "one plan for all orders"
    )
    found = []
    for name in bench.switches:
        bench.settle(name)
        live = golden.lines(bench.vtysh(name, "show running-config"))
        bench.machine(name).run(["rm", "-f", "/run/standin/frr-starts-empty"])
        bench.machine(name).run(["systemctl", "restart", "bgp"], timeout=300)
        found.append((live, golden.lines(bench.vtysh(name, "show running-config"))))
    return found


def differs(found: list[tuple[list[str], list[str]]]) -> list[Any]:
    """Where FRR runs something else than it did for SONiC's own code: row by row, and from the boot templates."""
    live, boot = (golden.lines(golden.read(SWITCH, golden.PATHS[path])) for path in ("live", "boot"))
    assert live != boot, "SONiC's daemon and its templates write different ranges"
    return [
        sorted(set(mine) ^ set(theirs)) for pair in found for mine, theirs in zip(pair, (live, boot)) if mine != theirs
    ]


def test_four_orders_of_rows_make_one_frr(bench: Fabric, tmp_path: Path, collections_root: Path, seed: int) -> None:
    stage = Stage(bench, tmp_path, collections_root)
    assert differs(filled(bench, stage, random.Random(f"{seed} order"))) == []
    orders = [list(json.loads((tmp_path / f"{name}.json").read_text())) for name in bench.switches]
    assert len({tuple(order) for order in orders}) == MACHINES, "they are others"


@pytest.mark.full
def test_twenty_orders_of_rows_make_one_frr(bench: Fabric, tmp_path: Path, collections_root: Path, seed: int) -> None:
    stage, source = Stage(bench, tmp_path, collections_root), random.Random(f"{seed} orders")
    found = [one for _round in range(ROUNDS) for one in filled(bench, stage, source)]
    assert len(found) == 20
    assert differs(found) == []
