# SPDX-License-Identifier: Apache-2.0
"""Proofs with the lab's Cinder: one bit of one object of the store is another one, and exactly that backup is named."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.openstack_tests.vault import PATIENCE, Vault, vault_of

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def vault(volume_cloud: Cloud, tmp_path: Path) -> Iterator[Vault]:
    """Of a plain member."""
    yield from vault_of(Desk(volume_cloud, tmp_path, "member"), tmp_path)


def marks(vault: Vault, key: str) -> list[str]:
    """Names of backups with a mark."""
    return sorted(one["name"] for one in vault.all("backups") if key in one["metadata"])


@pytest.mark.accept("B1.2", "B1.16")
def test_one_bit_in_the_store_and_exactly_that_backup_is_named(vault: Vault, seed: int) -> None:
    names = {}
    for number, name in enumerate(("a", "b", "c")):
        volume = vault.volume(name, metadata={"who": "somebody"} if number else {})
        vault.write(volume, seed + number)
        names[vault.backup(volume, name)] = name
    given = {"digests": str(vault.digests), "reader": vault.reader, "period_days": 0, "max_parallel": 3}
    began = time.time()
    planned = vault.desk.run("volume_backup_verify", check_mode=True, **given)
    assert vault.desk.cloud.writes("cinder", began) == []
    whole = vault.desk.run("volume_backup_verify", **given)
    assert (whole.failed, whole.plan.digest) == ("", planned.plan.digest)
    assert (marks(vault, model.PROVEN), marks(vault, model.REFUTED)) == (["a", "b", "c"], [])
    assert vault.scratch() == []

    victim = random.Random(seed).choice(sorted(names))
    vault.flip(victim, seed)
    found = vault.desk.run("volume_backup_verify", **given)
    verdicts = {one["backup"]: one["status"] for one in found.values["verified"]}
    assert verdicts.pop(victim) in ("refuted", "unrestorable")
    assert set(verdicts.values()) == {"proven"}
    assert victim in found.failed
    assert not any(other in found.failed for other in verdicts)
    assert marks(vault, model.REFUTED) == [names[victim]]
    assert vault.scratch() == []
    # What is proven stays so for its period; what is refuted is tried again.
    began = time.time()
    planned = vault.desk.run("volume_backup_verify", check_mode=True, **{**given, "period_days": 30})
    assert [one["backup"] for one in planned.values["verified"]] == [victim]


@pytest.mark.full
@pytest.mark.accept("B1.2")
def test_a_killed_run_s_scratch_volume_goes_with_the_next_one(vault: Vault, seed: int) -> None:
    volume = vault.volume("source", metadata={"who": "somebody"})
    vault.write(volume, seed)
    backup = vault.backup(volume, "good")
    given = {"digests": str(vault.digests), "reader": vault.reader}
    run = vault.desk.start("volume_backup_verify", **given)
    end = time.monotonic() + PATIENCE
    try:
        while not vault.scratch() and run.poll() is None and time.monotonic() < end:
            time.sleep(0.3)
        (left,) = vault.scratch()
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
    done = vault.desk.run("volume_backup_verify", **given)
    assert done.values["orphans"] == [left]
    assert (done.failed, vault.scratch(), marks(vault, model.PROVEN)) == ("", [], ["good"])
    assert done.values["verified"][0]["backup"] == backup
    again = vault.desk.run("volume_backup_verify", **given)
    assert (again.changed, again.values["orphans"]) == (False, [])
