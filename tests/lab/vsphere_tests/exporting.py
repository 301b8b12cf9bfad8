# SPDX-License-Identifier: Apache-2.0
"""What the tests of exports share: machines with disks of every awkward length, and the module called or run and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

MIB = 1 << 20
SECTOR = 512
SECONDS = 240
_RUN = (
    "import json, sys; from ansible_collections.scs.landscape.plugins.modules import vmware_disk_export as module;"
    "result = module.main(json.load(sys.stdin), False); print(json.dumps([result.changed, result.failed]))"
)


def params(vsphere: Vsphere, dest: Path, url: str = "", **options: Any) -> dict[str, Any]:
    """All options of the module.

    :param url: of what stands in front of the endpoint.
    """
    defaults = {name: rules.get("default") for name, rules in vmware_disk_export.ARGUMENTS.items()}
    given = {
        "hostname": "127.0.0.1",
        "port": urlsplit(url or vsphere.url).port,
        "username": vsphere.username,
        "password": vsphere.password,
        "ca_path": str(vsphere.ca),
        "dest": str(dest),
    }
    return {**defaults, **given, **options}


def export(vsphere: Vsphere, dest: Path, url: str = "", *, check: bool = False, **options: Any) -> dict[str, Any]:
    """The module's result; ``failed`` is its message, empty when it did not fail."""
    try:
        result = vmware_disk_export.main(params(vsphere, dest, url, **options), check)
    except LandscapeError as error:
        return {"failed": str(error), "changed": False, "disks": []}
    return {"failed": result.failed, "changed": result.changed, "plan": result.plan.as_dict(), **result.values}


@contextlib.contextmanager
def running(options: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """The module in a process of its own, killed at the end of the block if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-B", "-c", _RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(options))
    process.stdin.close()
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Waits, but not for ever."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def names(folder: Path) -> list[str]:
    """What is in a folder, if there is one."""
    return sorted(os.listdir(folder)) if folder.exists() else []
