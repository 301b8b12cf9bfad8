# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the order of row writes hangs on besides the references of the models, as data.

A pattern in braces is filled from the parts of a row's key and its fields; a list field gives one text per item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Tables in the order in which rows are made when nothing else decides; rows are removed the other way round.
#: The routing tables stand in the order in which frrcfgd gets them all into FRR: written in alphabetical order,
#: unnumbered neighbours end outside their peer group and prefix lists are missing (sonic-buildimage#29397).
RANKS = {
    name: rank
    for rank, name in enumerate(
        (
            *("VERSIONS", "DEVICE_METADATA", "FEATURE", "SYSTEM_DEFAULTS"),
            *("MGMT_VRF_CONFIG", "MGMT_PORT", "MGMT_INTERFACE"),
            *("BREAKOUT_CFG", "PORT", "PORTCHANNEL", "PORTCHANNEL_MEMBER"),
            *("VRF", "VLAN", "VLAN_MEMBER", "LOOPBACK_INTERFACE"),
            *("INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "VLAN_SUB_INTERFACE", "SAG_GLOBAL", "SAG"),
            *("VXLAN_TUNNEL", "VXLAN_EVPN_NVO", "VXLAN_TUNNEL_MAP"),
            *("PREFIX_SET", "PREFIX", "COMMUNITY_SET", "EXTENDED_COMMUNITY_SET", "AS_PATH_SET"),
            *("ROUTE_MAP_SET", "ROUTE_MAP"),
            *("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_GLOBALS_AF_NETWORK", "BGP_GLOBALS_AF_AGGREGATE_ADDR"),
            *("BGP_PEER_GROUP", "BGP_PEER_GROUP_AF", "BGP_GLOBALS_LISTEN_PREFIX"),
            *("BGP_NEIGHBOR", "BGP_NEIGHBOR_AF", "ROUTE_REDISTRIBUTE", "STATIC_ROUTE"),
        )
    )
}

#: Tables whose new rows are written before old ones are removed: services and policies that somebody is using.
MAKE_BEFORE_BREAK = frozenset(
    (
        *("NTP_SERVER", "SYSLOG_SERVER", "DNS_NAMESERVER", "TACPLUS_SERVER", "RADIUS_SERVER", "LDAP_SERVER"),
        *("SNMP_COMMUNITY", "SNMP_USER", "SNMP_AGENT_ADDRESS_CONFIG"),
        *("PREFIX_SET", "PREFIX", "COMMUNITY_SET", "EXTENDED_COMMUNITY_SET", "AS_PATH_SET"),
        *("ROUTE_MAP_SET", "ROUTE_MAP", "ROUTE_REDISTRIBUTE", "BGP_GLOBALS_AF_NETWORK"),
        *("BGP_PEER_GROUP", "BGP_PEER_GROUP_AF", "BGP_NEIGHBOR", "BGP_NEIGHBOR_AF"),
    )
)

#: How many rows the models allow in a table (``max-elements``).
CAPACITY = {"DNS_NAMESERVER": 3, "NTP_SERVER": 10, "SFLOW_COLLECTOR": 2}


@dataclass(frozen=True)
class Claim:
    """Something that rows cannot have at the same time, except in the same mode.

    :param resource: what is claimed.
    :param mode: two rows with the same mode go together; empty: only one row has it.
    :param where: field and value that a row needs to claim it.
    """

    resource: str
    mode: str = ""
    where: tuple[str, str] | None = None


@dataclass(frozen=True)
class Condition:
    """A value that a row may have only while another row says something.

    :param source: field or key part, and ``word`` what it has to contain for the condition to count.
    :param table: with ``key`` the other row; its ``field`` is ``value``, or anything when that is empty.
    """

    source: str
    word: str
    table: str
    key: str
    field: str
    value: str = ""

    @property
    def asks(self) -> tuple[str, str, str, str]:
        """What the other row has to say."""
        return (self.table, self.key, self.field, self.value)

    def __str__(self) -> str:
        return f"{self.table}|{self.key} {self.field}" + (f" = {self.value}" if self.value else "")


# The models spell the same part of a key in two ways.
_ADDRESS, _ADDRESS_TOO = Claim("address {ip-prefix}"), Claim("address {ip_prefix}")

#: By table. Sources: ``must`` and ``unique`` of the models; orchagent for lanes, VNIs and addresses; FRR for prefix lists.
CLAIMS: dict[str, tuple[Claim, ...]] = {
    "PORT": (Claim("lane {lanes}"), Claim("alias {alias}")),
    "INTERFACE": (Claim("port {name}", "routed"), _ADDRESS),
    "PORTCHANNEL_INTERFACE": (Claim("port {name}", "routed"), _ADDRESS_TOO),
    "VLAN_INTERFACE": (_ADDRESS,),
    "LOOPBACK_INTERFACE": (_ADDRESS,),
    "VLAN_SUB_INTERFACE": (_ADDRESS,),
    "PORTCHANNEL_MEMBER": (Claim("port {port}"),),
    "VLAN_MEMBER": (
        Claim("port {port}", "bridged"),
        Claim("untagged {port}", where=("tagging_mode", "untagged")),
    ),
    "MIRROR_SESSION": (Claim("port {dst_port}", "mirror"),),
    "VXLAN_TUNNEL": (Claim("tunnel"),),
    "VXLAN_EVPN_NVO": (Claim("nvo"),),
    "VXLAN_TUNNEL_MAP": (Claim("vni {vni}"), Claim("vxlan {vlan}")),
    "VRF": (Claim("l3vni {vni}"),),
    "PREFIX": (Claim("sequence {name} {sequence_number}"), Claim("entry {name} {ip_prefix} {masklength_range}")),
    "MCLAG_DOMAIN": (Claim("mclag"),),
}

#: Rows that have to be there first although no model says so, as ``TABLE|key``.
#: frrcfgd and bgpcfgd take an unnumbered neighbour only when its interface speaks IPv6 link-local; frrcfgd binds a route
#: map or prefix list when its set exists.
NEEDED = {
    "BGP_NEIGHBOR": ("INTERFACE|{neighbor}", "PORTCHANNEL_INTERFACE|{neighbor}", "VLAN_INTERFACE|{neighbor}"),
    "ROUTE_MAP": ("ROUTE_MAP_SET|{name}",),
    "ROUTE_REDISTRIBUTE": ("BGP_GLOBALS|{vrf_name}",),
    "MGMT_INTERFACE": ("MGMT_VRF_CONFIG|vrf_global",),
}

_MANAGEMENT = ("mgmt", "MGMT_VRF_CONFIG", "vrf_global", "mgmtVrfEnabled", "true")

#: By table. Sources: ``must`` of the models of NTP, SYSLOG_SERVER, SFLOW_COLLECTOR and AAA; of hostcfgd for
#: other servers in the management instance: without it nobody reaches them.
CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "AAA": (Condition("login", "tacacs+", "TACPLUS", "global", "passkey"),),
    "NTP": (Condition("vrf", *_MANAGEMENT),),
    "SYSLOG_SERVER": (Condition("vrf", *_MANAGEMENT),),
    "SFLOW_COLLECTOR": (Condition("collector_vrf", *_MANAGEMENT),),
    "TACPLUS_SERVER": (Condition("vrf", *_MANAGEMENT),),
    "RADIUS_SERVER": (Condition("vrf", *_MANAGEMENT),),
}

