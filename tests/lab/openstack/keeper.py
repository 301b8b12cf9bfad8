# SPDX-License-Identifier: Apache-2.0
"""The first process of a cloud: its network, mounts and processes live in namespaces that end with it.

Whatever a service starts and forgets (epmd, helpers of RabbitMQ, a killed compute's children) is found by nobody's list:
the kernel ends it when this process ends. Until it is told to stay, it ends with whoever started it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time


def _reap() -> None:
    """Collect what ended: this is process number 1 of its namespace."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _place(folder: str, target: str) -> None:
    """Put a folder where services look for it; where this machine has no such place, only they get one."""
    if not os.path.isdir(target):
        parent = os.path.dirname(target)
        layers = f"{folder}.layers"
        os.makedirs(layers, exist_ok=True)
        _mount("-t", "tmpfs", "tmpfs", layers)
        os.makedirs(f"{layers}/upper/{os.path.basename(target)}")
        os.makedirs(f"{layers}/work")
        options = f"lowerdir={parent},upperdir={layers}/upper,workdir={layers}/work"
        _mount("-t", "overlay", "overlay", "-o", options, parent)
    _mount("--bind", folder, target)


def main() -> None:
    """Prepares the namespaces, says so, and stays when told within its starter's life.

    The arguments are pairs: a folder, and the folder that it is put on.
    """
    # the number that others know us by: /proc is still that of the machine
    number = os.readlink("/proc/self")
    _mount("-t", "proc", "proc", "/proc")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for folder, target in zip(sys.argv[1::2], sys.argv[2::2]):
        _place(folder, target)
    print(f"ready {number}", flush=True)
    threading.Thread(target=_reap, daemon=True).start()
    if sys.stdin.readline().strip() != "go":
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


if __name__ == "__main__":
    main()
