# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which addresses a host reaches, all of them asked at the same time."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ..core.errors import InputError, LandscapeError
from . import client

#: Runs programs at the same time: ``run(commands, seconds)`` tells how each ended.
Together = Callable[[Sequence[Sequence[str]], float], list[client.Outcome]]
#: At most so many at the same time.
_AT_ONCE = 64
#: The last lines of ping -q, of iputils and of BusyBox.
_COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")
_TIMES = re.compile(r"min/avg/max\S* = [\d.]+/([\d.]+)/")


@dataclass(frozen=True)
class Answer:
    """What came back from an address.

    :param sent: questions; there are more of them than were wanted when some got lost.
    :param received: answers; an error from somewhere else is none.
    :param rtt_ms: milliseconds from a question to its answer, on average; nothing when none came.
    """

    address: str
    sent: int
    received: int
    rtt_ms: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return dict(vars(self))


def checked(targets: Sequence[str]) -> list[str]:
    """Addresses, each once.

    :raises InputError: naming what is none.
    """
    for text in targets:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise InputError(
                f"{text!r} is no IP address", hint="Names are not resolved: that could fail, too"
            ) from None
    return list(dict.fromkeys(targets))


def asked(
    targets: Sequence[str],
    source: str = "",
    *,
    count: int = 3,
    timeout: float = 0.0,
    together: Together = client.together,
) -> list[Answer]:
    """What each of the addresses answered when it was asked last, in their order.

    :param source: address that the questions come from; what the kernel chooses when empty.
    :param count: questions to each; one answer is enough, since a first one may get lost while a neighbour is looked up.
    :param timeout: seconds after which those that do not answer are given up; each is asked once at least.
    :raises LandscapeError: there is no ping(8), or it may not ask.
    """
    end = time.monotonic() + timeout
    left = checked(targets)
    known: dict[str, Answer] = {}
    while True:
        silent = [one for one in left if one not in known or not known[one].received]
        known.update((one.address, one) for one in _answers(silent, source, count, together))
        if all(one.received for one in known.values()) or time.monotonic() >= end:
            return [known[one] for one in left]
        time.sleep(1.0)


def _answers(targets: Sequence[str], source: str, count: int, together: Together) -> list[Answer]:
    words = [
        "ping",
        "-n",
        "-q",
        "-c",
        str(count),
        "-i",
        "0.3",
        "-w",
        str(count + 1),
        *(["-I", source] if source else []),
    ]
    found = []
    for first in range(0, len(targets), _AT_ONCE):
        some = targets[first : first + _AT_ONCE]
        for target, outcome in zip(some, together([[*words, one] for one in some], count + 10.0)):
            if "not permitted" in outcome.err or outcome.code == 127:
                raise LandscapeError(f"Nobody can be asked: {outcome.reason}", hint="ping needs root and iputils")
            found.append(_answer(target, outcome, count))
    return found


def _answer(target: str, outcome: client.Outcome, count: int) -> Answer:
    """What the last lines of ping say; a ping that was ended before it could count heard nothing."""
    counted, timed = _COUNTS.search(outcome.out), _TIMES.search(outcome.out)
    if counted is None:
        return Answer(target, count, 0 if outcome.code else count)
    received = 0 if outcome.code else int(counted[2])
    return Answer(target, int(counted[1]), received, float(timed[1]) if timed and received else None)
