# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The plan of a migration: facts of the source, facts of the target and what people chose, put together. Pure.

What stands against one machine keeps that machine out of every wave, and is told; what stands against the plan as a whole
(collisions, quotas, options that mean nothing) lets it not be ready.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ...openstack.flavors import match
from ...vmware.model import Vm
from . import clashes, estimate
from .choices import MANY, Choices, Override
from .model import Document, Machine, Wave
from .parts import Case, disks_of, ports_of
from .source import Candidate, candidate, matching, names_of
from .target import TargetCloud


def plan(vms: Sequence[Vm], target: TargetCloud, choices: Choices) -> Document:
    """The whole plan; the same facts and choices give the same one, in whatever order they came."""
    ordered = sorted(vms, key=lambda vm: (vm.name, vm.endpoint, vm.uuid))
    problems = _unknown(ordered, choices)
    overrides = {vm.uuid: _override(vm, choices) for vm in ordered}
    machines = [_machine(vm, target, choices, overrides[vm.uuid]) for vm in ordered]
    going = [one for one in machines if not one.problems]
    found = clashes.collisions(going, target)
    need = clashes.needs(going, target)
    problems += [one.message for one in found] + clashes.shortages(need)
    waves = _waves(ordered, going, choices)
    of = {uuid: wave.name for wave in waves for uuid in wave.machines}
    disks = [disk for one in going for disk in one.disks]
    return Document(
        project=target.project,
        machines=tuple(dataclasses.replace(one, wave=of.get(one.uuid, "")) for one in machines),
        waves=waves,
        collisions=found,
        quota=need,
        bytes=estimate.total(disks),
        estimate=estimate.together([wave.estimate for wave in waves]),
        settings=_settings(choices),
        problems=tuple(problems),
    )


def left_out(document: Document) -> list[str]:
    """The machines that cannot be migrated, with the reasons."""
    return [f"{one.label} is left out: {'; '.join(one.problems)}" for one in document.machines if one.problems]


def values(document: Document) -> dict[str, Any]:
    """What ``vm_migration_plan`` returns."""
    found = {"ready": document.ready, "problems": list(document.problems), "left_out": left_out(document)}
    return {"digest": document.digest, **found, "document": document.as_dict()}


def failure(document: Document) -> str:
    """Why a plan is not ready; empty when it is."""
    if document.ready:
        return ""
    lines = document.problems or left_out(document) or ("no machine was named",)
    return "\n".join(["The plan is not ready:", *lines])


def warnings_of(document: Document) -> list[str]:
    """What people should see even when they do not read the file."""
    lines = left_out(document)
    per_host = int(document.settings["limits"]["host"])
    if per_host > MANY or not per_host:
        what = f"{per_host} disks" if per_host else "Any number of disks"
        lines.append(f"{what} of one ESXi host at once: from {MANY} on its memory for NFC becomes short")
    return lines


def _settings(choices: Choices) -> dict[str, Any]:
    found: dict[str, Any] = {key: getattr(choices, key) for key in ("method", "transport", "converters")}
    return {**found, "limits": dataclasses.asdict(choices.limits), "rates": dataclasses.asdict(choices.rates)}


def _unknown(vms: Sequence[Vm], choices: Choices) -> list[str]:
    """Names in options that mean no machine, or several."""
    problems = []
    for where, names in [("overrides", list(choices.vms))] + [
        (f"wave {one.name}", list(one.vms)) for one in choices.waves
    ]:
        for name in names:
            found = matching(vms, name)
            if not found:
                problems.append(f"{where}: there is no machine {name}")
            elif len(found) > 1:
                others = ", ".join(names_of(vm)[1] for vm in found)
                problems.append(f"{where}: {name} is the name of {others}; write one of these, or its uuid")
    in_waves: dict[str, list[str]] = {}
    for wave in choices.waves:
        for vm in {vm.uuid: vm for name in wave.vms for vm in matching(vms, name)}.values():
            in_waves.setdefault(f"{vm.name} at {vm.endpoint}", []).append(wave.name)
    problems += [f"{label} is in waves {', '.join(names)}" for label, names in in_waves.items() if len(names) > 1]
    return problems


