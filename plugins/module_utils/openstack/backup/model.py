# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes and backups as Cinder shows them, and what we write on a backup."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What we write into the metadata of backups (microversion 3.43); values have at most 255 characters.
#: Only a backup with ``RUN`` is ours: nothing else is ever removed by us.
RUN = "scs_landscape_run"  # the run that made it, so that another one finds what a killed run left
POLICY = "scs_landscape_policy"  # the policy it was made for
POINT = "scs_landscape_point"  # the same for all volumes that were taken at one moment
SERVER = "scs_landscape_server"  # the server whose volumes these are
LEVEL = "scs_landscape_level"  # how consistent the point is: none, crash, quiesced
WHY = "scs_landscape_why"  # why it is a full one
DIGEST = "scs_landscape_digest"  # of the list of block digests that was taken of the source: sha256:...
PROVEN = "scs_landscape_proven"  # when a restore of it gave the bytes of the source, for the last time
TYPE = "scs_landscape_type"  # name of the type of the volume at that time; Cinder forgets it with the volume
REFUTED = "scs_landscape_refuted"  # when a restore of it gave other bytes, for the last time
UNRESTORABLE = "scs_landscape_unrestorable"  # when a restore of it failed twice, and others did not, for the last time

#: What operators write on volumes, servers and images; the names are options of the roles.
POLICY_KEY, EXCLUDE_KEY = "backup:policy", "backup:exclude"

#: Cinder is still working on it.
UNDER_WAY = ("creating", "backing-up", "restoring", "deleting")


@dataclass(frozen=True)
class Attachment:
    """Where a volume is attached."""

    server: str
    device: str = ""


@dataclass(frozen=True)
class Volume:
    """A volume.

    :param size: GiB.
    :param type: name of its type.
    :param image: properties it has from the image it was made of.
    """

    id: str
    name: str = ""
    size: int = 0
    status: str = ""
    type: str = ""
    encrypted: bool = False
    bootable: bool = False
    multiattach: bool = False
    project: str = ""
    zone: str = ""
    created: str = ""
    updated: str = ""
    attachments: tuple[Attachment, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    image: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    @property
    def in_use(self) -> bool:
        """Whether a backup of it has to be forced."""
        return self.status == "in-use"

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True)
class Backup:
    """A backup.

    :param size: GiB of the volume at that time.
    :param taken: when its data was read, as Cinder writes it (``data_timestamp``); Cinder chooses parents by it.
    :param dependents: whether other backups stand on it; Cinder refuses to delete it then.
    """

    id: str
    volume: str
    name: str = ""
    size: int = 0
    status: str = ""
    incremental: bool = False
    dependents: bool = False
    taken: str = ""
    created: str = ""
    snapshot: str = ""
    project: str = ""
    container: str = ""
    zone: str = ""
    objects: int = 0
    encrypted: bool = False
    failure: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether one of our runs made it."""
        return bool(self.metadata.get(RUN))

    @property
    def available(self) -> bool:
        """Whether it can be restored and stood on."""
        return self.status == "available"

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def volume_of(body: Mapping[str, Any]) -> Volume:
    """A volume of ``GET /volumes/detail``."""
    return Volume(
        id=str(body["id"]),
        name=str(body.get("name") or ""),
        size=int(body.get("size") or 0),
        status=str(body.get("status") or ""),
        type=str(body.get("volume_type") or ""),
        encrypted=bool(body.get("encrypted")),
        bootable=str(body.get("bootable")).lower() == "true",
        multiattach=bool(body.get("multiattach")),
        project=str(body.get("os-vol-tenant-attr:tenant_id") or ""),
        zone=str(body.get("availability_zone") or ""),
        created=str(body.get("created_at") or ""),
        updated=str(body.get("updated_at") or ""),
        attachments=tuple(
            Attachment(str(one.get("server_id") or ""), str(one.get("device") or ""))
            for one in body.get("attachments") or ()
        ),
        metadata=_texts(body.get("metadata")),
        image=_texts(body.get("volume_image_metadata")),
        description=str(body.get("description") or ""),
    )


def backup_of(body: Mapping[str, Any]) -> Backup:
    """A backup of ``GET /backups/detail``; microversions before 3.43 show no metadata, those before 3.18 no project."""
    return Backup(
        id=str(body["id"]),
        volume=str(body.get("volume_id") or ""),
        name=str(body.get("name") or ""),
        size=int(body.get("size") or 0),
        status=str(body.get("status") or ""),
        incremental=bool(body.get("is_incremental")),
        dependents=bool(body.get("has_dependent_backups")),
        taken=str(body.get("data_timestamp") or body.get("created_at") or ""),
        created=str(body.get("created_at") or ""),
        snapshot=str(body.get("snapshot_id") or ""),
        project=str(body.get("os-backup-project-attr:project_id") or ""),
        container=str(body.get("container") or ""),
        zone=str(body.get("availability_zone") or ""),
        objects=int(body.get("object_count") or 0),
        encrypted=bool(body.get("encryption_key_id")),
        failure=str(body.get("fail_reason") or ""),
        metadata=_texts(body.get("metadata")),
    )


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (found or {}).items()}


@functools.lru_cache(maxsize=65536)  # the same few thousand times are compared with each other again and again
def moment(text: str) -> datetime.datetime:
    """A time of an API (UTC, with or without a zone, with or without fractions); the beginning of time when there is none."""
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
