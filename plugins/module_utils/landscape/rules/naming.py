# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about names, serial numbers and MAC addresses: what tells one device from another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ...core import expressions
from ..derive import ResolvedDevice
from ..finding import Finding
from ..model import Naming
from ..names import ways
from .index import Index, grouped, repeats, words
from .registry import Rule, rule

_STANDARD = "SCS hardware landscape, Hostname_Naming: <site>-<role>-<rack>-u<unit>"
#: A group that repeats without limit makes some expressions run for ages on a name that almost matches.
_LITERALS = re.compile(r"\\.|\[\^?\]?[^\]]*\]")
#: As a power of two: a name that almost matches is refused within about a second.
_MOST_WAYS = 24
_UNBOUNDED_GROUP = re.compile(r"\)(\*|\+|\{\d*,\})")


def compiled(naming: Naming | None) -> tuple[Any, str]:
    """The expression of the naming standard, or none and the reason."""
    if naming is None or not naming.pattern:
        return None, ""
    if _UNBOUNDED_GROUP.search(_LITERALS.sub("", naming.pattern)):
        return None, "repeats a group without limit; write {0,5} or the like"
    if ways(naming.pattern) > _MOST_WAYS:
        return None, "leaves too many ways to match a name; write fewer of + * ? |, or counts like {2}"
    try:
        return expressions.compiled(naming.pattern), ""
    except ValueError as error:
        return None, f"is no regular expression: {error}"


@rule(
    "N01",
    "error",
    "Name breaks the naming standard",
    why="Remote hands find a machine by its name; plays and documents read site, role and place out of it.",
    source=_STANDARD,
    hint="rename the device, or add it to the standard's exempt names",
)
def breaks_standard(rule: Rule, index: Index) -> Iterator[Finding]:
    naming = index.landscape.naming or Naming()
    pattern, reason = compiled(naming)
    if reason:
        yield rule.finding(naming, "pattern", f"the naming pattern {reason}", hint="mend the pattern")
    if pattern is None:
        return
    for device in index.devices:
        if device.name not in naming.exempt and not pattern.fullmatch(device.name):
            yield rule.finding(
                device.device, "", f"{device.name} does not match the naming standard", expected=naming.pattern
            )


@rule(
    "N02",
    "error",
    "Name and placement disagree",
    why="Somebody will pull the power of the machine that the name points at.",
    source=_STANDARD,
    hint="look where the device stands, then correct the name or the placement",
)
def name_and_placement(rule: Rule, index: Index) -> Iterator[Finding]:
    naming = index.landscape.naming or Naming()
    pattern, _reason = compiled(naming)
    for device in index.devices if pattern is not None else ():
        match = pattern.fullmatch(device.name)
        if match is None or device.name in naming.exempt:
            continue
        parts = {part: text for part, text in match.groupdict().items() if text}
        for field, part, allowed in _placement(device, index, parts):
            if not any(_same(part, name) for name in allowed):
                message = f"the name of {device.name} says {field} {part}, the landscape says {words(allowed)}"
                yield rule.finding(
                    device.device, "rack" if field == "site" else field, message, found=part, expected=words(allowed)
                )


def _placement(
    device: ResolvedDevice, index: Index, parts: dict[str, str]
) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    own = device.device
    rack = index.landscape.racks.get(own.rack)
    stated: dict[str, tuple[Any, ...]] = {
        "site": (rack.site,) if rack and rack.site else (),
        "role": (device.role.names or (device.role.name,)) if device.role else (),
        "rack": (own.rack,) if own.rack else (),
        "unit": (own.unit,) if own.unit is not None else (),
    }
    for field, allowed in stated.items():
        if field in parts and allowed:
            yield field, parts[field], allowed


def _same(part: str, stated: Any) -> bool:
    """Whether a part of a name means an object: equal, its last word (rack st01-r01), or its number (rack 01 of r1)."""
    text = str(stated)
    if part == text or text.endswith(("-" + part, "." + part, "_" + part)):
        return True
    digits = re.search(r"[0-9]+$", text)
    return part.isdecimal() and digits is not None and int(part) == int(digits.group())


@rule(
    "N03",
    "error",
    "Serial number given twice",
    why="Warranty, stock and discovery match machines by serial number.",
    source="A serial number is unique per maker",
    hint="read both stickers",
)
def serial_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    serials = ((device.device.serial, device.device) for device in index.devices if device.device.serial)
    for serial, first, second in repeats(serials):
        yield rule.finding(second, "serial", f"serial number {serial} is also that of {first.name}", found=serial)


@rule(
    "N04",
    "error",
    "MAC address given twice",
    why="DHCP gives both the same address; one of them cannot be reached.",
    source="IEEE 802: a MAC address is unique",
    hint="read both from the machines",
)
def mac_twice(rule: Rule, index: Index) -> Iterator[Finding]:
    macs = ((mac, (device.device, port)) for device in index.devices for port, mac in device.device.macs.items())
    for mac, (first, first_port), (second, port) in repeats(macs):
        message = f"MAC address {mac} of port {port} is also that of {first.name}/{first_port}"
        yield rule.finding(second, "macs", message, found=mac)


@rule(
    "N05",
    "warning",
    "MAC address of another maker",
    why="It was mistyped, or read off another machine.",
    source="IEEE registration authority: the first three octets name the maker; the model lists those it is built with",
    hint="read it again; if it is right, add its first three octets to mac_prefixes of the model",
)
def foreign_mac(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        prefixes = device.model.mac_prefixes if device.model else ()
        for port, mac in device.device.macs.items():
            if prefixes and mac[:8] not in prefixes:
                message = f"MAC address {mac} of port {port} does not begin with {words(prefixes)}"
                yield rule.finding(device.device, "macs", message, found=mac, expected=words(prefixes))


@rule(
    "N06",
    "error",
    "MAC address of a port that the model does not have",
    why="Nothing that looks for the port's address finds it.",
    source="The ports of the device model",
    hint="use the port's name as the model gives it",
)
def mac_of_unknown_port(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        for port in device.device.macs:
            if device.ports and port not in device.ports:
                message = f"macs names port {port}, which {device.device.model} does not have"
                yield rule.finding(
                    device.device, "macs", message, found=port, hint=index.nearest(port, device.ports) or rule.hint
                )


@rule(
    "N07",
    "warning",
    "MAC address missing that equal machines have",
    why="DHCP cannot give the port its address, so a new or reset controller stays out of reach.",
    source="Management ports where any device states its own; other ports where most machines of the model state theirs",
    hint="read it off the sticker or from the machine",
)
def mac_missing(rule: Rule, index: Index) -> Iterator[Finding]:
    managed = any(device.oob_mac for device in index.active)
    for devices in grouped((device.device.model, device) for device in index.active).values():
        counts = Counter(port for device in devices for port in device.device.macs)
        usual = [port for port, count in counts.items() if count >= 2 and count * 2 > len(devices)]
        for device in devices:
            wanted = [device.oob_port] if managed and device.oob_port else []
            missing = [port for port in dict.fromkeys(wanted + usual) if port not in device.device.macs]
            if missing:
                yield rule.finding(device.device, "macs", f"the MAC address of {words(missing)} is missing")
