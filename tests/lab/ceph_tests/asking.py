# SPDX-License-Identifier: Apache-2.0
"""Calls modules of the collection against a cluster of the lab, and stops and starts its daemons."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.modules import ceph_cluster_info, ceph_health_gate
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.kernel import wait_for
from ansible_collections.scs.landscape.tests.lab.tests.traces import traces
from ansible_collections.scs.landscape.tests.tools import yardstick

#: Seconds a command of the cluster may take while the machine is as busy as it may be.
PATIENT = 60.0


def runner(cluster: CephCluster, host: str, ran: Callable[[Sequence[str]], object] = len) -> Any:
    """What runs programs for a module, on a host of the cluster; ``ran`` is told of each that has ended."""
    machine = cluster.machine(host)

    def run(argv: Sequence[str], seconds: float, environment: Mapping[str, str]) -> tuple[int, str, str]:
        words = ["env", *(f"{name}={value}" for name, value in environment.items())]
        command = ["timeout", "--kill-after=2", f"{seconds:.1f}", *words, *argv]
        try:
            done = machine.run(command, check=False, timeout=seconds + 60)
        except subprocess.TimeoutExpired:
            return 124, "", "it did not end"
        finally:
            ran(argv)
        return done.returncode, done.stdout, done.stderr

    return run


def _call(module: ModuleType, check: bool, options: dict[str, Any], run: Any) -> Result:
    params = {name: option.get("default") for name, option in module.SPEC.items()}
    unknown = options.keys() - params.keys()
    assert not unknown
    found: Result = module.main({**params, **options}, check, run)
    return found


def gate(
    cluster: CephCluster,
    host: str = "ceph-1",
    check: bool = False,
    ran: Callable[[Sequence[str]], object] = len,
    **options: Any,
) -> Result:
    """Call ceph_health_gate on a host; patient with single commands unless told otherwise."""
    run = runner(cluster, host, ran)
    return _call(ceph_health_gate, check, {"command_timeout": PATIENT, "interval": 1, **options}, run)


def info(cluster: CephCluster, host: str = "ceph-1") -> dict[str, Any]:
    """Call ceph_cluster_info."""
    return _call(ceph_cluster_info, False, {"command_timeout": PATIENT}, runner(cluster, host)).values


def pace() -> float:
    """How much longer than usual things may take just now."""
    return max(1.0, yardstick.pace())


def start(cluster: CephCluster, host: str, *units: str) -> None:
    """Start units; Ceph's refuse after three starts in half an hour, which tests soon have made."""
    machine = cluster.machine(host)
    machine.run(["systemctl", "reset-failed", *units], check=False)
    machine.run(["systemctl", "start", *units])


@contextlib.contextmanager
def stopped(cluster: CephCluster, *daemons: tuple[str, str]) -> Iterator[None]:
    """Units of hosts that are stopped meanwhile; afterwards the cluster is clean again."""
    for host, unit in daemons:
        cluster.machine(host).run(["systemctl", "stop", unit])
    try:
        yield
    finally:
        for host, unit in daemons:
            start(cluster, host, unit)
        cluster.await_clean()


def quorum(cluster: CephCluster, host: str = "ceph-1") -> list[int]:
    """Ranks of the mons in quorum as the mon of a host sees it, which it tells without a quorum too."""
    done = cluster.machine(host).run(["ceph", "daemon", f"mon.{host}", "mon_status"], check=False)
    return list(json.loads(done.stdout)["quorum"]) if done.returncode == 0 else []


def await_missed(cluster: CephCluster, *mons: str) -> None:
    """Wait until the mon of the first host has noticed that others are gone: that takes some seconds."""
    ranks = {cluster.layout.hosts.index(mon) for mon in mons}
    assert wait_for(lambda: not ranks & set(quorum(cluster)), 60 * pace(), 0.2)


def _settled(cluster: CephCluster, name: str) -> bool:
    """Whether the one placement group of a pool is served, or for ever is not."""
    states = [one["state"].split("+") for one in cluster.ask("pg", "ls-by-pool", name)["pg_stats"]]
    return len(states) == 1 and {"active", "peered"} & set(states[0]) != set()


@contextlib.contextmanager
def pool(cluster: CephCluster, name: str, size: int, min_size: int) -> Iterator[int]:
    """A pool with one placement group; its number."""
    cluster.run(["ceph", "osd", "pool", "create", name, "1", "1", "replicated", "--size", str(size)])
    try:
        cluster.run(["ceph", "osd", "pool", "set", name, "min_size", str(min_size)])
        cluster.run(["ceph", "osd", "pool", "application", "enable", name, "lab"])
        numbers = {found["pool_name"]: found["pool_id"] for found in cluster.ask("osd", "pool", "ls", "detail")}
        # until the mgr has heard of it, the placement group is in no list, and "all are clean" says nothing of it
        assert wait_for(lambda: _settled(cluster, name), 120 * pace(), 0.5), cluster.ask("pg", "ls-by-pool", name)
        yield numbers[name]
    finally:
        cluster.run(["ceph", "osd", "pool", "rm", name, name, "--yes-i-really-really-mean-it"])


def left(cluster: CephCluster) -> dict[str, list[str]]:
    """What still names a cluster, once the kernel had its time to detach loop devices."""
    words = [str(cluster.lab.lane.folder), cluster.lab.disks, cluster.lab.lane.cgroup]
    wait_for(lambda: not any(traces(words, set()).values()), 15 * pace(), 0.5)
    return {kind: names for kind, names in traces(words, set()).items() if names}


def put(cluster: CephCluster, text: str) -> None:
    """Leave a mark in the cluster's data."""
    cluster.run(["rados", "--pool", "volumes", "setxattr", "mark", "text", text])


def read(cluster: CephCluster) -> str:
    """The mark."""
    return cluster.run(["rados", "--pool", "volumes", "getxattr", "mark", "text"]).stdout.strip()


def boots(cluster: CephCluster, osd: int) -> int:
    """The epoch in which an OSD came up; it grows with each of its starts. Until the cluster has noticed that an OSD is
    gone, it is up and its placement groups are clean: waiting for that alone may be waiting for nothing."""
    (found,) = [one for one in cluster.ask("osd", "dump")["osds"] if one["osd"] == osd]
    return int(found["up_from"]) if found["up"] else 0


def await_boot(cluster: CephCluster, osd: int, before: int, seconds: float) -> None:
    """Wait until an OSD has started again since then, and the cluster is clean."""
    assert wait_for(lambda: boots(cluster, osd) > before, seconds, 0.5), cluster.ask("osd", "tree")
    cluster.await_clean()
