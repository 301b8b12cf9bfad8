# SPDX-License-Identifier: Apache-2.0
"""What the runner says to the person in front of it. One line, one fact."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

STARTED = time.monotonic()

#: Continuous integration: a leg that cannot run is a failure, not a remark.
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


class Unavailable(Exception):
    """Something the machine cannot give; the text is one sentence with the next thing to do."""


def say(text: str) -> None:
    """Print one line behind the time since the start."""
    seconds = int(time.monotonic() - STARTED)
    print(f"[{seconds // 60:3d}:{seconds % 60:02d}] {text}", flush=True)


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out rows in columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, tuple("-" * width for width in widths), *rows]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines)
