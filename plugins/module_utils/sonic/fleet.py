# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The configurations of many switches by name: from backups, or from a landscape; and who stands in for whom."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core import files
from ..core.errors import InputError
from ..landscape import client as landscape_client
from ..landscape import derive, findings_report
from ..landscape.derive import View
from ..landscape.rules import validate as rules
from . import client, codec, masking, model, targets
from .fabric_order import Group
from .model import ConfigDb
from .order import natural
from .render import build
from .render.model import Rendered
from .render.owned import ACCESS, FABRIC, SERVICES

#: A backup that is called so belongs to the folder it lies in, or to the name it carries.
GENERIC = ("config_db", "running", "config")
_SHOWN = 10
#: Release that is rendered for when nobody says which.
DEFAULT_RELEASE = "202605"


@dataclass(frozen=True)
class Side:
    """Where one side of a comparison comes from: files, or a landscape."""

    files: list[str]
    landscape: list[str]


@dataclass(frozen=True)
class Rendering:
    """How landscapes are judged and rendered, and which switches count.

    :param release: empty for the one that the other side names, switch by switch, else the newest one.
    :param on_finding: as of ``sonic_render``: ``fail``, ``warn`` or ``ignore``.
    :param today: day on which waivers are judged.
    """

    release: str = ""
    names: tuple[str, ...] = ()
    unmodelled: bool = False
    secrets: Mapping[str, Any] = field(default_factory=dict)
    on_finding: str = "fail"
    today: datetime.date | None = None


@dataclass(frozen=True)
class Comparison:
    """Both configurations of every switch that has both, and what is known of their redundancy.

    :param owned: by switch, the tables that its wanted configuration speaks for although it may not have them.
    :param said: warnings about the landscapes.
    :param rendered: what is there comes from a landscape: no row of it is an operator's.
    :param whole: both sides come from landscapes: who stands on one side only comes or goes.
    """

    pairs: Mapping[str, tuple[ConfigDb, ConfigDb]]
    groups: tuple[Group, ...]
    unmatched: Mapping[str, list[str]]
    owned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    rendered: bool = False
    whole: bool = False

    @property
    def new(self) -> list[str]:
        """Switches that come; nothing when a side is a pile of files, which need not be all of the fabric."""
        return self.unmatched["after"] if self.whole else []

    @property
    def retired(self) -> list[str]:
        """Switches that go."""
        return self.unmatched["before"] if self.whole else []

    def targets(self) -> dict[str, tuple[ConfigDb, ConfigDb]]:
        """By switch what there is and where the change leads: what nobody speaks of stays as it is."""
        return {
            name: (before, targets.wanted(before, after, self.owned.get(name, ())))
            for name, (before, after) in self.pairs.items()
        }

    def kept(self, ignore: Iterable[str] = ()) -> dict[str, dict[str, list[str]]]:
        """By switch and table, the keys of rows that stay because nobody speaks for their table; secret ones masked.

        :param ignore: tables that daemons write.
        """
        left_out, found = frozenset(ignore), {}
        for name, (before, after) in self.pairs.items():
            spoken = left_out | self.owned.get(name, frozenset()) | set(after)
            rows = {table: before[table] for table in sorted(set(before) - spoken) if before[table]}
            if rows:
                found[name] = {table: list(keys) for table, keys in masking.config(rows).items()}
        return found

    @property
    def warnings(self) -> list[str]:
        """One sentence for each side that knows switches the other does not, and for what stays though it was managed."""
        others = {"before": "after", "after": "before"}
        how = {"New": ("configuration as a whole", self.new), "Retired": ("removal", self.retired)}
        return [
            *self.said,
            *(
                f"{word} and not planned row by row, but in the waves: {', '.join(names)} ({what})"
                for word, (what, names) in how.items()
                if names
            ),
            *(
                f"Not planned, because they stand on the side {side!r} only and not on {others[side]!r}: {', '.join(names)}"
                for side, names in self.unmatched.items()
                if names and not self.whole
            ),
        ]

    def staying(self, kept: Mapping[str, Mapping[str, list[str]]]) -> list[str]:
        """One sentence for each set of tables that a landscape may write, no longer says, and does not take away."""
        alike: dict[str, list[str]] = {}
        for name, rows in kept.items():
            managed = self.rendered or name in self.owned
            tables = [table for table in rows if self.rendered or table in ACCESS | SERVICES]
            if managed and tables:
                alike.setdefault(", ".join(tables), []).append(name)
        hint = "to take a table away, write it as null in config_db"
        return [
            f"{tables} stay as they are on {', '.join(names)}, because what is wanted does not speak of them; {hint}"
            for tables, names in sorted(alike.items())
        ]


def compare(before: Side, after: Side, landscape: list[str], rendering: Rendering) -> Comparison:
    """Reads both sides.

    :param landscape: tells the redundancy groups; that of a side when empty.
    :raises InputError: for what cannot be read, for a landscape with errors, and for a named switch that is missing on
        either side.
    """
    views, said = {}, []
    for paths in (before.landscape, after.landscape):
        if paths and tuple(paths) not in views:
            views[tuple(paths)], warnings = judged(paths, rendering)
            said += warnings
    told = landscape or after.landscape or before.landscape
    if told and tuple(told) not in views:
        views[tuple(told)] = load(told)
    read = [from_files(side.files) if not side.landscape else {} for side in (before, after)]
    made = [
        _rendered(views[tuple(side.landscape)], rendering, other) if side.landscape else None
        for side, other in ((before, read[1]), (after, read[0]))
    ]
    sides = [
        files if one is None else {name: each.config for name, each in one.items()} for files, one in zip(read, made)
    ]
    for name in rendering.names:
        if any(name not in side for side in sides):
            raise InputError(f"The switch {name} does not stand on both sides", hint="Compare the names of the files")
    common = [name for name in sides[0] if name in sides[1] and (not rendering.names or name in rendering.names)]
    alone = [
        [] if rendering.names else sorted(set(mine) - set(theirs), key=natural)
        for mine, theirs in (sides, reversed(sides))
    ]
    return Comparison(
        {name: (sides[0][name], sides[1][name]) for name in sorted(common, key=natural)},
        groups(views[tuple(told)]) if told else (),
        {"before": alone[0], "after": alone[1]},
        written(after.files) if made[1] is None else {name: each.owned for name, each in made[1].items()},
        tuple(said),
        made[0] is not None,
        None not in made,
    )


