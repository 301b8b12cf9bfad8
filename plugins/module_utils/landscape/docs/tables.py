# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the pages and pictures look like: colours, patterns, names of sections."""

from __future__ import annotations

#: Parts of the documentation that can be asked for; ``index.md`` is always written.
SECTIONS = ("racks", "topology", "fabric", "cables", "power", "addresses", "devices", "environments", "models")

#: Colours that people with any kind of colour blindness can tell apart on white paper (after Okabe and Ito, 2008, with
#: the yellow darkened for print), and a pale tint of each for surfaces behind black text.
COLOURS: tuple[tuple[str, str], ...] = (
    ("#0072b2", "#e6f1f8"),
    ("#d55e00", "#fbeee6"),
    ("#009e73", "#e6f5f1"),
    ("#7b4fa3", "#f1ecf6"),
    ("#a67c00", "#f7f2e1"),
    ("#3d8fc9", "#ebf4fa"),
    ("#b0436e", "#f8ebf1"),
    ("#5b6770", "#eef0f1"),
    ("#6b7d0a", "#f1f4e1"),
    ("#8a5a2b", "#f5eee8"),
)
#: Second sign beside the colour: angle and distance of the lines in the bar of a role; nothing for a plain bar.
PATTERNS: tuple[tuple[int, float], ...] = ((0, 0), (45, 5), (135, 5), (90, 4), (0, 4), (45, 9), (135, 9))

INK = "#1b242c"
QUIET = "#55626d"
FAINT = "#8d99a3"
RULE = "#d5dbe0"
PAPER = "#ffffff"
SHADE = "#f5f7f8"
ALARM = "#b3261e"
ALARM_TINT = "#fdecea"

#: Paper at 96 pixels per inch.
A4 = (794, 1123)
A3_LANDSCAPE = (1587, 1123)

#: How people call the purpose of a range and the kinds of networks, feeds and cables.
RANGE_WORDS: dict[str, str] = {
    "dhcp": "given out by DHCP",
    "reserved": "reserved",
    "virtual": "virtual addresses",
    "uplink": "uplink",
}
