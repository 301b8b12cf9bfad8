# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who works on a store: copies beside each other, and the removal of what is not needed alone.

A lock is an object of the store, so it is seen from everywhere. Each one first writes its own and then looks for others,
so of two that exclude each other at most one goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, Callable

from ..core.errors import LandscapeError, LockedError
from ..core.lock import holder_of, is_over
from . import store as stores
from .model import LOCKS
from .store import AbsentError, Store

#: Seconds after which a lock that nobody renews is over, and how often it is renewed.
_LASTS, _RENEWED = 3600.0, 600.0
_KINDS = ("copy", "removal")


@contextlib.contextmanager
def held(
    store: Store,
    kind: str,
    owner: str,
    *,
    patience: float = 60.0,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds a lock for the time of the block.

    :param kind: ``copy``, of which there may be many, or ``removal``, which is alone.
    :param owner: for the message the other one gets.
    :param patience: seconds to wait for others.
    :raises LockedError: others did not finish in that time.
    """
    end = clock() + patience
    while True:
        name = f"{LOCKS}{kind}-{uuid.uuid4().hex}.json"
        _write(store, name, owner, clock)
        others = _others(store, name, kind, clock)
        if not others:
            break
        _remove(store, name)
        if clock() >= end:
            raise LockedError(
                f"{store.label} is in use by {others[0]}",
                hint=f"Wait for that run; if it is gone, remove what is below {LOCKS} in the store",
            )
        sleep(2.0)
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(store, name, owner, clock, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join(30.0)
        _remove(store, name)


def _write(store: Store, name: str, owner: str, clock: Callable[[], float]) -> None:
    content = holder_of(owner, clock() + _LASTS, os.getpid())
    text = json.dumps(content).encode("ascii")
    stores.patient(lambda: store.put(name, text), 30.0)


def _remove(store: Store, name: str) -> None:
    # What is left behind by a store that does not answer any more is over by itself.
    with contextlib.suppress(LandscapeError):
        stores.patient(lambda: store.delete([name]), 10.0)


def _keep(store: Store, name: str, owner: str, clock: Callable[[], float], over: threading.Event) -> None:
    while not over.wait(_RENEWED):
        with contextlib.suppress(LandscapeError):
            _write(store, name, owner, clock)


def _others(store: Store, mine: str, kind: str, clock: Callable[[], float]) -> list[str]:
    """Who is in the way; locks that are over are removed."""
    found = []
    for name in sorted(stores.patient(lambda: store.listing(LOCKS), 30.0)):
        theirs = name[len(LOCKS) :].partition("-")[0]
        if name == mine or theirs not in _KINDS or (kind, theirs) == ("copy", "copy"):
            continue
        holder = _read(store, name)
        if holder is None:
            continue
        if is_over(holder, clock()):
            _remove(store, name)
        else:
            found.append(f"a {theirs} of {holder.get('owner')} (process {holder.get('pid')} on {holder.get('host')})")
    return found


def _read(store: Store, name: str) -> dict[str, Any] | None:
    try:
        content = json.loads(stores.patient(lambda: stores.whole(store, name, 65536), 30.0))
    except AbsentError:
        return None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
