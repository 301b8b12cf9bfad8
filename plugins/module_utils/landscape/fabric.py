# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What follows from a landscape for its fabric: what each switch does in it, and which environments hear of each other."""

from __future__ import annotations

from .derive import Link, ResolvedDevice, View
from .model import Environment, Network

#: Uses of ports that a device is managed through.
_MANAGED = ("bmc", "management")
KINDS = ("spine", "leaf", "border", "management")
#: How much of an environment's routes another one hears of.
ALL, SOME, NONE = "all", "some", "none"


def kind_of(view: View, device: ResolvedDevice) -> str:
    """What a switch does in the fabric (one of :data:`KINDS`): what its role says, else what follows from the landscape."""
    role = device.role
    if role and role.fabric:
        return role.fabric
    if device.asn is None:
        return "management"
    landscape = view.landscape
    in_set = any(
        group.kind == "spine-set" and device.name in group.members for group in landscape.redundancy_groups.values()
    )
    # management switches may hang on leaves as hosts do; a spine has nothing above it
    above = (
        role is not None
        and not role.uplinks_to
        and any(role.name in other.uplinks_to and other.kind == "switch" for other in landscape.roles.values())
    )
    return "spine" if in_set or above else "leaf"


def carried(view: View, link: Link) -> tuple[tuple[str, ...], str]:
    """Names of the networks on a link seen from a switch: with tags, and the one without (may be empty).

    Those of the cable, else of the role behind it, else what the far port is managed through.
    """
    far = view.devices.get(link.peer)
    names, bare = tuple(link.cable.networks), link.cable.untagged
    if not names and not bare and far is not None and link.peer_port in far.ports:
        if far.ports[link.peer_port].use in _MANAGED:
            bare = far.oob_network.name if far.oob_network else ""
        elif far.role and far.device.section == "hosts":
            names, bare = tuple(far.role.networks), far.role.untagged
    return names, bare


def networks_on(view: View, device: ResolvedDevice) -> list[Network]:
    """Networks with a VLAN id that a switch routes or has on its ports in use, in the order of the landscape."""
    names = {
        name
        for link in device.links
        if link.active and not (link.port in device.ports and device.ports[link.port].use in _MANAGED)
        for tagged, bare in (carried(view, link),)
        for name in (*tagged, bare)
    }
    networks = view.landscape.networks.values()
    return [item for item in networks if item.vlan and (device.name in item.routers or item.name in names)]


def hears(listener: Environment, other: Environment) -> str:
    """Which routes of ``other`` the devices of ``listener`` are given: :data:`ALL`, :data:`SOME` or :data:`NONE`.

    Routing instances that are not the same part what route maps alone would not.
    """
    named = [reach for reach in listener.reaches if reach.environment == other.name]
    if listener.name == other.name or any(not reach.networks for reach in named):
        return ALL
    if not (listener.separated or other.separated or listener.vrf != other.vrf):
        return ALL
    return SOME if named else NONE
