# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Records of backups: what Cinder has to know of one, so that a Cinder with an empty database can restore it.

A record is Cinder's own object as JSON in base64 (``cinder/objects/backup.py``); administrators may export and import it.
openstacksdk posts an import to the route of the export, so these requests are our own.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.pool import Outcome, each
from ..model import CloudError, ForbiddenError
from .cinder import Cinder
from .model import Backup

_CINDER = "block-storage"
#: What is in a record and says nothing about the backup: it differs after each export.
_PASSING = ("updated_at", "host", "num_dependent_backups")


@dataclass(frozen=True)
class Record:
    """What is needed to import a backup.

    :param service: the driver that wrote it, as Cinder names it.
    :param url: the record itself, as Cinder gave it.
    :param facts: what is in it.
    """

    service: str
    url: str
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def id(self) -> str:
        """Id of the backup; it keeps it when it is imported."""
        return str(self.facts.get("id") or "")

    @property
    def parent(self) -> str:
        """Id of what it stands on, empty for a full one."""
        return str(self.facts.get("parent_id") or "")

    @property
    def project(self) -> str:
        """Id of the project it belonged to."""
        return str(self.facts.get("project_id") or "")

    @property
    def size(self) -> int:
        """GiB of the volume, which count for the quota."""
        return int(self.facts.get("size") or 0)

    def __str__(self) -> str:
        name = str(self.facts.get("display_name") or "")
        return f"{name} ({self.id})" if name else self.id

    def same_as(self, other: Record) -> bool:
        """Whether both are of the same backup in the same state."""
        return self.service == other.service and _lasting(self.facts) == _lasting(other.facts)

    def rekeyed(self, keys: Mapping[str, str]) -> Record:
        """The same with another id of its key, when ``keys`` has one: a new Barbican gives new ids."""
        key = str(self.facts.get("encryption_key_id") or "")
        if keys.get(key, key) == key:
            return self
        facts = {**self.facts, "encryption_key_id": str(keys[key])}
        return Record(self.service, base64.b64encode(json.dumps(facts).encode()).decode(), facts)

    def as_dict(self) -> dict[str, Any]:
        """As it is kept in a file: readable facts beside the record."""
        facts = self.facts
        return {
            "id": self.id,
            "name": facts.get("display_name"),
            "volume": facts.get("volume_id"),
            "project": self.project,
            "parent": self.parent or None,
            "size": self.size,
            "taken": facts.get("data_timestamp"),
            "container": facts.get("container"),
            "service": self.service,
            "url": self.url,
        }


def _lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _PASSING}


def record_of(service: str, url: str) -> Record:
    """A record as Cinder gave it.

    :raises InputError: it cannot be read, or does not say which backup it is.
    """
    try:
        facts = json.loads(base64.b64decode(url, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InputError(f"The record is damaged: {error}") from error
    if not isinstance(facts, Mapping) or not facts.get("id"):
        raise InputError("The record is damaged: it has no id")
    return Record(service, url, dict(facts))


def export(cinder: Cinder, one: Backup) -> Record:
    """The record of a backup.

    :raises ForbiddenError: the token is no administrator's.
    """
    found = cinder.cloud.get(_CINDER, f"/backups/{one.id}/export_record", microversion=cinder.version)
    body = found["backup-record"]
    return record_of(str(body["backup_service"]), str(body["backup_url"]))


def exported(cinder: Cinder, backups: Iterable[Backup], parallel: int) -> tuple[list[Record], dict[str, str], str]:
    """Records of backups; why some have none, by id of the backup; and why there are none at all.

    Cinder exports what is available alone. A token that may not export ends the questions.
    """
    wanted, missing = [], {}
    for one in backups:
        if one.available:
            wanted.append(one)
        else:
            missing[one.id] = f"it is {one.status}"
    found = []
    for outcome in _asked(cinder, wanted, parallel):
        if isinstance(outcome.error, ForbiddenError):
            return [], {}, "records of backups are for administrators"
        if outcome.error:
            missing[outcome.item.id] = str(outcome.error)
        else:
            found.append(outcome.value)
    return found, missing, ""


def _asked(cinder: Cinder, wanted: Sequence[Backup], parallel: int) -> Iterator[Outcome[Backup]]:
    """The first one alone: when its answer is no, nobody goes on to the others."""
    for some in (wanted[:1], wanted[1:]):
        yield from each(some, lambda one: export(cinder, one), parallel)


def parents(cinder: Cinder, backups: Sequence[Backup], parallel: int) -> tuple[dict[str, str], str]:
    """Id of the parent by id of the backup, and why records could not be read; empty when they could.

    What is not incremental has no parent, so it is not asked for.
    """
    asked = [one for one in backups if one.incremental and one.available]
    found, _missing, denied = exported(cinder, asked, parallel)
    if denied:
        return {}, f"{denied}, so chains are worked out from what is shown"
    known = {one.id: "" for one in backups if not one.incremental}
    return {**known, **{one.id: one.parent for one in found}}, ""


def is_lost(error: CloudError) -> bool:
    """Whether nobody knows if a request was done."""
    return error.status == 0 or error.status >= 500
