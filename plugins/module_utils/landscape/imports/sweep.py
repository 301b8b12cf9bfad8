# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The last look at an imported document: what the format does not allow is taken out and reported."""

from __future__ import annotations

import re
from typing import Any

from .ledger import Ledger
from .settings import shape_findings

#: Taking out a field can leave an object without what it must have, and a reference to it; more rounds are not needed.
_ROUNDS = 4


def sweep(document: dict[str, Any], ledger: Ledger, *, partial: bool = False) -> None:
    """Removes from a document what its reader would refuse, so that the landscape that is written can be read.

    :param partial: its objects are parts of objects, what they must have may be missing.
    """
    for _round in range(_ROUNDS):
        findings = [finding for finding in shape_findings(document) if not (partial and finding.rule == "S05")]
        if not findings:
            return
        # From behind, so that the numbers of list entries stay right.
        for finding in reversed(findings):
            ledger.general(finding.object, f"taken out, a landscape does not allow it: {finding.message}"[:300])
            _take_out(document, finding.object, finding.field if finding.rule != "S05" else "", finding.found)


def _take_out(document: dict[str, Any], ref: str, field: str, found: str) -> None:
    """Removes the field of an object, or the object; what cannot be located makes its section go."""
    section, _slash, name = ref.partition("/")
    listed = re.fullmatch(r"(\w+)\[(\d+)\](?:\..*)?", ref)
    if listed:
        entries = document.get(listed[1])
        if isinstance(entries, list) and int(listed[2]) <= len(entries):
            del entries[int(listed[2]) - 1]
        return
    name, _dot, inner = (
        name.partition(".")
        if isinstance(document.get(section), dict) and name not in document[section]
        else (name, "", "")
    )
    target = document.get(section)
    if isinstance(target, dict) and isinstance(target.get(name), dict):
        key = (field or inner).partition(".")[0].partition("[")[0]
        if key in target[name]:
            del target[name][key]
        elif found in target[name]:
            del target[name][found]
        else:
            del target[name]
    elif isinstance(target, dict) and name in target:
        del target[name]
    else:
        document.pop(field or section, None)
