# SPDX-License-Identifier: Apache-2.0
"""Lines of rows and fields in a file."""

from __future__ import annotations

import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import places
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

TEXT = """{
  "PORT": {
    "Ethernet0": {"mtu": "9100",
      "lanes": "1:2,{3}"},
    "Ethernet4": {}
  },
  "VLAN": {"Vlan\\u00310": {"dhcp_servers": ["a:b",
    "c"], "alias": "\\\\\\"}: "}}
}
"""


def test_lines():
    found = places.places(TEXT)
    assert found == {
        ("PORT", "", ""): 2,
        ("PORT", "Ethernet0", ""): 3,
        ("PORT", "Ethernet0", "mtu"): 3,
        ("PORT", "Ethernet0", "lanes"): 4,
        ("PORT", "Ethernet4", ""): 5,
        ("VLAN", "", ""): 7,
        ("VLAN", "Vlan10", ""): 7,
        ("VLAN", "Vlan10", "dhcp_servers"): 7,
        ("VLAN", "Vlan10", "alias"): 8,
    }
    assert places.line_of(found, "PORT", "Ethernet0", "speed") == 3
    assert places.line_of(found, "PORT", "Ethernet9", "") == 2
    assert places.line_of(found, "NONE", "", "") == 0


@pytest.mark.parametrize("name", golden.BACKUPS)
def test_every_field_of_a_backup_has_its_line(name):
    text = golden.path_of(name).read_text(encoding="utf-8")
    found, lines = places.places(text), text.splitlines()
    for table, rows in json.loads(text).items():
        for key, row in rows.items():
            for field in row:
                assert lines[found[(table, key, field)] - 1].lstrip().startswith(json.dumps(field))


@pytest.mark.parametrize("text", ["", "[]", '"a": 1', "{" * 50, '}}}"a":', '[{"a": [{"b": {"c": {"d": 1}}}]}]'])
def test_any_text_has_places(text):
    assert isinstance(places.places(text), dict)
