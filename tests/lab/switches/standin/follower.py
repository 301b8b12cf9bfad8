# SPDX-License-Identifier: Apache-2.0
"""Follows rows of CONFIG_DB and tells FRR: what frrcfgd does on a switch (SONiC 202605), its faults included.

* A row is compared with what was applied before; only what differs is said. What FRR refused counts as not applied and
  is said again with the next event of the same row, and at no other time.
* Nothing is said about a VRF before its AS number is known, and a number that changes later is ignored.
* A neighbour whose peer group is not there yet stays outside of it; a prefix whose set is not there yet is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import policy
from .changes import Change, Vrf, family_of, is_address
from .fields import GLOBALS, GLOBALS_AF, NEIGHBOR, NEIGHBOR_AF, PEER_GROUP, Line, listed, negated
from .rows import Config, Row
from .vty import Frr, log

_FILTERS = ("zebra", "bgpd")
_FAMILIES = ("ipv4_unicast", "ipv6_unicast")
#: Rows that stand for one command, with or without fields.
_WHOLE = ("BGP_GLOBALS_AF_NETWORK", "BGP_GLOBALS_AF_AGGREGATE_ADDR", "ROUTE_REDISTRIBUTE")


class Follower:
    """Applies rows as they change.

    :param config: what FRR was started with.
    :param entry: asks for a table of CONFIG_DB as it is now.
    """

    def __init__(self, frr: Frr, config: Config, entry: Callable[[str], Mapping[str, Row]]) -> None:
        self._frr, self._entry = frr, entry
        self._applied: dict[tuple[str, str], Row] = {}
        self._vrfs: dict[str, Vrf] = {}
        self._modes: dict[str, str] = {}
        self._maps: dict[tuple[str, str], str] = {}
        self._vnis: dict[str, str] = {}
        self._waiting: deque[Change] = deque()
        self._handlers: dict[str, Callable[[Change], set[str]]] = {
            "BGP_GLOBALS": self._globals,
            "BGP_GLOBALS_AF": self._globals_af,
            "BGP_GLOBALS_AF_NETWORK": self._network,
            "BGP_GLOBALS_AF_AGGREGATE_ADDR": self._aggregate,
            "BGP_GLOBALS_LISTEN_PREFIX": self._listen,
            "BGP_PEER_GROUP": self._peer,
            "BGP_NEIGHBOR": self._peer,
            "BGP_PEER_GROUP_AF": self._peer_af,
            "BGP_NEIGHBOR_AF": self._peer_af,
            "ROUTE_REDISTRIBUTE": self._redistribute,
            "PREFIX_SET": self._prefix_set,
            "PREFIX": self._prefix,
            "ROUTE_MAP": self._route_map,
            "AS_PATH_SET": self._as_path,
            "STATIC_ROUTE": self._static,
            "VRF": self._vrf_row,
        }
        self._remember(config)

    def _remember(self, config: Config) -> None:
        """Take over what the boot file has told FRR already; nothing is said again."""
        for table in self._handlers:
            for key, row in config.get(table, {}).items():
                self._applied[(table, key)] = {**row, **({"is there": "true"} if table in _WHOLE else {})}
        for vrf, row in config.get("BGP_GLOBALS", {}).items():
            self._of(vrf).asn = row.get("local_asn", "")
        for key in config.get("BGP_PEER_GROUP", {}):
            vrf, _bar, name = key.partition("|")
            self._of(vrf).groups.add(name)
        for key in config.get("BGP_NEIGHBOR", {}):
            vrf, _bar, name = key.partition("|")
            if not is_address(name):
                self._of(vrf).interfaces.add(name)
        for name, row in config.get("PREFIX_SET", {}).items():
            self._modes[name] = row.get("mode", "").lower()
        for key, row in config.get("ROUTE_MAP", {}).items():
            name, _bar, sequence = key.partition("|")
            if "route_operation" in row:
                self._maps[(name, sequence)] = row["route_operation"]
        self._vnis = {name: row["vni"] for name, row in config.get("VRF", {}).items() if "vni" in row}

    def change(self, table: str, key: str, row: Row | None) -> None:
        """A row changed; None when it is gone."""
        if table not in self._handlers:
            return
        if table == "STATIC_ROUTE" and "|" not in key:
            key = f"default|{key}"
        self._waiting.append(Change(table, key, dict(row or {}), self._applied.get((table, key), {}), row is None))
        while self._waiting:
            one = self._waiting.popleft()
            self._settle(one, self._handlers[one.table](one))

    def _settle(self, change: Change, done: set[str]) -> None:
        """Keep in mind what FRR has taken."""
        kept = self._applied.setdefault((change.table, change.key), {})
        for name in done:
            if name in change.new:
                kept[name] = change.new[name]
            else:
                kept.pop(name, None)
        if not kept:
            del self._applied[(change.table, change.key)]

    def _again(self, table: str, rows: Iterable[tuple[str, Row]]) -> None:
        """Say rows of another table once more, whole."""
        for key, row in rows:
            self._waiting.append(Change(table, key, dict(row), {}))

    def _of(self, vrf: str) -> Vrf:
        return self._vrfs.setdefault(vrf, Vrf())

    def _say(
        self, change: Change, daemons: tuple[str, ...], before: list[str], lines: tuple[Line, ...], name: str = ""
    ) -> tuple[bool, set[str]]:
        """Say what differs; whether anything was taken (or nothing was to be said), and the fields that were."""
        done: set[str] = set()
        said = 0
        for line in lines:
            if all(change.old.get(one) == change.new.get(one) for one in line.fields):
                continue
            old, new = line.commands(change.old, name), line.commands(change.new, name)
            if line.each:
                commands = [negated(one) for one in old if one not in new] + [one for one in new if one not in old]
            else:
                commands = new or [negated(one) for one in old]
            if not commands:
                continue
            said += 1
            taken = [self._frr.configure(line.daemons or daemons, *before, command) for command in commands]
            if all(taken):
                done.update(line.fields)
            else:
                log(3, f"failed running FRR command: {commands[taken.index(False)]}")
        if said and not done:
            log(3, f"failed running the command of {change.table}|{change.key}")
        return not said or bool(done), done

    # router bgp

    def _router(self, vrf: str, asn: str = "") -> str:
        return f"router bgp {asn or self._of(vrf).asn} vrf {vrf}"

    def _globals(self, change: Change) -> set[str]:
        vrf = self._of(change.key)
        if change.gone or change.removed("local_asn"):
            return self._no_router(change)
        done: set[str] = set()
        if change.added("local_asn"):
            router = self._router(change.key, change.new["local_asn"])
            if self._frr.configure(("bgpd",), router, "no bgp default ipv4-unicast"):
                vrf.asn = change.new["local_asn"]
                # the one table that is read again: whatever else came before the number stays unsaid
                rows = self._entry("ROUTE_REDISTRIBUTE").items()
                self._again("ROUTE_REDISTRIBUTE", [one for one in rows if one[0].startswith(f"{change.key}|")])
                done.add("local_asn")
        elif change.old.get("local_asn") != change.new.get("local_asn"):
            log(3, "local_asn could not be modified")
            done.add("local_asn")
        if not vrf.asn:
            return done
        return done | self._say(change, ("bgpd",), [self._router(change.key)], GLOBALS)[1]

    def _no_router(self, change: Change) -> set[str]:
        vrf = self._of(change.key)
        if not vrf.asn:
            return set()
        of = "" if change.key == "default" else f" vrf {change.key}"
        if self._frr.configure(("bgpd",), f"no router bgp {vrf.asn}{of}"):
            vrf.asn = ""
            change.new.clear()
            return set(change.old)
        return set()

    def _globals_af(self, change: Change) -> set[str]:
        vrf, _bar, family = change.key.partition("|")
        if not self._of(vrf).asn:
            return set()
        return self._say(change, ("bgpd",), [self._router(vrf), family_of(family)], GLOBALS_AF)[1]

    def _peer(self, change: Change) -> set[str]:
        vrf, _bar, name = change.key.partition("|")
        known, group = self._of(vrf), change.table == "BGP_PEER_GROUP"
        if not name or not known.asn:
            return set()
        router = self._router(vrf)
        if change.gone:
            return self._no_peer(change, router, group)
        made = known.groups if group else known.interfaces
        how = "peer-group" if group else "interface"
        if name not in made and (group or not is_address(name)):
            if not self._frr.configure(("bgpd",), router, f"neighbor {name} {how}"):
                return set()
            made.add(name)
        taken, done = self._say(change, ("bgpd",), [router], PEER_GROUP if group else NEIGHBOR, name)
        if taken:
            self._after_peer(change, vrf, name, group)
        return done

    def _after_peer(self, change: Change, vrf: str, name: str, group: bool) -> None:
        """Rows that could not be said before the peer was there; a group that says ``peer_type`` wakes nobody."""
        if group and change.added("asn"):
            for table, wanted in (("BGP_GLOBALS_LISTEN_PREFIX", "peer_group"), ("BGP_NEIGHBOR", "peer_group_name")):
                rows = self._entry(table).items()
                self._again(table, [one for one in rows if one[0].startswith(f"{vrf}|") and one[1].get(wanted) == name])
        elif not group and (change.added("peer_group_name") or (is_address(name) and change.added("asn"))):
            known = self._entry("BGP_NEIGHBOR_AF")
            keys = [key for key in (f"{vrf}|{name}|{family}" for family in _FAMILIES) if key in known]
            self._again("BGP_NEIGHBOR_AF", [(key, known[key]) for key in keys])

    def _no_peer(self, change: Change, router: str, group: bool) -> set[str]:
        vrf, _bar, name = change.key.partition("|")
        known = self._of(vrf)
        left = [name]
        if group:
            left += [
                key[1].partition("|")[2]
                for key, row in self._applied.items()
                if key[0] == "BGP_NEIGHBOR" and key[1].startswith(f"{vrf}|") and row.get("peer_group_name") == name
            ]
            known.groups.discard(name)
        self._frr.configure(("bgpd",), router, f"no neighbor {name}")
        for one in left:
            known.interfaces.discard(one)
            self._applied.pop(("BGP_NEIGHBOR", f"{vrf}|{one}"), None)
            for family in _FAMILIES:
                self._applied.pop(("BGP_NEIGHBOR_AF", f"{vrf}|{one}|{family}"), None)
        return set(change.old)

    def _peer_af(self, change: Change) -> set[str]:
        vrf, _bar, rest = change.key.partition("|")
        name, _bar, family = rest.rpartition("|")
        if not name or not self._of(vrf).asn:
            return set()
        return self._say(change, ("bgpd",), [self._router(vrf), family_of(family)], NEIGHBOR_AF, name)[1]

    def _listen(self, change: Change) -> set[str]:
        vrf, _bar, prefix = change.key.partition("|")
        line = Line(("peer_group",), lambda row, name: [f"bgp listen range {name} peer-group {row['peer_group']}"])
        if not self._of(vrf).asn:
            return set()
        return self._say(change, ("bgpd",), [self._router(vrf)], (line,), prefix)[1]

    def _originated(self, change: Change, family: str, old: str, new: str) -> set[str]:
        """One command stands for the whole row: the old one is taken back where the new one does not replace it."""
        vrf = change.key.partition("|")[0]
        if not self._of(vrf).asn or ("" if change.gone else new) == old:
            return set()
        before = [self._router(vrf), family_of(family)]
        if old and (change.gone or set(change.old) - set(change.new)):
            self._frr.configure(("bgpd",), *before, negated(old))
        if change.gone or self._frr.configure(("bgpd",), *before, new):
            return {*change.old, *change.new, "is there"}
        return set()

    def _whole(self, change: Change, family: str, make: Callable[[Row], str]) -> set[str]:
        known = (change.table, change.key) in self._applied and bool(change.old)
        change.old, old = dict(change.old), make(change.old) if known else ""
        if not change.gone:
            change.new["is there"] = "true"
        return self._originated(change, family, old, make(change.new))

    def _network(self, change: Change) -> set[str]:
        _vrf, family, prefix = change.key.split("|", 2)

        def make(row: Row) -> str:
            policy_ = f"route-map {row['policy']}" if "policy" in row else ""
            return " ".join(f"network {prefix} {policy_} {'backdoor' if row.get('backdoor') == 'true' else ''}".split())

        return self._whole(change, family, make)

    def _aggregate(self, change: Change) -> set[str]:
        _vrf, family, prefix = change.key.split("|", 2)

        def make(row: Row) -> str:
            how = [word.replace("_", "-") for word in ("as_set", "summary_only") if row.get(word) == "true"]
            return " ".join(f"aggregate-address {prefix} {' '.join(how)}".split())

        return self._whole(change, family, make)

    def _redistribute(self, change: Change) -> set[str]:
        parts = change.key.split("|")
        if len(parts) != 4 or parts[2] != "bgp":
            return set()

        def make(row: Row) -> str:
            metric = f"metric {row['metric']}" if "metric" in row else ""
            maps = listed(row.get("route_map", []))[:1]
            return " ".join([f"redistribute {parts[1]}", *metric.split(), *(f"route-map {name}" for name in maps)])

        return self._whole(change, f"{parts[3]}_unicast", make)

    # policy

    def _prefix_set(self, change: Change) -> set[str]:
        if change.gone:
            self._modes.pop(change.key, None)
        elif change.key not in self._modes and "mode" in change.new:
            self._modes[change.key] = change.new["mode"].lower()
        return {*change.old, *change.new}

    def _prefix(self, change: Change) -> set[str]:
        name, _bar, key = change.key.partition("|")
        mode = self._modes.get(name, "")
        if mode not in policy.WORDS:
            log(3, f"could not find prefix-set {name} from cache")
            return set()
        if change.old.get("action") == change.new.get("action"):
            return set()
        if "action" in change.old:
            self._frr.configure(_FILTERS, negated(policy.prefix(name, mode, key, change.old, boot=False)))
        if "action" in change.new and not self._frr.configure(
            _FILTERS, policy.prefix(name, mode, key, change.new, boot=False)
        ):
            return set()
        return {"action"}

    def _route_map(self, change: Change) -> set[str]:
        name, _bar, sequence = change.key.partition("|")
        known = self._maps.get((name, sequence))
        operation = change.new.get("route_operation")
        done: set[str] = set()
        if change.gone or change.removed("route_operation"):
            if known and self._frr.configure(_FILTERS, f"no route-map {name} {known} {sequence}"):
                del self._maps[(name, sequence)]
            change.new.clear()
            return set(change.old)
        if operation and operation != change.old.get("route_operation"):
            if not self._frr.configure(_FILTERS, f"route-map {name} {operation} {sequence}"):
                return set()
            self._maps[(name, sequence)] = known = operation
            change.old = {}
            done.add("route_operation")
        if not known:
            log(3, f"route-map {name} seq {sequence} not found for update")
            return set()
        lines = (*policy.matched_sets(self._modes, {**change.old, **change.new}), *policy.ROUTE_MAP)
        return done | self._say(change, _FILTERS, [f"route-map {name} {known} {sequence}"], lines)[1]

    def _as_path(self, change: Change) -> set[str]:
        def make(row: Mapping[str, Any], name: str) -> list[str]:
            return [f"bgp as-path access-list {name} permit {one}" for one in listed(row["as_path_set_member"])]

        line = Line(("as_path_set_member",), make, each=True)
        return self._say(change, ("bgpd",), [], (line,), change.key)[1]

    def _static(self, change: Change) -> set[str]:
        vrf, _bar, network = change.key.rpartition("|")
        before = [] if vrf in ("", "default") else [f"vrf {vrf}"]
        old, new = policy.routes(network, change.old), policy.routes(network, change.new)
        commands = [negated(one) for one in old if one not in new] + [one for one in new if one not in old]
        taken = [self._frr.configure(("mgmtd", "staticd"), *before, command) for command in commands]
        return {*change.old, *change.new} if all(taken) else set()

    def _vrf_row(self, change: Change) -> set[str]:
        """``vni`` goes to zebra alone, which does not know it any more (FRR 10): it never arrives."""
        vni = change.new.get("vni", "0")
        known = self._vnis.get(change.key, "")
        if vni != "0":
            self._vnis[change.key] = vni
            self._frr.configure(("zebra",), f"vrf {change.key}", f"vni {vni}")
        elif known:
            del self._vnis[change.key]
            self._frr.configure(("zebra",), f"vrf {change.key}", f"no vni {known}")
        return {*change.old, *change.new}
