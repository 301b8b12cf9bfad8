# SPDX-License-Identifier: Apache-2.0
"""Mutants of a landscape: one small mistake each, as people make them.

A mistake is made in one *field instance*: a scalar of a field, an entry of a list or of a mapping, the name of an
object, or an object as a whole. Fields that the schema marks ``free`` are left alone, because nothing else in a
landscape could ever contradict them. Every mutant is the parsed tree with one slot changed, and changed back afterwards.
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.decode import Decoder
from ansible_collections.scs.landscape.plugins.module_utils.landscape.document import combine
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import Spec, specs_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema_json import models_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.tree import Mapping, Node, Scalar, Sequence

#: Waivers and expiries are judged on one day, so that a run of next year says the same.
TODAY = datetime.date(2026, 6, 1)
KINDS = ("typo", "off by one", "neighbour", "delete", "duplicate")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass(frozen=True)
class Instance:
    """One slot of the document: ``part`` tells the value, the key or the whole of ``container[place]``."""

    label: str
    part: str
    file: str
    container: Any
    place: int
    owner: int

    @property
    def scalar(self) -> Scalar | None:
        """The scalar a typing error would hit."""
        entry = self.container[self.place]
        if self.part == "key":
            node = entry[0]
        elif self.part == "value":
            node = entry[1] if isinstance(entry, tuple) else entry
        else:
            return None
        return node if isinstance(node, Scalar) else None


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: ``caught`` by which rules, ``equal`` to the original, or missed."""

    instance: Instance
    kind: str
    change: str
    rules: tuple[str, ...]
    equal: bool

    @property
    def caught(self) -> bool:
        return bool(self.rules)


class Subject:
    """A landscape under test: its parsed files, what is found in them, and every field instance."""

    def __init__(self, paths: list[str]) -> None:
        self.trees: dict[str, Node] = {}
        for file in [name for path in paths for name in client.files_of(path)]:
            tree, findings = client.parse(client.read_bytes(file), file)
            if tree is None:
                raise ValueError(f"{file}: {findings}")
            self.trees[file] = tree
        self._documents = {file: self._decode(file) for file in self.trees}
        self.landscape, self.findings = self._judge("")
        self._known = {_key(finding) for finding in self.findings}
        self._seen: set[tuple[int, int, str]] = set()
        self.instances = [instance for file, tree in self.trees.items() for instance in self._walk(tree, file)]
        self._peers: dict[tuple[str, str], list[Instance]] = {}
        for instance in self.instances:
            self._peers.setdefault((instance.label, instance.part), []).append(instance)

    def _decode(self, file: str) -> tuple[Any, list[Finding]]:
        decoder = Decoder()
        return decoder.decode(self.trees[file], Landscape, file), decoder.findings

    def _judge(self, changed: str) -> tuple[Landscape, list[Finding]]:
        documents = {**self._documents, **({changed: self._decode(changed)} if changed else {})}
        landscape, clashes = combine([document for document, _found in documents.values() if document is not None])
        read = [finding for _document, found in documents.values() for finding in found]
        found = validate.check(derive.resolve(landscape), read + clashes, today=TODAY)
        return landscape, [finding for finding in found if not finding.waived]

    def _walk(self, tree: Node, file: str) -> Iterator[Instance]:
        yield from self._object(tree, Landscape, file)

    def _object(self, node: Node, model: type, file: str) -> Iterator[Instance]:
        specs = specs_of(model)
        for place, (key, child) in enumerate(node.entries if isinstance(node, Mapping) else []):
            spec = specs.get(key.text)
            if spec is not None:
                yield from self._field(node, place, child, f"{model.__name__}.{key.text}", spec, file)

    def _field(self, node: Any, place: int, child: Node, label: str, spec: Spec, file: str) -> Iterator[Instance]:
        item = spec.item
        if spec.kind == "object":
            yield from self._object(child, spec.model or Landscape, file)
        elif item is None:
            if not spec.free:
                yield from self._instance(label, "value", file, node.entries, place, id(node))
        elif item.kind == "object":
            yield from self._objects(child, label, item, file)
        elif not (spec.free or item.free):
            yield from self._entries(child, label, file)

    def _objects(self, child: Node, label: str, item: Spec, file: str) -> Iterator[Instance]:
        model = item.model or Landscape
        if isinstance(child, Mapping):
            for place, (_key, inner) in enumerate(child.entries):
                yield from self._instance(label, "key", file, child.entries, place, id(child))
                yield from self._instance(label, "whole", file, child.entries, place, id(child))
                yield from self._object(inner, model, file)
        elif isinstance(child, Sequence):
            for place, inner in enumerate(child.items):
                yield from self._instance(label, "whole", file, child.items, place, id(child))
                yield from self._object(inner, model, file)

    def _entries(self, child: Node, label: str, file: str) -> Iterator[Instance]:
        if isinstance(child, Mapping):
            for place in range(len(child.entries)):
                yield from self._instance(label, "key", file, child.entries, place, id(child))
                yield from self._instance(label, "value", file, child.entries, place, id(child))
        elif isinstance(child, Sequence):
            for place in range(len(child.items)):
                yield from self._instance(label, "value", file, child.items, place, id(child))

    def _instance(self, label: str, part: str, file: str, container: Any, place: int, owner: int) -> Iterator[Instance]:
        # An alias leads to the same slot twice.
        if (id(container), place, part) not in self._seen:
            self._seen.add((id(container), place, part))
            yield Instance(label, part, file, container, place, owner)

    def draw(self, source: random.Random) -> Outcome:
        """One mutant: an instance drawn uniformly, then a kind that can be done to it."""
        while True:
            instance = source.choice(self.instances)
            kind = source.choice(KINDS)
            change = self._changed(instance, kind, source)
            if change is not None:
                return self._try(instance, kind, *change)

    def every(self, source: random.Random) -> Iterator[tuple[Outcome, float]]:
        """One mutant of every instance and every kind, each with its share of a uniform draw."""
        for instance in self.instances:
            changes = [(kind, self._changed(instance, kind, source)) for kind in KINDS]
            outcomes = [self._try(instance, kind, *change) for kind, change in changes if change is not None]
            counted = [outcome for outcome in outcomes if not outcome.equal]
            yield from ((outcome, 1 / len(counted)) for outcome in counted)

    def _try(self, instance: Instance, kind: str, slots: list[Any], text: str) -> Outcome:
        before = list(instance.container)
        instance.container[:] = slots
        try:
            landscape, findings = self._judge(instance.file)
        finally:
            instance.container[:] = before
        rules = tuple(sorted({finding.rule for finding in findings if _key(finding) not in self._known}))
        return Outcome(instance, kind, text, rules, not rules and landscape == self.landscape)

    def _changed(self, instance: Instance, kind: str, source: random.Random) -> tuple[list[Any], str] | None:
        """The slots of the container after the mistake, and the mistake in words; nothing when it cannot be made."""
        slots = list(instance.container)
        if kind in ("delete", "duplicate"):
            if instance.part == "key":
                return None  # the whole entry is an instance of its own, or the value of a mapping
            slots[instance.place : instance.place + 1] = [slots[instance.place]] * (0 if kind == "delete" else 2)
            return slots, f"{kind} {_words(instance)}"
        scalar = instance.scalar
        if scalar is None:
            return None
        text = self._text(instance, kind, scalar, source)
        if text is None or text == scalar.text:
            return None
        node = _rewritten(scalar, text)
        entry = slots[instance.place]
        if isinstance(entry, tuple):
            slots[instance.place] = (node, entry[1]) if instance.part == "key" else (entry[0], node)
        else:
            slots[instance.place] = node
        return slots, f"{scalar.text} -> {text}"

    def _text(self, instance: Instance, kind: str, scalar: Scalar, source: random.Random) -> str | None:
        if kind == "typo":
            return typo(scalar.text, source)
        if kind == "off by one":
            return off_by_one(scalar.text, source)
        peers = self._peers[instance.label, instance.part]
        here = peers.index(instance)
        others = [peer for peer in peers[here + 1 :] + peers[:here] if peer.owner != instance.owner] or list(
            peers[here + 1 :] + peers[:here]
        )
        return others[0].scalar.text if others and others[0].scalar is not None else None


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.rule, finding.object, finding.field, finding.message)


