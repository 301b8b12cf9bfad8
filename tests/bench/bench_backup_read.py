# SPDX-License-Identifier: Apache-2.0
"""What a verification reads and compares beside plain programs that read the same bytes and give one digest of them."""

from __future__ import annotations

import contextlib
import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import blocks, readers
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.manifest import BlockMap
from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.ceph.client import environment
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

#: Bytes of the volume, all of them written: holes would be read by the plain programs alone.
SIZE = 512 << 20
ROUNDS = 3
MIN_RATE = 0.7
VOLUME = "5f1d7a52-7a39-4f83-9d8c-0a8f3a5a7c11"
_PIECE = 4 << 20


def contents() -> Iterator[bytes]:
    """Random bytes."""
    chance = random.Random(1)
    for _number in range(SIZE // _PIECE):
        yield chance.randbytes(_PIECE)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume as a raw file."""
    path = tmp_path_factory.mktemp("volumes") / f"volume-{VOLUME}"
    with open(path, "wb") as volume:
        for data in contents():
            volume.write(data)
    return path


@pytest.fixture
def cluster(file: Path) -> Iterator[CephCluster]:
    """A Ceph with the same volume; this thread, and what it starts, is in its network and has its programs."""
    found = CephCluster(lane("bench-backup"))
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        stack.callback(os.close, before)
        for name, value in environment().items():
            if name != "PYTHONPATH":
                patch.setenv(name, value)
        stack.callback(found.down)
        found.up()
        kernel.enter_network(found.namespace)
        stack.callback(kernel.enter_network, f"/proc/self/fd/{before}")
        argv = ["rbd", "--conf", str(found.conf), "--id", "cinder", "import", "--no-progress", str(file)]
        subprocess.run([*argv, f"volumes/volume-{VOLUME}"], check=True, capture_output=True, timeout=600)
        yield found


def measured(what: str, reader: readers.Reader, plain: str, folder: Path) -> float:
    """How many times as long as the plain programs a comparison takes: the median of some rounds, one beside the other."""
    subject = readers.Subject(VOLUME)
    with reader.open(subject) as stream:
        wanted = blocks.take(stream, VOLUME, SIZE, str(folder))

    def ours() -> None:
        assert compared(reader, subject, wanted).same

    def theirs() -> None:
        subprocess.run(["sh", "-c", plain], check=True, capture_output=True, timeout=600)

    theirs()
    rounds = [(seconds(theirs), seconds(ours)) for _number in range(ROUNDS)]
    ratio = statistics.median(mine / bare for bare, mine in rounds)
    rates = ", ".join(f"{SIZE / bare / 2**20:.0f} and {SIZE / mine / 2**20:.0f}" for bare, mine in rounds)
    print(f"\n{what}: {ratio:.2f} times as long; MiB/s of the plain programs and ours: {rates}")
    return ratio


def compared(reader: readers.Reader, subject: readers.Subject, wanted: BlockMap) -> blocks.Comparison:
    """What a verification does with a volume that was restored."""
    with reader.open(subject) as stream:
        return blocks.compare(wanted, stream)


def seconds(what: Callable[[], None]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


@pytest.mark.accept("B1.23")
def test_files_are_compared_nearly_as_fast_as_they_are_read_and_hashed(file: Path, tmp_path: Path) -> None:
    reader = readers.FileReader(str(file.with_name("volume-{id}")))
    ratio = measured("a raw file", reader, f"cat {file} | sha256sum", tmp_path)
    assert ratio <= 1 / MIN_RATE


@pytest.mark.accept("B1.23")
def test_images_of_ceph_are_compared_nearly_as_fast_as_they_are_exported_and_hashed(
    cluster: CephCluster, tmp_path: Path
) -> None:
    reader = readers.RbdReader("volumes", conf=str(cluster.conf), user="cinder")
    export = f"rbd --conf {cluster.conf} --id cinder export --no-progress volumes/volume-{VOLUME} - | sha256sum"
    ratio = measured("an image of Ceph", reader, export, tmp_path)
    assert ratio <= 1 / MIN_RATE
