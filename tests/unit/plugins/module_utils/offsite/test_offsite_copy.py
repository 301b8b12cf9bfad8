# SPDX-License-Identifier: Apache-2.0
"""A folder as a store: what goes out comes back byte for byte, and what is not whole never looks whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.offsite import copying, directory, locks, model, scan
from ansible_collections.scs.landscape.plugins.modules import offsite_copy


def task(store: Path | None, check: bool = False, **options: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in offsite_copy.ARGUMENTS.items()}
    given = {
        **defaults,
        "store": {"kind": "directory", "path": store and str(store)},
        "wait": 0,
        "timeout": 1,
        **options,
    }
    return offsite_copy.main(given, check)


PROGRAM = """
import json, sys
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.offsite import test_offsite_copy as here
store, options = json.loads(sys.argv[1])
print(here.task(store, **options).failed)
"""


def begun(store: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A task in a process of its own."""
    given = json.dumps([str(store), options])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, given], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def grown(root: Path, seed: int) -> Path:
    """A folder with everything that modules write, and more."""
    chance = random.Random(seed)
    (root / "images").mkdir(parents=True)
    (root / "servers/app").mkdir(parents=True)
    (root / "empty").mkdir()
    with open(root / "images/disk.raw", "wb") as stream:
        stream.write(chance.randbytes(3_000_000))
        stream.seek(8_000_000)
        stream.write(chance.randbytes(100))
        stream.truncate(12_000_000)
    (root / "records.json").write_text(json.dumps({"seed": seed}))
    (root / "servers/app/web.yml").write_text("name: web\n")
    (root / "servers/app/copy.yml").write_text("name: web\n")
    (root / "servers/app/nothing").write_bytes(b"")
    (root / "servers/bündel.age").write_bytes(chance.randbytes(5000))
    (root / "servers/bündel.age").chmod(0o600)
    (root / "latest").symlink_to("servers/app")
    (root / "servers/app").chmod(0o750)
    return root


def told(root: Path) -> dict[str, Any]:
    """Everything below a folder that has to come back."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        what = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        when = status.st_mtime_ns if path.is_file() and not path.is_symlink() else 0
        found[str(path.relative_to(root))] = (status.st_mode, when, what)
    return found


def state_of(store: Path) -> dict[str, tuple[int, int]]:
    """What a write would change."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in store.rglob("*")}


def test_what_goes_out_comes_back(tmp_path: Path, seed: int) -> None:
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    foreseen = task(store, check=True, src=str(src))
    assert foreseen.changed
    assert not store.exists()
    done = task(store, src=str(src), keep=2)
    assert (done.failed, done.changed, done.values["objects"]) == ("", True, 5)
    assert done.plan.digest == foreseen.plan.digest
    assert done.steps_done == len(done.plan) == 2
    assert done.diff[0]["before"] == ""
    before = state_of(store)
    again = task(store, src=str(src), keep=2)
    assert (again.changed, again.diff, len(again.plan)) == (False, [], 0)
    assert state_of(store) == before
    proof = task(store, state="verified")
    assert (proof.failed, proof.changed, proof.values["damaged"]) == ("", False, [])
    assert task(store, check=True, state="restored", dest=str(dest)).changed
    assert not dest.exists()
    back = task(store, state="restored", dest=str(dest))
    assert (back.failed, back.changed) == ("", True)
    assert told(dest) == told(src)
    assert (dest / "images/disk.raw").stat().st_blocks * 512 < 5_500_000, "zeroes are holes"
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
    assert not task(store, state="restored", dest=str(dest)).changed
    assert state_of(store) == before


