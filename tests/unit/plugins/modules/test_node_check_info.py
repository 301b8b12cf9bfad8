# SPDX-License-Identifier: Apache-2.0
"""The module node_check_info: a machine made of a folder, and this one."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host
from ansible_collections.scs.landscape.plugins.modules import node_check_info
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node import machines
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.node.machines import filled


@pytest.fixture
def machine(tmp_path):
    return machines.fit(tmp_path)


def info(machine, **options):
    return node_check_info.main(filled(node_check_info.SPEC, options), False, machine, lambda: 1000.0)


def test_the_module_judges_and_fails_only_when_told_to(machine):
    told = info(machine, role="compute", controller_time=1000.0 - 86400)
    assert told.failed == ""
    assert told.values["ok"] is False
    assert told.values["profile"] == "compute"
    assert {"clock", "cpus", "firmware"} <= {finding["id"] for finding in told.values["findings"]}
    refused = info(machine, profile="network", profile_changes={"memory_gib": 64}, fail_on_finding=True)
    assert refused.failed == "Not fit for network: 32 GiB of memory, 64 GiB are needed"
    fit = info(machine, profile="network", controller_time=1001.0, fail_on_finding=True)
    assert fit.values["ok"] is True
    assert fit.failed == ""
    with pytest.raises(InputError, match="no IP address"):
        info(machine, mtu_targets=[{"address": "host"}])


def test_this_machine_can_be_read(programs):
    """The real one: whatever it is, its numbers are possible."""
    options = filled(node_check_info.SPEC, {"mtu_targets": [{"address": "127.0.0.1"}]})
    told = node_check_info.main(options, True, Host(programs))
    facts = told.values["facts"]
    assert facts["cpus"] > 0
    assert facts["memory"] > 100 * 1024**2
    assert facts["cpu_flags"]
