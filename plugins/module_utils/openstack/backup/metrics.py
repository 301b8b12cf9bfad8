# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is known of backups as text that Prometheus reads (its text format 0.0.4). Pure.

Moments and not ages: they stay true while nobody writes the text again. 0 is the moment of what never was.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from . import chains
from .model import Backup, moment
from .views import Sight

_PREFIX = "scs_landscape_backup"

#: Name, what it means.
_GAUGES = {
    "newest_timestamp_seconds": "When the data of the newest backup that can be restored was read.",
    "proven_timestamp_seconds": "When the data of the newest backup that was proven by a restore was read.",
    "proof_timestamp_seconds": "When a restore gave the bytes of the source for the last time.",
    "backups": "How many backups there are, by what they are worth.",
    "chains": "How many chains there are.",
    "chain_length": "How many backups a restore of the newest chain reads at most.",
    "size_gib": "What the backups count for the quota.",
    "problems": "How many problems were found.",
}


def text(sights: Sequence[Sight], now: datetime.datetime) -> str:
    """All metrics; ends with a line break.

    :param now: when the cloud was asked.
    """
    values: dict[str, list[str]] = {name: [] for name in _GAUGES}
    for sight in sights:
        labels = {
            "volume": sight.id,
            "name": sight.volume.name if sight.volume else "",
            "project": sight.project,
            "policy": sight.policy,
        }
        for name, extra, value in _of(sight):
            values[name].append(f"{_PREFIX}_{name}{_labels({**labels, **extra})} {value}")
    lines = []
    for name, meaning in _GAUGES.items():
        lines += [f"# HELP {_PREFIX}_{name} {meaning}", f"# TYPE {_PREFIX}_{name} gauge", *values[name]]
    looked = f"{_PREFIX}_looked_timestamp_seconds"
    lines += [f"# HELP {looked} When the cloud was asked.", f"# TYPE {looked} gauge", f"{looked} {_seconds(now)}"]
    return "\n".join(lines) + "\n"


def _of(sight: Sight) -> list[tuple[str, Mapping[str, str], int]]:
    backups, newest = sight.backups, sight.newest
    proofs = [moment(chains.proven(one)) for one in backups if chains.proven(one)]
    worth = {"good": len(sight.sound), "proven": len(proofs)}
    worth["refuted"] = sum(bool(chains.refuted(one)) for one in backups)
    worth["failed"] = sum(one.status == "error" for one in backups)
    worth["foreign"] = sum(not one.ours for one in backups)
    last = next((chain for chain in sight.chains if newest and newest in chain.members), None)
    return [
        ("newest_timestamp_seconds", {}, _taken(newest)),
        ("proven_timestamp_seconds", {}, _taken(sight.proven)),
        ("proof_timestamp_seconds", {}, _seconds(max(proofs)) if proofs else 0),
        *(("backups", {"worth": kind}, number) for kind, number in worth.items()),
        ("chains", {}, len(sight.chains)),
        ("chain_length", {}, last.length if last else 0),
        ("size_gib", {}, sum(chain.size for chain in sight.chains)),
        ("problems", {}, sum(len(chain.problems) for chain in sight.chains)),
    ]


def _taken(one: Backup | None) -> int:
    return _seconds(moment(one.taken)) if one else 0


def _seconds(when: datetime.datetime) -> int:
    return int(when.timestamp())


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
