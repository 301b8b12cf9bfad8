# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The whole task of ``volume_write``: options, reading, planning, doing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.stream import Meter, say
from ..backup.model import Volume
from . import writing
from .model import Wanted
from .places import Reach
from .raw import RawDisk
from .scan import Scan, scan
from .service import VolumeService
from .sinks import Settings

#: Seconds between two lines about progress.
_SAY = 20.0


@dataclass
class Found:
    """What a task did.

    :ivar done: nothing in check mode.
    """

    todo: writing.Todo
    done: writing.Done | None = None
    volume: Volume | None = None
    warnings: list[str] = field(default_factory=list)


def wanted_of(params: Mapping[str, Any], size: int) -> Wanted:
    """The volume that the options describe.

    :param size: bytes of the disk.
    :raises InputError: they contradict each other.
    """
    return Wanted(
        name=str(params["name"]),
        bytes=size,
        size=int(params.get("size") or 0),
        kind=str(params.get("volume_type") or ""),
        zone=str(params.get("availability_zone") or ""),
        description=str(params.get("description") or ""),
        bootable=bool(params.get("bootable")),
        properties=_texts(params.get("image_metadata")),
        metadata=_texts(params.get("metadata")),
    )


def settings_of(params: Mapping[str, Any]) -> Settings:
    """How the options say that volumes are filled."""
    stall = float(params.get("stall") or 300)
    reach = Reach(
        _texts(params.get("mounts")), str(params.get("ceph_conf") or ""), str(params.get("ceph_user") or ""), stall
    )
    return Settings(reach, str(params.get("store") or ""), stall)


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (given or {}).items()}


def method_of(params: Mapping[str, Any], settings: Settings) -> str:
    """How the bytes get there."""
    method = str(params.get("method") or "auto")
    return method if method != "auto" else "attach" if settings.reach.told else "image"


def write(cloud: Any, params: Mapping[str, Any], check_mode: bool) -> Found:
    """The whole task.

    :raises LandscapeError: it cannot be done, or failed.
    """
    with contextlib.closing(RawDisk(os.path.expanduser(str(params["source"])))) as source:
        wanted, settings = wanted_of(params, source.size), settings_of(params)
        service = VolumeService(cloud, patience=float(params.get("timeout") or 3600))
        problems = service.missing(wanted)
        if problems:
            raise InputError(f"volume {wanted.name} cannot be made: {'; '.join(problems)}")
        scanned = _scanned(source)
        todo = writing.plan(
            wanted,
            service.found(wanted),
            scanned,
            method_of(params, settings),
            str(params.get("image_format") or "auto"),
            service.cinder.limits(),
        )
        found = Found(todo)
        if check_mode:
            return found
        work = writing.Writing(cloud, service, settings, bool(params.get("read_back", True)))
        found.done = work.carry_out(todo, source, scanned)
    found.volume = service.show(found.done.volume)
    if found.done.kept:
        found.warnings.append(f"image {found.done.kept} stays: volume {found.volume} stands on it")
    return found


def _scanned(source: RawDisk) -> Scan:
    meter, told = Meter(source.size), [time.monotonic()]

    def seen(place: int) -> None:
        meter.add(place - meter.done)
        if time.monotonic() - told[0] >= _SAY:
            told[0] = time.monotonic()
            say(f"reading {source.name}: {meter}")

    return scan(source, source.name, seen)
