# SPDX-License-Identifier: Apache-2.0
"""Characters that Python takes for digits and that are no numbers: every part answers, none breaks."""

from __future__ import annotations

import contextlib
import re

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import index, validate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import fabrics

#: Superscript two, Arabic-Indic two, circled two.
DIGITS = ("\u00b2", "\u0662", "\u2461")


@pytest.mark.slow
@pytest.mark.parametrize("digit", DIGITS, ids=["superscript", "arabic", "circled"])
@pytest.mark.parametrize("where", ["keys", "fields"])
def test_other_digits_than_ours_break_nothing(where, digit):
    for config in fabrics.configs(fabrics.view("fabric")).values():
        for table, rows in config.items():
            if where == "keys":
                changed = {re.sub("[0-9]", digit, key): row for key, row in rows.items()}
            else:
                changed = {
                    key: {name: _changed(value, digit) for name, value in row.items()} for key, row in rows.items()
                }
            broken = {**config, table: changed}
            assert isinstance(validate.check(index.Fabric([index.Switch("leaf1", broken, "202605")])), list)
            # What cannot be put into an order is said so; anything else that is raised fails the test.
            with contextlib.suppress(LandscapeError):
                plan.plan_switch("leaf1", config, broken, "202605")


def _changed(value, digit):
    if isinstance(value, list):
        return [_changed(item, digit) for item in value]
    return re.sub("[0-9]", digit, value)
