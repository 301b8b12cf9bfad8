# SPDX-License-Identifier: Apache-2.0
"""What travels to a switch imports nothing of the controller's side, so what both know stands twice."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.module_utils.sonic import plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import words


def test_both_sides_know_the_same_tables_of_daemons() -> None:
    assert set(words.RUNTIME_OWNED) == set(plan.RUNTIME_OWNED)
