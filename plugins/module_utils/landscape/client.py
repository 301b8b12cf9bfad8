# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads landscape files: the only file of this domain that opens anything.

PyYAML parses the document (with libyaml where it is installed); its events are turned into :mod:`tree` nodes with line
numbers. Size, depth and the number of nodes are bounded, so that a hostile file ends in a finding.
"""

from __future__ import annotations

import os
import re
from typing import Any

from ..core.errors import InputError, MissingDependencyError
from .decode import Decoder
from .document import combine
from .finding import Finding, Place
from .model import Landscape
from .observed import Observed
from .tree import Mapping, Node, Scalar, Sequence

try:
    import yaml
except ImportError:  # pragma: no cover - ansible-core depends on PyYAML, a bare managed host may lack it
    yaml = None  # type: ignore[assignment]

#: A landscape of 1,000 hosts and 5,000 cables is about 1 MiB; sixteen times that is a mistake.
MAX_BYTES = 16 * 1024 * 1024
#: The same for all files of a landscape together.
MAX_TOTAL_BYTES = 4 * MAX_BYTES
#: Nodes of one file after aliases are followed; an alias bomb grows past it at once. 2,000 hosts make 250,000.
MAX_NODES = 1_000_000
#: Nesting that the format itself never needs.
MAX_DEPTH = 40

_ENDINGS = (".yml", ".yaml")


class _Refused(Exception):
    """The document is YAML, but not what a landscape may be made of."""

    def __init__(self, message: str, line: int, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.hint = line, hint


class _Builder:
    """Builds a tree from parser events.

    Events instead of PyYAML's own nodes: the composer of libyaml recurses in C and ends the process on deep nesting,
    and the schema wants the text of a scalar rather than its YAML 1.1 reading.
    """

    def __init__(self) -> None:
        self._count = 0
        self._anchors: dict[str, tuple[Node | None, int]] = {}

    def document(self, loader: Any) -> Node | None:
        """The only document of the stream, or nothing for an empty stream."""
        loader.get_event()  # start of the stream
        if loader.check_event(yaml.StreamEndEvent):
            return None
        loader.get_event()
        node = self._node(loader, loader.get_event(), 0)
        loader.get_event()  # end of the document
        if not loader.check_event(yaml.StreamEndEvent):
            line = loader.get_event().start_mark.line + 1
            raise _Refused("holds a second document", line, "a file holds one: remove the line --- or make two files")
        return node

    def _node(self, loader: Any, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", line)
        if event.tag:
            raise _Refused(
                f"holds the tag {event.tag[:60]!r}",
                line,
                "a landscape is plain data: leave tags out, keep secrets elsewhere",
            )
        self._grow(1, line)
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = (None, 0)
        if isinstance(event, yaml.ScalarEvent):
            node: Node = Scalar(_scalar(event), event.value, line)
        elif depth >= MAX_DEPTH:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} levels", line, "is a bracket left open?")
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(loader, depth + 1, line)
        else:
            node = self._mapping(loader, depth + 1, line)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._count - before + 1)
        return node

    def _alias(self, anchor: str, line: int) -> Node:
        node, size = self._anchors.get(anchor, (None, -1))
        if node is None:
            problem = "an alias that contains itself" if size == 0 else "an unknown alias"
            raise _Refused(f"holds {problem}, {anchor[:60]!r}", line, "write the value out")
        self._grow(size, line)
        return node

    def _grow(self, size: int, line: int) -> None:
        self._count += size
        if self._count > MAX_NODES:
            hint = "spread the landscape over several files, and use fewer aliases"
            raise _Refused(f"holds more than {MAX_NODES} values once aliases are followed", line, hint)

    def _sequence(self, loader: Any, depth: int, line: int) -> Node:
        items: list[Node] = []
        event = loader.get_event()
        while not isinstance(event, yaml.SequenceEndEvent):
            items.append(self._node(loader, event, depth))
            event = loader.get_event()
        return Sequence(items, line)

    def _mapping(self, loader: Any, depth: int, line: int) -> Node:
        entries: list[tuple[Scalar, Node]] = []
        merged: dict[str, tuple[Scalar, Node]] = {}
        event = loader.get_event()
        while not isinstance(event, yaml.MappingEndEvent):
            merges = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style
            key = self._node(loader, event, depth)
            if not isinstance(key, Scalar):
                raise _Refused(
                    "holds a key that is not plain text", key.line, "quote text that holds {{ }} or begins with [ or {"
                )
            child = self._node(loader, loader.get_event(), depth)
            if merges:
                if merged:
                    raise _Refused("holds << twice in one mapping", key.line, "write <<: [*first, *second]")
                for pair in _merge_pairs(child, key.line):
                    merged.setdefault(pair[0].text, pair)
            else:
                entries.append((key, child))
            event = loader.get_event()
        own = {key.text for key, _child in entries}
        return Mapping(entries + [pair for name, pair in merged.items() if name not in own], line)


def _merge_pairs(node: Node, line: int) -> list[tuple[Scalar, Node]]:
    """The entries behind ``<<``; of several mappings the first one that has a key wins (YAML 1.1)."""
    pairs: list[tuple[Scalar, Node]] = []
    for source in node.items if isinstance(node, Sequence) else [node]:
        if not isinstance(source, Mapping):
            raise _Refused("holds << that does not name a mapping", line, "write <<: *anchor")
        pairs += source.entries
    return pairs


_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]+)?")


def _scalar(event: Any) -> Any:
    """The value of a scalar where the schema leaves it open; quoted text stays text."""
    text = event.value
    if event.style:
        return text
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def files_of(path: str) -> list[str]:
    """The landscape files behind a path: the file itself, or every YAML file of a folder and its subfolders, sorted.

    Names that begin with a dot or an underscore, and what is no regular file, are passed over.
    """
    if os.path.isfile(path):
        return [path]
    if not os.path.isdir(path):
        problem = "is neither a file nor a folder" if os.path.exists(path) else "does not exist"
        raise InputError(f"The landscape {path} {problem}", hint="Give a YAML file or a folder of YAML files")
    found: list[str] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        candidates = [os.path.join(folder, name) for name in names if name.endswith(_ENDINGS) and name[0] not in "._"]
        found += [name for name in candidates if os.path.isfile(name)]
    if not found:
        raise InputError(f"The folder {path} holds no YAML file", hint="Landscape files end in .yml or .yaml")
    return sorted(found)


def _each_once(paths: list[str]) -> list[str]:
    """All files behind the paths; one that is reached twice (a folder and a file in it) counts once."""
    found: dict[str, str] = {}
    for path in paths:
        for file in files_of(path):
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def read_bytes(path: str) -> bytes:
    """The bytes of a file, refused when it is larger than :data:`MAX_BYTES`; no more than that is ever read."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        hint = "Give the landscape, not the data it was made from; a large one may be spread over files"
        raise InputError(
            f"{path} has more than the {MAX_BYTES // 1024 // 1024} MiB a landscape file may have", hint=hint
        )
    return content


