# SPDX-License-Identifier: Apache-2.0
"""The fabric that the tests of switches share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab.switch_tests.playing import LEAF, SPINE, Stage
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    """Two spines, four leaves and six hosts of examples/embedded, configured as the landscape says; for one file of
    tests, whoever breaks something mends it."""
    found = Fabric(lane("test"), hosts="all")
    found.down()  # a killed run may have left one that is not as it was
    found.up()
    yield found
    found.down()


@pytest.fixture(scope="module")
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
