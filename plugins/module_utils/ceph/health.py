# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Is the cluster fit for the next step? Pure verdicts on what it says about itself, a sentence for every reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..core.gate import Verdict
from .model import Check, Group, Mgrs, Osd, Pool, Quorum, Status

#: Words in the state of a placement group that serves as it should; scrubs and snapshot trimming come and go.
_FINE = frozenset(("active", "clean", "scrubbing", "deep", "snaptrim", "snaptrim_wait"))
#: Objects named in one reason; the rest is counted.
_NAMED = 5
CHECKS = ("quorum", "pgs", "recovery", "osds", "mgr", "health")


@dataclass(frozen=True)
class Wanted:
    """What has to hold.

    :param checks: of :data:`CHECKS`.
    :param mons: names that must be in quorum, and no others in the monmap; those of the monmap when empty.
    :param quorum_age: seconds for which the quorum must have been what it is.
    :param stop: daemons that are about to be stopped together, by kind (``osd``, ``mon``, ``mgr``).
    :param allowed: health checks that may be raised, for ``health``.
    :param forbidden: health checks that must not be raised, muted or not.
    """

    checks: tuple[str, ...] = ("quorum", "pgs", "recovery")
    mons: tuple[str, ...] = ()
    quorum_age: float = 0.0
    stop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class StopAnswer:
    """What Ceph says to ``ok-to-stop``: its sentence, and the placement groups that would not be served."""

    kind: str
    names: tuple[str, ...]
    fine: bool
    said: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """What was read for one look; parts that nobody wanted are empty.

    :param silent: mons that are in quorum and do not answer.
    :param unclean: placement groups that are not active and clean.
    :param probes: seconds that writing and reading back took, or the reason why it failed, by pool.
    """

    status: Status
    quorum: Quorum
    silent: tuple[str, ...] = ()
    unclean: tuple[Group, ...] = ()
    pools: tuple[Pool, ...] = ()
    osds: tuple[Osd, ...] = ()
    mgrs: Mgrs | None = None
    stops: tuple[StopAnswer, ...] = ()
    probes: Mapping[str, float | str] = field(default_factory=dict)


def judge(view: View, wanted: Wanted) -> Verdict:
    """Everything that is wanted, at once: an operator wants to know all reasons."""
    rules = {
        "quorum": lambda: [*quorum(view.quorum, wanted), *silent(view)],
        "pgs": lambda: groups(view),
        "recovery": lambda: recovery(view.status),
        "osds": lambda: osds(view.osds),
        "mgr": lambda: mgr(view.mgrs),
        "health": lambda: health(view.status.checks, wanted.allowed),
    }
    reasons = [reason for name in CHECKS if name in wanted.checks for reason in rules[name]()]
    reasons += forbidden(view.status.checks, wanted.forbidden)
    reasons += stops(view)
    reasons += probes(view)
    return Verdict(tuple(reasons), key=(view.quorum.election_epoch, view.quorum.names))


def quorum(found: Quorum, wanted: Wanted) -> list[str]:
    """Every mon in quorum by its name, and for long enough."""
    expected = wanted.mons or tuple(found.mons)
    here = listed(found.names) or "nobody"
    reasons = [f"mon {name} is not in the monmap" for name in expected if name not in found.mons]
    reasons += [
        f"mon {name} is not in quorum (in quorum: {here})"
        for name in expected
        if name in found.mons and name not in found.names
    ]
    reasons += [f"mon {name} is in the monmap and not expected" for name in sorted(set(found.mons) - set(expected))]
    if not reasons and found.age < wanted.quorum_age:
        reasons.append(f"the quorum of {here} is {found.age} s old, not yet {wanted.quorum_age:.0f} s")
    return reasons


def silent(view: View) -> list[str]:
    """Every mon of the quorum answers itself."""
    return [f"mon {name} is in quorum and does not answer" for name in view.silent]


def is_fine(state: str) -> bool:
    """Whether a placement group in this state serves as it should."""
    words = set(state.split("+"))
    return {"active", "clean"} <= words <= _FINE


