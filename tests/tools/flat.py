# SPDX-License-Identifier: Apache-2.0
"""Reads the flat ``key: value`` YAML files of tests/ before any YAML library is installed."""

from __future__ import annotations

from pathlib import Path


def read(path: Path) -> dict[str, str]:
    """Return the keys and unquoted values of a flat YAML file.

    :raises ValueError: with file and line, when a line is neither a comment nor ``key: value``.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line == "---":
            continue
        key, colon, value = line.partition(": ")
        if not colon or key != key.strip() or not value.strip():
            raise ValueError(f"{path.name}:{number}: expected `key: value`, found {line!r}")
        if key in found:
            raise ValueError(f"{path.name}:{number}: {key} appears twice")
        found[key] = value.strip().strip('"')
    return found
