# SPDX-License-Identifier: Apache-2.0
"""Lists of digests and what is read for them: whole, cut, swapped, damaged; files with holes, pipes of programs."""

from __future__ import annotations

import hashlib
import json
import os
import random
import stat
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.stream import Meter, Stopped
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import blocks, manifest, readers

BLOCK = 4096
VOLUME = "5a6e0c0e-0000-4000-8000-000000000001"


class Bytes:
    """A stream of bytes that are there already."""

    name = "bytes"

    def __init__(self, content: bytes, holes: bool = False) -> None:
        self.content, self.holes = content, holes

    def blocks(self, size: int):
        ring = [bytearray(size) for _number in range(blocks.KEPT + 1)]
        for turn, place in enumerate(range(0, len(self.content), size)):
            piece = self.content[place : place + size]
            if self.holes and piece == bytes(size):
                yield 1
            elif len(piece) < size:
                yield piece
            else:
                ring[turn % len(ring)][:] = piece
                yield ring[turn % len(ring)]


def content(seed: int, count: int = 40) -> bytes:
    """Blocks, about half of them zeroes."""
    chance = random.Random(seed)
    return b"".join(chance.randbytes(BLOCK) if chance.random() < 0.5 else bytes(BLOCK) for _number in range(count))


def take(folder: Path, data: bytes, **options):
    return blocks.take(Bytes(data), VOLUME, len(data), str(folder), block=BLOCK, **options)


def read(folder: Path, found, size: int = 0, volume: str = VOLUME):
    return manifest.load(str(folder), found.root, volume, size or found.head.size, "backup b1")


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_same_bytes_are_the_same_however_they_are_read(tmp_path, seed, holes):
    data = content(seed)
    meter = Meter()
    found = take(tmp_path, data, meter=meter)
    again = blocks.take(Bytes(data, holes=not holes), VOLUME, len(data), str(tmp_path), block=BLOCK)
    assert (again.root, again.path, meter.done) == (found.root, found.path, len(data))
    assert [entry.name for entry in os.scandir(tmp_path)] == [manifest.name_of(found.root)]
    assert found.zero == sum(data[at : at + BLOCK] == bytes(BLOCK) for at in range(0, len(data), BLOCK))
    assert stat.S_IMODE(os.stat(found.path).st_mode) == 0o600
    compared = blocks.compare(read(tmp_path, found), Bytes(data, holes))
    assert (compared.same, compared.differing, compared.read) == (True, 0, len(data))


@pytest.mark.parametrize("seed", range(20))
def test_every_block_that_differs_is_named_and_no_other(tmp_path, seed):
    chance, data = random.Random(seed), bytearray(content(seed))
    found = take(tmp_path, bytes(data))
    wrong = sorted(chance.sample(range(40), 5))
    for number in wrong:
        data[number * BLOCK + chance.randrange(BLOCK)] ^= 1 << chance.randrange(8)
    compared = blocks.compare(read(tmp_path, found), Bytes(bytes(data), holes=bool(seed % 2)))
    named = [place for first, count in compared.ranges for place in range(first, first + count)]
    assert (named, compared.differing, compared.same) == (wrong, 5, False)
    assert f"the first one at byte {wrong[0] * BLOCK}" in str(compared)
    assert compared.places()[0]["offset"] == wrong[0] * BLOCK


def test_zeroes_where_bytes_were_and_bytes_where_zeroes_were(tmp_path):
    found = take(tmp_path, content(1))
    for other in (bytes(40 * BLOCK), b"\1" * 40 * BLOCK):
        zeroes = found.zero
        compared = blocks.compare(read(tmp_path, found), Bytes(other))
        assert compared.differing == (40 - zeroes if other[0] == 0 else 40)


@pytest.mark.parametrize(
    ("change", "kind"), [(-1, "shorter"), (-BLOCK * 3, "shorter"), (1, "longer"), (BLOCK, "longer")]
)
def test_another_length_is_never_good(tmp_path, change, kind):
    data = content(2)[: -4 * BLOCK] + bytes(4 * BLOCK)  # what is missing would be zeroes
    other = data[:change] if change < 0 else data + bytes(change)
    found = take(tmp_path, data)
    with pytest.raises(blocks.LengthError) as caught:
        blocks.compare(read(tmp_path, found), Bytes(other))
    assert caught.value.kind == kind
    with pytest.raises(blocks.LengthError) as caught:
        blocks.take(Bytes(other), VOLUME, len(data), str(tmp_path), block=BLOCK)
    assert caught.value.kind == kind
    assert len(list(tmp_path.iterdir())) == 1, "a list that was never finished is left"


