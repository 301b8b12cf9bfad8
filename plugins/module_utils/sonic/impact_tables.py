# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the users of a switch notice when a row of a table changes, as data.

Sources: orchagent and the managers of swss for ports, VLANs and tunnels; frrcfgd for routing; hostcfgd for services of
the host; the field validators of the generic config updater (sonic-utilities). Where none of them says it, reasoned.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.plan import Impact

#: What is touched, from nothing to everything; the words of options and reports.
KINDS = ("none", "service", "policy", "session", "port", "management", "reload")

_ANY = ("create", "update", "delete")
_CHANGED = ("update", "delete")


@dataclass(frozen=True)
class Rule:
    """What a change of a table means.

    :param actions: of ``create``, ``update``, ``delete``.
    :param fields: only when one of these fields changes; empty for any.
    :param needs: what else has to be done before the change takes effect.
    """

    kind: str
    impact: Impact
    reason: str
    actions: tuple[str, ...] = _ANY
    fields: tuple[str, ...] = ()
    needs: str = ""


def _quiet(reason: str) -> tuple[Rule, ...]:
    return (Rule("none", Impact.NONE, reason),)


def _address(what: str) -> tuple[Rule, ...]:
    return (
        Rule("none", Impact.NONE, f"{what} is added, nothing uses it yet", ("create",)),
        Rule("port", Impact.INTERRUPTED, f"traffic over {what} stops or moves", _CHANGED),
    )


_RELOAD = "config reload: the daemons read it once when they start"
_MANAGEMENT = (Rule("management", Impact.UNREACHABLE, "the management network is set up anew, the login may be lost"),)
_LOGIN = (Rule("management", Impact.UNREACHABLE, "who may log in and how changes; a mistake locks everybody out"),)
_POLICY = (Rule("policy", Impact.DEGRADED, "which routes are taken and announced changes"),)
_SETS = (
    Rule("none", Impact.NONE, "a set of policies is made, nothing refers to it yet", ("create",)),
    Rule("policy", Impact.DEGRADED, "which routes are taken and announced changes", _CHANGED),
)
_QUEUES = (Rule("port", Impact.DEGRADED, "queues and buffers of ports are set up anew"),)
_STARTS_BGP = "restart of the bgp container: frrcfgd logs that local_asn could not be modified, FRR keeps the old one"
_STARTS_SWSS = ("swss", "syncd", "teamd", "bgp")

