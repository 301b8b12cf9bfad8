# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The schema of a catalogue, as data: a subset of JSON Schema that is checked without a library.

The keys are those of openstack-image-manager, so that its definitions are read as people have them. Ours are ``stores``,
``convert``, ``method``, ``digests``, ``retired`` and ``retired_visibility``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...model import without_password

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_FLAG = {"type": "boolean"}
_WEB = {"type": "string", "pattern": r"^(https?|ftp)://\S+$"}
_PLACE = {"type": "string", "pattern": r"^((https?|ftp)://|file:)\S+$"}
_SOURCE = {"type": "string", "pattern": r"^((https?|ftp)://\S+|private)$"}
_VISIBILITY = {"enum": ["public", "private", "community", "shared"]}
_PURPOSE = {"enum": ["generic", "minimal", "k8snode", "gpu", "network", "custom"]}

#: Free properties; some have values that scs-0102 fixes.
META = {
    "type": "object",
    "properties": {
        "architecture": {"enum": ["x86_64", "aarch64", "risc-v", "riscv64"]},
        "os_purpose": _PURPOSE,
        "os_distro": _TEXT,
        "replace_frequency": {
            "enum": ["yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never"],
        },
        "uuid_validity": {
            "type": ["string", "date"],
            "pattern": r"^(none|forever|notice|last-[0-9]+|\d{4}-\d\d-\d\d)$",
        },
        "provided_until": {"type": ["string", "date"], "pattern": r"^(none|notice|\d{4}-\d\d-\d\d)$"},
        "hotfix_hours": _COUNT,
    },
    "additionalProperties": {"type": ["string", "integer", "number", "boolean", "date", "null"]},
}

DIGESTS = {
    "type": "object",
    "required": ["source"],
    "properties": {"source": _TEXT, "name": _TEXT, "signature": {"type": "object", "additionalProperties": _TEXT}},
    "additionalProperties": False,
}

VERSION = {
    "type": "object",
    "required": ["version", "url"],
    "properties": {
        "version": {"type": ["string", "integer", "number", "date"]},
        "url": _PLACE,
        "mirror_url": _PLACE,
        "source": _SOURCE,
        "checksum": {"type": "string", "pattern": r"^(md5|sha1|sha256|sha384|sha512):[0-9a-fA-F]+$"},
        "checksum_url": _WEB,
        "checksums_url": _WEB,
        "digests": DIGESTS,
        "build_date": {"type": ["string", "date"], "pattern": r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?Z?)?$"},
        "os_version": {"type": ["string", "integer", "number"]},
        "image_description": _TEXT,
        "hidden": _FLAG,
        "visibility": _VISIBILITY,
        "meta": META,
        "id": {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    },
    "additionalProperties": False,
}

IMAGE = {
    "type": "object",
    "required": ["name", "format", "login", "min_disk", "min_ram", "visibility", "meta", "versions"],
    "properties": {
        "name": _TEXT,
        "shortname": _TEXT,
        "enable": _FLAG,
        "retired": _FLAG,
        "format": {"enum": ["aki", "ari", "ami", "raw", "iso", "vhd", "vdi", "qcow2", "vmdk"]},
        "login": _TEXT,
        "password": _TEXT,
        "min_disk": _COUNT,
        "min_ram": _COUNT,
        "multi": _FLAG,
        "keep": _FLAG,
        "separator": {"type": "string"},
        "status": {"enum": ["active", "deactivated"]},
        "visibility": _VISIBILITY,
        "retired_visibility": _VISIBILITY,
        "tags": {"type": "array", "items": _TEXT},
        "meta": {**META, "required": ["architecture", "os_distro"]},
        "latest_url": _PLACE,
        "latest_checksum_url": _WEB,
        "stores": {"type": "array", "items": _TEXT},
        "convert": _FLAG,
        "method": {"enum": ["auto", "upload", "glance-direct", "web-download"]},
        "versions": {"type": "array", "items": VERSION},
    },
    "additionalProperties": False,
}

CATALOGUE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Catalogue of images",
    "type": "object",
    "required": ["images"],
    "properties": {"images": {"type": "array", "items": IMAGE}},
    "additionalProperties": False,
}


def published(part: Any = None) -> Any:
    """The schema for editors; what YAML reads as a date is a string to JSON Schema."""
    part = CATALOGUE if part is None else part
    if isinstance(part, Mapping):
        return {key: _kinds(value) if key == "type" else published(value) for key, value in part.items()}
    return [published(one) for one in part] if isinstance(part, list) else part


def _kinds(value: Any) -> Any:
    """Types without our own; ``properties`` may have one that is called type."""
    if not isinstance(value, list):
        return published(value)
    kinds = [kind for kind in value if kind != "date"]
    return kinds[0] if len(kinds) == 1 else kinds


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (datetime.date,),
    "null": (type(None),),
}


def problems(data: Any, schema: Mapping[str, Any] | None = None, place: str = "") -> Iterator[str]:
    """Everything that is wrong with a document, each with its place; a catalogue when no schema is given."""
    schema = CATALOGUE if schema is None else schema
    where = place or "the catalogue"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(data, kind) for kind in kinds):
        yield f"{where} is {_said(data)}, not {' or '.join(kinds)}"
        return
    if "enum" in schema and data not in schema["enum"]:
        yield f"{where} is {_said(data)}, not one of {', '.join(map(str, schema['enum']))}"
    if isinstance(data, str):
        yield from _of_text(data, schema, where)
    if "minimum" in schema and not isinstance(data, str) and data < schema["minimum"]:
        yield f"{where} is {data}, less than {schema['minimum']}"
    if isinstance(data, Mapping):
        yield from _of_object(data, schema, place)
    elif isinstance(data, (list, tuple)):
        for number, item in enumerate(data):
            yield from problems(item, schema.get("items", {}), f"{place}[{_label(item, number)}]")


def _of_text(data: str, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    if len(data) < schema.get("minLength", 0):
        yield f"{where} is empty"
    elif "pattern" in schema and not re.search(schema["pattern"], data):
        yield f"{where} is {_said(data)}, which is not understood"


def _of_object(data: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    dot = f"{place}." if place else ""
    for key in schema.get("required", ()):
        if key not in data:
            yield f"{dot}{key} is missing"
    other = schema.get("additionalProperties", {})
    for key, value in data.items():
        if key in known:
            yield from problems(value, known[key], f"{dot}{key}")
        elif other is False:
            yield f"{dot}{key} is not known"
        else:
            yield from problems(value, other, f"{dot}{key}")


def _is(data: Any, kind: str) -> bool:
    if isinstance(data, bool):
        return kind == "boolean"
    return isinstance(data, _TYPES[kind])


def _said(data: Any) -> str:
    if isinstance(data, str) and "://" in data:
        data = without_password(data)
    text = repr(data) if isinstance(data, (str, int, float, bool)) else type(data).__name__
    return text if len(text) <= 80 else f"{text[:77]}..."


def _label(item: Any, number: int) -> str:
    """How people find an item: by its name or version."""
    if isinstance(item, Mapping):
        return str(item.get("name") or item.get("version") or number)
    return str(number)
