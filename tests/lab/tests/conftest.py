# SPDX-License-Identifier: Apache-2.0
"""The machines that the tests of the lab share, and a way to run playbooks against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, Done, lane


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """All 13 machines of examples/embedded, up for the whole session; whoever breaks one mends it."""
    found = Lab(lane("test"))
    found.down()  # a killed run may have left machines that are not as they were
    found.up()
    yield found
    found.down()


@pytest.fixture
def play(lab: Lab, tmp_path: Path, collections_root: Path) -> Callable[..., Done]:
    """Return a function that runs a playbook (a path, or ``scs.landscape.<name>``) against the machines.

    ``play("scs.landscape.lab_deploy", "--check", variables={...})`` gives its exit code, its output, its seconds and
    the counters of its recap.
    """
    controller = Controller(lab, tmp_path / "controller", collections_root)

    def run(playbook: str | Path, *arguments: str, **options: Any) -> Done:
        return controller.run(playbook, *arguments, **options)

    return run
