# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What people write into cells, as values of the landscape."""

from __future__ import annotations

import datetime
import ipaddress
import re
from dataclasses import dataclass

from ..model import SPEEDS
from ..schema import NAME_PATTERN, PORT_PATTERN

#: Ways to say that there is nothing.
NOTHING = ("", "-", "--", "–", "none", "n/a", "na", "null", "nil", "~", "?", "tbd", "unknown")
_STATES = {
    "deactivated": "deactivated",
    "disabled": "deactivated",
    "down": "deactivated",
    "admin down": "deactivated",
    "shutdown": "deactivated",
    "inactive": "deactivated",
    "planned": "planned",
    "future": "planned",
    "active": "active",
    "up": "active",
    "connected": "active",
}
_CONNECTORS = (
    ("qsfp-dd", "qsfp-dd"),
    ("qsfp56", "qsfp56"),
    ("qsfp28", "qsfp28"),
    ("qsfp+", "qsfp+"),
    ("osfp", "osfp"),
    ("sfp56", "sfp56"),
    ("sfp28", "sfp28"),
    ("sfp+", "sfp+"),
    ("sfp", "sfp"),
    ("rj45", "rj45"),
    ("rj-45", "rj45"),
    ("base-t", "rj45"),
    ("cat6", "rj45"),
    ("serial", "serial"),
)
#: The highest speed of a socket, where its name says it (SFF-8402, SFF-8431, SFF-8436, SFF-8665).
_HIGHEST = {"sfp": "1G", "sfp+": "10G", "sfp28": "25G", "qsfp+": "40G", "qsfp28": "100G", "rj45": "10G"}
_SPEED = re.compile(r"(?<![a-z0-9.])(\d+(?:\.5)?)\s*(g|m)(?:be|bit|bps|base|b)?(?![a-z0-9])", re.IGNORECASE)
_TAG = re.compile(r"(?:(vlan|vxlan|vni)\s*[:#]?\s*)?(\d{1,8})", re.IGNORECASE)


class BadCell(ValueError):
    """A cell cannot be what its column says."""


def text(cell: str) -> str:
    """The cell, or an empty text when it says that there is nothing."""
    return "" if cell.strip().lower() in NOTHING else cell.strip()


def name(cell: str) -> str:
    """The name of an object."""
    return _like(cell, NAME_PATTERN, "a name")


def port(cell: str) -> str:
    """The name of a port."""
    return _like(cell, PORT_PATTERN, "the name of a port")


def _like(cell: str, pattern: str, what: str) -> str:
    if not re.fullmatch(pattern, cell.strip()):
        raise BadCell(f"{cell[:60]!r} cannot be {what}")
    return cell.strip()


def slug(cell: str) -> str:
    """A cell as a name of our own: lower case, dashes between words."""
    return name(re.sub(r"[^a-z0-9]+", "-", cell.lower()).strip("-")[:60])


def mac(cell: str) -> str:
    """A MAC address in any of the usual spellings."""
    digits = re.sub(r"[:.\-\s]", "", cell.lower())
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise BadCell(f"{cell[:60]!r} is no MAC address")
    if int(digits[:2], 16) & 1:
        raise BadCell(f"{cell[:60]!r} is a multicast address, no port has it")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def ipv4(cell: str) -> str:
    """An IPv4 address; a prefix length behind it is dropped."""
    try:
        return str(ipaddress.IPv4Interface(cell.strip()).ip)
    except ValueError as error:
        raise BadCell(f"{cell[:60]!r} is no IPv4 address") from error


def ipv6(cell: str) -> str:
    """An IPv6 address; a prefix length behind it is dropped."""
    try:
        return str(ipaddress.IPv6Interface(cell.strip()).ip)
    except ValueError as error:
        raise BadCell(f"{cell[:60]!r} is no IPv6 address") from error


def prefix(cell: str) -> tuple[str, str]:
    """``v4`` or ``v6``, and the prefix."""
    try:
        network = ipaddress.ip_network(cell.strip())
    except ValueError as error:
        reason = "has host bits set" if "host bits" in str(error) else "is no prefix"
        raise BadCell(f"{cell[:60]!r} {reason}") from error
    return f"v{network.version}", str(network)


def number(cell: str, low: int, high: int) -> int:
    """A whole number."""
    if not re.fullmatch(r"\d{1,12}", cell.strip()) or not low <= int(cell) <= high:
        raise BadCell(f"{cell[:60]!r} is no number from {low} to {high}")
    return int(cell)


def asn(cell: str) -> int:
    """An AS number, also in the dotted form of RFC 5396."""
    dotted = re.fullmatch(r"(\d{1,5})\.(\d{1,5})", cell.strip())
    if dotted:
        return number(str(int(dotted[1]) * 65536 + int(dotted[2])), 1, 4294967295)
    return number(re.sub(r"(?i)^as\s*", "", cell.strip()), 1, 4294967295)


def date(cell: str) -> str:
    """A date, as 2023-10-12 or 12.10.2023."""
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"):
        try:
            return datetime.datetime.strptime(cell.strip(), form).date().isoformat()
        except ValueError:
            continue
    raise BadCell(f"{cell[:60]!r} is no date like 2026-12-31")


def tag(cell: str) -> tuple[str, int]:
    """``vlan`` or ``vni``, and its number: ``VLAN 23``, ``VXLAN 80``, ``23``."""
    found = _TAG.fullmatch(cell.strip())
    if not found:
        raise BadCell(f"{cell[:60]!r} is neither a VLAN nor a VXLAN")
    is_vni = (found[1] or "vlan").lower() in ("vxlan", "vni")
    return ("vni", number(found[2], 1, 16777215)) if is_vni else ("vlan", number(found[2], 1, 4094))


def yes(cell: str) -> bool:
    """Whether the cell says yes."""
    return cell.strip().lower() in ("yes", "y", "true", "1", "x", "ja", "on")


def state(cell: str) -> str:
    """The state of a cable, or an empty text when the cell says something else."""
    return _STATES.get(cell.strip().lower(), "")


@dataclass(frozen=True)
class LinkType:
    """What a link type such as ``RJ45/1GBE`` says; ``doubt`` is why its connector cannot be believed."""

    connector: str = ""
    speed: str = ""
    doubt: str = ""


def link_type(cell: str) -> LinkType:
    """Connector and speed out of a cell such as ``QSFP28/100G``.

    :raises BadCell: the cell says something, but neither a connector nor a speed.
    """
    lowered = cell.strip().lower()
    if not text(cell):
        return LinkType()
    connector = next((known for spelling, known in _CONNECTORS if spelling in lowered), "")
    found = _SPEED.search(lowered)
    speed = f"{found[1]}{found[2].upper()}" if found else ""
    if not connector and speed not in SPEEDS:
        raise BadCell(f"{cell[:60]!r} is no kind of link")
    highest = _HIGHEST.get(connector)
    if highest and speed in SPEEDS and SPEEDS.index(speed) > SPEEDS.index(highest):
        return LinkType("", speed, f"{connector} carries at most {highest}, not {speed}")
    return LinkType(connector, speed if speed in SPEEDS else "")


def lower(first: str | None, second: str | None) -> str:
    """The lower of two speeds; an unknown one does not count."""
    known = [speed for speed in (first, second) if speed in SPEEDS]
    return min(known, key=SPEEDS.index) if known else ""
