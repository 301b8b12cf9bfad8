# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The ports of a switch model: names, aliases, lanes, and what they can be broken out into. Pure.

Reads SONiC's own files: port_config.ini (a table), or platform.json with hwsku.json (ports with breakout modes). Where
there is no platform.json the modes follow from the number of lanes; dynamic breakout on the switch does not exist there,
and the ports have to be written as they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.errors import InputError
from .model import Row
from .port_maps import PORT_MAPS

_NAME = re.compile("Ethernet([0-9]+)")
_PART = re.compile(r"([0-9]+)x([0-9]+)G(?:\[([0-9G,]+)\])?(?:\(([0-9]+)\))?")
#: Breakouts that lanes allow where no platform.json says more: lanes of the port, modes.
_BY_LANES = {
    1: (),
    2: ("1x50G", "2x25G[10G]"),
    4: ("1x100G[40G]", "2x50G", "4x25G[10G]"),
    8: ("1x400G", "2x200G", "4x100G", "8x50G"),
}


@dataclass(frozen=True)
class Port:
    """One port.

    :param speed: Mbit/s.
    :param speeds: Mbit/s it can run at; empty when nobody says.
    """

    name: str
    lanes: tuple[int, ...]
    alias: str = ""
    index: int = 0
    speed: int = 0
    speeds: tuple[int, ...] = ()
    autoneg: str = ""

    @property
    def number(self) -> int:
        """The number in its name."""
        return number(self.name)

    def row(self) -> Row:
        """The row of table PORT, without what an operator decides."""
        row: Row = {"lanes": ",".join(str(lane) for lane in self.lanes), "speed": str(self.speed)}
        row.update({"alias": self.alias} if self.alias else {})
        row.update({"index": str(self.index)} if self.index else {})
        row.update({"autoneg": self.autoneg} if self.autoneg else {})
        return row


@dataclass(frozen=True)
class PortMap:
    """The ports of a switch model.

    :param ports: by name, as they come from the factory.
    :param modes: breakout modes by port.
    :param aliases: alias of each child by port and mode, where platform.json says them.
    """

    hwsku: str
    ports: Mapping[str, Port]
    modes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @functools.cached_property
    def by_alias(self) -> dict[str, str]:
        """Names of ports by alias."""
        return {port.alias: port.name for port in self.ports.values() if port.alias}

    def name_of(self, text: str) -> str:
        """The name of a port given by name or alias.

        :raises InputError: when the model has no such port.
        """
        if text in self.ports:
            return text
        if text in self.by_alias:
            return self.by_alias[text]
        raise InputError(f"{self.hwsku} has no port {text}", hint=f"It has {_span(self.ports)}")


