# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads what is imported, and looks at what lies where it shall be written: the only file here that opens anything."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ...core.errors import InputError
from .. import client
from ..tree import plain
from . import emit

#: Folder of the observed facts inside the landscape's; the landscape's reader passes it over.
OBSERVED = "_observed"


def texts(paths: list[str]) -> tuple[dict[str, str], list[str]]:
    """The text of every file by the shortest name that tells it from the others, and remarks about encodings.

    :raises InputError: a file is not there, cannot be read or is too large.
    """
    found: dict[str, str] = {}
    remarks: list[str] = []
    names = _names(paths)
    for path in paths:
        if os.path.isdir(path) or not os.path.exists(path):
            raise InputError(
                f"The table {path} is no file", hint="Name the files to import one by one, or with a fileglob lookup"
            )
        content = client.read_bytes(path)
        try:
            found[names[path]] = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            found[names[path]] = content.decode("cp1252", "replace")
            remarks.append(f"{names[path]} is not UTF-8 and was read as Windows-1252")
    return found, remarks


def _names(paths: list[str]) -> dict[str, str]:
    bases = [os.path.basename(path) for path in paths]
    return {path: base if bases.count(base) == 1 else path for path, base in zip(paths, bases)}


def base(paths: list[str]) -> dict[str, Any]:
    """Landscape files as plain data, section by section one over the other.

    :raises InputError: a file is no YAML.
    """
    merged: dict[str, Any] = {}
    for file in [name for path in paths for name in client.files_of(path)]:
        node, findings = client.parse(client.read_bytes(file), file)
        if node is None or findings:
            raise InputError(f"The base {file} cannot be read: {'; '.join(finding.message for finding in findings)}")
        content = plain(node)
        if not isinstance(content, dict):
            raise InputError(f"The base {file} holds no mapping")
        for key, value in content.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
    return merged


def parsed(name: str, text: str) -> Any:
    """A JSON export, or a YAML file of NetBox-manager, as plain data.

    :raises InputError: it is neither.
    """
    if name.lower().endswith((".yml", ".yaml")):
        node, findings = client.parse(text.encode("utf-8", "replace"), name)
        if node is None:
            raise InputError(f"{name} is no YAML: {findings[0].message}")
        return plain(node)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON: {error}") from error


def destination(dest: str) -> tuple[str, str]:
    """The folder that is written to, and the name of the one file in it; without a name the landscape becomes several files."""
    if dest.endswith((".yml", ".yaml")):
        return os.path.dirname(os.path.abspath(os.path.expanduser(dest))), os.path.basename(dest)
    return dest, ""


def contents(
    document: Mapping[str, Any], observed: Mapping[str, Mapping[str, Any]], file: str, header: list[str]
) -> dict[str, str]:
    """What is to be written, by file name; observed facts go into a folder of their own."""
    desired = {file: emit.document(document, header)} if file else emit.files(document, header)
    for source, facts in observed.items():
        stem = os.path.splitext(os.path.basename(source))[0].replace("#", "-") or "table"
        name, number = f"{OBSERVED}/{stem}.yml", 2
        while name in desired:
            name, number = f"{OBSERVED}/{stem}-{number}.yml", number + 1
        desired[name] = emit.data(facts, header)
    return desired
