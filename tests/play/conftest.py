# SPDX-License-Identifier: Apache-2.0
"""Runs the Ansible of the leg as a user would, and reads what came out as data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(sys.executable).parent
Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ansible(tmp_path: Path, collections_root: Path) -> Program:
    """Return a function that runs one of Ansible's programs in an empty folder.

    ``ansible("ansible-inventory", "-i", "lab.yml", "--list")``; it fails the test on a non-zero exit code unless
    ``fails=True``; ``environ`` adds variables.
    """

    def run(program: str, *arguments: object, fails: bool = False, environ: dict[str, str] | None = None):
        variables = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections_root),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            **(environ or {}),
        }
        done = subprocess.run(
            [PROGRAMS / program, *map(str, arguments)],
            cwd=tmp_path,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert bool(done.returncode) == fails, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    return run


@pytest.fixture
def inventory(ansible: Program) -> Callable[[Path], dict[str, Any]]:
    """Return a function that gives ``ansible-inventory --list`` of a source, as data."""

    def listed(source: Path) -> dict[str, Any]:
        environ = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
        return json.loads(ansible("ansible-inventory", "-i", source, "--list", environ=environ).stdout)

    return listed


@pytest.fixture
def play(ansible: Program) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs a playbook (a path, or ``scs.landscape.<name>``) and gives its results.

    Each result is what a task returned on a host, with its ``task`` and ``host``. Extra arguments go to
    ``ansible-playbook``: ``play("scs.landscape.lab_docs", "--check", variables={...})``.
    """

    def run(
        playbook: str | Path,
        *arguments: str,
        source: str | Path = "localhost,",
        variables: dict[str, Any] | None = None,
        fails: bool = False,
    ) -> list[dict[str, Any]]:
        extra = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **(variables or {})}
        environ = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
        argv = ("-i", source, "-e", json.dumps(extra), *arguments, playbook)
        output = ansible("ansible-playbook", *argv, fails=fails, environ=environ).stdout
        # Warnings of old cores may stand before the document.
        document = json.loads(output[output.index("{\n") :])
        return [
            {"task": task["task"]["name"], "host": host, **result}
            for book in document["plays"]
            for task in book["tasks"]
            for host, result in task["hosts"].items()
        ]

    return run
