# SPDX-License-Identifier: Apache-2.0
"""The back end ``rbd``: Glance and Cinder on the lane's Ceph, judged by what Ceph itself holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.ceph import CephCluster
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import stories
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane


@pytest.fixture
def on_ceph() -> Iterator[Cloud]:
    """A cloud whose volumes lie on a Ceph of its own; both are down afterwards."""
    found = Cloud(lane("rbd"), profile="volume", backend="rbd")
    found.down()
    try:
        found.up()
        yield found
    finally:
        found.down()
        CephCluster(found.lane).down()


@pytest.mark.full
@pytest.mark.accept("O1.1")
def test_image_snapshot_and_backup_give_the_same_bytes_on_rbd(on_ceph, seed):
    stories.on_ceph(on_ceph, seed)
