# SPDX-License-Identifier: Apache-2.0
"""Validation and documentation of a large landscape beside a plain parse of the same YAML: seconds and memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ansible_collections.scs.landscape.tests.bench import generate

HOSTS, CABLES = 1000, 5000
MAX_RATIO = 15
MAX_MEMORY = 300 * 1024 * 1024

_MEASURE = """
import json, resource, sys, time
job, source, target = sys.argv[1:]
PLACE = "ansible_collections.scs.landscape.plugins"

def yardstick():
    import pathlib, yaml
    texts = [path.read_text() for path in sorted(pathlib.Path(source).rglob("*.yml"))]
    return lambda: [yaml.load(text, yaml.CSafeLoader) for text in texts]

def validate():
    from ansible_collections.scs.landscape.plugins.modules import landscape_validate as module
    options = {"src": [source], "observed": [], "fail_on": "info", "reports": [], "as_of": None}
    return lambda: module.main(options, False)

def docs():
    from ansible_collections.scs.landscape.plugins.modules import landscape_docs as module
    from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import tables
    options = {"src": [source], "dest": target, "title": None, "include": list(tables.SECTIONS), "svg": True,
               "front_matter": None, "prune": True, "adopt": False, "stale": "report", "as_of": None}
    return lambda: module.main(options, False)

work = {"yardstick": yardstick, "validate": validate, "docs": docs}[job]()
started = time.process_time()
result = work()
seconds = time.process_time() - started
assert not getattr(result, "failed", ""), result.failed
# ru_maxrss counts KiB on Linux.
print(json.dumps({"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def cost(job, source, target):
    """Processor seconds of the work itself, and the peak memory of its process in bytes."""
    argv = [sys.executable, "-c", _MEASURE, job, str(source), str(target)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


@pytest.mark.accept("F1.12")
@pytest.mark.parametrize("job", ["validate", "docs"])
def test_a_large_landscape_takes_at_most_fifteen_parses(tmp_path, job):
    generate.write(tmp_path / "landscape", HOSTS, CABLES)
    parse = cost("yardstick", tmp_path / "landscape", tmp_path)
    ours = cost(job, tmp_path / "landscape", tmp_path / "out")
    again = cost(job, tmp_path / "landscape", tmp_path / "out")
    ratio = ours["seconds"] / parse["seconds"]
    print(f"\n{job}, {HOSTS} hosts, {CABLES} cables, beside one parse with the C loader")
    print(
        f"  ratio {ratio:.1f}, second run {again['seconds'] / parse['seconds']:.1f}, {ours['memory'] / 2**20:.0f} MiB"
    )
    assert ratio <= MAX_RATIO
    assert ours["memory"] < MAX_MEMORY
