# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the journal of a machine keeps of its disks: a later run moves nothing, and its report has to know the rates all the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Of what ``vm_migration_copy`` returns of a disk.
KEPT = (
    *("label", "volume", "status", "digest", "verified", "transport"),
    *("size", "data", "sent", "resumed", "seconds", "rate", "began"),
)


def keep(into: dict[str, Any], told: Mapping[str, Any]) -> None:
    """Notes the figures of a disk that this run moved in what it made of a machine."""
    if told["status"] == "done":
        into.setdefault("figures", {})[str(told["key"])] = {key: told[key] for key in KEPT}


def sums(disks: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    """Over the disks that were moved.

    :param disks: as ``vm_migration_copy`` returns them; ``seconds``: that all of them took.
    """
    moved = [one for one in disks if one["status"] == "done"]
    total = {key: sum(int(one[key]) for one in moved) for key in ("size", "data", "zero", "sent", "resumed")}
    rate = round((total["size"] - total["resumed"]) / max(seconds, 0.001))
    return {"seconds": round(seconds, 3), **total, "rate": rate}
