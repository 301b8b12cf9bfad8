# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What NetBox has no place for: taken out of a landscape for a config context, and laid over an imported one again."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ..model import Landscape
from ..schema import specs_of
from .draft import Draft
from .sweep import sweep

#: Fields of a device that NetBox holds itself.
_NATIVE = ("model", "role", "environment", "section")
_MAPS = tuple(name for name, spec in specs_of(Landscape).items() if spec.kind == "map")


def overlay(draft: Draft, residual: Any, sections: Iterable[str] = ()) -> None:
    """Lays residual sections over the draft: fields of named objects one by one, lists and single values as a whole.

    Cables are found by their two ends; what is no section of a landscape is passed over.

    :param sections: only these; all when empty.
    """
    if not isinstance(residual, Mapping):
        return
    wanted = {name: value for name, value in residual.items() if not sections or name in sections}
    checked: dict[str, Any] = copy.deepcopy(wanted)
    sweep(checked, draft.ledger, partial=True)
    for name, value in checked.items():
        if name in _MAPS and isinstance(value, Mapping):
            _objects(draft.section(name), value)
        elif name == "cables" and isinstance(value, list):
            _cables(draft, value)
        elif name in specs_of(Landscape) and name not in _MAPS:
            draft.document[name] = value


def _objects(target: dict[str, Any], residual: Mapping[str, Any]) -> None:
    for name, fields in residual.items():
        if isinstance(fields, Mapping):
            target.setdefault(str(name), {}).update(fields)


def _cables(draft: Draft, residual: Iterable[Any]) -> None:
    known = {frozenset((cable["a"], cable["b"])): cable for cable in draft.document.get("cables", [])}
    for entry in residual:
        if not isinstance(entry, Mapping) or "a" not in entry or "b" not in entry:
            continue
        cable = known.get(frozenset((str(entry["a"]), str(entry["b"]))))
        if cable is None:
            draft.document.setdefault("cables", []).append(dict(entry))
        else:
            cable.update(entry)


def of_device(draft: Draft, section: str, name: str, residual: Any) -> dict[str, Any]:
    """What a device's local context data says about it, as far as a landscape allows it."""
    if not isinstance(residual, Mapping):
        return {}
    document: dict[str, Any] = {section: {name: {key: value for key, value in residual.items() if key not in _NATIVE}}}
    sweep(document, draft.ledger, partial=True)
    found: dict[str, Any] = document.get(section, {}).get(name, {})
    return found