def test_the_store_is_read_without_a_program(tmp_path: Path, seed: int) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    task(store, src=str(src), name="gold/2026-05-11")
    manifest = json.loads((store / "snapshots/gold/2026-05-11.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("scs-landscape-offsite", 1)
    files = [one for one in manifest["entries"] if one["kind"] == "file"]
    assert len(files) == 6
    for one in files:
        assert (store / one["object"]).read_bytes() == (src / one["path"]).read_bytes()
        assert one["object"].endswith(one["sha256"])
    assert not list((store / "incoming").iterdir())
    assert not list((store / "locks").iterdir())


def test_only_what_changed_is_sent_and_only_what_nobody_names_goes(tmp_path: Path, seed: int) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    for number in range(4):
        (src / "records.json").write_text(f"run {number}")
        done = task(store, src=str(src), name=f"run-{number}", keep=2)
        assert done.values["objects"] == (5 if number == 0 else 1)
        assert done.values["removed"] == ([f"run-{number - 2}"] if number > 1 else [])
        assert done.values["removed_objects"] == (1 if number > 1 else 0)
    assert sorted(path.name for path in (store / "snapshots").iterdir()) == ["run-2.json", "run-3.json"]
    assert len([path for path in (store / "objects").rglob("*") if path.is_file()]) == 6
    for name in ("run-2", "run-3"):
        assert task(store, state="verified", name=name).failed == ""


def test_a_snapshot_is_never_changed(tmp_path: Path, seed: int) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    task(store, src=str(src), name="one")
    assert not task(store, src=str(src), name="one").changed
    (src / "records.json").write_text("other")
    with pytest.raises(InputError, match="The snapshot one is there, and it is not what"):
        task(store, src=str(src), name="one")


def test_a_tree_that_comes_back_to_what_it_was_is_the_newest(tmp_path: Path) -> None:
    src, store = tmp_path / "src", tmp_path / "store"
    src.mkdir()
    names = []
    for text in ("a", "b", "a"):
        (src / "file").write_text(text)
        names.append(task(store, src=str(src)).values["snapshot"]["name"])
    assert names[2] == f"{names[0]}-2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": 0}, "keep is 0, and 1 is the least"),
        ({"src": "/nowhere/at/all"}, "/nowhere/at/all is no folder"),
        ({"name": "../evil"}, "is no name for a snapshot"),
        ({"store_path": None}, "store.path is needed for kind directory"),
        ({"state": "restored", "dest": "/nowhere/x"}, "holds no snapshot"),
        ({"state": "verified", "name": "x"}, "holds no snapshot x"),
    ],
)
def test_bad_input_is_refused_before_anything(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    store, src = tmp_path / "store", grown(tmp_path / "src", 1)
    given = {"src": str(src), **options}
    with pytest.raises(InputError, match=said):
        task(given.pop("store_path", store), **given)
    assert not store.exists()


def test_an_empty_folder_and_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with pytest.raises(InputError, match="holds no files, so nothing was copied"):
        task(tmp_path / "store", src=str(tmp_path / "src"))
    with pytest.raises(InputError, match="lie in each other"):
        task(tmp_path / "src/store", src=str(tmp_path / "src"))


def test_what_is_there_is_never_written_over(tmp_path: Path, seed: int) -> None:
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    task(store, src=str(src))
    dest.mkdir()
    (dest / "records.json").write_text("mine")
    with pytest.raises(InputError, match="does not hold the snapshot"):
        task(store, state="restored", dest=str(dest))
    assert told(dest)["records.json"][2] == b"mine"


@pytest.mark.parametrize("harm", ["flip", "cut", "lost"])
def test_damage_is_named_and_never_restored(tmp_path: Path, seed: int, harm: str) -> None:
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    task(store, src=str(src))
    target = next(path for path in (store / "objects").rglob("*") if path.is_file() and path.stat().st_size == 10)
    content = bytearray(target.read_bytes())
    if harm == "flip":
        content[3] ^= 1
        target.write_bytes(content)
    elif harm == "cut":
        target.write_bytes(content[:-1])
    else:
        target.unlink()
    found = task(store, state="verified")
    assert [one["path"] for one in found.values["damaged"]] == ["servers/app/copy.yml", "servers/app/web.yml"]
    assert "is not what was copied" in found.failed
    try:
        back = task(store, state="restored", dest=str(dest))
        assert harm == "flip"
        assert "was not made" in back.failed
        assert not back.changed
    except InputError:
        assert harm in ("lost", "cut")
    assert not dest.exists()
    if harm == "flip":
        target.unlink()
    assert task(store, src=str(src)).values["objects"] == 1, "what is lost is sent again"
    assert task(store, state="verified").failed == ""


def test_a_manifest_that_is_not_whole_is_not_believed(tmp_path: Path, seed: int) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    task(store, src=str(src), name="one")
    path = store / "snapshots/one.json"
    text = path.read_text()
    for wrong in (text[: len(text) // 2], text.replace('"0600"', '"0644"'), text.replace("scs-landscape-offsite", "x")):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"The manifest snapshots/one\.json is damaged"):
            task(store, state="verified")
        with pytest.raises(InputError, match="Nothing can be removed"):
            task(store, src=str(src), keep=1)
    path.write_text(text.replace('"version": 1', '"version": 2'))
    done = task(store, src=str(src), name="two")
    assert "has version 2, and 1 is understood" in done.warnings[0]
    assert done.values["snapshots"][0]["name"] == "two"


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "../up"},
        {"path": "/etc/passwd"},
        {"path": "a/../../b"},
        {"path": "a\x00b"},
        {"object": "snapshots/x.json"},
        {"sha256": "zz"},
        {"size": -1},
        {"kind": "device"},
        {"path": "link/below"},
    ],
)
def test_a_manifest_of_somebody_else_leads_nowhere(wrong: dict[str, Any]) -> None:
    entries = (model.Entry("link", "link", target="/etc"), model.Entry("file", sha256="0" * 64, size=1))
    data = json.loads(model.Snapshot("n", "t", {}, entries).text())
    data["entries"][1].update(wrong)
    del data["digest"]
    text = json.dumps({**data, "digest": model._seal(data)}).encode()
    with pytest.raises(model.ManifestError, match="damaged"):
        model.parse(text, "snapshots/n.json")


