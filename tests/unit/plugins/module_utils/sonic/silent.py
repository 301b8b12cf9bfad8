# SPDX-License-Identifier: Apache-2.0
"""Small mistakes that nothing in a configuration contradicts: which kind, in which field, why, and how that is known.

Every place is named. A mistake counts as explained by a category only when its kind and place are listed there and the
category's own test of the two values holds; that test asks libyang's trees, not the validator of the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.direct import Direct
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic.mutants import Mutant

#: Judges a mutant beside what it was made of.
Test = Callable[[Direct, Mutant, Any], bool]
_TEXTS = ("string", "stypes:hostname", "stypes:timezone-name-type", "yang:mac-address", "stypes:hwsku")


def _values(mutant: Mutant, base: Any) -> tuple[Any, Any]:
    return base[mutant.table][mutant.key].get(mutant.field), mutant.config[mutant.table][mutant.key].get(mutant.field)


def _fresh_key(mutant: Mutant, base: Any) -> str:
    return next(iter(set(mutant.config[mutant.table]) - set(base[mutant.table])), "")


def optional_field(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The model lets the field be absent, and that is all that is different."""
    leaf = direct.leaf(mutant.table, mutant.key, mutant.field)
    before, after = dict(base[mutant.table][mutant.key]), mutant.config[mutant.table][mutant.key]
    before.pop(mutant.field)
    return leaf is not None and leaf.mark in ("?", "*") and before == after


