# SPDX-License-Identifier: Apache-2.0
"""Renews the lock files: what pip resolves today for the packages that tests/requirements name."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

from . import environments
from .console import Unavailable, say
from .legs import LEGS, Leg
from .paths import REQUIREMENTS

_HEAD = "# SPDX-License-Identifier: Apache-2.0\n# Written by `make pins`: every package of this leg, pinned.\n"


def renew() -> int:
    """Resolve every leg in a fresh environment and write its lock file."""
    for leg in LEGS.values():
        say(f"{leg.name}: resolving")
        (REQUIREMENTS / f"{leg.name}.lock").write_text(_HEAD + _resolve(leg), encoding="utf-8")
    return 0


def _resolve(leg: Leg) -> str:
    folder = tempfile.mkdtemp(prefix="scs-pins-")
    try:
        python = f"{folder}/bin/python"
        interpreter = environments.interpreter(leg)
        if interpreter.root:
            raise Unavailable(f"{leg.name}: pins are made with one of the machine's own Pythons 3.{leg.pythons}")
        subprocess.run([str(interpreter.path), "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS / f"{leg.name}.txt")]
        subprocess.run(install, check=True)
        freeze = [python, "-m", "pip", "freeze"]
        return subprocess.run(freeze, check=True, capture_output=True, text=True).stdout
    finally:
        shutil.rmtree(folder)
