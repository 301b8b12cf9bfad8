# SPDX-License-Identifier: Apache-2.0
"""Backups with the second release: the tests of the first one, with Debian's Cinder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import (
    test_volume_backup_prune as prune,
)
from ansible_collections.scs.landscape.tests.lab.openstack_tests import (
    test_volume_backup_restore as restore,
)
from ansible_collections.scs.landscape.tests.lab.openstack_tests import (
    test_volume_backup_run as run,
)
from ansible_collections.scs.landscape.tests.lab.openstack_tests import (
    test_volume_backup_verify as verify,
)
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane

# What the SDK will drop some day; Python itself shows neither kind to users.
pytestmark = [
    # its root is 1.9 GB of packages
    pytest.mark.full,
    pytest.mark.accept("B1.21"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def volume_cloud() -> Iterator[Cloud]:
    """Instead of the first release's."""
    found = Cloud(lane("backups-trixie"), "volume", release="trixie")
    found.down()
    found.up()
    yield found
    found.down()


desk, disks, vault = prune.desk, run.disks, verify.vault
test_four_moments_and_a_volume_that_grows = run.test_four_moments_and_a_volume_that_grows
test_an_attached_volume = run.test_an_attached_volume_is_backed_up_where_that_is_allowed_and_stays_attached
test_four_points_in_time = restore.test_four_points_in_time_are_restored_as_the_back_end_had_them
test_one_bit_in_the_store = verify.test_one_bit_in_the_store_and_exactly_that_backup_is_named
test_a_manual_incremental = prune.test_a_manual_incremental_on_our_base_holds_it
test_four_hundred_days = prune.test_four_hundred_days_are_thinned_out_once
