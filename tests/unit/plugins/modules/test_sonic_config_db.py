# SPDX-License-Identifier: Apache-2.0
"""The module sonic_config_db alone: what it documents is what its action plugin takes, and without that it says so."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import model, plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import desired
from ansible_collections.scs.landscape.plugins.modules import sonic_config_db


def test_without_its_action_plugin_it_says_so() -> None:
    with pytest.raises(LandscapeError, match="its action plugin of the same name is missing"):
        sonic_config_db.main({}, False)


def test_its_lists_are_those_of_the_library() -> None:
    arguments = sonic_config_db.ARGUMENTS
    assert tuple(arguments["release"]["choices"]) == model.RELEASE_NAMES
    assert tuple(arguments["ignore_tables"]["default"]) == plan.RUNTIME_OWNED
    assert tuple(arguments["state"]["choices"]) == desired.STATES
