# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about redundancy groups and inventory groups."""

from __future__ import annotations

from collections.abc import Iterator

from ..derive import ResolvedDevice
from ..finding import Finding
from .index import Index, grouped, words
from .registry import Rule, rule

_PAIRS = ("leaf-pair", "pair")


@rule(
    "G01",
    "warning",
    "Redundancy group of one",
    why="Nothing stands in for its member.",
    source="Redundancy needs two",
    hint="add the other members, or remove the group",
)
def alone(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        if len(group.members) < 2 and group.kind not in _PAIRS:
            yield rule.finding(
                group, "members", f"{group.name} has {len(group.members)} member", found=len(group.members)
            )


@rule(
    "G02",
    "warning",
    "Quorum of an even number",
    why="It tolerates no more failures than with one member less, and two halves can block each other.",
    source="Majority protocols (Raft, Paxos, Galera, Ceph monitors)",
    hint="use an odd number of members",
)
def even_quorum(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        if group.kind == "quorum" and group.members and len(group.members) % 2 == 0:
            message = f"quorum {group.name} has {len(group.members)} members"
            yield rule.finding(group, "members", message, found=len(group.members))


@rule(
    "G03",
    "error",
    "Members of a redundancy group are not alike",
    why="One cannot stand in for the other.",
    source="A pair has two members; members of a group have one role and one environment, those of a pair one model",
    hint="correct the members of the group, or the member that differs",
)
def unlike(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        members = [member for name in group.members for member in (index.device(name),) if member]
        if group.kind in _PAIRS and len(group.members) != 2:
            message = f"{group.kind} {group.name} has {len(group.members)} members instead of two"
            yield rule.finding(group, "members", message, found=len(group.members), expected="2")
        for field in ("role", "environment", "model") if group.kind in _PAIRS else ("role", "environment"):
            values = grouped((getattr(member.device, field), member.name) for member in members)
            if len(values) > 1:
                said = "; ".join(f"{words(names)}: {value}" for value, names in values.items())
                yield rule.finding(group, "members", f"members differ in {field} ({said})", found=words(values))


@rule(
    "G04",
    "warning",
    "Redundancy group behind one feed",
    why="One feed fails, and the whole group (or its majority) with it.",
    source="Redundant power: a group outlives the loss of one feed",
    hint="move a member to another feed",
)
def one_feed(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.redundancy_groups.values():
        members = [member for name in group.members for member in (index.device(name),) if member]
        limit = len(members) // 2 + 1 if group.kind == "quorum" else len(members)
        for feed, fallen in _only_feeds(members).items():
            if len(members) > 1 and len(fallen) >= limit:
                message = f"{words(fallen)} hang on feed {feed} alone"
                yield rule.finding(group, "members", message, found=feed)


def _only_feeds(members: list[ResolvedDevice]) -> dict[str, list[str]]:
    """The devices that go down with a feed."""
    feeds = ((set(member.device.power.values()), member.name) for member in members)
    return grouped((words(fed), name) for fed, name in feeds if len(fed) == 1)


@rule(
    "G05",
    "warning",
    "Inventory group that the landscape does not define",
    why="A misspelt group is a new, empty-looking one: the plays of the right one pass the device by.",
    source="Groups of the landscape",
    hint="correct the name, or add the group under groups",
)
def undefined(rule: Rule, index: Index) -> Iterator[Finding]:
    known = index.landscape.groups
    for device in index.devices:
        for name in device.device.groups:
            if name not in known:
                message = f"groups names {name}, which is not defined under groups"
                yield rule.finding(
                    device.device, "groups", message, found=name, hint=index.nearest(name, known) or rule.hint
                )


@rule(
    "G06",
    "error",
    "Inventory group that contains itself",
    why="Ansible refuses the whole inventory.",
    source="Ansible: groups form no cycle",
    hint="remove one of the children",
)
def cyclic(rule: Rule, index: Index) -> Iterator[Finding]:
    state: dict[str, int] = {}
    for start in index.landscape.groups:
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            group = index.landscape.groups.get(name)
            if leaving:
                state[path.pop()] = 2
            elif group and name not in state:
                state[name] = 1
                path.append(name)
                stack.append((name, True))
                stack += [(child, False) for child in reversed(group.children)]
                for child in group.children:
                    if state.get(child) == 1:
                        cycle = [*path[path.index(child) :], child]
                        yield rule.finding(
                            group, "children", f"the group contains itself: {' > '.join(cycle)}", found=child
                        )


@rule(
    "G07",
    "error",
    "Inventory group named like a device or like a group of Ansible",
    why="A pattern of that name means both, and plays reach more machines than they should.",
    source="Ansible: names of hosts and groups are looked up in one space; all and ungrouped are its own",
    hint="rename the group",
)
def ambiguous(rule: Rule, index: Index) -> Iterator[Finding]:
    reserved: set[str] = {"all", "ungrouped"}
    for name, group in index.landscape.groups.items():
        if name in index.view.devices:
            yield rule.finding(group, "", f"group {name} has the name of a device", found=name)
        elif name in reserved:
            yield rule.finding(group, "", f"group {name} is one of Ansible's own", found=name)


@rule(
    "G08",
    "warning",
    "Inventory group leaves out or names what makes no difference",
    why="The line was written for a reason that no longer holds, or it names the wrong device.",
    source="Conditions of the group",
    hint="remove the name, or correct it",
)
def pointless(rule: Rule, index: Index) -> Iterator[Finding]:
    for group in index.landscape.groups.values():
        for name in group.without:
            device = index.device(name)
            conditions = (("roles", "role"), ("models", "model"), ("environments", "environment"))
            unmet = [
                field
                for field, own in conditions
                if device and getattr(group, field) and getattr(device.device, own) not in getattr(group, field)
            ]
            stated = any(getattr(group, field) for field, _own in conditions)
            if device and name not in group.hosts and (unmet or not stated):
                yield rule.finding(
                    group, "without", f"without names {name}, which would not be a member anyway", found=name
                )


@rule(
    "G09",
    "info",
    "Active device in no inventory group",
    why="No play that names a group reaches it.",
    source="Groups of the landscape",
    hint="add its role to a group, or say that it is left out on purpose by a group of its own",
)
def groupless(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.active if index.landscape.groups else ():
        if not device.groups:
            yield rule.finding(device.device, "groups", f"{device.name} of role {device.device.role} is in no group")
