# SPDX-License-Identifier: Apache-2.0
"""A folder becomes what is desired, never leads elsewhere, and says what stands in the way."""

from __future__ import annotations

import errno
import functools
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import files, record
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan

OLD = {"a.md": "a\n", "sub/b.md": "b\n", "sub/deep/c.md": "c\n"}
NEW = {"a.md": "A\n", "d.md": "d\n"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def folder(home: Path) -> files.Folder:
    return files.Folder(str(home), "tester")


def _write(folder: files.Folder, desired: dict[str, str], **how: Any) -> Plan:
    plan = folder.plan(desired, **how)
    assert folder.apply(plan, desired) == len(plan)
    return plan


def tree(path: Path) -> dict[str, str]:
    """Every file below a folder with its content, and every empty folder."""
    found = {}
    for here, folders, names in os.walk(path):
        for name in names:
            found[os.path.relpath(os.path.join(here, name), path)] = Path(here, name).read_text(encoding="utf-8")
        if not folders and not names:
            found[os.path.relpath(here, path) + "/"] = ""
    return found


def _ours(path: Path) -> dict[str, str]:
    return {name: text for name, text in tree(path).items() if not name.startswith(files.RECORD_FOLDER)}


def test_create_update_delete(folder: files.Folder, home: Path) -> None:
    first = _write(folder, OLD)
    assert [(step.action, step.object) for step in first.steps] == [("create", name) for name in sorted(OLD)]
    second = _write(folder, NEW)
    assert [(step.action, step.object) for step in second.steps] == [
        ("update", "a.md"),
        ("create", "d.md"),
        ("delete", "sub/b.md"),
        ("delete", "sub/deep/c.md"),
    ]
    assert _ours(home) == NEW
    assert folder.owned() == {name: files.digest(content) for name, content in NEW.items()}
    assert sorted(os.listdir(home / files.RECORD_FOLDER)) == ["tester.json"]


def test_a_second_run_writes_nothing_at_all(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in home.rglob("*")}
    assert not _write(folder, OLD)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in home.rglob("*")} == before


def test_planning_writes_nothing(folder: files.Folder, home: Path) -> None:
    assert len(folder.plan(OLD)) == 3
    assert not home.exists()


