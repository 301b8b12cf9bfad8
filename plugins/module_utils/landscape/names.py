# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Names with braces: ``Ethernet{0..47}`` stands for 48 ports."""

from __future__ import annotations

import functools
import itertools
import math
import re

_RANGE = re.compile(r"\{([0-9]{1,4})\.\.([0-9]{1,4})(?:\.\.([0-9]{1,3}))?\}")
_NUMBER = re.compile("([0-9]+)")
#: No device has more ports than this; a larger range is a typing error.
MAX_EXPANSION = 1024


@functools.lru_cache(maxsize=512)
def expand(pattern: str) -> tuple[str, ...]:
    """All names a pattern stands for, in order; ``{first..last}`` and ``{first..last..step}`` as in a shell.

    :raises ValueError: the range is empty or stands for more than :data:`MAX_EXPANSION` names, or a brace is left over.
    """
    parts = _RANGE.split(pattern)
    if "{" in "".join(parts[0::4]) or "}" in "".join(parts[0::4]):
        raise ValueError(f"{pattern!r} has a brace that is no range like {{0..47}}")
    choices: list[list[str]] = []
    for position in range(0, len(parts), 4):
        choices.append([parts[position]])
        if position + 1 < len(parts):
            first, last, step = parts[position + 1 : position + 4]
            numbers = range(int(first), int(last) + 1, int(step or 1) or 1)
            if not numbers or len(numbers) > MAX_EXPANSION:
                raise ValueError(f"{pattern!r} stands for {len(numbers)} names, allowed are 1 to {MAX_EXPANSION}")
            choices.append([str(number) for number in numbers])
    names = tuple(
        "".join(combination) for combination in itertools.islice(itertools.product(*choices), MAX_EXPANSION + 1)
    )
    if len(names) > MAX_EXPANSION:
        raise ValueError(f"{pattern!r} stands for more than {MAX_EXPANSION} names")
    return names


def split_endpoint(endpoint: str) -> tuple[str, str]:
    """``device/port`` as a pair; port names may hold slashes themselves (``Eth1/1``)."""
    device, _slash, port = endpoint.partition("/")
    return device, port


@functools.lru_cache(maxsize=32768)
def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts ``Ethernet4`` before ``Ethernet10``."""
    parts = _NUMBER.split(name)
    return tuple((1, int(part), "") if place % 2 else (0, 0, part) for place, part in enumerate(parts))


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is ``pattern``, where every ``*`` stands for any characters. Never backtracks."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first):
        return False
    position = len(first)
    for part in rest[:-1]:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= position


#: What counts in a regular expression when its ways are counted: an escape, a class, a group's start, a repetition.
_PIECES = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<[^=!>]*>|[aiLmsux]*:|P=[^)]*|<?[=!]|#)?)?|[)*+?|]|\{\d*,?\d*\}"
)
_LONGEST_NAME = 63
#: More choices than that are a repetition without limit.
_UNLIMITED = 5.9


def ways(pattern: str) -> float:
    """How many ways (as a power of two) an expression can be tried on a name that almost matches, at most.

    Python's matcher tries them one after the other. Every choice multiplies the ways, and a repetition of a group raises
    those inside to its power.
    """
    stack: list[list[float]] = [[]]
    last: list[float] = []  # what a repetition that comes next repeats
    for piece in _PIECES.findall(pattern):
        if piece.startswith("("):
            stack.append([])
        elif piece == ")" and len(stack) > 1:
            last = stack.pop()
            stack[-1] += last
            continue
        elif piece == "|":
            stack[-1].append(1.0)
        elif piece[0] in "*+?{":
            low, high = _bounds(piece)
            stack[-1] += [*last * (high - 1 if last else 0), math.log2(max(1, high - low + 1))]
        last = []
    choices = [way for level in stack for way in level]
    # Unlimited repetitions that follow each other share the characters of one name.
    free = sum(way > _UNLIMITED for way in choices)
    shared = (
        math.lgamma(_LONGEST_NAME + free + 1) - math.lgamma(_LONGEST_NAME + 1) - math.lgamma(free + 1)
    ) / math.log(2)
    return shared + sum(way for way in choices if way <= _UNLIMITED)


def _bounds(piece: str) -> tuple[int, int]:
    """How often at least and at most; no name is longer than :data:`_LONGEST_NAME`."""
    if piece[0] != "{":
        return {"?": (0, 1), "*": (0, _LONGEST_NAME), "+": (1, _LONGEST_NAME)}[piece]
    low, comma, high = piece[1:-1].partition(",")
    least = min(int(low or 0), _LONGEST_NAME)
    return least, min(int(high), _LONGEST_NAME) if high else _LONGEST_NAME if comma else least
