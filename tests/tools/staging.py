# SPDX-License-Identifier: Apache-2.0
"""A copy of the checkout where Ansible's tools want it: .../ansible_collections/scs/landscape.

Each leg has its own copy, so legs never meet in an output folder. Only what changed is copied.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from .paths import REPO, WORK, locked


def in_use(leg: str) -> AbstractContextManager[None]:
    """Hold a leg's copy: nobody else changes it or runs a suite in it meanwhile."""
    return locked(WORK / "trees" / leg)


def stage(leg: str, bundle: Path | None) -> Path:
    """Bring the leg's copy up to date and return its collection folder."""
    root = WORK / "trees" / leg / "ansible_collections"
    target = root / "scs" / "landscape"
    with in_use(leg):
        target.mkdir(parents=True, exist_ok=True)
        if not (target / ".git").is_dir():
            subprocess.run(["git", "init", "--quiet", str(target)], check=True, env=_plain_git())
        _synchronise(target)
        _link(root, bundle)
    return target


def _plain_git() -> dict[str, str]:
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def tracked(folder: Path) -> set[str]:
    """Return the files git knows or would add: everything but what .gitignore names."""
    listing = ["git", "-C", str(folder), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name}


def _synchronise(target: Path) -> None:
    present = tracked(target)
    names = {name for name in tracked(REPO) if os.path.lexists(REPO / name)}
    for name in present - names:
        (target / name).unlink(missing_ok=True)
    _prune(target)
    for name in names:
        _copy(REPO / name, target / name)


def _copy(source: Path, copy: Path) -> None:
    """Copy a file with its time, unless the copy has the same size and time already."""
    try:
        new = source.lstat()
        if os.path.lexists(copy):
            old = copy.lstat()
            if (old.st_mtime_ns, old.st_size, old.st_mode) == (new.st_mtime_ns, new.st_size, new.st_mode):
                return
            copy.unlink()
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy, follow_symlinks=False)
    except FileNotFoundError:
        return  # an editor moved it away meanwhile


def _prune(target: Path) -> None:
    """Remove folders that hold nothing but compiled Python: a vanished package must not be importable."""
    for folder, folders, files in os.walk(target, topdown=False):
        here = Path(folder)
        if ".git" in here.parts or here == target or here.name == "__pycache__":
            continue
        left = [name for name in folders if name != "__pycache__" and (here / name).exists()]
        if not files and not left:
            shutil.rmtree(here)


def _link(root: Path, bundle: Path | None) -> None:
    """Link the other collections beside ours, as ansible-test wants them in the same tree."""
    wanted = {}
    if bundle:
        for collection in (bundle / "ansible_collections").glob("*/*"):
            wanted[root / collection.parent.name / collection.name] = collection
    for link in root.glob("*/*"):
        if link.is_symlink() and wanted.get(link) != link.readlink():
            link.unlink()
    for link, collection in wanted.items():
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(collection)