def groups(view: View) -> list[str]:
    """Every placement group active and clean."""
    if not view.status.mgr_available:
        return ["no mgr is active, so nobody knows the state of the placement groups"]
    if not view.unclean:
        # the groups themselves were read a moment after the counters
        return [
            f"{count} placement groups are {state}"
            for state, count in sorted(view.status.groups.states.items())
            if not is_fine(state)
        ]
    names = {pool.id: pool.name for pool in view.pools}
    reasons = [
        f"PG {group.id} of pool {names.get(group.pool, group.pool)} is {group.state} (acting: {_osds(group.acting)})"
        for group in view.unclean[:_NAMED]
    ]
    return [*reasons, *_more(len(view.unclean), "placement groups are not active and clean")]


def recovery(status: Status) -> list[str]:
    """No object is misplaced or degraded."""
    found = status.groups
    pairs = ((found.misplaced, "misplaced"), (found.degraded, "degraded"))
    return [f"{count} copies of objects are {what}" for count, what in pairs if count]


def osds(found: Iterable[Osd]) -> list[str]:
    """Every OSD up; one that is out has been taken out by somebody and does not count."""
    down = [osd for osd in found if osd.inside and not osd.up]
    reasons = [f"osd.{osd.id} on {osd.location.get('host', 'no host')} is down" for osd in down[:_NAMED]]
    return [*reasons, *_more(len(down), "OSDs are down")]


def mgr(found: Mgrs | None) -> list[str]:
    """A mgr active, and another one that stands by."""
    if found is None or not found.available:
        return ["no mgr is active"]
    return [] if found.standbys else [f"mgr {found.active} is active and none stands by"]


def health(checks: Iterable[Check], allowed: tuple[str, ...]) -> list[str]:
    """No health check is raised but those that are muted or allowed."""
    return [_raised(check) for check in checks if not check.muted and check.name not in allowed]


def forbidden(checks: Iterable[Check], names: tuple[str, ...]) -> list[str]:
    """None of these health checks is raised, muted or not."""
    return [f"{_raised(check)}, which is forbidden" for check in checks if check.name in names]


def _raised(check: Check) -> str:
    return f"health check {check.name} is raised: {check.message}"


def stops(view: View) -> list[str]:
    """The daemons may be stopped together, as Ceph itself judges; it does not judge those that do not exist."""
    reasons = []
    names = {str(pool.id): pool.name for pool in view.pools}
    for answer in view.stops:
        missing = _missing(view, answer)
        what = listed(f"{'osd.' if answer.kind == 'osd' else f'{answer.kind} '}{name}" for name in answer.names)
        if missing:
            reasons.append(f"{answer.kind} {listed(missing)} does not exist in this cluster")
        elif not answer.fine:
            pools = sorted({names.get(group.partition(".")[0], group) for group in answer.groups})
            which = f": PG {listed(answer.groups)} of pool {listed(pools)} would not be served" if pools else ""
            reasons.append(f"{what} must not be stopped{which or f': {answer.said}'}")
    return reasons


def _missing(view: View, answer: StopAnswer) -> list[str]:
    known = {
        "osd": {str(osd.id) for osd in view.osds},
        "mon": set(view.quorum.mons),
        "mgr": {view.mgrs.active, *view.mgrs.standbys} if view.mgrs else set(),
    }[answer.kind]
    return [name for name in answer.names if name not in known]


def stop_mgrs(found: Mgrs, names: tuple[str, ...]) -> StopAnswer:
    """What Ceph does not judge itself: a mgr must be left."""
    left = sorted({found.active, *found.standbys} - {"", *names})
    return StopAnswer("mgr", names, bool(left), "no mgr would be left")


def probes(view: View) -> list[str]:
    """What a client wrote came back."""
    return [
        f"a client cannot write and read in pool {pool}: {result}"
        for pool, result in view.probes.items()
        if isinstance(result, str)
    ]


def listed(names: Iterable[object]) -> str:
    """Names in a sentence; many are cut."""
    found = [str(name) for name in names]
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def _osds(numbers: Iterable[int]) -> str:
    # CRUSH says 2^31 - 1 where it found no OSD
    return ", ".join(f"osd.{number}" if 0 <= number < 2**31 - 1 else "none" for number in numbers) or "none"


def _more(count: int, what: str) -> list[str]:
    return [f"{count} {what} in all"] if count > _NAMED else []
