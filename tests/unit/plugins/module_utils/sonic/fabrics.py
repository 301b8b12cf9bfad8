# SPDX-License-Identifier: Apache-2.0
"""Landscapes whose switches the tests render, and a way to render them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import ConfigDb
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build

REPO = Path(__file__).resolve().parents[5]
#: By name: the SCS lab, the embedded landscape, and a made-up fabric with everything the renderer knows.
LANDSCAPES = {
    "scs-lab": ("examples", "scs-lab"),
    "embedded": ("examples", "embedded"),
    "fabric": ("tests", "unit", "fixtures", "fabric"),
}


@functools.cache
def view(name: str) -> derive.View:
    """A landscape of ours, resolved."""
    folder = REPO.joinpath(*LANDSCAPES[name])
    if not folder.is_dir():
        pytest.skip(f"{'/'.join(LANDSCAPES[name])} is not part of this checkout")
    landscape, findings = client.load([str(folder)])
    assert [finding for finding in findings if finding.severity == "error"] == []
    return derive.resolve(landscape)


def view_of(document: dict[str, Any], folder: Path) -> derive.View:
    """A landscape written in a test."""
    file = folder / "landscape.yml"
    file.write_text(json.dumps({"version": 1, **document}, ensure_ascii=False), encoding="utf-8")
    landscape, findings = client.load([str(file)])
    assert [str(finding) for finding in findings] == []
    return derive.resolve(landscape)


def configs(of: derive.View, **options: Any) -> dict[str, ConfigDb]:
    """The configurations of all switches; nothing may be refused."""
    rendered = build.render_all(of, build.Options(**options))
    assert [str(issue) for one in rendered for issue in one.refused] == []
    return {one.name: one.config for one in rendered}


def document() -> dict[str, Any]:
    """The smallest fabric: a spine, a leaf, a management switch, two hosts. To be changed at will."""
    return {
        "environments": {"net": {}, "red": {}, "blue": {}},
        "asn_schemes": {"all": {"kind": "octets", "prefix": 4210}},
        "networks": {
            "oob": {"purpose": "management", "v4": "192.0.2.0/24", "router_v4": "192.0.2.1", "vlan": 100},
            "fabric": {"purpose": "loopback", "v4": "10.1.0.0/24"},
            "red": {"purpose": "loopback", "v4": "10.2.0.0/24", "environment": "red"},
            "blue": {"purpose": "loopback", "v4": "10.3.0.0/24", "environment": "blue"},
        },
        "device_models": {
            "box": {
                "kind": "server",
                "ports": [{"names": ["nic0", "nic1"], "speed": "25G", "connector": "sfp28"}],
            },
            "as7326": _model("Accton-AS7326-56X", ["Ethernet{0..47}", "Ethernet{48..76..4}"]),
            "as7726": _model("Accton-AS7726-32X", ["Ethernet{0..124..4}"]),
            "as4630": _model("Accton-AS4630-54TE", ["Ethernet{0..51}", "Ethernet52", "Ethernet56"]),
        },
        "roles": {
            "leaf": {**_SWITCH, "loopback_network": "fabric", "asn_scheme": "all", "uplinks_to": ["spine"]},
            "spine": {**_SWITCH, "loopback_network": "fabric", "asn_scheme": "all"},
            "oob": dict(_SWITCH),
            "red": {"kind": "server", "loopback_network": "red", "asn_scheme": "all"},
            "blue": {"kind": "server", "loopback_network": "blue", "asn_scheme": "all"},
        },
        "switches": {
            "leaf1": {"model": "as7326", "role": "leaf", "environment": "net", "index": 21},
            "spine1": {"model": "as7726", "role": "spine", "environment": "net", "index": 11},
            "oob1": {"model": "as4630", "role": "oob", "environment": "net", "index": 31},
        },
        "hosts": {
            "red1": {"model": "box", "role": "red", "environment": "red", "index": 1},
            "blue1": {"model": "box", "role": "blue", "environment": "blue", "index": 1},
        },
        "externals": {"outside": {"ports": ["{1..4}"]}},
        "cables": [
            {"a": "leaf1/Ethernet48", "b": "spine1/Ethernet0", "speed": "100G"},
            {"a": "leaf1/Ethernet0", "b": "red1/nic0"},
            {"a": "leaf1/Ethernet1", "b": "blue1/nic0"},
            {"a": "oob1/Ethernet0", "b": "leaf1/eth0", "speed": "1G"},
        ],
    }


_SWITCH = {"kind": "switch", "oob_network": "oob"}


def _model(hwsku: str, ports: list[str]) -> dict[str, Any]:
    management = {"names": ["eth0"], "use": "management", "speed": "1G", "connector": "rj45"}
    data = {"names": ports, "speed": "100G", "connector": "qsfp28"}
    return {"kind": "switch", "sonic_hwsku": hwsku, "ports": [management, data]}
