# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about racks and power: what takes which place, and which feed."""

from __future__ import annotations

from collections.abc import Iterator

from ..derive import ResolvedDevice
from ..finding import Finding
from .index import Index, refused, words
from .naming import compiled
from .registry import Rule, rule


def _units(device: ResolvedDevice) -> range:
    height = device.model.height if device.model else 1
    unit = device.device.unit
    return range(unit, unit + height) if unit is not None else range(0)


#: So many devices are remembered per unit; a chassis has fewer slots.
_HOLDERS = 32


@rule(
    "R01",
    "error",
    "Two devices in one rack unit",
    why="One of them is not where the landscape says, and remote hands will touch the wrong one.",
    source="A rack unit holds one device (EIA-310), or one node per slot of a shared chassis",
    hint="look into the rack; a planned device may take the place of a retired one",
)
def overlap(rule: Rule, index: Index) -> Iterator[Finding]:
    pattern, _reason = compiled(index.landscape.naming)
    taken: dict[tuple[str, int], list[tuple[ResolvedDevice, str]]] = {}
    for device in index.devices:
        match = pattern.fullmatch(device.name) if pattern is not None else None
        slot = (match.groupdict().get("slot") or "") if match else ""
        met: dict[str, int] = {}
        for unit in _units(device) if device.device.rack else ():
            holders = taken.setdefault((device.device.rack, unit), [])
            for other, other_slot in holders:
                states = {device.device.state, other.device.state}
                if states != {"planned", "retired"} and (not slot or not other_slot or slot == other_slot):
                    met.setdefault(other.name, unit)
            if len(holders) < _HOLDERS:
                holders.append((device, slot))
        if met:
            neighbours = list(met)
            unit = met[neighbours[0]]
            message = f"unit {unit} of rack {device.device.rack} is also taken by {words(neighbours[:3])}"
            yield rule.finding(device.device, "unit", message, found=unit)


@rule(
    "R02",
    "error",
    "Device reaches out of the rack",
    why="The place does not exist.",
    source="Height of the rack and of the device model",
    hint="correct the unit, the height of the model or the units of the rack",
)
def outside(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        rack = index.landscape.racks.get(device.device.rack)
        units = _units(device)
        if rack and rack.units and units and units[-1] > rack.units:
            message = f"{device.name} takes units {units[0]} to {units[-1]}, but rack {rack.name} has {rack.units}"
            yield rule.finding(device.device, "unit", message, found=units[-1], expected=rack.units)


@rule(
    "R03",
    "error",
    "Power supplies and feeds do not agree",
    why="Nobody can say what goes down with a feed.",
    source="Power supplies of the device model",
    hint="look at the back of the machine, then write one feed per power supply",
)
def supplies(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        model = device.model
        if model is None or device.device.state == "retired":
            continue
        for psu in device.device.power:
            if psu not in model.psus:
                expected = words(model.psus) if model.psus else "none"
                message = f"power names supply {psu}, but {model.name} has {expected}"
                hint = index.nearest(psu, model.psus) or rule.hint
                yield rule.finding(device.device, "power", message, found=psu, expected=expected, hint=hint)
        missing = [psu for psu in model.psus if psu not in device.device.power]
        if missing and device.device.state == "active":
            yield rule.finding(
                device.device,
                "power",
                f"no feed is given for power supply {words(missing)}",
                expected=words(model.psus),
            )


@rule(
    "R04",
    "warning",
    "All power supplies on one feed",
    why="The feed fails, and the machine with it, although it has a second supply.",
    source="Redundant power: one supply per feed",
    hint="move one of them to another feed",
)
def one_feed(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        feeds = set(device.device.power.values())
        if len(device.device.power) > 1 and len(feeds) == 1:
            message = f"power supplies {words(device.device.power)} are all on feed {words(feeds)}"
            yield rule.finding(device.device, "power", message, found=words(feeds))


@rule(
    "R05",
    "error",
    "Feed does not reach the rack",
    why="The plug cannot be where the landscape says.",
    source="Feeds of the rack",
    hint="correct the feed, or add it to the feeds of the rack",
)
def feed_elsewhere(rule: Rule, index: Index) -> Iterator[Finding]:
    for rack in index.landscape.racks.values():
        for name in rack.feeds:
            feed = index.landscape.feeds.get(name)
            if feed and feed.site and rack.site and feed.site != rack.site:
                message = f"feed {name} is at site {feed.site}, rack {rack.name} at {rack.site}"
                yield rule.finding(rack, "feeds", message, found=feed.site, expected=rack.site)
    for device in index.devices:
        home = index.landscape.racks.get(device.device.rack)
        for psu, feed_name in device.device.power.items() if home else ():
            if home and feed_name in index.landscape.feeds and feed_name not in home.feeds:
                message = f"power supply {psu} is on feed {feed_name}, which does not reach rack {home.name}"
                expected = words(home.feeds)
                yield rule.finding(device.device, "power", message, found=feed_name, expected=expected)


@rule(
    "R06",
    "warning",
    "Active device without a place",
    why="Nobody finds it, and its units look free.",
    source="Every active device with a height stands in a rack",
    hint="write its rack and its lowest unit",
)
def no_place(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.active:
        own = device.device
        missing = [field for field in ("rack", "unit") if not getattr(own, field) and not refused(own, field)]
        if missing and device.model and device.model.height:
            yield rule.finding(device.device, missing[0], f"{words(missing)} of {device.name} is missing")
