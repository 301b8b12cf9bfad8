# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a change does to those who use the switch, row by row and with the reason; and what it needs besides the rows."""

from __future__ import annotations

import functools
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.plan import Impact
from . import diff, filters, impact_tables, masking, model, relations, tables, targets
from .diff import RowChange
from .impact_tables import Rule
from .model import ConfigDb, Row
from .tables_fields import FIELDS


@dataclass(frozen=True)
class Effect:
    """What one write does.

    :param kind: one of :data:`impact_tables.KINDS`.
    :param needs: what has to be done besides writing the row.
    """

    impact: Impact = Impact.NONE
    kind: str = "none"
    reason: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Obstacle:
    """Why SONiC's own updater (``config apply-patch``, ``config replace``) refuses the change, and what helps.

    :param blocks: ``updater``: other ways of writing still work; ``all``: the configuration itself is wrong.
    """

    path: str
    reason: str
    needs: str
    blocks: str = "updater"

    def as_dict(self) -> dict[str, str]:
        """JSON-able form."""
        return {"path": self.path, "reason": self.reason, "needs": self.needs, "blocks": self.blocks}


@dataclass(frozen=True)
class Context:
    """The whole of both configurations, because a row alone does not say whether anybody uses it.

    :param release: release branch of the target; empty when it is not known.
    :param speeds: by port, the speeds it supports in Mbit/s (``PORT_TABLE`` of STATE_DB, or the port map).
    :param ignore: tables that are left as they are.
    """

    before: ConfigDb
    after: ConfigDb
    release: str = ""
    speeds: Mapping[str, Iterable[str]] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()

    @functools.cached_property
    def passing(self) -> filters.Change:
        """What prefix lists and route maps do on both sides."""
        return filters.Change(self.before, self.after)

    @functools.cached_property
    def sessions(self) -> frozenset[tuple[str, str]]:
        """Routing instance, and neighbour or peer group, of all sessions that are there before and after."""
        found = set()
        for table, field_name in (("BGP_NEIGHBOR", "peer_group_name"), ("BGP_GLOBALS_LISTEN_PREFIX", "peer_group")):
            later = self.after.get(table, {})
            for key, row in self.before.get(table, {}).items():
                if key in later:
                    vrf, _bar, name = key.partition(model.SEPARATOR)
                    found |= {(vrf, name), (vrf, str(row.get(field_name, "")))}
        return frozenset(found)


def effect(change: RowChange, context: Context) -> Effect:
    """What one write does."""
    if _on_shut_port(change, context):
        return Effect(reason="the port is shut before and after")
    if change.table == "VLAN" and change.action == "delete" and not _members(context.before, change.key):
        return Effect(reason="the VLAN has no member")
    if change.table == "PORT" and change.before is not None and change.before.get("admin_status") != "up":
        opened = (change.after or {}).get("admin_status") == "up"
        return (
            Effect(reason="the port is opened", kind="port") if opened else Effect(reason="the port is shut meanwhile")
        )
    rules = [*_rules(change), *_ends(change, context)]
    worst = max(rules, key=lambda rule: (rule.impact, impact_tables.KINDS.index(rule.kind)))
    needs = tuple(dict.fromkeys([rule.needs for rule in rules if rule.needs] + _unread(change, context)))
    return Effect(worst.impact, worst.kind, worst.reason, needs)


def _rules(change: RowChange) -> list[Rule]:
    """The rules that speak of a change: those of its fields, and the general one for every field that has none."""
    rules = [rule for rule in impact_tables.RULES.get(change.table, ()) if change.action in rule.actions]
    changed = set(change.fields)
    found = [rule for rule in rules if set(rule.fields) & changed]
    covered = {name for rule in rules for name in rule.fields}
    general = [rule for rule in rules if not rule.fields]
    if change.action != "update" or changed - covered:
        unknown = impact_tables.UNKNOWN if not tables.table(change.table).modelled else impact_tables.UNJUDGED
        found += general or ([] if found and not changed - covered else [unknown])
    if change.table == "FEATURE" and "state" in changed and change.key in impact_tables.TRAFFIC_FEATURES:
        found.append(Rule("session", Impact.INTERRUPTED, "a container that carries traffic or routes starts or stops"))
    return found


