# SPDX-License-Identifier: Apache-2.0
"""A fabric of 100 switches with 64 ports each: rendered, checked and planned in one process, beside json of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet, port_maps, yang_check
from ansible_collections.scs.landscape.tests.bench import fabric
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

SWITCHES = 100
MAX_RATIO, MAX_EXTRA = 3, 5.0
MAX_MEMORY = 300 * 1024 * 1024
MAX_YANG = 0.060

_MEASURE = """
import json, pathlib, resource, sys, time
job, source, backups = sys.argv[1:]
backups = pathlib.Path(backups)
from ansible_collections.scs.landscape.tests.bench import fabric
fabric.know_the_switch()

def clock():
    return time.process_time()

def write():
    from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet
    backups.mkdir()
    for name, config in fleet.from_landscape(fleet.load([source]), "202605").items():
        # What somebody changed by hand since: a port, a service, a text.
        config["PORT"]["Ethernet0"]["mtu"] = "1500"
        config["NTP_SERVER"]["192.0.2.9"] = {}
        config["DEVICE_METADATA"]["localhost"]["mac"] = "02:00:00:00:00:01"
        (backups / f"{name}.json").write_text(json.dumps(config, indent=4))
    return {"switches": len(list(backups.iterdir()))}

def yardstick():
    texts = [path.read_text() for path in sorted(backups.iterdir())]
    started = clock()
    for text in texts:
        json.dumps(json.loads(text), indent=4)
    return {"seconds": clock() - started}

def ours():
    # What sonic_plan does between a folder of backups and a landscape, and the lint of what it renders.
    from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet, plan, targets
    from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
    from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
    started = clock()
    compared = fleet.compare(fleet.Side([str(backups)], []), fleet.Side([], [source]), [], fleet.Rendering())
    read = clock()
    wanted = {name: after for name, (_before, after) in compared.pairs.items()}
    issues = validate.check(Fabric([Switch(name, config, "202605") for name, config in wanted.items()]))
    linted = clock()
    made = plan.plan_fabric(
        [
            plan.plan_switch(name, before, after, speeds=targets.speeds(after))
            for name, (before, after) in compared.targets().items()
        ],
        compared.groups,
    )
    steps = len(made.plan)
    done = clock()
    return {
        "seconds": done - started, "read": read - started, "lint": linted - read, "plan": done - linted,
        "steps": steps, "waves": len(made.waves), "errors": len(validate.unwaived(issues, "warning")),
        "owned": min(len(compared.owned[name]) for name in wanted),
        "switches": len(wanted), "ports": min(len(config["PORT"]) for config in wanted.values()),
    }

result = {"write": write, "yardstick": yardstick, "ours": ours}[job]()
# ru_maxrss counts KiB on Linux.
print(json.dumps({**result, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def measured(job, source, backups):
    argv = [sys.executable, "-c", _MEASURE, job, str(source), str(backups)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=300, env=dict(os.environ))
    return json.loads(done.stdout)


@pytest.mark.accept("S1.11")
def test_a_hundred_switches_take_little_more_than_reading_and_writing_their_files(tmp_path):
    source, backups = fabric.write(tmp_path / "landscape", SWITCHES), tmp_path / "backups"
    assert measured("write", source, backups)["switches"] == SWITCHES
    json_only, ours = measured("yardstick", source, backups), measured("ours", source, backups)
    limit = MAX_RATIO * json_only["seconds"] + MAX_EXTRA
    print(
        f"\nread, render, lint and plan of {SWITCHES} switches of {ours['ports']} ports, beside json of the same files"
    )
    print(f"  json   {json_only['seconds']:.2f} s of processor")
    print(
        f"  ours   {ours['seconds']:.2f} s (read and render {ours['read']:.2f}, lint {ours['lint']:.2f}, plan {ours['plan']:.2f})"
    )
    print(f"  limit  {limit:.2f} s, {ours['memory'] / 2**20:.0f} MiB")
    assert (ours["switches"], ours["ports"], ours["errors"]) == (SWITCHES, fabric.PORTS, 0)
    # mtu of one port (no row of its own, so one write) and one server less, on every switch.
    assert ours["steps"] == 2 * SWITCHES
    assert ours["owned"] > 20, "the plan says what is to go, as the operator's does"
    assert ours["seconds"] <= limit
    assert ours["memory"] < MAX_MEMORY


def _configs(release, folder, monkeypatch):
    """A leaf and a spine with 64 ports each, as they are rendered, and a recorded one with 32."""
    monkeypatch.setitem(port_maps.PORT_MAPS, fabric.HWSKU, ())  # known to this test alone
    fabric.know_the_switch()
    source = fabric.write(folder, 50)
    if release < "202505":  # no models for VNIs in a fabric that runs frr-mgmt-framework
        source.write_text(source.read_text("utf-8").replace(", vni: 10010", ""), encoding="utf-8")
    made = fleet.from_landscape(fleet.load([str(source)]), release, ["leaf1", "spine1"])
    assert [len(config["PORT"]) for config in made.values()] == [fabric.PORTS] * 2
    return {**made, "recorded": golden.config("b-l2vni.spine1")}


@pytest.mark.accept("S1.11")
@pytest.mark.parametrize("release", golden.RELEASES)
def test_the_models_judge_a_switch_in_sixty_milliseconds_once_they_are_loaded(release, tmp_path, monkeypatch):
    models, middles = golden.models(release), {}
    configs = _configs(release, tmp_path, monkeypatch)
    with golden.judge(release) as judge:
        for name, config in configs.items():
            seconds = []
            for _attempt in range(20):
                started = time.monotonic()
                verdict = yang_check.check(models, config, judge)
                seconds.append(time.monotonic() - started)
                assert verdict.valid, verdict.faults
            middles[name] = sorted(seconds)[len(seconds) // 2]
    print(f"\nYANG {release}, middle of 20 for each switch:")
    for name, middle in middles.items():
        print(f"  {name} of {len(configs[name]['PORT'])} ports: {middle * 1000:.0f} ms")
    assert max(middles.values()) <= MAX_YANG
