# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a machine is: processor, memory, disks, firmware, ways to others, clock. Reads only."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .client import Host

#: Block devices that are no disks of the machine.
_NO_DISK = ("loop", "ram", "zram", "dm-", "sr", "md", "nbd", "fd", "rbd")
#: Bytes of headers in front of the payload of an echo request, IP and ICMP.
_HEADERS = {4: 28, 6: 48}


def read(
    host: Host,
    targets: Sequence[Mapping[str, Any]],
    interfaces: Sequence[str],
    controller_time: float | None,
    now: float,
) -> dict[str, Any]:
    """All facts.

    :param targets: ``address`` and ``mtu`` (bytes, 0 for 1500) of ways to try.
    :param interfaces: names of interfaces whose MTU counts.
    :param controller_time: the controller's clock when the task began, seconds since the epoch.
    :param now: the host's clock.
    """
    count, flags = _cpus(host.text("/proc/cpuinfo"))
    return {
        "architecture": os.uname().machine,
        "kernel": os.uname().release,
        "cpus": count or os.cpu_count() or 1,
        "cpu_flags": flags,
        "firmware": _firmware(host),
        "memory": _memory(host.text("/proc/meminfo")),
        "disks": _disks(host),
        "paths": [_path(host, str(target["address"]), int(target.get("mtu") or 1500)) for target in targets],
        "interfaces": {name: _mtu(host, name) for name in interfaces},
        "clock_offset": None if controller_time is None else round(now - controller_time, 1),
    }


def _cpus(text: str) -> tuple[int, list[str]]:
    """Number of processors and what they can: ``flags`` on x86, ``Features`` on ARM."""
    count, flags = 0, ""
    for line in text.splitlines():
        key, _colon, value = line.partition(":")
        if key.strip() == "processor":
            count += 1
        elif key.strip() in ("flags", "Features") and not flags:
            flags = value
    return count, flags.split()


def _memory(text: str) -> int:
    """Bytes of memory."""
    for line in text.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _firmware(host: Host) -> str:
    if host.text("/run/systemd/container").strip():
        return "container"
    return "uefi" if host.exists("/sys/firmware/efi") else "bios"


def _disks(host: Host) -> list[dict[str, Any]]:
    found = []
    for name in host.names("/sys/block"):
        size = host.text(f"/sys/block/{name}/size").strip()
        removable = host.text(f"/sys/block/{name}/removable").strip() == "1"
        if not name.startswith(_NO_DISK) and size.isdigit() and int(size) and not removable:
            rotating = host.text(f"/sys/block/{name}/queue/rotational").strip() == "1"
            # The kernel counts sectors of 512 bytes here, whatever the disk has.
            found.append({"name": name, "size": int(size) * 512, "rotating": rotating})
    return found


def _mtu(host: Host, name: str) -> int | None:
    text = host.text(f"/sys/class/net/{name}/mtu").strip() if "/" not in name else ""
    return int(text) if text.isdigit() else None


def _path(host: Host, address: str, mtu: int) -> dict[str, Any]:
    """Whether packets of that size arrive in one piece: ``ok``, ``too_big``, ``no_answer``, or ``no_ping``."""
    version = ipaddress.ip_address(address).version
    ping = ["ping", f"-{version}", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "2", "-M", "do", "-s"]
    large = host.run([*ping, str(mtu - _HEADERS[version]), address], 10)
    if not large.code:
        return {"address": address, "mtu": mtu, "state": "ok"}
    if large.code in (126, 127):
        return {"address": address, "mtu": mtu, "state": "no_ping"}
    small = host.run([*ping, "56", address], 10)
    return {"address": address, "mtu": mtu, "state": "no_answer" if small.code else "too_big"}
