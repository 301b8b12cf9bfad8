# SPDX-License-Identifier: Apache-2.0
"""What a landscape says about its switches: their CONFIG_DB and the ports of their make, from the collection's library.

As a program it prints them as JSON: for a Python without PyYAML, where Debian's reads the landscape for us.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools import apt
from ...tools.console import Unavailable
from ...tools.paths import REPO

Config = dict[str, dict[str, dict[str, Any]]]

_DEBIANS_PYTHON = "/usr/bin/python3"
#: What a switch has before anybody configures it: the rest of the tables is empty.
BARE = ("DEVICE_METADATA", "MGMT_INTERFACE", "MGMT_PORT", "PORT", "VERSIONS")


def configs(landscape: Path, names: Sequence[str], release: str) -> dict[str, Config]:
    """CONFIG_DB of switches, by name.

    :raises Unavailable: the landscape cannot be read or rendered.
    """
    if importlib.util.find_spec("yaml") is not None:
        return _render(landscape, names, release)
    apt.ensure(["python3-yaml"], "reading the landscape")
    command = [_DEBIANS_PYTHON, "-B", "-m", "tests.lab.switches.renderer", str(landscape.resolve()), release, *names]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["the landscape could not be rendered"])[-1])
    found: dict[str, Config] = json.loads(done.stdout)
    return found


def bare(config: Config) -> Config:
    """A configuration before anything was configured: what the switch is, its ports, the way to it."""
    kept = {table: rows for table, rows in config.items() if table in BARE}
    ports = {name: {**row, "admin_status": "down"} for name, row in kept.get("PORT", {}).items()}
    return {**kept, "PORT": ports} if ports else kept


def _library(name: str) -> Any:
    if str(REPO) not in sys.path:
        sys.path.insert(0, str(REPO))
    return importlib.import_module(f"plugins.module_utils.{name}")


def _render(landscape: Path, names: Sequence[str], release: str) -> dict[str, Config]:
    read, _findings = _library("landscape.client").load([str(landscape)])
    view = _library("landscape.derive").resolve(read)
    build = _library("sonic.render.build")
    rendered = build.render_all(view, build.Options(release, unmodelled=True), list(names)) if names else []
    refused = [str(issue) for one in rendered for issue in one.refused]
    if refused:
        raise Unavailable(f"{landscape} cannot be rendered: {'; '.join(refused[:3])}")
    return {one.name: one.config for one in rendered}


def routers(landscape: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """AS number and loopbacks of hosts, by name: ``asn``, ``v4``, ``v6``; empty where the landscape says nothing."""
    view = _library("landscape.derive").resolve(_library("landscape.client").load([str(landscape)])[0])
    return {
        name: {"asn": str(one.asn or ""), "v4": one.loopback_v4 or "", "v6": one.loopback_v6 or ""}
        for name, one in ((name, view.devices[name]) for name in names)
    }


def port_config(hwsku: str) -> str:
    """SONiC's port_config.ini of a make; empty for one that the project does not know."""
    known = _library("sonic.ports").known(hwsku)
    if known is None:
        return ""
    lines = ["# name lanes alias index speed"]
    for port in known.ports.values():
        lanes = ",".join(str(lane) for lane in port.lanes)
        lines.append(f"{port.name} {lanes} {port.alias} {port.index} {port.speed}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        print(json.dumps(_render(Path(sys.argv[1]), sys.argv[3:], sys.argv[2])))
    except Unavailable as error:
        sys.exit(str(error))
