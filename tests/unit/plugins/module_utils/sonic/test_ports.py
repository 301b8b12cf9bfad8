# SPDX-License-Identifier: Apache-2.0
"""Port maps equal the vendor's files; breakout gives what a person works out by hand, and refuses what cannot be."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import port_maps, ports
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

#: A model with two small ports behind the last large one, as one layout of the AS7726-32X has it.
SMALL_BEHIND = """
# name        lanes            alias          index  speed
Ethernet120   121,122,123,124  hundredGigE31  31     100000
Ethernet124   125,126,127,128  hundredGigE32  32     100000
Ethernet125   129              tenGigE33      33     10000
Ethernet126   130              tenGigE34      34     10000
"""


def shown(port_map):
    return {name: (port.lanes, port.alias, port.index, port.speed) for name, port in port_map.ports.items()}


@pytest.mark.parametrize("hwsku", port_maps.PORT_MAPS)
def test_every_port_is_as_the_vendor_has_it(hwsku):
    read = ports.parse_port_config(golden.shared("port_config", f"{hwsku}.ini").read_text(), hwsku)
    known = ports.known(hwsku)
    assert shown(known) == shown(read)
    assert {name: port.autoneg for name, port in known.ports.items()} == {
        name: port.autoneg for name, port in read.ports.items()
    }
    assert known.modes == read.modes


def test_every_file_of_the_vendor_is_known():
    assert {path.stem for path in golden.shared("port_config").glob("*.ini")} == set(port_maps.PORT_MAPS)


@pytest.mark.parametrize("name", golden.SWITCHES + golden.BACKUPS)
def test_real_switches_have_these_ports(name):
    config = golden.config(name)
    known = ports.known(config["DEVICE_METADATA"]["localhost"]["hwsku"])
    for port, row in config["PORT"].items():
        assert known.ports[port].row()["lanes"] == row["lanes"]
        assert int(row["speed"]) in known.ports[port].speeds


def test_a_row_of_table_port():
    assert ports.known("Accton-AS4630-54TE").ports["Ethernet0"].row() == {
        "lanes": "26",
        "speed": "1000",
        "alias": "thousandE1",
        "index": "1",
        "autoneg": "on",
    }


def test_names_and_aliases():
    known = ports.known("Accton-AS7326-56X")
    assert known.name_of("hundredGigE50") == known.name_of("Ethernet52") == "Ethernet52"
    with pytest.raises(InputError, match="no port Ethernet99"):
        known.name_of("Ethernet99")
    assert ports.known("Unknown-1X") is None


#: Worked out by hand.
BY_HAND = {
    ("Accton-AS7726-32X", "Ethernet0", "4x25G"): [
        ("Ethernet0", (1,), "hundredGigE1/1", 25000),
        ("Ethernet1", (2,), "hundredGigE1/2", 25000),
        ("Ethernet2", (3,), "hundredGigE1/3", 25000),
        ("Ethernet3", (4,), "hundredGigE1/4", 25000),
    ],
    ("Accton-AS7326-56X", "hundredGigE49", "2x50G"): [
        ("Ethernet48", (77, 78), "hundredGigE49/1", 50000),
        ("Ethernet50", (79, 80), "hundredGigE49/2", 50000),
    ],
    ("Accton-AS5835-54X", "Ethernet52", "4x10G"): [
        ("Ethernet52", (29,), "hundredGigE50/1", 10000),
        ("Ethernet53", (30,), "hundredGigE50/2", 10000),
        ("Ethernet54", (31,), "hundredGigE50/3", 10000),
        ("Ethernet55", (32,), "hundredGigE50/4", 10000),
    ],
    ("Accton-AS4630-54TE", "Ethernet56", "1x40G"): [("Ethernet56", (69, 70, 71, 72), "hundredGigE54", 40000)],
}


@pytest.mark.parametrize("case", BY_HAND, ids="-".join)
def test_breakout_is_what_a_hand_works_out(case):
    hwsku, port, mode = case
    known = ports.known(hwsku)
    after = ports.breakout(known, {port: mode})
    made = [after.ports[name] for name, *_rest in BY_HAND[case]]
    assert [(child.name, child.lanes, child.alias, child.speed) for child in made] == BY_HAND[case]
    assert len(after.ports) == len(known.ports) - 1 + len(made)
    assert list(after.ports) == sorted(after.ports, key=ports.number)


def test_children_that_another_port_is_in_the_way_of():
    small = ports.parse_port_config(SMALL_BEHIND, "Small-Behind")
    assert len(ports.breakout(small, {"Ethernet120": "4x25G"}).ports) == 7
    with pytest.raises(InputError, match="already a port Ethernet125"):
        ports.breakout(small, {"Ethernet124": "4x25G"})
    assert ports.breakout(small, {"Ethernet124": "1x40G"}).ports["Ethernet124"].speed == 40000


def test_one_port_cannot_be_broken_out_twice():
    known = ports.known("Accton-AS7726-32X")
    with pytest.raises(InputError):
        ports.breakout(known, {"Ethernet0": "4x25G", "hundredGigE1": "2x50G"})


@pytest.mark.parametrize(
    ("port", "mode", "word"),
    [
        ("Ethernet0", "4x25G", "stays as it is"),
        ("Ethernet48", "8x10G", "no breakout mode"),
        ("Ethernet48", "4x100G", "no breakout mode"),
        ("Ethernet48", "four", "is written like"),
        ("Ethernet48", "0x25G", "is written like"),
    ],
)
def test_modes_that_cannot_be(port, mode, word):
    with pytest.raises(InputError, match=word):
        ports.breakout(ports.known("Accton-AS7326-56X"), {port: mode})


def test_mixed_modes():
    port = ports.Port("Ethernet0", (1, 2, 3, 4), "Eth1", 1, 100000)
    made = ports.children(port, "1x50G(2)+2x25G(2)")
    assert [(child.name, child.lanes, child.speed) for child in made] == [
        ("Ethernet0", (1, 2), 50000),
        ("Ethernet2", (3,), 25000),
        ("Ethernet3", (4,), 25000),
    ]
    for mode in ("1x50G(2)+4x25G(4)", "3x25G", "1x50G+2x25G"):
        with pytest.raises(InputError, match="cannot use"):
            ports.children(port, mode)


PLATFORM = {
    "interfaces": {
        "Ethernet0": {
            "index": "1,1,1,1",
            "lanes": "65,66,67,68",
            "breakout_modes": {"1x100G[40G]": ["Eth1"], "4x25G[10G]": ["Eth1/1", "Eth1/2", "Eth1/3", "Eth1/4"]},
        },
        "Ethernet4": {"index": "2,2,2,2", "lanes": "69,70,71,72", "breakout_modes": {"1x100G[40G]": ["Eth2"]}},
    }
}
HWSKU = {
    "interfaces": {
        "Ethernet0": {"default_brkout_mode": "1x100G[40G]"},
        "Ethernet4": {"default_brkout_mode": "1x100G[40G]"},
    }
}


def test_platform_json_says_modes_and_aliases():
    made = ports.parse_platform(PLATFORM, HWSKU, "Model")
    assert shown(made) == {
        "Ethernet0": ((65, 66, 67, 68), "Eth1", 1, 100000),
        "Ethernet4": ((69, 70, 71, 72), "Eth2", 2, 100000),
    }
    assert made.ports["Ethernet0"].speeds == (100000, 40000)
    after = ports.breakout(made, {"Eth1": "4x10G"})
    assert [(port.name, port.alias) for port in after.ports.values()][:2] == [
        ("Ethernet0", "Eth1/1"),
        ("Ethernet1", "Eth1/2"),
    ]
    with pytest.raises(InputError, match="no breakout mode"):
        ports.breakout(made, {"Ethernet4": "4x25G"})


@pytest.mark.parametrize("platform", [{}, {"interfaces": []}, {"interfaces": {"Ethernet0": {}}}], ids=str)
def test_platform_json_of_another_form(platform):
    with pytest.raises(InputError):
        ports.parse_platform(platform, HWSKU, "Model")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Ethernet0 1,2 a 1\nEthernet4 2,3 b 2", "share lane 2"),
        ("Ethernet0 1,1 a 1", "share lane 1"),
        ("Ethernet0 1 a 1\nEthernet4 2 a 2", "share the alias a"),
        ("Ethernet0 1 a 1\nEthernet0 2 b 2", "a port twice"),
        ("Ethernet0 one a 1", "line 1"),
        ("Ethernet0", "line 1"),
        ("Eth0 1 a 1", "no name of a port"),
    ],
)
def test_port_configs_that_cannot_be(text, word):
    with pytest.raises(InputError, match=word):
        ports.parse_port_config(text, "Model")
