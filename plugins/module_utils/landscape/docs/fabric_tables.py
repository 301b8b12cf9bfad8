# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The tables at the foot of the fabric's picture: networks, and who hears of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.svg import Canvas
from ..fabric import ALL, NONE, SOME, hears
from ..model import Environment, Network, Vrf
from .tables import COLOURS, INK, PAPER, QUIET, RULE

ROW = 18.0
#: More networks or environments than this are left to the page.
MOST_NETWORKS, MOST_ENVIRONMENTS = 28, 10
CELL, LABEL = 46.0, 150.0
_COLUMNS = (
    ("Routing instance", 0.15),
    ("Environment", 0.14),
    ("Network", 0.22),
    ("VLAN", 0.07),
    ("VNI", 0.1),
    ("Prefix", 0.32),
)
_LOOK = {ALL: (COLOURS[2][0], "all", PAPER), SOME: (COLOURS[2][1], "part", INK), NONE: (PAPER, "–", QUIET)}


def draw_networks(
    canvas: Canvas, networks: Sequence[Network], vrfs: Mapping[str, Vrf], x: float, y: float, width: float
) -> float:
    """The networks with what keeps them apart; the next free ``y``."""
    if not networks:
        return y
    canvas.text(x, y, "Networks", size=13, bold=True, fill=INK, room=width)
    top = y + 24
    _row(canvas, [title for title, _share in _COLUMNS], x, top, width, bold=True)
    canvas.line(x, top + 6, x + width, top + 6, stroke=RULE)
    for number, network in enumerate(networks[:MOST_NETWORKS]):
        prefix = ", ".join(filter(None, (network.v4, network.v6)))
        vlan, vni = (str(value) if value else "" for value in (network.vlan, network.vni))
        instance = vrfs.get(network.vrf)
        name = network.vrf or "default"
        name += f" (VNI {instance.vni})" if instance and instance.vni else ""
        cells = [name, network.environment or "several", network.name, vlan, vni, prefix]
        _row(canvas, cells, x, top + (number + 1) * ROW + 4, width)
    end = top + (min(len(networks), MOST_NETWORKS) + 1) * ROW + 4
    if len(networks) > MOST_NETWORKS:
        more = f"and {len(networks) - MOST_NETWORKS} more"
        canvas.text(x, end, more, size=10, fill=QUIET, room=width)
        end += ROW
    return end


def _row(canvas: Canvas, cells: Sequence[str], x: float, y: float, width: float, *, bold: bool = False) -> None:
    for text, (_title, share) in zip(cells, _COLUMNS):
        canvas.text(x, y, text, size=10, bold=bold, fill=INK if not bold else QUIET, room=share * width - 8)
        x += share * width


def draw_matrix(
    canvas: Canvas, environments: Sequence[Environment], right: float, y: float, ends: list[float]
) -> float:
    """Whose routes each environment hears of; its width, with its lower end added to ``ends``."""
    shown = environments[:MOST_ENVIRONMENTS]
    width = LABEL + CELL * len(shown)
    x = right - width
    canvas.text(x, y, "Who hears of whom", size=13, bold=True, fill=INK, room=width)
    top = y + 12
    for number, other in enumerate(shown):
        left = x + LABEL + number * CELL
        canvas.text(
            left + CELL / 2, top + 14, other.name, size=9, bold=True, fill=QUIET, anchor="middle", room=CELL - 4
        )
    for row, one in enumerate(shown):
        line = top + 22 + row * (ROW + 4)
        canvas.text(x, line + 14, one.name, size=10, fill=INK, room=LABEL - 10)
        for column, other in enumerate(shown):
            colour, word, ink = _LOOK[hears(one, other)]
            left = x + LABEL + column * CELL
            canvas.rect(left + 1, line, CELL - 2, ROW + 2, fill=colour, stroke=RULE)
            canvas.text(left + CELL / 2, line + 14, word, size=10, fill=ink, anchor="middle", room=CELL - 8)
    end = top + 22 + len(shown) * (ROW + 4) + 14
    note = "A row hears of its columns: all, part, nothing (–)."
    if len(environments) > len(shown):
        note = f"{len(environments) - len(shown)} more environments are on the page."
    canvas.text(x, end, note, size=9, fill=QUIET, room=width)
    ends.append(end + ROW)
    return width