def number(name: str) -> int:
    """The number in a port's name.

    :raises InputError: for a name that SONiC would not give a port.
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise InputError(f"{name!r} is no name of a port", hint="Ports are called Ethernet0, Ethernet4...")
    return int(found.group(1))


def known(hwsku: str) -> PortMap | None:
    """The port map of a model that this project knows."""
    return _known(hwsku) if hwsku in PORT_MAPS else None


@functools.cache
def _known(hwsku: str) -> PortMap:
    ports = []
    for block in PORT_MAPS[hwsku]:
        for count, lane in enumerate(int(word) for word in block.lanes.split()):
            name, label = f"Ethernet{block.first + count * block.step}", block.label + count
            lanes = tuple(range(lane, lane + block.width))
            port = Port(name, lanes, f"{block.alias}{label}", label, block.speed, block.speeds, block.autoneg)
            ports.append(port)
    return _map(hwsku, ports)


def _map(hwsku: str, ports: Iterable[Port]) -> PortMap:
    by_name = {port.name: port for port in ports}
    modes = {name: _BY_LANES.get(len(port.lanes), ()) for name, port in by_name.items()}
    found = PortMap(hwsku, by_name, {name: several for name, several in modes.items() if several})
    check(found.ports.values())
    return found


def _span(names: Iterable[str]) -> str:
    ordered = sorted(names, key=number)
    return f"{ordered[0]} to {ordered[-1]}" if ordered else "no ports"


def parse_port_config(text: str, hwsku: str) -> PortMap:
    """A port_config.ini: columns named by a comment line, one port a line.

    :raises InputError: for a line that is no port, lanes or names used twice.
    """
    columns = ["name", "lanes", "alias", "index"]
    ports: list[Port] = []
    for count, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if line.lstrip().startswith("#"):
            title = line.lstrip("# \t").split()
            columns = title if title[:2] == ["name", "lanes"] else columns
        elif words:
            ports.append(_port(dict(zip(columns, words)), f"line {count} of port_config.ini"))
    if len({port.name for port in ports}) != len(ports):
        raise InputError(f"port_config.ini of {hwsku} has a port twice")
    return _map(hwsku, ports)


def _port(cells: Mapping[str, Any], where: str) -> Port:
    try:
        lanes = tuple(int(lane) for lane in str(cells["lanes"]).split(","))
        port = Port(
            str(cells["name"]),
            lanes,
            str(cells.get("alias", "")),
            int(str(cells.get("index", "0")).partition(",")[0]),
            int(cells.get("speed", 0)),
            autoneg=str(cells.get("autoneg", "")),
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{where} is no port: {error}") from error
    number(port.name)
    return port


def parse_platform(platform: Mapping[str, Any], hwsku_json: Mapping[str, Any], hwsku: str) -> PortMap:
    """platform.json with the default modes of hwsku.json: the ports as they come from the factory.

    :raises InputError: when the files do not belong together, or are not of that form.
    """
    ports: dict[str, Port] = {}
    modes: dict[str, tuple[str, ...]] = {}
    aliases: dict[tuple[str, str], tuple[str, ...]] = {}
    try:
        for name, told in platform["interfaces"].items():
            base = _port({"name": name, **told}, f"{name} in platform.json")
            offered = told["breakout_modes"]
            modes[name] = tuple(offered)
            aliases.update(
                {(name, mode): tuple(names) for mode, names in offered.items()} if isinstance(offered, dict) else {}
            )
            default = hwsku_json["interfaces"].get(name, {}).get("default_brkout_mode", "")
            for child in children(base, default, aliases.get((name, default), ())) if default else ():
                ports[child.name] = child
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"platform.json and hwsku.json of {hwsku} are not as SONiC has them: {error!r}") from error
    check(ports.values())
    return PortMap(hwsku, ports, modes, aliases)


@dataclass(frozen=True)
class Part:
    """One part of a breakout mode: ``count`` ports of ``speed`` Mbit/s over ``lanes`` lanes (0: of all, shared equally)."""

    count: int
    speed: int
    others: tuple[int, ...] = ()
    lanes: int = 0


def parse_mode(mode: str) -> tuple[Part, ...]:
    """A breakout mode as SONiC writes it: ``4x25G[10G]``, ``1x50G(2)+2x25G(2)``.

    :raises InputError: for anything else.
    """
    parts = []
    for text in mode.split("+"):
        found = _PART.fullmatch(text.strip())
        if not found or int(found.group(1)) == 0:
            raise InputError(f"{mode!r} is no breakout mode", hint="It is written like 4x25G[10G] or 1x50G(2)+2x25G(2)")
        others = tuple(int(other.rstrip("G")) * 1000 for other in (found.group(3) or "").split(",") if other)
        parts.append(Part(int(found.group(1)), int(found.group(2)) * 1000, others, int(found.group(4) or 0)))
    return tuple(parts)


def children(port: Port, mode: str, aliases: tuple[str, ...] = ()) -> list[Port]:
    """The ports that one port becomes in a breakout mode; each is named by the number of its first lane's place.

    :raises InputError: when the lanes cannot be shared so.
    """
    parts, at = parse_mode(mode), 0
    made: list[Port] = []
    for part in parts:
        width = part.lanes or (len(port.lanes) if len(parts) == 1 else 0)
        if not width or width % part.count or at + width > len(port.lanes):
            raise InputError(f"{port.name} has {len(port.lanes)} lanes, which {mode} cannot use")
        each = width // part.count
        for _child in range(part.count):
            lanes = port.lanes[at : at + each]
            alias = aliases[len(made)] if len(made) < len(aliases) else _alias(port, at, len(made), parts)
            speeds = (part.speed, *part.others)
            name = f"Ethernet{port.number + at}"
            made.append(replace(port, name=name, lanes=lanes, alias=alias, speed=part.speed, speeds=speeds))
            at += each
    return made


def _alias(port: Port, at: int, count: int, parts: tuple[Part, ...]) -> str:
    """``hundredGigE49`` stays one port's alias; its children are ``hundredGigE49/1``, ``/2``..."""
    alone = at == 0 and sum(part.count for part in parts) == 1
    return port.alias if alone or not port.alias else f"{port.alias}/{count + 1}"


def breakout(ports: PortMap, wanted: Mapping[str, str]) -> PortMap:
    """The ports after breaking some of them out.

    :param wanted: mode by port, given by name or alias.
    :raises InputError: for a port or mode that the model does not have, and for children whose name or lanes another
        port already has (on a model with small ports behind the last large one, that one cannot be broken out).
    """
    done: dict[str, Port] = dict(ports.ports)
    for text, mode in wanted.items():
        name = ports.name_of(text)
        modes = ports.modes.get(name, ())
        asked = parse_mode(mode)
        fitting = [offer for offer in modes if _same_shape(parse_mode(offer), asked)]
        if not fitting:
            hint = f"It has {', '.join(modes)}" if modes else "It has one lane and stays as it is"
            raise InputError(f"{name} of {ports.hwsku} has no breakout mode {mode}", hint=hint)
        made = children(ports.ports[name], mode, ports.aliases.get((name, fitting[0]), ()))
        del done[name]
        taken = [child.name for child in made if child.name in done]
        if taken:
            raise InputError(f"{name} of {ports.hwsku} cannot become {mode}: there is already a port {taken[0]}")
        done.update({child.name: child for child in made})
    check(done.values())
    return replace(ports, ports=dict(sorted(done.items(), key=lambda item: number(item[0]))))


def _same_shape(offer: tuple[Part, ...], asked: tuple[Part, ...]) -> bool:
    """Whether a mode is one of those offered: as many ports, each at a speed that the offer has."""
    return len(offer) == len(asked) and all(
        one.count == other.count and one.lanes == other.lanes and other.speed in (one.speed, *one.others)
        for one, other in zip(offer, asked)
    )


def check(ports: Iterable[Port]) -> None:
    """Refuses ports that share a lane or an alias.

    :raises InputError: naming both.
    """
    lanes: dict[int, str] = {}
    aliases: dict[str, str] = {}
    for port in ports:
        for lane in port.lanes:
            if lanes.setdefault(lane, port.name) != port.name or port.lanes.count(lane) > 1:
                raise InputError(f"Ports {lanes[lane]} and {port.name} share lane {lane}")
        if port.alias and aliases.setdefault(port.alias, port.name) != port.name:
            raise InputError(f"Ports {aliases[port.alias]} and {port.name} share the alias {port.alias}")
