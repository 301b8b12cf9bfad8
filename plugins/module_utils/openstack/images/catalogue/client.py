# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads catalogues: the only file of them that opens anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ....core.errors import InputError, MissingDependencyError
from . import model

try:
    import yaml
except ImportError:  # pragma: no cover - ansible-core depends on PyYAML, a bare managed host may lack it
    yaml = None  # type: ignore[assignment]

#: All shipped definitions of openstack-image-manager together have 60 kB.
MAX_BYTES = 4 * 1024 * 1024


def read(paths: Iterable[str]) -> list[tuple[str, Any]]:
    """Documents of files, and of the YAML files of folders in the order of their names.

    :raises InputError: one cannot be read, or is no YAML.
    """
    if yaml is None:
        raise MissingDependencyError("PyYAML", "reading a catalogue")
    return [(name, _load(name)) for path in paths for name in _files(path)]


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    names = sorted(name for name in os.listdir(path) if name.endswith((".yml", ".yaml")) and name[0] not in "._")
    if not names:
        raise InputError(f"There is no YAML file in {path}")
    return [os.path.join(path, name) for name in names]


def _load(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if len(text) > MAX_BYTES:
        raise InputError(f"{path} is larger than a catalogue can be ({MAX_BYTES} bytes)")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path} is no YAML: {' '.join(str(error).split())[:300]}") from error


def resolved(images: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Images of ``image_import`` with the addresses that only a catalogue may say (``listed``).

    :raises InputError: the catalogue does not have such a version.
    """
    known: dict[tuple[str, ...], list[model.Entry]] = {}
    found = []
    for image in images:
        listed = image.get("listed")
        if not listed:
            found.append(dict(image))
            continue
        paths = tuple(listed["catalogue"])
        if paths not in known:
            known[paths] = model.entries_of(read(paths), duplicate_purpose="custom")
        versions = [one.by_version(listed["version"]) for one in known[paths] if one.name == listed["entry"]]
        if not versions or versions[0] is None:
            raise InputError(f"The catalogue has no version {listed['version']} of image {listed['entry']}")
        found.append({**image, **versions[0].places})
    return found