def parse(content: bytes, file: str) -> tuple[Node | None, list[Finding]]:
    """A document as a tree, or nothing and the finding (S01, S10) that says why."""
    if yaml is None:
        raise MissingDependencyError("PyYAML", "reading a landscape")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [_finding("S01", file, line, "is not UTF-8 text", "save the file as UTF-8")]
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = text.count("\n", 0, unprintable.start()) + 1
        problem = f"holds the character U+{ord(unprintable.group()):04X}, which YAML does not allow"
        return None, [_finding("S01", file, line, problem, "remove it, or is this not a text file?")]
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _Builder().document(loader) or Mapping([], 1), []
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1) if mark else 0
        problem = error.problem or error.context or "it cannot be parsed"
        return None, [_finding("S01", file, where, f"is not valid YAML: {problem}", _hint(text, where, problem))]
    except yaml.YAMLError as error:
        return None, [_finding("S01", file, 0, f"is not valid YAML: {str(error).splitlines()[0]}", _HINT)]
    except _Refused as error:
        return None, [_finding("S10", file, error.line, str(error), error.hint)]
    finally:
        loader.dispose()


#: What YAML 1.1 does not take as a character, found before parsing so that the place can be told.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINT = "compare the indentation and the quotes of this line with those before it"


def _hint(text: str, line: int, problem: str) -> str:
    """What usually lies behind a parser's complaint about a line."""
    rows = text.split("\n", line)
    row = rows[line - 1] if 0 < line <= len(rows) else ""
    if "\t" in row[: len(row) - len(row.lstrip())] or "'\\t'" in problem:
        return "indent with spaces, YAML takes no tabs"
    if "{{" in row or row.partition(": ")[2].lstrip()[:1] in tuple("%@`&*!"):
        return "put the value in quotes"
    return _HINT


def _finding(rule: str, file: str, line: int, message: str, hint: str) -> Finding:
    return Finding(rule, "error", "landscape", f"{os.path.basename(file)} {message}", Place(file, line), hint=hint)


def _documents(paths: list[str], model: type, section: str) -> tuple[list[Any], list[Finding]]:
    """What every file says, read as ``model``; what could not be read comes first."""
    decoder = Decoder()
    documents: list[Any] = []
    unreadable: list[Finding] = []
    room = MAX_TOTAL_BYTES
    for file in _each_once(paths):
        content = read_bytes(file)
        room -= len(content)
        if room < 0:
            raise InputError(
                f"The files up to {file} have more than the {MAX_TOTAL_BYTES // 1024 // 1024} MiB a landscape may have"
            )
        tree, findings = parse(content, file)
        unreadable += findings
        document = None if tree is None else decoder.decode(tree, model, file, section)
        if document is not None:
            documents.append(document)
    return documents, unreadable + decoder.findings


def load(paths: list[str]) -> tuple[Landscape, list[Finding]]:
    """The landscape written in files and folders, with everything that could not be read.

    :param paths: files, or folders whose YAML files are read in the order of their names.
    :raises InputError: a path does not exist or cannot be read, or the files are too large.
    """
    documents, findings = _documents(paths, Landscape, "landscape")
    landscape, clashes = combine(documents)
    return landscape, findings + clashes


def load_observed(paths: list[str]) -> tuple[list[Observed], list[Finding]]:
    """The facts observed elsewhere (:mod:`observed`), one object per file, with everything that could not be read.

    :param paths: files, or folders whose YAML files are read in the order of their names.
    :raises InputError: a path does not exist or cannot be read, or the files are too large.
    """
    return _documents(paths, Observed, "observed")
