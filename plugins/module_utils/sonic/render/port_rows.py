# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ports: speed, MTU, description, state; link aggregations; what each port is for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from ...core.errors import InputError
from ...landscape import fabric
from ...landscape.derive import Link, ResolvedDevice
from .. import ports as port_files
from ..model import RELEASE_NAMES
from .model import Switch

_LAG = re.compile("PortChannel[0-9]{1,4}")
#: Numbers for aggregations that have none: the first, and how many; 9999 is the last that SONiC takes.
_FIRST_MADE, _MADE = 1001, 8999
#: Longest description of a port; the model says 255.
_DESCRIPTION = 255


@dataclass(frozen=True)
class Attachment:
    """A port, or a link aggregation, and the device behind it.

    :param name: of the port or port channel.
    :param untagged: VLAN id; 0 for none.
    :param routed: BGP is spoken over it.
    """

    name: str
    link: Link
    far: ResolvedDevice | None
    tagged: tuple[int, ...] = ()
    untagged: int = 0
    routed: bool = False

    @property
    def is_lag(self) -> bool:
        """Whether it is a port channel."""
        return self.name.startswith("PortChannel")

    @property
    def interface_table(self) -> str:
        """Table of its layer-3 rows."""
        return "PORTCHANNEL_INTERFACE" if self.is_lag else "INTERFACE"


def ports(switch: Switch) -> None:
    """PORT, PORTCHANNEL and PORTCHANNEL_MEMBER."""
    known = switch.port_map
    if known is None:
        hwsku = switch.device.model.sonic_hwsku if switch.device.model else ""
        message = f"no port map of {hwsku or 'a model without sonic_hwsku'} is known"
        switch.issue(
            "SR001", "error", ("PORT", "", ""), message, "name the HWSKU as SONiC does in sonic_hwsku of the model"
        )
        return
    for name, port in known.ports.items():
        link = switch.links.get(name)
        speed = _speed(switch, port, link) if link else port.speed
        switch.rows.put("PORT", name, port.row(), speed=speed, mtu=switch.mtu(link))
        up = bool(link and link.active)
        switch.rows.put("PORT", name, admin_status="up" if up else "down")
        if link:
            switch.rows.put("PORT", name, description=f"{link.peer}:{link.peer_port}"[:_DESCRIPTION])
    for name, members in lags(switch).items():
        switch.rows.put("PORTCHANNEL", name, admin_status="up", min_links=1, fast_rate=True, lacp_key="auto")
        switch.rows.put("PORTCHANNEL", name, fallback=False, mtu=min(switch.mtu(link) for link in members))
        for link in members:
            switch.rows.put("PORTCHANNEL_MEMBER", f"{name}|{link.port}")


def _speed(switch: Switch, port: port_files.Port, link: Link) -> int:
    """Mbit/s of a port with a cable; what the model cannot do is refused."""
    text = switch.speed(link)
    if not text:
        return port.speed
    speed = int(float(text[:-1]) * (1000 if text.endswith("G") else 1))
    if port.speeds and speed not in port.speeds:
        able = ", ".join(f"{value}M" for value in sorted(port.speeds))
        switch.issue(
            "SR004", "error", ("PORT", port.name, "speed"), f"a cable of {text} ends in a port that does {able}"
        )
        return port.speed
    return speed


def lags(switch: Switch) -> dict[str, list[Link]]:
    """The members of every port channel, in the order of their ports.

    A name that SONiC would not take (``bond0`` of a host) becomes a number made of that name and the far device's: a
    cable that comes or goes does not rename the aggregation, which would take it down.
    """
    found: dict[tuple[str, str], list[Link]] = {}
    for link in switch.links.values():
        if link.cable.lag:
            found.setdefault((link.peer, link.cable.lag), []).append(link)
    numbers = _numbers(found)
    named: dict[str, list[Link]] = {}
    for place, links in found.items():
        links.sort(key=lambda link: port_files.number(link.port))
        named.setdefault(numbers.get(place, place[1]), []).extend(links)
    return named


