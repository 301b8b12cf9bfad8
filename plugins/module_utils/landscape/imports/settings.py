# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the operator tells the importer: the mapping, the base, the defaults. Checked before a row is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core import expressions
from ...core.errors import InputError
from ..decode import Decoder, nearest
from ..finding import Finding
from ..model import Landscape
from ..tree import Mapping as TreeMapping
from ..tree import Node, Scalar, Sequence
from .columns import KINDS

#: Fields whose cells may be translated with ``values``.
TRANSLATED = ("role", "model", "environment", "feed", "groups", "purpose", "link", "state")
_DEFAULTS = ("environment", "role", "rack", "site")
_INTO = ("landscape", "observed")


@dataclass(frozen=True)
class Settings:
    """Everything an import is told.

    :param tables: by table or file name: ``kind``, ``into``, ``columns`` (column to fields).
    :param values: by field: spelling in the tables to value in the landscape.
    :param base: what the tables do not say, in the format of a landscape: device models, roles, naming...
    :param defaults: environment, role, rack and site of devices that no table gives one.
    """

    tables: dict[str, Any] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def naming(self) -> str:
        """The naming pattern, or an empty text."""
        return str((self.base.get("naming") or {}).get("pattern", ""))

    def translated(self, kind: str, cell: str) -> str:
        """The value that the mapping gives for a cell, or the cell itself."""
        return self.values.get(kind, {}).get(cell, cell)


def settings(
    mapping: Mapping[str, Any], base: Mapping[str, Any], defaults: Mapping[str, Any], naming: str = ""
) -> Settings:
    """Checked settings.

    :raises InputError: something in them cannot be understood; the message names the place.
    """
    _known(mapping, ("tables", "values"), "mapping")
    tables = {
        str(name): _table(str(name), told) for name, told in _mapping(mapping.get("tables"), "mapping.tables").items()
    }
    values: dict[str, dict[str, str]] = {}
    for kind, translations in _mapping(mapping.get("values"), "mapping.values").items():
        _known({kind: None}, TRANSLATED, "mapping.values")
        values[kind] = {str(key): str(value) for key, value in _mapping(translations, f"mapping.values.{kind}").items()}
    _known(defaults, _DEFAULTS, "defaults")
    checked = {**base}
    if naming:
        checked["naming"] = {**_mapping(base.get("naming"), "base.naming"), "pattern": naming}
    _check_base(checked)
    return Settings(tables, values, checked, {str(key): str(value) for key, value in defaults.items() if value})


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {type(value).__name__}, expected a mapping")
    return dict(value)


def _known(given: Mapping[str, Any], allowed: Any, where: str) -> None:
    for key in given:
        if key not in allowed:
            raise InputError(
                f"{where} has the unknown key {key}",
                hint=nearest(str(key), allowed) or "allowed: " + ", ".join(allowed),
            )


def _table(name: str, told: Any) -> dict[str, Any]:
    where = f"mapping.tables.{name}"
    told = _mapping(told, where)
    _known(told, ("kind", "into", "columns"), where)
    kind = told.get("kind")
    if kind is not None and kind not in KINDS:
        raise InputError(f"{where}.kind is {kind}", hint=nearest(str(kind), KINDS) or "kinds: " + ", ".join(KINDS))
    into = told.get("into") or []
    into = [into] if isinstance(into, str) else list(into)
    for target in into:
        _known({target: None}, _INTO, f"{where}.into")
    columns = {
        str(column): [
            str(entry) for entry in (fields if isinstance(fields, (list, tuple)) else [fields] if fields else [])
        ]
        for column, fields in _mapping(told.get("columns"), f"{where}.columns").items()
    }
    return {"kind": kind, "into": into, "columns": columns}


def _check_base(base: Mapping[str, Any]) -> None:
    findings = shape_findings({"version": 1, **base})
    if findings:
        shown = "; ".join(f"{finding.object}: {finding.message}" for finding in findings[:5])
        raise InputError(f"base is not written in the format of a landscape: {shown}", hint=findings[0].hint or None)
    pattern = (base.get("naming") or {}).get("pattern")
    if pattern:
        try:
            expressions.compiled(pattern)
        except ValueError as error:
            raise InputError(f"The naming pattern {pattern!r} is no regular expression: {error}") from error


def shape_findings(document: Mapping[str, Any]) -> list[Finding]:
    """What the reader would say about a document."""
    decoder = Decoder()
    decoder.decode(as_tree(document), Landscape, "base")
    return decoder.findings


def as_landscape(document: Mapping[str, Any]) -> Landscape:
    """A document as model objects, bad values left out."""
    landscape: Landscape = Decoder().decode(as_tree(document), Landscape, "import")
    return landscape


def as_tree(value: Any) -> Node:
    """Plain data as the nodes that the reader makes of YAML."""
    if isinstance(value, Mapping):
        return TreeMapping([(Scalar(str(key), str(key), 0), as_tree(child)) for key, child in value.items()], 0)
    if isinstance(value, (list, tuple)):
        return Sequence([as_tree(child) for child in value], 0)
    if value is None:
        return Scalar(None, "", 0)
    if isinstance(value, bool):
        return Scalar(value, str(value).lower(), 0)
    return Scalar(value, str(value), 0)