def _words(instance: Instance) -> str:
    entry = instance.container[instance.place]
    node = entry[1] if isinstance(entry, tuple) else entry
    name = entry[0].text if isinstance(entry, tuple) else ""
    if isinstance(node, Scalar):
        return f"{name}: {node.text}".lstrip(": ")
    if name or not isinstance(node, Mapping):
        return name
    return ", ".join(f"{key.text}: {child.text}" for key, child in node.entries[:2] if isinstance(child, Scalar))


def _rewritten(scalar: Scalar, text: str) -> Scalar:
    """The scalar with another text, quoted when it was quoted."""
    plain = client._scalar(SimpleNamespace(value=scalar.text, style=None)) == scalar.value
    value = client._scalar(SimpleNamespace(value=text, style=None if plain else "'"))
    return Scalar(value, text, scalar.line)


def typo(text: str, source: random.Random) -> str | None:
    """One character substituted, inserted, deleted, or two neighbours transposed."""
    how = source.choice(("substitute", "insert", "delete", "transpose"))
    if not text:
        return None
    place = source.randrange(len(text))
    letter = source.choice("0123456789" if text.isdigit() else _ALPHABET)
    if how == "substitute":
        return text[:place] + letter + text[place + 1 :]
    if how == "insert":
        return text[:place] + letter + text[place:]
    if how == "delete":
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def off_by_one(text: str, source: random.Random) -> str | None:
    """The number, or the last number of a text, plus or minus one; its width is kept."""
    found = re.search(r"[0-9]+(?=[^0-9]*$)", text)
    if found is None:
        return None
    number = int(found.group()) + source.choice((-1, 1))
    if number < 0:
        number = 1
    return text[: found.start()] + str(number).zfill(len(found.group())) + text[found.end() :]


def models() -> list[type]:
    """Every kind of object in a landscape."""
    return [model for _field, model in models_of(Landscape)]
