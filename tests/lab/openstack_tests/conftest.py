# SPDX-License-Identifier: Apache-2.0
"""The clouds that the tests share: one with images alone, which is quick, and one with everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """Keystone and Glance for the whole session; tests remove what they make."""
    yield from _for_the_session("image")


@pytest.fixture(scope="session")
def compute_cloud() -> Iterator[Cloud]:
    """Volumes, servers, networks and keys as well."""
    yield from _for_the_session("compute")


def _for_the_session(profile: str) -> Iterator[Cloud]:
    found = Cloud(lane(f"test-{profile}"), profile=profile)
    found.down()  # a killed run may have left one that is not as it was
    found.up()
    yield found
    found.down()
