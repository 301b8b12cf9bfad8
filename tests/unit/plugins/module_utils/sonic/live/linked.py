# SPDX-License-Identifier: Apache-2.0
"""The way to a switch in a folder, with everything that can happen on it."""

from __future__ import annotations

import time
from typing import Any, Callable

from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Settings, Unreachable

from .switchbox import Box


class BoxLink:
    """Calls go straight to the switch; ``trouble`` may do something before or instead."""

    def __init__(self, box: Box, trouble: Callable[[str, int], Any] | None = None) -> None:
        self.box, self.trouble = box, trouble
        self.name = "leaf1"
        self.calls: list[str] = []
        self.said: list[str] = []
        self.renewed = 0
        self.skew = 0.0

    def ask(self, call: str, **request: Any) -> dict[str, Any]:
        self.calls.append(call)
        count = self.calls.count(call)
        if self.trouble:
            answer = self.trouble(call, count)
            if answer is not None:
                return dict(answer)
        done = self.box.ask(call, **request)
        if self.trouble:
            self.trouble(f"after {call}", count)
        return done

    def renew(self) -> None:
        self.renewed += 1

    def say(self, message: str) -> None:
        self.said.append(message)

    def sleep(self, seconds: float) -> None:
        self.skew += seconds  # nobody waits in a test but for the clock
        time.sleep(0.01)

    def now(self) -> float:
        return time.monotonic() + self.skew


def cut(when: str, count: int = 1, times: int = 1) -> Callable[[str, int], Any]:
    """The connection breaks at a call (``read``), or after it (``after apply``), some times."""

    def trouble(call: str, number: int) -> Any:
        if call == when and count <= number < count + times:
            raise Unreachable("leaf1: Connection closed")

    return trouble


def settings(config: Any, **more: Any) -> Settings:
    """Settings for a test."""
    base = {"token": "a" * 32, "owner": "test", "max_impact": Impact.DESTROYED, "verify_timeout": 3}
    return Settings(config, **{**base, "ignore_tables": ("VERSIONS",), **more})
