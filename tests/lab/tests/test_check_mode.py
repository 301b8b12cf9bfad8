# SPDX-License-Identifier: Apache-2.0
"""``lab_deploy --check`` is the plan and nothing else: no machine differs after it, and the deploy does what it said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, renew


@pytest.fixture
def controller(lab: Lab, tmp_path: Path, collections_root: Path) -> Controller:
    return Controller(lab, tmp_path, collections_root)


@pytest.mark.accept("L1.8")
def test_check_mode_changes_nothing_and_says_what_the_deploy_does(lab: Lab, controller: Controller) -> None:
    renew(lab)
    before = state.of_all(lab.machines)
    checked = controller.run("scs.landscape.lab_deploy", "--check", "--diff", "-v")
    assert checked.rc == 0, checked.output[-4000:]
    assert state.differences(before, state.of_all(lab.machines)) == []
    assert not (controller.folder / "docs").exists(), "documentation was written in check mode"
    assert not controller.reports.exists(), "a report was written in check mode"
    planned = {host: plans for host, plans in checked.plans().items() if host in lab.machines}
    assert set(planned) == set(lab.machines), "every machine is new: each has something to do"

    real = controller.run("scs.landscape.lab_deploy", "--diff", "-v")
    assert real.rc == 0, real.output[-4000:]
    done = {host: plans for host, plans in real.plans().items() if host in lab.machines}
    assert done == planned
    changed = state.of_all(lab.machines)
    assert all(changed[host] != before[host] for host in lab.machines)

    again = controller.run("scs.landscape.lab_deploy", "--check", "-v")
    assert again.rc == 0, again.output[-4000:]
    assert not again.changed()
    assert not {host for host in again.plans() if host in lab.machines}
    assert state.differences(changed, state.of_all(lab.machines)) == []
