# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Writes landscapes as YAML for people: sections in the order of the format, a comment above each, one line per cable.

Only the standard library is used, and the same document always gives the same bytes. Text stays text for every YAML
reader: what YAML 1.1 would take for a number, a date, a base-60 integer (``52:54:00``), ``yes`` or ``null`` is quoted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..model import Landscape
from ..schema import Spec, specs_of

#: A list or a mapping of simple values is written in one line when the line stays below this.
LINE = 120
#: YAML readers give up on longer keys unless they are marked with ``?``.
_LONGEST_KEY = 120
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9 ._/+()-]*")
#: Outside of brackets commas and semicolons mean nothing.
_PLAIN_IN_BLOCK = re.compile(r"[A-Za-z_][A-Za-z0-9 ._/+(),;-]*")
#: Begins with a digit and is text all the same: IPv4 addresses and prefixes, speeds, serial numbers like 231205-BTO.
_PLAIN_DIGITS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?|\d+(\.\d+)?[GM]|\d+-[A-Z][A-Za-z0-9-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
#: What single quotes can hold: printable, one line, no byte-order mark.
_PRINTABLE = re.compile("[ -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


class Unsafe(str):
    """A text that Ansible must not take for a template when it reads the document as variables (its tag ``!unsafe``)."""


#: Which sections go into which file of a folder.
FILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "landscape.yml",
        "What the landscape is, and how its devices are named and numbered",
        (
            "version",
            "title",
            "description",
            "naming",
            "sites",
            "environments",
            "asn_schemes",
            "roles",
            "redundancy_groups",
        ),
    ),
    ("models.yml", "Makes of machines and switches", ("device_models",)),
    ("networks.yml", "Networks", ("networks",)),
    ("racks-and-power.yml", "Racks and power feeds", ("racks", "feeds")),
    ("hosts.yml", "Hosts", ("hosts",)),
    ("switches.yml", "Switches", ("switches",)),
    ("cables.yml", "Cables, each written once", ("cables", "externals")),
    ("groups.yml", "Inventory groups", ("groups",)),
    ("waivers.yml", "Findings that were looked at and accepted", ("waivers",)),
)


