# SPDX-License-Identifier: Apache-2.0
"""The one setting of this machine that the lab changes: how many inotify instances a user may have.

The usual 128 serve 30 machines, four each; a machine beyond them hangs while it boots. The first lane raises it, the last
one puts it back.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

from ..tools.console import Unavailable
from ..tools.paths import CACHE
from . import kernel, launch

SETTING = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 4096
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BEFORE = CACHE / "lab" / "inotify.json"
_SECONDS = 30


def _bound(door: socket.socket) -> bool:
    try:
        door.bind("\0scs-lab-room")
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """No other lane looks at the setting meanwhile; lanes of another cache folder, or in a chroot, count too.

    So it is no file but a name of the kernel, which is free again when its holder ends, however it ends.
    """
    with socket.socket(socket.AF_UNIX) as door:
        if not kernel.wait_for(lambda: _bound(door), _SECONDS):
            raise Unavailable(f"another lane holds the settings of this machine for {_SECONDS} s")
        yield


def _value() -> int:
    return int(SETTING.read_text(encoding="utf-8"))


def make() -> None:
    """Raise it. Call this when the lane's controller runs: by that others see that it is needed."""
    with _alone():
        if _value() < ENOUGH:
            _BEFORE.parent.mkdir(parents=True, exist_ok=True)
            _BEFORE.write_text(json.dumps({"boot": _BOOT.read_text(), "value": _value()}), encoding="utf-8")
            with contextlib.suppress(OSError):  # a container may not; then few machines have to do
                SETTING.write_text(str(ENOUGH), encoding="utf-8")


def give_back() -> None:
    """Put the old value back, unless a lane is up, or somebody has set another one since."""
    with _alone():
        if launch.keepers() or not _BEFORE.exists():
            return
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
            before = json.loads(_BEFORE.read_text(encoding="utf-8"))
            if before["boot"] == _BOOT.read_text() and _value() == ENOUGH:
                SETTING.write_text(str(before["value"]), encoding="utf-8")
        _BEFORE.unlink()
