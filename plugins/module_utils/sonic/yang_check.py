# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""All that the models refuse in a configuration, not the first fault only. Pure: libyang is handed in as a function.

libyang stops at its first error. So the value it names is taken out and the rest judged again, until nothing is wrong.
A wrong value that stands in many rows is found once: what does not depend on the row it stands in is true of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..core.errors import LandscapeError
from .model import SEPARATOR, ConfigDb, Issue
from .yang import Document, Fault, Translator, Where
from .yang_model import Models

#: Judges an XML document: nothing, or the first error.
Judge = Callable[[str], "Complaint | None"]

#: A configuration with more faults than this is of another kind or broken altogether.
MAX_FAULTS = 2000

_STEP = re.compile(r"/([^/\[]+)((?:\[(?:'[^']*'|\"[^\"]*\"|[^\]'\"])*\])*)")
_PREDICATE = re.compile(r"\[([^=\]]+)=(?:'([^']*)'|\"([^\"]*)\")\]")
_KINDS = (
    ("leafref", "Invalid leafref"),
    ("enum", "Invalid enumeration"),
    ("pattern", "Unsatisfied pattern"),
    ("range", "Unsatisfied range"),
    ("length", "Unsatisfied length"),
    ("union", "Invalid union"),
    ("mandatory", "Mandatory node"),
    ("duplicate", "Duplicate"),
    ("when", "When condition"),
    ("unique", "Unique"),
    ("type", "Invalid "),
)
#: Kinds that depend on the value alone, so that they hold wherever it stands.
_EVERYWHERE = ("enum", "pattern", "range", "length", "type")


@dataclass(frozen=True)
class Complaint:
    """libyang's first error.

    :param path: data path, empty when it gave none.
    :param line: line of the document, from 1; 0 when it gave none.
    """

    message: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Verdict:
    """What the models say of one configuration.

    :param without_model: tables that no model has; SONiC refuses to change a configuration with such tables.
    """

    faults: tuple[Fault, ...] = ()
    without_model: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing was refused."""
        return not self.faults


def check(models: Models, config: ConfigDb, judge: Judge) -> Verdict:
    """Every fault of a configuration.

    Where libyang names a place that the document does not hold (a default that breaks a condition), that is the last
    fault it can say.

    :raises LandscapeError: when libyang names no place at all.
    """
    translator = Translator(models, config)
    faults = {fault.where: fault for fault in translator.faults}
    gone: set[tuple[str, str]] = set()
    moved = True
    while moved and len(faults) < MAX_FAULTS:
        document = translator.document()
        complaint = judge(document.text)
        if complaint is None:
            break
        moved = False
        for fault, follows in _faults(translator, document, complaint, gone):
            where = fault.where
            if not follows:
                faults.setdefault(where, fault)
            moved |= _take_out(translator, where, gone, whole=fault.kind in ("mandatory", "when"))
    return Verdict(tuple(sorted(faults.values(), key=lambda fault: fault.where)), tuple(translator.without_model))


def _take_out(translator: Translator, where: Where, gone: set[tuple[str, str]], *, whole: bool) -> bool:
    """Leaves out what was refused: the field, the row when the field is its key or is missing, at last the table.

    :returns: whether the document holds less than before.
    """
    table, key, name = where
    if name and not whole and not translator.is_key(where) and translator.drop(where):
        return True
    if key and translator.drop((table, key, "")):
        gone.update((table, part) for part in key.split(SEPARATOR))
        return True
    return translator.drop((table, "", ""))


def _faults(
    translator: Translator, document: Document, complaint: Complaint, gone: set[tuple[str, str]]
) -> list[tuple[Fault, bool]]:
    """The faults behind an error, each with whether it only follows from a row that was taken out."""
    table, key, name = place(document, complaint)
    kind = next((kind for kind, text in _KINDS if complaint.message.startswith(text)), "must")
    if kind == "must" and complaint.line:
        kind = "type"  # conditions are judged once everything is read; then no line is named
    if kind == "mandatory":
        name = _quoted(complaint.message)
    if not table:
        raise LandscapeError(f"libyang refuses the configuration as a whole: {complaint.message}")
    value = _quoted(complaint.message)
    follows = any((target, value) in gone for target in translator.targets((table, key, name)))
    everywhere = kind in _EVERYWHERE or (kind == "leafref" and "current()" not in complaint.message)
    # A key part is not batched: other faults of its row are found first, while the row is still there.
    places = translator.same((table, key, name)) if everywhere and name else []
    if translator.is_key((table, key, name)) and kind == "leafref":
        places = []
    if kind == "mandatory" and not key:  # libyang names the model's node and not the row
        places = translator.lacking(table, name)
    return [(Fault(*where, kind, complaint.message), follows) for where in places or [(table, key, name)]]


def _quoted(message: str) -> str:
    found = re.search('"([^"]*)"', message)
    return found.group(1) if found else ""


def place(document: Document, complaint: Complaint) -> Where:
    """The table, key and field that an error is about."""
    if complaint.line and 0 < complaint.line <= len(document.lines) and document.lines[complaint.line - 1][0]:
        return document.lines[complaint.line - 1]
    steps = [(name.rpartition(":")[2], _PREDICATE.findall(rest)) for name, rest in _STEP.findall(complaint.path)]
    if len(steps) < 2:
        return ("", "", "")
    table = steps[1][0]
    if len(steps) == 2:
        return (table, "", "")
    node, predicates = steps[2]
    parts = tuple(single or double for _name, single, double in predicates)
    key = document.keys.get((table, node, parts), document.keys.get((table, node, ()), ""))
    return (table, key, steps[3][0] if len(steps) > 3 and key else "")


def issues(verdict: Verdict, switch: str, release: str) -> list[Issue]:
    """A verdict as findings."""
    found = [
        Issue(
            "SY001", "error", switch, f.table, f.key, f.field, _readable(f), _HINTS.get(f.kind, ""), (release,), f.kind
        )
        for f in verdict.faults
    ]
    text = "no model of this release has the table: config reload refuses it from 202505 on, config replace always"
    return found + [
        Issue("SY002", "warning", switch, table, "", "", text, "", (release,), "no_model")
        for table in verdict.without_model
    ]


_HINTS = {
    "unknown_field": "remove the field, or convert the configuration as a whole",
    "unknown_row": "write all parts of the key, with | between them",
    "leafref": "add the row it names, or mend the name",
    "not_a_list": 'write it as ["a", "b"]',
    "not_a_text": 'write it as "a"',
}


def _readable(fault: Fault) -> str:
    """A fault in words; those of libyang where they say more than its kind."""
    tables = re.findall("([A-Z0-9_]+)_LIST", fault.message)
    if fault.kind == "leafref" and tables:
        if not _quoted(fault.message):
            return f"has an empty name, as a list without items has for SONiC; {tables[-1]} has no such row"
        return f"names {_quoted(fault.message)}, which is not in {tables[-1]}"
    return fault.message
