# SPDX-License-Identifier: Apache-2.0
"""volume_backup_restore on a Cinder in memory: right type, right bytes, once, and never called good when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import model as cloud_model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    manifest,
    model,
    readers,
    restoring,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.volumes import RESTORED, SOURCE
from ansible_collections.scs.landscape.plugins.modules import volume_backup_restore as module
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import Killed
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    BLOCK,
    GIB,
    FakeReader,
    FakeRestores,
)

CONTENT = b"x" * BLOCK + bytes(BLOCK) + b"y" * BLOCK


class Bench:
    def __init__(self, folder: Path, monkeypatch, metadata: dict[str, str]) -> None:
        self.fake, self.folder = FakeRestores(), folder
        self.reader = FakeReader(self.fake)
        monkeypatch.setattr(readers, "reader_of", lambda _options: self.reader)
        self.fake.add_volume("v1", volume_type="ssd", metadata=metadata)
        self.fake.back_up("b1", "v1", CONTENT, str(folder))

    def run(self, *restores: dict[str, Any], check: bool = False, blind: bool = False, **more: Any):
        given = {"restores": list(restores) or [{"backup": "b1"}], **more}
        if not blind:
            given.update(digests=str(self.folder), reader={"kind": "file", "path": "/{id}"})
        checked = ArgumentSpecValidator(module.ARGUMENTS, **module.RULES).validate(given)
        assert not checked.error_messages, checked.error_messages
        return module.main(checked.validated_parameters, check, self.fake.connect, self.fake.patience())

    def restored(self) -> list[dict[str, Any]]:
        return [one for key, one in self.fake.volumes.items() if key != "v1"]


@pytest.fixture(params=["", "user", "restored"])
def bench(tmp_path, monkeypatch, request):
    """Sources without and with metadata, which a restore puts in the place of its target's: also those of a restore."""
    metadata = {"user": {"who": "somebody"}, "restored": {RESTORED: "same b0", SOURCE: "b0"}}
    return Bench(tmp_path, monkeypatch, metadata.get(request.param, {}))


def test_a_new_volume_of_the_same_type_and_a_second_run_that_writes_nothing(bench):
    planned = bench.run(check=True)
    assert bench.fake.writes == []
    assert planned.values["restores"][0]["volume"]["id"] is None
    done = bench.run()
    (made,) = bench.restored()
    assert (made["name"], made["volume_type"], made["size"]) == ("restored-b1", "ssd", 1)
    assert bench.fake.data[made["id"]] == CONTENT
    assert made["metadata"][RESTORED] == "same b1"
    assert (done.failed, done.changed, done.steps_done, done.warnings) == ("", True, 1, [])
    assert done.plan.digest == planned.plan.digest
    (value,) = done.values["restores"]
    assert (value["compared"], value["blocks"], value["bytes"]) == (True, 16384, GIB)
    before = len(bench.fake.writes)
    again = bench.run()
    assert (again.changed, len(bench.fake.writes), again.values["restores"][0]["action"]) == (False, before, "none")
    assert again.values["restores"][0]["volume"]["id"] == made["id"]


def test_the_type_is_that_of_the_backup_when_the_source_is_gone(bench):
    bench.fake.backups["b1"]["metadata"][model.TYPE] = "nvme"
    del bench.fake.volumes["v1"]
    bench.run()
    assert bench.restored()[0]["volume_type"] == "nvme"


def test_an_encrypted_backup_without_a_known_type_is_refused_and_with_one_restored(bench):
    bench.fake.backups["b1"]["encryption_key_id"] = "k1"
    del bench.fake.volumes["v1"]
    with pytest.raises(InputError, match="is encrypted, and the type of its volume is not known"):
        bench.run()
    assert bench.fake.writes == []
    done = bench.run({"backup": "b1", "type": "ssd"})
    assert "it is not encrypted, and its backup is" in done.failed
    assert bench.run({"backup": "b1", "type": "luks", "name": "right"}).failed == ""


