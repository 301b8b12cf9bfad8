# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""From what neighbours call themselves to devices and ports of the landscape: one link for what both ends saw."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..derive import ResolvedDevice, View
from ..names import matches, natural
from .model import End, Neighbor, Observation, Seen

_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", re.IGNORECASE)


class Directory:
    """Finds devices by every name they go by: name, name with domain, MAC address, management address."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._names = {name.lower(): name for name in view.devices}
        self._identities: dict[str, str] = {}
        for name, resolved in view.devices.items():
            for identity in (*resolved.device.macs.values(), resolved.oob_v4, resolved.loopback_v4):
                if identity:
                    self._identities.setdefault(identity.lower(), name)
        self._ports = {name: _spellings(resolved) for name, resolved in view.devices.items()}

    def device(self, neighbor: Neighbor) -> str:
        """The device a neighbour is; empty when it is none of ours."""
        whole = neighbor.peer.lower()
        for name in (whole, whole.partition(".")[0]):
            if name in self._names:
                return self._names[name]
        if whole:
            return ""  # it has a name, and it is not one of ours: its address may be borrowed
        identities = (neighbor.chassis, *neighbor.addresses, *neighbor.peer_ports)
        return next((self._identities[one.lower()] for one in identities if one.lower() in self._identities), "")

    def port(self, device: str, *names: str) -> str:
        """The model's name of a port that goes by any of these; empty when none says anything.

        A MAC address that no port is known to have says nothing; any other unknown name is kept as it is.
        """
        known = self._ports.get(device, {})
        for name in names:
            if name.lower() in known:
                return known[name.lower()]
        return next((name for name in names if name and not _MAC.fullmatch(name)), "")


def _spellings(resolved: ResolvedDevice) -> dict[str, str]:
    """Every name of every port in lower case: name, alias, MAC address. A port's own name wins over another's alias."""
    found = {port.alias.lower(): port.name for port in resolved.ports.values() if port.alias}
    found.update({mac.lower(): port for port, mac in resolved.device.macs.items()})
    found.update({name.lower(): name for name in resolved.ports})
    return found


def links_of(
    directory: Directory, observations: Mapping[str, Observation], ignore_ports: tuple[str, ...] = ()
) -> list[Seen]:
    """Every link that was seen, once, however many ends saw it.

    :param ignore_ports: local ports that do not count; ``*`` stands for any characters.
    """
    seen: dict[frozenset[End], Seen] = {}
    blurred: list[Seen] = []
    for device in sorted(observations, key=natural):
        for link in _present(directory, device, observations[device], ignore_ports):
            if not link.stranger and not link.far.port:
                blurred.append(link)
            else:
                _merge(seen, link)
    for link in blurred:
        _merge(seen, _focused(link, seen))
    return sorted(seen.values(), key=lambda link: (natural(link.near.device), natural(link.near.port), str(link.far)))


def _present(directory: Directory, device: str, observation: Observation, ignore_ports: tuple[str, ...]) -> list[Seen]:
    """The links a device sees now.

    A cable has one device at its far end: where a port heard several of ours, the youngest is what is plugged in, and the
    others are remembered until their time is over (TTL, IEEE 802.1AB 8.5.4). Strangers count beside it: they may sit
    behind a bridge.
    """
    links: list[Seen] = []
    youngest: dict[str, float] = {}
    for neighbor in sorted(observation.neighbors, key=lambda one: (natural(one.port), one.age, one.peer_ports)):
        near = End(device, directory.port(device, neighbor.port) or neighbor.port)
        if any(matches(pattern, name) for pattern in ignore_ports for name in (near.port, neighbor.port)):
            continue
        link = _link(directory, near, neighbor)
        if link.stranger or neighbor.age <= youngest.setdefault(near.port, neighbor.age):
            links.append(link)
    return links


def _link(directory: Directory, near: End, neighbor: Neighbor) -> Seen:
    peer = directory.device(neighbor)
    if peer:
        return Seen(near, End(peer, directory.port(peer, *neighbor.peer_ports)), (near.device,))
    name = neighbor.peer or neighbor.chassis or next(iter(neighbor.addresses), "") or "somebody without a name"
    return Seen(near, End(name, next(iter(neighbor.peer_ports), "")), (near.device,), stranger=True)


def _focused(link: Seen, seen: Mapping[frozenset[End], Seen]) -> Seen:
    """A link whose far port is not known, completed by what the far end says about it."""
    for other in seen.values():
        if link.near in (other.near, other.far) and link.far.device in (other.near.device, other.far.device):
            far = other.far if other.near == link.near else other.near
            return Seen(link.near, far, link.seen_by)
    return link


def _merge(seen: dict[frozenset[End], Seen], link: Seen) -> None:
    known = seen.get(link.ends)
    if known is not None:
        observers = tuple(dict.fromkeys((*known.seen_by, *link.seen_by)))
        seen[link.ends] = Seen(known.near, known.far, observers, known.stranger)
    else:
        seen[link.ends] = link