def scalar(value: Any, *, block: bool = False) -> str:
    """One value as YAML, quoted where a reader would take it for something else.

    :param block: it stands alone in its line, not inside brackets.

    Lone surrogates, which no UTF-8 file can hold, become U+FFFD.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    text = str(value)
    if isinstance(value, Unsafe):
        return "!unsafe " + _quoted(text)
    plain = (
        (_PLAIN_IN_BLOCK if block else _PLAIN).fullmatch(text) and not text.endswith(" ") and text.lower() not in _WORDS
    )
    if plain or _PLAIN_DIGITS.fullmatch(text):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if _PRINTABLE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _float(value: float) -> str:
    if not math.isfinite(value):
        return f"'{value}'"
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else text + ".0"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _PRINTABLE.fullmatch(character):
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _is_simple(value: Any) -> bool:
    return not isinstance(value, (dict, list, tuple)) or not value


def _flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(child) for child in value) + "]"
    return scalar(value)


def _in_one_line(value: Any, room: int, depth: int) -> str | None:
    """The value in one line, when it is simple enough and fits.

    Lists of simple values always may; mappings only deep inside an object, so that objects stay readable.
    """
    if _is_simple(value):
        return _flow(value)
    children = list(value.values()) if isinstance(value, dict) else list(value)
    if isinstance(value, dict) and (depth < 3 or any(len(scalar(key)) > _LONGEST_KEY for key in value)):
        return None
    if not all(_is_simple(child) or (depth >= 3 and all(map(_is_simple, _children(child)))) for child in children):
        return None
    text = _flow(value)
    return text if len(text) <= room else None


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _block(value: Any, indent: int, depth: int) -> list[str]:
    """A non-empty list or mapping as lines."""
    space = " " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, child in value.items():
            name = scalar(key)
            if len(name) > _LONGEST_KEY:
                lines += [f"{space}? {name}", *_entry(f"{space}:", child, indent, depth)]
            else:
                lines += _entry(f"{space}{name}:", child, indent, depth)
        return lines
    for child in value:
        text = _in_one_line(child, LINE - indent - 2, max(depth, 3))
        if text is not None:
            lines.append(f"{space}- {text}")
        else:
            inner = _block(child, indent + 2, depth + 1)
            lines += [f"{space}- {inner[0].lstrip()}", *inner[1:]]
    return lines


def _entry(head: str, child: Any, indent: int, depth: int) -> list[str]:
    if not isinstance(child, (dict, list, tuple)):
        return [f"{head} {scalar(child, block=True)}"]
    text = _in_one_line(child, LINE - len(head) - 1, depth + 1)
    return [f"{head} {text}"] if text is not None else [head, *_block(child, indent + 2, depth + 1)]


def section(name: str, value: Any) -> str:
    """One top-level key and its value."""
    return "\n".join(_entry(f"{scalar(name)}:", value, 0, 0)) + "\n"


def data(value: Mapping[str, Any], header: Sequence[str] = ()) -> str:
    """Any mapping as a YAML document; ``header`` are comment lines at its top."""
    return _comments(header) + ("".join(section(key, child) for key, child in value.items()) or "{}\n")


def items(values: Sequence[Any], header: Sequence[str] = ()) -> str:
    """A list as a YAML document, one entry below the other."""
    return _comments(header) + ("\n".join(_block(list(values), 0, 0)) + "\n" if values else "[]\n")


def document(landscape: Mapping[str, Any], header: Sequence[str] = ()) -> str:
    """A whole landscape as one document, every section below the sentence that documents it."""
    docs = {field: spec.doc for field, spec in specs_of(Landscape).items() if spec.kind in ("map", "list")}
    parts = [_comments(header)]
    for name, value in ordered(landscape).items():
        comment = f"\n# {docs[name]}\n" if name in docs else ""
        parts.append(comment + section(name, value))
    return "".join(parts).lstrip("\n") or "{}\n"


def files(landscape: Mapping[str, Any], header: Sequence[str] = ()) -> dict[str, str]:
    """A landscape as the files of a folder (see :data:`FILES`); a file without content is left out."""
    result: dict[str, str] = {}
    for name, title, sections in FILES:
        present = {key: landscape[key] for key in sections if landscape.get(key) not in (None, {}, [], ())}
        if present:
            body = document(present) if len(present) > 1 else data(ordered(present))
            result[name] = _comments([*header, title + "."]) + "\n" * body.startswith("#") + body
    return result


def _comments(lines: Sequence[str]) -> str:
    clean = [re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]+", " ", line) for line in lines]
    return "".join(f"# {line}".rstrip() + "\n" for line in clean)


def ordered(value: Mapping[str, Any], model: type = Landscape) -> dict[str, Any]:
    """A document with the fields of every object in the order of the format; unknown fields stay, behind the others.

    Empty sections are left out.
    """
    specs = specs_of(model)
    order = {field: number for number, field in enumerate(specs)}
    result: dict[str, Any] = {}
    for key in sorted(value, key=lambda key: (order.get(key, len(order)), key)):
        child, spec = value[key], specs.get(key)
        if child in (None, {}, [], ()) and model is Landscape:
            continue
        result[key] = _ordered_child(child, spec) if spec else child
    return result


def _ordered_child(value: Any, spec: Spec) -> Any:
    item = spec if spec.kind == "object" else spec.item
    if item is None or item.model is None:
        return value
    if spec.kind == "object":
        return ordered(value, item.model) if isinstance(value, dict) else value
    if isinstance(value, dict):
        return {name: ordered(child or {}, item.model) for name, child in value.items()}
    return [ordered(child, item.model) if isinstance(child, dict) else child for child in value]
