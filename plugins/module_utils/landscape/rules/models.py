# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about device models: their ports, and which devices may be made of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ..derive import MAX_PORTS, MAX_PORTS_OF_ONE, expand_all
from ..finding import Finding
from ..model import DeviceModel, PortGroup
from ..names import expand
from .index import Index, grouped, repeats, words
from .registry import Rule, rule

_STEPS = re.compile(r"\{([0-9]+)\.\.([0-9]+)\.\.([0-9]+)\}")


@rule(
    "M01",
    "error",
    "Ports of a model are not well defined",
    why="A cable to the port is refused, or ends in another port than people think.",
    source="Port names are unique per device; an alias names one port",
    hint="correct the names, for example Ethernet{0..47} or Ethernet{48..76..4}",
)
def ports(rule: Rule, index: Index) -> Iterator[Finding]:
    for external in index.landscape.externals.values():
        if len(index.ports(external.name)) > MAX_PORTS_OF_ONE:
            yield rule.finding(external, "ports", f"{external.name} has more than {MAX_PORTS_OF_ONE} ports")
        for reason in _bad_patterns(external.ports):
            yield rule.finding(external, "ports", reason)
    count = 0
    for model in index.landscape.device_models.values():
        if count > MAX_PORTS:
            message = f"the models have more than {MAX_PORTS} ports together; those from {model.name} on were not read"
            yield rule.finding(model, "ports", message)
            break
        names: list[tuple[str, str]] = []
        labelled = {group.use for group in model.ports if group.aliases}
        for group in model.ports:
            yield from _group(rule, model, group)
            if group.use in labelled and not group.aliases:
                message = f"{words(group.names)} have no aliases, other {group.use} ports of {model.name} do"
                yield rule.finding(model, "ports", message, place=group.place(), severity="warning")
            names += [(name, "name") for name in expand_all(group.names)]
            names += [(alias, "alias") for alias in expand_all(group.aliases)]
        count += len(names)
        if len(names) > 2 * MAX_PORTS_OF_ONE:
            yield rule.finding(model, "ports", f"model {model.name} has more than {MAX_PORTS_OF_ONE} ports")
        for name, first, second in repeats(names):
            kinds = f"twice as {first}" if first == second else "as name and as alias"
            yield rule.finding(model, "ports", f"{name} stands {kinds} among the ports of {model.name}", found=name)


def _group(rule: Rule, model: DeviceModel, group: PortGroup) -> Iterator[Finding]:
    for field, patterns in (("names", group.names), ("aliases", group.aliases)):
        for reason in _bad_patterns(patterns):
            yield rule.finding(model, "ports", reason, place=group.place(field))
    names, aliases = expand_all(group.names), expand_all(group.aliases)
    if not names:
        yield rule.finding(model, "ports", f"a group of ports of {model.name} has no names", place=group.place())
    if aliases and len(aliases) != len(names):
        message = f"{len(names)} ports ({words(group.names)}) have {len(aliases)} aliases ({words(group.aliases)})"
        yield rule.finding(
            model, "ports", message, place=group.place("aliases"), found=len(aliases), expected=len(names)
        )


def _bad_patterns(patterns: tuple[str, ...]) -> Iterator[str]:
    yield from filter(None, map(_refusal, patterns))


def _refusal(pattern: str) -> str:
    """Why a pattern cannot be expanded, or is not meant as it is written; or nothing."""
    try:
        expand(pattern)
    except ValueError as error:
        return str(error)
    for first, last, step in _STEPS.findall(pattern):
        if int(step) and (int(last) - int(first)) % int(step):
            return f"{pattern!r} does not reach {last} in steps of {step}"
    return ""


