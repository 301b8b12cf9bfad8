# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How long the bytes of a wave take at least, and what that is due to. Pure.

An estimate is the largest of simple bounds, so that everybody can check it: the longest disk alone, all of a host, of a
datastore, of the converters, of the target. What was not measured bounds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...core.units import format_bytes
from .choices import Choices
from .model import Bytes, Disk, Estimate, Machine


def total(disks: Iterable[Disk]) -> Bytes:
    """All bytes of some disks."""
    everyone = list(disks)
    return Bytes(
        capacity=sum(one.capacity for one in everyone),
        allocated=sum(one.allocated for one in everyone),
        read=sum(one.read for one in everyone),
        sent=sum(one.sent for one in everyone),
    )


def estimate(machines: Sequence[Machine], choices: Choices) -> Estimate:
    """How long the disks of some machines take together."""
    bounds = list(_bounds(machines, choices))
    if not bounds:
        return Estimate(None, "no rate was measured")
    seconds, limit = max(bounds, key=lambda bound: bound[0])
    return Estimate(round(seconds, 1), limit)


def together(estimates: Sequence[Estimate]) -> Estimate:
    """Waves one after the other."""
    if not estimates or any(one.seconds is None for one in estimates):
        return Estimate(None, "no rate was measured")
    longest = max(estimates, key=lambda one: one.seconds or 0.0)
    return Estimate(round(sum(one.seconds or 0.0 for one in estimates), 1), longest.limit)


def _bounds(machines: Sequence[Machine], choices: Choices) -> Iterator[tuple[float, str]]:
    rates, limits = choices.rates, choices.limits
    disks = [(machine, disk) for machine in machines for disk in machine.disks]
    if rates.stream and disks:
        machine, longest = max(disks, key=lambda pair: pair[1].read)
        text = f"one disk: {longest.label} of {machine.label}, {_rate(rates.stream)}"
        yield longest.read / rates.stream, text
    places = {f"ESXi host {machine.host}": [] for machine in machines}  # type: dict[str, list[int]]
    stores: dict[str, list[int]] = {}
    for machine, disk in disks:
        places[f"ESXi host {machine.host}"].append(disk.read)
        stores.setdefault(f"datastore {disk.datastore} of {machine.endpoint}", []).append(disk.read)
    yield from _shared(places, rates.host, limits.host, rates.stream)
    yield from _shared(stores, rates.datastore, limits.datastore, rates.stream)
    count = choices.converters
    everything = {f"{count} converters" if count > 1 else "the converter": [disk.read for _machine, disk in disks]}
    yield from _shared(everything, rates.converter * count, limits.converter * count, rates.stream)
    yield from _shared({"all disks": everything.popitem()[1]}, 0, limits.total, rates.stream)
    if rates.target:
        sent = sum(disk.sent for _machine, disk in disks)
        yield sent / rates.target, f"the target: {_rate(rates.target)}"


def _shared(places: dict[str, list[int]], rate: float, limit: int, stream: float) -> Iterator[tuple[float, str]]:
    """The bounds of places, each of which has a rate of its own, or moves so many disks at once."""
    for name, sizes in sorted(places.items()):
        whole = sum(sizes)
        if rate:
            yield whole / rate, f"{name}: {_rate(rate)}"
        if limit and stream and len(sizes) > limit:
            yield whole / (limit * stream), f"{name}: {limit} disks at once, {_rate(stream)} each"


def _rate(rate: float) -> str:
    return f"{format_bytes(rate)}/s"
