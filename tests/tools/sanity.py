# SPDX-License-Identifier: Apache-2.0
"""Lets ansible-test build its virtual environments without fetching anything but Python packages.

ansible-test bootstraps pip with a script from a server of the Ansible project. It takes a script found in
``~/.ansible/test/cache`` instead, so each leg gets a home folder with a stand-in that installs the same pip
from a wheel. The home also keeps ansible-test's environments between runs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from . import interpreters
from .console import say
from .environments import Environment, clean_environ
from .paths import CACHE, digest, locked

_STAND_IN = '''"""Installs pip from the wheel beside this file; stands in for the bootstrap script of ansible-test."""

import glob
import os
import runpy
import sys

wheel = glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pip-*.whl"))[0]
sys.path.insert(0, wheel)
sys.argv = ["pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def environ(env: Environment, base: dict[str, str]) -> dict[str, str]:
    """Return the variables for ansible-test: its home, and real interpreters first on PATH."""
    path = [str(env.path / "bin"), str(_interpreter_links(env)), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"]
    return {**base, "HOME": str(home(env)), "PATH": ":".join([*path, "/sbin"])}


def home(env: Environment) -> Path:
    """Return the home folder of this leg's ansible-test."""
    return CACHE / "ansible-test" / env.path.name


def prime(env: Environment, tree: Path) -> None:
    """Build ansible-test's environments for every interpreter of this machine, once.

    :raises Unavailable: when packages cannot be installed.
    """
    place = home(env)
    with locked(place):
        versions = "-".join(sorted(link.name for link in _interpreter_links(env).iterdir()))
        done = place / f"primed-{digest(versions)}"
        if done.exists():
            return
        say(f"{env.leg.name}: preparing ansible-test's environments (once, about two minutes)")
        _bootstrap(env, place)
        argv = ["ansible-test", "sanity", "--color", "no", "--prime-venvs"]
        env.output(argv, tree, environ(env, clean_environ()))
        done.touch()


def _bootstrap(env: Environment, place: Path) -> None:
    version = env.leg.pip
    cache = place / ".ansible" / "test" / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    argv = ["python", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={version}"]
    env.output(argv, cache)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(_STAND_IN, encoding="utf-8")
    _pip_settings(env, place)


def _pip_settings(env: Environment, place: Path) -> None:
    """ansible-test passes no variables on, so the caller's pip settings become a file in its home."""
    listed = env.output(["python", "-m", "pip", "config", "list"], place)
    settings = {}
    for line in listed.splitlines():
        name, value = line.split("=", 1)
        settings[name.rpartition(".")[2]] = value.strip().strip("'\"")
    folder = place / ".config" / "pip"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["[global]", *(f"{name} = {value}" for name, value in sorted(settings.items()))]
    (folder / "pip.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _interpreter_links(env: Environment) -> Path:
    """A folder with one link per real interpreter; empty in a root, which has its own."""
    folder = CACHE / "pythons" / (env.interpreter.root.name if env.interpreter.root else "machine")
    folder.mkdir(parents=True, exist_ok=True)
    for found in [] if env.interpreter.root else interpreters.everything():
        link = folder / f"python3.{found.minor}"
        if not link.is_symlink() or link.resolve() != found.path.resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(found.path)
    return folder
