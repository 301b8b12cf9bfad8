# SPDX-License-Identifier: Apache-2.0
"""Other collections, taken out of the ``ansible`` package on the Python index: Galaxy is not needed."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from .console import Unavailable, say
from .environments import Environment
from .paths import CACHE, REPO, REQUIREMENTS, digest, locked


def wanted() -> list[str]:
    """Return the collections that galaxy.yml depends on and that the tests use."""
    lines = (REQUIREMENTS / "collections.txt").read_text(encoding="utf-8").splitlines()
    return sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")} | _dependencies())


def _dependencies() -> set[str]:
    text = (REPO / "galaxy.yml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies:\n((?:[ ]+.*\n)+)", text, re.MULTILINE)
    return set(re.findall(r"^ +([a-z0-9_]+\.[a-z0-9_]+):", block.group(1), re.MULTILINE)) if block else set()


def provide(env: Environment) -> Path | None:
    """Return the folder that holds ``ansible_collections`` with the wanted collections for this leg.

    :raises Unavailable: when the package cannot be had or lacks one of them.
    """
    names = wanted()
    if not env.leg.bundle or not names:
        return None
    path = CACHE / "collections" / f"ansible-{env.leg.bundle}-{digest(*names)}"
    with locked(path):
        if not path.is_dir():
            _extract(env, names, path)
    return path


def _extract(env: Environment, names: list[str], path: Path) -> None:
    say(f"taking {', '.join(names)} out of ansible {env.leg.bundle} (once)")
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    download = ["python", "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
    argv = [*download, "--only-binary", ":all:", "--dest", str(partial), f"ansible=={env.leg.bundle}"]
    env.output(argv, partial)
    (file,) = partial.glob("*.whl")
    with zipfile.ZipFile(file) as wheel:
        for name in names:
            prefix = f"ansible_collections/{name.replace('.', '/')}/"
            members = [member for member in wheel.namelist() if member.startswith(prefix)]
            if not members:
                raise Unavailable(f"ansible {env.leg.bundle} does not carry the collection {name}")
            wheel.extractall(partial, members)
    file.unlink()
    partial.rename(path)
