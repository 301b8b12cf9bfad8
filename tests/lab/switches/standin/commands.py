# SPDX-License-Identifier: Apache-2.0
"""Commands of a switch as far as the lab has a use for them: ``config``, ``show``, ``sonic-cfggen``, ``sonic-db-cli``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import database, rows
from .resp import CONFIG, SOCKET, Connection, Refused

_NUMBERS = {"APPL_DB": 0, "ASIC_DB": 1, "COUNTERS_DB": 2, "CONFIG_DB": 4, "STATE_DB": 6}
#: In the order of their start.
_SERVICES = ("swss", "bgp")
_UPDATER = ("apply-patch", "replace", "checkpoint", "rollback", "delete-checkpoint", "list-checkpoints")
_VERSION = Path("/etc/sonic/sonic_version.yml")


def main() -> int:
    """Runs the command that this program is called by."""
    name = Path(sys.argv[0]).name
    words = sys.argv[1:]
    try:
        return {"config": config, "show": show, "sonic-cfggen": cfggen, "sonic-db-cli": db_cli}[name](words)
    except (OSError, Refused, ValueError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1


def config(words: Sequence[str]) -> int:
    """``config save|load|reload``; the updater of SONiC is not there and says so."""
    if os.geteuid() != 0:
        print("Root privileges are required for this operation", file=sys.stderr)
        return 1
    verb = words[0] if words else ""
    names = [word for word in words[1:] if not word.startswith("-")]
    sure = {"-y", "--yes"} & set(words)
    if verb in _UPDATER:
        print(f"config {verb}: SONiC's generic updater is not part of this switch of the lab", file=sys.stderr)
        return 1
    if verb not in ("save", "load", "reload"):
        print(f'Error: No such command "{verb}" on this switch of the lab.', file=sys.stderr)
        return 2
    if not sure:
        print("Aborted!", file=sys.stderr)  # nobody is there to answer
        return 1
    path = names[0] if names else rows.SAVED
    if verb == "save":
        print(f"Running command: /usr/local/bin/sonic-cfggen -d --print-data > {path}", flush=True)
        rows.save(_printed(rows.running()), path)
        return 0
    found = rows.load(path)  # before anything is stopped
    connection = Connection(CONFIG)
    if verb == "load":
        print(f"Running command: /usr/local/bin/sonic-cfggen -j {path} --write-to-db", flush=True)
        rows.write(connection, found)
        return 0
    print("Stopping SONiC target ...", flush=True)
    _services("stop")
    print(f"Running command: /usr/local/bin/sonic-cfggen -j {path} --write-to-db", flush=True)
    database.fill(connection, found)
    print("Restarting SONiC target ...", flush=True)
    _services("reset-failed")
    _services("start")
    return 0


def _printed(found: rows.Config) -> rows.Config:
    """What runs as ``sonic-cfggen`` prints it: it splits the text of a list at commas, so an empty one has one empty item."""
    return {
        table: {
            key: {name: [""] if value == [] else value for name, value in row.items()} for key, row in content.items()
        }
        for table, content in found.items()
    }


def _services(verb: str) -> None:
    names = reversed(_SERVICES) if verb == "stop" else _SERVICES
    subprocess.run(["systemctl", verb, *names], check=verb != "reset-failed", timeout=300)


def show(words: Sequence[str]) -> int:
    """``show version`` and ``show runningconfiguration all``."""
    if list(words[:1]) == ["version"]:
        said = dict(line.split(": ", 1) for line in _VERSION.read_text(encoding="utf-8").splitlines() if ": " in line)
        metadata = rows.running().get("DEVICE_METADATA", {}).get("localhost", {})
        print(f"\nSONiC Software Version: SONiC.{said.get('build_version', '').strip(chr(39))}")
        print(f"Build date: {said.get('build_date', '').strip(chr(39))}")
        print(f"\nPlatform: {metadata.get('platform', '')}\nHwSKU: {metadata.get('hwsku', '')}\nASIC: vs")
        return 0
    if list(words[:2]) == ["runningconfiguration", "all"]:
        print(rows.text(_printed(rows.running())), end="")
        return 0
    print(f'Error: No such command "{" ".join(words)}" on this switch of the lab.', file=sys.stderr)
    return 2


def cfggen(words: Sequence[str]) -> int:
    """``sonic-cfggen -d --print-data``, ``-d -v TABLE['key']...`` is not there, ``-j FILE --write-to-db``."""
    if "--write-to-db" in words and "-j" in words:
        rows.write(Connection(CONFIG), rows.load(words[list(words).index("-j") + 1]))
        return 0
    if "--print-data" in words and {"-d", "-j"} & set(words):
        data = _printed(rows.running()) if "-d" in words else rows.load(words[list(words).index("-j") + 1])
        print(rows.text(data), end="")
        return 0
    print("sonic-cfggen: this switch of the lab knows -d|-j FILE --print-data, -j FILE --write-to-db", file=sys.stderr)
    return 2


def db_cli(words: Sequence[str]) -> int:
    """``sonic-db-cli DB_NAME COMMAND...``"""
    if not words or words[0] not in _NUMBERS:
        print(f"Usage: sonic-db-cli <{'|'.join(_NUMBERS)}> <command>", file=sys.stderr)
        return 1
    answer = Connection(_NUMBERS[words[0]], SOCKET).call(*(words[1:] or ["PING"]))
    print(_shown(answer, words[1:]))
    return 0


def _shown(answer: Any, words: Sequence[str]) -> str:
    if words and words[0].upper() == "HGETALL":
        pairs = dict(zip(answer[::2], answer[1::2], strict=True))
        return str(pairs)
    if isinstance(answer, list):
        return "\n".join(str(item) for item in answer)
    if isinstance(answer, bool | int | str):
        return str(answer)
    return "" if answer is None else json.dumps(answer)


if __name__ == "__main__":
    sys.exit(main())
