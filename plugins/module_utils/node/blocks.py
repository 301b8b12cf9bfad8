# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A block of lines of ours inside a file of somebody else."""

from __future__ import annotations

from collections.abc import Sequence

BEGIN, END = "# BEGIN scs.landscape", "# END scs.landscape"


def put(text: str, lines: Sequence[str]) -> str:
    """The text with the block holding exactly ``lines``; without lines there is no block.

    A block stays where it is; a new one goes to the end. A block whose end is missing (cut off by hand) ends at its
    first line, so that nothing of somebody else is lost. Further blocks are removed.
    """
    before, after = _without_block(text.splitlines(keepends=True))
    if before and not before[-1].endswith("\n") and (lines or after):
        before[-1] += "\n"
    block = [f"{line}\n" for line in (BEGIN, *lines, END)] if lines else []
    return "".join([*before, *block, *after])


def read(text: str) -> list[str]:
    """Lines of the block, empty when there is none."""
    lines = text.splitlines()
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        return []
    start = lines.index(BEGIN)
    return lines[start + 1 : lines.index(END, start)]


def _without_block(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines in front of the first block, and all other lines outside of blocks."""
    kept: list[str] = []
    place: int | None = None
    position = 0
    while position < len(lines):
        if lines[position].rstrip("\n") == BEGIN:
            place = len(kept) if place is None else place
            rest = [line.rstrip("\n") for line in lines[position:]]
            following = rest.index(BEGIN, 1) if BEGIN in rest[1:] else len(rest)
            position += rest.index(END) + 1 if END in rest[:following] else 1
        else:
            kept.append(lines[position])
            position += 1
    place = len(kept) if place is None else place
    return kept[:place], kept[place:]
