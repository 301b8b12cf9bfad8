# SPDX-License-Identifier: Apache-2.0
"""Entry of the commands that the Makefile names."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from . import acceptance, apt, bundle, environments, pins, process, runner, staging
from .console import Unavailable, say
from .legs import FULL, LEGS
from .paths import CACHE, REPO, WORK


def _tool(argv: list[str], leg: str = "tools", environ: dict[str, str] | None = None) -> int:
    """Run a program of a leg in the checkout itself."""
    env = environments.environment(LEGS[leg])
    variables = {**environments.clean_environ(), **(environ or {})}
    with subprocess.Popen(env.command(argv, REPO), cwd=REPO, env=variables) as running, process.waited_for(running):
        return running.wait()


def _format(arguments: argparse.Namespace) -> int:
    # Annotations are modernised first: safe, since every file starts with the annotations import.
    _tool(["ruff", "check", "--quiet", "--exit-zero", "--fix", "--unsafe-fixes", "--select", "FA,I,UP"])
    code = _tool(["ruff", "check", "--fix"])
    return _tool(["ruff", "format"]) or code


def _script(name: str, *arguments: str) -> int:
    """Run a script of this folder with the newest core that a Python of this machine can run."""
    leg = next((leg for leg in FULL if environments.own_interpreter(LEGS[leg])), None)
    if not leg:
        raise Unavailable(f"{name} needs Python 3.11 or newer on this machine")
    env = environments.environment(LEGS[leg])
    root = str(staging.stage(leg, bundle.provide(env)).parents[2])
    path = f"{env.path / 'bin'}:{os.environ.get('PATH', '')}"
    variables = {"PATH": path, "PYTHONPATH": root, "ANSIBLE_COLLECTIONS_PATH": root}
    return _tool(["python", "-B", "-m", f"tests.tools.{name}", *arguments], leg, variables)


def _pictures(arguments: argparse.Namespace) -> int:
    apt.ensure(["librsvg2-bin", "fonts-dejavu-core"], "rendering pictures")
    return _script("pictures")


def _build(arguments: argparse.Namespace) -> int:
    tree = staging.stage("importer", None)
    target = REPO / "dist"
    env = environments.environment(LEGS["importer"])
    argv = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(WORK / "dist")]
    code = subprocess.run(env.command(argv, tree), cwd=tree, env=environments.clean_environ(), check=False).returncode
    if not code:
        target.mkdir(exist_ok=True)
        for tarball in (WORK / "dist").glob("*.tar.gz"):
            say(f"built {shutil.copy(tarball, target)}")
    return code


def _clean(arguments: argparse.Namespace) -> int:
    folder: Path = CACHE if arguments.all else WORK
    say(f"removing {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.tools", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, quick in (("check", True), ("test", False)):
        command = commands.add_parser(name)
        command.add_argument("--suite", default="")
        command.add_argument("--leg", default="")
        command.set_defaults(call=_run_suites, quick=quick)
    for name, call in (
        ("accept", lambda arguments: acceptance.run()),
        ("build", _build),
        ("demo", lambda arguments: _script("demo")),
        ("demo-backup", lambda arguments: _script("demo_backup")),
        ("demo-backup-down", lambda arguments: _script("demo_backup", "down")),
        ("demo-docs", lambda arguments: _script("demo_docs")),
        ("demo-images", lambda arguments: _script("demo_images")),
        ("demo-images-down", lambda arguments: _script("demo_images", "down")),
        ("demo-migration", lambda arguments: _script("demo_migration")),
        ("demo-migration-down", lambda arguments: _script("demo_migration", "down")),
        ("demo-down", lambda arguments: _script("demo", "down")),
        ("format", _format),
        ("pictures", _pictures),
        ("pins", lambda arguments: pins.renew()),
    ):
        commands.add_parser(name).set_defaults(call=call)
    clean = commands.add_parser("clean")
    clean.add_argument("--all", action="store_true")
    clean.set_defaults(call=_clean)
    return parser


def _run_suites(arguments: argparse.Namespace) -> int:
    full = os.environ.get("SCS_FULL", "") not in ("", "0")
    selection = runner.Selection(arguments.quick, full, arguments.suite, arguments.leg)
    return runner.run(selection)


def main() -> int:
    """Run the command; what the machine cannot give is one sentence, not a traceback."""
    arguments = _parser().parse_args()
    # Whoever ends the runner ends what it started: suites live in process groups of their own.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(arguments.call(arguments))
    except Unavailable as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
