# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A landscape as plain data: what was written, defaults left out."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..model import Item, Landscape
from ..schema import specs_of


def document_of(landscape: Landscape) -> dict[str, Any]:
    """The document that reads as this landscape."""
    return {**item(landscape), "version": 1}


def item(value: Item) -> dict[str, Any]:
    """One object; fields that hold their default are left out."""
    defaults = {entry.name: entry.default for entry in dataclasses.fields(value)}
    result: dict[str, Any] = {}
    for name in specs_of(type(value)):
        content = getattr(value, name)
        if content not in (defaults.get(name), {}, ()):
            result[name] = _plain(content)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Item):
        return item(value)
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return value
