# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where devices stand in a topology picture.

Places follow from devices, roles and models alone, never from cables: whoever moves a cable finds one line changed and
everything else where it was. Devices stand in columns, the way traffic climbs: spines, leaves, hosts, others' devices.
A column that would hold too many boxes shows one box per rack and role, or per rack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..derive import ResolvedDevice, expand_all
from ..model import SPEEDS
from ..names import natural
from .model import Book, shelf

#: More boxes than this in one column, and devices are drawn together.
LIMIT = 48
#: A switch with this many RJ45 data ports is where management ports are plugged in.
COPPER_PORTS = 8
#: Share of a switch's ports that are of its highest speed, from which on it is drawn as a spine.
UNIFORM = 0.75

#: Height of a row, from the least to the most; between them the rows fill A3 paper.
PITCHES = (24.0, 40.0)
ROOM = 860.0
GAP = 7.0
TALLEST = 110.0
TALLEST_OTHER = 44.0
WIDEST = 250.0


@dataclass(frozen=True)
class Node:
    """A box: one device, several that are drawn together, or somebody else's device."""

    key: str
    label: str
    detail: str = ""
    role: str = ""
    state: str = "active"
    members: tuple[str, ...] = ()
    ours: bool = True
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """A node with its place; the unit is the pixel."""

    node: Node
    column: int
    row: int
    x: float
    y: float
    width: float
    height: float
    sockets: dict[str, float] = field(default_factory=dict)

    def socket(self, port: str) -> float:
        """The height at which a cable reaches the box: ports are spread over it in their order on the device."""
        return self.y + self.sockets.get(port, self.height / 2)


@dataclass(frozen=True)
class Column:
    """A column of boxes and what is written above it."""

    caption: str
    nodes: tuple[Node, ...]


def data_columns(book: Book) -> list[Column]:
    """Columns of the picture of the fabric: switches by how high they stand, hosts, devices of others."""
    depths = _depths(book)
    last = max(depths.values(), default=-1) + 1
    members: dict[int, list[ResolvedDevice]] = {}
    for resolved in book.devices:
        members.setdefault(depths.get(resolved.name, last), []).append(resolved)
    columns = [_column(members[position], _caption(members[position]), _asn) for position in sorted(members)]
    return columns + _others(book, book.view.landscape.externals)


def management_columns(book: Book) -> list[Column]:
    """Columns of the picture of the management network: switches with copper ports, everything else, others."""
    parts = {"Management switches": True, "Managed devices": False}
    members = {name: [one for one in book.devices if _is_copper(one) is wanted] for name, wanted in parts.items()}
    ends = {end[0] for run in book.runs if run.out_of_band for end in (run.near, run.far)}
    columns = [_column(found, name, lambda one: one.oob_v4) for name, found in members.items() if found]
    return columns + _others(book, ends & set(book.view.landscape.externals))


def _asn(resolved: ResolvedDevice) -> str:
    return f"AS {resolved.asn}" if resolved.asn is not None else ""


def _is_copper(resolved: ResolvedDevice) -> bool:
    ports = resolved.ports.values()
    is_switch = resolved.device.section == "switches"
    return is_switch and sum(port.use == "data" and port.connector == "rj45" for port in ports) >= COPPER_PORTS


def _depths(book: Book) -> dict[str, int]:
    """How far below the top each switch stands: by the roles its uplinks lead to, else by the speeds of its ports.

    Switches that hang on the leaves like hosts do are left out; they stand with the hosts.
    """
    roles = book.view.landscape.roles
    ranked = {name for name, role in roles.items() if role.uplinks_to}
    ranked |= {above for name in ranked for above in roles[name].uplinks_to}

    def depth(name: str, seen: tuple[str, ...] = ()) -> int:
        above = roles[name].uplinks_to if name in roles and name not in seen else ()
        return max((depth(role, (*seen, name)) + 1 for role in above), default=0)

    below_leaves = {above for role in roles.values() if role.kind == "server" for above in role.uplinks_to}
    switches = [one for one in book.devices if one.device.section == "switches"]
    switches = [one for one in switches if not (one.role and below_leaves & set(one.role.uplinks_to))]
    depths = {one.name: depth(one.device.role) for one in switches if one.device.role in ranked}
    lowest = max([*depths.values(), 1 if len(switches) > len(depths) else 0])
    top = max((_top_speed(one) for one in switches), default=0)
    for one in switches:
        depths.setdefault(one.name, 0 if _is_uniform(one, top) else lowest)
    return depths


