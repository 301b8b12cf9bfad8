# SPDX-License-Identifier: Apache-2.0
"""One disk and many: whole, resumed, compared, bounded."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import threading
import time
import tracemalloc

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import journal, stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.retry import Backoff
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece, TruncatedError
from ansible_collections.scs.landscape.plugins.module_utils.flows import ahead, copying, fleet

from .fakes_copying import UNIT, Broken, Keeper, Killed, Memory, Store, content

BLOCK = 4 * UNIT
MIB = 1024 * 1024
QUICK = Backoff(first=0.001, longest=0.01, within=5.0)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(copying, "block_for", lambda _size: BLOCK)


def job(tmp_path, source, sink, **more):
    path = str(tmp_path / f"{source.name}.map")
    return copying.Job(source.name, "vm/2000", lambda: source, lambda: sink, path, size=source.size, **more)


def run(one, progress=None, stop=None):
    return copying.copy(one, progress or copying.Progress(), stop or threading.Event(), backoff=QUICK)


@pytest.mark.accept("V1.7")
@pytest.mark.parametrize("size", [512, UNIT, BLOCK, 3 * BLOCK + UNIT + 512, 5 * BLOCK - 512])
def test_the_sink_has_what_the_source_had(tmp_path, seed, size):
    data = content(random.Random(seed), size)
    store = Store(size)
    copied = run(job(tmp_path, Memory(data), Keeper(store), whole=True))
    assert bytes(store.bytes) == data
    assert store.finished == 1
    assert copied.sha256 == hashlib.sha256(data).hexdigest()
    assert (copied.size, copied.resumed, copied.data + copied.zero) == (size, 0, size)
    assert journal.load(str(tmp_path / "disk.map")).complete


@pytest.mark.accept("V1.2")
def test_a_source_that_breaks_off_goes_on_where_it_ended(tmp_path, seed):
    chance = random.Random(seed)
    data = content(chance, 12 * BLOCK)
    cuts = sorted(chance.sample(range(UNIT, len(data)), 3))
    source, store = Memory(data, cuts=cuts), Store(len(data))
    copied = run(job(tmp_path, source, Keeper(store)))
    assert bytes(store.bytes) == data
    assert copied.restarts == 3
    assert source.read <= len(data) + 4 * UNIT


@pytest.mark.accept("V1.2")
def test_a_killed_copy_goes_on_and_reads_at_most_four_blocks_again(tmp_path, seed):
    chance = random.Random(seed)
    data = content(chance, 20 * BLOCK, 1.0)
    store = Store(len(data))
    for _kill in range(3):
        before = store.durable
        first, sink = Memory(data), Keeper(store, dies=chance.randint(2, (len(data) - before) // UNIT))
        with pytest.raises(Killed):
            run(job(tmp_path, first, sink))
        assert first.begins == [before - before % BLOCK]
        if store.durable > 16 * BLOCK:
            break
    last, sink = Memory(data), Keeper(store)
    durable = store.durable
    copied = run(job(tmp_path, last, sink))
    assert bytes(store.bytes) == data
    assert copied.resumed == durable - durable % BLOCK
    assert last.read == len(data) - copied.resumed
    assert sink.read_bytes <= len(data) + copying.COMPARED * BLOCK


@pytest.mark.accept("V1.2")
def test_what_a_kill_loses_is_less_than_four_blocks(tmp_path, seed):
    data = content(random.Random(seed), 16 * BLOCK, 1.0)
    for dies in (13, 24, 25, 37, 40, 63):
        store, folder = Store(len(data)), tmp_path / str(dies)
        folder.mkdir()
        with pytest.raises(Killed):
            run(job(folder, Memory(data), Keeper(store, dies=dies)))
        found = journal.load(str(folder / "disk.map"))
        assert (dies - 1) * UNIT - (found.covered if found else 0) < 4 * BLOCK


def test_a_volume_that_is_another_one_is_begun_anew(tmp_path, seed):
    data = content(random.Random(seed), 8 * BLOCK, 1.0)
    with pytest.raises(Killed):
        run(job(tmp_path, Memory(data), Keeper(Store(len(data)), dies=30)))
    store, source = Store(len(data)), Memory(data)
    assert run(job(tmp_path, source, Keeper(store))).resumed == 0
    assert bytes(store.bytes) == data


def test_a_new_volume_is_not_taken_for_one_with_zeroes(tmp_path):
    data = bytes(8 * BLOCK) + b"\1" * BLOCK
    with pytest.raises(Killed):
        run(job(tmp_path, Memory(data), Keeper(Store(len(data)), dies=2)))
    store = Store(len(data))
    sink = Keeper(store)
    sink.fresh = True
    assert run(job(tmp_path, Memory(data), sink)).resumed == 0
    assert bytes(store.bytes) == data


def test_blocks_that_rotted_meanwhile_are_copied_again(tmp_path, seed):
    data = content(random.Random(seed), 12 * BLOCK, 1.0)
    store = Store(len(data))
    with pytest.raises(Killed):
        run(job(tmp_path, Memory(data), Keeper(store, dies=40)))
    covered = journal.load(str(tmp_path / "disk.map")).covered
    store.bytes[covered - BLOCK] ^= 255
    copied = run(job(tmp_path, Memory(data), Keeper(store)))
    assert copied.resumed == covered - BLOCK
    assert bytes(store.bytes) == data


@pytest.mark.accept("V1.5")
def test_a_flipped_bit_is_found_and_located(tmp_path, seed):
    chance = random.Random(seed)
    data = content(chance, 9 * BLOCK)
    place = chance.randrange(len(data))
    store = Store(len(data))
    with pytest.raises(copying.MismatchError) as caught:
        run(job(tmp_path, Memory(data), Keeper(store, flips=place if place < 3 * BLOCK else 0)))
    wrong = place if place < 3 * BLOCK else 0
    assert caught.value.ranges == [(wrong - wrong % BLOCK, BLOCK)]
    assert caught.value.details["ranges"] == [{"offset": wrong - wrong % BLOCK, "length": BLOCK}]
    assert store.finished == 0
    second = run(job(tmp_path, Memory(data), Keeper(store)))
    assert second.resumed == wrong - wrong % BLOCK
    assert bytes(store.bytes) == data


@pytest.mark.accept("V1.4")
@pytest.mark.parametrize(("restartable", "resumable"), [(False, True), (True, False), (False, False)])
def test_nothing_stays_of_a_copy_that_cannot_be_gone_on_with(tmp_path, restartable, resumable):
    data = os.urandom(6 * BLOCK)
    store = Store(len(data))
    source = Memory(data, restartable=restartable, cuts=(4 * BLOCK + 5,), error=Broken)
    with pytest.raises(Broken):
        run(job(tmp_path, source, Keeper(store, resumable=resumable)))
    assert (store.aborted, store.finished) == (1, 0)
    assert os.listdir(tmp_path) == []


@pytest.mark.accept("V1.4")
def test_a_source_that_ends_early_is_not_the_whole_disk(tmp_path):
    class Short(Memory):
        def pieces(self, begin=0):
            yield from (piece for piece in super().pieces(begin) if piece.end <= 3 * UNIT)

    store = Store(6 * UNIT)
    source = Short(os.urandom(6 * UNIT), restartable=False)
    with pytest.raises(TruncatedError, match="ends after 196608 of 393216"):
        run(job(tmp_path, source, Keeper(store)))
    assert store.aborted == 1


@pytest.mark.parametrize("resumable", [True, False])
@pytest.mark.parametrize("where", ["subject", "map"])
def test_a_sink_that_was_opened_is_let_go_whatever_comes_then(tmp_path, resumable, where):
    class Left(Keeper):
        left = 0

        def leave(self):
            self.left += 1

    def subject():
        raise Broken("nobody can say what this is")

    sink = Left(Store(BLOCK), resumable=resumable)
    wanted = job(tmp_path, Memory(bytes(BLOCK)), sink)
    if where == "subject":
        wanted = dataclasses.replace(wanted, subject=subject)
    else:
        wanted = dataclasses.replace(wanted, map_path=str(tmp_path / "no such folder" / "map"))
    with pytest.raises(LandscapeError):
        run(wanted)
    assert (sink.left, sink.store.aborted) == ((1, 0) if resumable else (0, 1))


def test_who_judges_is_asked_before_the_bytes_count(tmp_path):
    def judge():
        assert (store.finished, bytes(store.bytes)) == (0, data)
        raise Broken("the lease is lost")

    data = os.urandom(2 * BLOCK)
    store = Store(len(data))
    with pytest.raises(Broken, match="the lease is lost"):
        run(dataclasses.replace(job(tmp_path, Memory(data, restartable=False), Keeper(store)), judge=judge))
    assert (store.finished, store.aborted) == (0, 1)


def test_a_sink_is_left_for_the_next_run_and_told_its_digest(tmp_path):
    class Told(Keeper):
        digest, left = "", 0

        def leave(self):
            self.left += 1

    data = os.urandom(3 * BLOCK)
    sink = Told(Store(len(data)))
    with pytest.raises(Broken):
        run(job(tmp_path, Memory(data, cuts=(BLOCK + 5,), error=Broken), sink))
    assert (sink.left, sink.digest, sink.store.aborted) == (1, "", 0)
    copied = run(job(tmp_path, Memory(data), sink))
    assert sink.digest == copied.digest
    assert sink.digest.startswith("sha256:")


def test_a_source_that_never_comes_back_is_given_up(tmp_path):
    class Dead(Memory):
        def pieces(self, begin=0):
            self.begins.append(begin)
            if self.begins:
                raise TruncatedError("it is away")
            yield from ()

    source = Dead(bytes(BLOCK))
    with pytest.raises(TruncatedError):
        copying.copy(
            job(tmp_path, source, Keeper(Store(BLOCK))),
            copying.Progress(),
            threading.Event(),
            backoff=Backoff(first=0.01, longest=0.05, within=0.3),
        )
    assert len(source.begins) > 2


class Piped(Keeper):
    """A sink behind a program: flushing starts another one, and reading begins at the start."""

    from_start, flush_bytes = True, 8 * BLOCK

    def __init__(self, store, **more):
        super().__init__(store, **more)
        self.reads_from = []

    def read(self, begin=0, end=None):
        self.reads_from.append((begin, end))
        yield from super().read(begin, end)


def test_a_sink_that_is_dear_to_flush_and_read_is_asked_less_often(tmp_path):
    data = os.urandom(10 * BLOCK) + bytes(4 * BLOCK) + os.urandom(10 * BLOCK)
    plain, dear = Keeper(Store(len(data))), Piped(Store(len(data)))
    for number, sink in enumerate((plain, dear)):
        run(job(tmp_path, Memory(data, name=str(number)), sink))
    assert dear.flushes == 4 < plain.flushes
    killed = Piped(Store(len(data)), dies=4 * 20)
    with pytest.raises(Killed):
        run(job(tmp_path, Memory(data, name="killed"), killed))
    again = Piped(killed.store)
    assert run(job(tmp_path, Memory(data, name="killed"), again)).resumed == 16 * BLOCK
    assert again.reads_from == [(8 * BLOCK, 16 * BLOCK), (0, None)]
    assert bytes(killed.store.bytes) == data


def test_a_dear_sink_is_flushed_after_some_time_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "_OFTEN", 0.0)
    sink = Piped(Store(12 * BLOCK))
    run(job(tmp_path, Memory(os.urandom(12 * BLOCK)), sink))
    assert sink.flushes == 5


class Roomy(Keeper):
    """A volume that is larger than its disk, and an image that one is made from."""

    reads, verified, expected = "volume", "none", None

    def __init__(self, store, size):
        super().__init__(store)
        self.size, self.room = size, len(store.bytes)


@pytest.mark.accept("V1.5")
@pytest.mark.parametrize("read_back", [True, False])
def test_a_sink_is_told_that_it_was_read_only_when_it_was(tmp_path, read_back):
    store = Store(2 * BLOCK)
    store.bytes[:] = bytes(2 * BLOCK)
    sink = Roomy(store, BLOCK)
    run(job(tmp_path, Memory(os.urandom(BLOCK)), sink, read_back=read_back))
    assert (sink.verified, sink.expected is not None) == (("volume", True) if read_back else ("none", False))


@pytest.mark.accept("V1.7")
def test_other_bytes_than_zeroes_behind_the_disk_are_found(tmp_path, seed):
    store, place = Store(2 * BLOCK), random.Random(seed).randrange(BLOCK, 2 * BLOCK)
    store.bytes[:] = bytes(2 * BLOCK)
    store.bytes[place] = 1
    sink = Roomy(store, BLOCK)
    with pytest.raises(copying.MismatchError) as caught:
        run(job(tmp_path, Memory(os.urandom(BLOCK)), sink))
    ((offset, length),) = caught.value.ranges
    assert offset <= place < offset + length
    assert (sink.verified, store.finished) == ("none", 0)


def test_a_defect_of_a_source_is_not_hidden(tmp_path):
    class Defect(Memory):
        def pieces(self, begin=0):
            yield Piece(0, UNIT, bytes(UNIT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(job(tmp_path, Defect(bytes(BLOCK)), Keeper(Store(BLOCK))))


def test_a_run_that_is_stopped_ends_between_two_pieces_and_goes_on_later(tmp_path):
    data = os.urandom(12 * BLOCK)
    store, stop = Store(len(data)), threading.Event()

    class Stopping(Keeper):
        def write(self, piece):
            super().write(piece)
            if self.writes == 30:
                stop.set()

    progress = copying.Progress()
    with pytest.raises(stream.Stopped):
        run(job(tmp_path, Memory(data), Stopping(store)), progress, stop)
    assert progress.state == "stopped"
    assert run(job(tmp_path, Memory(data), Keeper(store))).resumed >= 6 * BLOCK
    assert bytes(store.bytes) == data


@pytest.mark.slow
@pytest.mark.accept("V1.24")
def test_memory_is_bounded_whatever_the_size_and_however_slow_the_sink(tmp_path):
    class Endless(Memory):
        def __init__(self):
            self.name, self.size, self.restartable, self.piece = "big", 512 * MIB, True, os.urandom(MIB)

        def pieces(self, begin=0):
            for low in range(begin, self.size, MIB):
                yield Piece(low, MIB, bytes(self.piece))

    class Void(Keeper):
        def __init__(self):
            self.name, self.size, self.resumable = "void", 512 * MIB, True

        def write(self, piece):
            time.sleep(0.0005)

        def flush(self):
            pass

        def finish(self):
            pass

    progress = copying.Progress()
    tracemalloc.start()
    try:
        copying.copy(
            copying.Job("big", "x", Endless, Void, str(tmp_path / "map"), read_back=False), progress, threading.Event()
        )
    finally:
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < ahead.AHEAD + 8 * MIB
    assert (progress.state, progress.done) == ("done", 512 * MIB)


@pytest.mark.slow
def test_reading_and_writing_overlap(tmp_path):
    data, rate = os.urandom(16 * BLOCK), 5 * MIB

    def took(name, source_rate, sink_rate):
        began = time.monotonic()
        sink = Keeper(Store(len(data)), rate=sink_rate)
        run(job(tmp_path, Memory(data, name=name, rate=source_rate), sink, read_back=False))
        return time.monotonic() - began

    alone = took("source", rate, 0) + took("sink", 0, rate)
    assert took("both", rate, rate) < 0.8 * alone


# Many.


def fleet_of(tmp_path, data, count, rate=0.0, **more):
    stores = [Store(len(data)) for _number in range(count)]
    jobs = [
        copying.Job(
            f"disk {number}",
            f"vm/{number}",
            lambda number=number: Memory(data, name=f"disk {number}", rate=rate),
            lambda number=number: Keeper(stores[number]),
            str(tmp_path / f"{number}.map"),
            host="esx1",
            size=len(data),
            **more,
        )
        for number in range(count)
    ]
    return jobs, stores


@pytest.mark.slow
@pytest.mark.accept("V1.18")
def test_eight_slow_disks_go_four_at_once(tmp_path, monkeypatch):
    data = os.urandom(4 * UNIT)
    jobs, stores = fleet_of(tmp_path, data, 8, rate=4 * UNIT)  # a second each
    under_way, most, lock = [0], [0], threading.Lock()

    real = Memory.pieces

    def watched(self, begin=0):
        """What is read back has left the host already."""
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        try:
            yield from real(self, begin)
        finally:
            with lock:
                under_way[0] -= 1

    monkeypatch.setattr(Memory, "pieces", watched)
    began = time.monotonic()
    outcomes = fleet.copy_all(jobs, fleet.room_of(jobs, host=4))
    took = time.monotonic() - began
    assert [one.error for one in outcomes] == [None] * 8
    assert all(bytes(store.bytes) == data for store in stores)
    assert most[0] == 4
    assert (
        took <= 5.0
    )  # two rounds of a second, and not eight; how near to the ideal, the clock of test_scheduling says
    assert fleet.figures(outcomes, took)["size"] == 8 * len(data)


def test_one_that_fails_ends_no_other(tmp_path):
    data = os.urandom(BLOCK)
    jobs, stores = fleet_of(tmp_path, data, 3)
    source = Memory(data, cuts=(5,), error=Broken)
    jobs[1] = copying.Job("bad", "x", lambda: source, lambda: Keeper(stores[1]), str(tmp_path / "bad"), host="esx1")
    outcomes = fleet.copy_all(jobs, fleet.room_of(jobs, host=1))
    assert [type(one.error) for one in outcomes] == [type(None), Broken, type(None)]


def test_progress_is_said_and_a_defect_ends_everything(tmp_path):
    data = os.urandom(2 * UNIT)
    jobs, _stores = fleet_of(tmp_path, data, 3, rate=4 * UNIT)
    lines = []
    with stream.heard_by(lines.append):
        fleet.copy_all(jobs, fleet.room_of(jobs, host=1), every=0.05, title="wave-1")
    assert any(line.startswith("wave-1: ") and "of 3 done" in line and "left" in line for line in lines)
    stop = threading.Event()

    def broken(_job, _progress, _stop):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fleet.copy_all(jobs, fleet.room_of(jobs, host=1), work=broken, stop=stop)
    assert stop.is_set()


@pytest.mark.accept("V1.18")
@pytest.mark.parametrize(("limits", "together"), [({"host": 1}, True), ({"host": 1, "converter": 1}, False)])
def test_what_is_read_back_leaves_its_host_to_others_but_not_its_converter(limits, together):
    jobs = [copying.Job(str(number), "", None, None, "", host="esx1", converter="c1") for number in range(2)]
    second, seen = threading.Event(), []

    def work(job, progress, _stop):
        if job.name == "0":
            progress.state = copying.READING_BACK
            seen.append(second.wait(30.0 if together else 1.5))
        second.set()
        progress.state = "done"

    outcomes = fleet.copy_all(jobs, fleet.room_of(jobs, **limits), work=work)
    assert [one.error for one in outcomes] == [None, None]
    assert seen == [together]
