# SPDX-License-Identifier: Apache-2.0
"""libyang's verdict on a way of its own: nothing of the validator of this collection takes part.

The forms of rows come from the trees that yanglint prints, the XML from the standard library, and one yanglint process
judges a whole batch of files. What SONiC asks for beyond libyang (numbers, lists) is not known here.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

#: Seconds for one batch; two thousand files take one minute, on a machine five times slower five.
SECONDS = 600
#: What is between the items of a list that CONFIG_DB keeps as one text (sonic_yang_ext.py of SONiC).
_ONE_TEXT = {("NTP", "src_intf"): ";", ("PORT", "adv_speeds"): ",", ("PORT", "adv_interface_types"): ","}
_LINE = re.compile(
    r"^[ |]*\+--(?:rw|ro|--)? ?(?P<name>:?\(?[\w.-]+\)?)(?P<mark>[*?]?)(?: \[(?P<keys>[^]]*)\])? *(?P<type>.*)$"
)


@dataclass
class Node:
    """A node of a tree: ``mark`` is ``?`` for an optional leaf, ``*`` for a list or leaf-list."""

    name: str
    mark: str = ""
    keys: tuple[str, ...] = ()
    type: str = ""
    inner: dict[str, Node] = field(default_factory=dict)


class Unfit(Exception):
    """A configuration that cannot even be written as data: its form is wrong."""


class Direct:
    """The models of a release, as yanglint shows and applies them."""

    def __init__(self, release: str) -> None:
        golden.need_yanglint()
        self._folder = golden.shared("yang", release)
        self._modules = sorted(path.stem for path in self._folder.glob("*.yang"))
        self.tables: dict[str, tuple[str, Node]] = {}
        for module, top in self._trees():
            for table in top.inner.values():
                self.tables[table.name] = (module, table)

    def _run(self, home: str, commands: Iterable[str]) -> subprocess.CompletedProcess[str]:
        if not os.path.exists(os.path.join(home, "models")):
            os.symlink(self._folder, os.path.join(home, "models"))
        script = "\n".join(
            ["searchpath models", "verb error", *(f"load {module}" for module in self._modules), *commands, ""]
        )
        environment = {"HOME": home, "PATH": os.environ["PATH"], "LC_ALL": "C"}
        return subprocess.run(
            ["yanglint"],
            input=script,
            cwd=home,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )

    def _trees(self) -> Iterator[tuple[str, Node]]:
        with tempfile.TemporaryDirectory() as home:
            printed = self._run(home, [f"print -f tree {module}" for module in self._modules]).stdout
        for text in printed.split("module: ")[1:]:
            module, *lines = text.splitlines()
            stack: list[tuple[int, Node]] = [(-1, Node(module))]
            for line in lines:
                found = _LINE.match(line)
                if found is None:
                    break  # augmentations, notifications
                at = line.index("+--")
                while stack[-1][0] >= at:
                    stack.pop()
                node = Node(found["name"], found["mark"], tuple((found["keys"] or "").split()), found["type"].strip())
                if "(" in node.name:
                    node.inner = stack[-1][1].inner  # what is in a choice stands where the choice stands
                else:
                    stack[-1][1].inner[node.name] = node
                stack.append((at, node))
            for top in stack[0][1].inner.values():
                yield module, top

    def row(self, table: str, key: str) -> Node | None:
        """The form of row that a key belongs to."""
        inner = self.tables[table][1].inner
        if key in inner and inner[key].mark != "*":
            return inner[key]
        parts = key.count("|") + 1
        return next((node for node in inner.values() if node.mark == "*" and len(node.keys) == parts), None)

    def leaf(self, table: str, key: str, name: str) -> Node | None:
        """A field."""
        row = self.row(table, key) if table in self.tables else None
        return row.inner.get(name) if row else None

    def document(self, config: Any) -> str:
        """A configuration as XML; tables without a model are left out, as SONiC does.

        :raises Unfit: when it is no configuration, or a list stands where a text belongs or the other way round.
        """
        modules: dict[str, ElementTree.Element] = {}
        for table, rows in config.items():
            if not isinstance(rows, Mapping):
                raise Unfit(f"{table} is no table")
            if table not in self.tables:
                continue
            module = self.tables[table][0]
            if module not in modules:
                modules[module] = ElementTree.Element(module, {"xmlns": self._namespace(module)})
            place = ElementTree.SubElement(modules[module], table)
            for key, row in rows.items():
                self._row(place, table, key, row)
        return "\n".join(ElementTree.tostring(module, encoding="unicode") for module in modules.values())

    def _row(self, place: ElementTree.Element, table: str, key: str, fields: Any) -> None:
        row = self.row(table, key)
        if row is None or not isinstance(fields, Mapping) or not key:
            raise Unfit(f"{table}|{key} is no row")
        here = ElementTree.SubElement(place, row.name)
        for name, part in zip(row.keys, key.split("|")):
            ElementTree.SubElement(here, name).text = part
        for name, value in fields.items():
            if name not in row.keys:
                for item in self._items(table, row.inner.get(name), name, value):
                    ElementTree.SubElement(here, name).text = item

    def _items(self, table: str, leaf: Node | None, name: str, value: Any) -> list[str]:
        many = leaf is not None and leaf.mark == "*"
        if isinstance(value, str) and many and (table, name) in _ONE_TEXT:
            return value.split(_ONE_TEXT[(table, name)])
        if isinstance(value, list) is not many and leaf is not None:
            raise Unfit(f"{table} {name} is a list or a text, and the model has the other")
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise Unfit(f"{table} {name} is no text")
        return items

    def _namespace(self, module: str) -> str:
        text = (self._folder / f"{module}.yang").read_text(encoding="utf-8")
        found = re.search(r"namespace\s+\"?([^\s\";]+)", text)
        assert found, module
        return found[1]

    def refusals(self, configs: Iterable[Any]) -> list[str]:
        """For each configuration why it is refused, empty when it is not."""
        found: list[str] = []
        waiting: list[int] = []
        with tempfile.TemporaryDirectory() as home:
            for number, config in enumerate(configs):
                try:
                    Path(home, f"{number}.xml").write_text(self.document(config), encoding="utf-8")
                    waiting.append(number)
                    found.append("")
                except Unfit as error:
                    found.append(str(error))
            while waiting:
                asked = [
                    command for number in waiting for command in (f"data -t config {number}.xml", f"mark-{number}-")
                ]
                answers = re.split(r"[^\n]*\"mark-\d+-\"[^\n]*\n?", self._run(home, asked).stderr)
                for number, said in zip(waiting, answers):
                    # Every document starts with warnings of the models, which `verb error` keeps quiet.
                    found[number] = said.strip()
                # A document that brings yanglint down has said what is wrong before; the rest is asked again.
                waiting = waiting[len(answers) :]
        return found
