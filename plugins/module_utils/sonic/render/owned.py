# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which tables a rendering speaks for: those that are meant to be empty when the landscape gives no row for them."""

from __future__ import annotations

from .additions import sources
from .model import Switch

#: What the fabric is made of: a landscape says all of it.
FABRIC = frozenset(
    (
        *("PORT", "PORTCHANNEL", "PORTCHANNEL_MEMBER", "VLAN", "VLAN_MEMBER", "VLAN_INTERFACE", "DHCP_RELAY"),
        *("INTERFACE", "PORTCHANNEL_INTERFACE", "LOOPBACK_INTERFACE", "VRF"),
        *("VXLAN_TUNNEL", "VXLAN_EVPN_NVO", "VXLAN_TUNNEL_MAP"),
        *("PREFIX_SET", "PREFIX", "ROUTE_MAP_SET", "ROUTE_MAP", "ROUTE_REDISTRIBUTE"),
        *("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_GLOBALS_AF_NETWORK", "BGP_GLOBALS_AF_AGGREGATE_ADDR"),
        *("BGP_PEER_GROUP", "BGP_PEER_GROUP_AF", "BGP_NEIGHBOR", "BGP_NEIGHBOR_AF"),
    )
)
#: Services, once the landscape has any.
SERVICES = frozenset(("NTP", "NTP_SERVER", "DNS_NAMESERVER", "SYSLOG_SERVER", "SNMP"))
#: How the switch is reached and who may log in: replaced where the landscape says it, never taken away unsaid.
ACCESS = frozenset(
    (
        *("DEVICE_METADATA", "VERSIONS", "LLDP", "MGMT_PORT", "MGMT_INTERFACE", "MGMT_VRF_CONFIG"),
        *("AAA", "TACPLUS", "TACPLUS_SERVER", "SNMP_COMMUNITY"),
    )
)


def owned(switch: Switch) -> frozenset[str]:
    """The tables a rendered configuration speaks for, also where it has no row in them."""
    found = set(FABRIC)
    if switch.view.landscape.services is not None:
        found |= SERVICES
    if "MGMT_INTERFACE" in switch.rows.config:
        found.add("MGMT_VRF_CONFIG")
    for _origin, tables in sources(switch):
        found.update(name for name, rows in tables.items() if rows is None)
    return frozenset(found)
