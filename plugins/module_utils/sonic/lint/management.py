# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Management, services and secrets."""

from __future__ import annotations

from collections.abc import Iterator

from .. import masking
from ..model import SEPARATOR
from .index import DEFAULT_VRF, Switch, address_of
from .registry import Found, rule

#: What vendors ship and manuals show.
_DEFAULTS = frozenset(
    ("public", "private", "admin", "password", "secret", "testing123", "YourPaSsWoRd", "changeme", "cisco", "sonic")
)


@rule(
    "SL601",
    "error",
    "A secret that everybody knows",
    why="Whoever reaches the management network reads, or with a write community changes, the switch.",
    source="Defaults of images, examples of manuals",
    hint="set one of your own",
)
def defaults(switch: Switch) -> Iterator[Found]:
    for name in switch.config:
        for key, row in switch.rows(name).items():
            if masking.has_secret_key(name) and key.split(SEPARATOR)[0] in _DEFAULTS:
                yield name, key, "", "the name is a default of vendors or manuals"
            for field, value in row.items():
                if masking.is_secret(name, field) and isinstance(value, str) and value in _DEFAULTS:
                    yield name, key, field, f"{field} is a default of vendors or manuals"


@rule(
    "SL602",
    "warning",
    "The switch has no name of its own",
    why="LLDP neighbours, logs and backups of several switches cannot be told apart.",
    source="Two switches of the SCS lab are still called sonic",
    hint="set hostname in DEVICE_METADATA",
)
def hostname(switch: Switch) -> Iterator[Found]:
    if switch.rows("DEVICE_METADATA") and switch.hostname in ("", "sonic"):
        shown = f"is called {switch.hostname}" if switch.hostname else "has no name"
        yield "DEVICE_METADATA", "localhost", "hostname", f"the switch {shown}"


@rule(
    "SL603",
    "error",
    "A service uses the management VRF, which is off",
    why="Its packets have no routing table: no time, no logs, no logins by directory.",
    source="MGMT_VRF_CONFIG; the models check some services only",
    hint="switch the management VRF on, or leave the service's vrf out",
)
def management_vrf(switch: Switch) -> Iterator[Found]:
    if switch.text("MGMT_VRF_CONFIG", "vrf_global", "mgmtVrfEnabled") == "true":
        return
    for table in ("NTP", "SYSLOG_SERVER", "TACPLUS_SERVER", "RADIUS_SERVER", "SNMP_AGENT_ADDRESS_CONFIG"):
        for key in switch.rows(table):
            if switch.text(table, key, "vrf") == "mgmt":
                yield table, key, "vrf", "mgmtVrfEnabled is not true"


@rule(
    "SL604",
    "warning",
    "A service's source has no address",
    why="The daemon starts without a source or not at all; servers that check it drop the packets.",
    source="ntp.conf.j2, rsyslog.conf.j2 and common-auth-sonic.j2 of sonic-buildimage",
    hint="give the interface an address, or choose another source",
)
def sources(switch: Switch) -> Iterator[Found]:
    addresses = {str(placed.address.ip) for placed in switch.addresses}
    with_address = {placed.interface for placed in switch.addresses}
    for (port, text), _key, _row in switch.split("MGMT_INTERFACE", 2):
        with_address.add(port)
        addresses.add(text.split("/")[0])
    by_dhcp = {"eth0"} if not switch.rows("MGMT_INTERFACE") else set()
    for table, field in (("NTP", "src_intf"), ("TACPLUS", "src_intf"), ("RADIUS_SERVER", "src_intf")):
        for key in switch.rows(table):
            for name in switch.items(table, key, field):
                if name not in with_address | by_dhcp:
                    yield table, key, field, f"{name} has no address"
    for key in switch.rows("SYSLOG_SERVER"):
        source = switch.text("SYSLOG_SERVER", key, "source")
        if source and address_of(source) is not None and source not in addresses:
            yield "SYSLOG_SERVER", key, "source", f"{source} is no address of this switch"


@rule(
    "SL605",
    "warning",
    "A DHCP relay on a VLAN without an address",
    why="The relay puts the VLAN's address into the request; without one the server cannot answer.",
    source="RFC 2131, section 4.3.1 (giaddr); dhcrelay",
    hint="give the VLAN an address, or leave the servers out",
)
def relays(switch: Switch) -> Iterator[Found]:
    with_address = {(placed.interface, placed.address.version) for placed in switch.addresses}
    relays = [("VLAN", "dhcp_servers", 4), ("VLAN", "dhcpv6_servers", 6), ("DHCP_RELAY", "dhcpv6_servers", 6)]
    for table, field, version in (*relays, ("DHCPV4_RELAY", "dhcpv4_servers", 4)):
        for key in switch.rows(table):
            if switch.items(table, key, field) and (key, version) not in with_address:
                yield table, key, field, f"{key} has no IPv{version} address"


@rule(
    "SL606",
    "error",
    "One address for the switch and for a server",
    why="The switch asks itself for the time, or logs to itself.",
    source="The configuration itself",
    hint="correct the address of the server",
)
def own_server(switch: Switch) -> Iterator[Found]:
    own = {placed.address.ip for placed in switch.addresses if placed.vrf == DEFAULT_VRF}
    own |= {a for (_p, text), _k, _r in switch.split("MGMT_INTERFACE", 2) if (a := address_of(text.split("/")[0]))}
    for table in ("NTP_SERVER", "SYSLOG_SERVER", "TACPLUS_SERVER", "RADIUS_SERVER", "DNS_NAMESERVER"):
        for key in switch.rows(table):
            if address_of(key) in own:
                yield table, key, "", f"{key} is this switch"
