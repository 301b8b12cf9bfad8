# SPDX-License-Identifier: Apache-2.0
"""A change walked step by step: what FRR refuses to take, and what its filters let through meanwhile.

Neither uses the collection's own idea of an order: refusals are those of FRR's sources, what passes says :mod:`evaluator`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import evaluator

FILTERS = ("PREFIX", "PREFIX_SET", "ROUTE_MAP", "ROUTE_MAP_SET")
#: So many routes are asked about per plan.
ROUTES = 60


def refused_by_frr(rows: dict[Any, Any], step: Any) -> str:
    """Why FRR does not take a write that it is given in this state; empty when it does."""
    judges = {
        "PREFIX": _refused_entry,
        "ROUTE_MAP": _refused_statement,
        "BGP_NEIGHBOR": _refused_neighbour,
        "BGP_PEER_GROUP": _refused_group,
        "BGP_GLOBALS": _refused_instance,
    }
    reason = judges[step.table](rows, step, step.key.split("|")) if step.table in judges else ""
    return f"{step.action} {step.name} {reason}" if reason else ""


def _refused_entry(rows: Any, step: Any, parts: list[str]) -> str:
    """One prefix and range once in a list (plist_is_dup of lib/filter_nb.c), one entry to a number."""
    for table, key in rows if step.action == "create" else ():
        other = key.split("|")
        if table == "PREFIX" and other[0] == parts[0] and (other[1] == parts[1] or other[2:] == parts[2:]):
            return f"stands beside {key}"
    return ""


def _refused_statement(rows: Any, step: Any, _parts: list[str]) -> str:
    asked = (step.after or {}).get("match_prefix_set")
    return f"asks for {asked}, which is not there" if asked and ("PREFIX_SET", asked) not in rows else ""


def _refused_neighbour(rows: Any, step: Any, parts: list[str]) -> str:
    """No neighbour moves from group to group (BGP_ERR_PEER_GROUP_CANT_CHANGE), none joins a group that is not there."""
    was, will = ((row or {}).get("peer_group_name") for row in (step.before, step.after))
    if step.action == "update" and was and will != was:
        return f"leaves its group {was}"
    return f"joins {will}, which is not there" if will and ("BGP_PEER_GROUP", f"{parts[0]}|{will}") not in rows else ""


def _refused_group(rows: Any, step: Any, parts: list[str]) -> str:
    """peer_group_delete takes the members with it."""
    members = [
        key
        for (table, key), row in rows.items()
        if table in ("BGP_NEIGHBOR", "BGP_GLOBALS_LISTEN_PREFIX")
        and key.split("|")[0] == parts[0]
        and parts[1] in (row.get("peer_group_name"), row.get("peer_group"))
    ]
    return f"goes with its members {members}" if step.after is None and members else ""


def _refused_instance(rows: Any, step: Any, parts: list[str]) -> str:
    """An instance takes all its sessions with it."""
    inside = [key for table, key in rows if table.startswith("BGP_") and key.split("|")[0] == parts[0]]
    return f"goes with {inside}" if step.after is None and len(inside) > 1 else ""


class Passing:
    """What passes the route maps of a configuration that changes, asked anew only where something changed."""

    def __init__(self, routes: list[str]) -> None:
        self.routes = routes
        self.known: dict[Any, frozenset[str]] = {}

    def through(self, config: Any, name: str) -> frozenset[str]:
        """The routes that a route map lets through."""
        statements = {key: row for key, row in config.get("ROUTE_MAP", {}).items() if key.split("|")[0] == name}
        if not statements or name not in config.get("ROUTE_MAP_SET", {}):
            return frozenset()
        lists = {row["match_prefix_set"] for row in statements.values() if "match_prefix_set" in row}
        part = {
            "ROUTE_MAP": statements,
            "ROUTE_MAP_SET": {name: {}},
            "PREFIX_SET": {key: row for key, row in config.get("PREFIX_SET", {}).items() if key in lists},
            "PREFIX": {key: row for key, row in config.get("PREFIX", {}).items() if key.split("|")[0] in lists},
        }
        mark = repr(part)
        if mark not in self.known:
            self.known[mark] = frozenset(route for route in self.routes if evaluator.permits(part, name, route))
        return self.known[mark]

    def maps(self, config: Any) -> dict[str, frozenset[str]]:
        """By route map, what it lets through."""
        return {name: self.through(config, name) for name in config.get("ROUTE_MAP_SET", {})}

    def sessions(self, config: Any) -> dict[tuple[str, str, str], tuple[tuple[str, ...], frozenset[str]]]:
        """By neighbour, address family and direction: its filters and what passes; without a filter all does."""
        found = {}
        for key, row in config.get("BGP_NEIGHBOR", {}).items():
            vrf = key.split("|")[0]
            for table, of in (
                ("BGP_NEIGHBOR_AF", key),
                ("BGP_PEER_GROUP_AF", f"{vrf}|{row.get('peer_group_name', '')}"),
            ):
                for family in ("ipv4_unicast", "ipv6_unicast"):
                    binding = config.get(table, {}).get(f"{of}|{family}")
                    for direction in ("in", "out") if binding else ():
                        names = tuple(binding.get(f"route_map_{direction}", ()))
                        passing = [self.through(config, name) for name in names] or [frozenset(self.routes)]
                        found[(key, family, direction)] = names, frozenset.intersection(*passing)
        return found


def routes_of(source: Any, *configs: Any) -> list[str]:
    """Routes worth asking about: every listed prefix, one inside it, one around it, and strangers."""
    found = {"0.0.0.0/0", "::/0", "192.168.77.0/24", "2001:db8:77::/48"}
    for config in configs:
        for key in config.get("PREFIX", {}):
            network = ipaddress.ip_network(key.split("|")[-2])
            found.add(str(network))
            found.add(f"{network[-1]}/{network.max_prefixlen}")
            if network.prefixlen > 1:
                found.add(str(network.supernet()))
    return source.sample(sorted(found), min(ROUTES, len(found)))


def walk(source: Any, before: Any, after: Any, steps: Any, faults: Any = None) -> None:
    """Applies the steps and judges every state between them.

    :param faults: the models as a judge: what they refuse in between, they refuse before or after as well.
    """
    passing = Passing(routes_of(source, before, after))
    sides = [(passing.maps(config), passing.sessions(config)) for config in (before, after)]
    known = faults(before) | faults(after) if faults else set()
    rows = diff.rows_of(before)
    for number, step in enumerate(steps):
        told = f"step {number}, {step.action} {step.name}"
        assert not refused_by_frr(rows, step), f"{told}: {refused_by_frr(rows, step)}"
        diff.advance(rows, step)
        config = diff.config_of(rows)
        if step.table in FILTERS or step.table.startswith("BGP_"):
            leaks = list(_leaks(passing, config, sides))
            assert not leaks, f"after {told}: {leaks}"
        if faults:
            extra = faults(config) - known
            assert not extra, f"after {told}: {extra}"


def _leaks(passing: Passing, config: Any, sides: Any) -> Iterator[tuple[Any, list[str]]]:
    """What passes now and neither before nor after the change.

    A map that is there before and after counts by itself; a session by what it lets through before or after, and a
    session that comes, goes or moves by what the maps do that it is given.
    """
    policy = {name: sides[0][0][name] | sides[1][0][name] for name in sides[0][0].keys() & sides[1][0].keys()}
    for name, routes in passing.maps(config).items():
        if routes - policy.get(name, routes):
            yield name, sorted(routes - policy[name])
    for key, (names, routes) in passing.sessions(config).items():
        allowed = frozenset().union(*(side[1][key][1] for side in sides if key in side[1]))
        # A map of one side only is not in use on the other: it is written before and removed after.
        given = [policy.get(name) or frozenset().union(*(side[0].get(name, ()) for side in sides)) for name in names]
        allowed |= frozenset.intersection(*given) if given else frozenset()
        if routes - allowed:
            yield key, sorted(routes - allowed)