def _numbers(found: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names for the aggregations that have none that SONiC takes, by far device and name."""
    taken = {text for _peer, text in found if _LAG.fullmatch(text)}
    named = {}
    for peer, text in sorted(found):
        if not _LAG.fullmatch(text):
            number = zlib.crc32(f"{peer}/{text}".encode())
            while (name := f"PortChannel{_FIRST_MADE + number % _MADE}") in taken:
                number += 1
            taken.add(name)
            named[peer, text] = name
    return named


def several_switches(switch: Switch) -> None:
    """Refuses a link aggregation whose other members end in another switch."""
    for name, links in lags(switch).items():
        peer, text = links[0].peer, links[0].cable.lag
        far = switch.view.devices.get(peer)
        others = {link.peer for link in (far.links if far else ()) if link.cable.lag == text} - {switch.name}
        if others:
            message = f"the aggregation {text} of {peer} also ends in {', '.join(sorted(others))}"
            hint = f"{switch.options.release} has neither EVPN multihoming nor, in a community image, MCLAG; use two routed links"
            switch.issue("SR005", "error", ("PORTCHANNEL", name, ""), message, hint)
        if len({link.peer for link in links}) > 1:
            message = f"cables to {', '.join(sorted({link.peer for link in links}))} carry the same aggregation"
            switch.issue("SR005", "error", ("PORTCHANNEL", name, ""), message, "give each its own name")


def attachments(switch: Switch) -> list[Attachment]:
    """Every port and port channel with a cable in use, and what it is for.

    A port channel is told by its first cable in use: one that is off takes nothing from the others.
    """
    members = {
        link.port: (name, next((other.port for other in links if other.active), link.port))
        for name, links in lags(switch).items()
        for link in links
    }
    speaking = {neighbor.interface for neighbor in switch.device.neighbors}
    found = []
    for port, link in sorted(switch.links.items(), key=lambda item: port_files.number(item[0])):
        name, first = members.get(port, (port, port))
        if link.active and first == port:
            far = switch.far(link)
            tagged, untagged = carried(switch, link)
            bridged = bool(tagged or untagged)
            if bridged and port in speaking and not (link.cable.networks or link.cable.untagged):
                message = f"{link.peer} speaks BGP over the port and has networks with VLANs on it"
                hint = "SONiC routes or switches a port: remove networks of its role, or its asn_scheme"
                switch.issue("SR006", "error", ("VLAN_MEMBER", "", name), message, hint)
            found.append(Attachment(name, link, far, tagged, untagged, port in speaking and not bridged))
    return found


def carried(switch: Switch, link: Link) -> tuple[tuple[int, ...], int]:
    """VLAN ids of the networks on a link: those with tags, and the one without (0 for none)."""
    names, bare = fabric.carried(switch.view, link)
    networks = [network for name in names if (network := switch.network(name)) and network.vlan]
    native = switch.network(bare)
    if native is not None and not native.vlan:
        message = f"network {native.name} has no VLAN id, so the port to {link.peer} is in no network"
        switch.issue("SR007", "warning", ("VLAN_MEMBER", "", link.port), message, "give the network a vlan")
    tagged = tuple(sorted({network.vlan or 0 for network in networks}))
    return tagged, (native.vlan or 0) if native else 0


def is_switch(view_switch: Switch, far: ResolvedDevice | None) -> bool:
    """Whether the far end is a switch of the fabric."""
    return far is not None and far.device.section == "switches" and fabric.kind_of(view_switch.view, far) in _FABRIC


_FABRIC = ("leaf", "spine", "border")


def known_release(release: str) -> None:
    """Refuses a release that nobody knows.

    :raises InputError: naming those that are known.
    """
    if release not in RELEASE_NAMES:
        raise InputError(f"There is no SONiC release {release!r}", hint="Known are " + ", ".join(RELEASE_NAMES))
