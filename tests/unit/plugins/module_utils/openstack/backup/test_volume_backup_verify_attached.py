# SPDX-License-Identifier: Apache-2.0
"""Restores that are read by attachments of Cinder, on a Cinder in memory whose volumes are files."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import attached, readers
from ansible_collections.scs.landscape.plugins.modules import volume_backup_verify as module
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import Killed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    GIB,
    FakeRestores,
)

EXPORT = "storage:/volumes"


class Share(FakeRestores):
    """Volumes are files of a share once they are attached, and none is removed while it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.number = folder, itertools.count()
        self.attachments: dict[str, dict[str, Any]] = {}
        self.more: dict[str, Any] = {}
        self.most = 0

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        words = path.strip("/").split("/")
        if words[0] != "attachments":
            return super()._answer(method, path, body)
        if method == "POST" and len(words) == 1:
            return self._attach(self.volumes[body["attachment"]["volume_uuid"]])
        if words[-1] == "detail":
            return 200, {"attachments": list(self.attachments.values())}
        if method == "DELETE":
            self.volumes[self.attachments.pop(words[1])["volume_id"]]["status"] = "available"
        return 200, {}

    def _attach(self, volume: dict[str, Any]) -> tuple[int, Any]:
        if volume["status"] != "available":
            return 400, {"badRequest": {"message": f"it is {volume['status']}"}}
        name, volume["status"] = f"volume-{volume['id']}", "in-use"
        path = self.folder / name
        path.write_bytes(self.data[volume["id"]])
        os.truncate(path, self.lengths.get(self.sources[volume["id"]], volume["size"] * GIB))
        info = {"driver_volume_type": "nfs", "export": EXPORT, "name": name, "format": "raw", **self.more}
        made = {"id": f"a{next(self.number)}", "volume_id": volume["id"], "connection_info": info}
        self.attachments[made["id"]] = made
        self.most = max(self.most, len(self.attachments))
        return 200, {"attachment": made}

    def _delete(self, body: Any, kind: str, identifier: str) -> tuple[int, Any]:
        if self.volumes.get(identifier, {}).get("status") == "in-use":
            return 400, {"badRequest": {"message": "it is in-use"}}
        return super()._delete(body, kind, identifier)


@pytest.fixture
def share(tmp_path: Path) -> Share:
    fake = Share(tmp_path)
    for name in ("v1", "v2"):
        fake.add_volume(name)
        fake.back_up(f"b-{name}", name, name.encode() * 9999, str(tmp_path / "digests"))
    return fake


def verify(share: Share, check: bool = False, **reader: Any) -> Any:
    given = {
        "digests": str(share.folder / "digests"),
        "reader": {"kind": "attachment", "mounts": {EXPORT: str(share.folder)}, **reader},
    }
    checked = ArgumentSpecValidator(module.ARGUMENTS).validate(given)
    assert not checked.error_messages, checked.error_messages
    return module.main(checked.validated_parameters, check, share.connect, share.patience())


def endings(done: Any) -> dict[str, str]:
    return {one["backup"]: one["status"] for one in done.values["verified"]}


def test_restores_are_read_where_cinder_says_they_are_and_nothing_stays_attached(share: Share) -> None:
    planned = verify(share, check=True)
    assert share.writes == []
    done = verify(share)
    assert (endings(done), done.failed) == ({"b-v1": "proven", "b-v2": "proven"}, "")
    assert done.plan.digest == planned.plan.digest
    assert share.most > 0
    assert (share.attachments, set(share.volumes)) == ({}, {"v1", "v2"})


@pytest.mark.parametrize(
    ("arrange", "said"),
    [
        (lambda share: share.damaged.update({"b-v1": b"v1" * 9998 + b"v3"}), "1 of 16384 blocks"),
        (lambda share: share.lengths.update({"b-v1": GIB - 1}), "ends after"),
    ],
    ids=["other", "shorter"],
)
def test_exactly_the_wrong_one_is_named(share: Share, arrange: Any, said: str) -> None:
    arrange(share)
    done = verify(share)
    assert endings(done) == {"b-v1": "refuted", "b-v2": "proven"}
    assert said in done.failed
    assert (share.attachments, set(share.volumes)) == ({}, {"v1", "v2"})


@pytest.mark.parametrize(
    ("more", "reader", "said"),
    [
        ({"driver_volume_type": "iscsi"}, {}, "reached by iscsi, which needs an initiator"),
        ({"format": "qcow2"}, {}, "is qcow2, not raw bytes"),
        ({"name": "../../etc/shadow"}, {}, "which is no name of a file"),
        ({}, {"mounts": {}}, "storage:/volumes is not mounted on this machine"),
        ({"driver_volume_type": "rbd", "name": "pool/image;id"}, {}, "which is no name of one"),
    ],
)
def test_what_cannot_be_reached_is_said_and_nothing_is_left(
    share: Share, more: dict[str, Any], reader: dict[str, Any], said: str
) -> None:
    share.more = more
    done = verify(share, **reader)
    assert set(endings(done).values()) == {"failed"}
    assert said in done.failed
    assert (share.attachments, set(share.volumes)) == ({}, {"v1", "v2"})


def test_a_volume_that_a_killed_run_left_attached_is_removed_by_the_next(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hook(method: str, path: str) -> None:
        if share.attachments and not path.startswith("/attachments"):
            raise Killed

    share.hook = hook
    with pytest.raises(Killed):
        verify(share)
    share.hook = lambda _method, _path: None
    assert share.attachments
    monkeypatch.setattr(
        "ansible_collections.scs.landscape.plugins.module_utils.openstack.images.owner.lives", lambda *_a: False
    )
    done = verify(share)
    assert (set(endings(done).values()), done.failed) == ({"proven"}, "")
    assert (share.attachments, set(share.volumes)) == ({}, {"v1", "v2"})


def test_images_of_ceph_are_read_by_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "rbd"
    program.write_text('#!/bin/sh\nprintf %s "$*"\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    reader = attached.AttachedReader(None, attached.reach_of({"conf": "/c", "user": "u"}))  # type: ignore[arg-type]
    info = {"driver_volume_type": "rbd", "name": "volumes/volume-1"}
    with pytest.raises(InputError, match="no snapshots of them"), reader.open(readers.Subject("1", snapshot="s")):
        pass
    with contextlib.ExitStack() as closed:
        stream = reader._stream(info, readers.Subject("1"), closed)
        assert stream.name == "volumes/volume-1"
        said = b"--conf /c --id u export --no-progress volumes/volume-1 -"
        assert [bytes(one) for one in stream.blocks(len(said)) if not isinstance(one, int)] == [said]


def test_what_others_use_is_not_read_so() -> None:
    with pytest.raises(InputError, match="is for volume_backup_verify alone"):
        readers.reader_of({"kind": "attachment"})