def _override(vm: Vm, choices: Choices) -> Override:
    return next((choices.vms[name] for name in names_of(vm) if name in choices.vms), Override())


def _machine(vm: Vm, target: TargetCloud, choices: Choices, override: Override) -> Machine:
    source = candidate(vm, choices, override)
    problems, notes = list(source.problems), list(source.notes)
    server = override.server or vm.name
    case = Case(source, server, target, choices, override, problems, notes)
    flavor, flavor_id, reasons = _flavor(source, target, override, problems)
    zone = override.zone or choices.zone
    if zone and zone not in target.zones:
        problems.append(f"there is no availability zone {zone}, but {', '.join(target.zones) or 'none at all'}")
    if not server or len(server) > 255:
        problems.append("a name of a server has 1 to 255 characters")
    return Machine(
        uuid=vm.uuid,
        name=vm.name,
        endpoint=vm.endpoint,
        moid=vm.moid,
        host=vm.esxi_host or vm.endpoint,
        power="off" if vm.power == "off" else "on",
        server=server,
        flavor=flavor,
        flavor_id=flavor_id,
        reasons=reasons,
        zone=zone,
        transport=source.transport,
        fallback=source.fallback,
        disks=disks_of(case),
        ports=tuple(ports_of(case)),
        properties=dict(source.properties),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _flavor(
    source: Candidate, target: TargetCloud, override: Override, problems: list[str]
) -> tuple[str, str, tuple[str, ...]]:
    """Name, id and reasons of the flavor: the one that people chose when it is large enough, else the best."""
    request = match.Request(source.label, vcpus=max(1, source.vm.cpus), ram=max(1, source.vm.memory_mb))
    offered = list(target.flavors)
    if override.flavor:
        offered = [one for one in offered if override.flavor in (one.name, one.id)]
        if not offered:
            problems.append(f"there is no flavor {override.flavor}")
            return "", "", ()
    wanted = "aarch64" if source.vm.os_guess.arch == "aarch64" else "x86_64"
    fits, rejected = match.rank(request, [one for one in offered if match.facts_of(one).architecture in ("", wanted)])
    if not fits and not rejected and override.flavor:
        problems.append(f"flavor {override.flavor} is not for {wanted}")
        return "", "", ()
    if not fits:
        why = f" ({'; '.join(rejected[override.flavor])})" if override.flavor in rejected else ""
        problems.append(f"no flavor has {request.vcpus} vCPUs and {request.ram} MiB of memory{why}")
        return "", "", ()
    return fits[0].flavor.name, fits[0].flavor.id, fits[0].reasons


# Waves.


def _waves(vms: Sequence[Vm], going: Sequence[Machine], choices: Choices) -> tuple[Wave, ...]:
    by = {one.uuid: one for one in going}
    left = dict(by)
    named: list[tuple[str, list[Machine]]] = []
    for choice in choices.waves:
        uuids = dict.fromkeys(vm.uuid for name in choice.vms for vm in matching(vms, name))
        named.append((choice.name, [left.pop(uuid) for uuid in uuids if uuid in left]))
    rest = list(left.values())
    size = choices.wave_size or len(rest) or 1
    taken = {name for name, _machines in named}
    for number, first in enumerate(range(0, len(rest), size), 1):
        plain = f"wave-{number}"
        name = plain if plain not in taken else f"{plain}-others"
        named.append((name, rest[first : first + size]))
    return tuple(
        Wave(
            name,
            tuple(one.uuid for one in machines),
            estimate.total(disk for one in machines for disk in one.disks),
            estimate.estimate(machines, choices),
        )
        for name, machines in named
        if machines
    )
