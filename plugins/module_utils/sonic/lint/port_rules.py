# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ports: lanes, speeds, aliases, breakout, and that a port does one thing only."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.errors import InputError
from .. import ports
from ..model import SEPARATOR
from .index import Switch, integer
from .registry import Found, rule


def _lanes(switch: Switch, port: str) -> list[int]:
    numbers = [integer(text.strip()) for text in switch.text("PORT", port, "lanes").split(",")]
    return [number for number in numbers if number is not None]


@rule(
    "SL101",
    "error",
    "Two ports share a lane",
    why="The switch daemon creates the first of them and stops at the second; after a restart it may be the other one.",
    source="portsorch of sonic-swss; the models do not look",
    hint="one of them must go; where a port was broken out, its parent goes",
)
def lanes(switch: Switch) -> Iterator[Found]:
    taken: dict[int, str] = {}
    for port in sorted(switch.rows("PORT"), key=_order):
        for lane in _lanes(switch, port):
            other = taken.setdefault(lane, port)
            if other != port:
                yield "PORT", port, "lanes", f"lane {lane} belongs to {other} as well"
                break


def _order(name: str) -> tuple[int, str]:
    digits = "".join(char for char in name if char.isdecimal())
    return (int(digits[:9] or 0), name)


@rule(
    "SL102",
    "error",
    "A port has lanes that the switch model does not have there",
    why="The port is not created, or another cage answers to its name.",
    source="port_config.ini of the model (sonic-buildimage device/accton)",
    hint="take names and lanes from the port map of the model",
)
def on_model(switch: Switch) -> Iterator[Found]:
    if not switch.port_map:
        return
    first = {lane: port for port in switch.port_map.ports.values() for lane in port.lanes}
    for port in switch.rows("PORT"):
        lanes = _lanes(switch, port)
        homes = {first[lane].name for lane in lanes if lane in first}
        at = first[lanes[0]] if lanes and lanes[0] in first else None
        expected = f"Ethernet{at.number + at.lanes.index(lanes[0])}" if at else ""
        if not lanes or len(homes) != 1 or any(lane not in first for lane in lanes):
            yield (
                "PORT",
                port,
                "lanes",
                f"no port of {switch.port_map.hwsku} has the lanes {switch.text('PORT', port, 'lanes')}",
            )
        elif expected != port:
            yield "PORT", port, "lanes", f"these lanes belong to {expected} on {switch.port_map.hwsku}"


@rule(
    "SL103",
    "error",
    "A port cannot run at its speed",
    why="The switch daemon refuses the speed and the port stays down, without a word in CONFIG_DB.",
    source="Lanes of the cage in the port map of the model; the models accept any number",
    hint="choose a speed of the cage, or break the port out",
)
def speeds(switch: Switch) -> Iterator[Found]:
    if not switch.port_map:
        return
    for port in switch.rows("PORT"):
        speed = integer(switch.text("PORT", port, "speed"))
        allowed = _allowed(switch.port_map, port, len(_lanes(switch, port)))
        if speed is not None and allowed and speed not in allowed:
            shown = ", ".join(str(each) for each in allowed)
            yield "PORT", port, "speed", f"{speed} Mbit/s is not possible here, only {shown}"


def _allowed(port_map: ports.PortMap, name: str, width: int) -> tuple[int, ...]:
    """Speeds of a port, or of a child of a large one by the number of its lanes."""
    whole = port_map.ports.get(name)
    if whole and len(whole.lanes) == width:
        return whole.speeds
    return {1: (10000, 25000), 2: (50000,), 4: (40000, 100000)}.get(width, ())


@rule(
    "SL104",
    "error",
    "A breakout and the ports contradict each other",
    why="The next change of the breakout removes ports that the table says are not there, or leaves orphans.",
    source="config interface breakout of sonic-utilities",
    hint="write the ports that the mode makes, or the mode that the ports show",
    dialects=("unified", "bgpcfgd", "split"),
)
def breakouts(switch: Switch) -> Iterator[Found]:
    if not switch.port_map:
        return
    for name in switch.rows("BREAKOUT_CFG"):
        mode = switch.text("BREAKOUT_CFG", name, "brkout_mode")
        try:
            after = ports.breakout(switch.port_map, {name: mode})
        except InputError as error:
            yield "BREAKOUT_CFG", name, "brkout_mode", error.message
            continue
        wanted = sorted(set(after.ports) - (set(switch.port_map.ports) - {name}), key=ports.number)
        missing = [child for child in wanted if child not in switch.rows("PORT")]
        if missing:
            yield (
                "BREAKOUT_CFG",
                name,
                "brkout_mode",
                f"the mode {mode} makes a port {missing[0]}, which is not in PORT",
            )


