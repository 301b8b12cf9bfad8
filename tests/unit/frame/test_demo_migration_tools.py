# SPDX-License-Identifier: Apache-2.0
"""What ``make demo-migration`` judges by: disks that are the same at each run, and a comparison that sees every byte."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import report, state
from ansible_collections.scs.landscape.tests.tools import demo_migration
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.flows import waves

MIB = demo_migration.MIB


def test_a_disk_is_the_same_at_each_run_and_has_as_much_data_as_it_says(tmp_path):
    for place in ("a", "b"):
        demo_migration.fill(tmp_path / place / "web-2000.raw", 40, 11)
    first, second = ((tmp_path / place / "web-2000.raw").read_bytes() for place in ("a", "b"))
    assert first == second
    full = [any(first[at : at + MIB]) for at in range(0, len(first), MIB)]
    assert (len(full), sum(full)) == (40, 11)
    assert (tmp_path / "a" / "web-2000.raw").stat().st_blocks * 512 < 13 * MIB
    other = tmp_path / "mail-2000.raw"
    demo_migration.fill(other, 40, 11)
    assert other.read_bytes() != first


@pytest.mark.parametrize("guest", demo_migration.GUESTS, ids=lambda one: one.name)
def test_every_disk_of_the_demo_can_be_filled_as_described(guest, tmp_path):
    for key, (size, data) in guest.disks.items():
        path = tmp_path / f"{guest.name}-{key}.raw"
        demo_migration.fill(path, size, data)
        assert path.stat().st_size == size * MIB
        assert data * MIB <= path.stat().st_blocks * 512 <= (data + 2) * MIB


@pytest.mark.parametrize(
    ("at", "same"), [(None, True), (0, False), (3 * MIB - 1, False), (7 * MIB + 5, False), (8 * MIB, False)]
)
def test_one_byte_anywhere_is_a_difference(at, same, tmp_path):
    disk, volume = tmp_path / "disk.raw", tmp_path / "volume"
    demo_migration.fill(disk, 8, 3)
    volume.write_bytes(disk.read_bytes())
    with volume.open("r+b") as file:
        file.truncate(32 * MIB)  # what lies behind the disk is zero
        if at is not None:
            file.seek(at)
            before = file.read(1)
            file.seek(at)
            file.write(bytes([before[0] ^ 1]))
    assert demo_migration.equal(disk, volume) is same


def test_a_volume_that_lacks_the_end_of_its_disk_is_none(tmp_path):
    disk, volume = tmp_path / "disk.raw", tmp_path / "volume"
    disk.write_bytes(bytes(2 * MIB) + b"end".ljust(MIB, b"."))
    volume.write_bytes(disk.read_bytes()[:-MIB])
    assert not demo_migration.equal(disk, volume)


def test_the_figures_are_told_in_the_order_of_the_report(tmp_path):
    made = report.report_of("Three", [state.journal_of(waves.journal(name)) for name in waves.NAMES], [], [])
    for path, text in report.files_of(made, str(tmp_path)).items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    lines = demo_migration.told(tmp_path / "report.json")
    assert [line.split(":")[0].strip() for line in lines[:2]] == ["Machines done", "Disks"]
    assert lines[-5].split() == ["Disk", "Transport", "Size", "Data", "Sent", "Seconds", "Rate"]
    assert lines[-1].split()[:5] == ["archive", "Hard", "disk", "1", "nfc"]
