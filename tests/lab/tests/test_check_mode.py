# SPDX-License-Identifier: Apache-2.0
"""``lab_deploy --check`` is the plan and nothing else: no machine differs after it, and the deploy does what it said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, limit, renew, sample


@pytest.fixture
def controller(lab: Lab, tmp_path: Path, collections_root: Path) -> Controller:
    return Controller(lab, tmp_path, collections_root)


@pytest.mark.accept("L1.8")
def test_check_mode_changes_nothing_and_says_what_the_deploy_does(lab: Lab, controller: Controller) -> None:
    hosts = sample(lab)
    renew(lab, *hosts)
    machines = {name: lab.machine(name) for name in hosts}
    before = state.of_all(machines)
    checked = controller.run("scs.landscape.lab_deploy", *limit(*hosts), "--check", "--diff", "-v")
    assert checked.rc == 0, checked.output[-4000:]
    assert state.differences(before, state.of_all(machines)) == []
    assert not (controller.folder / "docs").exists(), "documentation was written in check mode"
    assert not controller.reports.exists(), "a report was written in check mode"
    planned = {host: plans for host, plans in checked.plans().items() if host in hosts}
    assert set(planned) == set(hosts), "every machine is new: each has something to do"

    real = controller.run("scs.landscape.lab_deploy", *limit(*hosts), "--diff", "-v")
    assert real.rc == 0, real.output[-4000:]
    done = {host: plans for host, plans in real.plans().items() if host in hosts}
    assert done == planned
    changed = state.of_all(machines)
    assert all(changed[host] != before[host] for host in hosts)

    again = controller.run("scs.landscape.lab_deploy", *limit(*hosts), "--check", "-v")
    assert again.rc == 0, again.output[-4000:]
    assert not again.changed()
    assert not {host for host in again.plans() if host in hosts}
    assert state.differences(changed, state.of_all(machines)) == []
