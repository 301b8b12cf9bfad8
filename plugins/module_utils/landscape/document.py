# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Puts the documents of several files together into one landscape."""

from __future__ import annotations

import dataclasses
from typing import Any

from .finding import Finding, Place
from .model import DEVICE_SECTIONS, Item, Landscape, Source
from .schema import specs_of


def combine(documents: list[Landscape]) -> tuple[Landscape, list[Finding]]:
    """One landscape from many documents.

    Sections are united, lists are appended in the order of the files. A name that two files define, or that is both a
    host and a switch, is a finding; the first one counts.
    """
    findings: list[Finding] = []
    fields: dict[str, Any] = {}
    for field, spec in specs_of(Landscape).items():
        values = [(document, getattr(document, field)) for document in documents if field in document.source.lines]
        if spec.kind == "map":
            fields[field] = _united([value for _document, value in values], findings)
        elif spec.kind == "list":
            fields[field] = tuple(entry for _document, value in values for entry in value)
        elif values:
            fields[field] = values[0][1]
            findings += [
                _twice(document.place(field), field, values[0][0].place(field)) for document, _value in values[1:]
            ]
        elif spec.required and documents:
            place = Place(documents[0].source.file, 0)
            findings.append(
                Finding("S05", "error", "landscape", f"{field} is missing", place, field, hint=f"add {field}: 1")
            )
    first = documents[0].source if documents else Source()
    lines = {key: line for document in reversed(documents) for key, line in document.source.lines.items()}
    landscape = Landscape(section="landscape", source=dataclasses.replace(first, lines=lines), **fields)
    findings += _double_devices(landscape)
    return landscape, findings


def _united(sections: list[dict[str, Item]], findings: list[Finding]) -> dict[str, Item]:
    union: dict[str, Item] = {}
    for section in sections:
        for name, item in section.items():
            if name in union:
                findings.append(_twice(item.place(), item.ref, union[name].place()))
            else:
                union[name] = item
    return union


def _twice(place: Place, ref: str, first: Place) -> Finding:
    return Finding(
        "S04", "error", ref, f"{ref} is written a second time, first in {first}", place, hint="remove one of them"
    )


def _double_devices(landscape: Landscape) -> list[Finding]:
    hosts, switches = (getattr(landscape, section) for section in DEVICE_SECTIONS)
    return [
        Finding("S09", "error", switches[name].ref, f"{name} is both a host and a switch", switches[name].place())
        for name in sorted(set(hosts) & set(switches))
    ]
