# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Quantities as people write and read them."""

from __future__ import annotations

import datetime
import re

from .errors import InputError

_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?)([MGT])")
_SCALE = {"M": 1, "G": 1_000, "T": 1_000_000}


def parse_speed(text: str) -> int:
    """A line rate such as ``25G`` in Mbit/s (decimal, as IEEE 802.3 counts).

    :raises ValueError: the text is no line rate.
    """
    match = _SPEED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no speed like 25G")
    return round(float(match.group(1)) * _SCALE[match.group(2)])


def format_bytes(count: float) -> str:
    """A number of bytes with binary units (IEC 80000-13): ``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count == int(count) else f"{count:.1f} {unit}"


def format_seconds(seconds: float) -> str:
    """A duration: ``0.4 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def day_of(text: str | None, option: str) -> datetime.date:
    """The day an option names as ``YYYY-MM-DD``; today when it is absent.

    :raises InputError: the text is no day.
    """
    try:
        return datetime.date.fromisoformat(text) if text else datetime.date.today()
    except ValueError as error:
        raise InputError(f"{option} is {text!r}, not a day like 2026-12-31") from error
