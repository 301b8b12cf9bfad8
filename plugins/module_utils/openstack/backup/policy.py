# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Policies of backups as data: checked with the place of every mistake, and turned into the options of the modules.

All of it is pure: who is backed up, how often and how, what stays, and how often a restore proves it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.errors import InputError
from ...core.plan import Plan, Step
from ...landscape.decode import nearest
from . import decide, gfs, plan, points
from .model import Volume
from .points import Server
from .select import Selector, select

#: Names stand in the metadata of volumes and backups, in run names and in names of systemd's units.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
#: Slots that are shorter than the period of a policy.
_FINER = {"day": ("hourly",), "week": ("hourly", "daily"), "month": ("hourly", "daily", "weekly")}


class _Refused(Exception):
    """A value is none of its kind; the text says what is wanted."""


@dataclass(frozen=True)
class Field:
    """One key of a policy: how its value is read, and what holds when it is absent."""

    read: Callable[[Any], Any]
    default: Any


def _chosen(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            near = nearest(str(value), choices)
            raise _Refused(f"{value!r} is none of {', '.join(choices)}" + (f"; {near}" if near else ""))
        return str(value)

    return read


def _number(value: Any) -> float:
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise _Refused(f"{value!r} is no number from 0 on")
    return found


def _whole(value: Any) -> int:
    found = _number(value)
    if found != int(found):
        raise _Refused(f"{value!r} is no whole number")
    return int(found)


def _switch(value: Any) -> bool:
    text = str(value).lower()
    if text not in (*_YES, *_NO):
        raise _Refused(f"{value!r} is neither true nor false")
    return text in _YES


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused(f"{value!r} is no text")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one for one in value):
        raise _Refused(f"{value!r} is no list of names")
    return [str(one) for one in value]


def _pairs(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(one, (str, int, float)) for one in value.values()):
        raise _Refused(f"{value!r} has no texts by name")
    return {str(key): str(one) for key, one in value.items()}


#: Options of ``volume_backup_run``; ``every`` is its ``period``.
TAKE = {
    "every": Field(_chosen(*plan.PERIODS), "day"),
    "mode": Field(_chosen(*decide.MODES), "auto"),
    "max_chain": Field(_whole, 14),
    "full_days": Field(_number, 30.0),
    "own_only": Field(_switch, True),
    "force": Field(_chosen(*plan.FORCE), "auto"),
    "consistency": Field(_chosen(*points.CONSISTENCY), "none"),
    "backup_driver": Field(_chosen(*decide.DRIVERS), "auto"),
    "container": Field(_text, ""),
    "labels": Field(_pairs, {}),
    "volumes": Field(_texts, []),
    "servers": Field(_texts, []),
    "server_tags": Field(_texts, []),
    "volume_metadata": Field(_pairs, {}),
    "all_volumes": Field(_switch, False),
}
#: Of ``volume_backup_prune`` (besides ``keep``) and ``volume_backup_verify``.
REST = {
    "failed_days": Field(_number, 7.0),
    "prove_days": Field(_number, 30.0),
    "prove_limit": Field(_whole, 0),
}
KEYS = (*TAKE, "keep", *REST)


