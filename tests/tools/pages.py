# SPDX-License-Identifier: Apache-2.0
"""What generated Markdown pages of rules have in common: anchors, table cells, and being kept up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol


class Headed(Protocol):
    """A rule as its heading shows it."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...


def anchor(rule: Headed) -> str:
    """The anchor that GitHub gives the heading of a rule."""
    heading = f"{rule.id}: {rule.title}".lower()
    return "".join(char if char.isalnum() or char in "-_" else "-" if char == " " else "" for char in heading)


def cell(text: str) -> str:
    """A text that stays inside its table cell; Markdown in it is meant."""
    return text.replace("|", "\\|")


def keep(path: Path, content: str, generator: str) -> int:
    """Write a page, or with ``--check`` on the command line say that it is stale; the exit code."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{path.name} is stale: run python3 -m tests.tools.{generator}")
        return 1
    path.write_text(content, encoding="utf-8")
    print(f"{path.name} written")
    return 0
