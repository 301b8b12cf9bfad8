# SPDX-License-Identifier: Apache-2.0
"""What a lane wrote down about itself, so that any later run finds and ends what it started."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..tools.console import Unavailable
from ..tools.paths import CACHE, digest, locked
from .kernel import Process

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass
class Record:
    """The processes of a lane. ``complete``: the last ``up`` ran to its end; ``guests``: machines with a kernel of
    their own."""

    release: str = ""
    landscape: str = ""
    complete: bool = False
    keeper: Process | None = None
    machines: dict[str, Process] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    guests: list[str] = field(default_factory=list)


class Lane:
    """The folder of a lane and its names in the kernel."""

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise Unavailable(f"{name!r} is no name for a lane: use up to 32 of a-z, 0-9 and -")
        self.name = name
        self.folder = CACHE / "lab" / "lanes" / name
        short = digest(str(self.folder))[:8]
        self.cgroup = f"scs-lab/{name}-{short}"
        #: Sockets of SSH connections that are kept open; such a path may have a hundred characters and no more.
        self.sockets = Path("/run/scs-lab") / f"{name[:12]}-{short}"

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else starts or ends machines of this lane meanwhile."""
        return locked(self.folder)

    def file(self, name: str) -> Path:
        """A file of the lane."""
        return self.folder / name

    def load(self) -> Record:
        """What was written down; an empty record when nothing was."""
        try:
            data = json.loads(self.file("lane.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return Record()
        return Record(
            release=data["release"],
            landscape=data["landscape"],
            complete=data["complete"],
            keeper=Process(**data["keeper"]) if data["keeper"] else None,
            machines={name: Process(**fields) for name, fields in data["machines"].items()},
            seconds=data["seconds"],
            guests=data.get("guests", []),
        )

    def save(self, record: Record) -> None:
        """Write it down at once, so that no moment is without a record."""
        self.write("lane.json", dataclasses.asdict(record))

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Write a JSON file whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        partial = self.file(f".{name}.partial")
        partial.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(partial, self.file(name))

    def remove(self) -> None:
        """Forget everything; the lock stays."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self.sockets.parent.is_dir() and not any(self.sockets.parent.iterdir()):
            self.sockets.parent.rmdir()
