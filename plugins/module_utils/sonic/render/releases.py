# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a release cannot do: said with its name, before anything reaches a switch.

Since when a model has a table or field: YANG models of the release branches of sonic-buildimage, 202311 to 202605.
"""

from __future__ import annotations

from ..model import RELEASE_NAMES
from .model import Switch

#: Field by table: the first release whose models have it; empty when none has.
FIELDS: dict[tuple[str, str], str] = {
    ("BGP_GLOBALS_AF", "advertise-all-vni"): "202505",
    ("BGP_GLOBALS_AF", "advertise-svi-ip"): "202505",
    ("BGP_GLOBALS_AF", "autort"): "202511",
    ("BGP_GLOBALS_AF", "advertise-ipv4-unicast"): "",
    ("BGP_GLOBALS_AF", "advertise-ipv6-unicast"): "",
    ("BGP_GLOBALS_AF", "route-distinguisher"): "",
    ("BGP_GLOBALS_AF", "import-rts"): "",
    ("BGP_GLOBALS_AF", "export-rts"): "",
}
#: Tables: the same.
TABLES: dict[str, str] = {
    "BANNER_MESSAGE": "202405",
    "DHCPV4_RELAY": "202511",
    "STP": "202511",
    "SAG": "",
    "EVPN_ETHERNET_SEGMENT": "",
    "EVPN_MH_GLOBAL": "",
    "BGP_GLOBALS_EVPN_VNI": "",
    "BGP_GLOBALS_EVPN_RT": "",
    "BGP_GLOBALS_EVPN_VNI_RT": "",
    "BGP_GLOBALS_ROUTE_ADVERTISE": "",
    "BFD_PEER": "",
    "SUPPRESS_VLAN_NEIGH": "",
}
_BLOCKS = "the switch's config updater then refuses every change, also an unrelated one"


def refuse(switch: Switch) -> None:
    """Notes every table and field of the configuration that the release's models do not have.

    An error, or a warning when the options ask for such fields.
    """
    config, release = switch.rows.config, switch.options.release
    severity = "warning" if switch.options.unmodelled else "error"
    for table in sorted(config):
        if table in TABLES and not _has(release, TABLES[table]):
            message = f"{release} has no model of this table ({_since(TABLES[table])}); {_BLOCKS}"
            switch.issue("SR020", severity, (table, "", ""), message)
        for key, row in sorted(config[table].items()):
            for field in sorted(row):
                since = FIELDS.get((table, field))
                if since is not None and not _has(release, since):
                    message = f"{release} has no model of this field ({_since(since)}); {_BLOCKS}"
                    hint = "unmodelled: true renders it all the same, for rows that are written without the updater"
                    switch.issue("SR021", severity, (table, key, field), message, hint)
    for name, row in sorted(config.get("VRF", {}).items()):
        if row.get("vni", "0") != "0":
            message = (
                f"{release} does not bring the VNI of a routing instance into FRR: no L3VNI comes up from CONFIG_DB"
            )
            hint = "give the routing instance no vni: it is then local to the switch"
            switch.issue("SR022", severity, ("VRF", name, "vni"), message, hint)


def _has(release: str, since: str) -> bool:
    return bool(since) and RELEASE_NAMES.index(release) >= RELEASE_NAMES.index(since)


def _since(since: str) -> str:
    return f"there is one since {since}" if since else f"nor has any release up to {RELEASE_NAMES[-1]}"
