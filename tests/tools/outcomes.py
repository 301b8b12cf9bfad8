# SPDX-License-Identifier: Apache-2.0
"""What happened to each suite, kept as JSON beside the tests' own results."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Outcome:
    """A suite on a leg.

    :param seconds: time it took, and ``budget`` the time it may take (0: none given).
    :param note: why it failed or was skipped.
    :param pace: how much slower the machine was just then than where limits were set, at least 1.
    """

    suite: str
    leg: str
    result: str
    seconds: float = 0.0
    budget: int = 0
    note: str = ""
    quick: bool = False
    pace: float = 1.0


def save(path: Path, outcomes: list[Outcome]) -> None:
    """Write the outcomes of a whole run so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")


def load(path: Path) -> list[Outcome]:
    """Read them back; nothing when there was no whole run yet."""
    if not path.exists():
        return []
    return [Outcome(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
