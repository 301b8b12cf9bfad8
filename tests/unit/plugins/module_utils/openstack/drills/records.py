# SPDX-License-Identifier: Apache-2.0
"""A drill and a rebuild as tasks return them, with everything that can be seen in a report."""

from __future__ import annotations

import datetime
from typing import Any

GIB = 1024**3
#: When the drill is over.
END = datetime.datetime(2026, 11, 29, 9, 15, tzinfo=datetime.timezone.utc).timestamp()
BEGIN = datetime.datetime(2026, 11, 15, 2, 0, 0)


def backup(volume: str, day: int, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """A member of a chain, as volume_backup_info tells it."""
    identifier = f"{volume}-{day:02}"
    return {
        "id": identifier,
        "name": f"{volume} gold/{day}",
        "parent": parent,
        "perhaps": [],
        "kind": "incremental" if parent else "full",
        "taken": (BEGIN + datetime.timedelta(days=day)).isoformat(),
        "status": "available",
        "size": 20,
        "restorable": True,
        "proven": None,
        "refuted": None,
        **more,
    }


def chain(volume: str, *members: dict[str, Any]) -> dict[str, Any]:
    """A chain of them."""
    return {"id": members[0]["id"], "volume": volume, "project": "p1", "members": list(members)}


def line(volume: str, first: int, count: int) -> dict[str, Any]:
    """A chain that is a line."""
    days = range(first, first + count)
    return chain(volume, *(backup(volume, day, f"{volume}-{day - 1:02}" if day > first else None) for day in days))


def volume(identifier: str, *, exists: bool = False, name: str = "", size: int = 20) -> dict[str, Any]:
    """A volume, as volume_backup_info tells it."""
    return {"id": identifier, "name": name, "project": "p1", "exists": exists, "size": size}


def drill() -> dict[str, Any]:
    """Options of backup_report."""
    database = line("v-db", 0, 3)
    database["members"][2]["proven"] = "2026-11-29T09:12:44+00:00"
    web = line("v-web", 0, 2)
    web["members"].append(backup("v-web", 3, "v-web-00"))  # beside the second one
    web["members"][1]["refuted"] = "2026-11-29T09:13:01+00:00"
    later = chain("v-web", backup("v-web", 5))
    lost = line("v-lost", 1, 2)
    for one in lost["members"]:
        one.update(restorable=False, status="error")
    names = {"v-db": "db-data", "v-web": "web-data", "v-lost": "archive with a name that is far too long for its place"}
    return {
        "title": "Drill of the shop",
        "volumes": [volume("v-db"), volume("v-web", exists=True, name="web-data"), volume("v-lost"), volume("v-long")],
        "chains": [database, web, later, lost, line("v-long", 0, 14)],
        "names": {**names, "v-long": "logs"},
        "verified": [
            verdict("v-db-02", "v-db", 118.4, "proven"),
            {**verdict("v-web-01", "v-web", 91.2, "refuted"), "reason": "2 of 5120 blocks are not what was backed up"},
        ],
        "restores": [
            restore("v-web-05", 64.0, compared=True),
            restore("v-long-13", 210.7, compared=False),
        ],
        "servers": [
            server("shop-db", []),
            server("shop-web", [{"path": "ports[0].tags[0]", "before": "blue", "after": "(nothing)"}]),
        ],
        "missing": [{"volume": "v-lost", "name": "archive", "reason": "none of its 2 backups is known to be good"}],
        "clock": {"look": END - 260, "restore": END - 256, "servers": END - 30},
    }


def shop() -> dict[str, Any]:
    """What the documentation shows: a chain that was proven, a young one, one that was refuted and began anew."""
    known = drill()
    for one in known["volumes"]:
        one["exists"] = True
    known["chains"] = [one for one in known["chains"] if one["volume"] in ("v-db", "v-web")] + [line("v-long", 2, 4)]
    known["restores"] = [restore("v-web-05", 64.0, compared=True)]
    return known


def verdict(identifier: str, of: str, seconds: float, status: str) -> dict[str, Any]:
    """As volume_backup_verify returns it."""
    found = {"backup": identifier, "volume": of, "name": identifier, "status": status, "reason": ""}
    return {**found, "seconds": seconds, "bytes": 20 * GIB, "blocks": 5120, "predicted": False}


def restore(identifier: str, seconds: float, *, compared: bool) -> dict[str, Any]:
    """As volume_backup_restore returns it."""
    read = {"bytes": 20 * GIB, "blocks": 5120} if compared else {}
    found = {"backup": identifier, "action": "create", "predicted": False, "volume": {"id": "new", "size": 20}}
    return {**found, "compared": compared, "seconds": seconds, "reason": "", **read}


def server(name: str, differences: list[dict[str, str]]) -> dict[str, Any]:
    """As server_recreate returns it."""
    found = {"name": name, "old_id": f"old-{name}", "id": f"new-{name}", "status": "made", "predicted": False}
    return {**found, "differences": differences, "message": ""}
