# SPDX-License-Identifier: Apache-2.0
"""What tests of servers share."""

from __future__ import annotations

import functools
import itertools

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import recreate
from ansible_collections.scs.landscape.plugins.module_utils.openstack.servers import run as task


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: each look at the clock is a second later."""
    seconds = itertools.count()
    later = functools.partial(recreate.Maker, clock=lambda: float(next(seconds)), sleep=lambda _seconds: None)
    monkeypatch.setattr(task, "Maker", later)
