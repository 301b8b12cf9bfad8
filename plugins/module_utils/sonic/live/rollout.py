# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How a change goes through a fabric: waves of switches, and what each of them is to see when all is done. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact
from ...landscape.derive import View
from .. import diff, fabric_order, fleet
from ..fabric_order import Wave
from ..render import build
from . import expected, peers

#: A switch without a row of these carries nothing for anybody: sessions, ways, bridges, routing protocols.
_CARRIERS = (
    *peers.TABLES,
    "BGP_PEER_RANGE",
    "BGP_GLOBALS_LISTEN_PREFIX",
    "INTERFACE",
    "OSPFV2_ROUTER",
    "PORTCHANNEL",
    "STATIC_ROUTE",
    "VLAN_INTERFACE",
    "VLAN_MEMBER",
    "VLAN_SUB_INTERFACE",
    "VXLAN_TUNNEL",
)
#: Tables of which :func:`expected.widths` looks at the keys, and at one field of the first.
_WIDTHS = ("BGP_GLOBALS", "BGP_NEIGHBOR", "LOOPBACK_INTERFACE")


@dataclass(frozen=True)
class Rollout:
    """A change of a fabric.

    :param links: by switch, the switch at the other end of each port.
    :param ecmp: by switch, the number of next hops by prefix once all is done.
    :param leaving: by switch, the neighbours whose session ends for good, because the plan of either end takes it away.
    :param impact: the worst of all.
    """

    waves: tuple[Wave, ...]
    links: Mapping[str, Mapping[str, str]]
    ecmp: Mapping[str, Mapping[str, int]]
    leaving: Mapping[str, list[str]]
    impact: Impact

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; every wave knows which switches come after it."""
        order = [wave.switches for wave in self.waves]
        rest = [sorted(name for later in order[number + 1 :] for name in later) for number in range(len(order))]
        waves = [{**wave.as_dict(), "pending": names} for wave, names in zip(self.waves, rest)]
        return {
            "waves": waves,
            "links": self.links,
            "ecmp": self.ecmp,
            "leaving": self.leaving,
            "impact": self.impact.label,
        }


def carries_nothing(config: Mapping[str, Any], sessions: Iterable[Mapping[str, Any]] | None) -> bool:
    """Whether nobody notices what happens to a switch that runs this.

    :param sessions: its BGP sessions, of which somebody may have made one by hand; nothing is known without them.
    """
    if not config or sessions is None or any(config.get(table) for table in _CARRIERS):
        return False
    return not any(one.get("state") == "Established" for one in sessions)


def of(
    view: View, switches: Mapping[str, Mapping[str, Any]], parallel: int = 0, leads_to: str = "landscape"
) -> Rollout:
    """The way of a change through a fabric.

    :param switches: by name ``plan`` (a plan, or a result that holds one) and ``facts`` (what ``sonic_facts`` returned).
    :param leads_to: ``landscape``, or ``plans`` when these lead elsewhere: what is expected in the end follows from it.
    :raises InputError: a switch without a plan, one that the landscape does not know, or one of another make.
    """
    unknown = sorted(set(switches) - set(view.landscape.switches))
    if unknown:
        raise InputError(f"The landscape has no switch {', '.join(unknown)}", hint="Limit the play to its switches")
    _same_make(view, switches)
    impacts = {name: _impact(name, said) for name, said in switches.items() if _plan(name, said)["steps"]}
    idle = [name for name in impacts if carries_nothing(_config(switches[name]), _seen(switches[name]).get("bgp"))]
    busy = {name: impact for name, impact in impacts.items() if name not in idle}
    waves = fabric_order.waves(busy, fleet.groups(view), parallel, new=idle)
    links = {name: _links(view, name, switches) for name in switches}
    worst = max(impacts.values(), default=Impact.NONE)
    return Rollout(waves, links, _ecmp(view, switches, leads_to), _leaving(view, switches), worst)


def _leaving(view: View, switches: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    removed = {name: _removed(_plan(name, said)) for name, said in switches.items()}
    found = {name: set(peers) for name, peers in removed.items()}
    for mine, far in expected.ends(view):
        if mine[0] in found and far[1] in removed.get(far[0], ()):
            found[mine[0]].add(mine[1])
    return {name: sorted(peers) for name, peers in found.items()}


def _removed(plan: Mapping[str, Any]) -> set[str]:
    """The BGP neighbours of which a plan leaves no row; a row that is removed and made again stays."""
    last = {str(step.get("path", "")): step.get("op") for step in plan["steps"]}
    gone = [diff.parts_of(path) for path, op in last.items() if op == "remove"]
    return {peers.of(place[1])[1] for place in gone if len(place) > 1 and place[0] in peers.TABLES}


def _same_make(view: View, switches: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses switches that are not what the landscape says: somebody mixed up names or addresses."""
    wrong = []
    for name, said in switches.items():
        model = view.landscape.device_models.get(view.landscape.switches[name].model)
        seen, wanted = str(_seen(said).get("hwsku") or ""), model.sonic_hwsku if model else ""
        if seen and wanted and seen != wanted:
            wrong.append(f"{name} is a {seen}, but the landscape says {wanted}")
    if wrong:
        raise InputError("; ".join(wrong), hint="Is it the switch that is meant? Nothing was changed")


def _plan(name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    plan = said.get("plan") or {}
    plan = plan.get("plan", plan)
    if not isinstance(plan.get("steps"), list):
        raise InputError(f"There is no plan for {name}", hint="Every switch is planned in check mode first")
    return dict(plan)


def _impact(name: str, said: Mapping[str, Any]) -> Impact:
    """The impact a plan says it has; one that is not known counts as the worst."""
    try:
        return Impact[str(_plan(name, said).get("impact", "")).upper()]
    except KeyError:
        return Impact.DESTROYED


def _config(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(_seen(said).get("config") or {})


def _seen(said: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = said.get("facts") or {}
    return dict(facts.get("switch", facts))


def _links(view: View, name: str, switches: Collection[str]) -> dict[str, str]:
    ends = expected.ends(view)
    return {mine[1]: far[0] for mine, far in ends if mine[0] == name and far[0] in switches}


def _ecmp(view: View, switches: Mapping[str, Mapping[str, Any]], leads_to: str) -> dict[str, dict[str, int]]:
    """Widths over the switches of the run alone: of others nobody knows what they do."""
    known = set(switches)
    made = {
        one.name: one.config for one in build.render_all(view, build.Options(fleet.DEFAULT_RELEASE, unmodelled=True))
    }
    partners = {far[0] for mine, far in expected.routed(view, made) if mine[0] in known}
    if partners - known:
        return {name: {} for name in known}
    if leads_to == "plans":
        made = {name: _after(name, said) for name, said in switches.items()}
    return {name: expected.widths(view, name, made) for name in known}


def _after(name: str, said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What decides how wide a switch's ways are, once its plan is done; plans tell which rows, and of fields the names.

    A switch whose AS number changes is none that anything is expected of.
    """
    config = {table: dict(_config(said).get(table, {})) for table in _WIDTHS}
    for step in _plan(name, said)["steps"]:
        table, _slash, key = str(step.get("path", "")).lstrip("/").partition("/")
        if table not in _WIDTHS or not key:
            continue
        key = diff.parts_of(f"/{key}")[0]
        if step.get("op") == "remove":
            config[table].pop(key, None)
        elif table != "BGP_GLOBALS":
            config[table].setdefault(key, {})
        elif step.get("op") == "add" or "local_asn" in step.get("fields", ()):
            return {}
    return config
