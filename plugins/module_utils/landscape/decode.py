# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads a parsed document against the schema: nodes in, model objects and findings out.

All findings of a document are collected, up to :data:`MAX_FINDINGS`; a bad value becomes the default of its field, so
that one typo does not hide the next one.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import ipaddress
import re
from collections.abc import Iterable
from typing import Any, Callable

from .finding import Finding, Place
from .model import Source
from .schema import NAME_PATTERN, PORT_PATTERN, TEXT_LIMIT, Spec, specs_of
from .tree import Mapping, Node, Scalar, Sequence, describe, plain

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
ENDPOINT_PATTERN = f"{NAME_PATTERN}/{PORT_PATTERN}"
DATE_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
#: Invisible characters, as the inside of a character class: zero-width and soft marks, line separators, everything that
#: turns the direction of text (Trojan Source, CVE-2021-42574), tags. They make two different texts look alike.
_INVISIBLE = (
    r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"
)
#: Characters that no single-line value may hold: they would break tables, host files and terminals.
FORBIDDEN = r"\u0000-\u001f\u007f-\u009f" + _INVISIBLE
_FORBIDDEN = re.compile(f"[{FORBIDDEN}]")
#: The same for values of ``vars``, which may have lines and tabs.
_FORBIDDEN_IN_VARS = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f" + _INVISIBLE + "]")
#: Longest text inside ``vars``; a certificate chain fits.
VARS_TEXT_LIMIT = 65536
#: After so many findings in one file the rest of it is not read: it is no landscape.
MAX_FINDINGS = 10000


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known word, or an empty text when none is near."""
    found = difflib.get_close_matches(word[:80], list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""


@functools.cache
def _compiled(pattern: str) -> Any:
    return re.compile(pattern)


class _TooMany(Exception):
    """The file has :data:`MAX_FINDINGS` findings."""


class _Refused(Exception):
    """A scalar cannot be what the schema asks for."""

    def __init__(self, rule: str, expected: str, hint: str = "") -> None:
        super().__init__(expected)
        self.rule, self.expected, self.hint = rule, expected, hint


def _text(node: Scalar, spec: Spec) -> str:
    if len(node.text) > TEXT_LIMIT:
        raise _Refused("S08", f"at most {TEXT_LIMIT} characters")
    if _FORBIDDEN.search(node.text):
        raise _Refused("S08", "one line without control and invisible characters")
    if spec.choices and node.text not in spec.choices:
        raise _Refused("S06", "one of " + ", ".join(c for c in spec.choices if c), nearest(node.text, spec.choices))
    if spec.pattern and not _compiled(spec.pattern).fullmatch(node.text):
        raise _Refused("S06", f"text like {spec.pattern}")
    return node.text


def _integer(node: Scalar, spec: Spec) -> int:
    number = node.value
    if not isinstance(number, int) or isinstance(number, bool):
        digits = node.text.isascii() and node.text.isdigit()
        raise _Refused("S03", "a whole number", "write it without quotes and leading zeros" if digits else "")
    low, high = spec.minimum, spec.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise _Refused("S06", f"a number from {low} to {high}")
    return number


def _boolean(node: Scalar, _spec: Spec) -> bool:
    if node.text.lower() not in BOOLEANS:
        raise _Refused("S03", "true or false")
    return BOOLEANS[node.text.lower()]


def _date(node: Scalar, _spec: Spec) -> str:
    # Later Pythons also read 20261231 and 2026-W53-4; a landscape means the same to all of them.
    if not _compiled(DATE_PATTERN).fullmatch(node.text):
        raise _Refused("S03", "a date like 2026-12-31")
    try:
        return datetime.date.fromisoformat(node.text).isoformat()
    except ValueError as error:
        raise _Refused("S03", "a date like 2026-12-31", "the calendar has no such day") from error


def _mac(node: Scalar, _spec: Spec) -> str:
    address = node.text.lower().replace("-", ":")
    if not _MAC.fullmatch(address):
        raise _Refused("S03", "a MAC address like 3c:ec:ef:9e:d1:1a")
    if int(address[:2], 16) & 1:
        raise _Refused("S06", "a unicast MAC address (lowest bit of the first octet is 0)")
    return address


def _address(parse: Callable[[str], Any], name: str, example: str) -> Callable[[Scalar, Spec], str]:
    def read(node: Scalar, _spec: Spec) -> str:
        # The parsers also take zones (fe80::1%anything), netmasks (10.0.0.0/255.0.0.0) and prefixes without a length.
        if not _compiled(r"[0-9A-Fa-f:.]+" + (r"/(0|[1-9][0-9]{0,2})" if "/" in example else "")).fullmatch(node.text):
            raise _Refused("S03", f"{name} like {example}")
        try:
            return str(parse(node.text))
        except ValueError as error:
            reason = "it has host bits set" if "host bits" in str(error) else ""
            raise _Refused("S03", f"{name} like {example}", reason) from error

    return read


def _endpoint(node: Scalar, _spec: Spec) -> str:
    if not _compiled(ENDPOINT_PATTERN).fullmatch(node.text):
        raise _Refused("S03", "an end of a cable like st01-sw1g-r01-u32/Ethernet1")
    return node.text


def _reference(node: Scalar, spec: Spec) -> str:
    # An unknown name is refused later, when all files are read; here only the form counts.
    if not _compiled(spec.key).fullmatch(node.text):
        raise _Refused("S08", "the name of one of " + ", ".join(spec.sections))
    return node.text


_SCALARS: dict[str, Callable[[Scalar, Spec], Any]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "mac": _mac,
    "address": _address(ipaddress.ip_address, "an IP address", "10.10.23.10"),
    "ipv4": _address(ipaddress.IPv4Address, "an IPv4 address", "10.10.23.10"),
    "ipv6": _address(ipaddress.IPv6Address, "an IPv6 address", "fd00::10"),
    "prefix4": _address(ipaddress.IPv4Network, "an IPv4 prefix", "10.10.23.0/24"),
    "prefix6": _address(ipaddress.IPv6Network, "an IPv6 prefix", "fd00:1::/64"),
    "endpoint": _endpoint,
    "reference": _reference,
}

_MISSING = object()


class Decoder:
    """Decodes documents of one landscape.

    :ivar findings: everything that was refused so far (rules S02 to S08).
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._file = ""
        self._room = MAX_FINDINGS

    def decode(self, node: Node, model: type, file: str, section: str = "landscape") -> Any:
        """One document (or one object) of ``model``; nothing when the node is no mapping or nothing but mistakes."""
        self._file = file
        self._room = MAX_FINDINGS
        try:
            return self._object(node, Spec("object", "", model=model), section, "", section)
        except _TooMany:
            message = f"more than {MAX_FINDINGS} mistakes, the file was not read"
            self.findings.append(Finding("S10", "error", section, message, Place(file, 0), hint="is it a landscape?"))
            return None

    def _report(self, rule: str, node_line: int, ref: str, field: str, message: str, **more: str) -> None:
        self._room -= 1
        if self._room < 0:
            raise _TooMany
        self.findings.append(Finding(rule, "error", ref, message, Place(self._file, node_line), field, **more))

    def _value(self, node: Node, spec: Spec, ref: str, field: str) -> Any:
        """The decoded value, or ``_MISSING`` after a finding."""
        reader = _SCALARS.get(spec.kind)
        if reader is not None:
            return self._scalar(node, spec, reader, ref, field)
        if spec.kind == "list":
            return self._list(node, spec, ref, field)
        if spec.kind == "map":
            return self._map(node, spec, ref, field)
        if spec.kind == "object":
            return self._object(node, spec, field, "", _below(ref, field))
        self._check_vars(node, ref, field)
        return plain(node)

    def _check_vars(self, node: Node, ref: str, field: str) -> None:
        """What even a free value may not hold: repeated keys, and characters or lengths that do harm elsewhere."""
        if isinstance(node, Sequence):
            for child in node.items:
                self._check_vars(child, ref, field)
        elif isinstance(node, Mapping):
            for key, child in self._entries(node, ref, field):
                self._check_vars(key, ref, field)
                self._check_vars(child, ref, field)
        elif len(node.text) > VARS_TEXT_LIMIT:
            self._report(
                "S08", node.line, ref, field, f"{field} holds a text of more than {VARS_TEXT_LIMIT} characters"
            )
        elif _FORBIDDEN_IN_VARS.search(node.text):
            self._report(
                "S08", node.line, ref, field, f"{field} holds control or invisible characters: {describe(node)}"
            )

    def _scalar(self, node: Node, spec: Spec, reader: Callable[[Scalar, Spec], Any], ref: str, field: str) -> Any:
        label = field or "value"
        if not isinstance(node, Scalar):
            self._report("S03", node.line, ref, field, f"{label} is {describe(node)}", expected=spec.kind)
            return _MISSING
        try:
            if node.value is None:
                raise _Refused("S03", spec.kind, "give a value, or leave the key out")
            return reader(node, spec)
        except _Refused as refused:
            message = f"{label} is {describe(node)}, expected {refused.expected}"
            self._report(
                refused.rule,
                node.line,
                ref,
                field,
                message,
                found=describe(node),
                expected=refused.expected,
                hint=refused.hint,
            )
            return _MISSING

    def _list(self, node: Node, spec: Spec, ref: str, field: str) -> Any:
        if isinstance(node, Scalar) and node.value is None:
            return ()
        if not isinstance(node, Sequence):
            self._report(
                "S03", node.line, ref, field, f"{field} is {describe(node)}, expected a list", expected="a list"
            )
            return _MISSING
        item = spec.item or spec
        if item.kind == "object":
            label = _below(ref, field)
            found = [
                self._object(child, item, field, "", f"{label}[{number}]") for number, child in enumerate(node.items, 1)
            ]
            return tuple(entry for entry in found if entry is not None)
        kept: dict[Any, None] = {}
        for child in node.items:
            entry = self._value(child, item, ref, field)
            if entry in kept:
                self._report(
                    "S04", child.line, ref, field, f"{field} lists {describe(child)} twice", hint="remove one of them"
                )
            elif entry is not _MISSING:
                kept[entry] = None
        return tuple(kept)

    def _map(self, node: Node, spec: Spec, ref: str, field: str) -> Any:
        if isinstance(node, Scalar) and node.value is None:
            return {}
        if not isinstance(node, Mapping):
            self._report(
                "S03", node.line, ref, field, f"{field} is {describe(node)}, expected a mapping", expected="a mapping"
            )
            return _MISSING
        item = spec.item or spec
        result: dict[str, Any] = {}
        for key, child in self._entries(node, ref, field):
            if not _compiled(spec.key).fullmatch(key.text):
                self._report(
                    "S08",
                    key.line,
                    ref,
                    field,
                    f"{describe(key)} cannot be a name in {field}",
                    expected=f"text like {spec.key}",
                )
            elif item.kind == "object":
                entry = self._object(child, item, field, key.text, f"{field}/{key.text}", key.line)
                if entry is not None:
                    result[key.text] = entry
            else:
                decoded = self._value(child, item, ref, f"{field}.{key.text}")
                if decoded is not _MISSING:
                    result[key.text] = decoded
        return result

    def _entries(self, node: Mapping, ref: str, field: str) -> Iterable[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        for key, child in node.entries:
            if key.text in seen:
                self._report(
                    "S04",
                    key.line,
                    ref,
                    field,
                    f"{describe(key)} stands twice, first in line {seen[key.text]}",
                    found=key.text[:80],
                    hint="remove one of them",
                )
                continue
            seen[key.text] = key.line
            yield key, child

    def _object(self, node: Node, spec: Spec, section: str, name: str, ref: str, line: int = 0) -> Any:
        model: Any = spec.model
        if isinstance(node, Scalar) and node.value is None:
            node = Mapping([], node.line)
        if not isinstance(node, Mapping):
            self._report(
                "S03", node.line, ref, "", f"{ref} is {describe(node)}, expected a mapping", expected="a mapping"
            )
            return None
        specs = specs_cached(model)
        fields: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, child in self._entries(node, ref, ""):
            known = specs.get(key.text)
            if known is None:
                hint = nearest(key.text, specs) or "allowed: " + ", ".join(specs)
                self._report("S02", key.line, ref, "", f"unknown key {describe(key)}", found=key.text[:80], hint=hint)
                continue
            lines[key.text] = key.line
            decoded = self._value(child, known, ref, key.text)
            if decoded is not _MISSING and decoded is not None:
                fields[key.text] = decoded
        for field, known in specs.items():
            # A landscape may be spread over files, so what the whole must have is asked of the whole (document.py).
            if known.required and field not in lines and section != "landscape":
                self._report("S05", line or node.line, ref, field, f"{field} is missing", expected=known.doc)
        source = Source(self._file, line or node.line, lines)
        label = name or (_cable_label(fields) if "a" in specs else "")
        return model(section=section, name=label, source=source, **fields)


def _below(ref: str, field: str) -> str:
    """How findings name an object without a name of its own."""
    return field if ref == "landscape" else f"{ref}.{field}"


def _cable_label(fields: dict[str, Any]) -> str:
    return f"{fields.get('a', '?')} -- {fields.get('b', '?')}"


@functools.cache
def specs_cached(model: type) -> dict[str, Spec]:
    """:func:`schema.specs_of`, computed once per model."""
    return specs_of(model)
