# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What YANG models say about the tables of CONFIG_DB: their keys and fields. Pure.

This reads only as much of YANG (RFC 7950) as is needed to write a configuration in the form of the models; values are
judged by libyang. SONiC's convention: one container named like the module, in it one container per table, in that a
list per form of key (``name`` and ``name|ip-prefix``), or containers for rows with fixed keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..core.errors import InputError

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<mark>[{};])|(?P<plus>\+(?=[\s"']))|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'"""
    r"""|(?P<word>(?:(?!//|/\*)[^\s{};"'])(?:(?!//|/\*)[^\s{};])*)""",
    re.DOTALL,
)
#: Deeper than any model; a hostile file ends here and not in a recursion error.
MAX_DEPTH = 60


@dataclass
class Statement:
    """A YANG statement and those inside it."""

    keyword: str
    argument: str = ""
    inner: list[Statement] = field(default_factory=list)

    def all(self, *keywords: str) -> Iterator[Statement]:
        """The inner statements with one of these keywords."""
        return (statement for statement in self.inner if statement.keyword in keywords)

    def text(self, keyword: str) -> str:
        """The argument of the first inner statement with this keyword; empty when there is none."""
        return next((statement.argument for statement in self.all(keyword)), "")


@dataclass(frozen=True)
class Leaf:
    """A field. ``base`` is its built-in type, ``default`` whether the model has one, ``refs`` the tables it points to."""

    name: str
    many: bool = False
    base: str = "string"
    default: bool = False
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowModel:
    """One form of row: a list with keys, or a container with a fixed name and no keys.

    :param inner: for a list whose fields are the entries of an inner list (QoS maps): that list's name, key and value.
    """

    node: str
    keys: tuple[str, ...] = ()
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    inner: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class TableModel:
    """A table: its module, and its forms of rows."""

    name: str
    module: str
    namespace: str
    lists: tuple[RowModel, ...] = ()
    fixed: Mapping[str, RowModel] = field(default_factory=dict)


def parse(text: str, name: str) -> Statement:
    """The module statement of a YANG file.

    :param name: of the file, for messages.
    :raises InputError: when it is not YANG.
    """
    root = Statement("")
    stack, glue, at = [root], False, 0
    words: list[str] = []
    for token in _TOKEN.finditer(text):
        if token.start() != at:
            break
        at = token.end()
        kind = token.lastgroup
        if kind == "skip":
            continue
        if kind == "plus":
            glue = True
        elif kind != "mark":
            value = token.group(kind or 0)
            if kind == "double":
                value = re.sub(r"\\(.)", _escaped, value)
            if glue and words:
                words[-1] += value
            else:
                words.append(value)
            glue = False
        elif not _close(token.group("mark"), stack, words):
            break
    if (
        at != len(text)
        or len(stack) != 1
        or len(root.inner) != 1
        or root.inner[0].keyword not in ("module", "submodule")
    ):
        line = text.count("\n", 0, at) + 1
        raise InputError(
            f"The YANG model {name} cannot be read near line {line}", hint="Take the models of one release"
        )
    return root.inner[0]


def _escaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match.group(1), match.group(1))


def _close(mark: str, stack: list[Statement], words: list[str]) -> bool:
    """Ends a statement; whether that was possible."""
    if mark == "}":
        stack.pop()
        return bool(stack) and not words
    if not words or len(words) > 2 or len(stack) > MAX_DEPTH:
        return False
    statement = Statement(words[0], words[1] if len(words) == 2 else "")
    words.clear()
    stack[-1].inner.append(statement)
    if mark == "{":
        stack.append(statement)
    return True


class Models:
    """The models of one release.

    :param texts: text of each file by its name.
    :raises InputError: for a file that is not YANG.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._modules = {statement.argument: statement for statement in (parse(texts[n], n) for n in sorted(texts))}
        self._prefixes = {name: self._prefixes_of(module) for name, module in self._modules.items()}
        self._named: dict[tuple[str, str, str], Statement] = {}
        for name, module in self._modules.items():
            for statement in module.all("grouping", "typedef"):
                self._named[(name, statement.keyword, statement.argument)] = statement
        self.tables: dict[str, TableModel] = {}
        for name, module in self._modules.items():
            for top in module.all("container"):
                for container in top.all("container"):
                    if "false" not in (top.text("config"), container.text("config")):
                        self.tables[container.argument] = self._table(name, module.text("namespace"), container)

    @property
    def names(self) -> list[str]:
        """The modules, in the order in which they are loaded."""
        return sorted(self._modules)

    @staticmethod
    def _prefixes_of(module: Statement) -> dict[str, str]:
        own = {module.text("prefix"): module.argument}
        return {**own, **{used.text("prefix"): used.argument for used in module.all("import")}}

    def _find(self, module: str, keyword: str, name: str) -> tuple[str, Statement] | None:
        prefix, separator, local = name.rpartition(":")
        home = self._prefixes[module].get(prefix, "") if separator else module
        found = self._named.get((home, keyword, local))
        return (home, found) if found else None

    def _table(self, module: str, namespace: str, container: Statement) -> TableModel:
        children = list(self._children(module, container))
        lists = [(home, child) for home, child in children if child.keyword == "list"]
        if len(lists) == 1 and lists[0][1].argument != f"{container.argument}_LIST":
            lists = []  # SONiC's own reader looks at a single list only when it is named so
        fixed = {child.argument: self._row(home, child) for home, child in children if child.keyword == "container"}
        rows = tuple(self._row(home, child) for home, child in lists)
        return TableModel(container.argument, module, namespace, rows, fixed)

    def _children(self, module: str, parent: Statement, depth: int = 0) -> Iterator[tuple[str, Statement]]:
        """The data nodes of a statement, with the module whose prefixes hold in them; uses and choices opened."""
        for child in parent.inner:
            if child.keyword in ("leaf", "leaf-list", "list", "container"):
                yield module, child
            elif child.keyword in ("choice", "case") and depth < MAX_DEPTH:
                yield from self._children(module, child, depth + 1)
            elif child.keyword == "uses" and depth < MAX_DEPTH:
                found = self._find(module, "grouping", child.argument)
                if found:
                    yield from self._children(found[0], found[1], depth + 1)

    def _row(self, module: str, node: Statement) -> RowModel:
        leaves: dict[str, Leaf] = {}
        inner = None
        for home, child in self._children(module, node):
            if child.keyword in ("leaf", "leaf-list"):
                leaves[child.argument] = self._leaf(home, child)
            elif child.keyword == "list" and node.keyword == "list":
                parts = [part.argument for part in child.all("leaf")]
                key = child.text("key")
                value = next((part for part in parts if part != key), "")
                inner = (child.argument, key, value)
        return RowModel(node.argument, tuple(node.text("key").split()), leaves, inner)

    def _leaf(self, module: str, node: Statement) -> Leaf:
        kinds = [kind for each in node.all("type") for kind in self._types(module, each)]
        bases = {base for base, _ref in kinds}
        base = bases.pop() if len(bases) == 1 else "union"
        refs = tuple(dict.fromkeys(ref for _base, ref in kinds if ref))
        return Leaf(node.argument, node.keyword == "leaf-list", base, bool(list(node.all("default"))), refs)

    def _types(self, module: str, kind: Statement, depth: int = 0) -> Iterator[tuple[str, str]]:
        """The built-in types behind a type, each with the table it points to."""
        found = self._find(module, "typedef", kind.argument)
        inner = list((found[1] if found else kind).all("type"))
        if inner and depth < MAX_DEPTH:
            for each in inner:
                yield from self._types(found[0] if found else module, each, depth + 1)
        else:
            path = [
                step.split("[")[0].rpartition(":")[2] for step in re.sub(r"\[[^]]*\]", "", kind.text("path")).split("/")
            ]
            tables = [step for step in path if step.isupper() or re.fullmatch("[A-Z0-9_]+", step)]
            yield kind.argument.rpartition(":")[2], re.sub("_LIST$", "", tables[0]) if tables else ""
