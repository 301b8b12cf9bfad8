# SPDX-License-Identifier: Apache-2.0
"""Quantities."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.units import format_bytes, format_seconds, parse_speed


@pytest.mark.parametrize(
    ("text", "mbits"), [("10M", 10), ("1G", 1000), ("2.5G", 2500), ("100G", 100_000), ("1T", 1_000_000)]
)
def test_speeds(text, mbits):
    assert parse_speed(text) == mbits


@pytest.mark.parametrize("text", ["", "25", "25g", "G", "25GB", "-1G", "2,5G"])
def test_what_is_no_speed(text):
    with pytest.raises(ValueError, match="no speed like 25G"):
        parse_speed(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (50 * 2**20, "50 MiB"), (2**52, "4096 TiB")],
)
def test_bytes(count, text):
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (42.4, "42 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_seconds(seconds, text):
    assert format_seconds(seconds) == text
