# SPDX-License-Identifier: Apache-2.0
"""Names of a landscape as entries of a hosts file."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.filter import hosts_entries

HOSTVARS = {
    "b": {
        "landscape_loopback_v4": "10.1.0.2",
        "landscape_loopback_v6": "fd00::2/128",
        "landscape_oob": {"address": "10.9.0.2"},
    },
    "a": {"landscape_oob": {"address": "10.9.0.1"}},
    "localhost": {},
}


def test_loopbacks_carry_the_name_and_management_its_own():
    assert hosts_entries.hosts_entries(HOSTVARS, ["b", "a", "localhost"]) == [
        {"address": "10.9.0.1", "names": ["a"]},
        {"address": "10.1.0.2", "names": ["b"]},
        {"address": "fd00::2", "names": ["b"]},
        {"address": "10.9.0.2", "names": ["b-oob"]},
    ]


def test_a_domain_comes_first_and_management_can_be_left_out():
    named = hosts_entries.FilterModule().filters()["hosts_entries"]
    assert named(HOSTVARS, ["b"], domain="example.org", oob_suffix="") == [
        {"address": "10.1.0.2", "names": ["b.example.org", "b"]},
        {"address": "fd00::2", "names": ["b.example.org", "b"]},
    ]
