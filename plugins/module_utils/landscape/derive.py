# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What follows from a landscape: ports, links, addresses, AS numbers, BGP neighbours, groups.

Derivation never fails. What cannot be derived stays empty and leaves a :class:`Problem` for the rules, so that one
bad index does not hide the other 999 hosts.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .breakout import BreakoutError, children
from .model import SPEEDS, Cable, Device, DeviceModel, Landscape, Network, Role
from .names import expand, natural, split_endpoint
from .schemes import SchemeError, address_v4, address_v6, asn_of

#: Ports of all device models together; braces make it easy to write more by mistake. A hundred models have a tenth.
MAX_PORTS = 200_000
#: Ports of one device; four times the largest there is.
MAX_PORTS_OF_ONE = 4096


@dataclass(frozen=True)
class Port:
    """One port of a device model. ``speed`` is the highest one."""

    name: str
    alias: str
    use: str
    speed: str
    connector: str


@dataclass(frozen=True)
class Link:
    """One end of a cable, seen from the device it is plugged into."""

    port: str
    peer: str
    peer_port: str
    cable: Cable

    @property
    def active(self) -> bool:
        """Whether traffic is meant to flow."""
        return self.cable.state == "active"


@dataclass(frozen=True)
class Neighbor:
    """A BGP neighbour over one link (unnumbered, RFC 5549)."""

    interface: str
    peer: str
    remote_asn: int


@dataclass(frozen=True)
class Problem:
    """A derivation that did not work out: which rule says so, about which field."""

    rule: str
    field: str
    message: str


@dataclass(frozen=True)
class ResolvedDevice:
    """A device with everything that follows from its place in the landscape. Empty texts: not known or not derived."""

    device: Device
    model: DeviceModel | None
    role: Role | None
    ports: dict[str, Port]
    oob_port: str = ""
    oob_network: Network | None = None
    oob_v4: str = ""
    loopback_v4: str = ""
    loopback_v6: str = ""
    asn: int | None = None
    links: tuple[Link, ...] = ()
    neighbors: tuple[Neighbor, ...] = ()
    groups: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The device's name."""
        return self.device.name

    @property
    def oob_mac(self) -> str:
        """MAC address of the management port."""
        return self.device.macs.get(self.oob_port, "")

    @property
    def uplinks(self) -> tuple[Link, ...]:
        """Active links between data ports that lead to a device of one of the role's ``uplinks_to``; see :func:`resolve`."""
        return tuple(link for link in self.links if link.active and _far_end(link) in self._uplink_ends)

    _uplink_ends: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True)
class View:
    """A landscape and everything that follows from it; what all rules, renderers and pages look at."""

    landscape: Landscape
    devices: dict[str, ResolvedDevice]
    groups: dict[str, tuple[str, ...]]


def resolve(landscape: Landscape) -> View:
    """Derives everything, once."""
    ports = _ports_of_all(landscape)
    devices = {name: _resolve_device(device, landscape, ports) for name, device in landscape.devices.items()}
    _attach_links(landscape, devices)
    groups = members_of_groups(landscape)
    of_device: dict[str, list[str]] = {name: [] for name in devices}
    for group, members in groups.items():
        for member in members:
            of_device[member].append(group)
    for name, resolved in devices.items():
        devices[name] = dataclasses.replace(
            resolved,
            neighbors=_neighbors(resolved, devices),
            groups=tuple(of_device[name]),
            _uplink_ends=_uplink_ends(resolved, devices),
        )
    return View(landscape, devices, groups)


def _ports_of_all(landscape: Landscape) -> dict[str, dict[str, Port]]:
    """The ports of every model; of those beyond :data:`MAX_PORTS` none (finding M01 says so)."""
    ports: dict[str, dict[str, Port]] = {}
    room = MAX_PORTS
    for name, model in landscape.device_models.items():
        ports[name] = ports_of(model) if room > 0 else {}
        room -= len(ports[name])
    return ports


