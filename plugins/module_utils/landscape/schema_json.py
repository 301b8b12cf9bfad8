# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The model as a JSON schema (draft 2020-12), for editors.

What the schema refuses the decoder refuses too, and the other way round as far as a JSON schema can say it. What it
cannot say is listed in :data:`BEYOND`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Callable

from .decode import BOOLEANS, DATE_PATTERN, ENDPOINT_PATTERN, FORBIDDEN
from .model import Landscape
from .schema import TEXT_LIMIT, Spec, specs_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: What the reader refuses and a JSON schema cannot express.
BEYOND = (
    "names that refer to nothing, and everything else the rules say about several objects at once",
    "a name that is written twice in one mapping, and files that repeat each other",
    "`version`, which one of the files of a folder has to state",
    "prefixes with host bits set, and dates that the calendar does not know",
    "the pattern of a text that is written as a number or as true/false",
    "long texts, control and invisible characters inside `vars`",
    "braces in names of ports that count nothing",
)

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_HEX = "[0-9A-Fa-f]{1,4}"


def _ipv6() -> str:
    """A pattern of every spelling of an IPv6 address (RFC 4291 section 2.2), without a zone."""
    forms = [f"({_HEX}:){{7}}{_HEX}", f"({_HEX}:){{1,7}}:", f":(:{_HEX}){{1,7}}", "::"]
    forms += [f"({_HEX}:){{1,{7 - after}}}(:{_HEX}){{1,{after}}}" for after in range(1, 7)]
    forms += [f"({_HEX}:){{6}}{_IPV4}", f"::({_HEX}:){{0,5}}{_IPV4}"]
    forms += [f"({_HEX}:){{1,{6 - after}}}(:{_HEX}){{1,{after}}}:{_IPV4}" for after in range(1, 5)]
    forms.append(f"({_HEX}:){{1,5}}:{_IPV4}")
    return "(" + "|".join(forms) + ")"


_IPV6 = _ipv6()
#: Kinds whose form a pattern can tell.
_PATTERNS = {
    "date": DATE_PATTERN,
    "mac": "[0-9A-Fa-f][02468ACEace]([:-][0-9A-Fa-f]{2}){5}",
    "address": f"({_IPV4}|{_IPV6})",
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "prefix4": rf"{_IPV4}/(3[0-2]|[12]?[0-9])",
    "prefix6": rf"{_IPV6}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])",
    "endpoint": ENDPOINT_PATTERN,
}


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


def _text(spec: Spec) -> dict[str, Any]:
    if spec.choices:
        return {"enum": [choice for choice in spec.choices if choice]}
    rules: dict[str, Any] = {"type": ["string", "number", "boolean"], "maxLength": TEXT_LIMIT}
    rules["pattern"] = _whole(spec.pattern) if spec.pattern else f"^[^{FORBIDDEN}]*$"
    return rules


def _integer(spec: Spec) -> dict[str, Any]:
    bounds = {"minimum": spec.minimum, "maximum": spec.maximum}
    return {"type": "integer", **{key: bound for key, bound in bounds.items() if bound is not None}}


def _boolean(_spec: Spec) -> dict[str, Any]:
    words = "|".join(_any_case(word) for word in BOOLEANS)
    return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _whole(words)}]}


def _reference(spec: Spec) -> dict[str, Any]:
    return {"type": ["string", "number", "boolean"], "pattern": _whole(spec.key)}


def _list(spec: Spec) -> dict[str, Any]:
    item = spec.item or spec
    rules: dict[str, Any] = {"type": ["array", "null"], "items": _rules(item)}
    if item.kind != "object":
        rules["uniqueItems"] = True
    return rules


def _map(spec: Spec) -> dict[str, Any]:
    item = spec.item or spec
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _whole(spec.key)},
        "additionalProperties": _rules(item),
    }


def _object(spec: Spec) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{(spec.model or Landscape).__name__}"}


_KINDS: dict[str, Callable[[Spec], dict[str, Any]]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "reference": _reference,
    "list": _list,
    "map": _map,
    "object": _object,
}


def _rules(spec: Spec) -> dict[str, Any]:
    """What the value itself must be."""
    if spec.kind in _KINDS:
        return _KINDS[spec.kind](spec)
    if spec.kind in _PATTERNS:
        return {"type": "string", "pattern": _whole(_PATTERNS[spec.kind])}
    return {}


def default_of(model: type, field: str) -> Any:
    """The default of a field as YAML would write it; ``None`` when there is none."""
    item = next(item for item in dataclasses.fields(model) if item.name == field)
    if item.metadata["spec"].required or item.default is dataclasses.MISSING or item.default in ("", ()):
        return None
    return item.default


def _properties(model: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, spec in specs_of(model).items():
        found[field] = {"description": spec.doc, **_rules(spec)}
        default = default_of(model, field)
        if default is not None:
            found[field]["default"] = default
    return found


def models_of(model: type) -> Iterator[tuple[str, type]]:
    """The field and the model of every kind of object below ``model``, outermost first; each model once."""
    seen = {model}
    waiting = [model]
    while waiting:
        current = waiting.pop(0)
        for field, spec in specs_of(current).items():
            inner = spec.model or (spec.item.model if spec.item else None)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
                yield field, inner


def _definition(model: type) -> dict[str, Any]:
    required = [field for field, spec in specs_of(model).items() if spec.required]
    rules: dict[str, Any] = {"description": (model.__doc__ or "").strip().split("\n")[0]}
    rules["type"] = "object" if required else ["object", "null"]
    rules["properties"] = _properties(model)
    if required:
        rules["required"] = required
    rules["additionalProperties"] = False
    return rules


def schema() -> dict[str, Any]:
    """The JSON schema of one landscape file."""
    root = _definition(Landscape)
    # A landscape may be spread over files, so no file alone has to hold what the whole must have.
    del root["required"]
    root["type"] = ["object", "null"]
    return {
        "$schema": DIALECT,
        "title": "Landscape",
        **root,
        "$defs": {model.__name__: _definition(model) for _field, model in models_of(Landscape)},
    }
