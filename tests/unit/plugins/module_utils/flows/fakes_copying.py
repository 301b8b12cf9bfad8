# SPDX-License-Identifier: Apache-2.0
"""Sources and sinks in memory, with faults."""

from __future__ import annotations

import os
import random
import time

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.transfer import Piece, TruncatedError

#: Bytes of a piece in these tests, so that many blocks need few bytes.
UNIT = 64 * 1024


def content(chance: random.Random, size: int, share: float = 0.4) -> bytes:
    """Bytes of a disk of which a share is no zeroes."""
    data = bytearray(size)
    for begin in range(0, size, UNIT // 2):
        if chance.random() < share:
            end = min(begin + UNIT // 2, size)
            data[begin:end] = chance.randbytes(end - begin)
    return bytes(data)


class Memory:
    """A source.

    :param cuts: offsets at which it breaks off, once each.
    :param rate: bytes per second, 0 is as fast as can be.
    """

    def __init__(self, data, *, name="disk", restartable=True, cuts=(), rate=0.0, error=TruncatedError):
        self.data, self.name, self.size, self.restartable = data, name, len(data), restartable
        self.cuts, self.rate, self.error = sorted(cuts), rate, error
        self.read, self.begins = 0, []

    def pieces(self, begin=0):
        self.begins.append(begin)
        for low in range(begin, self.size, UNIT):
            high = min(low + UNIT, self.size)
            if self.cuts and low <= self.cuts[0] < high:
                self.cuts.pop(0)
                raise self.error(f"{self.name} broke off")
            if self.rate:
                time.sleep((high - low) / self.rate)
            self.read += high - low
            yield Piece(low, high - low, self.data[low:high])


class Store:
    """What a far end keeps, whoever writes."""

    def __init__(self, size):
        self.bytes = bytearray(os.urandom(4096).ljust(size, b"\xff")[:size])
        self.finished = self.aborted = 0
        self.durable = 0


class Keeper:
    """A sink. What was not flushed is lost when it is killed.

    :param dies: raises :class:`Killed` instead of the write number ``dies``.
    :param flips: offset whose byte the storage changes once it is written.
    """

    def __init__(self, store, *, name="volume", resumable=True, dies=0, flips=None, rate=0.0):
        self.store, self.name, self.size, self.resumable = store, name, len(store.bytes), resumable
        self.dies, self.flips, self.rate = dies, flips, rate
        self.writes, self.pending, self.flushes, self.read_bytes = 0, [], 0, 0

    def write(self, piece):
        self.writes += 1
        if self.dies and self.writes >= self.dies:
            raise Killed
        if self.rate:
            time.sleep(piece.length / self.rate)
        self.pending.append(piece)

    def flush(self):
        self.flushes += 1
        for piece in self.pending:
            self.store.bytes[piece.offset : piece.end] = piece.data or bytes(piece.length)
            self.store.durable = piece.end
        if self.flips is not None:
            self.store.bytes[self.flips] ^= 1
            self.flips = None
        self.pending = []

    def read(self, begin=0, end=None):
        end = self.size if end is None else end
        for low in range(begin, end, UNIT):
            high = min(low + UNIT, end)
            self.read_bytes += high - low
            yield Piece(low, high - low, bytes(self.store.bytes[low:high]))

    def finish(self):
        self.store.finished += 1

    def abort(self):
        self.store.aborted += 1


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it."""


class Broken(LandscapeError):
    """An error of a far end that no second attempt mends."""