def _ends(change: RowChange, context: Context) -> list[Rule]:
    """What ends sessions or traffic although the row alone does not say so."""
    if change.table in filters.TABLES and context.passing.takes_away(change):
        return [
            Rule("policy", Impact.INTERRUPTED, "less passes than before: traffic to what is no longer heard of ends")
        ]
    if change.table not in ("BGP_PEER_GROUP_AF", "BGP_NEIGHBOR_AF"):
        return []
    vrf, name = [*change.key.split(model.SEPARATOR), ""][:2]
    if (vrf, name) not in context.sessions:
        return []
    if "admin_status" in change.fields:
        # peer_activate_af and peer_deactivate of FRR: without dynamic capabilities they reset the session.
        return [Rule("session", Impact.INTERRUPTED, "an address family comes or goes: the sessions are set up anew")]
    if any(field in (change.after or {}) for field in filters.BINDING & set(change.fields)):
        return [
            Rule("policy", Impact.INTERRUPTED, "another filter decides: traffic to what it does not let through ends")
        ]
    return []


def _unread(change: RowChange, context: Context) -> list[str]:
    """What is needed where no daemon reads the row."""
    if change.table not in impact_tables.ROUTING:
        return []
    dialect = model.dialect_of(context.after)
    if dialect == "split":
        return ["the operator's frr.conf: in split mode nobody reads routing from CONFIG_DB"]
    if dialect == "bgpcfgd" and change.table != "BGP_NEIGHBOR":
        return ["frr_mgmt_framework_config=true and a config reload: bgpcfgd does not read this table"]
    return []


def _on_shut_port(change: RowChange, context: Context) -> bool:
    """Whether the row belongs to one port that is shut before and after."""
    parts = tables.table(change.table).parts_of(change.key)
    port = {"PORT": "name", "INTERFACE": "name", "VLAN_MEMBER": "port", "PORTCHANNEL_MEMBER": "port"}.get(change.table)
    name = parts.get(port or "", "")
    if not name.startswith("Ethernet"):
        return False
    states = [_row(config, "PORT", name).get("admin_status", "down") for config in (context.before, context.after)]
    return "up" not in states and change.action != "create"


def _row(config: ConfigDb, table: str, key: str) -> Row:
    return config.get(table, {}).get(key, {})


def _members(config: ConfigDb, vlan: str) -> bool:
    rows = (*config.get("VLAN_MEMBER", ()), *config.get("VLAN_INTERFACE", ()))
    return any(key.split(model.SEPARATOR)[0] == vlan for key in rows)


def obstacles(changes: Iterable[RowChange], context: Context) -> tuple[Obstacle, ...]:
    """Everything that makes SONiC's updater refuse the change although every row of it could be written."""
    changes = tuple(changes)
    if not changes:
        return ()
    found = [*_other_image(context), *_contradictions(context.after), *_dangling(context), *_unmodelled(context)]
    for change in changes:
        found += _refused(change, context)
    return tuple(dict.fromkeys(found))


def _refused(change: RowChange, context: Context) -> list[Obstacle]:
    """The validators of the updater that look at single rows."""
    if change.name == "LOOPBACK_INTERFACE|Loopback0" and change.after is None and "LOOPBACK_INTERFACE" in context.after:
        reason = "the updater does not remove Loopback0 while another loopback stays"
        return [Obstacle(change.name, reason, "ordered row writes, or config reload with the new file")]
    hardware = str(_row(context.after, "DEVICE_METADATA", "localhost").get("hwsku", "this hardware"))
    if change.table in impact_tables.QUEUES_BY_HARDWARE:
        reason = f"the updater changes {change.table} on hardware of its own list only, {hardware} is not in it"
        return [Obstacle(change.name, reason, "ordered row writes, or config reload with the new file")]
    if change.table == "PORT" and "speed" in change.fields and change.after is not None:
        speed, speeds = change.after.get("speed"), [str(value) for value in context.speeds.get(change.key, ())]
        if speeds and speed not in speeds:
            reason = f"the port does not support the speed {speed}, but {', '.join(speeds)}"
            return [Obstacle(change.name, reason, "another speed, transceiver or breakout", "all")]
    return []


