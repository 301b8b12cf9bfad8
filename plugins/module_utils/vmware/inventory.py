# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""VMs of many endpoints as one Ansible inventory. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..core.errors import InputError
from . import rules, transports
from .finding import NOTHING_SAID, Limits
from .model import Vm

#: What VMs can be grouped by, with the prefix that the groups carry unless told otherwise.
GROUP_KEYS = ("wave", "endpoint", "host", "datastore", "os", "firmware", "power", "blocker", "warm")
DEFAULT_PREFIXES: Mapping[str, str] = {key: f"{key}_" for key in GROUP_KEYS}
#: What becomes ``_`` in the name of a host: whatever is a pattern, a template or a path somewhere in Ansible.
_NOT_PLAIN = re.compile(r"[^\w.-]|^[^\w]")
_NOT_VALID = re.compile(r"[^A-Za-z0-9_]")
#: Names that Ansible gives to the controller itself, and to groups of its own.
_TAKEN = ("localhost", "127.0.0.1", "::1", "all", "ungrouped")


@dataclass(frozen=True)
class Options:
    """What goes into the inventory.

    :param waves: patterns of names, paths or UUIDs of the VMs of each wave; the first wave that fits counts.
    :param wave_note: a VM whose notes have a line ``<this>: 3`` belongs to that wave, unless ``waves`` says otherwise.
    :param templates: templates become hosts too.
    :param folders: only VMs whose paths are below one of these; all when empty.
    """

    group_by: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_PREFIXES))
    waves: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wave_note: str = "migration_wave"
    templates: bool = False
    folders: Sequence[str] = ()
    limits: Limits = NOTHING_SAID
    ignore: Sequence[str] = ()


@dataclass(frozen=True)
class Built:
    """Hosts with their variables, groups with their hosts, and what is to be said about it."""

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    warnings: list[str]


def options_of(params: Mapping[str, Any]) -> Options:
    """The options from those of the plugin.

    :raises InputError: ``group_by`` has a key, or ``waves`` a value, that means nothing.
    """
    group_by = {str(key): str(prefix or "") for key, prefix in (params.get("group_by") or {}).items()}
    unknown = sorted(set(group_by) - set(GROUP_KEYS))
    if unknown:
        raise InputError(f"group_by does not know {', '.join(unknown)}", hint=f"It knows {', '.join(GROUP_KEYS)}")
    waves = {}
    for name, patterns in (params.get("waves") or {}).items():
        if not isinstance(patterns, list):
            raise InputError(f"waves: {name} is no list of names, paths or UUIDs of VMs")
        waves[str(name)] = [str(one) for one in patterns]
    rules.findings(_NOBODY, ignore=params.get("ignore") or ())  # a wrong id is told also where there are no VMs
    return Options(
        group_by,
        waves,
        str(params.get("wave_note") or ""),
        bool(params.get("templates")),
        tuple(params.get("folders") or ()),
        rules.limits_of(params.get("target")),
        tuple(params.get("ignore") or ()),
    )


_NOBODY = Vm("", "", "", "")


def build(vms: Iterable[Vm], options: Options) -> Built:
    """The inventory: the same, in the same order, whenever the VMs are the same."""
    kept = sorted(
        (vm for vm in vms if _is_wanted(vm, options)), key=lambda vm: (vm.name, vm.endpoint, vm.path, vm.moid)
    )
    hosts: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {}
    for name, vm in sorted(zip(names(kept), kept), key=lambda pair: pair[0]):
        hosts[name], mine = _host(vm, options)
        for group in mine:
            groups.setdefault(group, []).append(name)
    refused = sorted(set(groups) & {*hosts, *_TAKEN})
    told = [f"the group {one} is left out: its name is taken" for one in refused]
    return Built(hosts, {one: groups[one] for one in sorted(groups) if one not in refused}, told)


def _is_wanted(vm: Vm, options: Options) -> bool:
    if vm.template and not options.templates:
        return False
    inside = [f"{folder.rstrip('/')}/" for folder in options.folders]
    return not inside or any(vm.path.startswith(one) for one in inside)


def names(vms: Sequence[Vm]) -> list[str]:
    """Names of hosts: those of the VMs; ``name@endpoint`` where several have it, and ``name@endpoint@id`` within one endpoint."""
    plain = [_NOT_PLAIN.sub("_", vm.name) or "_" for vm in vms]
    places = [_NOT_PLAIN.sub("_", vm.endpoint) for vm in vms]
    once, twice = Counter(plain), Counter(zip(plain, places))
    found = []
    for vm, name, place in zip(vms, plain, places):
        if once[name] == 1 and name.lower() not in _TAKEN:
            found.append(name)
        elif twice[(name, place)] == 1:
            found.append(f"{name}@{place}")
        else:
            found.append(f"{name}@{place}@{_NOT_PLAIN.sub('_', vm.moid)}")
    return found


def wave_of(vm: Vm, options: Options) -> str:
    """The wave of a VM, empty for none."""
    for wave, patterns in options.waves.items():
        if any(fnmatchcase(text, pattern) for pattern in patterns for text in (vm.name, vm.path, vm.uuid) if text):
            return wave
    if not options.wave_note:
        return ""
    found = re.search(rf"^\s*{re.escape(options.wave_note)}\s*[:=]\s*(\S+)\s*$", vm.annotation, re.MULTILINE)
    return found.group(1) if found else ""


def _host(vm: Vm, options: Options) -> tuple[dict[str, Any], list[str]]:
    """Variables and groups of a VM."""
    found = rules.findings(vm, options.limits, options.ignore)
    ways = [way.name for way in transports.transports(vm) if way.usable]
    blockers, wave = rules.blockers(found), wave_of(vm, options)
    warm = not transports.warm_reasons(vm)
    variables = {
        "vmware_vm": vm.as_dict(),
        "vmware_wave": wave,
        "vmware_blockers": blockers,
        "vmware_warnings": sorted({one.rule.id for one in found if one.rule.severity == "warning"}),
        "vmware_migratable": not blockers and bool(ways),
        "vmware_warm_capable": warm,
        "vmware_transports": ways,
    }
    values = {
        "wave": [wave],
        "endpoint": [vm.endpoint],
        "host": [vm.esxi_host],
        "datastore": sorted({disk.datastore for disk in vm.disks}),
        "os": [vm.os_guess.distro],
        "firmware": [vm.firmware],
        "power": [vm.power],
        "blocker": blockers or ["none"],
        "warm": ["capable" if warm else "no"],
    }
    prefixes = options.group_by
    groups = {_NOT_VALID.sub("_", prefixes[key] + one) for key in prefixes for one in values[key] if one}
    return variables, sorted(groups)
