# SPDX-License-Identifier: Apache-2.0
"""``osism apply`` against machines of the embedded lab: what arrives at the far end, whatever OSISM's files say."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.osism.configuration import OSISM_SILENCE, Manager

CONTROL, COMPUTE, LEAF = HOSTS = ("em01-ctl-r01-u03", "em01-comp-r01-u04", "em01-leaf-r01-u38")
#: Silence that we allow ourselves: OSISM gives up after 300 s, the house promises 60 s.
MAX_SILENCE = 60.0
LIMIT = ("-l", ",".join(HOSTS))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab(lane(os.environ.get("SCS_LEG", "local").replace("core", "osism").replace(".", "-")))
    try:
        lab.up(HOSTS)
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="module")
def deployed(lab: Lab, prepared: Manager, tmp_path_factory: pytest.TempPathFactory) -> Manager:
    """A manager with the embedded landscape whose first deploy is done."""
    manager = prepared.copy(tmp_path_factory.mktemp("machines") / "manager")
    shutil.rmtree(manager.custom / "landscape")
    shutil.rmtree(manager.repository / "inventory")
    (manager.repository / "inventory/host_vars").mkdir(parents=True)
    shutil.copytree(lab.landscape, manager.custom / "landscape")
    shutil.copy(lab.lane.file("keys") / "login", manager.home / "ansible/secrets/id_rsa.operator")
    manager.prefix = lab.entering()
    done = manager.apply("render")
    assert done.rc == 0, done.output
    # How machines are reached before their loopbacks are routed: as OSISM's guide has it, in the host's own file.
    lab_inventory = json.loads(lab.inventory.read_text(encoding="utf-8"))["all"]
    profile = {name: value for name, value in lab_inventory["vars"].items() if name.startswith("node_")}
    for host, variables in lab_inventory["hosts"].items():
        own = manager.repository / f"inventory/host_vars/{host}/99-local.yml"
        own.write_text(json.dumps({"ansible_host": variables["ansible_host"], **profile}), encoding="utf-8")
    manager.reconcile()
    first = manager.apply("lab_deploy", *LIMIT)
    assert first.rc == 0, first.output[-4000:]
    assert all(first.results()[host]["changed"] for host in HOSTS), first.results()
    return manager


@pytest.fixture
def site(deployed: Manager, tmp_path: Path) -> Manager:
    return deployed.copy(tmp_path / "manager")


def tables(lab: Lab) -> dict[str, state.Table]:
    return state.of_all({name: lab.machine(name) for name in HOSTS})


def lasting(lab: Lab) -> dict[str, state.Table]:
    return {name: state.lasting(table) for name, table in tables(lab).items()}


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "hosts.yml"])
def test_a_second_deploy_changes_nothing(lab: Lab, site: Manager, fast: bool) -> None:
    before = lasting(lab)
    done = site.apply("lab_deploy", *LIMIT, fast=fast)
    assert done.rc == 0, done.output[-4000:]
    assert {host: done.results()[host]["changed"] for host in HOSTS} == dict.fromkeys(HOSTS, 0)
    assert state.differences(before, lasting(lab)) == []
    assert done.silence < MAX_SILENCE


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize("service", ["lab_verify", "lab_status"])
def test_plays_that_look_write_nothing(lab: Lab, site: Manager, service: str) -> None:
    before = tables(lab)
    done = site.apply(service, *LIMIT)
    assert "fatal:" not in done.output, done.output[-4000:]
    assert not any(counters["changed"] for host, counters in done.results().items() if host in HOSTS)
    assert state.differences(before, tables(lab)) == []


#: Each beats the values of all hosts. The word is what the refusal must name.
POISON = [
    ("ansible_host", "10.20.0.11"),
    ("ansible_connection", "local"),
    ("inventory_hostname", CONTROL),
    ("landscape_role", "control"),
    ("landscape_environment", "prod"),
]


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize(("name", "value"), POISON, ids=[name for name, _value in POISON])
@pytest.mark.parametrize("file", ["configuration"])
def test_a_poisoned_variable_is_refused_before_any_machine_is_touched(
    lab: Lab, site: Manager, file: str, name: str, value: str
) -> None:
    """Proven where it counts: nothing differs on any machine, and no login was even tried by the deploy."""
    # Something to do, so that a deploy that goes through shows.
    machine = lab.machine(COMPUTE)
    machine.run(["sh", "-c", "echo '# drifted' >>/etc/systemd/journald.conf.d/50-scs-landscape.conf"])
    before = tables(lab)
    site.set(file, **{name: value})
    done = site.apply("lab_deploy", *LIMIT)
    assert done.rc != 0, done.output[-3000:]
    assert name in done.output
    assert "Traceback" not in done.output
    assert state.differences(before, tables(lab)) == []


@pytest.mark.accept("L1.7")
def test_values_that_only_look_like_ours_are_without_effect(lab: Lab, site: Manager) -> None:
    """Addresses, AS numbers and BMCs under names OSISM or an operator might use: each host ends as it was."""
    assert site.apply("lab_deploy", *LIMIT).rc == 0
    before = lasting(lab)
    for number, name in enumerate(
        ("internal_address", "mgmt_address", "bmc_address", "lab_bmc", "lab_asn", "frr_local_as")
    ):
        site.set("custom/configuration", **{name: f"192.0.2.{number}"})
    done = site.apply("lab_deploy", *LIMIT)
    assert done.rc == 0, done.output[-4000:]
    assert state.differences(before, lasting(lab)) == []


@pytest.mark.accept("L1.7")
def test_a_stale_fact_cache_is_not_believed(lab: Lab, site: Manager) -> None:
    """OSISM keeps facts for a day: a deploy reads what is there now."""
    for host in HOSTS:
        facts = {
            "ansible_architecture": "aarch64",
            "ansible_memtotal_mb": 1,
            "ansible_distribution": "Plan9",
            "module_setup": True,
        }
        for name in (host, f"s1_{host}"):
            (site.home / "ansible/cache" / name).write_text(json.dumps(facts), encoding="utf-8")
    before = lasting(lab)
    done = site.apply("lab_deploy", *LIMIT)
    assert done.rc == 0, done.output[-4000:]
    assert state.differences(before, lasting(lab)) == []


@pytest.mark.accept("L1.7")
def test_a_host_that_hangs_does_not_silence_the_run(lab: Lab, site: Manager) -> None:
    """OSISM asks SSH to try again three times, and ends a run that says nothing for 300 s."""
    with faults.ssh_hangs(lab, COMPUTE):
        done = site.apply("lab_deploy", *LIMIT, seconds=OSISM_SILENCE)
    assert done.rc != 0
    assert COMPUTE in done.output
    assert done.results()[LEAF]["failed"] == 0
    print(f"longest silence {done.silence:.0f} s")
    assert done.silence < MAX_SILENCE
