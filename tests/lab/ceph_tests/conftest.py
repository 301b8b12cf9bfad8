# SPDX-License-Identifier: Apache-2.0
"""The cluster that the tests of Ceph share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane


@pytest.fixture(scope="session")
def ceph() -> Iterator[CephCluster]:
    """A cluster for the whole session; whoever breaks something mends it."""
    found = CephCluster(lane("test"))
    found.down()  # a killed run may have left one that is not as it was
    found.up()
    yield found
    found.down()
