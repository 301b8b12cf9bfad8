# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Many configurations, judged by the models and by the rules. Reads through :mod:`client`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..core.errors import InputError
from ..landscape.derive import View
from . import client, codec, fleet, masking, model, ports, yang_check
from .lint import form, index, validate
from .model import ConfigDb, Issue
from .places import Places
from .places import places as places_of

#: What can be asked for.
CHECKS = ("yang", "lint")


@dataclass(frozen=True)
class Subject:
    """One configuration that was read.

    :param issues: what of it could not be read as CONFIG_DB.
    """

    name: str
    path: str
    config: ConfigDb
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How to judge.

    :param release: the release to judge by; empty for the one that wrote each configuration.
    :param dialect: the same for the dialect.
    :param yang_dir: folder of the models, or of one folder of models per release.
    :param links: cables as (switch, port, switch, port).
    :param today: day on which expectations are judged, ``YYYY-MM-DD``.
    """

    release: str = ""
    dialect: str = ""
    yang_dir: str = ""
    checks: tuple[str, ...] = CHECKS
    port_maps: Mapping[str, ports.PortMap] = field(default_factory=dict)
    links: tuple[tuple[str, str, str, str], ...] = ()
    expected: tuple[validate.Expected, ...] = ()
    today: str = ""


@dataclass(frozen=True)
class Inspection:
    """What was found."""

    subjects: tuple[Subject, ...]
    issues: tuple[Issue, ...]

    @property
    def paths(self) -> dict[str, str]:
        """File by switch."""
        return {subject.name: subject.path for subject in self.subjects}


def read(sources: list[str]) -> list[Subject]:
    """The configurations that paths mean, each under the name of its switch.

    :raises InputError: for what cannot be read, or two files of one switch.
    """
    subjects: dict[str, Subject] = {}
    for path in client.config_files(sources):
        config, faults = codec.check(client.load_json(path))
        name = fleet.name_of(path, config)
        if name in subjects:
            raise InputError(
                f"{path} and {subjects[name].path} are both of {name}", hint="Name one file for each switch"
            )
        issues = tuple(form.SL001.issue(name, *fault) for fault in faults)
        subjects[name] = Subject(name, path, config, issues)
    return list(subjects.values())


def inspect(subjects: Iterable[Subject], settings: Settings) -> Inspection:
    """Judges configurations, together where they belong together.

    :raises InputError: when there are no models for a release.
    """
    subjects = tuple(subjects)
    known = [issue for subject in subjects for issue in subject.issues]
    if "yang" in settings.checks:
        known += _by_models(subjects, settings)
    switches = [_switch(subject, settings) for subject in subjects] if "lint" in settings.checks else []
    fabric = index.Fabric(switches, settings.links)
    issues = validate.check(fabric, known, expected=settings.expected, today=settings.today)
    shown = masking.issues(issues, {subject.name: subject.config for subject in subjects})
    return Inspection(subjects, tuple(shown))


def faults(configs: Mapping[str, ConfigDb], release: str, yang_dir: str) -> dict[str, list[Issue]]:
    """What the models refuse of configurations, by switch; nothing when no folder of models is given.

    :param release: empty for the one that each configuration names.
    :raises InputError: when there are no models for a release.
    """
    found: dict[str, list[Issue]] = {}
    if yang_dir:
        subjects = [Subject(name, "", config) for name, config in configs.items()]
        for issue in inspect(subjects, Settings(release, yang_dir=yang_dir, checks=("yang",))).issues:
            found.setdefault(issue.switch, []).append(issue)
    return found


def _switch(subject: Subject, settings: Settings) -> index.Switch:
    hwsku = subject.config.get("DEVICE_METADATA", {}).get("localhost", {}).get("hwsku", "")
    port_map = settings.port_maps.get(hwsku) if isinstance(hwsku, str) else None
    return index.Switch(subject.name, subject.config, settings.release, settings.dialect, port_map)


def _by_models(subjects: tuple[Subject, ...], settings: Settings) -> list[Issue]:
    by_release: dict[str, list[Subject]] = {}
    issues: list[Issue] = []
    for subject in subjects:
        release = settings.release or model.release_of(subject.config)
        if release:
            by_release.setdefault(release, []).append(subject)
        else:
            # Asked for and not done is no pass.
            message = f"its release is not known (dialect {model.dialect_of(subject.config)}), so no model judged it"
            issues.append(validate.SY003.issue(subject.name, "VERSIONS", "DATABASE", "VERSION", message))
    for release, several in sorted(by_release.items()):
        folder = client.models_dir(release, settings.yang_dir)
        models = client.load_models(folder)
        with client.Yanglint(folder, models.names) as judge:
            for subject in several:
                verdict = yang_check.check(models, subject.config, judge)
                issues += yang_check.issues(verdict, subject.name, release)
    return issues


def named(found: Inspection) -> dict[str, str]:
    """File by switch, as the repository names it: code hosting shows findings at files it knows."""
    return {name: client.in_repository(path) for name, path in found.paths.items()}


def places(found: Inspection) -> dict[str, Places]:
    """By switch with findings, where its rows stand in its file."""
    touched = {issue.switch for issue in found.issues}
    return {one.name: places_of(client.load_text(one.path)) for one in found.subjects if one.name in touched}


def port_maps(files: Iterable[str]) -> dict[str, ports.PortMap]:
    """Port maps of port_config.ini files, by the HWSKU they are named after.

    :raises InputError: for a file that cannot be read.
    """
    found = {}
    for path in files:
        hwsku = os.path.splitext(os.path.basename(path))[0]
        found[hwsku] = ports.parse_port_config(client.load_text(path), hwsku)
    return found


def links(view: View, names: Iterable[str]) -> tuple[tuple[str, str, str, str], ...]:
    """The cables of a landscape between switches that were read."""
    known = set(names)
    ends = [
        (*cable.a.split("/", 1), *cable.b.split("/", 1)) for cable in view.landscape.cables if cable.state == "active"
    ]
    return tuple((end[0], end[1], end[2], end[3]) for end in ends if len(end) == 4 and {end[0], end[2]} <= known)
