# SPDX-License-Identifier: Apache-2.0
"""Virtual environments with pinned packages, built once per set of requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import apt, interpreters, roots
from .console import Unavailable, say
from .interpreters import Interpreter
from .legs import Leg
from .paths import CACHE, REPO, REQUIREMENTS, digest, locked


@dataclass(frozen=True)
class Environment:
    """A leg made real: an interpreter and a folder with the leg's packages."""

    leg: Leg
    interpreter: Interpreter
    path: Path

    def command(self, argv: list[str], cwd: Path) -> list[str]:
        """Return the command line that runs a program of this environment.

        :param argv: a program of the environment's bin folder (or of the system) and its arguments.
        """
        # In a root, links point to programs that only exist there.
        program = self.path / "bin" / argv[0]
        full = [str(program) if os.path.lexists(program) else argv[0], *argv[1:]]
        root = self.interpreter.root
        return roots.wrap(root, cwd, full) if root else full

    def output(self, argv: list[str], cwd: Path, environ: dict[str, str] | None = None) -> str:
        """Run a program of this environment and return what it printed.

        :raises Unavailable: with the last line of its errors, when it fails.
        """
        done = subprocess.run(
            self.command(argv, cwd),
            cwd=cwd,
            env=environ or clean_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
            raise Unavailable(f"{self.leg.name}: `{' '.join(argv[:5])} ...` failed: {last}")
        return done.stdout


def environment(leg: Leg) -> Environment:
    """Return the environment of a leg, building it at first use.

    :raises Unavailable: when no interpreter can be had, or packages cannot be installed.
    """
    found = interpreter(leg)
    files = [REQUIREMENTS / f"{leg.name}.{kind}" for kind in ("txt", "lock")]
    content = [file.read_bytes() for file in files if file.exists()]
    place = found.root.name if found.root else str(found.path)
    path = CACHE / "venvs" / f"{leg.name}-py3.{found.minor}-{digest(place, *content)}"
    result = Environment(leg, found, path)
    with locked(path):
        if not (path / "complete").exists():
            _build(result, files)
    return result


def interpreter(leg: Leg) -> Interpreter:
    """Return the Python that a leg runs on: the machine's own, else another Debian's."""
    return own_interpreter(leg) or roots.interpreter(leg.debian)


def own_interpreter(leg: Leg) -> Interpreter | None:
    """Return a Python of this machine for a leg, with Debian's venv package installed where it lacks; or None."""
    own = next((found for minor in leg.pythons if (found := interpreters.of_minor(minor))), None)
    bare = interpreters.without_venv(leg.pythons)
    if own or not bare:
        return own
    apt.ensure([f"python3.{bare}-venv"], f"Python 3.{bare}'s virtual environments")
    interpreters.of_minor.cache_clear()
    return interpreters.of_minor(bare)


def _build(env: Environment, files: list[Path]) -> None:
    say(f"{env.leg.name}: installing pinned packages for {env.interpreter} (once, about a minute)")
    shutil.rmtree(env.path, ignore_errors=True)
    env.path.mkdir(parents=True)
    # Copied into the cache because a root sees nothing else of this machine.
    requirements, lock = (Path(shutil.copy(file, env.path)) for file in files)
    env.output([str(env.interpreter.path), "-m", "venv", str(env.path)], env.path)
    install = ["python", "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    env.output([*install, "--requirement", str(requirements), "--constraint", str(lock)], env.path)
    (env.path / "complete").touch()


def clean_environ() -> dict[str, str]:
    """The caller's variables without those that would bend an interpreter or Ansible."""
    dropped = ("ANSIBLE_", "PYTHON", "PYENV_", "VIRTUAL_ENV", "COVERAGE_", "PYTEST_", "MOLECULE_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    # Facts of real labs lie beside the checkout; legs run in copies of it, which have other neighbours.
    kept.setdefault("SCS_SHARED", str(REPO.parent / "shared"))
    return {**kept, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