def ports_of(model: DeviceModel) -> dict[str, Port]:
    """All ports of a device model by name; a pattern that cannot be expanded counts as a name (finding M01 says so)."""
    ports: dict[str, Port] = {}
    for group in model.ports:
        names, aliases = expand_all(group.names), expand_all(group.aliases)
        for position, name in enumerate(names):
            alias = aliases[position] if position < len(aliases) else ""
            ports[name] = Port(name, alias, group.use, group.speed, group.connector)
    return ports


def broken_out(device: Device, ports: dict[str, Port], problems: list[Problem]) -> dict[str, Port]:
    """The ports of a device, those that are broken out replaced by their children."""
    if not device.breakout:
        return ports
    made: dict[str, Port] = {}
    for name, port in ports.items():
        try:
            parts = children(name, port.connector, device.breakout[name]) if name in device.breakout else []
        except BreakoutError as error:
            problems.append(Problem("F06", "breakout", f"{name} cannot be {device.breakout[name]}: {error}"))
            parts = []
        for number, (child, speed) in enumerate(parts, 1):
            if child != name and child in ports:
                problems.append(Problem("F06", "breakout", f"{name}: there is already a port {child}"))
            alias = f"{port.alias}/{number}" if port.alias else ""
            made[child] = Port(child, alias, port.use, speed, port.connector)
        if not parts:
            made.setdefault(name, port)
    unknown = [name for name in device.breakout if name not in ports and ports]
    problems.extend(Problem("F06", "breakout", f"{device.model} has no port {name} to break out") for name in unknown)
    return made


def speed_of(cable: Cable, *ports: Port | None) -> str:
    """What a link runs at: the speed written at the cable, else the lowest of the ports that are known; may be empty."""
    known = (port.speed for port in ports if port is not None and port.speed in SPEEDS)
    return cable.speed or min(known, key=SPEEDS.index, default="")


def expand_all(patterns: tuple[str, ...]) -> list[str]:
    """The names of several patterns; a bad pattern stands for itself. Ends behind :data:`MAX_PORTS_OF_ONE` (finding M01)."""
    names: list[str] = []
    for pattern in patterns:
        if len(names) > MAX_PORTS_OF_ONE:
            break
        try:
            names += expand(pattern)
        except ValueError:
            names.append(pattern)
    return names


def _resolve_device(device: Device, landscape: Landscape, ports: dict[str, dict[str, Port]]) -> ResolvedDevice:
    role = landscape.roles.get(device.role)
    problems: list[Problem] = []
    own_ports = broken_out(device, ports.get(device.model, {}), problems)
    network = landscape.networks.get(device.oob_network or (role.oob_network if role else ""))
    loopback_v4, loopback_v6 = _loopbacks(device, role, landscape, problems)
    return ResolvedDevice(
        device=device,
        model=landscape.device_models.get(device.model),
        role=role,
        ports=own_ports,
        oob_port=next((port.name for port in own_ports.values() if port.use in ("bmc", "management")), ""),
        oob_network=network,
        oob_v4=device.oob_address or _v4(device, network, "oob_address", problems),
        loopback_v4=loopback_v4,
        loopback_v6=loopback_v6,
        asn=device.asn if device.asn is not None else _asn(role, landscape, loopback_v4, problems),
        problems=tuple(problems),
    )


def _v4(device: Device, network: Network | None, field: str, problems: list[Problem]) -> str:
    if network is None or not network.v4 or device.index is None:
        return ""
    try:
        return address_v4(network.v4, device.index)
    except SchemeError as error:
        problems.append(Problem("A01", field, str(error)))
        return ""