def test_without_a_reader_it_is_restored_and_the_task_warns(bench):
    done = bench.run(blind=True)
    assert "nobody knows whether these were restored rightly: b1" in done.warnings[0]
    assert done.values["restores"][0]["compared"] is False
    assert bench.reader.opened == 0
    later = bench.run()
    assert later.values["restores"][0]["action"] == "compare"
    assert later.values["restores"][0]["compared"] is True


@pytest.mark.parametrize(
    ("arrange", "sentence"),
    [
        (
            lambda fake: fake.damaged.update(b1=b"z" * BLOCK + CONTENT[BLOCK:]),
            "1 of 16384 blocks of 64 KiB are not what",
        ),
        (lambda fake: fake.lengths.update(b1=3 * BLOCK), "ends after 196608 bytes, and 1073741824 are wanted"),
        (lambda fake: fake.lengths.update(b1=GIB - 1), "ends after 1073741823 bytes"),
        (lambda fake: fake.lengths.update(b1=GIB + 1), "is longer than 1073741824 bytes"),
        (lambda fake: fake.ends.append("error_restoring"), "the backup service failed"),
        (lambda fake: fake.ends.append("error"), "was not restored: volume restored-b1"),
        (lambda fake: fake.ends.append("stuck"), "is not restored after 10 min 0 s"),
    ],
    ids=["other", "short", "byte-short", "byte-long", "restoring", "making", "stuck"],
)
def test_a_wrong_restore_is_never_called_good(bench, arrange, sentence):
    arrange(bench.fake)
    done = bench.run()
    assert sentence in done.failed
    assert (done.steps_done, done.values["restores"][0]["compared"]) == (0, False)


def test_bytes_that_were_wrong_stay_wrong_in_the_next_run(bench):
    bench.fake.damaged["b1"] = b"z"
    assert bench.run().failed
    assert bench.restored()[0]["metadata"][RESTORED] == "wrong b1"
    with pytest.raises(InputError, match="its bytes were not those that were backed up"):
        bench.run()


def test_a_volume_in_error_goes_and_the_next_run_makes_another(bench):
    bench.fake.ends.append("error_restoring")
    assert bench.run().failed
    first = bench.restored()[0]["id"]
    again = bench.run()
    assert [step.action for step in again.plan.steps] == ["delete", "create", "compare"]
    assert again.failed == ""
    assert [one["id"] for one in bench.restored()] != [first]
    assert len(bench.restored()) == 1


@pytest.mark.parametrize("status", ["error_extending", "error", "error_restoring", "error_managing", "error_deleting"])
@pytest.mark.parametrize("mark", ["same b1", "wrong b1", "done b1", "new b1", ""], ids=lambda mark: mark or "no mark")
def test_a_volume_that_was_filled_once_is_never_removed(bench, status, mark):
    """It was restored weeks ago and written to since; then an extend of it, say, failed."""
    assert bench.run().failed == ""
    (volume,) = bench.restored()
    volume["metadata"][RESTORED] = mark
    volume["status"] = status
    count = len(bench.fake.writes)
    with pytest.raises(InputError, match=rf"b1 \(b1\) was restored before, into volume .*, which is now {status}"):
        bench.run()
    assert bench.restored() == [volume]
    assert len(bench.fake.writes) == count


def test_a_volume_that_failed_and_is_attached_is_not_removed(bench):
    bench.fake.ends.append("error_restoring")
    assert bench.run().failed
    bench.restored()[0]["attachments"] = [{"server_id": "s1", "device": "/dev/vdb"}]
    with pytest.raises(InputError, match="is now error_restoring"):
        bench.run()


def test_a_volume_that_somebody_mended_meanwhile_is_not_removed(bench, monkeypatch):
    bench.fake.ends.append("error_restoring")
    assert bench.run().failed
    (volume,) = bench.restored()
    looked = restoring.Restorer.plan

    def mended(*args):
        found = looked(*args)
        volume["status"] = "available"
        return found

    monkeypatch.setattr(restoring.Restorer, "plan", mended)
    assert "was error_restoring and is now available" in bench.run().failed
    assert bench.restored() == [volume]


