# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the modules for servers tell. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core import files
from ...core.errors import LandscapeError
from ...core.plan import Plan
from . import model


@dataclass
class Captured:
    """What came of reading some servers.

    :param user_data: by server, as Nova keeps it.
    :param failed: servers and why they could not be read.
    """

    manifests: list[dict[str, Any]] = field(default_factory=list)
    user_data: dict[str, str] = field(default_factory=dict)
    failed: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)


def captured(outcomes: Iterable[Any], user_data: bool) -> Captured:
    """The manifests of what was seen.

    :param user_data: whether user data may be written down.
    """
    found = Captured()
    for outcome in outcomes:
        if outcome.error is not None:
            found.failed.append((outcome.item, str(outcome.error)))
            continue
        try:
            manifest = model.manifest_of(outcome.value)
        except LandscapeError as error:
            found.failed.append((outcome.item, str(error)))
            continue
        found.manifests.append(manifest)
        data = outcome.item.get("OS-EXT-SRV-ATTR:user_data")
        if data and user_data:
            found.user_data[manifest["id"]] = str(data)
        elif data:
            manifest["omitted"].append("user_data: not asked for")
    return found


def capture_values(found: Captured, plan: Plan, folder: str, check_mode: bool) -> dict[str, Any]:
    """What ``server_capture`` returns."""
    changed = {step.object for step in plan.steps}
    servers = []
    for manifest in found.manifests:
        path = os.path.join(folder, model.file_name(manifest))
        data = os.path.join(folder, model.file_name(manifest, "user_data"))
        entry = {name: manifest[name] for name in ("id", "name", "project")}
        digest = files.digest(model.dump(manifest))
        status = "captured" if {path, data} & changed else "unchanged"
        servers.append({**entry, "path": path, "sha256": digest, "status": status, "message": ""})
        if check_mode:
            servers[-1]["predicted"] = True
    for server, why in found.failed:
        entry = {"id": server["id"], "name": server.get("name"), "project": server.get("tenant_id")}
        servers.append({**entry, "path": "", "sha256": "", "status": "failed", "message": why})
    omitted = [{"server": one["id"], "what": what} for one in found.manifests for what in one["omitted"]]
    return {"servers": servers, "omitted": omitted}


def capture_failure(found: Captured) -> str:
    """What the task fails with; empty when every server was read."""
    if not found.failed:
        return ""
    lines = "\n".join(f"{server.get('name')} ({server['id']}): {why}" for server, why in found.failed)
    return f"{len(found.failed)} servers could not be read:\n{lines}"
