# SPDX-License-Identifier: Apache-2.0
"""Waves that were made up: what the modules of a migration return, for reports and their pictures."""

from __future__ import annotations

from typing import Any

NAMES = ("mail", "web", "archive")
UUIDS = {name: f"50000000-0000-4000-8000-00000000000{number}" for number, name in enumerate(NAMES, 1)}
BEGAN = 1_790_000_000.0
_STATES = ("planned", "probed", "claimed", "stopped", "copied", "verified", "built", "started", "checked", "cut_over")
_SECONDS = (0, 4, 11, 42, 278, 302, 317, 325, 337, 346)
MIB, GIB = 1 << 20, 1 << 30
#: Size and data of the disks.
DISKS = {"mail": {2000: (40 * GIB, 9 * GIB), 2001: (16 * GIB, 3 * GIB)}, "web": {2000: (20 * GIB, 4 * GIB)}}
DISKS["archive"] = {2000: (100 * GIB, 5 * GIB)}


def disk(name: str, key: int, **more: Any) -> dict[str, Any]:
    """A disk that was moved."""
    size, data = DISKS[name][key]
    seconds = data / (40 * MIB)
    return {
        "vm": UUIDS[name],
        "vm_name": name,
        "key": key,
        "label": f"Hard disk {key - 1999}",
        "volume": f"7d0f7c34-2e4e-4a57-8a35-0cf6e37a{key}",
        "status": "done",
        "message": "",
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "verified": "volume",
        "transport": "nfc" if name == "archive" else "folder",
        "size": size,
        "data": data,
        "sent": data + 7 * MIB,
        "resumed": 0,
        "seconds": seconds,
        "rate": round(size / seconds),
        "began": BEGAN + 45 + (0 if key == 2000 else 40),
        **more,
    }


def journal(machine: str, /, *, until: str = "done", figures: bool = True, **more: Any) -> dict[str, Any]:
    """The journal of a machine that came as far as a state."""
    times = {state: BEGAN + seconds for state, seconds in zip(_STATES, _SECONDS)}
    times["done"] = BEGAN + 347
    reached = [*_STATES, "done"][: [*_STATES, "done"].index(until) + 1]
    made = {"server": f"server-{machine}"} if "built" in reached else {}
    kept = {str(key): disk(machine, key) for key in DISKS[machine]} if figures and "copied" in reached else {}
    return {
        "uuid": UUIDS[machine],
        "name": machine,
        "plan": "1f0c7a92d3be",
        "task": "bbb",
        "state": until,
        "original": {"power": "on", "nics": {"4000": True}, "autostart": 0},
        "made": {**made, "figures": kept} if kept else made,
        "times": {state: times[state] for state in reached},
        **more,
    }


def checks(name: str) -> list[dict[str, Any]]:
    """What was compared of a machine."""
    blocks = [(f"Hard disk {key - 1999}", "as it was read back when it was copied") for key in DISKS[name]]
    found = [("blocks", label, words) for label, words in blocks]
    found += [("properties", f"{name}-{number}", "") for number in range(len(blocks))]
    found += [("ports", f"{name}-0", ""), ("server", name, "")]
    return [
        {"vm": UUIDS[name], "kind": kind, "name": label, "status": "passed", "message": words, "ranges": []}
        for kind, label, words in found
    ]