def test_a_volume_that_is_larger_than_its_backup_is_compared_as_far_as_it_goes(tmp_path):
    data = content(3)
    found = take(tmp_path, data)
    more = data + b"x" * BLOCK * 2
    assert blocks.compare(read(tmp_path, found), Bytes(more), size=len(more)).same
    with pytest.raises(blocks.LengthError):
        blocks.compare(read(tmp_path, found), Bytes(data), size=len(more))


def lines_of(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines(keepends=True)


def test_a_list_is_missing_damaged_of_another_backup_or_of_another_size(tmp_path):
    data = content(4)
    found, other = take(tmp_path, data), take(tmp_path, content(5))
    cases = []

    def case(kind: str, sentence: str, **more) -> None:
        with pytest.raises(manifest.ManifestError, match=sentence) as caught:
            read(tmp_path, found, **more)
        assert caught.value.kind == kind
        assert "backup b1" in str(caught.value)
        cases.append(kind)

    case("size", "is of another size", size=len(data) + BLOCK)
    case("other", "is that of another backup, of volume", volume="another")
    good = Path(found.path).read_bytes()
    Path(found.path).write_bytes(Path(other.path).read_bytes())
    case("other", "is that of another backup, of the digest")
    Path(found.path).write_bytes(good[:-1])
    case("damaged", "is cut off or no JSON")
    Path(found.path).write_bytes(b"".join(lines_of(found.path)[:-1]))
    case("damaged", "is damaged: it ends after")
    Path(found.path).unlink()
    case("missing", "is missing")
    Path(found.path).mkdir()
    case("missing", "cannot be read: Is a directory")
    assert len(cases) == 7


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_no_change_of_a_list_goes_unnoticed(tmp_path, seed):
    chance = random.Random(seed)
    found = take(tmp_path, content(6))
    good = bytearray(Path(found.path).read_bytes())
    bad = bytearray(good)
    kind = seed % 4
    place = chance.randrange(len(bad))
    if kind == 0:
        bad[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del bad[place:]
    elif kind == 2:
        bad[place:place] = chance.randbytes(chance.randrange(1, 9))
    else:
        lines = bytes(bad).splitlines(keepends=True)
        first, second = chance.sample(range(len(lines)), 2)
        lines[first], lines[second] = lines[second], lines[first]
        bad = bytearray(b"".join(lines))
    Path(found.path).write_bytes(bytes(bad))
    if bad == good:
        assert read(tmp_path, found) == found
    else:
        with pytest.raises(manifest.ManifestError):
            read(tmp_path, found)


def test_a_list_that_is_changed_while_it_is_used_is_an_error(tmp_path):
    found = take(tmp_path, content(7))
    good = read(tmp_path, found)
    Path(found.path).write_bytes(b"{}\nrubbish\n")
    with pytest.raises(manifest.ManifestError, match="was changed or removed while it was used"):
        blocks.compare(good, Bytes(content(7)))
    Path(found.path).write_bytes(b"".join([good.head.line(), manifest._line("0" * 64)]))
    with pytest.raises(manifest.ManifestError, match="was changed or removed while it was used"):
        blocks.compare(good, Bytes(content(7)))


def test_what_a_killed_run_left_goes_and_what_another_run_writes_stays(tmp_path):
    old, young = tmp_path / "pending-a.part", tmp_path / "pending-b.part"
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    take(tmp_path, content(8))
    assert (old.exists(), young.exists()) == (False, True)


def test_odd_blocks_and_odd_digests_are_refused(tmp_path):
    for size in (0, 1000, 4096 * 3, 1 << 30):
        with pytest.raises(InputError, match="no power of two"):
            blocks.take(Bytes(b""), VOLUME, 1, str(tmp_path), block=size)
    for root in ("", "sha256:../../etc/passwd", "md5:" + "0" * 32):
        with pytest.raises(InputError, match="is no digest"):
            manifest.load(str(tmp_path), root, VOLUME, 1, "backup b1")


def test_a_run_that_ends_stops_reading(tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        take(tmp_path, content(9), stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LandscapeError, match="cannot hold lists of digests"):
        take(tmp_path / "file" / "below", content(1))


# Readers.


def test_a_disk_that_is_full_is_one_sentence_and_no_fault_of_the_volume(tmp_path):
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(LandscapeError, match="No space left on device"):
        manifest.Writer(full, manifest.Head(VOLUME, BLOCK, BLOCK))
    (tmp_path / f"volume-{VOLUME}").write_bytes(bytes(BLOCK))
    ours = reader(kind="file", path=f"{tmp_path}/volume-{{id}}")
    with pytest.raises(OSError, match="elsewhere"), ours.open(readers.Subject(VOLUME)):
        raise OSError(28, "elsewhere")


def reader(**options):
    return readers.reader_of(
        {**{name: one.get("default") for name, one in readers.ARGUMENTS["options"].items()}, **options}
    )


@pytest.mark.parametrize("seed", range(10))
def test_files_with_holes_give_the_bytes_that_are_there(tmp_path, seed):
    chance = random.Random(seed)
    path = tmp_path / f"volume-{VOLUME}"
    size = 64 * BLOCK * 4 + chance.choice([0, 1, 4095, 4097])
    with open(path, "wb") as file:
        for _number in range(chance.randrange(6)):
            file.seek(chance.randrange(size - 3 * BLOCK))
            file.write(chance.randbytes(chance.randrange(1, 3 * BLOCK)))
        file.truncate(size)
    with reader(kind="file", path=f"{tmp_path}/vol*-{{id}}").open(readers.Subject(VOLUME)) as stream:
        pieces = [bytes(BLOCK * one) if isinstance(one, int) else bytes(one) for one in stream.blocks(BLOCK)]
    assert hashlib.sha256(b"".join(pieces)).digest() == hashlib.sha256(path.read_bytes()).digest()


def test_a_file_that_is_empty_absent_doubled_or_no_raw_one(tmp_path):
    path = tmp_path / f"volume-{VOLUME}"
    ours = reader(kind="file", path=f"{tmp_path}/volume-{{id}}")
    with pytest.raises(LandscapeError, match="No such file"), ours.open(readers.Subject(VOLUME)):
        pass
    path.touch()
    with pytest.raises(blocks.LengthError, match="ends after 0 bytes"), ours.open(readers.Subject(VOLUME)) as stream:
        blocks.take(stream, VOLUME, 1 << 20, str(tmp_path / "digests"))
    path.write_bytes(b"QFI\xfb" + bytes(100))
    with pytest.raises(LandscapeError, match="is a QCOW2 file"), ours.open(readers.Subject(VOLUME)):
        pass
    (tmp_path / f"other-{VOLUME}").touch()
    either = reader(kind="file", path=f"{tmp_path}/*-{{id}}")
    with pytest.raises(LandscapeError, match="is 2 files, not one"), either.open(readers.Subject(VOLUME)):
        pass


def test_snapshots_have_paths_of_their_own(tmp_path):
    (tmp_path / "volume-v1.snap-s1").write_bytes(b"then")
    (tmp_path / "volume-v1").write_bytes(b"now!")
    ours = reader(
        kind="file", path=f"{tmp_path}/volume-{{id}}", snapshot_path=f"{tmp_path}/volume-{{id}}.snap-{{snapshot}}"
    )
    with ours.open(readers.Subject("v1", "s1")) as stream:
        assert [bytes(one) for one in stream.blocks(BLOCK)] == [b"then"]
    with pytest.raises(InputError, match="has no snapshot_path"):
        reader(kind="file", path=f"{tmp_path}/volume-{{id}}").open(readers.Subject("v1", "s1")).__enter__()


@pytest.mark.parametrize("name", ["../x", "a/b", "-rf", "a b", "a\nb", ".", "{id}"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="is no id"):
        reader(kind="file", path=f"{tmp_path}/{{id}}").open(readers.Subject(name)).__enter__()
    with pytest.raises(InputError, match="is no id"):
        readers.RbdReader("volumes").spec(readers.Subject("v", name))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "file"}, "reader.path is missing"),
        ({"kind": "rbd"}, "reader.pool is missing"),
        ({"kind": "file", "path": "/x"}, "the same for every volume"),
        ({"kind": "file", "path": "/{name}"}, "it knows {id}"),
        ({"kind": "file", "path": "/{id"}, "it knows {id}"),
        ({"kind": "file", "path": "/{id.__class__}x{0}"}, "it knows {id}"),
        ({"kind": "file", "path": "/{id}", "snapshot_path": "/{id}"}, "the same for every volume"),
        ({"kind": "rbd", "pool": "p", "image": "x"}, "the same for every volume"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_readers_that_cannot_work_are_refused_before_anything_is_read(options, sentence):
    with pytest.raises(InputError) as caught:
        reader(**options)
    assert sentence in str(caught.value)


def program(tmp_path: Path, script: str) -> readers.RbdReader:
    path = tmp_path / "rbd"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return readers.RbdReader("volumes", conf="/c", user="u", stall=60, program=str(path))


def test_what_rbd_writes_is_read_and_its_arguments_name_the_snapshot(tmp_path):
    data = content(10, 300)
    (tmp_path / "data").write_bytes(data)
    ours = program(tmp_path, f'echo "$@" > {tmp_path}/said; cat {tmp_path}/data')
    with ours.open(readers.Subject(VOLUME, "s1")) as stream:
        found = blocks.take(stream, VOLUME, len(data), str(tmp_path / "d"), block=BLOCK)
    assert found.root == take(tmp_path / "e", data).root
    spec = f"volumes/volume-{VOLUME}@snapshot-s1"
    assert (tmp_path / "said").read_text() == f"--conf /c --id u export --no-progress {spec} -\n"
    assert ours.spec(readers.Subject("v", point="backup.b.snap.1")) == "volumes/volume-v@backup.b.snap.1"


@pytest.mark.parametrize(
    "script", ["cat DATA; echo no image >&2; exit 2", "head -c 5000 DATA; echo no image >&2; kill -9 $$"]
)
def test_a_program_that_fails_is_no_end_of_the_volume(tmp_path, script):
    data = content(11)
    (tmp_path / "data").write_bytes(data)
    ours = program(tmp_path, script.replace("DATA", f"{tmp_path}/data"))
    with (
        pytest.raises(LandscapeError, match=r"ended with -?[0-9]+: no image"),
        ours.open(readers.Subject("v")) as stream,
    ):
        blocks.take(stream, "v", len(data), str(tmp_path / "d"), block=BLOCK)
    assert list((tmp_path / "d").iterdir()) == []


def test_of_a_program_that_says_much_the_end_is_told(tmp_path):
    ours = program(tmp_path, "head -c 9000 /dev/zero | tr '\\0' x >&2; echo ' no such pool' >&2; exit 2")
    with pytest.raises(LandscapeError, match=r"x no such pool$") as caught, ours.open(readers.Subject("v")) as stream:
        list(stream.blocks(BLOCK))
    assert len(str(caught.value)) < 1200


def test_a_program_that_hangs_or_is_missing_is_given_up(tmp_path):
    ours = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    ours = readers.RbdReader("volumes", stall=0.5, program=ours.program)
    with pytest.raises(LandscapeError, match="wrote nothing for"), ours.open(readers.Subject("v")) as stream:
        list(stream.blocks(BLOCK))
    pid = (tmp_path / "pid").read_text().strip() if (tmp_path / "pid").exists() else "none"
    deadline = time.monotonic() + 60
    while pid != "none" and os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")
    gone = readers.RbdReader("volumes", program="no-such-rbd")
    with pytest.raises(LandscapeError, match="there is no program no-such-rbd"), gone.open(readers.Subject("v")):
        pass


def test_the_list_is_what_its_documentation_says(tmp_path):
    data = b"a" * BLOCK + bytes(2 * BLOCK) + b"b" * BLOCK
    lines = [json.loads(line) for line in lines_of(take(tmp_path, data).path)]
    first, last = (hashlib.sha256(letter * BLOCK).hexdigest() for letter in (b"a", b"b"))
    assert lines[0] == {
        "format": "scs-landscape-blocks",
        "version": 1,
        "volume": VOLUME,
        "size": len(data),
        "block": BLOCK,
    }
    assert lines[1:4] == [first, 2, last]
    assert lines[4]["blocks"] == 4
