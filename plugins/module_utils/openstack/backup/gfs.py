# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which points in time stay: the newest of each of the last hours, days, weeks, months and years that have one.

Periods are counted where there are points, not back from now: when backups stop, or a clock jumps, nothing is thinned away.
The choice does not depend on the time it is made at, and choosing again from what was chosen gives the same.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError

#: Kinds of slots and the text that names the period of a moment (UTC, weeks of ISO 8601). ``last`` has no periods.
PERIODS = {
    "hourly": "%Y-%m-%dT%H",
    "daily": "%Y-%m-%d",
    "weekly": "%G-W%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}
KINDS = ("last", *PERIODS)


@dataclass(frozen=True)
class Keep:
    """How many slots of each kind there are."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0


def keep_of(options: Mapping[str, Any] | None) -> Keep:
    """The slots of an option.

    :raises InputError: there is none, so that everything would go; or a number below 0, or a kind that is none.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    unknown = sorted(set(given) - set(KINDS))
    if unknown:
        raise InputError(f"keep has no {', '.join(unknown)}", hint=f"It has {', '.join(KINDS)}")
    below = sorted(name for name, value in given.items() if int(value) < 0)
    if below:
        raise InputError(f"keep: {', '.join(below)} is below 0")
    if not any(int(value) for value in given.values()):
        raise InputError(
            "keep is empty, so that every backup would go", hint=f"Give a number for one of {', '.join(KINDS)}"
        )
    return Keep(**{name: int(value) for name, value in given.items()})


def slots(points: Iterable[tuple[str, datetime.datetime]], keep: Keep) -> dict[str, tuple[str, ...]]:
    """Names of the slots that each chosen point fills, by its id.

    :param points: ids and moments (aware, any zone).
    """
    newest = sorted(points, key=lambda point: (point[1], point[0]), reverse=True)
    found: dict[str, list[str]] = defaultdict(list)
    for number, (identifier, _moment) in enumerate(newest[: keep.last], 1):
        found[identifier].append(f"last {number}")
    for kind, form in PERIODS.items():
        wanted: int = getattr(keep, kind)
        seen: set[str] = set()
        for identifier, moment in newest:
            if len(seen) >= wanted:
                break
            period = moment.astimezone(datetime.timezone.utc).strftime(form)
            if period not in seen:
                seen.add(period)
                found[identifier].append(f"{kind} {period}")
    return {identifier: tuple(names) for identifier, names in found.items()}
