# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Cinder's requests for backups. Lists are one request a page; what may have been done twice is looked for, not repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...core.errors import LandscapeError
from ..model import CloudError, NotFoundError
from . import model
from .model import Backup, Volume

_CINDER = "block-storage"
#: Metadata of backups is 3.43, their project 3.18, the id of their key 3.64; a volume made from a backup 3.47.
_METADATA, _PROJECT, _KEY, _FROM_BACKUP = "3.43", "3.18", "3.64", "3.47"
_PAGE = 1000


class TakenError(LandscapeError):
    """Another run works on the volume, so Cinder refuses to begin anything on it."""


class Cinder:
    """Volumes, snapshots and backups of a cloud.

    :param cloud: :class:`..client.Cloud`.
    :param everywhere: all projects, where the token may see them.
    """

    def __init__(self, cloud: Any, *, everywhere: bool = False) -> None:
        self.cloud = cloud
        self._all = {"all_tenants": "1"} if everywhere else {}
        self._version = ""

    @property
    def version(self) -> str:
        """The microversion for backups.

        :raises LandscapeError: the service is older than metadata of backups, without which nothing can be told apart.
        """
        if not self._version:
            for wanted in (_KEY, _METADATA):
                if self.cloud.microversion(_CINDER, wanted):
                    self._version = wanted
                    break
            else:
                raise LandscapeError(
                    f"{self.cloud.name}: backups have no metadata there (microversion {_METADATA})",
                    hint="Cinder has it since the release Pike",
                )
        return self._version

    # Lists.

    def volumes(self) -> list[Volume]:
        """All volumes we may see."""
        return [model.volume_of(one) for one in self._pages("/volumes/detail", "volumes")]

    def backups(self, **query: str) -> list[Backup]:
        """All backups we may see; ``volume_id`` and ``status`` narrow the list at the service."""
        found = self._pages("/backups/detail", "backups", microversion=self.version, **query)
        return [model.backup_of(one) for one in found]

    def snapshots(self, **query: str) -> list[dict[str, Any]]:
        """All snapshots we may see, as they are."""
        return list(self._pages("/snapshots/detail", "snapshots", **query))

    def _pages(self, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        yield from self.cloud.pages(_CINDER, path, key, limit=_PAGE, **self._all, **query)

    # One object.

    def volume(self, identifier: str) -> Volume | None:
        """A volume, or nothing when it is not there."""
        try:
            return model.volume_of(self.cloud.get(_CINDER, f"/volumes/{identifier}")["volume"])
        except NotFoundError:
            return None

    def backup(self, identifier: str) -> Backup | None:
        """A backup, or nothing when it is not there."""
        try:
            found = self.cloud.get(_CINDER, f"/backups/{identifier}", microversion=self.version)
        except NotFoundError:
            return None
        return model.backup_of(found["backup"])

    def limits(self) -> dict[str, int]:
        """Limits and use of the project of the token (``maxTotalBackups``, ``totalBackupsUsed``...); -1 is no limit."""
        return dict(self.cloud.get(_CINDER, "/limits")["limits"]["absolute"])

    def services(self) -> list[dict[str, Any]]:
        """Cinder's services and hosts; empty when the token may not see them."""
        answer = self.cloud.call(_CINDER, "GET", "/os-services", accept=(403,))
        return list((answer.body or {}).get("services") or ()) if answer.status == 200 else []

    def pools(self) -> list[dict[str, Any]]:
        """Where volumes lie, with what the drivers say about it; empty when the token may not see it."""
        query = {"detail": "true"}
        answer = self.cloud.call(_CINDER, "GET", "/scheduler-stats/get_pools", params=query, accept=(403,))
        return list((answer.body or {}).get("pools") or ()) if answer.status == 200 else []

    # Changes.

    def begin_backup(
        self,
        volume: str,
        *,
        name: str,
        metadata: Mapping[str, str],
        incremental: bool = False,
        force: bool = False,
        snapshot: str = "",
        container: str = "",
        description: str = "",
    ) -> str:
        """Asks for a backup; its id.

        :param metadata: with ``model.RUN``, by which a backup is found whose answer was lost.
        """
        wanted: dict[str, Any] = {
            "volume_id": volume,
            "name": name,
            "incremental": incremental,
            "force": force,
            "metadata": dict(metadata),
        }
        more = {"snapshot_id": snapshot, "container": container, "description": description}
        wanted.update({key: value for key, value in more.items() if value})
        body = self._post("/backups", {"backup": wanted}, self.version)
        return str(body["backup"]["id"])

    def mark(self, backup: Backup, changes: Mapping[str, str]) -> None:
        """Writes into the metadata of a backup; what else is there stays."""
        metadata = {**backup.metadata, **changes}
        body = {"backup": {"metadata": metadata}}
        self.cloud.call(_CINDER, "PUT", f"/backups/{backup.id}", json=body, microversion=self.version)

    def label(self, volume: str, metadata: Mapping[str, str]) -> None:
        """Writes into the metadata of a volume; what else is there stays. Twice is as good as once."""
        body = {"metadata": dict(metadata)}
        self.cloud.call(_CINDER, "POST", f"/volumes/{volume}/metadata", json=body, repeat=True)

    def delete_backup(self, identifier: str) -> None:
        """Asks for the removal of a backup; one that is gone is fine."""
        self.cloud.call(_CINDER, "DELETE", f"/backups/{identifier}", accept=(404,), microversion=self.version)

    def begin_volume(
        self,
        *,
        size: int,
        name: str,
        metadata: Mapping[str, str],
        backup: str = "",
        image: str = "",
        kind: str = "",
        zone: str = "",
        description: str = "",
    ) -> str:
        """Asks for a volume; its id.

        :param size: GiB.
        :param backup: what it is filled with: unlike a restore, this lets us choose the type; ``image`` likewise.
        :param kind: name of its type, empty for the default.
        """
        wanted: dict[str, Any] = {"size": size, "name": name, "metadata": dict(metadata)}
        more = {"backup_id": backup, "imageRef": image, "volume_type": kind}
        more.update({"availability_zone": zone, "description": description})
        wanted.update({key: value for key, value in more.items() if value})
        return str(self._post("/volumes", {"volume": wanted}, _FROM_BACKUP)["volume"]["id"])

    def begin_restore(self, backup: str, volume: str) -> None:
        """Asks for a restore over a volume that is there."""
        self._post(f"/backups/{backup}/restore", {"restore": {"volume_id": volume}}, self.version)

    def delete_volume(self, identifier: str) -> None:
        """Asks for the removal of a volume; one that is gone is fine."""
        self.cloud.call(_CINDER, "DELETE", f"/volumes/{identifier}", accept=(404,))

    def delete_snapshot(self, identifier: str) -> None:
        """Asks for the removal of a snapshot; one that is gone is fine."""
        self.cloud.call(_CINDER, "DELETE", f"/snapshots/{identifier}", accept=(404,))

    def _post(self, path: str, body: Mapping[str, Any], version: str) -> Any:
        answer = self.cloud.call(_CINDER, "POST", path, json=body, microversion=version)
        if not isinstance(answer.body, Mapping):
            raise CloudError(f"{self.cloud.name}: POST {path} was accepted without saying what was made")
        return answer.body


def made_by(backups: Iterable[Backup], run: str) -> list[Backup]:
    """Those that a run made."""
    return [one for one in backups if one.metadata.get(model.RUN) == run]
