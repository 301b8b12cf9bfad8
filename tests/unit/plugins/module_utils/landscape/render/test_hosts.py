# SPDX-License-Identifier: Apache-2.0
"""The hosts file, read as the C library reads it."""

from __future__ import annotations

import ipaddress

from ansible_collections.scs.landscape.plugins.module_utils.landscape.render import hosts
from ansible_collections.scs.landscape.plugins.module_utils.landscape.render.options import RenderOptions


def lookup(text):
    """Names to addresses, by the rules of hosts(5)."""
    found = {}
    for line in text.splitlines():
        fields = line.partition("#")[0].split()
        for name in fields[1:]:
            found.setdefault(name, []).append(str(ipaddress.ip_address(fields[0])))
    return found


def test_names_and_addresses(small):
    rendered = hosts.files(small(), RenderOptions())
    assert lookup(rendered["hosts"]) == {
        "l1": ["10.0.23.100"],
        "l1-mgmt": ["10.0.23.100"],
        "m1": ["10.0.21.10"],
        "m1-mgmt": ["10.0.23.10"],
        "m2": ["10.0.21.11"],
        "m2-mgmt": ["10.0.23.11"],
    }
    assert rendered["hosts"].startswith("# Made by ")


def test_without_suffix_only_names_of_devices(small):
    found = lookup(hosts.files(small(), RenderOptions(management_suffix=""))["hosts"])
    assert found == {"l1": ["10.0.23.100"], "m1": ["10.0.21.10"], "m2": ["10.0.21.11"]}


def test_a_device_that_has_the_name_of_a_management_address_keeps_it(small):
    found = lookup(hosts.files(small("  m2:", "  m1-mgmt:"), RenderOptions())["hosts"])
    assert found["m1-mgmt"] == ["10.0.21.11"]


def test_the_lab(lab):
    found = lookup(hosts.files(lab, RenderOptions(management_suffix=".oob"))["hosts"])
    assert len(found) == 2 * 33
    assert found["st01-ctl-r01-u27"] == ["10.10.21.12", "fd0c:cc24:75a0:1:10:10:21:12"]
    assert found["st01-ctl-r01-u27.oob"] == ["10.10.23.12"]
    assert found["st01-sw1g-r01-u47"] == found["st01-sw1g-r01-u47.oob"] == ["10.10.22.102"]
