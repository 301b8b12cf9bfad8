# SPDX-License-Identifier: Apache-2.0
"""A switch in a folder for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import confirm

from .switchbox import Box


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A switch with a database that runs and is empty."""
    made = Box(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(confirm, "FRR_FOLLOWS", 0.5)
    made.start()
    try:
        yield made
    finally:
        made.end()
