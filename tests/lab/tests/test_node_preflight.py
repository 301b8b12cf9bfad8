# SPDX-License-Identifier: Apache-2.0
"""The role node_preflight on machines: what they are, and what is wrong with them."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.tests import nodes


@pytest.fixture(scope="module")
def lab():
    with nodes.machines("bookworm", "preflight", nodes.HOST, nodes.SECOND) as found:
        yield found


@pytest.fixture
def preflight(lab, tmp_path, collections_root):
    site = nodes.Site(lab, tmp_path, collections_root)

    def run(**variables):
        changes = {**nodes.SMALL, **variables.pop("changes", {})}
        role = {"ansible.builtin.include_role": {"name": "scs.landscape.node_preflight"}}
        known = {"node_preflight_profile_changes": changes, **variables}
        done = site.run(role, hosts=f"{nodes.HOST},{nodes.SECOND}", vars=known, become=False)
        return done, {host: result for task, host, result in done.results() if "Judge" in task}

    return run


def test_fit_machines_pass_and_say_what_they_are(preflight):
    done, found = preflight()
    assert done.rc == 0, done.output
    assert done.changed() == {}
    assert found[nodes.HOST]["profile"] == "control"
    assert found[nodes.SECOND]["profile"] == "compute"
    assert found[nodes.HOST]["findings"] == []
    assert abs(found[nodes.HOST]["facts"]["clock_offset"]) < 30


def test_the_profile_itself_refuses_machines_this_small(preflight):
    done, found = preflight(changes={"memory_gib": 4096, "disks": 99})
    assert done.rc != 0
    assert "Not fit for control: " in found[nodes.HOST]["msg"]
    assert {finding["id"] for finding in found[nodes.HOST]["findings"]} == {"memory", "disks"}


def test_a_clock_that_is_a_day_ahead_is_found_on_that_host_alone(lab, preflight):
    with faults.clock_ahead(lab, nodes.SECOND):
        done, found = preflight()
    assert done.rc != 0
    assert found[nodes.HOST]["ok"]
    assert found[nodes.SECOND]["msg"].startswith("Not fit for compute: the clock is 24.0 h ahead")


def test_large_packets_are_sent_for_real(lab, preflight):
    """1500 bytes reach the controller in one piece; an interface with less is found; an address nobody has is a warning."""
    target = [{"address": "10.20.0.2", "mtu": 1500}, {"address": "10.20.0.250", "mtu": 1500}]
    done, found = preflight(node_preflight_mtu_targets=target, node_preflight_interfaces=["eno1", "eno9"])
    paths = {path["address"]: path["state"] for path in found[nodes.HOST]["facts"]["paths"]}
    assert paths == {"10.20.0.2": "ok", "10.20.0.250": "no_answer"}
    assert "there is no interface eno9" in found[nodes.HOST]["msg"]
    assert done.rc != 0
    lab.machine(nodes.HOST).run(["ip", "link", "set", "eno1", "mtu", "1400"])
    try:
        _done, found = preflight(node_preflight_mtu_targets=target[:1], node_preflight_interfaces=["eno1"])
    finally:
        lab.machine(nodes.HOST).run(["ip", "link", "set", "eno1", "mtu", "1500"])
    messages = [finding["message"] for finding in found[nodes.HOST]["findings"]]
    assert messages == ["packets of 1500 bytes do not reach 10.20.0.2, smaller ones do", "eno1 has an MTU of 1400"]
    assert found[nodes.SECOND]["ok"]


def test_an_architecture_that_is_not_the_roles_is_refused(preflight):
    done, found = preflight(node_preflight_profile="compute-arm64")
    assert done.rc != 0
    assert "a compute-arm64 role on x86_64 is refused" in found[nodes.HOST]["msg"]
