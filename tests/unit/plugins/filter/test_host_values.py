# SPDX-License-Identifier: Apache-2.0
"""The filter host_values."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.filter.host_values import FilterModule


def test_values_of_many_hosts():
    pick = FilterModule().filters()["host_values"]
    hostvars = {"a": {"ansible_host": "10.0.0.1", "x": 1}, "b": {"x": 2}}
    names = {"address": "ansible_host", "number": "x"}
    assert pick(hostvars, ["a", "b", "c"], names) == {
        "a": {"address": "10.0.0.1", "number": 1},
        "b": {"number": 2},
        "c": {},
    }
