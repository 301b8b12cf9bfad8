# SPDX-License-Identifier: Apache-2.0
"""The module sonic_facts alone: what it documents is what its action plugin takes, and without that it says so."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import facts
from ansible_collections.scs.landscape.plugins.modules import sonic_facts


def test_without_its_action_plugin_it_says_so() -> None:
    with pytest.raises(LandscapeError, match="its action plugin of the same name is missing"):
        sonic_facts.main({}, False)


def test_its_lists_are_those_of_the_library() -> None:
    assert sonic_facts.ARGUMENTS["gather"]["choices"] == ["all", *facts.SUBSETS]
