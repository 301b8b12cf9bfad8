# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Landscape -> CONFIG_DB of its switches (community SONiC, unified mode, frr-mgmt-framework)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ...core.errors import InputError
from ...landscape.derive import View
from ...landscape.names import natural
from ..model import ConfigDb
from . import base, border, instances, port_rows, releases, routing, separation, vlan_rows
from .additions import additions
from .model import Options, Rendered, Switch
from .owned import owned


def render(view: View, name: str, options: Options) -> Rendered:
    """The configuration of one switch.

    :raises InputError: there is no such switch, or no such release.
    """
    port_rows.known_release(options.release)
    if name not in view.landscape.switches:
        raise InputError(f"The landscape has no switch {name!r}", hint=_known(view, name))
    switch = Switch(view, view.devices[name], options)
    base.identity(switch)
    base.management(switch)
    base.services(switch)
    port_rows.ports(switch)
    port_rows.several_switches(switch)
    attached = port_rows.attachments(switch)
    vlan_rows.vlans(switch, attached)
    if switch.device.asn is None:
        routing.loopbacks(switch)
    routing.routing(switch, attached, vtep=False)
    border.peerings(switch)
    instances.rows(switch)
    if vlan_rows.vxlan(switch):
        _overlay(switch)
    instances.shared(switch)
    additions(switch)
    instances.cut_apart(switch)
    releases.refuse(switch)
    issues = tuple(sorted(set(switch.issues), key=lambda issue: issue.sort_key))
    return Rendered(name, _sorted(switch.rows.config), issues, owned(switch))


def _known(view: View, name: str) -> str:
    known = sorted(view.landscape.switches, key=natural)
    close = difflib.get_close_matches(name, known, 3)
    shown = close or [*known[:5], *(["..."] if len(known) > 5 else [])]
    return f"{'Did you mean' if close else 'There are'} {', '.join(shown)}" if shown else "It has none at all"


def render_all(view: View, options: Options, names: Iterable[str] = ()) -> list[Rendered]:
    """The configurations of several switches, by name; of all that are in use and have a HWSKU when none is named."""
    wanted = list(names) or rendered_by_default(view)
    return [render(view, name, options) for name in sorted(wanted, key=natural)]


def rendered_by_default(view: View) -> list[str]:
    """The switches that are rendered when none is named: those in use with a HWSKU."""
    return [
        name
        for name, device in view.landscape.switches.items()
        if device.state == "active" and (model := view.landscape.device_models.get(device.model)) and model.sonic_hwsku
    ]


def _overlay(switch: Switch) -> None:
    """EVPN of a switch with a VTEP; of routing instances with a VNI also their routes (type 5)."""
    if switch.device.asn is None:
        return
    switch.rows.put("BGP_GLOBALS_AF", "default|l2vpn_evpn", {"advertise-all-vni": True})
    for vrf, row in switch.rows.config.get("VRF", {}).items():
        if row.get("vni", "0") != "0":
            target = f"{int(str(row['vni'])) % 65536}:{row['vni']}"
            routing.instance(switch, vrf)
            switch.rows.put(
                "BGP_GLOBALS_AF",
                f"{vrf}|l2vpn_evpn",
                {
                    "advertise-ipv4-unicast": True,
                    "advertise-ipv6-unicast": True,
                    "route-distinguisher": f"{switch.device.loopback_v4}:{row['vni']}",
                    "import-rts": [target],
                    "export-rts": [target],
                },
            )


def _sorted(config: ConfigDb) -> ConfigDb:
    """Tables, rows and fields in the order of their names (ports by number), so that equal configurations are equal files."""
    return {
        table: {key: dict(sorted(config[table][key].items())) for key in sorted(config[table], key=natural)}
        for table in sorted(config)
        if config[table]
    }


__all__ = ["Options", "Rendered", "render", "render_all", "separation"]
