# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What NetBox and a landscape call the same things; shared by the importer and the renderer.

Names of NetBox are those of its REST API (3.7 to 4.x) and of the modules of the collection netbox.netbox, which
osism/netbox-manager applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: Interface type to speed and connector (dcim.choices.InterfaceTypeChoices); the first one of a pair is written.
INTERFACES: tuple[tuple[str, str, str], ...] = (
    ("100base-tx", "100M", "rj45"),
    ("1000base-t", "1G", "rj45"),
    ("2.5gbase-t", "2.5G", "rj45"),
    ("5gbase-t", "5G", "rj45"),
    ("10gbase-t", "10G", "rj45"),
    ("1000base-x-sfp", "1G", "sfp"),
    ("10gbase-x-sfpp", "10G", "sfp+"),
    ("25gbase-x-sfp28", "25G", "sfp28"),
    ("50gbase-x-sfp56", "50G", "sfp56"),
    ("50gbase-x-sfp28", "50G", "sfp56"),
    ("40gbase-x-qsfpp", "40G", "qsfp+"),
    ("100gbase-x-qsfp28", "100G", "qsfp28"),
    ("200gbase-x-qsfp56", "200G", "qsfp56"),
    ("200gbase-x-qsfpdd", "200G", "qsfp-dd"),
    ("400gbase-x-qsfpdd", "400G", "qsfp-dd"),
    ("400gbase-x-osfp", "400G", "osfp"),
    ("800gbase-x-qsfpdd", "800G", "qsfp-dd"),
    ("800gbase-x-osfp", "800G", "osfp"),
)
#: Interfaces that no cable ends in.
LOGICAL = ("virtual", "bridge", "lag", "loopback")
DEVICE_STATES = {"planned": "planned", "active": "active", "retired": "decommissioning"}
STATE_OF_STATUS = {"planned": "planned", "staged": "planned", "active": "active", "failed": "active", "inventory": "retired",
                   "offline": "retired", "decommissioning": "retired"}  # fmt: skip
#: Where the renderer keeps what NetBox has no place for: a key of a device's local context data, the name of a config context.
KEY = "landscape"
#: The loopback interface of every device, as osism/netbox-manager's own examples call it.
LOOPBACK = "Loopback0"
#: Device role and type of devices of others.
EXTERNAL = "external"
#: NetBox asks for a manufacturer where a landscape need not name one.
NO_VENDOR = "Other"

_BRACE = "{{ '{' }}"


def slug(name: str) -> str:
    """A NetBox slug: lower case, digits, dashes."""
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:100]


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A slug for each name; names that differ in case or punctuation alone get a number."""
    result: dict[str, str] = {}
    for name in names:
        wanted, number = slug(name) or "x", 2
        candidate = wanted
        while candidate in result.values():
            candidate, number = f"{wanted}-{number}", number + 1
        result[name] = candidate
    return result


def guarded(value: Any) -> Any:
    """Data that Ansible will template, with every brace that would open a template written as text."""
    if isinstance(value, str):
        return re.sub(r"\{(?=[{%#])", lambda _match: _BRACE, value) if "{" in value else value
    if isinstance(value, dict):
        return {guarded(key): guarded(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [guarded(child) for child in value]
    return value


def unguarded(value: Any) -> Any:
    """The opposite of :func:`guarded`."""
    if isinstance(value, str):
        return value.replace(_BRACE, "{")
    if isinstance(value, dict):
        return {unguarded(key): unguarded(child) for key, child in value.items()}
    if isinstance(value, list):
        return [unguarded(child) for child in value]
    return value


def folded_ranges(names: list[str]) -> list[str]:
    """Names with ranges written in braces: ``Ethernet0``, ``Ethernet4``, ``Ethernet8`` become ``Ethernet{0..8..4}``.

    Only three or more names in a row with one step are folded; the order stays.
    """
    result: list[str] = []
    position = 0
    while position < len(names):
        end, step = _run(names, position)
        if end - position >= 3:
            head, first = _split(names[position])
            last = _split(names[end - 1])[1]
            result.append(f"{head}{{{first}..{last}}}" if step == 1 else f"{head}{{{first}..{last}..{step}}}")
        else:
            result += names[position:end]
        position = end
    return result


def _split(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"(.*?)(0|[1-9][0-9]{0,3})", name)
    return (found[1], int(found[2])) if found and "{" not in name else (name, -1)


def _run(names: list[str], start: int) -> tuple[int, int]:
    """Where a run of equal steps ends (exclusive), and its step."""
    head, first = _split(names[start])
    if first < 0 or start + 1 >= len(names):
        return start + 1, 0
    step = _split(names[start + 1])[1] - first
    if step < 1 or step > 999:
        return start + 1, 0
    end = start + 1
    while end < len(names) and _split(names[end]) == (head, first + step * (end - start)):
        end += 1
    return end, step