def _top_speed(resolved: ResolvedDevice) -> int:
    return max((SPEEDS.index(port.speed) for port in resolved.ports.values() if port.speed in SPEEDS), default=0)


def _is_uniform(resolved: ResolvedDevice, top: int) -> bool:
    speeds = [
        SPEEDS.index(port.speed) for port in resolved.ports.values() if port.use == "data" and port.speed in SPEEDS
    ]
    return bool(speeds) and speeds.count(top) >= UNIFORM * len(speeds)


def _caption(members: Iterable[ResolvedDevice]) -> str:
    roles = {"Hosts" if one.device.section == "hosts" else one.device.role for one in members}
    return ", ".join(sorted(roles, key=lambda role: (role != "Hosts", natural(role))))


def _column(members: Sequence[ResolvedDevice], caption: str, detail: Callable[[ResolvedDevice], str]) -> Column:
    ordered = sorted(members, key=shelf)
    if len(ordered) <= LIMIT:
        return Column(caption, tuple(_single(resolved, detail(resolved)) for resolved in ordered))
    by_role: dict[tuple[str, str], list[ResolvedDevice]] = {}
    by_rack: dict[str, list[ResolvedDevice]] = {}
    for resolved in ordered:
        by_role.setdefault((resolved.device.rack, resolved.device.role), []).append(resolved)
        by_rack.setdefault(resolved.device.rack, []).append(resolved)
    if len(by_role) <= LIMIT:
        nodes = [_several(f"{rack}/{role}", role, rack, found, detail) for (rack, role), found in by_role.items()]
    else:
        nodes = [_several(f"{rack}/", "", rack, found, detail) for rack, found in by_rack.items()]
    return Column(caption, tuple(nodes))


def _single(resolved: ResolvedDevice, detail: str) -> Node:
    device, ports = resolved.device, tuple(resolved.ports)
    return Node(device.name, device.name, detail, device.role, device.state, (device.name,), ports=ports)


def _several(
    key: str, role: str, rack: str, found: Sequence[ResolvedDevice], detail: Callable[[ResolvedDevice], str]
) -> Node:
    if len(found) == 1:
        return _single(found[0], detail(found[0]))
    names = tuple(resolved.name for resolved in found)
    roles = Counter(resolved.device.role for resolved in found)
    label = ", ".join(f"{roles[name]} {name}" for name in sorted(roles, key=natural))
    return Node(key, label, f"rack {rack}" if rack else "in no rack", role, members=names)


def _others(book: Book, names: Iterable[str]) -> list[Column]:
    externals = book.view.landscape.externals
    nodes = [
        Node(name, name, members=(name,), ours=False, ports=tuple(expand_all(externals[name].ports)))
        for name in sorted(names, key=natural)
    ]
    return [Column("Devices of others", tuple(nodes))] if nodes else []


def pitch_of(columns: Sequence[Column]) -> float:
    """Height of a row of the longest column."""
    rows = max((len(column.nodes) for column in columns), default=1)
    return min(max(ROOM / rows, PITCHES[0]), PITCHES[1])


def height_of_columns(columns: Sequence[Column]) -> float:
    """Height of the longest column."""
    return max(*(len(column.nodes) for column in columns), 12) * pitch_of(columns)


def place(columns: Sequence[Column], left: float, top: float, width: float) -> list[Box]:
    """A box for every node.

    :param width: from the left edge of the first column to the right edge of the last one.
    """
    height = height_of_columns(columns)
    box_width = min(WIDEST, width / max(len(columns), 1) * 0.78)
    step = (width - box_width) / max(len(columns) - 1, 1)
    boxes: list[Box] = []
    for position, column in enumerate(columns):
        pitch = height / max(len(column.nodes), 1)
        size = min(pitch - GAP, TALLEST if column.nodes[0].ours else TALLEST_OTHER)
        for row, node in enumerate(column.nodes):
            y = top + row * pitch + (pitch - size) / 2
            sockets = {
                port: 4 + (size - 8) * (number + 0.5) / len(node.ports) for number, port in enumerate(node.ports)
            }
            boxes.append(Box(node, position, row, left + position * step, y, box_width, size, sockets))
    return boxes
