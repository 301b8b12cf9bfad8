# SPDX-License-Identifier: Apache-2.0
"""The fabric that the tests of switches share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
