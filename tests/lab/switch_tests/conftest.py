# SPDX-License-Identifier: Apache-2.0
"""A leaf and a spine that the tests of the modules for running switches share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.switch_tests.playing import LEAF, SPINE, Stage
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane


@pytest.fixture(scope="session")
def pair() -> Iterator[Fabric]:
    """A leaf and a spine with a cable between them; whoever changes one brings it back."""
    found = Fabric(lane("live"), [LEAF, SPINE])
    found.down()
    found.up()
    yield found
    found.down()


@pytest.fixture
def stage(pair: Fabric, tmp_path: Path, collections_root: Path) -> Stage:
    """Where plays are run from."""
    return Stage(pair, tmp_path, collections_root)
