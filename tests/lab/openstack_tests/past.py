# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the statements are of our own words and ids
"""A past for Cinder: backups that it believes to have made long ago, written into its database."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.cinder import Cinder
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.model import Backup
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, until_status
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.histories import History

_DRIVER = "cinder.backup.drivers.posix.PosixBackupDriver"
_COLUMNS = (
    "created_at, deleted, id, volume_id, user_id, project_id, host, availability_zone, display_name, container, status,"
    " service_metadata, service, size, object_count, parent_id, num_dependent_backups, data_timestamp, snapshot_id"
)


@dataclass
class Row:
    """A backup as the database has it."""

    id: str
    volume: str
    parent: str
    status: str
    taken: datetime.datetime
    ours: bool


def rows(cloud: Cloud, volume: str) -> dict[str, Row]:
    """The backups of a volume that are there, by id; the truth about parents."""
    found = cloud.database(
        "select b.id, b.volume_id, ifnull(b.parent_id, ''), b.status, b.data_timestamp, count(m.id) from cinder.backups b"
        f" left join cinder.backup_metadata m on m.backup_id = b.id and m.deleted = 0 and m.`key` = '{model.RUN}'"
        f" where b.deleted = 0 and b.volume_id = '{volume}' group by b.id"
    )
    return {
        one[0]: Row(one[0], one[1], one[2], one[3], datetime.datetime.fromisoformat(one[4]), one[5] != "0")
        for one in found
    }


def project(desk: Desk) -> tuple[str, str]:
    """Project and user of a desk."""
    with desk.session() as cloud:
        return cloud.project_id, cloud.user_id


def write(desk: Desk, history: History, known: Sequence[str] = ()) -> dict[str, str]:
    """Writes a history into the database; the ids it has there, by those it has in the history.

    :param known: ids of real backups, which become the first ones of the history: they get its moments.
    """
    owner, user = project(desk)
    order = sorted(history.backups.values(), key=lambda one: one.created)
    ids = {one.id: known[place] if place < len(known) else str(uuid.uuid4()) for place, one in enumerate(order)}
    shown = {one.id: one for one in history.shown()}
    statements = []
    for one in order:
        if ids[one.id] in known:
            moments = f"created_at = '{_text(one.created)}', data_timestamp = '{_text(one.taken)}'"
            children = sum(parent == one.id for parent in history.parents.values())
            statements.append(
                f"update cinder.backups set {moments}, num_dependent_backups = {children} where id = '{ids[one.id]}'"
            )
            continue
        children = sum(parent == one.id and shown[child].status != "error" for child, parent in history.parents.items())
        statements.append(_insert(one, ids, history.parents.get(one.id, ""), children, owner, user, history.volume))
        statements += [
            "insert into cinder.backup_metadata (created_at, deleted, backup_id, `key`, value)"
            f" values (now(), 0, '{ids[one.id]}', '{key}', '{value}')"
            for key, value in one.metadata.items()
        ]
    more = len(order) - len(known)
    statements += [_quota(owner, resource, more) for resource in ("backups", "backup_gigabytes")]
    desk.cloud.database(";\n".join(statements) + ";")
    return ids


def _insert(one: Backup, ids: dict[str, str], parent: str, children: int, owner: str, user: str, volume: str) -> str:
    values = [
        f"'{_text(one.created)}', 0, '{ids[one.id]}', '{volume}', '{user}', '{owner}', 'lab', 'nova', 'past-{one.name}'",
        f"'past/{ids[one.id]}', '{one.status}', 'past_{ids[one.id]}', '{_DRIVER}', 1, 1",
        f"'{ids[parent]}'" if parent else "null",
        f"{children}, '{_text(one.taken)}'",
        f"'{uuid.uuid4()}'" if one.snapshot else "null",
    ]
    return f"insert into cinder.backups ({_COLUMNS}) values ({', '.join(values)})"


def _quota(owner: str, resource: str, number: int) -> str:
    return (
        f"update cinder.quota_usages set in_use = in_use + ({number})"
        f" where project_id = '{owner}' and resource = '{resource}'"
    )


def forget(desk: Desk) -> None:
    """Takes away what :func:`write` wrote and nobody removed."""
    owner, _user = project(desk)
    where = "where deleted = 0 and service_metadata like 'past\\_%'"
    ((left,),) = desk.cloud.database(f"select count(*) from cinder.backups {where}")
    statements = [_quota(owner, resource, -int(left)) for resource in ("backups", "backup_gigabytes")]
    statements.append(f"update cinder.backups set deleted = 1, status = 'deleted' {where}")
    desk.cloud.database(";\n".join(statements) + ";")


def _text(moment: str) -> str:
    return moment.replace("T", " ")[:19]


@contextlib.contextmanager
def volume(desk: Desk) -> Iterator[str]:
    """A volume of 1 GiB; it and its real backups are gone afterwards."""
    with desk.session() as cloud:
        cinder = Cinder(cloud)
        made = cinder.begin_volume(size=1, name="past", metadata={})
        until_status(cloud, "block-storage", f"/volumes/{made}", 200, "volume", "available")
    try:
        yield made
    finally:
        forget(desk)
        with desk.session() as cloud:
            for one in sorted(Cinder(cloud).backups(volume_id=made), key=lambda one: one.created, reverse=True):
                cloud.call("block-storage", "DELETE", f"/backups/{one.id}", accept=(404,))
                until_status(cloud, "block-storage", f"/backups/{one.id}", 404)
                _uncounted(cloud, made)
            cloud.call("block-storage", "DELETE", f"/volumes/{made}")
            until_status(cloud, "block-storage", f"/volumes/{made}", 404)


def _uncounted(cloud: object, made: str) -> None:
    """Waits until Cinder has counted what is gone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        left = Cinder(cloud).backups(volume_id=made)
        if not left or sum(one.incremental for one in left) >= sum(one.dependents for one in left):
            return
        time.sleep(0.3)
    raise AssertionError(f"Cinder still counts what is gone: {left}")


def scribble(desk: Desk, made: str, chance: random.Random) -> None:
    """Random bytes somewhere in a volume."""
    with open(desk.cloud.share / f"volume-{made}", "r+b") as file:
        file.seek(chance.randrange(0, 1024**3 - 2**17))
        file.write(os.urandom(2**16))


def back_up(desk: Desk, made: str, *, incremental: bool = False, ours: bool = True) -> str:
    """A real backup, by our run or by hand; its id once it is there."""
    with desk.session() as cloud:
        metadata = {model.RUN: "test"} if ours else {}
        one = Cinder(cloud).begin_backup(made, name="real", metadata=metadata, incremental=incremental)
        until_status(cloud, "block-storage", f"/backups/{one}", 200, "backup", "available")
    return one


def files(cloud: Cloud, backup: str) -> int:
    """How many files of a backup are in the store."""
    return sum(backup in path.name and path.is_file() for path in cloud.backups.rglob("*"))
