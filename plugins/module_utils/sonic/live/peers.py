# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""With whom a switch speaks BGP by its configuration, in the forms of every dialect. Pure.

A key is ``VRF|neighbour``, or the neighbour alone for the default instance: bgpcfgd, which most images start with, has that
form, and tables of its own. Source: sonic-bgpcfgd's managers_bgp.py and its templates.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Union

from .. import model
from ..model import ConfigDb

TABLES = ("BGP_NEIGHBOR", "BGP_INTERNAL_NEIGHBOR", "BGP_VOQ_CHASSIS_NEIGHBOR")
_DEFAULT = "default"
_DOWN = ("down", "false")
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def of(key: str) -> tuple[str, str]:
    """Routing instance and neighbour of a key, as FRR names them."""
    vrf, separator, peer = key.partition(model.SEPARATOR)
    vrf, peer = (vrf, peer) if separator else (_DEFAULT, key)
    try:
        return vrf, str(ipaddress.ip_address(peer))
    except ValueError:
        return vrf, peer


def named(config: ConfigDb) -> dict[tuple[str, str], bool]:
    """Every neighbour that has a row, and whether its session is to be up."""
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    # bgpcfgd's word for neighbours that say nothing; the daemon of the unified mode does not know it.
    silent = "up" if model.dialect_of(config) == "unified" else str(metadata.get("default_bgp_status", "up"))
    found = {}
    for table in TABLES:
        for key, row in config.get(table, {}).items():
            vrf, peer = of(key)
            if peer:
                found[(vrf, peer)] = str(row.get("admin_status", silent)) not in _DOWN
    return found


def ranges(config: ConfigDb) -> Iterator[tuple[str, _Network]]:
    """Networks from which neighbours may come that no row names, each with its routing instance."""
    texts = [of(key) for key in config.get("BGP_GLOBALS_LISTEN_PREFIX", {})]
    for key, row in config.get("BGP_PEER_RANGE", {}).items():
        head, separator, _name = key.partition(model.SEPARATOR)
        vrf = head if separator else str(row.get("vrf_name", _DEFAULT))
        texts += [(vrf, text) for text in model.values(row.get("ip_range"))]
    for vrf, text in texts:
        try:
            yield vrf, ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue


def ranged(config: ConfigDb, vrf: str, peer: str) -> bool:
    """Whether a neighbour comes from one of the networks."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(instance == vrf and address in network for instance, network in ranges(config))


def knows(config: ConfigDb, vrf: str, peer: str) -> bool:
    """Whether the configuration speaks of a session."""
    return (vrf, peer) in named(config) or ranged(config, vrf, peer)
