# SPDX-License-Identifier: Apache-2.0
"""A block of ours in a file of somebody else."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.node import blocks, keys

B, E = blocks.BEGIN, blocks.END
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti operator"


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("", ["a"], f"{B}\na\n{E}\n"),
        ("x", ["a"], f"x\n{B}\na\n{E}\n"),
        ("x", [], "x"),
        (f"x\n{B}\nold\n{E}\ny\n", ["a", "b"], f"x\n{B}\na\nb\n{E}\ny\n"),
        (f"x\n{B}\nold\n{E}\ny\n", [], "x\ny\n"),
        (f"{B}\n1\n{E}\nx\n{B}\n2\n{E}\n", ["a"], f"{B}\na\n{E}\nx\n"),
        (f"x\n{B}\nlost its end\n", ["a"], f"x\n{B}\na\n{E}\nlost its end\n"),
        (f"{B}\nlost\n{B}\n2\n{E}\n", ["a"], f"{B}\na\n{E}\nlost\n"),
    ],
)
def test_only_the_block_changes(before, lines, after):
    assert blocks.put(before, lines) == after
    assert blocks.put(after, lines) == after
    assert blocks.read(after) == lines


def test_a_block_without_end_holds_nothing():
    assert blocks.read(f"x\n{B}\ny\n") == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2026-12-31", 1798761600.0), ("2026-12-31T18:00:00Z", 1798740000.0), ("2026-12-31T18:00:00+02:00", 1798732800.0)],
    ids=["day", "utc", "zone"],
)
def test_a_key_ends_with_its_last_day(text, moment):
    assert keys.parse_expiry(text) == moment


def test_an_older_server_gets_the_time_of_its_own_zone():
    key = keys.parse({"user": "a", "key": KEY, "expires": "2026-12-31", "options": ["no-pty"]})
    assert key.line(utc=True, offset=3600) == f'expiry-time="20270101000000Z",no-pty {KEY}'
    assert key.line(utc=False, offset=3600) == f'expiry-time="20270101010000",no-pty {KEY}'
    assert keys.parse({"user": "a", "key": KEY.rpartition(" ")[0]}).shown == "ssh-ed25519 ...PtFDJ/XFSqti"


def test_a_key_counts_once_and_its_last_entry_wins():
    first = keys.parse({"user": "a", "key": KEY})
    last = keys.parse({"user": "a", "key": KEY, "expires": "2001-01-01"})
    assert keys.good([first, last], 1e9) == ([], [last])
