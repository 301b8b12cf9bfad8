# SPDX-License-Identifier: Apache-2.0
"""Brings CONFIG_DBs onto switches of the lab along the three paths that SONiC's own code was measured on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.switches.renderer import BARE

#: Path -> the file with what FRR ran afterwards.
PATHS = {"live": "frr.running.txt", "boot": "frr.running.boot.txt", "load": "frr.running.load.txt"}
_INNER = ("address-family ", "vni ")
_OPENERS = ("router ", "route-map ", "interface ", "vrf ")
_CLOSERS = ("exit", "exit-vrf", "end", "!")
_NOISE = ("Building configuration", "Current configuration")

Config = dict[str, dict[str, dict[str, Any]]]


def folder() -> Path | None:
    """Where the measurements lie; None when this machine has none."""
    shared = os.environ.get("SCS_SHARED")
    found = Path(shared) / "sonic" / "golden" if shared else None
    return found if found is not None and found.is_dir() else None


def switches() -> list[str]:
    """``<fabric>/<switch>`` of every measured switch."""
    root = folder()
    return (
        sorted(str(path.parent.relative_to(root / "fabrics")) for path in root.glob("fabrics/*/*/config_db.json"))
        if root
        else []
    )


def read(switch: str, name: str) -> str:
    """A file of a measured switch."""
    root = folder()
    assert root is not None
    return (root / "fabrics" / switch / name).read_text(encoding="utf-8")


def steps(switch: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The rows of a switch in the order in which SONiC's updater writes them: table, key, fields.

    The values are those of the whole configuration: where the updater refuses a field, the row was written with it.
    """
    config: Config = json.loads(read(switch, "config_db.json"))
    known = json.loads(read(switch, "gcu_steps.json"))
    for step in known["steps"] or known["steps_without_unmodelled_fields"]:
        for change in step:
            assert change["op"] == "add", change
            table, _slash, key = change["path"].removeprefix("/").partition("/")
            key = key.replace("~1", "/").replace("~0", "~")
            for name in [key] if key else list(change["value"]):
                yield table, name, config[table][name]


def bring(fabric: Fabric, machine: str, switch: str, path: str) -> tuple[str, list[str]]:
    """FRR's running configuration, and what it refused, after a configuration came onto a switch along a path."""
    config: Config = json.loads(read(switch, "config_db.json"))
    if path == "boot":
        fabric.reload(machine, config)
        return fabric.vtysh(machine, "show running-config"), refused(_journal(fabric, machine))
    bare = {table: rows for table, rows in config.items() if table in BARE}
    fabric.reload(machine, bare, frr_starts_empty=True)
    if path == "live":
        fabric.write(machine, list(steps(switch)))
    else:
        fabric.machine(machine).run(["tee", "/root/load.json"], input=json.dumps(config))
        fabric.machine(machine).run(["config", "load", "-y", "/root/load.json"])
    fabric.settle(machine)
    return fabric.vtysh(machine, "show running-config"), refused(_journal(fabric, machine))


def _journal(fabric: Fabric, machine: str) -> str:
    """What the service said since it started."""
    shown = fabric.machine(machine).run(["systemctl", "show", "--property", "InvocationID", "--value", "bgp"])
    this = f"_SYSTEMD_INVOCATION_ID={shown.stdout.strip()}"
    return fabric.machine(machine).run(["journalctl", "--no-pager", "--output", "cat", this]).stdout


def refused(log: str) -> list[str]:
    """Commands that FRR did not take and prefixes without a set, from the log of SONiC's daemon or of ours."""
    found = set()
    for line in log.splitlines():
        if "command execution failure" in line:
            words = re.findall("'([^']*)'", line) or line.partition("Command: ")[2].split(" / ")
            found.add(" / ".join(word for word in words if word not in ("vtysh", "-c", "configure terminal")))
        elif "could not find prefix-set" in line:
            found.add(line[line.index("could not find") :])
    return sorted(found)


def lines(text: str) -> list[str]:
    """A running configuration as comparable lines: each with the sections it stands in, sorted.

    Rows of one table come in the order in which the database finds them, so their order means nothing.
    """
    found: list[str] = []
    section: list[str] = []
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if line == "exit-address-family" or line == "exit-vni":
            section = section[:1]
        elif line in _CLOSERS:
            section = [] if not raw.startswith(" ") else section
        elif line and not line.startswith(_NOISE):
            opens = line.startswith(_OPENERS) and not raw.startswith(" ")
            inner = (
                bool(section) and raw.startswith(" ") and line.startswith(_INNER) and section[0].startswith("router")
            )
            if opens or inner:
                section = [line] if opens else [section[0], line]
                found.append(" / ".join(section))
            else:
                found.append(" / ".join([*section, line]))
    return sorted(found)
