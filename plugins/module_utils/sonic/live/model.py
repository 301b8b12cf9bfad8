# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a change of a running switch is told, and what it tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...core.errors import LandscapeError
from ...core.plan import Impact
from ..model import ConfigDb

#: Seconds of the confirmation window that a rollback by the controller needs at its end.
RESERVE = 8.0


class Unreachable(LandscapeError):
    """The switch did not answer: the connection is gone, or could not be made."""


class Answered(LandscapeError):
    """The switch answered, and what it said is that it failed: there is nothing to wait for."""


class Link(Protocol):
    """The way to one switch."""

    #: The name of the switch, for messages.
    name: str

    def ask(self, call: str, **request: Any) -> dict[str, Any]:
        """One call; the answer, which may be an ``error``.

        :raises Unreachable: no connection.
        """

    def renew(self) -> None:
        """Closes the connection, so that the next call makes a new one."""

    def say(self, message: str) -> None:
        """One line for whoever waits."""

    def sleep(self, seconds: float) -> None:
        """Waits."""

    def now(self) -> float:
        """Seconds of a clock that nobody sets."""


@dataclass(frozen=True)
class Settings:
    """What is wanted of a switch.

    :param state: ``merged``, ``replaced``, ``overridden`` or ``deleted``.
    :param config: tables of rows.
    :param tables: for ``overridden``, tables that are meant as a whole although ``config`` does not have them.
    :param token: names this change.
    :param owner: who makes it, for others who find it.
    :param confirm_within: seconds until the switch brings itself back.
    :param verify_timeout: seconds the switch has until it must show what is wanted.
    :param hold: seconds that it must go on to show it, where a change may end something late.
    """

    config: ConfigDb
    token: str
    owner: str
    state: str = "merged"
    tables: tuple[str, ...] = ()
    strategy: str = "auto"
    max_impact: Impact = Impact.DEGRADED
    release: str = ""
    ignore_tables: tuple[str, ...] = ()
    unsaved: str = "refuse"
    save: bool = True
    confirm_within: int = 120
    verify_timeout: int = 30
    hold: int = 10
    lock_wait: int = 0
    checkpoint: str = ""
    keep_checkpoints: int = 5
    frr_fixups: bool = False


@dataclass
class Outcome:
    """What came of it.

    :param failed: why the task fails; everything else is told all the same.
    """

    changed: bool = False
    plan: dict[str, Any] = field(default_factory=dict)
    diff: Any = field(default_factory=dict)
    steps_done: int = 0
    checkpoint: str = ""
    rolled_back: bool = False
    verify: dict[str, Any] = field(default_factory=dict)
    strategy_used: str = ""
    strategy_reason: str = ""
    saved: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    failed: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form without warnings and failure."""
        return {name: value for name, value in vars(self).items() if name not in ("warnings", "failed")}
