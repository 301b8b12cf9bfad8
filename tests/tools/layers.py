# SPDX-License-Identifier: Apache-2.0
"""Who may import whom, and how long things may be: section 3 of docs/architecture.md, read from the syntax tree.

The file's place decides its role. Imports inside functions and ``try`` blocks count like all others.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_COLLECTION = "ansible_collections.scs.landscape."
_PLUGINS = f"{_COLLECTION}plugins."
_UTILS = f"{_PLUGINS}module_utils."
#: Modules of the standard library that talk to the world; only ``client.py`` and ``core`` may use them.
_WORLD = ("socket", "ssl", "subprocess", "urllib.request", "http.client", "ftplib", "smtplib", "asyncio", "telnetlib")
_FILE_LINES = 400
_FUNCTION_LINES = 45
_DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


@dataclass(frozen=True)
class Violation:
    """One broken rule, printed the way compilers do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Place:
    """A file's place under ``plugins/``, and the liberties that come with it."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, path: str) -> Place:
        return cls(PurePosixPath(path).parts[1:])

    @property
    def kind(self) -> str:
        """Return ``core``, ``adapter``, ``flows``, a domain's name, or ``plugin``."""
        if self.parts[0] != "module_utils":
            return "plugin"
        return self.parts[1] if len(self.parts) > 2 else PurePosixPath(self.parts[1]).stem

    @property
    def knows_ansible(self) -> bool:
        return self.kind in ("adapter", "plugin")

    @property
    def may_catch_broadly(self) -> bool:
        return self.kind == "adapter" or self.parts[0] == "plugin_utils"

    @property
    def is_client(self) -> bool:
        return self.parts[-1] == "client.py"

    @property
    def module(self) -> str:
        return _PLUGINS + ".".join(self.parts).removesuffix(".py")


def check(path: str, source: str) -> list[Violation]:
    """Return the house rules that one file under ``plugins/`` breaks.

    :param path: relative to the collection, such as ``plugins/module_utils/core/plan.py``.
    """
    place, tree = Place.of(path), ast.parse(source)
    found = [*_imports(place, tree), *_handlers(place, tree), *_lengths(tree, source)]
    return [Violation(path, line, message) for line, message in sorted(found)]


def _imports(place: Place, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, target in imported(place.module, tree):
        reason = _ours(place, target) if target.startswith(_COLLECTION) else _foreign(place, target)
        if reason:
            yield line, f"imports {target.removeprefix(_COLLECTION)}: {reason}"


def imported(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of everything a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".")[: -node.level]
                base = ".".join([*package, *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def _ours(place: Place, target: str) -> str:
    """Say why a file may not import this file of ours, or nothing."""
    if not target.startswith(_PLUGINS):
        return "the collection runs without its tests"
    if place.kind == "plugin":
        return ""
    if not target.startswith(_UTILS):
        return "module_utils know no plugin"
    domain = target.removeprefix(_UTILS).partition(".")[0]
    if domain in (place.kind, "core"):
        return ""
    if place.kind == "core":
        return "core imports the standard library only"
    if domain in ("adapter", "flows"):
        return f"{domain} is for plugins only"
    if place.kind in ("flows", "adapter") or domain == "landscape":
        return ""
    return "domains do not import each other; flows/ is where they meet"


def _foreign(place: Place, target: str) -> str:
    """Say why a file may not import this foreign module, or nothing."""
    top = target.partition(".")[0]
    if top in ("ansible", "ansible_collections"):
        return "" if place.knows_ansible else "only adapter.py, plugin_utils and the plugins know Ansible"
    if place.kind == "core":
        return "" if top in sys.stdlib_module_names else "core imports the standard library only"
    if place.knows_ansible or (place.is_client and place.kind != "flows"):
        return ""
    if top not in sys.stdlib_module_names:
        return "only client.py imports what is not in the standard library"
    if any(f"{target}.".startswith(f"{name}.") for name in _WORLD):
        return "only client.py talks to the world"
    return ""


def _handlers(place: Place, tree: ast.Module) -> Iterator[tuple[int, str]]:
    if place.may_catch_broadly:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            yield node.lineno, "broad except: only adapter.py and plugin_utils catch everything"


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(element) for element in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))


def _lengths(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    lines = len(source.splitlines()) - sum(_documentation(node) for node in tree.body)
    if lines >= _FILE_LINES:
        yield 1, f"{lines} lines of code; files stay below {_FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > _FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; functions stay below {_FUNCTION_LINES}"


def _documentation(node: ast.stmt) -> int:
    """Lines of a plugin's documentation blocks, which are data and not code."""
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in _DOCUMENTATION for t in node.targets):
        return (node.end_lineno or node.lineno) - node.lineno + 1
    return 0