RULES: dict[str, tuple[Rule, ...]] = {
    "PORT": (
        Rule(
            "none",
            Impact.NONE,
            "names and texts only",
            ("update",),
            ("description", "alias", "index", "dhcp_rate_limit"),
        ),
        Rule("none", Impact.NONE, "a port is added", ("create",)),
        Rule("port", Impact.INTERRUPTED, "the port is removed", ("delete",)),
        Rule("port", Impact.DEGRADED, "large frames are lost while the ends differ", ("update",), ("mtu",)),
        Rule(
            "port",
            Impact.INTERRUPTED,
            "the link goes down",
            ("update",),
            ("admin_status", "speed", "lanes", "fec", "autoneg", "adv_speeds", "interface_type", "adv_interface_types"),
        ),
    ),
    "BREAKOUT_CFG": (
        Rule(
            "port",
            Impact.INTERRUPTED,
            "ports are split or joined",
            needs="the rows of PORT that belong to it; a platform.json for `config interface breakout`",
        ),
    ),
    "PORTCHANNEL": (
        Rule("none", Impact.NONE, "a LAG is added, it has no member yet", ("create",)),
        Rule("port", Impact.INTERRUPTED, "the LAG goes down", _CHANGED),
    ),
    "PORTCHANNEL_MEMBER": (
        Rule("port", Impact.DEGRADED, "the port joins a LAG", ("create",)),
        Rule("port", Impact.DEGRADED, "the LAG loses a port", _CHANGED),
    ),
    "INTERFACE": _address("the router port"),
    "PORTCHANNEL_INTERFACE": _address("the router port"),
    "VLAN_INTERFACE": _address("the gateway of the VLAN"),
    "VLAN_SUB_INTERFACE": _address("the subinterface"),
    "LOOPBACK_INTERFACE": _address("the loopback address"),
    "VLAN": (
        Rule("none", Impact.NONE, "a VLAN is added", ("create",)),
        Rule("service", Impact.DEGRADED, "the DHCP relay restarts", ("update",), ("dhcp_servers", "dhcpv6_servers")),
        Rule("port", Impact.INTERRUPTED, "the VLAN is removed", ("delete",)),
        Rule("none", Impact.NONE, "names and texts only", ("update",), ("description", "alias", "hostname")),
        Rule(
            "port", Impact.INTERRUPTED, "the VLAN is set up anew", ("update",), ("admin_status", "mac", "mtu", "vlanid")
        ),
    ),
    "VLAN_MEMBER": (
        Rule("none", Impact.NONE, "the port joins a VLAN", ("create",)),
        Rule("port", Impact.INTERRUPTED, "frames of the VLAN stop on the port", _CHANGED),
    ),
    "VRF": (
        Rule("none", Impact.NONE, "a VRF is added", ("create",)),
        Rule("session", Impact.INTERRUPTED, "routing in the VRF stops", _CHANGED),
        Rule(
            "session",
            Impact.INTERRUPTED,
            "the L3VNI of the VRF changes",
            ("create", "update"),
            ("vni",),
            needs="`vrf NAME` / `vni N` in FRR by vtysh: frrcfgd sends it to zebra alone, which does not know the command",
        ),
    ),
    "VXLAN_TUNNEL": (
        Rule("none", Impact.NONE, "a VTEP is added", ("create",)),
        Rule("session", Impact.INTERRUPTED, "all overlay traffic of the switch stops", _CHANGED),
    ),
    "VXLAN_EVPN_NVO": (
        Rule("none", Impact.NONE, "EVPN is tied to the VTEP", ("create",)),
        Rule("session", Impact.INTERRUPTED, "all overlay traffic of the switch stops", _CHANGED),
    ),
    "VXLAN_TUNNEL_MAP": (
        Rule("none", Impact.NONE, "a VLAN is stretched", ("create",)),
        Rule("session", Impact.INTERRUPTED, "overlay traffic of the VLAN stops", _CHANGED),
    ),
    "BGP_GLOBALS": (
        Rule("none", Impact.NONE, "a BGP instance is added", ("create",)),
        Rule("session", Impact.INTERRUPTED, "all sessions of the VRF end", ("delete",)),
        Rule("session", Impact.INTERRUPTED, "all sessions of the VRF are set up anew", ("update",), ("router_id",)),
        Rule("session", Impact.INTERRUPTED, "the AS number changes", ("update",), ("local_asn",), needs=_STARTS_BGP),
        Rule("policy", Impact.DEGRADED, "how routes are chosen changes", ("update",)),
    ),
    "BGP_GLOBALS_AF": _POLICY,
    "BGP_GLOBALS_AF_NETWORK": _POLICY,
    "BGP_GLOBALS_AF_AGGREGATE_ADDR": _POLICY,
    "BGP_GLOBALS_LISTEN_PREFIX": (
        Rule("none", Impact.NONE, "more neighbours may call", ("create",)),
        Rule("session", Impact.INTERRUPTED, "sessions of the range end", _CHANGED),
    ),
    "BGP_PEER_GROUP": (
        Rule("none", Impact.NONE, "a peer group is added, it has no member yet", ("create",)),
        Rule("none", Impact.NONE, "names and texts only", ("update",), ("name",)),
        Rule("session", Impact.INTERRUPTED, "the sessions of the group are set up anew", _CHANGED),
    ),
    "BGP_NEIGHBOR": (
        Rule("none", Impact.NONE, "a neighbour is added", ("create",)),
        Rule("session", Impact.INTERRUPTED, "the session ends or is set up anew", _CHANGED),
    ),
    "BGP_PEER_GROUP_AF": _POLICY,
    "BGP_NEIGHBOR_AF": _POLICY,
    "ROUTE_MAP": _POLICY,
    "ROUTE_MAP_SET": _SETS,
    "PREFIX_SET": _SETS,
    "PREFIX": _POLICY,
    "COMMUNITY_SET": _SETS,
    "EXTENDED_COMMUNITY_SET": _SETS,
    "AS_PATH_SET": _SETS,
    "ROUTE_REDISTRIBUTE": _POLICY,
    "STATIC_ROUTE": (
        Rule("policy", Impact.DEGRADED, "a route is added, it may draw traffic", ("create",)),
        Rule("session", Impact.INTERRUPTED, "traffic to the prefix stops or moves", _CHANGED),
    ),
    "MGMT_INTERFACE": _MANAGEMENT,
    "MGMT_PORT": (
        Rule("none", Impact.NONE, "names and texts only", ("update",), ("description", "alias")),
        *_MANAGEMENT,
    ),
    "MGMT_VRF_CONFIG": _MANAGEMENT,
    "AAA": _LOGIN,
    "TACPLUS": _LOGIN,
    "TACPLUS_SERVER": _LOGIN,
    "RADIUS": _LOGIN,
    "RADIUS_SERVER": _LOGIN,
    "LDAP": _LOGIN,
    "LDAP_SERVER": _LOGIN,
    "SSH_SERVER": _LOGIN,
    "PASSW_HARDENING": _quiet("rules for new passwords"),
    "ACL_TABLE": (Rule("port", Impact.DEGRADED, "which packets pass changes"),),
    "ACL_RULE": (Rule("port", Impact.DEGRADED, "which packets pass changes"),),
    "DHCP_RELAY": (Rule("service", Impact.DEGRADED, "the DHCP relay restarts"),),
    "DHCPV4_RELAY": (Rule("service", Impact.DEGRADED, "the DHCP relay restarts"),),
    "NTP": _quiet("the time service restarts"),
    "NTP_SERVER": _quiet("the time service restarts"),
    "NTP_KEY": _quiet("the time service restarts"),
    "SYSLOG_SERVER": _quiet("rsyslog restarts"),
    "SYSLOG_CONFIG": _quiet("rsyslog restarts"),
    "SYSLOG_CONFIG_FEATURE": _quiet("rsyslog restarts"),
    "DNS_NAMESERVER": _quiet("resolv.conf is written"),
    "SNMP": _quiet("the snmp container restarts"),
    "SNMP_COMMUNITY": _quiet("the snmp container restarts"),
    "SNMP_USER": _quiet("the snmp container restarts"),
    "SNMP_AGENT_ADDRESS_CONFIG": _quiet("the snmp container restarts"),
    "BANNER_MESSAGE": _quiet("texts only"),
    "LLDP": _quiet("the neighbours see other texts"),
    "LLDP_PORT": _quiet("the neighbours see other texts"),
    "CRM": _quiet("thresholds of warnings"),
    "KDUMP": _quiet("takes effect after the next start"),
    "LOGGER": _quiet("how much is logged"),
    "AUTO_TECHSUPPORT": _quiet("when diagnoses are collected"),
    "AUTO_TECHSUPPORT_FEATURE": _quiet("when diagnoses are collected"),
    "FLEX_COUNTER_TABLE": _quiet("which counters are polled"),
    "VERSIONS": _quiet("written by the switch itself"),
    "BGP_DEVICE_GLOBAL": (Rule("session", Impact.INTERRUPTED, "the switch may drain its traffic"),),
    "FEATURE": (
        Rule("service", Impact.DEGRADED, "a container starts or stops", _ANY, ("state",)),
        Rule("none", Impact.NONE, "how a container is watched", _ANY),
    ),
    "DEVICE_METADATA": (
        Rule(
            "none",
            Impact.NONE,
            "names and texts only",
            _ANY,
            ("hostname", "timezone", "cloudtype", "region", "rack_mgmt_map"),
        ),
        Rule("reload", Impact.UNREACHABLE, "the switch becomes another one", _ANY, needs=_RELOAD),
    ),
    "MCLAG_DOMAIN": (Rule("port", Impact.INTERRUPTED, "the pair of switches forms anew"),),
    "MCLAG_INTERFACE": (Rule("port", Impact.INTERRUPTED, "the LAG over both switches forms anew"),),
    "SAG": (Rule("port", Impact.INTERRUPTED, "the shared gateway changes"),),
    "SAG_GLOBAL": (Rule("port", Impact.INTERRUPTED, "the shared gateway changes"),),
    **dict.fromkeys(
        ("BUFFER_POOL", "BUFFER_PROFILE", "BUFFER_PG", "BUFFER_QUEUE", "PFC_WD", "QUEUE", "SCHEDULER", "PORT_QOS_MAP"),
        _QUEUES,
    ),
}

