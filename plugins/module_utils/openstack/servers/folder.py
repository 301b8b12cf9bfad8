# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The folder with manifests: one file for each server, and one for its user data. Only their owner may read them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ...core import files
from ...core.errors import InputError, LandscapeError
from ...core.plan import Plan, Step
from ...core.record import write_atomic
from . import model

_MODE = 0o600


def plan(folder: str, manifests: Iterable[Mapping[str, Any]], user_data: Mapping[str, str]) -> Plan:
    """Steps that bring the files of some servers up to date; files of others stay.

    :param user_data: by server, as Nova keeps it; it is written, and shown nowhere.
    """
    steps: list[Step] = []
    for manifest in manifests:
        contents = {model.file_name(manifest): (model.dump(manifest), False)}
        if user_data.get(manifest["id"]):
            contents[model.file_name(manifest, "user_data")] = (f"{user_data[manifest['id']]}\n", True)
        for name, (content, secret) in contents.items():
            step = _step(folder, name, content, secret)
            steps += [step] if step else []
    return Plan(tuple(steps))


def _step(folder: str, name: str, content: str, secret: bool) -> Step | None:
    current = files.Folder(folder, "").read(name)
    if current == content:
        return None
    before = None if current is None else files.digest(current)
    action, path = "create" if current is None else "update", os.path.join(folder, name)
    payload = (None, None, content) if secret else (current, content, content)
    return Step(action, path, before, files.digest(content), undo="take the file out of the backup", payload=payload)


def apply(folder: str, found: Plan) -> int:
    """Writes what is planned; the number of files."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for step in found.steps:
            write_atomic(step.object, step.payload[2], mode=_MODE)
    except OSError as error:
        raise LandscapeError(f"{folder} cannot be written: {error.strerror or error}") from error
    return len(found)


def diff(found: Plan) -> list[dict[str, str]]:
    """The manifests as Ansible shows them with ``--diff``; of user data only that it is another."""
    shown = Plan(tuple(step for step in found.steps if step.payload[1] is not None))
    hidden = [step for step in found.steps if step.payload[1] is None]
    return files.diff_of(_two(shown)) + [
        {
            "before_header": step.object,
            "after_header": step.object,
            "before": f"sha256:{step.before}\n" if step.before else "",
            "after": f"sha256:{step.after}\n",
        }
        for step in hidden
    ]


def _two(found: Plan) -> Plan:
    return Plan(
        tuple(Step(step.action, step.object, step.before, step.after, payload=step.payload[:2]) for step in found.steps)
    )


def read(path: str) -> tuple[dict[str, Any], str]:
    """A manifest, and the user data beside it, as Nova keeps it; empty when there is none.

    :raises InputError: a file is missing or damaged, or the user data is not the one of the manifest.
    """
    manifest = model.load(_text(path), path)
    wanted = manifest.get("user_data")
    if not wanted:
        return manifest, ""
    beside = os.path.join(os.path.dirname(path), model.file_name(manifest, "user_data"))
    if not os.path.exists(beside):
        return manifest, ""
    data = "".join(_text(beside).split())
    if model.digest_of(data) != wanted:
        raise InputError(f"{beside} is not the user data of {path}: its digest is another one")
    return manifest, data


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
