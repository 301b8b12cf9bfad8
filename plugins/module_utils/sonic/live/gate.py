# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether a fabric may go on with the next switches of a rolling change. Pure.

Between bare switches and a fabric that runs there are many states in which a session is rightly down: its far end was
not configured yet. So what counts is what worked before, and what must work because both ends are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import model
from . import expect, facts, peers, verify
from .changing import Seen

CHECKS = ("bgp", "ecmp", "evpn")
_SHOWN = 5


@dataclass(frozen=True)
class State:
    """What works on a switch.

    :param sessions: routing instance and neighbour of every session that is Established.
    :param widths: number of next hops in use by prefix.
    :param vnis: VNIs that FRR knows.
    """

    sessions: frozenset[tuple[str, str]] = frozenset()
    widths: Mapping[str, int] = field(default_factory=dict)
    vnis: frozenset[str] = frozenset()

    @classmethod
    def of(cls, seen: Seen) -> State:
        """What works now."""
        up = {key for key, state in expect.sessions(seen.answer["bgp"]).items() if state == "Established"}
        known = facts.vnis(seen.answer["evpn"])
        return cls(frozenset(up), verify.widths_of(seen.answer.get("routes")), frozenset(known))

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> State:
        """The reverse of :meth:`as_dict`; what is absent is empty."""
        return cls(
            frozenset((str(vrf), str(peer)) for vrf, peer in data.get("sessions") or ()),
            {str(prefix): int(width) for prefix, width in (data.get("widths") or {}).items()},
            frozenset(str(vni) for vni in data.get("vnis") or ()),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "sessions": sorted([*key] for key in self.sessions),
            "widths": dict(sorted(self.widths.items())),
            "vnis": sorted(self.vnis),
        }


@dataclass(frozen=True)
class Progress:
    """How far a change of the fabric is, as one of its switches sees it.

    :param name: the switch.
    :param links: the switch at the other end of each port; ports to anything else are absent.
    :param ecmp: number of next hops by prefix once all is done.
    :param pending: switches that are still to be changed.
    :param leaving: neighbours whose session ends for good.
    :param before: what worked before the first of them was changed.
    """

    name: str
    links: Mapping[str, str] = field(default_factory=dict)
    ecmp: Mapping[str, int] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    before: State = State()


def faults(seen: Seen, progress: Progress) -> list[verify.Fault]:
    """What does not work although it worked before, or although both its ends are done."""
    now = verify.widths_of(seen.answer.get("routes"))
    # A way that is wider than it will be is one that is still to go.
    widths = {prefix: width for prefix, width in _widths(progress) if now.get(prefix, 0) < width}
    found = verify.faults(seen, verify.Expected(ecmp=widths), CHECKS) + list(_gone(seen, progress))
    excused = set(_excused(seen.config, progress))
    return [one for one in found if (one.check, one.local) not in excused]


def warnings(seen: Seen) -> list[str]:
    """What went unseen: sessions that FRR has and no row of the configuration names."""
    states = expect.sessions(seen.answer["bgp"])
    unseen = sorted(f"{peer} in {vrf}" for vrf, peer in states if not peers.knows(seen.config, vrf, peer))
    if not unseen:
        return []
    more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
    return [
        f"{seen.name}: no row of CONFIG_DB names the BGP sessions of {', '.join(unseen[:_SHOWN])}{more}: not judged"
    ]


def _gone(seen: Seen, progress: Progress) -> Iterable[verify.Fault]:
    """Neighbours out of a range, which no row names: what counts is that they were there."""
    states, named = expect.sessions(seen.answer["bgp"]), peers.named(seen.config)
    for vrf, peer in sorted(progress.before.sessions):
        if (vrf, peer) not in named and peers.ranged(seen.config, vrf, peer) and peer not in progress.leaving:
            state = states.get((vrf, peer)) or "no session"
            if state != "Established":
                yield verify.Fault("bgp", verify.session(peer, vrf), "Established", state)


def _widths(progress: Progress) -> Iterable[tuple[str, int]]:
    for prefix, width in progress.ecmp.items():
        was = progress.before.widths.get(prefix, 0)
        needed = min(was, width) if progress.pending else width
        if needed:
            yield prefix, needed


def _excused(config: model.ConfigDb, progress: Progress) -> Iterable[tuple[str, str]]:
    """Faults that are none yet, as check and place."""
    mine = progress.name in progress.pending
    for vrf, peer in peers.named(config):
        far = progress.links.get(peer)
        due = far is not None and far not in progress.pending and not mine
        if peer in progress.leaving or ((vrf, peer) not in progress.before.sessions and not due):
            yield "bgp", verify.session(peer, vrf)
    if mine:
        rows = config.get("VXLAN_TUNNEL_MAP", {}).values()
        for vni in {str(row.get("vni")) for row in rows} - progress.before.vnis:
            yield "evpn", f"VNI {vni}"
