# SPDX-License-Identifier: Apache-2.0
"""Runs modules as Ansible does: a process of their own that reads its arguments and prints one JSON object."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils import basic

_PLACE = "ansible_collections.scs.landscape.plugins.modules"


def _arguments(options: dict[str, Any], check: bool) -> dict[str, Any]:
    more = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": tempfile.gettempdir()}
    return {**options, **more}


def start(module: str, options: dict[str, Any], *, check: bool = False) -> subprocess.Popen[str]:
    """The process of a module; its arguments travel by standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"{_PLACE}.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": _arguments(options, check)}))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str], seconds: float = 300) -> dict[str, Any]:
    """What the module returned.

    :raises AssertionError: it printed a traceback or anything else but its result.
    """
    output, errors = process.communicate(timeout=seconds)
    assert "Traceback" not in output + errors, output + errors
    try:
        result: dict[str, Any] = json.loads(output)
    except ValueError:
        raise AssertionError(f"no JSON: {output!r} {errors!r}") from None
    return result


def run(module: str, options: dict[str, Any], *, check: bool = False, seconds: float = 300) -> dict[str, Any]:
    """Starts a module and waits for its result."""
    return finish(start(module, options, check=check), seconds)


def inside(module: str, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """The same in this process, for tests that do not need the process: ``__main__`` of the module with patched arguments.

    :raises AssertionError: it printed anything but its result, or let an error escape.
    """
    file = Path(__file__).resolve().parents[2] / "plugins" / "modules" / f"{module}.py"
    output = io.StringIO()
    text = json.dumps({"ANSIBLE_MODULE_ARGS": _arguments(options, check)}).encode()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(basic, "_ANSIBLE_ARGS", text))
        if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
            stack.enter_context(mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.suppress(SystemExit))
        runpy.run_path(str(file), run_name="__main__")
    try:
        result: dict[str, Any] = json.loads(output.getvalue())
    except ValueError:
        raise AssertionError(f"no JSON: {output.getvalue()!r}") from None
    return result


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and every empty folder as nothing."""
    found: dict[str, bytes] = {}
    for here, folders, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
        if not folders and not names:
            found[f"{Path(here).relative_to(folder)}/"] = b""
    return found


def snapshot(folder: Path) -> dict[str, tuple[Any, ...]]:
    """What a write anywhere below a folder would change: inode, mode, times and content of everything, itself included."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        state = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (state.st_ino, state.st_mode, state.st_mtime_ns, state.st_ctime_ns, content)
    return found