@pytest.mark.parametrize(
    ("arrange", "sentence"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b'"v1"', b'"v2"')), "is damaged"),
    ],
    ids=["missing", "cut", "changed"],
)
def test_a_list_that_cannot_be_used_is_refused_before_anything_is_made(bench, arrange, sentence):
    arrange(bench.folder / manifest.name_of(bench.fake.backups["b1"]["metadata"][model.DIGEST]))
    with pytest.raises(InputError, match=sentence):
        bench.run()
    assert bench.fake.writes == []


def test_lists_of_another_backup_and_of_another_size_have_their_own_sentences(bench):
    other = bench.fake.back_up("b2", "v1", b"other", str(bench.folder))
    mine = bench.folder / manifest.name_of(bench.fake.backups["b1"]["metadata"][model.DIGEST])
    good = mine.read_bytes()
    mine.write_bytes((bench.folder / manifest.name_of(other)).read_bytes())
    with pytest.raises(InputError, match="is that of another backup, of the digest"):
        bench.run()
    mine.write_bytes(good)
    bench.fake.backups["b1"]["size"] = 2
    with pytest.raises(InputError, match="is of another size"):
        bench.run()
    bench.fake.backups["b1"].update(size=1, volume_id="v9")
    with pytest.raises(InputError, match="is that of another backup, of volume v1"):
        bench.run()
    bench.fake.backups["b1"]["metadata"][model.DIGEST] = "sha256:../../../etc/passwd"
    with pytest.raises(InputError, match="is no digest"):
        bench.run()
    assert bench.fake.writes == []


