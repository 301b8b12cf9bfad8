# SPDX-License-Identifier: Apache-2.0
"""The clouds that the tests share: one with images alone, which is quick, and one with everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.tests.deploying import lane
from ansible_collections.scs.landscape.tests.tools import yardstick


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fifteen services are minutes of work for two cores; `make test` has the cloud that starts in seconds."""
    for item in items:
        if "compute_cloud" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.full)


@pytest.fixture(scope="session")
def paces() -> dict[str, float]:
    """How much slower than usual the machine was when a shared cloud was started, by profile."""
    return {}


@pytest.fixture(scope="session")
def cloud(paces: dict[str, float]) -> Iterator[Cloud]:
    """Keystone and Glance for the whole session; tests remove what they make."""
    yield from _for_the_session("image", paces)


@pytest.fixture(scope="session")
def volume_cloud(paces: dict[str, float]) -> Iterator[Cloud]:
    """Volumes, backups and keys, and nothing that they could be attached to."""
    yield from _for_the_session("volume", paces)


@pytest.fixture(scope="session")
def compute_cloud(paces: dict[str, float]) -> Iterator[Cloud]:
    """Servers and networks as well."""
    yield from _for_the_session("compute", paces)


def _for_the_session(profile: str, paces: dict[str, float]) -> Iterator[Cloud]:
    found = Cloud(lane(f"test-{profile}"), profile=profile)
    found.down()  # a killed run may have left one that is not as it was
    before = yardstick.pace()
    found.up()
    paces[profile] = max(1.0, before, yardstick.pace())
    yield found
    found.down()