def _other_image(context: Context) -> list[Obstacle]:
    """Edgecore's Enterprise SONiC on one side only, or another release: an image that rows do not lead to."""
    marks = [model.enterprise_marks(config) for config in (context.before, context.after)]
    wrote = [model.release_of(config) for config in (context.before, context.after)]
    if marks[0] and (marks[0] != marks[1] or wrote[0] != wrote[1]):
        reason = "the switch runs Edgecore's Enterprise SONiC, what is wanted is of another image"
        needs = "install the community's image, convert the backup with sonic_convert, and plan from what it makes"
    elif marks[1] and not marks[0]:
        reason = "what is wanted is of Edgecore's Enterprise SONiC, the switch runs another image"
        needs = "convert it with sonic_convert"
    elif all(wrote) and wrote[0] != wrote[1]:
        reason = f"the switch runs {wrote[0]}, what is wanted is for {wrote[1]}"
        needs = f"plan for {wrote[0]} (release), or install {wrote[1]} first and plan from a backup of it"
        return [Obstacle("VERSIONS|DATABASE VERSION", reason, needs, "all")]
    else:
        return []
    return [Obstacle("DEVICE_METADATA|localhost", reason, needs, "all")]


def _contradictions(after: ConfigDb) -> list[Obstacle]:
    """Two rows that cannot both be there: the configuration itself is wrong."""
    held: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    found = []
    for place, row in sorted(diff.rows_of(after).items()):
        name = f"{place[0]}|{place[1]}"
        for resource, mode in sorted(relations.claims(place, row)):
            taken = held[resource, _scope(after, place, resource)]
            others = [other for taker, other in taken.items() if taker != mode]
            if others:
                reason = f"{resource} belongs to {others[0]} already"
                found.append(Obstacle(name, reason, f"remove {others[0]}, or leave {name} out", "all"))
            taken.setdefault(mode, name)
    return found


def _scope(config: ConfigDb, place: diff.Place, resource: str) -> str:
    """Within what a resource is one: an address in its routing instance, one of a link on its interface."""
    kind, _space, text = resource.partition(" ")
    if kind != "address":
        return ""
    interface = place[1].split(model.SEPARATOR)[0]
    try:
        if ipaddress.ip_interface(text).is_link_local:
            return interface
    except ValueError:
        pass  # no address: the models say so
    return str(_row(config, place[0], interface).get("vrf_name", ""))


def _dangling(context: Context) -> list[Obstacle]:
    """References to rows that are not there: the models refuse the configuration, or a daemon waits for ever."""
    found = []
    for gap in targets.unmet(context.after, context.ignore):
        missing = " or ".join(gap.missing)
        reason = f"it needs {missing}, which would not be there"
        needs = f"keep or add {missing}, or remove {gap.table}|{gap.key}"
        found.append(Obstacle(f"{gap.table}|{gap.key} {gap.field}".rstrip(), reason, needs, "all"))
    return found


def _unmodelled(context: Context) -> list[Obstacle]:
    """Tables and fields without a model: with one of them in the configuration the updater refuses every change."""
    release = context.release or model.release_of(context.after)
    found = []
    for name, rows in sorted(context.after.items()):
        modelled = tables.table(name).modelled
        if rows and (not modelled or (release in tables.MODELLED and release not in modelled)):
            reason = f"no model of {release or 'any release'} has the table, the updater refuses every change while it is there"
            found.append(Obstacle(name, reason, "ordered row writes, or apply-patch with --ignore-path"))
        for key, row in sorted(rows.items()):
            for title in sorted(diff.clean_row(row)):
                if _lacks(name, title, release):
                    reason = f"no model of {release or 'any release'} has the field {title}, the updater refuses every change"
                    needs = f"ordered row writes, apply-patch with --ignore-path /{name}, or split-unified FRR"
                    found.append(Obstacle(f"{name}|{masking.key(name, key)} {title}", reason, needs))
    return found


def _lacks(table: str, field: str, release: str) -> bool:
    """Whether the models of a release lack a field of a table that they have; of a release nobody compared, as far as is known."""
    since = impact_tables.UNMODELLED.get(table, {}).get(field)
    if since is not None:
        return not since or bool(release and release < since)
    known = FIELDS.get(table, {})
    if release not in tables.MODELLED or release not in tables.table(table).modelled:
        return False
    return release not in known.get(field, known.get("*", ()))


def summary(effects: Iterable[Effect]) -> dict[str, Any]:
    """Worst impact, kinds and needs of several writes."""
    effects = tuple(effects)
    kinds = {effect.kind for effect in effects}
    return {
        "impact": max((effect.impact for effect in effects), default=Impact.NONE).label,
        "kinds": [kind for kind in impact_tables.KINDS if kind in kinds and kind != "none"],
        "needs": list(dict.fromkeys(need for effect in effects for need in effect.needs)),
    }