@dataclass(frozen=True)
class Policy:
    """A policy that is in order.

    :param take: values of :data:`TAKE`.
    :param keep: slots of each kind; empty when its backups are never thinned out.
    :param rest: values of :data:`REST`.
    """

    name: str
    take: Mapping[str, Any]
    keep: Mapping[str, int]
    rest: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The options of the three modules; ``thin`` is empty when there is nothing to keep by."""
        take = {("period" if key == "every" else key): value for key, value in self.take.items()}
        thin = {"policies": [self.name], "keep": dict(self.keep), "failed_days": self.rest["failed_days"]}
        prove = {
            "policies": [self.name],
            "period_days": self.rest["prove_days"],
            "limit": self.rest["prove_limit"],
        }
        return {
            "name": self.name,
            "take": {"policy": self.name, **take},
            "thin": thin if self.keep else {},
            "prove": prove,
        }

    def selector(self, policy_key: str, exclude_key: str) -> Selector:
        """Which volumes it is for."""
        return Selector(
            volumes=tuple(self.take["volumes"]),
            servers=tuple(self.take["servers"]),
            tags=tuple(self.take["server_tags"]),
            metadata=self.take["volume_metadata"],
            policy=self.name,
            everything=self.take["all_volumes"],
            policy_key=policy_key,
            exclude_key=exclude_key,
        )


def policies_of(given: Mapping[str, Any]) -> tuple[Policy, ...]:
    """The policies of an option.

    :raises InputError: with all that is wrong, each with its place.
    """
    problems: list[str] = []
    found = [_policy(str(name), value, problems) for name, value in given.items()]
    if problems:
        raise InputError("; ".join(problems))
    return tuple(found)


def _policy(name: str, given: Any, problems: list[str]) -> Policy:
    place = f"policies.{name}"
    if not _NAME.fullmatch(name):
        problems.append(f"{place}: a name has up to 64 letters, digits, '.', '_' and '-', a letter or digit first")
    if not isinstance(given or {}, Mapping):
        problems.append(f"{place}: {given!r} has no keys; it may have {', '.join(KEYS)}")
        given = {}
    wanted = {str(key): value for key, value in (given or {}).items() if value is not None}
    problems += _strange(place, wanted, KEYS)
    take = {key: _value(f"{place}.{key}", field, wanted.get(key), problems) for key, field in TAKE.items()}
    rest = {key: _value(f"{place}.{key}", field, wanted.get(key), problems) for key, field in REST.items()}
    return Policy(name, take, _keep(f"{place}.keep", wanted.get("keep"), problems), rest)


def _strange(place: str, given: Iterable[str], known: Sequence[str]) -> list[str]:
    return [
        f"{place}.{key}: there is no such key; {nearest(key, known) or 'there are ' + ', '.join(known)}"
        for key in given
        if key not in known
    ]


def _value(place: str, field: Field, given: Any, problems: list[str]) -> Any:
    if given is None:
        return field.default
    try:
        return field.read(given)
    except _Refused as refused:
        problems.append(f"{place}: {refused}")
        return field.default


def _keep(place: str, given: Any, problems: list[str]) -> dict[str, int]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        problems.append(f"{place}: {given!r} has no numbers by kind; kinds are {', '.join(gfs.KINDS)}")
        return {}
    wanted = {str(key): value for key, value in given.items() if value is not None}
    strange = _strange(place, wanted, gfs.KINDS)
    found = {
        key: _value(f"{place}.{key}", Field(_whole, 0), value, problems)
        for key, value in wanted.items()
        if key in gfs.KINDS
    }
    if not any(found.values()) and not strange:
        problems.append(f"{place}: no number is above 0, so that every backup would go; leave it out to keep all")
    problems += strange
    return found


def doubts(policies: Iterable[Policy]) -> list[str]:
    """What is allowed and hardly meant, one sentence each."""
    found = []
    for one in policies:
        finer = [kind for kind in _FINER.get(one.take["every"], ()) if one.keep.get(kind)]
        if finer:
            found.append(
                f"policies.{one.name}.keep: there is one backup every {one.take['every']}, "
                f"so {' and '.join(finer)} slots hold no more than these"
            )
    return found


@dataclass(frozen=True)
class Coverage:
    """Who is backed up by what.

    :param covered: ids of volumes by policy.
    :param uncovered: volumes of no policy, and why.
    :param missing: what a policy names and nobody finds, one sentence each.
    """

    covered: Mapping[str, tuple[str, ...]]
    uncovered: tuple[tuple[Volume, str], ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        left = [{"id": one.id, "name": one.name, "reason": reason} for one, reason in self.uncovered]
        covered = {name: list(ids) for name, ids in self.covered.items()}
        return {"covered": covered, "uncovered": left, "missing": list(self.missing)}


def asks_for_servers(policies: Iterable[Policy]) -> bool:
    """Whether a policy names servers, by themselves or by their tags."""
    return any(one.take["servers"] or one.take["server_tags"] for one in policies)


def coverage(
    volumes: Sequence[Volume],
    policies: Sequence[Policy],
    policy_key: str,
    exclude_key: str,
    servers: Sequence[Server] | None = None,
) -> Coverage:
    """Which volumes the policies are for, and which are left over.

    :param servers: with tags; needed where :func:`asks_for_servers` says so.
    """
    covered, reasons, missing = {}, {}, []
    for one in policies:
        found = select(volumes, one.selector(policy_key, exclude_key), servers)
        covered[one.name] = tuple(volume.id for volume in found.chosen)
        reasons.update({left.volume.id: left.reason for left in found.omitted})
        missing += [f"policies.{one.name}: {text}" for text in found.missing]
    chosen = {identifier for ids in covered.values() for identifier in ids}
    known = [one.name for one in policies]
    rest = [(one, reasons.get(one.id) or _unasked(one, known, policy_key)) for one in volumes if one.id not in chosen]
    return Coverage(covered, tuple(rest), tuple(missing))


def _unasked(volume: Volume, known: Sequence[str], policy_key: str) -> str:
    asked = volume.metadata.get(policy_key, "")
    if not asked:
        return "no policy is for it"
    if asked in known:
        return f"its policy {asked} names others"
    near = nearest(asked, known)
    return f"its policy {asked} is not defined" + (f"; {near}" if near else "")


@dataclass(frozen=True)
class Mark:
    """A volume that gets its policy written on it."""

    volume: Volume
    policy: str


def assigned(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Volumes by policy, as an option says it.

    :raises InputError: that is something else.
    """
    problems: list[str] = []
    found = {str(name): _value(f"assign.{name}", Field(_texts, []), listed, problems) for name, listed in given.items()}
    if problems:
        raise InputError("; ".join(problems))
    return found


