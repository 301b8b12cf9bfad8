# SPDX-License-Identifier: Apache-2.0
"""What travels to a switch: small, of the standard library, fit for its Python; and what it refuses."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent, words
from ansible_collections.scs.landscape.plugins.modules import sonic_switch

LIMIT = 150_000


def test_what_would_write_is_refused_in_check_mode() -> None:
    for call in ("apply", "service", "confirm", "rollback", "save"):
        with pytest.raises(LandscapeError, match="check mode"):
            sonic_switch.main({"request": words.pack({"version": 1, "call": call})}, True)
    with pytest.raises(LandscapeError, match="check mode"):
        sonic_switch.main({"request": words.pack({"version": 1, "call": "checkpoint", "what": "present"})}, True)


def test_an_answer_is_packed() -> None:
    result = sonic_switch.main({"request": words.pack({"version": 0, "call": "read"})}, True)
    assert words.unpack(result.values["answer"]) == {"error": "other_version", "data": {}}


def test_the_program_of_the_timer_imports_the_standard_library_and_itself() -> None:
    folder = Path(agent.__file__).parent
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 9))):
            if isinstance(node, ast.Import):
                assert all(name.name.split(".")[0] in sys.stdlib_module_names for name in node.names), path
            elif isinstance(node, ast.ImportFrom):
                sibling = not node.module or (folder / f"{node.module}.py").exists()
                own = node.level == 1 and sibling
                assert own or (node.module or "").split(".")[0] in sys.stdlib_module_names, (path, node.module)


def test_what_travels_is_small() -> None:
    """The module as Ansible packs it, with everything that it imports."""
    path = Path(sonic_switch.__file__)
    names = _files(path, path.read_text())
    size = sum(len(content) for content in names.values())
    assert size < LIMIT, (size, sorted(names))
    assert any(name.endswith("switch/confirm.py") for name in names)
    assert not any(name.endswith("sonic/tables.py") for name in names), "no knowledge of tables travels"


def _files(path: Path, text: str) -> dict[str, bytes]:
    """The collection's own files that a module needs, found by their imports."""
    root = path.parents[1] / "module_utils"
    found: dict[str, bytes] = {str(path): text.encode()}
    todo = [(path, text)]
    while todo:
        here, source = todo.pop()
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.ImportFrom):
                continue
            for target in _targets(root, here, node):
                if str(target) not in found:
                    found[str(target)] = target.read_bytes()
                    todo.append((target, target.read_text()))
    return found


def _targets(root: Path, here: Path, node: ast.ImportFrom) -> list[Path]:
    module = (node.module or "").replace(".", "/")
    if node.level:
        base = here.parents[node.level - 1] / module
    elif "module_utils/" in module and module.startswith("ansible_collections"):
        base = root / module.partition("module_utils/")[2]
    else:
        return []
    candidates = [base.with_suffix(".py"), base / "__init__.py", *(base / f"{name.name}.py" for name in node.names)]
    return [one for one in candidates if one.is_file()]