#: Containers whose stop ends traffic or sessions.
TRAFFIC_FEATURES = frozenset(_STARTS_SWSS)

#: A table that stands in no rule: one that no model has, and one of SONiC's models.
UNKNOWN = Rule("service", Impact.DEGRADED, "nothing is known about the table")
UNJUDGED = Rule("service", Impact.DEGRADED, "the models have it, but what a change of it does is not known here")

#: Tables that the daemon for routing reads only when CONFIG_DB is its source.
ROUTING = frozenset(
    (
        *("BGP_GLOBALS", "BGP_GLOBALS_AF", "BGP_GLOBALS_AF_NETWORK", "BGP_GLOBALS_AF_AGGREGATE_ADDR"),
        *("BGP_GLOBALS_LISTEN_PREFIX", "BGP_PEER_GROUP", "BGP_PEER_GROUP_AF", "BGP_NEIGHBOR", "BGP_NEIGHBOR_AF"),
        *("ROUTE_MAP", "ROUTE_MAP_SET", "PREFIX", "PREFIX_SET", "COMMUNITY_SET", "EXTENDED_COMMUNITY_SET"),
        *("AS_PATH_SET", "ROUTE_REDISTRIBUTE"),
    )
)

#: Tables that the updater changes on hardware of its own list only; no Accton switch is in it.
QUEUES_BY_HARDWARE = frozenset(("PFC_WD", "BUFFER_POOL", "BUFFER_PROFILE", "BUFFER_PG"))

#: Fields that daemons read and models lack, with the release whose models have them first; empty: none has.
#: Source: golden verdicts of the models of 202411 and 202605; sonic-buildimage#28089.
UNMODELLED = {
    "BGP_GLOBALS_AF": {
        "advertise-all-vni": "202505",
        "advertise-svi-ip": "202505",
        "autort": "202511",
        "advertise-ipv4-unicast": "",
        "advertise-ipv6-unicast": "",
        "advertise-default-gw": "",
        "route-distinguisher": "",
        "import-rts": "",
        "export-rts": "",
    },
}
