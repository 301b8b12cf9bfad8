# SPDX-License-Identifier: Apache-2.0
"""A bucket as a store, on a stand-in: parts, pages, cuts, lost answers and refusals."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import (
    InputError,
    LandscapeError,
    MissingDependencyError,
)
from ansible_collections.scs.landscape.plugins.module_utils.offsite import opening, store
from ansible_collections.scs.landscape.plugins.module_utils.offsite.s3 import client, parts
from ansible_collections.scs.landscape.plugins.modules import offsite_copy
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.offsite.fake_s3 import Cut, FakeS3, Refused

OPTIONS = {"kind": "s3", "bucket": "bucket", "prefix": "/cloud/a/", "access_key": "AK", "secret_key": "very-secret"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    found = FakeS3()
    monkeypatch.setattr(client, "connect", lambda *_given: found)
    monkeypatch.setattr(client, "_REFUSED", (Refused,))
    monkeypatch.setattr(client, "_BROKEN", (Cut,))
    monkeypatch.setattr(parts, "PART", 100_000)
    monkeypatch.setattr(parts, "_MIB", 1)
    monkeypatch.setattr(client, "PART", 100_000)
    real = store.patient
    calm: dict[str, Any] = {"sleep": lambda _seconds: None, "chance": lambda: 0.0}
    for place in ("copying", "restoring", "locks"):
        module = __import__(f"{store.__package__}.{place}", fromlist=["patient"])
        if hasattr(module, "patient"):
            monkeypatch.setattr(module, "patient", lambda *given: real(*given, **calm))
    monkeypatch.setattr(store, "patient", lambda *given: real(*given, **calm))
    return found


def task(check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in offsite_copy.ARGUMENTS.items()}
    return offsite_copy.main({**defaults, "store": OPTIONS, "wait": 0, "timeout": 60, **options}, check)


def grown(root: Path, seed: int) -> Path:
    chance = random.Random(seed)
    root.mkdir()
    (root / "large").write_bytes(chance.randbytes(750_123))
    (root / "exact").write_bytes(chance.randbytes(200_000))
    for number in range(5):
        (root / f"small-{number}").write_bytes(chance.randbytes(100 * number))
    return root


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_goes_out_comes_back(fake: FakeS3, tmp_path: Path, seed: int) -> None:
    src, dest = grown(tmp_path / "src", seed), tmp_path / "back"
    assert task(check=True, src=str(src)).changed
    assert fake.writes == 0
    assert task(src=str(src)).values["objects"] == 7
    assert all(name.startswith("cloud/a/") for name in fake.objects)
    assert fake.uploads == {}
    before = fake.writes
    assert not task(src=str(src)).changed
    assert task(state="verified").failed == ""
    assert task(state="restored", dest=str(dest)).changed
    assert fake.writes == before
    assert content(dest) == content(src)
    (src / "large").write_bytes(b"x")
    done = task(src=str(src), keep=1)
    assert done.values["removed_objects"] == 1
    assert len([name for name in fake.objects if "/objects/" in name]) == 7


def test_what_a_killed_run_has_sent_is_not_sent_again(fake: FakeS3, tmp_path: Path, seed: int) -> None:
    src = grown(tmp_path / "src", seed)

    def kill(method: str) -> None:
        if method == "upload_part" and fake.asked[method] == 6:
            raise KeyboardInterrupt

    fake.before = kill
    with pytest.raises(KeyboardInterrupt):
        task(src=str(src), max_parallel=1)
    fake.before = lambda _method: None
    (upload,) = [one for one in fake.uploads.values() if len(one["parts"]) == 5]
    upload["parts"][2] = bytes(100_000)
    assert not [name for name in fake.objects if "/snapshots/" in name]
    fake.asked.clear()
    assert task(src=str(src)).failed == ""
    # One part was wrong, four were right; the two of the other large file may have gone before the run was all dead.
    assert fake.asked["upload_part"] - (8 - 4) in range(3)
    assert task(state="verified").failed == ""


@pytest.mark.parametrize("seed_more", range(4))
def test_refusals_cuts_and_lost_answers(fake: FakeS3, tmp_path: Path, seed: int, seed_more: int) -> None:
    src, chance = grown(tmp_path / "src", seed), random.Random(seed + seed_more)

    def trouble(_method: str) -> None:
        if chance.random() < 0.12:
            raise chance.choice([Cut("cut"), Refused("SlowDown", 503), Refused("x", 500), Refused("x", 429)])

    fake.before = fake.after = trouble
    assert task(src=str(src), name="one").failed == ""
    assert task(state="verified").failed == ""
    assert task(state="restored", dest=str(tmp_path / "back")).failed == ""
    fake.before = fake.after = lambda _method: None
    assert content(tmp_path / "back") == content(src)
    assert not task(src=str(src), name="one").changed
    assert len([name for name in fake.objects if "/snapshots/" in name]) == 1


def test_a_file_that_changes_leaves_no_parts(fake: FakeS3, tmp_path: Path, seed: int) -> None:
    src = grown(tmp_path / "src", seed)

    def change(method: str) -> None:
        if method == "create_multipart_upload":
            (src / "large").write_bytes(bytes(750_123))

    fake.before = change
    done = task(src=str(src))
    assert "was changed while it was copied" in done.failed
    assert fake.uploads == {}


def test_a_login_that_may_not_write_is_told_so(fake: FakeS3, tmp_path: Path) -> None:
    src = grown(tmp_path / "src", 1)

    def refuse(method: str) -> None:
        if method == "put_object":
            raise Refused("AccessDenied", 403)

    fake.before = refuse
    with pytest.raises(LandscapeError, match=r"AccessDenied.*The login may not do that"):
        task(src=str(src))


def test_what_was_given_up_long_ago_is_cleared(fake: FakeS3, tmp_path: Path) -> None:
    bucket = client.Bucket(OPTIONS, fake)
    for name, days in (("old", 9), ("new", 1)):
        upload = fake.create_multipart_upload(Bucket="bucket", Key=f"cloud/a/objects/{name}")["UploadId"]
        began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
        fake.uploads[upload]["Initiated"] = began
    assert bucket.sweep(7 * 86400) == 1
    assert [one["Key"] for one in fake.uploads.values()] == ["cloud/a/objects/new"]


def test_an_endless_listing_is_noticed(fake: FakeS3) -> None:
    page = {"Contents": [], "IsTruncated": True, "NextContinuationToken": "x"}
    fake._list_objects_v2 = lambda **_options: page  # type: ignore[method-assign]
    with pytest.raises(LandscapeError, match="listed in a circle"):
        client.Bucket(OPTIONS, fake).listing("objects/")


def test_a_service_without_ranges(fake: FakeS3) -> None:
    bucket = client.Bucket(OPTIONS, fake)
    bucket.put("objects/x", bytes(range(256)) * 10)
    real = fake._get_object
    fake._get_object = lambda Key, Range="": real(Key)  # type: ignore[method-assign] # noqa: N803
    assert b"".join(bucket.get("objects/x", 300)) == (bytes(range(256)) * 10)[300:]


def test_parts_are_never_too_many() -> None:
    for size in (1, parts.PART, 156 * 2**30, 5 * 2**40):
        assert size / parts.part_size(size) <= 10_000
        assert parts.part_size(size) % 2**20 == 0
        assert parts.part_size(size) >= parts.PART


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bucket": None}, "store.bucket is needed for kind s3"),
        ({"path": "/x"}, "store.path is not for kind s3"),
        ({"secret_key": None}, "store.access_key and store.secret_key belong together"),
        ({"kind": "directory", "path": "/x"}, "store.secret_key is not for kind directory"),
    ],
)
def test_options_that_do_not_fit_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        opening.store({**OPTIONS, **wrong})
    assert "very-secret" not in str(refused.value)


def test_no_answer_shows_a_secret(fake: FakeS3) -> None:
    def leak(_method: str) -> None:
        raise Cut("signed with very-secret")

    fake.before = leak
    with pytest.raises(store.BusyError) as refused:
        client.Bucket(OPTIONS, fake).listing("")
    assert "very-secret" not in str(refused.value)


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "boto3", None)
    with pytest.raises(MissingDependencyError, match="boto3 is needed for stores that speak S3"):
        client.connect(OPTIONS)