def emptied(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The model lets the field be absent, and what is there now is the empty text."""
    leaf = direct.leaf(mutant.table, mutant.key, mutant.field)
    return leaf is not None and leaf.mark == "?" and _values(mutant, base)[1] == ""


def whole_row(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """One row is gone and the others are as they were; nothing refers to it, or libyang had said so."""
    rows = dict(base[mutant.table])
    rows.pop(mutant.key)
    return rows == mutant.config[mutant.table] and direct.refusals([mutant.config]) == [""]


def same_form(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The new key is of the form of the old one, and the row under it is the same."""
    key = _fresh_key(mutant, base)
    same = direct.row(mutant.table, key) is direct.row(mutant.table, mutant.key)
    return bool(key) and same and mutant.config[mutant.table][key] == base[mutant.table][mutant.key]


def number(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """Both are whole numbers."""
    return all(isinstance(value, str) and re.fullmatch("[0-9]+", value) for value in _values(mutant, base))


def text(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The model takes a text of any content, or of a form that the new one has as well."""
    leaf = direct.leaf(mutant.table, mutant.key, mutant.field)
    value = _values(mutant, base)[1]
    return leaf is not None and leaf.type in _TEXTS and isinstance(value, str) and value.isprintable()


def address(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """What is there now are addresses as before."""
    value = _values(mutant, base)[1]
    try:
        return bool([ipaddress.ip_address(item) for item in ([value] if isinstance(value, str) else value)])
    except ValueError:
        return False


def neighbours(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """Another row of the table has the same value, so it is one that SONiC knows."""
    before, after = _values(mutant, base)
    others = [row.get(mutant.field) for key, row in base[mutant.table].items() if key != mutant.key]
    return after in others and after != before


def reference(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The model asks for a row that is there; libyang has looked, and there is one."""
    leaf = direct.leaf(mutant.table, mutant.key, mutant.field)
    before, after = _values(mutant, base)
    return leaf is not None and leaf.type.startswith("->") and bool(after) and after != before


def one_text(direct: Direct, mutant: Mutant, base: Any) -> bool:
    """The list has the items that the text had."""
    before, after = _values(mutant, base)
    return after == before.split(";") if isinstance(before, str) else after.split(";") == before


@dataclass(frozen=True)
class Category:
    """Mistakes that are silent for one reason.

    :param places: ``TABLE field``, or ``TABLE`` for its rows.
    """

    why: str
    kinds: tuple[str, ...]
    places: frozenset[str]
    holds: Test


def _places(**tables: str) -> frozenset[str]:
    return frozenset(f"{table} {field}".strip() for table, fields in tables.items() for field in fields.split() or [""])


def _rows(names: str) -> frozenset[str]:
    return frozenset(names.split())


CATEGORIES: dict[str, Category] = {
    "optional field": Category(
        "a field that the model lets be absent is not wished for; the plan against the switch shows it",
        ("delete",),
        _places(
            BGP_GLOBALS="load_balance_mp_relax log_nbr_state_changes router_id",
            BGP_GLOBALS_AF="max_ebgp_paths advertise-all-vni",
            BGP_NEIGHBOR="admin_status holdtime keepalive name",
            BGP_NEIGHBOR_AF=(
                "max_prefix_limit max_prefix_warning_threshold send_community soft_reconfiguration_in "
                "route_map_in route_map_out admin_status"
            ),
            BGP_PEER_GROUP="holdtime keepalive",
            BGP_PEER_GROUP_AF="admin_status unchanged_nexthop",
            DEVICE_METADATA=(
                "buffer_model default_bgp_status default_pfcwd_status frr_mgmt_framework_config hwsku mac platform "
                "timezone type"
            ),
            DHCP_RELAY="dhcpv6_servers interface_id",
            INTERFACE="vrf_name",
            MGMT_PORT="admin_status alias",
            NTP="admin_state authentication dhcp server_role src_intf vrf",
            PORT="admin_status alias description index mtu",
            PORTCHANNEL="fallback fast_rate lacp_key min_links mtu admin_status",
            ROUTE_MAP="match_ipv6_prefix_set match_prefix_set set_local_pref set_med",
            ROUTE_REDISTRIBUTE="route_map",
            STATIC_ROUTE="blackhole distance ifname nexthop nexthop-vrf",
            VERSIONS="VERSION",
            VLAN="description dhcp_servers vlanid",
        ),
        optional_field,
    ),
    "row less": Category(
        "a row that nothing refers to is not wished for; the plan against the switch shows it",
        ("delete",),
        _rows(
            "BGP_GLOBALS_AF BGP_GLOBALS_AF_NETWORK BGP_NEIGHBOR BGP_NEIGHBOR_AF BGP_PEER_GROUP_AF DEVICE_METADATA "
            "DHCP_RELAY INTERFACE LOOPBACK_INTERFACE MGMT_INTERFACE NTP NTP_SERVER PORT PORTCHANNEL_MEMBER PREFIX "
            "ROUTE_MAP ROUTE_REDISTRIBUTE STATIC_ROUTE SYSLOG_SERVER VERSIONS VLAN_MEMBER VLAN_INTERFACE VRF "
            "VXLAN_TUNNEL_MAP"
        ),
        whole_row,
    ),
    "another row": Category(
        "another address, name or family of the same form is as good a wish; only the landscape or the switch knows",
        ("duplicate", "key typo"),
        _rows(
            "BGP_GLOBALS_AF BGP_GLOBALS_AF_NETWORK BGP_NEIGHBOR BGP_NEIGHBOR_AF BGP_PEER_GROUP BGP_PEER_GROUP_AF "
            "INTERFACE LOOPBACK_INTERFACE MGMT_INTERFACE NTP_SERVER PORTCHANNEL PREFIX ROUTE_MAP ROUTE_REDISTRIBUTE "
            "STATIC_ROUTE SYSLOG_SERVER VLAN_INTERFACE VRF VXLAN_EVPN_NVO VXLAN_TUNNEL_MAP"
        ),
        same_form,
    ),
    "emptied field": Category(
        "an empty text says as little as a field that is absent, and what is left of the row says enough",
        ("empty",),
        _places(STATIC_ROUTE="ifname nexthop"),
        emptied,
    ),
    "text": Category(
        "a text for people, or a name that only the switch itself can contradict",
        ("typo", "off by one", "empty", "long", "neighbour"),
        _places(
            BGP_NEIGHBOR="name",
            DEVICE_METADATA="hostname hwsku platform timezone mac",
            MGMT_PORT="alias",
            PORT="alias description",
            VERSIONS="VERSION",
            VLAN="description",
        ),
        text,
    ),
    "number": Category(
        "another number within the range of the model is as good a wish",
        ("typo", "off by one", "neighbour"),
        _places(
            BGP_GLOBALS="local_asn",
            BGP_GLOBALS_AF="max_ebgp_paths",
            BGP_NEIGHBOR="asn holdtime keepalive",
            BGP_NEIGHBOR_AF="max_prefix_limit max_prefix_warning_threshold",
            BGP_PEER_GROUP="holdtime keepalive",
            PORT="index mtu speed",
            PORTCHANNEL="min_links mtu",
            ROUTE_MAP="set_local_pref set_med",
            STATIC_ROUTE="distance",
            VXLAN_TUNNEL_MAP="vni",
        ),
        number,
    ),
    "address": Category(
        "another address of the same form is as good a wish; only the landscape or the server knows",
        ("typo", "off by one", "neighbour"),
        _places(DHCP_RELAY="dhcpv6_servers", MGMT_INTERFACE="gwaddr", STATIC_ROUTE="nexthop", VLAN="dhcp_servers"),
        address,
    ),
    "value of another row": Category(
        "what another row of the table has is valid; which one is meant only the landscape knows",
        ("neighbour",),
        _places(
            PORT="admin_status",
            PREFIX="action",
            ROUTE_MAP="route_operation",
            VLAN_MEMBER="tagging_mode",
        ),
        neighbours,
    ),
    "another reference": Category(
        "a route map or prefix list that is there is valid; which one is meant only the landscape knows",
        ("typo", "off by one", "neighbour"),
        _places(
            BGP_NEIGHBOR_AF="route_map_in route_map_out",
            BGP_PEER_GROUP_AF="route_map_in route_map_out",
            ROUTE_MAP="match_prefix_set match_ipv6_prefix_set",
            ROUTE_REDISTRIBUTE="route_map",
        ),
        reference,
    ),
    "list of one": Category(
        "the models have it as a list, CONFIG_DB as one text, and SONiC reads both",
        ("list",),
        _places(NTP="src_intf"),
        one_text,
    ),
}


def category(direct: Direct, mutant: Mutant, base: Any) -> str:
    """The category that explains why nothing is said of a mutant; empty when none does."""
    place = f"{mutant.table} {mutant.field}".strip()
    for name, found in CATEGORIES.items():
        if mutant.kind in found.kinds and place in found.places and found.holds(direct, mutant, base):
            return name
    return ""
