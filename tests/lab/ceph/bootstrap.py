# SPDX-License-Identifier: Apache-2.0
"""Makes a cluster out of hosts that have nothing but packages and empty disks, in the order of ceph-ansible."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...tools.console import Unavailable, say
from ..machine import Machine
from . import lvm
from .layout import POOLS, USERS, Layout, conf

_ADMIN = "/etc/ceph/ceph.client.admin.keyring"
_KEYRING = "/tmp/ceph.mon.keyring"
_MONMAP = "/tmp/monmap"
_OSD_KEYRING = "/var/lib/ceph/bootstrap-osd/ceph.keyring"
_PAUSE = 0.5

Run = Callable[..., Any]


def build(machines: dict[str, Machine], layout: Layout) -> None:
    """Build the cluster: mons, mgrs, OSDs, pools and users, then what is on demand."""
    began = time.monotonic()

    def done(what: str) -> None:
        say(f"{what} after {time.monotonic() - began:.0f} s")

    first = machines[layout.hosts[0]]
    hosts = {host: machines[host] for host in layout.hosts}
    _keys(machines, layout)
    _each(hosts, _mon)
    await_quorum(first.run, layout)
    done("mons are in quorum")
    _settings(first)
    _each({host: machines[host] for host in layout.mgrs}, _mgr)
    stores = [machines[host] for host in layout.stores]
    with ThreadPoolExecutor(max(1, len(stores))) as pool:  # they take longer than all the rest
        waiting = [pool.submit(lvm.create, machine, layout) for machine in stores]
        _each(hosts, _osds)
        for one in waiting:
            one.result()
    done("OSDs are prepared")
    _pools(first)
    _each({host: machines[host] for host in layout.rgws}, _rgw)
    if layout.mdss:
        _filesystem(first)
        _each({host: machines[host] for host in layout.mdss}, _mds)
    _share_users(hosts, first)
    await_clean(first.run, layout)
    done("placement groups are clean")


def _each(machines: dict[str, Machine], action: Callable[[Machine], None]) -> None:
    with ThreadPoolExecutor(max(1, len(machines))) as pool:
        list(pool.map(action, machines.values()))


def _put(machine: Machine, path: str, content: str, mode: str = "0600") -> None:
    machine.run(["install", "-D", "-o", "ceph", "-g", "ceph", "-m", mode, "/dev/stdin", path], input=content)


def _keys(machines: dict[str, Machine], layout: Layout) -> None:
    """Keys of the mons and of the admin, and the first monmap, the same on every host."""
    first = machines[layout.hosts[0]]
    fsid = str(uuid.uuid4())
    allow = ["--cap", "osd", "allow *", "--cap", "mds", "allow *", "--cap", "mgr", "allow *"]
    tool = ["ceph-authtool", "--gen-key", "--create-keyring"]
    first.run([*tool, _KEYRING, "-n", "mon.", "--cap", "mon", "allow *"])
    first.run([*tool, _ADMIN, "-n", "client.admin", "--cap", "mon", "allow *", *allow])
    first.run([*tool, _OSD_KEYRING, "-n", "client.bootstrap-osd", "--cap", "mon", "profile bootstrap-osd"])
    for other in (_ADMIN, _OSD_KEYRING):
        first.run(["ceph-authtool", _KEYRING, "--import-keyring", other])
    addresses = [
        word
        for host in layout.hosts
        for word in ("--addv", host, f"[v2:{layout.address(host)}:3300,v1:{layout.address(host)}:6789]")
    ]
    first.run(["monmaptool", "--create", *addresses, "--fsid", fsid, _MONMAP])
    files = {path: first.run(["base64", path]).stdout for path in (_KEYRING, _MONMAP, _ADMIN, _OSD_KEYRING)}
    text = conf(layout, fsid)
    for machine in machines.values():
        _put(machine, "/etc/ceph/ceph.conf", text, "0644")
        # hosts with nothing but OSDs need no other key, and get none
        own = files if machine.name in layout.hosts else {_OSD_KEYRING: files[_OSD_KEYRING]}
        for path, content in own.items():
            machine.run(["sh", "-c", 'base64 -d >"$0" && chown ceph:ceph "$0" && chmod 600 "$0"', path], input=content)


def _mon(machine: Machine) -> None:
    folder = f"/var/lib/ceph/mon/ceph-{machine.name}"
    machine.run(["install", "-d", "-o", "ceph", "-g", "ceph", "-m", "0750", folder])
    mkfs = ["ceph-mon", "--cluster", "ceph", "--mkfs", "-i", machine.name, "--monmap", _MONMAP, "--keyring", _KEYRING]
    machine.run([*mkfs, "--setuser", "ceph", "--setgroup", "ceph"])
    machine.run(["rm", _MONMAP, _KEYRING])
    machine.run(["systemctl", "enable", "--quiet", "--now", f"ceph-mon@{machine.name}"])


def _settings(first: Machine) -> None:
    for option, value in (
        ("auth_allow_insecure_global_id_reclaim", "false"),
        ("mon_allow_pool_delete", "true"),
    ):
        first.run(["ceph", "config", "set", "mon", option, value])


def _daemon(machine: Machine, name: str, folder: str, unit: str, caps: list[str]) -> None:
    """A daemon with a folder that holds its keyring, and its unit."""
    machine.run(["install", "-d", "-o", "ceph", "-g", "ceph", "-m", "0750", folder])
    _put(machine, f"{folder}/keyring", machine.run(["ceph", "auth", "get-or-create", name, *caps]).stdout)
    machine.run(["systemctl", "enable", "--quiet", "--now", unit])


def _mgr(machine: Machine) -> None:
    caps = ["mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"]
    host = machine.name
    _daemon(machine, f"mgr.{host}", f"/var/lib/ceph/mgr/ceph-{host}", f"ceph-mgr@{host}", caps)


def _rgw(machine: Machine) -> None:
    name = f"rgw.{machine.name}.rgw0"
    caps = ["mon", "allow rw", "osd", "allow rwx"]
    _daemon(machine, f"client.{name}", f"/var/lib/ceph/radosgw/ceph-{name}", f"ceph-radosgw@{name}", caps)


def _mds(machine: Machine) -> None:
    caps = ["mon", "allow profile mds", "mgr", "allow profile mds", "osd", "allow rwx", "mds", "allow"]
    host = machine.name
    _daemon(machine, f"mds.{host}", f"/var/lib/ceph/mds/ceph-{host}", f"ceph-mds@{host}", caps)


def _filesystem(first: Machine) -> None:
    for pool in ("cephfs_data", "cephfs_metadata"):
        first.run(["ceph", "osd", "pool", "create", pool, "8"])
    first.run(["ceph", "fs", "new", "cephfs", "cephfs_metadata", "cephfs_data"])
    first.run(["ceph", "fs", "set", "cephfs", "standby_count_wanted", "0"])


def _osds(machine: Machine) -> None:
    """Prepare the disks one after the other, then activate them."""
    devices = json.loads(machine.run(["cat", "/run/lab-disks.json"]).stdout)
    for device in devices.values():
        machine.run(["ceph-volume", "raw", "prepare", "--bluestore", "--data", device], timeout=300)
    # the unit that holds the loop devices fills the folders of the OSDs when it starts
    machine.run(["python3", "-B", "/usr/local/lib/lab-disks.py", "--prime", *devices.values()])
    for name in machine.run(["ls", "/var/lib/ceph/osd"]).stdout.split():
        machine.run(["systemctl", "enable", "--quiet", "--now", f"ceph-osd@{name.partition('-')[2]}"])


def _pools(first: Machine) -> None:
    for pool in POOLS:
        first.run(["ceph", "osd", "pool", "create", pool, "8"])
    for pool in POOLS:
        first.run(["rbd", "pool", "init", pool])


def _share_users(machines: dict[str, Machine], first: Machine) -> None:
    for user, (mon, osd) in USERS.items():
        text = first.run(["ceph", "auth", "get-or-create", user, "mon", mon, "osd", osd, "mgr", "profile rbd"]).stdout
        for machine in machines.values():
            _put(machine, f"/etc/ceph/ceph.{user}.keyring", text)


# waiting


def _status(run: Run) -> dict[str, Any]:
    done = run(["ceph", "--connect-timeout", "5", "status", "--format", "json"], check=False)
    answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 and done.stdout else {}
    return answer


def await_quorum(run: Run, layout: Layout, seconds: float = 60.0) -> None:
    """Wait until every mon is in quorum."""
    wanted = set(layout.hosts)
    _await(lambda: wanted <= set(_status(run).get("quorum_names", ())), seconds, "not every mon is in quorum")


def await_clean(run: Run, layout: Layout, seconds: float = 300.0, healthy: bool = False) -> None:
    """Wait until every mon is in quorum, one mgr active and the others ready, every OSD up, every placement group active
    and clean, and every object gateway known to the mgr.

    :param healthy: until no health check is raised, too: some outlast their reason by seconds.
    """
    wanted = set(layout.hosts)
    seen: dict[str, Any] = {}

    def clean() -> bool:
        seen.clear()
        seen.update(_status(run))
        return (
            wanted <= set(seen.get("quorum_names", ()))
            and seen["mgrmap"]["available"]
            and seen["mgrmap"]["num_standbys"] == len(layout.mgrs) - 1
            and seen["osdmap"]["num_up_osds"] == layout.total
            and len(_gateways(seen)) >= len(layout.rgws)
            and (not healthy or seen["health"]["status"] == "HEALTH_OK")
            and _are_clean(run)
        )

    _await(clean, seconds, lambda: f"the cluster is not clean: {json.dumps(seen.get('health', seen))[:400]}")


def _are_clean(run: Run) -> bool:
    """Whether the mgr says so of every placement group: what the mons say of them may be from before a restart."""
    done = run(["ceph", "--connect-timeout", "10", "pg", "stat", "--format", "json"], check=False)
    if done.returncode:
        return False
    found = json.loads(done.stdout)
    summary = found["pg_summary"]
    states = [state["name"] for state in summary["num_pg_by_state"]]
    return (
        bool(found["pg_ready"])
        and summary["num_pgs"] > len(POOLS)
        and all(state.startswith("active+clean") for state in states)
    )


def _gateways(status: dict[str, Any]) -> list[str]:
    """Sessions of object gateways, which report to the mgr some seconds after they serve."""
    daemons = status.get("servicemap", {}).get("services", {}).get("rgw", {}).get("daemons", {})
    return [session for session in daemons if session != "summary"]


def end_gateways(machines: dict[str, Machine], layout: Layout) -> None:
    """Stop the object gateways and wait until the mgr has forgotten them, which usually takes a minute. Those of a
    prepared cluster would be counted beside the new ones wherever it is started."""
    if not layout.rgws:
        return
    for host in layout.mgrs:
        machines[host].run(["ceph", "daemon", f"mgr.{host}", "config", "set", "mgr_service_beacon_grace", "5"])
    for host in layout.rgws:
        machines[host].run(["systemctl", "stop", f"ceph-radosgw@rgw.{host}.rgw0"])
    run = machines[layout.hosts[0]].run
    _await(lambda: not _gateways(_status(run)), 120.0, "the mgr still knows object gateways that ended")


def end_mgrs(machines: dict[str, Machine], layout: Layout) -> None:
    """Stop the mgrs and have the mons forget them, so that a mgr they know later is one that runs."""
    for host in layout.mgrs:
        machines[host].run(["systemctl", "stop", f"ceph-mgr@{host}"])
    run = machines[layout.hosts[0]].run

    def are_gone() -> bool:
        for host in layout.mgrs:
            run(["ceph", "mgr", "fail", host], check=False)
        known = _status(run)["mgrmap"]
        return not known["available"] and not known["num_standbys"]

    _await(are_gone, 120.0, "the mons still know mgrs that ended")


def _await(condition: Callable[[], bool], seconds: float, why: str | Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Unavailable(f"{why if isinstance(why, str) else why()} (waited {seconds:.0f} s)")
        time.sleep(_PAUSE)