def test_what_a_killed_copy_has_sent_is_gone_on_with(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    replaced = os.replace

    def killed(source: Any, target: Any) -> None:
        if str(source).endswith(".part") and os.path.getsize(source) > 1_000_000:
            os.truncate(source, 2_500_000)
            raise KeyboardInterrupt
        replaced(source, target)

    monkeypatch.setattr(directory.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        task(store, src=str(src), max_parallel=1)
    monkeypatch.setattr(directory.os, "replace", replaced)
    assert not list((store / "snapshots").rglob("*")) if (store / "snapshots").exists() else True
    part = max((store / "incoming").glob("*.part"), key=lambda path: path.stat().st_size)
    inode = part.stat().st_ino
    written = bytearray(part.read_bytes())
    written[2_000_000] ^= 255
    part.write_bytes(written)
    done = task(store, src=str(src))
    assert done.failed == ""
    assert inode in {path.stat().st_ino for path in (store / "objects").rglob("*")}
    assert task(store, state="verified").failed == ""


def test_what_a_killed_restore_brought_is_kept(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    task(store, src=str(src))
    real, asked = directory.Directory.get, []

    def broken(self: Any, name: str, offset: int = 0) -> Any:
        asked.append(offset)
        for number, chunk in enumerate(real(self, name, offset)):
            if number == 2 and name.startswith("objects/") and offset == 0:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(directory.Directory, "get", broken)
    with pytest.raises(KeyboardInterrupt):
        task(store, state="restored", dest=str(dest), max_parallel=1)
    assert not dest.exists()
    (partial,) = tmp_path.glob(".back.*.partial")
    (partial / "latest").symlink_to("/etc")  # killed at its very end, it would have links
    asked.clear()
    assert task(store, state="restored", dest=str(dest)).failed == ""
    assert max(asked) >= 2 * 1024 * 1024
    assert told(dest) == told(src)


def test_a_wrong_beginning_of_a_killed_restore_is_thrown_away(tmp_path: Path, seed: int) -> None:
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    done = task(store, src=str(src))
    partial = tmp_path / f".back.{done.values['snapshot']['tree'][7:19]}.partial"
    (partial / "images").mkdir(parents=True)
    (partial / "images/disk.raw").write_bytes(b"x" * 1000)
    (partial / "records.json").write_bytes(b"x" * 1000)
    assert task(store, state="restored", dest=str(dest)).failed == ""
    assert told(dest) == told(src)


def test_a_file_that_changes_on_its_way_makes_no_snapshot(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    real = copying.send

    def meanwhile(*arguments: Any) -> Any:
        (src / "records.json").write_text("changed since")
        return real(*arguments)

    monkeypatch.setattr(copying, "send", meanwhile)
    done = task(store, src=str(src))
    assert [one["path"] for one in done.values["failed_files"]] == ["records.json"]
    assert "was changed while it was copied" in done.failed
    assert not (store / "snapshots").exists()
    monkeypatch.setattr(copying, "send", real)
    assert task(store, src=str(src)).values["objects"] == 1, "the others are there"


def test_files_that_look_as_before_are_not_read(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    src, store = grown(tmp_path / "src", seed), tmp_path / "store"
    monkeypatch.setattr(scan, "_SETTLED", -1)
    task(store, src=str(src))
    read: list[str] = []
    real = scan._read
    monkeypatch.setattr(scan, "_read", lambda *given: (read.append(given[1].path), real(*given))[1])
    assert not task(store, src=str(src)).changed
    assert read == []
    target = src / "records.json"
    times, text = target.stat(), target.read_bytes()
    target.write_bytes(text[::-1])
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert task(store, src=str(src)).values["objects"] == 1, "another content with the old time is seen"
    assert read == ["records.json"]
    task(store, src=str(src), reread=True)
    assert len(read) == 7


def test_a_file_that_was_changed_just_now_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a")
    (entry,) = scan.scan(str(tmp_path)).entries
    assert entry.seen == ()


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    src, store = grown(tmp_path / "src", 1), tmp_path / "store"
    os.mkfifo(src / "pipe")
    (src / "x.tmp").write_text("no")
    done = task(store, src=str(src), exclude=["*.tmp", "images/*"])
    assert [one["path"] for one in done.values["omitted"]] == ["pipe"]
    assert done.values["snapshot"]["files"] == 5


def test_removal_is_alone_and_locks_of_the_gone_do_not_matter(tmp_path: Path) -> None:
    store = directory.Directory(str(tmp_path))
    with locks.held(store, "copy", "one", patience=0), locks.held(store, "copy", "two", patience=0):
        with pytest.raises(LockedError, match="in use by a copy of"):
            with locks.held(store, "removal", "three", patience=0):
                raise AssertionError
    with locks.held(store, "removal", "one", patience=0):
        for kind in ("copy", "removal"):
            with pytest.raises(LockedError, match="a removal of one"):
                with locks.held(store, kind, "two", patience=0):
                    raise AssertionError
    assert not list((tmp_path / "locks").iterdir())
    for holder in (
        {"expires": time.time() - 1, "pid": 1},
        {"expires": time.time() + 99, "pid": 2**22 + 5, "host": socket.gethostname()},
    ):
        store.put("locks/removal-00.json", json.dumps(holder).encode())
        with locks.held(store, "copy", "two", patience=0):
            assert len(list((tmp_path / "locks").iterdir())) == 1


def test_two_copies_at_once_are_both_whole(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first, second = grown(tmp_path / "a", 3), tmp_path / "b"
    shutil.copytree(first, second, symlinks=True)
    (second / "more").write_text("more")
    with locks.held(directory.Directory(str(store)), "copy", "somebody", patience=0):
        assert task(store, src=str(first), name="a").failed == ""
        with pytest.raises(LockedError):
            task(store, src=str(second), name="b", keep=1)
    done = task(store, src=str(second), name="b", keep=1)
    assert done.values["removed"] == ["a"]


def test_what_was_begun_long_ago_is_cleared(tmp_path: Path) -> None:
    src, store = grown(tmp_path / "src", 1), tmp_path / "store"
    (store / "incoming").mkdir(parents=True)
    for name, age in (("old.part", 10), ("new.part", 1)):
        (store / "incoming" / name).write_text("x")
        os.utime(store / "incoming" / name, (time.time() - age * 86400,) * 2)
    task(store, src=str(src))
    assert [path.name for path in (store / "incoming").iterdir()] == ["new.part"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src, store = grown(tmp_path / "src", 1), tmp_path / "store"

    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(directory, "_fill", full)
    done = task(store, src=str(src))
    assert "No space left on device" in done.failed
    assert len(done.values["failed_files"]) == 5


def test_a_store_that_is_away_is_tried_again(tmp_path: Path) -> None:
    from ansible_collections.scs.landscape.plugins.module_utils.offsite.store import BusyError, patient

    now, calls = [0.0], []

    def busy() -> str:
        calls.append(now[0])
        if len(calls) < 4:
            now[0] += 61 if len(calls) < 3 else 0
            raise BusyError("away")
        return "there"

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert patient(busy, 30.0, clock=lambda: now[0], sleep=sleep) == "there"
    calls[:] = []

    def away() -> str:
        raise BusyError("away")

    with pytest.raises(BusyError):
        patient(away, 30.0, clock=lambda: now[0], sleep=sleep)
    with pytest.raises(LandscapeError):
        copying.look(directory.Directory("/proc/self/mem"), copying.Settings(timeout=0.1))


@pytest.mark.slow
@pytest.mark.full
def test_killed_anywhere_and_run_again(tmp_path: Path, seed: int) -> None:
    """Copies and restores are killed at random moments; whatever is there at any time is whole."""
    chance = random.Random(seed)
    src, store, dest = grown(tmp_path / "src", seed), tmp_path / "store", tmp_path / "back"
    began = time.monotonic()
    assert begun(store, src=str(src)).wait(120) == 0
    usual = time.monotonic() - began
    killed = 0
    for number in range(5):
        (src / "images/disk.raw").write_bytes(chance.randbytes(20_000_000))
        for _attempt in range(3):
            process = begun(store, src=str(src), name=f"run-{number}", keep=2, wait=30)
            try:
                process.wait(usual * chance.uniform(0.4, 1.1))
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(30)
                killed += 1
            if (store / "snapshots").exists():
                assert task(store, state="verified").failed == ""
        done = task(store, src=str(src), name=f"run-{number}", keep=2)
        assert done.failed == ""
        assert done.values["snapshot"]["name"] == f"run-{number}"
        process = begun(store, state="restored", dest=str(dest))
        try:
            process.wait(usual * chance.uniform(0.4, 1.1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            killed += 1
            assert not dest.exists() or told(dest) == told(src)
        assert task(store, state="restored", dest=str(dest)).failed == ""
        assert told(dest) == told(src)
        shutil.rmtree(dest)
    assert killed > 2
    assert len(list((store / "snapshots").rglob("*.json"))) == 2
    assert not list((store / "locks").iterdir())
