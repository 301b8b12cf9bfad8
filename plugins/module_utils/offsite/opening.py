# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Stores by the options that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InputError
from .directory import Directory
from .store import Store

#: The options of a store, as a module takes them.
ARGUMENTS: dict[str, Any] = {
    "kind": {"type": "str", "choices": ["directory"], "required": True},
    "path": {"type": "path"},
}
#: Which options a kind of store has, and which of them it needs.
_OPTIONS = {"directory": ("path",)}
_NEEDED = {"directory": ("path",)}


def store(options: Mapping[str, Any]) -> Store:
    """The store.

    :raises InputError: options are missing, or belong to another kind of store.
    """
    kind = options["kind"]
    given = {name for name, value in options.items() if value not in (None, "", []) and name != "kind"}
    problems = [f"store.{name} is needed for kind {kind}" for name in _NEEDED[kind] if name not in given]
    problems += [f"store.{name} is not for kind {kind}" for name in sorted(given - {*_OPTIONS[kind]})]
    if problems:
        raise InputError("; ".join(problems))
    return Directory(options["path"])
