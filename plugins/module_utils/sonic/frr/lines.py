# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""FRR configuration as comparable data: sections, and in each a set of lines.

The order of rows within a table follows the database scan in SONiC's boot file, so lines of a section are a set;
what has an order (prefix lists, route maps) carries its sequence number in the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: A section: () is the top, ("router bgp 65101", "address-family ipv4 unicast") is two levels down.
Section = tuple[str, ...]
Lines = Mapping[Section, frozenset[str]]

_OPENERS = ("router ", "route-map ", "interface ", "vrf ", "bfd", "segment-routing", "key chain ")
_INNER = ("address-family ", "vni ")
_CLOSERS = {"exit", "exit-address-family", "exit-vrf", "exit-vni", "end"}
#: What FRR says about itself in a running configuration.
_NOISE = (
    "Building configuration",
    "Current configuration",
    "frr version ",
    "frr defaults ",
    "service integrated-vtysh",
)


class Sections:
    """Collects lines by section."""

    def __init__(self) -> None:
        self._found: dict[Section, set[str]] = {(): set()}

    def add(self, section: Section, *lines: str) -> None:
        """Puts lines into a section; a section may be empty, ``route-map ALLOW permit 10`` says something by itself."""
        self._found.setdefault(section, set()).update(" ".join(line.split()) for line in lines)

    def frozen(self) -> dict[Section, frozenset[str]]:
        """What was collected."""
        return {section: frozenset(lines) for section, lines in self._found.items()}


def parse(text: str) -> dict[Section, frozenset[str]]:
    """A configuration file, or the output of ``show running-config``, as sections."""
    found = Sections()
    section: Section = ()
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if line.startswith("!"):
            # an indented one parts address families; only at the margin it ends a section
            section = () if raw.startswith("!") else section
        elif line in _CLOSERS:
            section = section[:-1] if line != "end" else ()
        elif not line or line.startswith(_NOISE):
            continue
        elif line.startswith(_OPENERS) and not raw.startswith("  "):
            section = (line,)
            found.add(section)
        elif section and line.startswith(_INNER) and section[0].startswith("router ") and len(section) < 3:
            section = (*section, line)
            found.add(section)
        else:
            found.add(section, line)
    return found.frozen()


def text(lines: Lines) -> str:
    """The sections as a file: sorted, so that equal configurations are equal files."""
    out = [*sorted(lines.get((), ())), "!"]
    for section in sorted(key for key in lines if len(key) == 1):
        out += [section[0], *(f" {line}" for line in sorted(lines[section]))]
        for inner in sorted(key for key in lines if len(key) == 2 and key[0] == section[0]):
            out += [" !", f" {inner[1]}", *(f"  {line}" for line in sorted(lines[inner])), " exit-address-family"]
        out += ["exit", "!"]
    return "\n".join(out) + "\n"


def shown(lines: Lines, unshown: Iterable[str]) -> dict[Section, frozenset[str]]:
    """What FRR shows of it: without ``unshown`` lines, its own defaults and sections that say nothing."""
    hidden = frozenset(unshown)
    kept: dict[Section, frozenset[str]] = {}
    for section, found in lines.items():
        left = frozenset(line for line in found - hidden if not _is_default(section, line))
        if left or not section or (len(section) == 1 and not section[0].startswith("interface ")):
            kept[section] = left
    return kept


def _is_default(section: Section, line: str) -> bool:
    """Interfaces watch their link, and EVPN keeps next hops, unless told otherwise."""
    if line == "link-detect":
        return True
    return section[-1:] == ("address-family l2vpn evpn",) and line.endswith(" attribute-unchanged next-hop")


def missing(wanted: Lines, found: Lines) -> list[tuple[Section, str]]:
    """Lines of ``wanted`` that are not in ``found``, sorted; a missing empty section shows as a line without text."""
    lacking: list[tuple[Section, str]] = []
    for section in sorted(wanted):
        there = found.get(section)
        lacking += [(section, line) for line in sorted(wanted[section] - (there or frozenset()))]
        if there is None and not wanted[section]:
            lacking.append((section, ""))
    return lacking