@rule(
    "SL105",
    "error",
    "A port has two roles",
    why="As router port, VLAN member or LAG member a port takes frames for one of them only; which, is a matter of order.",
    source="The models know some of the pairs; the SCS lab has router ports in VLANs on two switches",
    hint="keep one role and remove the rows of the other",
    in_models=True,
)
def roles(switch: Switch) -> Iterator[Found]:
    routed = {key.split(SEPARATOR)[0] for table in ("INTERFACE", "PORTCHANNEL_INTERFACE") for key in switch.rows(table)}
    for (vlan, port), key, _row in switch.split("VLAN_MEMBER", 2):
        if port in routed:
            yield "VLAN_MEMBER", key, "port", f"{port} is a member of {vlan} and a router port"
        elif port in switch.lag_of:
            yield "VLAN_MEMBER", key, "port", f"{port} is a member of {vlan} and of {switch.lag_of[port]}"
    lags: dict[str, str] = {}
    for (lag, port), key, _row in switch.split("PORTCHANNEL_MEMBER", 2):
        if lags.setdefault(port, lag) != lag:
            yield "PORTCHANNEL_MEMBER", key, "port", f"{port} is a member of {lags[port]} and of {lag}"
        elif port in routed:
            yield "PORTCHANNEL_MEMBER", key, "port", f"{port} is a member of {lag} and a router port"


@rule(
    "SL106",
    "error",
    "Two ports share an alias",
    why="LLDP and every tool that shows aliases name the wrong cage; cabling checks pass on a wrong cable.",
    source="lldpmgrd, and for management ports lldpd.conf.j2, announce the alias",
    hint="give each port the alias of the port map",
)
def aliases(switch: Switch) -> Iterator[Found]:
    taken: dict[str, str] = {}
    for table in ("PORT", "MGMT_PORT"):
        for port in sorted(switch.rows(table), key=_order):
            alias = switch.text(table, port, "alias")
            if alias and taken.setdefault(alias, port) != port:
                yield table, port, "alias", f"{taken[alias]} is called {alias} as well"


@rule(
    "SL107",
    "error",
    "Members of a LAG differ in speed",
    why="LACP bundles only ports of one speed; the others wait, and the LAG has less bandwidth than it shows.",
    source="IEEE 802.1AX, clause 6.4: operational keys",
    hint="use ports of one speed, or set one speed",
)
def lag_speeds(switch: Switch) -> Iterator[Found]:
    for lag, members in switch.members.items():
        known = [port for port in members if switch.text("PORT", port, "speed")]
        speeds = {switch.text("PORT", port, "speed") for port in known}
        if len(speeds) > 1:
            port = known[-1]
            message = (
                f"the ports of {lag} run at {', '.join(sorted(speeds, key=lambda text: (len(text), text)))} Mbit/s"
            )
            yield "PORTCHANNEL_MEMBER", f"{lag}{SEPARATOR}{port}", "port", message


@rule(
    "SL108",
    "warning",
    "A LAG and its members differ in MTU",
    why="The LAG's MTU wins and is written to its members; the next reader of the file believes the other figure.",
    source="portmgrd and teammgrd of sonic-swss",
    hint="write the same MTU to the LAG and its members",
)
def lag_mtu(switch: Switch) -> Iterator[Found]:
    for lag, members in switch.members.items():
        mtu = switch.text("PORTCHANNEL", lag, "mtu")
        others = sorted({switch.text("PORT", port, "mtu") for port in members} - {"", mtu})
        if mtu and others:
            yield "PORTCHANNEL", lag, "mtu", f"{lag} has MTU {mtu}, its members {', '.join(others)}"


@rule(
    "SL109",
    "warning",
    "A port that is used is shut",
    why="Nothing comes up; often a port was shut for maintenance and then saved.",
    source="The configuration itself",
    hint="set admin_status to up, or remove what uses it",
)
def shut(switch: Switch) -> Iterator[Found]:
    used = {neighbor.port: f"BGP neighbour {neighbor.key}" for neighbor in switch.neighbors if neighbor.port}
    used.update({placed.interface: f"address {placed.address}" for placed in switch.addresses})
    for name, what in used.items():
        for table in ("PORT", "PORTCHANNEL"):
            if name in switch.rows(table) and switch.text(table, name, "admin_status") != "up":
                yield table, name, "admin_status", f"{name} carries the {what} and is not up"


@rule(
    "SL110",
    "error",
    "A lane that is no number",
    why="The switch daemon does not create the port, and all that stands on it waits.",
    source="portsorch of sonic-swss; the models take any text up to 128 characters",
    hint="write the numbers of the lanes with commas between them",
)
def no_lanes(switch: Switch) -> Iterator[Found]:
    for port in switch.rows("PORT"):
        for text in switch.text("PORT", port, "lanes").split(",") if "lanes" in switch.row("PORT", port) else ():
            if integer(text.strip()) is None:
                yield "PORT", port, "lanes", f"{text.strip() or 'nothing'} is no lane"
                break
