# SPDX-License-Identifier: Apache-2.0
"""Runs inside a host of the lab's Ceph, as a unit: makes loop devices of its disk files and holds them while it runs.

The kernel detaches such a device when nobody has it open any more. So a host that ends, however it ends, leaves none.
Device nodes are made here because a container has no udev. Stdlib only, copied into the host; not imported outside.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

# linux/loop.h, linux/miscdevice.h
_CONFIGURE, _GET_FREE, _AUTOCLEAR = 0x4C0A, 0x4C82, 4
_MAJOR, _CONTROL = 7, (10, 237)
_TRIES = 200
STATE = Path("/run/lab-disks.json")


def node(path: str, major: int, minor: int) -> str:
    """Make a block device node, or the control node, unless it is there."""
    if not os.path.exists(path):
        kind = stat.S_IFCHR if (major, minor) == _CONTROL else stat.S_IFBLK
        os.mknod(path, kind | 0o660, os.makedev(major, minor))
    return path


def attach(file: Path) -> tuple[str, int]:
    """The loop device made of a file, and the open handle that keeps it."""
    backing = os.open(file, os.O_RDWR)
    control = os.open(node("/dev/loop-control", *_CONTROL), os.O_RDWR)
    # struct loop_config: fd, block size, struct loop_info64 with the flags at byte 52 of it, 64 bytes reserved
    info = struct.pack("=5QIIII", 0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR).ljust(232, b"\0")
    config = (struct.pack("=II", backing, 0) + info).ljust(304, b"\0")
    try:
        for _try in range(_TRIES):
            number = fcntl.ioctl(control, _GET_FREE)
            device = node(f"/dev/loop{number}", _MAJOR, number)
            handle = os.open(device, os.O_RDWR)
            try:
                fcntl.ioctl(handle, _CONFIGURE, config)
                return device, handle
            except OSError:  # another lane took it between the two calls
                os.close(handle)
                time.sleep(0.02)
    finally:
        os.close(control)
        os.close(backing)
    sys.exit(f"no free loop device for {file}")


def prime(device: str) -> None:
    """Fill the folder of the OSD on a device, if there is one: what ``ceph-volume raw activate`` does, without its waits."""
    label = ["ceph-bluestore-tool", "show-label", "--dev", device]
    done = subprocess.run(label, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        return
    number = json.loads(done.stdout)[device]["whoami"]
    folder = f"/var/lib/ceph/osd/ceph-{number}"
    os.makedirs(folder, exist_ok=True)
    if not os.path.ismount(folder):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True, timeout=30)
    tool = [
        "ceph-bluestore-tool",
        "--cluster=ceph",
        "prime-osd-dir",
        "--dev",
        device,
        "--path",
        folder,
        "--no-mon-config",
    ]
    subprocess.run(tool, check=True, capture_output=True, timeout=60)
    block = f"{folder}/block"
    if os.path.lexists(block):
        os.unlink(block)
    os.symlink(device, block)
    subprocess.run(["chown", "-hR", "ceph:ceph", folder], check=True, timeout=30)
    subprocess.run(["chown", "ceph:ceph", device], check=True, timeout=30)


def main() -> None:
    """Attaches the disks of a folder, says so to systemd, and stays; ``--prime``: fills the folders of OSDs alone."""
    if sys.argv[1] == "--prime":
        for device in sys.argv[2:]:
            prime(device)
        return
    devices = {}
    for file in sorted(Path(sys.argv[1]).glob("*.img")):
        devices[file.stem], _handle = attach(file)
    for device in devices.values():
        prime(device)
    STATE.write_text(json.dumps(devices), encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    signal.pause()


if __name__ == "__main__":
    main()