def judged(sources: list[str], rendering: Rendering) -> tuple[View, list[str]]:
    """A landscape that is fit to be rendered, by the same rules as in ``sonic_render``; and warnings.

    :raises InputError: naming its errors.
    """
    landscape, misread = landscape_client.load(sources)
    view = derive.resolve(landscape)
    findings = misread if rendering.on_finding == "ignore" else rules.check(view, misread, today=rendering.today)
    errors = rules.unwaived(findings if rendering.on_finding == "fail" else misread)
    if errors:
        raise InputError(
            findings_report.failure(errors), details={"findings": [finding.as_dict() for finding in findings]}
        )
    return view, findings_report.warnings(rules.unwaived(findings))


def _rendered(view: View, rendering: Rendering, other: Mapping[str, ConfigDb]) -> dict[str, Rendered]:
    """Each switch for the release that is asked for, else for the one that its other side is of."""
    if rendering.release:
        options = build.Options(rendering.release, rendering.unmodelled, rendering.secrets)
        return _whole(view, options, rendering.names)
    by_release: dict[str, list[str]] = {}
    for name in rendering.names or build.rendered_by_default(view):
        by_release.setdefault(_release_of(other.get(name, {})) or DEFAULT_RELEASE, []).append(name)
    made: dict[str, Rendered] = {}
    for release, names in by_release.items():
        made.update(_whole(view, build.Options(release, rendering.unmodelled, rendering.secrets), names))
    return {name: made[name] for name in sorted(made, key=natural)}


def _release_of(config: ConfigDb) -> str:
    """The release to render for beside a configuration. Of another vendor's image it is no release of ours."""
    return "" if model.enterprise_marks(config) else model.release_of(config)


def written(sources: list[str]) -> dict[str, frozenset[str]]:
    """The tables that files of ``sonic_render`` speak for, by switch; other files speak for what they have."""
    folders: dict[str, files.Folder] = {}
    found = {}
    for path in client.config_files(sources):
        folder, name = os.path.split(os.path.abspath(path))
        beside = folders.setdefault(folder, files.Folder(folder, "sonic_render"))
        if name in beside.owned():
            # Files of earlier versions have no note: the fabric at least is theirs.
            found[os.path.splitext(name)[0]] = frozenset(beside.notes().get(name, FABRIC))
    return found


def from_files(sources: list[str]) -> dict[str, ConfigDb]:
    """Configurations of files and folders by the switch's name: that of the file, else of its folder.

    :raises InputError: for what cannot be read, is no configuration, or two files of one switch.
    """
    configs: dict[str, ConfigDb] = {}
    origin: dict[str, str] = {}
    for path in client.config_files(sources):
        config, faults = codec.check(client.load_json(path))
        if faults:
            said = [
                f"{'|'.join(filter(None, (table, masking.key(table, key))))} {field} {text}"
                for table, key, field, text in faults
            ]
            more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
            raise InputError(f"{path}: {'; '.join(said[:_SHOWN])}{more}", details={"faults": said})
        name = name_of(path, config)
        if name in origin:
            raise InputError(f"{path} and {origin[name]} are both of {name}", hint="Name one file for each switch")
        configs[name], origin[name] = config, path
    return configs


def name_of(path: str, config: ConfigDb) -> str:
    """The name of the switch a file belongs to: that of the file, else of its folder, else the one it gives itself."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if stem not in GENERIC:
        return stem
    return os.path.basename(os.path.dirname(os.path.abspath(path))) or model.hostname_of(config) or stem


def load(sources: list[str]) -> View:
    """A landscape with everything derived.

    :raises InputError: when it cannot be read as a whole.
    """
    landscape, findings = landscape_client.load(sources)
    errors = [str(finding) for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError("; ".join(errors[:_SHOWN]), hint="landscape_validate lists everything")
    return derive.resolve(landscape)


def from_landscape(
    view: View,
    release: str,
    names: Iterable[str] = (),
    *,
    unmodelled: bool = False,
    secrets: Mapping[str, Any] | None = None,
) -> dict[str, ConfigDb]:
    """Configurations of the switches of a landscape, as ``sonic_render`` makes them.

    :raises InputError: for what the release cannot do.
    """
    made = _whole(view, build.Options(release, unmodelled, secrets or {}), names)
    return {name: one.config for name, one in made.items()}


def _whole(view: View, options: build.Options, names: Iterable[str]) -> dict[str, Rendered]:
    rendered = build.render_all(view, options, names)
    refused = [str(issue) for one in rendered for issue in one.refused]
    if refused:
        raise InputError("; ".join(refused[:_SHOWN]), details={"refused": refused})
    return {one.name: one for one in rendered}


def groups(view: View) -> tuple[Group, ...]:
    """The redundancy groups of a landscape, switches only."""
    switches = view.landscape.switches
    found = []
    for name, group in view.landscape.redundancy_groups.items():
        members = tuple(member for member in group.members if member in switches)
        if members:
            found.append(Group(name, group.kind, members))
    return tuple(found)