#: Of these rows that have to be there in the end as well, by key part; of several one is enough.
MUST = {
    "BGP_NEIGHBOR": ("neighbor", NEEDED["BGP_NEIGHBOR"]),
    "ROUTE_MAP": ("name", NEEDED["ROUTE_MAP"]),
    "ROUTE_REDISTRIBUTE": ("vrf_name", NEEDED["ROUTE_REDISTRIBUTE"]),
}

#: What names of rows look like where a reference may as well be something else (an address, ``default``).
NAMES = {
    "PORT": re.compile(r"Ethernet[0-9]+"),
    "PORTCHANNEL": re.compile(r"PortChannel[0-9]+"),
    "VRF": re.compile(r"Vrf.+"),
    "BGP_GLOBALS": re.compile(r"Vrf.+"),
    "LOOPBACK_INTERFACE": re.compile(r"Loopback[0-9]+"),
    "MGMT_PORT": re.compile(r"eth[0-9]+"),
}
#: A neighbour that is an interface, not an address.
UNNUMBERED = re.compile(r"(?:Ethernet|PortChannel|Vlan)[0-9]+")

#: Fields that daemons of swss read when the row is made, beyond those of the updater's rules (:mod:`tables`).
#: intfmgrd leaves an interface in its VRF while it has addresses; teammgrd starts teamd with the fields of the LAG;
#: vlanmgrd takes a member that is there as done (``already set``);
#: FRR does not move a neighbour from one group to another (BGP_ERR_PEER_GROUP_CANT_CHANGE);
#: the command line knows no other way to change a tunnel or a map than to remove it and make it again.
MADE_AGAIN_FOR = {
    "INTERFACE": frozenset(("vrf_name",)),
    "VLAN_INTERFACE": frozenset(("vrf_name",)),
    "PORTCHANNEL_INTERFACE": frozenset(("vrf_name",)),
    "VLAN_SUB_INTERFACE": frozenset(("vrf_name", "vlan")),
    "PORTCHANNEL": frozenset(("min_links", "fallback", "fast_rate", "lacp_key")),
    "VLAN_MEMBER": frozenset(("tagging_mode",)),
    "VXLAN_TUNNEL": frozenset(("src_ip",)),
    "BGP_NEIGHBOR": frozenset(("peer_group_name",)),
    "VXLAN_TUNNEL_MAP": frozenset(("vlan", "vni")),
}

#: Fields of a port that its transceiver or the switch chip is set up by: the port is shut before they change.
SHUT_FOR = frozenset(
    ("speed", "lanes", "fec", "autoneg", "adv_speeds", "interface_type", "adv_interface_types", "index")
)