def test_without_prune_old_files_stay_and_are_remembered(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    _write(folder, NEW, prune=False)
    assert _ours(home) == {**OLD, **NEW}
    assert set(folder.owned()) == {*OLD, *NEW}
    _write(folder, NEW)
    assert _ours(home) == NEW


def test_a_file_changed_by_hand_is_not_pruned(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    (home / "sub" / "b.md").write_text("mine\n")
    _write(folder, NEW)
    assert _ours(home) == {**NEW, "sub/b.md": "mine\n"}


def test_edited_names_what_would_be_lost(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    (home / "a.md").write_text("mine\n")
    (home / "d.md").write_text("foreign\n")
    assert folder.edited(NEW) == ["a.md", "d.md"]
    assert folder.edited(OLD) == ["a.md"]


def test_foreign_files_are_not_replaced_unless_told_so(folder: files.Folder, home: Path) -> None:
    home.mkdir()
    for number in range(7):
        (home / f"{number}.md").write_text("foreign\n")
    desired = {f"{number}.md": "ours\n" for number in range(7)}
    with pytest.raises(InputError, match=r"did not write: 0\.md, .* and 2 more") as refused:
        folder.plan(desired)
    assert len(refused.value.details["foreign"]) == 7
    assert set(_ours(home).values()) == {"foreign\n"}
    _write(folder, desired, adopt=True)
    assert set(_ours(home).values()) == {"ours\n"}


def test_two_owners_share_a_folder(folder: files.Folder, home: Path) -> None:
    other = files.Folder(str(home), "other")
    _write(folder, {"a.md": "a\n"})
    _write(other, {"b.md": "b\n"})
    _write(folder, {})
    assert _ours(home) == {"b.md": "b\n"}
    assert sorted(os.listdir(home / files.RECORD_FOLDER)) == ["other.json", "tester.json"]


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "a\\b", "a\x00b", ".scs-landscape/lock", "a/", ".."],
)
def test_names_that_lead_out_are_refused(folder: files.Folder, home: Path, name: str) -> None:
    with pytest.raises(InputError):
        folder.plan({name: "x"})
    assert not home.exists()


@pytest.mark.parametrize("name", ["out.md", "linked/passwd", "inner/linked/x"])
def test_symbolic_links_that_lead_out_are_refused(folder: files.Folder, home: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("secret\n")
    (home / "inner").mkdir(parents=True)
    (home / "out.md").symlink_to(outside / "passwd")
    (home / "linked").symlink_to(outside)
    (home / "inner" / "linked").symlink_to("../../outside")
    with pytest.raises(InputError, match="leads out of the destination"):
        folder.plan({name: "x"}, adopt=True)
    assert tree(outside) == {"passwd": "secret\n"}


def test_a_link_set_after_the_plan_is_refused_too(folder: files.Folder, home: Path, tmp_path: Path) -> None:
    desired = {"sub/x.md": "x\n"}
    plan = folder.plan(desired)
    (tmp_path / "outside").mkdir()
    home.mkdir()
    (home / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match="leads out of the destination"):
        folder.apply(plan, desired)
    assert tree(tmp_path / "outside") == {"./": ""}


def test_links_inside_and_a_linked_destination_work(tmp_path: Path) -> None:
    (tmp_path / "real" / "pages").mkdir(parents=True)
    (tmp_path / "real" / "docs").symlink_to("pages")
    (tmp_path / "link").symlink_to("real")
    folder = files.Folder(str(tmp_path / "link"), "tester")
    _write(folder, {"docs/a.md": "a\n"})
    assert (tmp_path / "real" / "pages" / "a.md").read_text() == "a\n"


def test_a_dangling_link_becomes_a_file(folder: files.Folder, home: Path) -> None:
    home.mkdir()
    (home / "a.md").symlink_to("nowhere")
    _write(folder, {"a.md": "a\n"})
    assert not (home / "a.md").is_symlink()


@pytest.mark.parametrize("how", ["changed", "gone", "appeared"])
def test_what_changed_since_the_plan_is_not_overwritten(folder: files.Folder, home: Path, how: str) -> None:
    _write(folder, OLD)
    plan = folder.plan(NEW)
    touched = home / ("d.md" if how == "appeared" else "a.md")
    touched.unlink() if how == "gone" else touched.write_text("somebody\n")
    with pytest.raises(LandscapeError, match=r"was changed since the plan was made\. Look"):
        folder.apply(plan, NEW)
    assert touched.exists() == (how != "gone")
    assert (home / "sub" / "b.md").exists()


def test_two_runs_with_the_same_plan_end_the_same(home: Path) -> None:
    first, second = files.Folder(str(home), "tester"), files.Folder(str(home), "tester")
    _write(first, OLD)
    plans = first.plan(NEW), second.plan(NEW)
    assert plans[0] == plans[1]
    assert first.apply(plans[0], NEW) == second.apply(plans[1], NEW) == 4
    assert _ours(home) == NEW


def test_the_second_of_two_runs_at_once_is_refused(
    folder: files.Folder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partialmethod(record.RunRecord.locked, patience=0.1)
    other = record.RunRecord(str(home / files.RECORD_FOLDER), "another module")
    plan = folder.plan(OLD)
    with other.locked():
        monkeypatch.setattr(record.RunRecord, "locked", impatient)
        with pytest.raises(LandscapeError, match="is held by another module"):
            folder.apply(plan, OLD)
    assert _ours(home) == {}


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_an_interrupted_run_is_finished_by_the_next(
    folder: files.Folder, home: Path, tmp_path: Path, stop: int
) -> None:
    reference = files.Folder(str(tmp_path / "reference"), "tester")
    for desired in (OLD, NEW):
        _write(reference, desired)
    _write(folder, OLD)
    done: list[Any] = []

    def interrupt(step: Any) -> None:
        done.append(step)
        if len(done) > stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.apply(folder.plan(NEW), NEW, progress=interrupt)
    _write(folder, NEW)
    assert tree(home) == tree(tmp_path / "reference")


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_an_interrupted_run_leaves_nothing_to_a_run_that_wants_something_else(
    folder: files.Folder, home: Path, stop: int
) -> None:
    _write(folder, OLD)
    done: list[Any] = []

    def interrupt(step: Any) -> None:
        done.append(step)
        if len(done) > stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.apply(folder.plan(NEW), NEW, progress=interrupt)
    _write(folder, {"e.md": "e\n"})
    assert _ours(home) == {"e.md": "e\n"}


def test_a_killed_run_is_finished_also_when_another_owner_cleared_its_lock(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    record_file = home / files.RECORD_FOLDER / "tester.json"
    finished = record_file.read_text()
    record_file.write_text(json.dumps({**json.loads(finished), "before": {"a.md": "x"}}))
    _write(folder, OLD)
    assert record_file.read_text() == finished


def test_empty_folders_of_an_interrupted_run_are_removed(folder: files.Folder, home: Path, tmp_path: Path) -> None:
    _write(folder, OLD)
    for name in ("sub/b.md", "sub/deep/c.md"):
        (home / name).unlink()
    _write(folder, NEW)
    assert not (home / "sub").exists()


def test_a_folder_with_other_things_in_it_stays(folder: files.Folder, home: Path) -> None:
    _write(folder, OLD)
    (home / "sub" / "notes.txt").write_text("mine\n")
    _write(folder, {})
    assert _ours(home) == {"sub/notes.txt": "mine\n"}


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_an_unreadable_record_stops_before_anything_is_written(folder: files.Folder, home: Path, content: str) -> None:
    _write(folder, OLD)
    (home / files.RECORD_FOLDER / "tester.json").write_text(content)
    before = tree(home)
    with pytest.raises(LandscapeError, match="record"):
        folder.plan(NEW)
    assert tree(home) == before


def test_a_record_with_a_strange_list_of_files_counts_as_empty(folder: files.Folder, home: Path) -> None:
    (home / files.RECORD_FOLDER).mkdir(parents=True)
    (home / files.RECORD_FOLDER / "tester.json").write_text(json.dumps({"files": ["a.md"]}))
    assert folder.owned() == {}


def test_a_record_that_names_files_outside_is_refused(folder: files.Folder, home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    (home / files.RECORD_FOLDER).mkdir(parents=True)
    state = {"files": {"../victim": files.digest("x")}}
    (home / files.RECORD_FOLDER / "tester.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="leads out"):
        folder.plan({})
    assert victim.exists()


def test_a_folder_in_the_place_of_a_file_is_an_error(folder: files.Folder, home: Path) -> None:
    (home / "a.md").mkdir(parents=True)
    with pytest.raises(LandscapeError, match="cannot be read: Is a directory"):
        folder.plan({"a.md": "x"})


def test_a_file_in_the_place_of_a_folder_is_an_error(folder: files.Folder, home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(LandscapeError, match="Not a directory"):
        folder.plan({"a.md": "x"})


def test_a_folder_that_may_not_be_written_is_an_error(
    folder: files.Folder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so the kernel's refusal is played."""
    plan = folder.plan(OLD)

    def refuse(path: str, **_how: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(LandscapeError, match=r"cannot be written: Permission denied\. Mend that"):
        folder.apply(plan, OLD)
    assert not home.exists()


@pytest.fixture
def small_files() -> Iterator[None]:
    """Files may not grow beyond 4 KiB, as on a disk that is full."""
    import signal

    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_old_file_and_a_later_run_goes_on(
    folder: files.Folder, home: Path, request: pytest.FixtureRequest
) -> None:
    desired = {"a.md": "small\n", "b.md": "x" * 10000, "c.md": "small\n"}
    _write(folder, {"b.md": "old\n"})
    plan = folder.plan(desired)
    request.getfixturevalue("small_files")
    with pytest.raises(LandscapeError, match=r"b\.md cannot be written: File too large"):
        folder.apply(plan, desired)
    assert _ours(home) == {"a.md": "small\n", "b.md": "old\n"}
    assert sorted(os.listdir(home / files.RECORD_FOLDER)) == ["tester.json"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    _write(folder, desired)
    assert _ours(home) == desired


def test_a_write_that_does_not_last_is_noticed(folder: files.Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.write_atomic

    def corrupt(path: str, content: str, **how: Any) -> None:
        real(path, content.upper(), **how)

    monkeypatch.setattr(files, "write_atomic", corrupt)
    with pytest.raises(LandscapeError, match=r"a\.md does not hold what was written"):
        folder.apply(folder.plan(OLD), OLD)


def test_a_leftover_scratch_file_does_not_lend_its_mode_or_its_target(
    folder: files.Folder, home: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    (home / files.RECORD_FOLDER).mkdir(parents=True)
    (home / files.RECORD_FOLDER / "pending").symlink_to(victim)
    _write(folder, {"a.md": "a\n"})
    assert victim.read_text() == "x"
    assert not (home / "a.md").is_symlink()
    (home / files.RECORD_FOLDER / "pending").touch(mode=0o600)
    _write(folder, {"a.md": "a\n", "b.md": "b\n"})
    assert (home / "b.md").stat().st_mode == (home / "a.md").stat().st_mode


def test_texts_that_are_not_utf8_survive(folder: files.Folder, home: Path) -> None:
    home.mkdir()
    (home / "a.md").write_bytes(b"\xff\xfe")
    assert folder.read("a.md") == "\udcff\udcfe"
    _write(folder, {"b.md": "\udcff\r\n"})
    assert (home / "b.md").read_bytes() == b"\xff\r\n"


def test_the_diff_is_bounded_and_readable(folder: files.Folder) -> None:
    _write(folder, {"a.md": "old\n", "big.md": "x\n" * 50000})
    shown = files.diff_of(folder.plan({"a.md": "new\n", "big.md": "y\n" * 50000, "c.md": "c\n"}))
    assert shown[0] == {"before_header": "a.md", "after_header": "a.md", "before": "old\n", "after": "new\n"}
    assert list(shown[1]) == ["prepared"]
    assert len(shown[1]["prepared"]) == files.DIFF_LIMIT
    assert shown[2]["before"] == ""


def test_single_files_are_planned_and_written(tmp_path: Path) -> None:
    desired = {str(tmp_path / "new" / "report.md"): "r\n", str(tmp_path / "kept.md"): "k\n"}
    (tmp_path / "kept.md").write_text("k\n")
    plan = files.plan_paths(desired)
    assert [(step.action, step.object) for step in plan.steps] == [("create", str(tmp_path / "new" / "report.md"))]
    assert files.apply_paths(plan) == 1
    assert not files.plan_paths(desired)
    assert [step.action for step in files.plan_paths({str(tmp_path / "kept.md"): "K\n"}).steps] == ["update"]


def test_a_single_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    target = tmp_path / "free" / "report.md"
    plan = files.plan_paths({str(target): "r\n"})
    (tmp_path / "free").write_text("in the way")
    with pytest.raises(LandscapeError, match="cannot be written: File exists"):
        files.apply_paths(plan)