@rule(
    "M02",
    "error",
    "Model, role and section disagree",
    why="A switch among the hosts is installed like a server, and a host among the switches is not installed at all.",
    source="Kinds of the device model and of the role",
    hint="correct the model or the role, or move the device to the other section",
)
def kinds(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        own, model, role = device.device, device.model, device.role
        if model and model.kind and (model.kind == "switch") != (own.section == "switches"):
            message = f"{own.name} stands under {own.section}, but its model {model.name} is of kind {model.kind}"
            yield rule.finding(own, "model", message, found=model.kind)
        if model and role and model.kind and role.kind and model.kind != role.kind:
            message = f"role {role.name} is for kind {role.kind}, but model {model.name} is of kind {model.kind}"
            yield rule.finding(own, "role", message, found=model.kind, expected=role.kind)


@rule(
    "M03",
    "error",
    "Model that the role is not meant for",
    why="The machine lacks the disks, cores or ports that its role counts on.",
    source="Models of the role",
    hint="correct the model or the role of the device, or add the model to the role",
)
def model_of_role(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        allowed = device.role.models if device.role else ()
        if device.model and device.role and allowed and device.model.name not in allowed:
            message = f"role {device.role.name} is meant for {words(allowed)}, but {device.name} is {device.model.name}"
            yield rule.finding(device.device, "model", message, found=device.model.name, expected=words(allowed))


@rule(
    "M04",
    "warning",
    "Model of a device in use does not say enough",
    why="Without ports no cable can be checked; without a management port the device cannot be reached out of band.",
    source="A device is cabled by the ports of its model; other models of the landscape say it",
    hint="add it to the model; a management port has use bmc (server) or management (switch)",
)
def says_too_little(rule: Rule, index: Index) -> Iterator[Finding]:
    used = grouped((device.device.model, device) for device in index.active)
    for name, devices in used.items():
        model = index.landscape.device_models.get(name)
        if model is None:
            continue
        if not model.ports:
            yield rule.finding(model, "ports", f"model {name} has no ports")
        elif any(device.oob_v4 for device in devices) and not devices[0].oob_port:
            message = f"{devices[0].name} has a management address, but its model {name} has no management port"
            yield rule.finding(model, "ports", message)
        others = [other for other in map(index.landscape.device_models.get, used) if other and other.name != name]
        for field, message in _silent(model, [other for other in others if other.kind == model.kind]):
            yield rule.finding(model, field, message)


def _silent(model: DeviceModel, others: list[DeviceModel]) -> Iterator[tuple[str, str]]:
    """Fields that a model leaves out although its ports, or all other models of its kind, ask for them."""
    uses = {group.use for group in model.ports}
    if (
        model.kind == "server"
        and ("bmc" in uses) != bool(model.bmc)
        and (model.bmc or any(other.bmc for other in others))
    ):
        said = f"the management controller {model.bmc}, but no port of use bmc"
        yield "bmc", f"model {model.name} has {said if model.bmc else 'a port of use bmc, but no bmc'}"
    if model.kind == "switch" and "bmc" in uses and "management" not in uses:
        yield "ports", f"switch model {model.name} has a port of use bmc, but none of use management"
    for field in ("architecture", "mac_prefixes"):
        if len(others) > 1 and not getattr(model, field) and all(getattr(other, field) for other in others):
            yield field, f"model {model.name} has no {field}, all other models of kind {model.kind} have"


@rule(
    "M05",
    "warning",
    "Management controller spelled almost like another",
    why="Plays treat the two spellings as two makes of controller, and know only one.",
    source="Flavours of the other models",
    hint="write both in the same way",
)
def flavour(rule: Rule, index: Index) -> Iterator[Finding]:
    models = grouped((model.bmc, model) for model in index.landscape.device_models.values() if model.bmc)
    for one, users in models.items():
        earlier = list(models)[: list(models).index(one)]
        known = [other for other in models if len(models[other]) > len(users) or other in earlier]
        alike = [other for other in known if _almost(one, other)]
        if alike:
            message = f"the management controller of {users[0].name} is {one}, that of {models[alike[0]][0].name} is {alike[0]}"
            yield rule.finding(users[0], "bmc", message, found=one, expected=alike[0])


def _almost(one: str, other: str) -> bool:
    """Whether two words differ like a typing error does; ``ilo5`` and ``ilo6`` do not."""
    if re.sub("[0-9]", "", one) == re.sub("[0-9]", "", other):
        return False
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() > 0.8
