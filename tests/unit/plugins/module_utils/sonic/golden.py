# SPDX-License-Identifier: Apache-2.0
"""The facts about SONiC that lie beside the checkout, and programs that judge by them."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import client, yang_check, yang_model
from ansible_collections.scs.landscape.tests.tools import apt
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

REPO = Path(__file__).resolve().parents[5]
#: Releases whose models are there.
RELEASES = ("202411", "202605")
BACKUPS = ("st01-sw100g-r01-u41", "st01-sw1g-r01-u42", "st01-sw25g-r01-u34")
SWITCHES = (
    *(f"{name}.{switch}" for name in ("a-underlay", "b-l2vni", "c-l3vni") for switch in ("leaf1", "leaf2")),
    *(f"{name}.{switch}" for name in ("a-underlay", "b-l2vni", "c-l3vni") for switch in ("spine1", "spine2")),
    "d-mgmt.mgmt1",
    "e-border.border1",
)


def shared(*parts: str) -> Path:
    """A path below shared/sonic; without it the test is skipped, in CI it fails."""
    told = os.environ.get("SCS_SHARED")
    for place in [Path(told)] if told else [folder / "shared" for folder in REPO.parents]:
        if place.joinpath("sonic", *parts).exists():
            return place.joinpath("sonic", *parts)
    reason = f"shared/sonic/{'/'.join(parts)} is not beside the checkout (SCS_SHARED names another place)"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(reason)
    pytest.skip(reason)


def path_of(name: str) -> Path:
    """The file of a backup or of ``<fabric>.<switch>``."""
    fabric, dot, switch = name.partition(".")
    return shared("golden", "fabrics", fabric, switch, "config_db.json") if dot else shared("config_db", f"{name}.json")


def config(name: str) -> dict[str, Any]:
    """A configuration of its own, to be changed at will."""
    data: dict[str, Any] = json.loads(path_of(name).read_text(encoding="utf-8"))
    return data


@functools.cache
def models(release: str) -> yang_model.Models:
    """The models of a release."""
    return client.load_models(str(shared("yang", release)))


def need_yanglint() -> None:
    """Sees to it that yanglint is there: the machine's own, else that of Debian."""
    if not shutil.which("yanglint"):
        why = "judging switch configurations by YANG models"
        try:
            apt.ensure(["libyang2-tools"], why)  # Debian 12
        except Unavailable:
            apt.ensure(["libyang3-tools"], why)  # Debian 13


@contextlib.contextmanager
def judge(release: str) -> Iterator[Callable[[str], yang_check.Complaint | None]]:
    """libyang with the models of a release."""
    need_yanglint()
    with client.Yanglint(str(shared("yang", release)), models(release).names) as found:
        yield found
