# SPDX-License-Identifier: Apache-2.0
"""A fabric of 100 switches with 64 ports each: rendered, checked and planned in one process, beside json of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import yang_check
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
    from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet, plan, targets
    from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
    from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
    view = fleet.load([source])
    started = clock()
    wanted = fleet.from_landscape(view, "202605")
    rendered = clock()
    issues = validate.check(Fabric([Switch(name, config, "202605") for name, config in wanted.items()]))
    linted = clock()
    before = fleet.from_files([str(backups)])
    made = plan.plan_fabric(
        [plan.plan_switch(name, before[name], targets.wanted(before[name], wanted[name]), "202605") for name in wanted],
        fleet.groups(view),
    )
    steps = len(made.plan)
    done = clock()
    return {
        "seconds": done - started, "render": rendered - started, "lint": linted - rendered, "plan": done - linted,
        "steps": steps, "waves": len(made.waves), "errors": len(validate.unwaived(issues, "warning")),
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
    print(f"\nrender, lint and plan of {SWITCHES} switches of {ours['ports']} ports, beside json of the same files")
    print(f"  json   {json_only['seconds']:.2f} s of processor")
    print(
        f"  ours   {ours['seconds']:.2f} s (render {ours['render']:.2f}, lint {ours['lint']:.2f}, plan {ours['plan']:.2f})"
    )
    print(f"  limit  {limit:.2f} s, {ours['memory'] / 2**20:.0f} MiB")
    assert (ours["switches"], ours["ports"], ours["errors"]) == (SWITCHES, fabric.PORTS, 0)
    # mtu of one port (no row of its own, so one write) and one server less, on every switch.
    assert ours["steps"] == 2 * SWITCHES
    assert ours["seconds"] <= limit
    assert ours["memory"] < MAX_MEMORY


@pytest.mark.accept("S1.11")
@pytest.mark.parametrize("release", golden.RELEASES)
def test_the_models_judge_a_switch_in_sixty_milliseconds_once_they_are_loaded(release):
    models, config = golden.models(release), golden.config("b-l2vni.spine1")
    seconds = []
    with golden.judge(release) as judge:
        for _attempt in range(20):
            started = time.monotonic()
            assert yang_check.check(models, config, judge).valid
            seconds.append(time.monotonic() - started)
    middle = sorted(seconds)[len(seconds) // 2]
    print(f"\nYANG {release}: {middle * 1000:.0f} ms for a switch, middle of {len(seconds)}")
    assert middle <= MAX_YANG
