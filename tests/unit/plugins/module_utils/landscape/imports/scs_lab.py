# SPDX-License-Identifier: Apache-2.0
"""The SCS lab as test data: where it lies, and how the as-documented state is made from the lab's own tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import build, emit, settings, tables
from ansible_collections.scs.landscape.plugins.module_utils.landscape.tree import plain

REPO = Path(__file__).resolve().parents[6]
FIXTURES = REPO / "tests" / "unit" / "fixtures" / "scs-lab"
EXAMPLE = REPO / "examples" / "scs-lab"
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def shared(*parts: str) -> Path:
    """A folder of the facts that lie beside the checkout; without them the test is skipped, in CI it fails."""
    told = os.environ.get("SCS_SHARED")
    places = [Path(told)] if told else [folder / "shared" for folder in REPO.parents]
    for place in places:
        if place.joinpath(*parts).is_dir():
            return place.joinpath(*parts)
    reason = f"the folder shared/{'/'.join(parts)} is not beside the checkout (SCS_SHARED names another place)"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(reason)
    pytest.skip(reason)


def document(*paths: Path) -> dict[str, Any]:
    """Landscape files as plain data, one over the other."""
    merged: dict[str, Any] = {}
    for path in paths:
        node, findings = client.parse(path.read_bytes(), str(path))
        assert not findings
        merged.update(plain(node))
    return merged


def base() -> dict[str, Any]:
    """What the lab's tables do not say."""
    return document(EXAMPLE / "landscape.yml", EXAMPLE / "models.yml", FIXTURES / "import" / "extra.yml")


def imported(folder: Path, mapping: dict[str, Any] | None = None) -> build.Imported:
    """The lab's tables, imported."""
    told = document(FIXTURES / "import" / "mapping.yml") if mapping is None else mapping
    read = [
        table
        for path in sorted(folder.glob("*.csv"))
        for table in tables.read(path.name, path.read_text(encoding="utf-8"))
    ]
    return build.from_tables(read, settings.settings(told, base(), {}))


def backups(folder: Path) -> dict[str, Any]:
    """What the saved configurations of three switches say, as observed facts."""
    devices: dict[str, Any] = {}
    routers = set()
    for path in sorted(folder.glob("*.json")):
        config = json.loads(path.read_text(encoding="utf-8"))
        facts: dict[str, Any] = {"hostname": config["DEVICE_METADATA"]["localhost"]["hostname"]}
        local_asn = config.get("BGP_GLOBALS", {}).get("default", {}).get("local_asn")
        if local_asn:
            facts["asn"] = int(local_asn)
        for key in config.get("LOOPBACK_INTERFACE", {}):
            if "|" in key:
                facts["loopback_v6" if ":" in key else "loopback_v4"] = key.split("|")[1].split("/")[0]
        for key, value in config["MGMT_INTERFACE"].items():
            facts["oob_address"] = key.split("|")[1].split("/")[0]
            routers.add(value["gwaddr"])
        vlans = sorted(int(entry["vlanid"]) for entry in config.get("VLAN", {}).values())
        if vlans:
            facts["vlans"] = vlans
        devices[path.stem] = {**facts, "origin": f"config_db/{path.name}"}
    (router,) = routers
    networks = {"mgmt": {"router_v4": router, "origin": "config_db/*.json, MGMT_INTERFACE gwaddr"}}
    return {"title": "Backups of switch configurations", "devices": devices, "networks": networks}


def as_documented() -> dict[str, str]:
    """The files of the as-documented state, made anew from the lab's tables and backups."""
    result = imported(shared("scs-lab"))
    files = {f"landscape/{name}": text for name, text in emit.files(result.document, [LICENCE]).items()}
    for table, facts in result.observed.items():
        files[f"observed/{Path(table).stem}.yml"] = emit.data(facts, [LICENCE])
    files["observed/switch-backups.yml"] = emit.data(backups(shared("sonic", "config_db")), [LICENCE])
    return files


def observed_of_example() -> dict[str, str]:
    """The observed facts of examples/scs-lab: the lab's running inventory and its backups, unchanged."""
    mapping = {"tables": {"groups.csv": {"into": ["observed"]}}}
    result = imported(shared("scs-lab"), mapping)
    files = {
        f"{Path(table).stem}.yml": emit.data(result.observed[table], [LICENCE])
        for table in ("host_vars.csv", "host_uplinks.csv", "groups.csv")
    }
    files["switch-backups.yml"] = emit.data(backups(shared("sonic", "config_db")), [LICENCE])
    return files
