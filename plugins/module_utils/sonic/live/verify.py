# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether a running switch is what it should be. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import diff, masking, model
from ..frr import lines
from ..model import ConfigDb
from . import desired, expect, facts, peers
from .changing import Seen

#: What the switch has to look at for each check.
CHECKS: Mapping[str, tuple[str, ...]] = {
    "config": (),
    "saved": (),
    "frr": ("frr",),
    "fixups": ("frr",),
    "bgp": ("bgp",),
    "evpn": ("evpn",),
    "ecmp": ("routes",),
    "lldp": ("lldp",),
    "kernel": ("addresses",),
    "errors": ("counters",),
}


@dataclass(frozen=True)
class Cable:
    """What is expected at the other end of a port.

    :param ports: names the other end may give its port: SONiC tells the alias, other systems the name.
    """

    port: str
    system: str
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expected:
    """What a switch should be.

    :param config: tables that are meant as a whole; nothing is compared when it is absent.
    :param owned: tables that are meant to be empty when ``config`` does not have them.
    :param cables: those of its ports; nothing is compared when they are absent.
    :param ports: what ports of other switches are called, name and alias, by switch and by either.
    :param ecmp: number of next hops by prefix; nothing is compared when it is absent.
    :param bgp_ports: ports over which sessions are judged, all others are excused; every session is judged when it is absent.
    :param max_errors: errors a port may have counted since SONiC set up the switch chip; nothing sets them back before.
    """

    config: ConfigDb | None = None
    owned: tuple[str, ...] = ()
    cables: tuple[Cable, ...] | None = None
    ports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ecmp: Mapping[str, int] | None = None
    bgp_ports: frozenset[str] | None = None
    max_errors: int = 0
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it should be."""

    check: str
    local: str
    expected: str
    got: str

    def as_dict(self) -> dict[str, str]:
        """JSON-able form."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.local}: expected {self.expected}, got {self.got}"


def include(checks: Iterable[str], prefixes: Iterable[str] = ()) -> list[str]:
    """What the switch has to look at; of its routes those to ``prefixes``."""
    names = {name for check in checks for name in CHECKS[check]}
    routes = [" ".join(("routes", *sorted(prefixes)))] if prefixes and "routes" in names else []
    return sorted(names - {"routes"}) + routes


def faults(seen: Seen, expected: Expected, checks: Iterable[str]) -> list[Fault]:
    """Everything that is not as it should be, in the order of the checks."""
    wanted = set(checks)
    return [fault for name in CHECKS if name in wanted for fault in _JUDGES[name](seen, expected)]


def unjudged(seen: Seen, expected: Expected, checks: Iterable[str]) -> dict[str, str]:
    """The checks that could not have found a fault, or not every one, and why."""
    wanted, found = set(checks), {}
    for name, value in (("config", expected.config), ("ecmp", expected.ecmp), ("lldp", expected.cables)):
        if name in wanted and value is None:
            found[name] = "it is not said what is expected"
    if "frr" in wanted and model.dialect_of(seen.config) != "unified":
        found["frr"] = "in its routing mode FRR is not written from CONFIG_DB alone"
    if "errors" in wanted and seen.answer.get("counters", {}).get("source") != "chip":
        found["errors"] = "the switch chip tells none, and the kernel counts packets to and from the CPU alone"
    if "bgp" in wanted and not any(peers.named(seen.config).values()):
        count = len(expect.sessions(seen.answer["bgp"]))
        found["bgp"] = f"FRR has {count} sessions, and no row names one" if count else "no neighbour is configured"
    elif "bgp" in wanted:
        judged = _named(seen, expected)
        excused = [session(*key[::-1]) for key, up in peers.named(seen.config).items() if up and not judged[key]]
        if excused:
            found["bgp"] = f"no cable leads to one of bgp_with from the {', the '.join(excused)}"
    return found


def _named(seen: Seen, expected: Expected) -> dict[tuple[str, str], bool]:
    """Every neighbour that has a row, and whether its session is to be up and judged."""
    ports = expected.bgp_ports
    return {key: up and (ports is None or key[1] in ports) for key, up in peers.named(seen.config).items()}


def sessions_of(seen: Seen, expected: Expected) -> list[dict[str, Any]]:
    """Every BGP session that is there or should be, and whether it should; nothing when FRR was not asked."""
    if "bgp" not in seen.answer:
        return []
    states, named = expect.sessions(seen.answer["bgp"]), _named(seen, expected)
    return [
        {"vrf": key[0], "peer": key[1], "state": states.get(key, ""), "expected": named.get(key, False)}
        for key in sorted({*states, *named})
    ]


def ways_of(seen: Seen, expected: Expected) -> list[dict[str, Any]]:
    """The width of the ways to every prefix that something is expected of, and that width."""
    widths = widths_of(seen.answer.get("routes"))
    return [
        {"prefix": prefix, "width": widths.get(prefix, 0), "expected": width}
        for prefix, width in sorted((expected.ecmp or {}).items())
        if "routes" in seen.answer
    ]


def _config(seen: Seen, expected: Expected) -> list[Fault]:
    if expected.config is None:
        return []
    wanted = desired.wanted("overridden", seen.config, expected.config, expected.owned)
    found = []
    for change in diff.changes(seen.config, wanted, expected.ignore):
        shown = [None if row is None else masking.row(change.table, row) for row in (change.after, change.before)]
        fields = change.fields if None not in shown else ()
        found.append(Fault("config", change.shown, *(_row(row, fields) for row in shown)))
    return found


