# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The vocabulary in which the model is described.

A field of a model dataclass is declared once, with its kind, its rule and its documentation. The reader
(:mod:`decode`), the JSON schema for editors (:mod:`schema_json`), the reference page and the mutation test are all
made from that one declaration.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

#: Names of objects become file names, DNS labels, group and variable names, so they are plain from the start.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
#: Names of ports: kernel and SONiC names (``enP1p1s0f0np0``, ``Ethernet0``, ``Eth1/1``) and labels (``MGMT``, ``Port37``).
PORT_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,62}"
#: Ansible group names as OSISM uses them (with dashes).
GROUP_PATTERN = r"[A-Za-z_][A-Za-z0-9_-]{0,62}"
#: Longest free text of one field; a description, not a manual.
TEXT_LIMIT = 1000


@dataclass(frozen=True)
class Spec:
    """What one field may hold.

    :param kind: ``text``, ``integer``, ``boolean``, ``date``, ``mac``, ``address`` (of either
        family), ``ipv4``, ``ipv6``, ``prefix4``, ``prefix6``, ``endpoint`` (``device/port``), ``reference``, ``list``, ``map``, ``object`` or ``any``.
    :param free: nothing else in a landscape can contradict the value (descriptions, labels read off a sticker).
    :param sections: for ``reference``: the sections in which the named object may be found.
    :param item: for ``list`` and ``map``: what the elements are.
    :param model: for ``object``: the dataclass.
    :param key: for ``map``: the pattern of keys; for references as keys ``key_sections`` names the sections.
    """

    kind: str
    doc: str
    required: bool = False
    free: bool = False
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    sections: tuple[str, ...] = ()
    item: Spec | None = None
    model: type | None = None
    key: str = NAME_PATTERN


def _field(spec: Spec, default: Any = None) -> Any:
    declare = functools.partial(dataclasses.field, metadata={"spec": spec})
    return declare(default_factory=dict) if isinstance(default, dict) else declare(default=default)


def text(doc: str, *, default: str = "", **rules: Any) -> Any:
    """One line of text; ``pattern`` or ``choices`` narrow it."""
    return _field(Spec("text", doc, **rules), default)


def integer(doc: str, *, default: int | None = None, **rules: Any) -> Any:
    """A whole number between ``minimum`` and ``maximum``."""
    return _field(Spec("integer", doc, **rules), default)


def boolean(doc: str, *, default: bool = False) -> Any:
    """``true`` or ``false``."""
    return _field(Spec("boolean", doc), default)


def value(kind: str, doc: str, **rules: Any) -> Any:
    """A value whose kind says it all: ``mac``, ``ipv4``, ``ipv6``, ``prefix4``, ``prefix6``, ``date``, ``endpoint``."""
    return _field(Spec(kind, doc, **rules), "")


def reference(doc: str, *sections: str, **rules: Any) -> Any:
    """The name of an object of one of the sections."""
    return _field(Spec("reference", doc, sections=sections, **rules), "")


def texts(doc: str, **rules: Any) -> Any:
    """A list of texts."""
    return _field(Spec("list", doc, item=Spec("text", doc, **rules)), ())


def integers(doc: str, **rules: Any) -> Any:
    """A list of whole numbers."""
    return _field(Spec("list", doc, item=Spec("integer", doc, **rules)), ())


def values(kind: str, doc: str) -> Any:
    """A list of values whose kind says it all."""
    return _field(Spec("list", doc, item=Spec(kind, doc)), ())


def references(doc: str, *sections: str) -> Any:
    """A list of names of objects of one of the sections."""
    return _field(Spec("list", doc, item=Spec("reference", doc, sections=sections)), ())


def objects(doc: str, model: type) -> Any:
    """A list of objects without names of their own."""
    return _field(Spec("list", doc, item=Spec("object", doc, model=model)), ())


def named(doc: str, model: type, *, key: str = NAME_PATTERN) -> Any:
    """A section: a mapping of names to objects."""
    return _field(Spec("map", doc, item=Spec("object", doc, model=model), key=key), {})


def mapping(doc: str, item: Spec, *, key: str = NAME_PATTERN) -> Any:
    """A mapping of names to simple values."""
    return _field(Spec("map", doc, item=item, key=key), {})


def nested(doc: str, model: type) -> Any:
    """One object inside another."""
    return _field(Spec("object", doc, model=model), None)


def specs_of(model: type) -> dict[str, Spec]:
    """The declared fields of a model dataclass, in the order of declaration."""
    return {item.name: item.metadata["spec"] for item in dataclasses.fields(model) if "spec" in item.metadata}