def _loopbacks(device: Device, role: Role | None, landscape: Landscape, problems: list[Problem]) -> tuple[str, str]:
    network = landscape.networks.get(role.loopback_network) if role else None
    v4 = device.loopback_v4 or _v4(device, network, "loopback_v4", problems)
    if device.loopback_v6 or network is None or not network.v6 or network.scheme_v6 == "none":
        return v4, device.loopback_v6
    if device.index is None or (network.scheme_v6 == "embed-v4" and not v4):
        return v4, ""
    try:
        return v4, address_v6(network.v6, network.scheme_v6, device.index, v4)
    except SchemeError as error:
        problems.append(Problem("A01", "loopback_v6", str(error)))
        return v4, ""


def _asn(role: Role | None, landscape: Landscape, loopback_v4: str, problems: list[Problem]) -> int | None:
    scheme = landscape.asn_schemes.get(role.asn_scheme) if role else None
    if scheme is None or scheme.kind == "explicit" or not loopback_v4:
        return None
    try:
        return asn_of(scheme.kind, scheme.prefix, loopback_v4)
    except SchemeError as error:
        problems.append(Problem("B01", "asn", str(error)))
        return None


def _attach_links(landscape: Landscape, devices: dict[str, ResolvedDevice]) -> None:
    links: dict[str, list[Link]] = {}
    for cable in landscape.cables:
        for near, far in ((cable.a, cable.b), (cable.b, cable.a)):
            device, port = split_endpoint(near)
            if device in devices:
                links.setdefault(device, []).append(Link(port, *split_endpoint(far), cable))
    for name, found in links.items():
        found.sort(key=lambda link: (natural(link.port), natural(link.peer), natural(link.peer_port)))
        devices[name] = dataclasses.replace(devices[name], links=tuple(found))


def _carries_data(link: Link, devices: dict[str, ResolvedDevice], near: ResolvedDevice) -> bool:
    far = devices.get(link.peer)
    if far is None or link.port not in near.ports or link.peer_port not in far.ports:
        return False
    return near.ports[link.port].use == "data" and far.ports[link.peer_port].use == "data"


def _neighbors(near: ResolvedDevice, devices: dict[str, ResolvedDevice]) -> tuple[Neighbor, ...]:
    if near.asn is None:
        return ()
    found = []
    for link in near.links:
        far = devices.get(link.peer)
        if link.active and far is not None and far.asn is not None and _carries_data(link, devices, near):
            found.append(Neighbor(link.port, link.peer, far.asn))
    return tuple(found)


def _far_end(link: Link) -> tuple[str, str, str]:
    """The link as an uplink is remembered: the port alone will not do, a badly documented one has two cables."""
    return link.port, link.peer, link.peer_port


def _uplink_ends(near: ResolvedDevice, devices: dict[str, ResolvedDevice]) -> frozenset[tuple[str, str, str]]:
    wanted = near.role.uplinks_to if near.role else ()
    return frozenset(
        _far_end(link)
        for link in near.links
        if link.peer in devices and devices[link.peer].device.role in wanted and _carries_data(link, devices, near)
    )


def members_of_groups(landscape: Landscape) -> dict[str, tuple[str, ...]]:
    """Direct members of every inventory group; ``children`` are left to the inventory, which knows nesting itself.

    Retired and planned devices belong to groups by name only (``hosts``, or ``groups`` of the device): plays must not
    reach for what is not there yet or not there any more.
    """
    members: dict[str, list[str]] = {}
    for name, group in landscape.groups.items():
        conditions = bool(group.roles or group.models or group.environments)
        members[name] = [
            device.name
            for device in landscape.devices.values()
            if device.name not in group.without
            and (
                device.name in group.hosts
                or (
                    conditions
                    and device.state == "active"
                    and (not group.roles or device.role in group.roles)
                    and (not group.models or device.model in group.models)
                    and (not group.environments or device.environment in group.environments)
                )
            )
        ]
    for device in landscape.devices.values():
        for name in device.groups:
            members.setdefault(name, []).append(device.name)
    return {name: tuple(sorted(set(found), key=natural)) for name, found in members.items()}
