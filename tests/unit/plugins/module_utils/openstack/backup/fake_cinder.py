# SPDX-License-Identifier: Apache-2.0
"""A Cinder for volumes, snapshots and backups, in memory: states, parents and refusals are written down from the real one's code.

Time is the fake's own: every request takes a second, and :meth:`FakeCinder.sleep` lets it pass.
"""

from __future__ import annotations

import base64
import copy
import datetime
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model

#: Why Cinder refuses an incremental backup, in its own words.
GREW = "Invalid backup: Volume size increased since the last backup. Do a full backup."
HASHES = (
    "Invalid backup: Hash block size has changed since the last backup. New hash block size: 65536. "
    "Old hash block size: 32768. Do a full backup."
)
START = datetime.datetime(2026, 3, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)


class Killed(Exception):
    """The run was killed."""


class FakeCinder:
    """Stands where :class:`client.Cloud` stands.

    :param duration: seconds that a backup or a restore takes.
    :ivar data: the bytes of volumes, snapshots and backups, by id.
    :ivar requests: method and path of each request, in order.
    :ivar most: how many backups were under way at once at most.
    :ivar hook: called with method and path before a request is done; may raise, or return ``"lose"``: then it is done
        and its answer lost.
    :ivar endings: fail reasons of the next backups that are begun, in order; an empty one lets it succeed.
    :ivar dead: cinder-backup is dead: what is begun stays as it is.
    :ivar admin: sees all projects, services and records.
    """

    name = "fake"
    project_id = "p1"

    def __init__(self, duration: float = 30.0) -> None:
        self.now = START
        self.duration = duration
        self.volumes: dict[str, dict[str, Any]] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.backups: dict[str, dict[str, Any]] = {}
        self.servers: dict[str, dict[str, Any]] = {}
        self.parents: dict[str, str] = {}
        self.data: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.most = 0
        self.hook: Callable[[str, str], str | None] = lambda _method, _path: None
        self.endings: list[str] = []
        self.dead = False
        self.admin = False
        self.driver = "cinder.backup.drivers.posix.PosixBackupDriver"
        self.ceph = False
        self.microversions = "3.71"
        self.quota = {"maxTotalBackups": 10, "maxTotalBackupGigabytes": 1000}
        self.services = [{"binary": "cinder-backup", "host": "ctl1", "state": "up", "status": "enabled"}]
        self.pools: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._number = 0

    # What a test arranges.

    def add_volume(self, identifier: str, size: int = 1, **more: Any) -> dict[str, Any]:
        """A volume as Cinder lists it."""
        self.volumes[identifier] = {
            "id": identifier,
            "name": identifier,
            "size": size,
            "status": "available",
            "volume_type": "__DEFAULT__",
            "encrypted": False,
            "bootable": "false",
            "attachments": [],
            "metadata": {},
            "availability_zone": "nova",
            "created_at": _text(self.now),
            "os-vol-tenant-attr:tenant_id": self.project_id,
            **more,
        }
        self.data.setdefault(identifier, identifier.encode())
        return self.volumes[identifier]

    def add_backup(self, identifier: str, volume: str, **more: Any) -> dict[str, Any]:
        """A backup that is there already; ``parent`` is what it stands on."""
        parent = more.pop("parent", "")
        self.backups[identifier] = {
            "id": identifier,
            "name": identifier,
            "volume_id": volume,
            "size": self.volumes[volume]["size"] if volume in self.volumes else 1,
            "status": "available",
            "is_incremental": bool(parent),
            "has_dependent_backups": False,
            "snapshot_id": None,
            "container": "backups" if self.ceph else "volumebackups",
            "object_count": 0 if self.ceph else 2,
            "availability_zone": "nova",
            "fail_reason": None,
            "encryption_key_id": None,
            "data_timestamp": _text(self.now),
            "created_at": _text(self.now),
            "os-backup-project-attr:project_id": self.project_id,
            "metadata": {},
            **more,
        }
        self.data.setdefault(identifier, self.data.get(volume, b""))
        if parent:
            self.parents[identifier] = parent
            self.backups[parent]["has_dependent_backups"] = True
        return self.backups[identifier]

    def pass_by(self, **length: float) -> None:
        """Let time pass: ``days=1``."""
        self.now += datetime.timedelta(**length)
        self._settle()

    def sleep(self, seconds: float) -> None:
        """What code under test sleeps by."""
        with self._lock:
            self.pass_by(seconds=seconds)

    def clock(self) -> float:
        """What code under test measures by."""
        return self.now.timestamp()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something."""
        return [one for one in self.requests if one[0] != "GET"]

    def of(self, volume: str) -> list[dict[str, Any]]:
        """The backups of a volume, oldest first."""
        return [one for one in self.backups.values() if one["volume_id"] == volume]

    # What the client has.

    def microversion(self, _service: str, wanted: str) -> str | None:
        """As the client's."""
        return wanted if model.version_of(wanted) <= model.version_of(self.microversions) else None

    def get(self, service: str, path: str, **options: Any) -> Any:
        """As the client's."""
        return self.call(service, "GET", path, **options).body

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """As the client's."""
        query.pop("microversion", None)
        found = self.call(service, "GET", path).body[key]
        everywhere = query.pop("all_tenants", "") and self.admin
        query.pop("limit", None)
        for one in found:
            project = one.get("os-vol-tenant-attr:tenant_id") or one.get("os-backup-project-attr:project_id")
            mine = everywhere or project in (None, self.project_id)
            if mine and all(str(one.get(name)) == value for name, value in query.items()):
                yield one

    def call(self, service: str, method: str, path: str, *, json: Any = None, accept: Any = (), **_more: Any) -> Any:
        """As the client's."""
        with self._lock:
            self.requests.append((method, path))
            verdict = self.hook(method, path)
            self.pass_by(seconds=1)
            status, body = self._answer(method, path.split("?")[0], copy.deepcopy(json))
            if verdict == "lose":
                raise model.UnreachableError(f"fake: {method} {path} broke off")
            if verdict and verdict.startswith("lose "):
                raise model.CloudError(f"fake: a proxy gave up {method} {path}", status=int(verdict[5:]))
            answer = model.Answer(status, body=copy.deepcopy(body))
        if status >= 400 and status not in accept:
            raise model.refusal(service, method, path, answer)
        return answer

    # Underneath.

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        for pattern, name in _ROUTES.items():
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                answer: tuple[int, Any] = getattr(self, name)(body, *found.groups())
                return answer
        return 404, {"itemNotFound": {"message": f"no route {method} {path}"}}

    def _list(self, _body: Any, kind: str) -> tuple[int, Any]:
        return 200, {kind: [_shown(one) for one in getattr(self, kind).values()]}

    def _show(self, _body: Any, kind: str, identifier: str) -> tuple[int, Any]:
        found = getattr(self, kind).get(identifier)
        if found is None:
            return 404, {"itemNotFound": {"message": f"{kind[:-1]} {identifier} could not be found."}}
        return 200, {kind[:-1]: _shown(found)}

    def _limits(self, _body: Any) -> tuple[int, Any]:
        mine = [one for one in self.backups.values() if one["os-backup-project-attr:project_id"] == self.project_id]
        used = {"totalBackupsUsed": len(mine), "totalBackupGigabytesUsed": sum(one["size"] for one in mine)}
        return 200, {"limits": {"absolute": {**self.quota, **used}}}

    def _services(self, _body: Any) -> tuple[int, Any]:
        return (200, {"services": self.services}) if self.admin else (403, {"forbidden": {"message": "no"}})

    def _pools(self, _body: Any) -> tuple[int, Any]:
        return (200, {"pools": self.pools}) if self.admin else (403, {"forbidden": {"message": "no"}})

    def _begin(self, body: Any) -> tuple[int, Any]:
        wanted = body["backup"]
        volume = self.volumes.get(wanted["volume_id"])
        if volume is None:
            return 404, {"itemNotFound": {"message": "Volume could not be found."}}
        snapshot = self.snapshots.get(wanted.get("snapshot_id") or "")
        refused = self._refused(wanted, volume, snapshot)
        if refused:
            return refused
        parent = self.newest(volume["id"], snapshot)
        if wanted["incremental"] and parent is None:
            return 400, {"badRequest": {"message": "No backups available to do an incremental backup."}}
        identifier = self._new("backup")
        made = self.add_backup(
            identifier,
            volume["id"],
            name=wanted["name"],
            status="creating",
            snapshot_id=wanted.get("snapshot_id"),
            metadata=wanted.get("metadata") or {},
            is_incremental=bool(wanted["incremental"]),
            data_timestamp=snapshot["created_at"] if snapshot else _text(self.now),
        )
        made["_due"] = self.now + datetime.timedelta(seconds=self.duration)
        made["_fails"] = self._ending(made, parent if wanted["incremental"] else None)
        made["_before"] = volume["status"]
        if wanted["incremental"] and parent:
            self.parents[identifier] = parent["id"]
            parent["has_dependent_backups"] = True
        self.data[identifier] = self.data.get(snapshot["id"] if snapshot else "", self.data[volume["id"]])
        (snapshot or volume)["status"] = "backing-up"
        self.most = max(self.most, sum(one["status"] == "creating" for one in self.backups.values()))
        return 202, {"backup": {"id": identifier, "name": wanted["name"]}}

    def _refused(self, wanted: Any, volume: Any, snapshot: Any) -> tuple[int, Any] | None:
        status = (snapshot or volume)["status"]
        if status not in (("available",) if snapshot else ("available", "in-use")):
            said = f'Invalid volume: Volume to be backed up must be available or in-use, but the current status is "{status}".'
            return 400, {"badRequest": {"message": said}}
        if status == "in-use" and not wanted["force"]:
            said = "Invalid volume: Backing up an in-use volume must use the force flag."
            return 400, {"badRequest": {"message": said}}
        limits = self._limits(None)[1]["limits"]["absolute"]
        if 0 <= limits["maxTotalBackups"] <= limits["totalBackupsUsed"]:
            return 413, {"overLimit": {"message": "Maximum number of backups allowed exceeded"}}
        return None

    def newest(self, volume: str, snapshot: Any = None) -> dict[str, Any] | None:
        """What the next incremental backup of a volume stands on."""
        found = [
            one
            for one in self.of(volume)
            if one["status"] == "available"
            and one["os-backup-project-attr:project_id"] == self.project_id
            and (snapshot is None or one["data_timestamp"] < snapshot["created_at"])
        ]
        return max(found, key=lambda one: one["data_timestamp"]) if found else None

    def _ending(self, made: Any, parent: Any) -> str:
        told = self.endings.pop(0) if self.endings else ""
        return told or (GREW if parent and made["size"] > parent["size"] else "")

    def _settle(self) -> None:
        for one in list(self.backups.values()):
            if self.dead or one["status"] not in ("creating", "deleting") or self.now < one["_due"]:
                continue
            if one["status"] == "deleting":
                self._drop(one["id"])
                continue
            one["status"] = "error" if one["_fails"] else "available"
            one["fail_reason"] = one["_fails"] or None
            source = self.snapshots.get(one["snapshot_id"] or "") or self.volumes.get(one["volume_id"])
            if source:
                source["status"] = "available" if one["snapshot_id"] else one["_before"]
        for volume in list(self.volumes.values()):
            if volume["status"] in ("creating", "restoring-backup") and self.now >= volume.get("_due", self.now):
                volume["status"] = "available"

    def _drop(self, identifier: str) -> None:
        del self.backups[identifier]
        parent = self.parents.pop(identifier, "")
        if parent in self.backups:
            self.backups[parent]["has_dependent_backups"] = parent in self.parents.values()

    def _mark(self, body: Any, identifier: str) -> tuple[int, Any]:
        if identifier not in self.backups:
            return 404, None
        self.backups[identifier].update(body["backup"])
        return 200, {"backup": {"id": identifier}}

    def _delete_backup(self, _body: Any, identifier: str) -> tuple[int, Any]:
        one = self.backups.get(identifier)
        if one is None:
            return 404, None
        if one["status"] not in ("available", "error") or identifier in self.parents.values():
            said = "Incremental backups exist for this backup." if one["status"] == "available" else one["status"]
            return 400, {"badRequest": {"message": f"Invalid backup: {said}"}}
        one.update(status="deleting", _due=self.now + datetime.timedelta(seconds=2))
        return 202, None

    def _create_volume(self, body: Any) -> tuple[int, Any]:
        wanted = body["volume"]
        identifier = self._new("volume")
        source = wanted.pop("backup_id", None) or wanted.pop("snapshot_id", None)
        if source and source not in self.data:
            return 404, None
        made = self.add_volume(identifier, **wanted)
        made.update(status="creating", _due=self.now + datetime.timedelta(seconds=self.duration))
        self.data[identifier] = self.data.get(source, b"")
        return 202, {"volume": _shown(made)}

    def _restore(self, body: Any, identifier: str) -> tuple[int, Any]:
        volume = self.volumes[body["restore"]["volume_id"]]
        if self.backups[identifier]["status"] != "available" or volume["status"] != "available":
            return 400, {"badRequest": {"message": "not available"}}
        self.data[volume["id"]] = self.data[identifier]
        volume.update(status="restoring-backup", _due=self.now + datetime.timedelta(seconds=self.duration))
        return 202, {"restore": {"backup_id": identifier, "volume_id": volume["id"]}}

    def _delete(self, _body: Any, kind: str, identifier: str) -> tuple[int, Any]:
        return (202, None) if getattr(self, kind).pop(identifier, None) else (404, None)

    def _new(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def _export(self, _body: Any, identifier: str) -> tuple[int, Any]:
        one = self.backups.get(identifier)
        if not self.admin:
            return 403, {"forbidden": {"message": "Policy doesn't allow backup:export-import to be performed."}}
        if one is None:
            return 404, None
        if one["status"] != "available":
            said = f"Invalid backup: Backup status must be available and not {one['status']}."
            return 400, {"badRequest": {"message": said}}
        facts = {
            "id": identifier,
            "display_name": one["name"],
            "volume_id": one["volume_id"],
            "project_id": one["os-backup-project-attr:project_id"],
            "parent_id": self.parents.get(identifier),
            "size": one["size"],
            "data_timestamp": one["data_timestamp"],
            "created_at": one["created_at"],
            "updated_at": _text(self.now),
            "container": one["container"],
            "metadata": one["metadata"],
            "encryption_key_id": one["encryption_key_id"],
        }
        url = base64.b64encode(json.dumps(facts).encode()).decode()
        return 200, {"backup-record": {"backup_service": self.driver, "backup_url": url}}

    def _import(self, body: Any) -> tuple[int, Any]:
        if not self.admin:
            return 403, {"forbidden": {"message": "Policy doesn't allow backup:backup-import to be performed."}}
        given = body["backup-record"]
        facts = json.loads(base64.b64decode(given["backup_url"]))
        if facts["id"] in self.backups:
            return 400, {"badRequest": {"message": "Invalid backup: Backup already exists in database."}}
        made = self.add_backup(facts["id"], facts["volume_id"], name=facts["display_name"], size=facts["size"])
        made.update(is_incremental=bool(facts["parent_id"]), metadata=facts["metadata"])
        made.update(encryption_key_id=facts.get("encryption_key_id"))
        made.update(data_timestamp=facts["data_timestamp"], created_at=facts["created_at"], status="creating")
        wrong = "" if given["backup_service"] == self.driver else "Import record failed, cannot find backup service"
        made.update(_due=self.now + datetime.timedelta(seconds=2), _fails=wrong, _before="available")
        if facts["parent_id"]:
            self.parents[facts["id"]] = facts["parent_id"]
        return 201, {"backup": {"id": facts["id"], "name": facts["display_name"]}}

    def _label(self, body: Any, identifier: str) -> tuple[int, Any]:
        if identifier not in self.volumes:
            return 404, {"itemNotFound": {"message": f"Volume {identifier} could not be found."}}
        self.volumes[identifier]["metadata"].update(body["metadata"])
        return 200, {"metadata": self.volumes[identifier]["metadata"]}


_ROUTES = {
    r"GET /(volumes|snapshots|backups|servers)/detail": "_list",
    r"GET /(volumes|snapshots|backups)/([^/]+)": "_show",
    r"GET /limits": "_limits",
    r"GET /os-services": "_services",
    r"GET /scheduler-stats/get_pools": "_pools",
    r"GET /backups/([^/]+)/export_record": "_export",
    r"POST /backups/import_record": "_import",
    r"POST /backups": "_begin",
    r"PUT /backups/([^/]+)": "_mark",
    r"DELETE /backups/([^/]+)": "_delete_backup",
    r"POST /backups/([^/]+)/restore": "_restore",
    r"POST /volumes": "_create_volume",
    r"POST /volumes/([^/]+)/metadata": "_label",
    r"DELETE /(volumes|snapshots)/([^/]+)": "_delete",
}


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if not name.startswith("_")}


def _text(moment: datetime.datetime) -> str:
    """As Cinder writes times: UTC, without a zone."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")