def _row(row: model.Row | None, fields: tuple[str, ...]) -> str:
    if row is None:
        return "no row"
    shown = {name: row.get(name) for name in fields} if fields else row
    return (
        ", ".join(
            f"{name} {','.join(value) if isinstance(value, list) else 'absent' if value is None else value}"
            for name, value in sorted(shown.items())
        )
        or "a row without fields"
    )


def _saved(seen: Seen, expected: Expected) -> list[Fault]:
    names = expect.unsaved(seen.config, seen.saved, expected.ignore)
    return [Fault("saved", name, "the same in the saved file", "a difference") for name in names]


def _frr(seen: Seen, _expected: Expected) -> list[Fault]:
    return [
        Fault("frr", "FRR", "what CONFIG_DB says", text) for text in sorted(expect.frr(seen.config, seen.answer["frr"]))
    ]


def _fixups(seen: Seen, _expected: Expected) -> list[Fault]:
    parsed = lines.parse(str(seen.answer["frr"]))
    wanted = {(str(one[0]), str(one[1])) for one in seen.answer["fixups"]} & set(expect.vnis(seen.config))
    return [
        Fault(
            "fixups",
            f"FRR {section}",
            line,
            "nothing: bgp was restarted since; run sonic_config_db with frr_fixups again",
        )
        for section, line in sorted(wanted)
        if line not in parsed.get((section,), frozenset())
    ]


def _bgp(seen: Seen, expected: Expected) -> list[Fault]:
    states = expect.sessions(seen.answer["bgp"])
    return [
        Fault("bgp", session(peer, vrf), "Established", states.get((vrf, peer)) or "no session")
        for (vrf, peer), wanted in _named(seen, expected).items()
        if wanted and states.get((vrf, peer)) != "Established"
    ]


def session(peer: str, vrf: str) -> str:
    """What a BGP session is called."""
    return f"session of {peer} in {vrf}"


def _evpn(seen: Seen, _expected: Expected) -> list[Fault]:
    """VNIs that FRR does not know, and those of a VRF that it takes for a bridge's: such a VRF routes nothing."""
    known = facts.vnis(seen.answer["evpn"])
    routed = {line.split()[1]: section for section, line in expect.vnis(seen.config)}
    rows = seen.config.get("VXLAN_TUNNEL_MAP", {}).values()
    found = []
    for vni in sorted({str(row.get("vni")) for row in rows} | set(routed)):
        if vni not in known:
            found.append(Fault("evpn", f"VNI {vni}", "known to FRR", "not known"))
        elif vni in routed and known[vni] != "L3":
            got = f"{known[vni] or 'no kind'}: FRR lacks `{routed[vni]}` / `vni {vni}`, which frr_fixups of sonic_config_db adds"
            found.append(Fault("evpn", f"VNI {vni}", f"L3, in {routed[vni]}", got))
    return found


def _ecmp(seen: Seen, expected: Expected) -> list[Fault]:
    widths = widths_of(seen.answer.get("routes"))
    return [
        Fault("ecmp", f"route to {prefix}", f"{width} next hops", str(widths.get(prefix, "no route")))
        for prefix, width in sorted((expected.ecmp or {}).items())
        if widths.get(prefix) != width
    ]


def widths_of(answer: Any) -> dict[str, int]:
    """The number of next hops in use by prefix, of the routes that were selected in the default instance."""
    found: dict[str, int] = {}
    tables = answer.get("default", answer) if isinstance(answer, Mapping) else {}
    for prefix, routes in tables.items() if isinstance(tables, Mapping) else ():
        for route in routes if isinstance(routes, list) else ():
            if route.get("selected"):
                hops = [hop for hop in route.get("nexthops", ()) if hop.get("active")]
                found[str(prefix)] = len([hop for hop in hops if hop.get("fib")])
    return found


def _lldp(seen: Seen, expected: Expected) -> list[Fault]:
    heard = expect.neighbours(seen.answer["lldp"])
    found = []
    for cable in expected.cables or ():
        system, port = heard.get(cable.port, ("", ""))
        if system == cable.system and (not cable.ports or port in cable.ports):
            continue
        local = called(seen.config, cable.port)
        port = expected.ports.get(system, {}).get(port, port)
        wanted = f"{cable.system} {' or '.join(cable.ports)}".strip()
        found.append(Fault("lldp", local, wanted, f"{system} {port}".strip() or "nobody"))
    return found


def called(config: ConfigDb, port: str) -> str:
    """A port by its name and, where it has another one, by what is printed beside it."""
    alias = str(config.get("PORT", {}).get(port, {}).get("alias", port))
    return port if alias == port else f"{port} ({alias})"


def _kernel(seen: Seen, _expected: Expected) -> list[Fault]:
    said = sorted(expect.kernel(seen.config, seen.answer["addresses"]))
    return [Fault("kernel", "kernel", "what CONFIG_DB says", text) for text in said]


def _errors(seen: Seen, expected: Expected) -> list[Fault]:
    counted = seen.answer["counters"]["ports"]
    return [
        Fault("errors", name, f"at most {expected.max_errors} errors since SONiC started", str(counted[name]))
        for name in seen.config.get("PORT", {})
        if counted.get(name, 0) > expected.max_errors
    ]


_JUDGES: Mapping[str, Callable[[Seen, Expected], list[Fault]]] = {
    "config": _config,
    "saved": _saved,
    "frr": _frr,
    "fixups": _fixups,
    "bgp": _bgp,
    "evpn": _evpn,
    "ecmp": _ecmp,
    "lldp": _lldp,
    "kernel": _kernel,
    "errors": _errors,
}
