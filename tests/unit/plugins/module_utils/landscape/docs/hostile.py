# SPDX-License-Identifier: Apache-2.0
"""A landscape that tries to break pages and pictures: the longest names, markup in every text, impossible places."""

from __future__ import annotations

#: What Markdown, HTML, MDX, Jinja, LaTeX and XML would act on, and characters that are in no table of widths.
TEXT = "|*_`[x](javascript:x)<b onload=x>&amp;{{ 7*7 }}{% raw %}\\ \"' $x$ ~~d~~ 💥日本語 é ]]> <!-- -->"
STATES = ("active", "planned", "retired")
CABLE_STATES = ("active", "deactivated", "planned")


def name(prefix: str) -> str:
    """The longest name that begins like this, of the widest letters."""
    return (prefix + "W" * 63)[:63]


def landscape() -> dict[str, object]:
    """The landscape as data."""
    return {
        "version": 1,
        "title": "<script>alert(1)</script> & " + "W" * 200 + TEXT,
        "description": TEXT,
        "sites": {name("site"): {"address": TEXT, "contact": TEXT, "description": TEXT}},
        "feeds": {
            name(f"feed{number}"): {"site": name("site"), "kind": "ups", "description": TEXT} for number in range(3)
        },
        "racks": {
            name("rack"): {
                "site": name("site"),
                "units": 60,
                "feeds": [name(f"feed{number}") for number in range(3)],
                "description": TEXT,
            },
            "r2": {"site": name("site"), "units": 3},
        },
        "environments": {name("env"): {"description": TEXT}},
        "networks": {
            name("net"): {
                "purpose": "management",
                "v4": "172.16.0.0/12",
                "description": TEXT,
                "ranges": [{"start": "172.16.255.1", "end": "172.16.255.9", "description": TEXT}],
            },
            name("loop"): {
                "purpose": "loopback",
                "v4": "10.0.0.0/8",
                "v6": "fd0c:cc24:75a0:1::/64",
                "scheme_v6": "embed-v4",
            },
        },
        "asn_schemes": {"x": {"kind": "explicit"}},
        "roles": {**{name(f"role{number:02d}"): _role() for number in range(24)}, name("rolesw"): _switch_role()},
        "device_models": _models(),
        "hosts": {**{name(f"host{number:02d}"): _host(number) for number in range(40)}, **_misplaced()},
        "switches": {name(f"sw{number}"): _switch(number) for number in range(3)},
        "externals": {name("ext"): {"description": TEXT}},
        "cables": _cables(),
    }


def _role() -> dict[str, object]:
    return {
        "kind": "server",
        "description": TEXT,
        "oob_network": name("net"),
        "loopback_network": name("loop"),
        "asn_scheme": "x",
        "uplinks_to": [name("rolesw")],
    }


def _switch_role() -> dict[str, object]:
    return {"kind": "switch", "oob_network": name("net")}


def _models() -> dict[str, object]:
    server_ports = [
        {"names": [name(f"p{number}") for number in range(3)], "speed": "25G", "connector": "sfp28"},
        {"names": [name("bmc")], "use": "bmc", "speed": "1G", "connector": "rj45"},
    ]
    switch_ports = [
        {"names": ["Eth1/{1..64}"], "aliases": ["a{1..64}"], "speed": "1G", "connector": "rj45"},
        {"names": ["eth0"], "use": "management", "speed": "1G", "connector": "rj45"},
    ]
    return {
        name("model"): {
            "kind": "server",
            "vendor": TEXT,
            "part_number": "W" * 900,
            "psus": [name(f"psu{number}") for number in range(3)],
            "ports": server_ports,
        },
        "beside": {"kind": "other", "height": 0},
        "tall": {"kind": "server", "height": 7},
        name("sw"): {"kind": "switch", "psus": ["a", "b"], "ports": switch_ports},
    }


def _host(number: int) -> dict[str, object]:
    return {
        "model": name("model"),
        "role": name(f"role{number % 24:02d}"),
        "environment": name("env"),
        "rack": name("rack"),
        "unit": number // 2 + 1,
        "index": 65000 + number,
        "asn": 4294967000 + number,
        "state": STATES[number % 3],
        "power": {name("psu0"): name("feed0"), name("psu1"): name(f"feed{number % 3}")},
        **dict.fromkeys(("serial", "description", "os", "console", "override_reason"), TEXT),
    }


def _misplaced() -> dict[str, object]:
    """Devices that overlap, stand out of the rack, or are of things nobody knows."""
    common = {"model": "tall", "role": name("role01"), "environment": name("env")}
    return {
        "beside": {**common, "model": "beside", "rack": name("rack")},
        "high": {**common, "rack": "r2", "unit": 2},
        "big": {**common, "rack": name("rack"), "unit": 50},
        "big2": {**common, "rack": name("rack"), "unit": 52},
        "big3": {"model": "unknown", "role": "nobody", "environment": "nowhere", "rack": name("rack"), "unit": 53},
        "lost": common,
        "lost2": {**common, "rack": "nowhere", "unit": 1},
    }


def _switch(number: int) -> dict[str, object]:
    return {
        "model": name("sw"),
        "role": name("rolesw"),
        "environment": name("env"),
        "rack": name("rack"),
        "unit": 40 + number,
        "index": 60000 + number,
    }


def _cables() -> list[dict[str, str]]:
    between = [
        {
            "a": f"{name(f'host{number:02d}')}/{name('p0')}",
            "b": f"{name(f'sw{number % 3}')}/Eth1/{number + 1}",
            "group": TEXT,
            "description": TEXT,
            "state": CABLE_STATES[number % 3],
        }
        for number in range(40)
    ]
    twice = {"a": f"{name('sw0')}/Eth1/60", "b": f"{name('ext')}/y"}
    return [
        *between,
        {"a": f"{name('host01')}/{name('p1')}", "b": f"{name('ext')}/x"},
        twice,
        dict(twice),
        {"a": f"{name('sw0')}/Eth1/1", "b": f"{name('sw2')}/Eth1/1"},
        {"a": "nobody/eth0", "b": f"{name('sw2')}/eth0"},
    ]
