# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A configuration in the form of the YANG models, as XML. Pure.

XML and not JSON: its values are plain texts, as in CONFIG_DB, so that nothing has to be converted on the way. Every
value stands on a line of its own: libyang names the line of a value it refuses, and so the row is known.

What SONiC's own reader (sonic-yang-mgmt, 202605) refuses before libyang sees it is refused here: rows and fields that
no model has, texts where a number is asked for, lists where one value is. Stricter than SONiC: a text where a list is asked for; SONiC would take
its characters as the items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from .model import SEPARATOR, ConfigDb, Row
from .yang_model import Leaf, Models, RowModel, TableModel

#: Table, key, field.
Where = tuple[str, str, str]

#: List fields that CONFIG_DB holds as one text, and what is between the items (sonic_yang_ext.py).
TEXT_LISTS: Mapping[tuple[str, str], str] = {
    ("MIRROR_SESSION", "src_ip"): ",",
    ("NTP", "src_intf"): ";",
    ("BGP_ALLOWED_PREFIXES", "prefixes_v4"): ",",
    ("BGP_ALLOWED_PREFIXES", "prefixes_v6"): ",",
    ("BUFFER_PORT_EGRESS_PROFILE_LIST", "profile_list"): ",",
    ("BUFFER_PORT_INGRESS_PROFILE_LIST", "profile_list"): ",",
    ("PORT", "adv_speeds"): ",",
    ("PORT", "adv_interface_types"): ",",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(_[0-9]+)*\s*")


@dataclass(frozen=True)
class Fault:
    """What a model refuses: ``kind`` is unknown_row, unknown_field, not_a_number, not_a_list, leafref, must..."""

    table: str
    key: str
    field: str
    kind: str
    message: str

    @property
    def where(self) -> Where:
        """Table, key and field."""
        return (self.table, self.key, self.field)


@dataclass
class Document:
    """A configuration as XML, and where in it each value came from.

    :param lines: of line ``n + 1``, the value that stands there; an empty field is the row itself.
    :param keys: the key of each row by table, node and values of the node's keys.
    """

    text: str = ""
    lines: list[Where] = field(default_factory=list)
    keys: dict[tuple[str, str, tuple[str, ...]], str] = field(default_factory=dict)


class Translator:
    """Writes one configuration; rows and fields that cannot be written are faults.

    Without the faulty fields the document is complete, so that libyang judges the rest. Rows are kept as text, so
    that leaving one out later costs nothing.
    """

    def __init__(self, models: Models, config: ConfigDb) -> None:
        self.models = models
        self.faults: list[Fault] = []
        self.without_model = sorted(set(config) - set(models.tables))
        #: module, table, node: rows of (key, [(field, line of XML)]).
        self._rows: dict[tuple[str, str, str], dict[str, tuple[tuple[str, ...], list[tuple[str, str]]]]] = {}
        for name in sorted(set(config) & set(models.tables)):
            table = models.tables[name]
            for key in sorted(config[name]):
                self._add(table, key, config[name][key])

    def _add(self, table: TableModel, key: str, row: Row) -> None:
        model = row_model(table, key)
        if model is None:
            text = f"no row of {table.name} has a key like this"
            self.faults.append(Fault(table.name, key, "", "unknown_row", text))
            return
        parts = tuple(part.strip() for part in key.split(SEPARATOR)) if model.keys else ()
        lines = [(name, _element(name, value)) for name, value in zip(model.keys, parts)]
        for name, value in row.items():
            lines += [(name, text) for text in self._field(table, model, key, name, value)]
        place = (table.module, table.name, model.node)
        self._rows.setdefault(place, {})[key] = (parts, lines)

    def _field(self, table: TableModel, model: RowModel, key: str, name: str, value: str | list[str]) -> list[str]:
        if model.inner:
            node, inner_key, inner_value = model.inner
            return [f"<{node}>{_element(inner_key, name)}{_element(inner_value, str(value))}</{node}>"]
        leaf = model.leaves.get(name)
        fault = _refused(table.name, name, value, leaf) if leaf else ("unknown_field", "no model has this field")
        if fault or leaf is None or name in model.keys:
            if fault:
                self.faults.append(Fault(table.name, key, name, *fault))
            return []
        return [_element(name, item) for item in _items(table.name, leaf, value)]

    def drop(self, where: Where) -> bool:
        """Leaves a field out, or without a field the row, or without a key the table; whether it was there."""
        table, key, name = where
        found = False
        for place in [place for place in self._rows if place[1] == table]:
            rows = self._rows[place]
            if not key:
                found = bool(rows) or found
                rows.clear()
            elif key in rows and not name:
                del rows[key]
                found = True
            elif key in rows:
                lines = rows[key][1]
                kept = [line for line in lines if line[0] != name]
                found = found or len(kept) != len(lines)
                lines[:] = kept
        return found

    def is_key(self, where: Where) -> bool:
        """Whether a field is part of its row's key."""
        model = row_model(self.models.tables[where[0]], where[1]) if where[0] in self.models.tables else None
        return model is not None and where[2] in model.keys

    def targets(self, where: Where) -> tuple[str, ...]:
        """The tables that a field refers to."""
        model = row_model(self.models.tables[where[0]], where[1]) if where[0] in self.models.tables else None
        leaf = model.leaves.get(where[2]) if model else None
        return leaf.refs if leaf else ()

    def same(self, where: Where) -> list[Where]:
        """Every place that holds the same value in the same field of the same kind of row, itself included."""
        table, key, name = where
        for place, rows in self._rows.items():
            if place[1] == table and key in rows:
                texts = {text for field_name, text in rows[key][1] if field_name == name}
                return [(table, other, name) for other in rows if texts & {t for f, t in rows[other][1] if f == name}]
        return []

    def lacking(self, table: str, name: str) -> list[Where]:
        """Every row of a table that could have a field and has not."""
        found = []
        for place, rows in self._rows.items():
            if place[1] == table:
                models = {key: row_model(self.models.tables[table], key) for key in rows}
                can = [key for key, model in models.items() if model and name in model.leaves]
                found += [(table, key, name) for key in can if name not in {line[0] for line in rows[key][1]}]
        return found

    def document(self) -> Document:
        """The XML of what is left."""
        out, lines = [], []
        keys: dict[tuple[str, str, tuple[str, ...]], str] = {}

        def write(text: str, where: Where = ("", "", "")) -> None:
            out.append(text)
            lines.append(where)

        modules: dict[str, dict[str, list[str]]] = {}
        for module, table, node in self._rows:
            modules.setdefault(module, {}).setdefault(table, []).append(node)
        for module, tables in modules.items():
            namespace = next(self.models.tables[table].namespace for table in tables)
            write(f'<{module} xmlns="{escape(namespace)}">')
            for table, nodes in tables.items():
                write(f"<{table}>", (table, "", ""))
                for node in nodes:
                    for key, (parts, fields) in self._rows[(module, table, node)].items():
                        keys[(table, node, parts)] = key
                        write(f"<{node}>", (table, key, ""))
                        for name, text in fields:
                            write(text, (table, key, name))
                        write(f"</{node}>", (table, key, ""))
                write(f"</{table}>", (table, "", ""))
            write(f"</{module}>")
        return Document("\n".join(out) + "\n", lines, keys)


def row_model(table: TableModel, key: str) -> RowModel | None:
    """The form of row that a key belongs to."""
    if key in table.fixed:
        return table.fixed[key]
    parts = key.count(SEPARATOR) + 1
    return next((model for model in table.lists if len(model.keys) == parts), None)


def _refused(table: str, name: str, value: str | list[str], leaf: Leaf) -> tuple[str, str] | None:
    """Kind and message of what is wrong with the form of a value."""
    if leaf.many:
        if isinstance(value, str) and (table, name) not in TEXT_LISTS:
            return "not_a_list", "the model has a list here, this is a text"
    elif isinstance(value, list):
        return "not_a_text", "the model has one value here, this is a list"
    if leaf.base.startswith("uint"):
        wrong = [item for item in _items(table, leaf, value) if not _NUMBER.fullmatch(item)]
        if wrong:
            return "not_a_number", f"{wrong[0]!r} is no number"
    bad = [item for item in _items(table, leaf, value) if _NOT_XML.search(item)]
    return ("characters", "holds control characters") if bad else None


def _items(table: str, leaf: Leaf, value: str | list[str]) -> Iterator[str]:
    if not leaf.many:
        yield str(value)
    elif isinstance(value, list):
        # CONFIG_DB keeps an empty list as an empty text, and SONiC reads that as one empty item: this is what the models
        # judge there. Some allow it (the ports of sonic-acl have a pattern for it), a leafref or an enumeration never does.
        yield from value or [""]
    else:
        yield from (item.strip() for item in value.split(TEXT_LISTS.get((table, leaf.name), ",")))


def _element(name: str, value: str) -> str:
    text = escape(_NOT_XML.sub("\ufffd", value), {"\n": "&#10;", "\r": "&#13;"})
    return f"<{name}>{text}</{name}>"
