# SPDX-License-Identifier: Apache-2.0
"""Finds the Python interpreters of this machine: real ones, never pyenv's shims."""

from __future__ import annotations

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROBE = "import sys, venv, ensurepip; print(sys.version_info[1], sys.prefix == sys.base_prefix)"


@dataclass(frozen=True)
class Interpreter:
    """A Python that can make virtual environments; ``root`` is the file system it lives in."""

    path: Path
    minor: int
    root: Path | None = None

    def __str__(self) -> str:
        place = f" in {self.root.name}" if self.root else ""
        return f"Python 3.{self.minor}{place}"


def _candidates(minor: int) -> list[Path]:
    name = f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    versions = (pyenv / "versions").glob(f"3.{minor}.*") if (pyenv / "versions").is_dir() else ()
    folders = [Path("/usr/bin"), Path("/usr/local/bin"), *(v / "bin" for v in sorted(versions, reverse=True))]
    folders += [Path(entry) for entry in os.environ.get("PATH", "").split(":") if entry]
    return [folder / name for folder in folders if "shims" not in folder.parts and (folder / name).exists()]


@functools.cache
def of_minor(minor: int) -> Interpreter | None:
    """Return an interpreter of Python 3.<minor> that is not itself a virtual environment, or None."""
    for path in _candidates(minor):
        done = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, text=True, check=False)
        if done.stdout.split() == [str(minor), "True"]:
            return Interpreter(path, minor)
    return None


def without_venv(minors: tuple[int, ...]) -> int | None:
    """Return the first version that Debian installed without its venv package, or None."""
    return next((minor for minor in minors if Path(f"/usr/bin/python3.{minor}").exists()), None)


def everything() -> list[Interpreter]:
    """Return one interpreter per version that ansible-test checks modules on."""
    return [found for minor in range(9, 15) if (found := of_minor(minor))]
