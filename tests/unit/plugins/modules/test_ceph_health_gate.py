# SPDX-License-Identifier: Apache-2.0
"""The module ceph_health_gate on recorded answers; on a real cluster in tests/lab/ceph_tests."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.modules import ceph_health_gate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded


def run(module, world, check=False, **options):
    params = {name: option.get("default") for name, option in module.SPEC.items()}
    return module.main({**params, **options}, check, world)


def test_a_healthy_cluster_passes_and_the_probe_leaves_nothing():
    world = Recorded()
    result = run(ceph_health_gate, world, checks=["quorum", "pgs", "osds", "mgr", "health"], probe_pools=["volumes"])
    assert result.failed == ""
    # One look; how long it takes is a matter of the machine.
    waited = result.values["gate"]["waited"]
    assert result.values["gate"] == {"passed": True, "reasons": [], "waited": waited, "looks": 1}
    assert 0 <= waited < 60
    (progress,) = result.values["progress"]
    assert progress == {"seconds": progress["seconds"], "reasons": []}
    assert list(result.values["probes"]) == ["volumes"]
    assert world.attributes == {}


def test_an_undersized_group_fails_with_everything_returned():
    result = run(ceph_health_gate, Recorded(healthy=False), timeout=0)
    assert "not fit for the next step: PG 10.0 of pool narrow is undersized+peered" in result.failed
    assert result.values["pgs"]["undersized+peered"] == 1
    assert result.values["quorum"]["names"] == ["ceph-1", "ceph-2", "ceph-3"]


def test_check_mode_looks_once_writes_nothing_and_does_not_fail():
    world = Recorded(healthy=False)
    result = run(ceph_health_gate, world, check=True, probe_pools=["volumes"])
    assert result.failed == ""
    assert result.values["gate"]["looks"] == 1
    assert not result.values["gate"]["passed"]
    assert not [argv for argv in world.said if "rados" in argv]


@pytest.mark.parametrize("name", ["mons", "stop_osds", "probe_pools"])
def test_lists_of_one_call_are_not_those_of_the_next(name):
    assert ceph_health_gate.SPEC[name]["default"] == []
    run(ceph_health_gate, Recorded())
    assert ceph_health_gate.SPEC[name]["default"] == []
