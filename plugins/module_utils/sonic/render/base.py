# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What every switch has: its identity, its management port, the services it uses."""

from __future__ import annotations

import ipaddress

from ...landscape.model import Services
from .model import Switch

_TYPES = {"leaf": "LeafRouter", "border": "LeafRouter", "spine": "SpineRouter", "management": "ToRRouter"}
#: Name of the routing instance of the management port; SONiC knows no other.
MGMT_VRF = "mgmt"


def identity(switch: Switch) -> None:
    """DEVICE_METADATA and the database version.

    The MAC address is the switch's own business: at first start it reads it from its EEPROM.
    """
    device = switch.device
    hwsku = device.model.sonic_hwsku if device.model else ""
    switch.rows.put(
        "DEVICE_METADATA",
        "localhost",
        hostname=device.name,
        hwsku=hwsku,
        platform=f"x86_64-{hwsku.lower().replace('-', '_')}-r0",
        type=_TYPES[switch.kind],
        buffer_model="traditional",
        default_bgp_status="up",
        default_pfcwd_status="disable",
        docker_routing_config_mode="unified",
        frr_mgmt_framework_config=True,
        timezone=(switch.view.landscape.services or Services()).timezone or None,
    )
    switch.rows.put("VERSIONS", "DATABASE", VERSION=f"version_{switch.options.release}_01")
    switch.rows.put("LLDP", "GLOBAL", enabled=True, system_name=device.name)


def management(switch: Switch) -> None:
    """The management port, in a routing instance of its own when its network says ``vrf: mgmt``."""
    device, network = switch.device, switch.device.oob_network
    port = device.oob_port or "eth0"
    switch.rows.put("MGMT_PORT", port, alias=port, admin_status="up")
    if network is None or not device.oob_v4 or not network.v4:
        switch.issue("SR002", "warning", ("MGMT_INTERFACE", "", ""), "no management address follows from the landscape")
        return
    length = ipaddress.IPv4Network(network.v4).prefixlen
    switch.rows.put("MGMT_INTERFACE", f"{port}|{device.oob_v4}/{length}", gwaddr=network.router_v4 or None)
    if network.vrf == MGMT_VRF:
        switch.rows.put("MGMT_VRF_CONFIG", "vrf_global", mgmtVrfEnabled=True)


def services(switch: Switch) -> None:
    """Time, names, logs, logins, SNMP: over the management port."""
    told = switch.view.landscape.services or Services()
    rows, network = switch.rows, switch.device.oob_network
    vrf = MGMT_VRF if network and network.vrf == MGMT_VRF else "default"
    if told.ntp_servers:
        fixed = {"authentication": "disabled", "dhcp": "disabled", "server_role": "disabled"}
        rows.put("NTP", "global", fixed, admin_state="enabled", src_intf=switch.device.oob_port or "eth0", vrf=vrf)
    for server in told.ntp_servers:
        rows.put("NTP_SERVER", server)
    for server in told.dns_servers:
        rows.put("DNS_NAMESERVER", server)
    for server in told.syslog_servers:
        rows.put("SYSLOG_SERVER", server, vrf=vrf if vrf == MGMT_VRF else None)
    if told.snmp_location:
        rows.put("SNMP", "LOCATION", Location=told.snmp_location)
    if told.snmp_contact:
        rows.put("SNMP", "CONTACT", Contact=told.snmp_contact)
    for community in switch.options.secrets.get("snmp_communities") or ():
        rows.put("SNMP_COMMUNITY", community, TYPE="RO")
    _logins(switch, told, vrf)


def _logins(switch: Switch, told: Services, vrf: str) -> None:
    passkey = switch.options.secrets.get("tacacs_passkey")
    if told.tacacs_servers and not passkey:
        message = "TACACS+ servers without a key: logins stay local"
        hint = "give secrets.tacacs_passkey; the models refuse TACACS+ logins without one"
        switch.issue("SR003", "warning", ("AAA", "authentication", "login"), message, hint)
        return
    for priority, server in enumerate(reversed(told.tacacs_servers), 1):
        switch.rows.put("TACPLUS_SERVER", server, priority=priority, vrf=vrf if vrf == MGMT_VRF else None)
    if told.tacacs_servers:
        switch.rows.put("TACPLUS", "global", passkey=passkey)
        switch.rows.put("AAA", "authentication", login="tacacs+,local", failthrough=True)