def marks(
    volumes: Sequence[Volume], assign: Mapping[str, Sequence[str]], policies: Iterable[Policy], policy_key: str
) -> list[Mark]:
    """Which volumes have another policy than they are assigned to.

    :param assign: ids or names of volumes by policy.
    :raises InputError: a policy is not defined, or a volume is not there, there twice, or assigned twice.
    """
    known = [one.name for one in policies]
    problems = _strange("assign", assign, known)
    wanted: dict[str, Mark] = {}
    for name, listed in assign.items():
        for text in listed:
            found = [one for one in volumes if one.id == text] or [one for one in volumes if one.name == text]
            if len(found) != 1:
                problems.append(
                    f"assign.{name}: {len(found) or 'no'} volume{'s are' if found else ' is'} called {text}"
                )
                continue
            other = wanted.get(found[0].id)
            if other and other.policy != name:
                problems.append(f"assign.{name}: volume {found[0]} is assigned to {other.policy} as well")
            wanted[found[0].id] = Mark(found[0], name)
    if problems:
        raise InputError("; ".join(problems))
    return [one for one in wanted.values() if one.volume.metadata.get(policy_key, "") != one.policy]


def marked(volumes: Iterable[Volume], found: Iterable[Mark], policy_key: str) -> list[Volume]:
    """The volumes as they are once the marks are written."""
    names = {one.volume.id: one.policy for one in found}
    return [
        replace(one, metadata={**one.metadata, policy_key: names[one.id]}) if one.id in names else one
        for one in volumes
    ]


def plan_of(found: Iterable[Mark], policy_key: str) -> Plan:
    """One step for each mark."""
    steps = []
    for one in found:
        before = one.volume.metadata.get(policy_key)
        undo = f"set {policy_key} to {before}" if before else f"remove {policy_key}"
        steps.append(Step("update", f"volume {one.volume}", {policy_key: before}, {policy_key: one.policy}, undo=undo))
    return Plan(tuple(steps))
