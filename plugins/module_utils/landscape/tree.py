# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A parsed document with places: what the YAML reader hands to the schema.

Scalars keep their source text, because the schema decides what a scalar means: an unquoted MAC address such as
``52:54:00:12:34:56`` is a base-60 integer to YAML 1.1, and ``1.10`` is a float.
"""

from __future__ import annotations

from typing import Any, Union


class Scalar:
    """A leaf. ``value`` is YAML's reading (str, int, float, bool or None), ``text`` the characters as written."""

    __slots__ = ("line", "text", "value")

    def __init__(self, value: Any, text: str, line: int) -> None:
        self.value = value
        self.text = text
        self.line = line


class Sequence:
    """A list of nodes."""

    __slots__ = ("items", "line")

    def __init__(self, items: list[Node], line: int) -> None:
        self.items = items
        self.line = line


class Mapping:
    """A mapping; every entry keeps its key as a scalar so that the line of the key is known."""

    __slots__ = ("entries", "line")

    def __init__(self, entries: list[tuple[Scalar, Node]], line: int) -> None:
        self.entries = entries
        self.line = line


Node = Union[Scalar, Sequence, Mapping]


def plain(node: Node) -> Any:
    """The node as ordinary Python data, places dropped."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def describe(node: Node) -> str:
    """What the node is, in words for an error message."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.value is None:
        return "nothing"
    text = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    return repr(text)
