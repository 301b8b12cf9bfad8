# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which flavor fits a machine: ranked, with reasons, and never one that is too small.

Extra specs decide, then what an SCS name says. What neither says is unknown, and unknown is not enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from . import names
from .model import Flavor

CPU_ORDER = tuple(names.CPU_TYPES.values())
DISK_ORDER = tuple(names.DISK_TYPES.values())

#: Extra specs that give a machine something rare; one who did not ask for it should not take it.
_RARE = ("pci_passthrough:", "resources:", "trait:", "aggregate_instance_extra_specs:", "capabilities:")


@dataclass(frozen=True)
class Request:
    """What a machine needs at least.

    :param ram: MiB; ``disk``: GB of the root disk, 0 when it boots from a volume.
    :param cpu_type: the weakest that is good enough; ``disk_type`` likewise.
    :param properties: extra specs that must have exactly these values.
    :param limits: the most of vcpus, ram and disk that may be taken.
    """

    name: str
    vcpus: int = 1
    ram: int = 1
    disk: int = 0
    cpu_type: str = ""
    disk_type: str = ""
    architecture: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """A flavor that fits.

    :param score: how much more it has than was asked for, 0 is exact; the smallest is the best.
    """

    flavor: Flavor
    score: float
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        sizes = {key: getattr(self.flavor, key) for key in ("id", "name", "vcpus", "ram", "disk")}
        return {**sizes, "score": self.score, "reasons": list(self.reasons)}


@dataclass(frozen=True)
class Facts:
    """What is known about a flavor beside its sizes; empty is unknown."""

    cpu_type: str = ""
    disk_type: str = ""
    architecture: str = ""


def request_of(given: Mapping[str, Any]) -> Request:
    """A request from the options of a task.

    :raises InputError: a number is too small.
    """
    name = str(given.get("name") or "machine")
    for key in ("vcpus", "ram"):
        if given.get(key) is not None and given[key] < 1:
            raise InputError(f"{name}: {key} is less than 1")
    limits = {key: given[f"max_{key}"] for key in ("vcpus", "ram", "disk") if given.get(f"max_{key}") is not None}
    return Request(
        name=name,
        vcpus=given.get("vcpus") or 1,
        ram=given.get("ram") or 1,
        disk=given.get("disk") or 0,
        cpu_type=given.get("cpu_type") or "",
        disk_type=given.get("disk_type") or "",
        architecture=given.get("architecture") or "",
        properties={str(key): str(value) for key, value in (given.get("properties") or {}).items()},
        limits=limits,
    )


def requests_of(given: Sequence[Mapping[str, Any]]) -> list[Request]:
    """All requests of a task.

    :raises InputError: two machines have one name, or a number is too small.
    """
    found = [request_of(one) for one in given]
    called = [one.name for one in found]
    twice = sorted({name for name in called if called.count(name) > 1})
    if twice:
        raise InputError(f"Several machines are called {', '.join(twice)}")
    return found


def failure(missing: Sequence[str], count: int) -> str:
    """The message when machines get no flavor."""
    return f"None of {count} flavors fits {', '.join(missing)}; rejected says why"


def facts_of(flavor: Flavor) -> Facts:
    """What extra specs say, and where they do not, the name."""
    specs = flavor.specs or {}
    try:
        meant = names.parse(flavor.name) if names.is_scs(flavor.name) else None
    except InputError:
        meant = None
    cpu = specs.get("scs:cpu-type") or (meant.cpu_type if meant else "")
    if not cpu and specs.get("hw:cpu_policy") == "dedicated":
        cpu = "dedicated-thread"
    disk = specs.get("scs:disk0-type") or (names.DISK_TYPES.get(meant.disk_type, "") if meant else "")
    return Facts(cpu, disk, meant.architecture if meant else "")


def rank(request: Request, flavors: Iterable[Flavor]) -> tuple[list[Match], dict[str, list[str]]]:
    """The flavors that fit, the best first, and why each other one does not."""
    fits, rejected = [], {}
    for flavor in flavors:
        if flavor.kept_for:
            continue
        facts = facts_of(flavor)
        problems = _problems(request, flavor, facts)
        if problems:
            rejected[flavor.name] = problems
        else:
            fits.append(_match(request, flavor, facts))
    return sorted(fits, key=lambda match: (match.score, match.flavor.name)), rejected


def _problems(request: Request, flavor: Flavor, facts: Facts) -> list[str]:
    """Why a flavor does not do."""
    found = []
    for key, unit in (("vcpus", "vCPUs"), ("ram", "MiB of memory"), ("disk", "GB of disk")):
        has, wanted = getattr(flavor, key), getattr(request, key)
        if has < wanted:
            found.append(f"{has} {unit}, {wanted} are needed")
        elif has > request.limits.get(key, has):
            found.append(f"{has} {unit}, at most {request.limits[key]} are allowed")
    found += _weaker("CPU", request.cpu_type, facts.cpu_type, CPU_ORDER)
    if request.disk:
        found += _weaker("disk", request.disk_type, facts.disk_type, DISK_ORDER)
    if request.architecture and facts.architecture != request.architecture:
        found.append(f"it is for {facts.architecture or 'an architecture it does not say'}, not {request.architecture}")
    specs = flavor.specs or {}
    for key, value in request.properties.items():
        if specs.get(key) != value:
            found.append(f"{key} is {specs.get(key, 'not set')}, not {value}")
    return found


def _weaker(what: str, wanted: str, has: str, order: tuple[str, ...]) -> list[str]:
    if not wanted:
        return []
    if has not in order:
        return [f"it does not say of which type its {what} is, {wanted} is needed"]
    return [f"its {what} is {has}, {wanted} is needed"] if order.index(has) < order.index(wanted) else []


def _match(request: Request, flavor: Flavor, facts: Facts) -> Match:
    """How much a flavor has too much, and in which words."""
    score, reasons = 0.0, []
    for key, unit in (("vcpus", "vCPUs"), ("ram", "MiB of memory")):
        has, wanted = getattr(flavor, key), getattr(request, key)
        score += has / wanted - 1
        reasons.append(f"{has} {unit}" + (f", {has - wanted} more than needed" if has > wanted else ", as needed"))
    # A disk of 100 GB that nobody asked for weighs as much as doubling the CPUs.
    score += (flavor.disk - request.disk) / max(request.disk, 100)
    reasons.append(_disk_reason(request, flavor))
    for wanted, has, order in (
        (request.cpu_type, facts.cpu_type, CPU_ORDER),
        (request.disk_type, facts.disk_type, DISK_ORDER),
    ):
        better = order.index(has) - order.index(wanted) if wanted and has in order else 0
        if better > 0:
            score += 0.25 * better
            reasons.append(f"{has} instead of {wanted}")
    if not request.cpu_type and facts.cpu_type in CPU_ORDER[2:]:
        score += 1
        reasons.append(f"{facts.cpu_type}, which was not asked for")
    if not request.cpu_type and facts.cpu_type == CPU_ORDER[0]:
        score += 0.25
        reasons.append(f"{facts.cpu_type}, on which less CPU is to be had")
    rare = sorted(key for key in flavor.specs or {} if key.startswith(_RARE) and key not in request.properties)
    if rare:
        score += len(rare)
        reasons.append(f"{', '.join(rare)}, which was not asked for")
    return Match(flavor, round(score, 4), tuple(reasons))


def _disk_reason(request: Request, flavor: Flavor) -> str:
    if not flavor.disk:
        return "no disk: boots from a volume"
    more = flavor.disk - request.disk
    return f"{flavor.disk} GB of disk" + (f", {more} more than needed" if more else ", as needed")
