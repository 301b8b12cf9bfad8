# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a Ceph cluster says about itself, as data. Sources: the JSON of ``ceph ... --format json``, releases 15 to 19."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..core.errors import LandscapeError


class CephError(LandscapeError):
    """The cluster could not be asked.

    :param final: asking again gives the same answer: a missing program, a refused key.
    :param silent: there was no answer within the time of one command.
    """

    def __init__(self, message: str, *, final: bool = False, silent: bool = False, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.final, self.silent = final, silent


@dataclass(frozen=True)
class Quorum:
    """Mons of the monmap by name, with their addresses, and those that are in quorum; ``age`` of the quorum in seconds."""

    mons: dict[str, list[str]]
    names: tuple[str, ...]
    leader: str
    monmap_epoch: int
    election_epoch: int
    age: int


@dataclass(frozen=True)
class Check:
    """A health check that is raised."""

    name: str
    severity: str
    message: str
    muted: bool = False
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Groups:
    """Placement groups: how many, in which states, and objects that are not where or as often as they should be."""

    total: int = 0
    states: dict[str, int] = field(default_factory=dict)
    misplaced: int = 0
    degraded: int = 0


@dataclass(frozen=True)
class Group:
    """One placement group and the OSDs that serve it."""

    id: str
    state: str
    acting: tuple[int, ...] = ()

    @property
    def pool(self) -> int:
        """The number of its pool."""
        return int(self.id.partition(".")[0])


@dataclass(frozen=True)
class Osd:
    """An OSD; ``location`` from its host to the root of the CRUSH tree."""

    id: int
    up: bool
    inside: bool
    device_class: str = ""
    location: dict[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Pool:
    """A pool; ``kind`` is ``replicated`` or ``erasure``."""

    id: int
    name: str
    kind: str
    size: int
    min_size: int
    pg_num: int
    applications: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mgrs:
    """The active mgr, whether it answers, and those that stand by."""

    active: str
    available: bool
    standbys: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """The answer to ``ceph status``; ``services`` are daemons beside mons, mgrs and OSDs by kind and name, with hosts."""

    fsid: str
    health: str
    checks: tuple[Check, ...]
    quorum_age: int
    groups: Groups
    mgr_available: bool
    services: dict[str, dict[str, str]]


#: Kinds with maps of their own. Some of their daemons stand in the service map as well once the mgr has changed, as
#: `ceph status` itself knows and leaves out (Ceph: ``ServiceMap::is_normal_ceph_entity``).
_CORE = frozenset({"client", "mds", "mgr", "mon", "osd"})


def status(data: Mapping[str, Any]) -> Status:
    """What ``ceph status`` says."""
    groups = data.get("pgmap", {})
    return Status(
        fsid=data["fsid"],
        health=data["health"]["status"],
        checks=checks(data["health"]),
        quorum_age=int(data.get("quorum_age", 0)),
        groups=Groups(
            total=int(groups.get("num_pgs", 0)),
            states={state["state_name"]: int(state["count"]) for state in groups.get("pgs_by_state", ())},
            misplaced=int(groups.get("misplaced_objects", 0)),
            degraded=int(groups.get("degraded_objects", 0)),
        ),
        mgr_available=bool(data.get("mgrmap", {}).get("available")),
        services=_services(data.get("servicemap", {}).get("services", {})),
    )


def _services(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for kind, service in data.items():
        if kind in _CORE:
            continue
        daemons = {key: value for key, value in service.get("daemons", {}).items() if key != "summary"}
        for key, daemon in daemons.items():
            metadata = daemon.get("metadata", {})
            found.setdefault(kind, {})[metadata.get("id", key)] = metadata.get("hostname", "")
    return found


def checks(data: Mapping[str, Any]) -> tuple[Check, ...]:
    """The health checks of ``ceph status`` or ``ceph health detail``, by name."""
    return tuple(
        Check(
            name=name,
            severity=found["severity"],
            message=found["summary"]["message"],
            muted=bool(found.get("muted")),
            details=tuple(detail["message"] for detail in found.get("detail", ())),
        )
        for name, found in sorted(data["checks"].items())
    )


def quorum(data: Mapping[str, Any], age: int = 0) -> Quorum:
    """What ``ceph quorum_status`` says; ``age`` when it says none itself."""
    monmap = data["monmap"]
    return Quorum(
        mons={mon["name"]: addresses(mon.get("public_addrs", {})) for mon in monmap["mons"]},
        names=tuple(data["quorum_names"]),
        leader=data.get("quorum_leader_name", ""),
        monmap_epoch=int(monmap["epoch"]),
        election_epoch=int(data["election_epoch"]),
        age=int(data.get("quorum_age", age)),
    )


def addresses(data: Mapping[str, Any]) -> list[str]:
    """Addresses as ``v2:10.0.0.1:3300``."""
    return [f"{found['type']}:{found['addr']}" for found in data.get("addrvec", ())]


def groups(data: Mapping[str, Any]) -> tuple[Group, ...]:
    """What ``ceph pg dump pgs_brief`` says."""
    found = data.get("pg_stats", data)
    return tuple(Group(group["pgid"], group["state"], tuple(group["acting"])) for group in found)


def osds(tree: Mapping[str, Any], dump: Mapping[str, Any]) -> tuple[Osd, ...]:
    """What ``ceph osd tree`` and ``ceph osd dump`` say together, by number."""
    nodes = {node["id"]: node for node in [*tree["nodes"], *tree.get("stray", ())]}
    parents = {child: node for node in nodes.values() for child in node.get("children", ())}

    def location(number: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while number in parents:
            found[parents[number]["type"]] = parents[number]["name"]
            number = parents[number]["id"]
        return found

    return tuple(
        Osd(
            id=osd["osd"],
            up=bool(osd["up"]),
            inside=bool(osd["in"]),
            device_class=nodes.get(osd["osd"], {}).get("device_class", ""),
            location=location(osd["osd"]),
            address=" ".join(addresses(osd.get("public_addrs", {}))),
        )
        for osd in sorted(dump["osds"], key=lambda osd: int(osd["osd"]))
    )


def pools(data: Iterable[Mapping[str, Any]]) -> tuple[Pool, ...]:
    """What ``ceph osd pool ls detail`` or ``ceph osd dump`` says of pools."""
    return tuple(
        Pool(
            id=int(pool["pool_id"] if "pool_id" in pool else pool["pool"]),
            name=pool["pool_name"],
            kind={1: "replicated", 3: "erasure"}.get(pool["type"], str(pool["type"])),
            size=int(pool["size"]),
            min_size=int(pool["min_size"]),
            pg_num=int(pool["pg_num"]),
            applications=tuple(sorted(pool.get("application_metadata", {}))),
        )
        for pool in data
    )


def mgrs(data: Mapping[str, Any]) -> Mgrs:
    """What ``ceph mgr dump`` says."""
    standbys = tuple(sorted(standby["name"] for standby in data["standbys"]))
    return Mgrs(data["active_name"], bool(data["available"]), standbys)


def plain(thing: Any) -> dict[str, Any]:
    """A dataclass of this file as JSON-able data."""
    return asdict(thing)
