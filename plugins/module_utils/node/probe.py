# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which addresses a host reaches, all of them asked at the same time."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from typing import Callable

from ..core.errors import InputError, LandscapeError
from . import client

#: Runs programs at the same time: ``run(commands, seconds)`` tells how each ended.
Together = Callable[[Sequence[Sequence[str]], float], list[client.Outcome]]
#: At most so many at the same time.
_AT_ONCE = 64


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


def reached(
    targets: Sequence[str],
    source: str = "",
    *,
    count: int = 3,
    timeout: float = 0.0,
    together: Together = client.together,
) -> list[str]:
    """Those of the addresses that answered, in their order.

    :param source: address that the questions come from; what the kernel chooses when empty.
    :param count: questions to each; one answer is enough, since a first one may get lost while a neighbour is looked up.
    :param timeout: seconds after which those that do not answer are given up; each is asked once at least.
    :raises LandscapeError: there is no ping(8), or it may not ask.
    """
    end = time.monotonic() + timeout
    left, known = checked(targets), set[str]()
    while True:
        known |= _answering([one for one in left if one not in known], source, count, together)
        if len(known) == len(left) or time.monotonic() >= end:
            return [one for one in left if one in known]
        time.sleep(1.0)


def _answering(targets: Sequence[str], source: str, count: int, together: Together) -> set[str]:
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
    found: set[str] = set()
    for first in range(0, len(targets), _AT_ONCE):
        some = targets[first : first + _AT_ONCE]
        for target, outcome in zip(some, together([[*words, one] for one in some], count + 10.0)):
            if "not permitted" in outcome.err or outcome.code == 127:
                raise LandscapeError(f"Nobody can be asked: {outcome.reason}", hint="ping needs root and iputils")
            if not outcome.code:
                found.add(target)
    return found
