# SPDX-License-Identifier: Apache-2.0
"""What the command lines of all providers have in common."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping

from ..tools.console import Unavailable

_PROGRAM = "python3 -B -m tests.lab"


def parser(
    provider: str, description: str | None, texts: Mapping[str, str]
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """A parser and those of its commands by name, each with ``--lane``.

    :param provider: the word behind ``tests.lab``; empty for the machines themselves.
    :param texts: what each command does.
    """
    whole = argparse.ArgumentParser(prog=f"{_PROGRAM} {provider}".strip(), description=description)
    commands = whole.add_subparsers(dest="command", required=True)
    found = {}
    for name, text in texts.items():
        found[name] = commands.add_parser(name, help=text, description=text)
        found[name].add_argument("--lane", default="demo", help="lanes run side by side (default: %(default)s)")
    return whole, found


def takes_words(command: argparse.ArgumentParser) -> None:
    """The command is followed by another command line."""
    command.add_argument("argv", nargs=argparse.REMAINDER, help="the command, behind --")


def words(chosen: argparse.Namespace) -> list[str]:
    """That other command line."""
    return list(chosen.argv[1:] if chosen.argv[:1] == ["--"] else chosen.argv)


def shown(done: subprocess.CompletedProcess[str]) -> int:
    """Prints what a program said; its exit code."""
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    return done.returncode


def guarded(run: Callable[[], int]) -> int:
    """The exit code of a command; 2 with one sentence when this machine does not permit it."""
    try:
        return run()
    except Unavailable as error:
        print(f"The lab cannot do that: {error}", file=sys.stderr)
        return 2