def test_over_a_volume_only_with_leave_and_once_for_each_name(bench):
    bench.fake.add_volume("v2")
    over = {"backup": "b1", "volume": "v2", "run": "t1"}
    with pytest.raises(InputError, match="would be overwritten, and allow_overwrite is not set"):
        bench.run(over)
    assert bench.fake.requests == []
    done = bench.run(over, allow_overwrite=True)
    assert (done.failed, bench.fake.data["v2"], done.plan.impact.label) == ("", CONTENT, "destroyed")
    before = len(bench.fake.writes)
    assert not bench.run(over, allow_overwrite=True).changed
    assert len(bench.fake.writes) == before
    bench.fake.data["v2"] = b"written since"
    again = bench.run({**over, "run": "t2"}, allow_overwrite=True)
    assert (again.failed, bench.fake.data["v2"]) == ("", CONTENT)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([{"backup": "b1", "volume": "v1"}], "needs run"),
        ([{"backup": "b1", "volume": "v1", "run": "a b"}], "run has spaces"),
        ([{"backup": "b1", "volume": "v1", "run": "a", "size": 3}], "are for new volumes"),
        ([{"backup": "b1", "run": "a"}], "run is for restores over a volume"),
        ([{"backup": "b1"}, {"backup": "b1"}], "two restores go into the new volume of backup b1"),
        ([{"backup": "b1", "name": "n"}, {"backup": "b2", "name": "n"}], "two restores go into the new volume n"),
        ([{"backup": "b1", "size": -1}], "size is -1"),
        ([{"backup": "b1", "metadata": {RESTORED: "x"}}], "is ours"),
        ([{"backup": "b9"}], "backup b9 is not there"),
        ([{"backup": "b1", "volume": "v9", "run": "a"}], "volume v9 is not there"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_touched(bench, entries, sentence):
    with pytest.raises(InputError) as caught:
        bench.run(*entries, allow_overwrite=True)
    assert sentence in str(caught.value)
    assert bench.fake.writes == []


def test_all_that_is_wrong_is_said_at_once(bench):
    bench.fake.backups["b1"]["status"] = "error"
    with pytest.raises(InputError) as caught:
        bench.run({"backup": "b1"}, {"backup": "b9"})
    assert "it is error" in str(caught.value)
    assert "b9 is not there" in str(caught.value)


def test_metadata_are_those_of_the_source_and_those_that_are_asked_for(bench):
    bench.run({"backup": "b1", "metadata": {"ours": "too"}})
    (made,) = bench.restored()
    source = {
        key: value for key, value in bench.fake.volumes["v1"]["metadata"].items() if key not in (RESTORED, SOURCE)
    }
    assert made["metadata"] == {**source, "ours": "too", RESTORED: "same b1", SOURCE: "b1"}


def test_an_incremental_backup_on_a_broken_one_is_refused(bench):
    bench.fake.back_up("b2", "v1", b"more", str(bench.folder), parent="b1")
    bench.fake.backups["b1"]["status"] = "error"
    with pytest.raises(InputError, match=r"it stands on b1 \(b1\), which is error"):
        bench.run({"backup": "b2"})


def test_the_quota_is_looked_at_first_with_its_numbers(bench):
    bench.fake.quota.update(maxTotalVolumes=1, maxTotalVolumeGigabytes=1)
    with pytest.raises(
        InputError, match=r"1 volumes more do not fit: 1 of 1 are used and 1 GiB of volumes more do not fit"
    ):
        bench.run()
    assert bench.fake.writes == []


def test_a_larger_volume_holds_the_backup_at_its_beginning(bench):
    done = bench.run({"backup": "b1", "size": 3})
    assert (done.failed, done.values["restores"][0]["bytes"], bench.restored()[0]["size"]) == ("", 3 * GIB, 3)
    bench.fake.add_volume("small", size=0)
    with pytest.raises(InputError, match=r"has 1 GiB, and volume small \(small\) has 0 GiB"):
        bench.run({"backup": "b1", "volume": "small", "run": "a"}, allow_overwrite=True)


@pytest.mark.slow
@pytest.mark.parametrize("when", range(12))
@pytest.mark.parametrize("over", [False, True], ids=["new", "over"])
def test_a_run_that_is_killed_anywhere_is_taken_up_again(bench, when, over):
    bench.fake.add_volume("v2")
    entry = {"backup": "b1", "volume": "v2", "run": "t1"} if over else {"backup": "b1"}
    seen = []

    def kill(method: str, path: str) -> str | None:
        seen.append((method, path))
        if len(seen) == when + 4:
            raise Killed
        return None

    bench.fake.hook = kill
    try:
        bench.run(entry, allow_overwrite=True)
    except Killed:
        pass
    else:
        assert when > 5
    bench.fake.hook = lambda _method, _path: None
    done = bench.run(entry, allow_overwrite=True)
    assert done.failed == ""
    found = [one for one in bench.restored() if RESTORED in one["metadata"]]
    assert [one["metadata"][RESTORED] for one in found] == ["same b1 t1" if over else "same b1"]
    assert bench.fake.data[found[0]["id"]] == CONTENT
    assert not bench.run(entry, allow_overwrite=True).changed


@pytest.mark.accept("B1.19")
@pytest.mark.parametrize("status", [0, 503, 504])
@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
@pytest.mark.parametrize("over", [False, True], ids=["new", "over"])
def test_an_answer_that_is_lost_makes_no_second_volume(bench, late, over, status):
    bench.fake.add_volume("v2")
    entry = {"backup": "b1", "volume": "v2", "run": "t1"} if over else {"backup": "b1"}
    lost = []

    def lose(method: str, path: str) -> str | None:
        if method == "POST" and path in ("/volumes", "/backups/b1/restore") and not lost:
            lost.append(path)
            if late and not status:
                return "lose"
            if late:
                return f"lose {status}"
            raise cloud_model.CloudError("a proxy", status=status) if status else cloud_model.UnreachableError("cut")
        return None

    bench.fake.hook = lose
    done = bench.run(entry, allow_overwrite=True)
    assert (done.failed, len(lost)) == ("", 1)
    assert len([one for one in bench.restored() if RESTORED in one["metadata"]]) == 1


def test_one_failure_does_not_end_the_others_and_one_backup_is_never_restored_twice_at_once(bench):
    bench.fake.back_up("b2", "v1", b"second", str(bench.folder))
    bench.fake.damaged["b2"] = b"broken"
    done = bench.run({"backup": "b1"}, {"backup": "b2"}, {"backup": "b1", "name": "again"})
    assert [bool(one["reason"]) for one in done.values["restores"]] == [False, True, False]
    assert done.steps_done == 2
    assert "backup b2 (b2) was restored into volume restored-b2" in done.failed
    assert bench.fake.most_restores == 1
