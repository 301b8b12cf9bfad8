# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Prometheus targets (file_sd): node exporters, management addresses to ping, switches to ask by SNMP."""

from __future__ import annotations

import json
from typing import Any, Callable

from ..derive import ResolvedDevice, View
from ..inventory import is_switch, site_of
from .options import RenderOptions, devices

FOLDER = "prometheus_sd"


def files(view: View, options: RenderOptions) -> dict[str, str]:
    """``prometheus_sd/node.json`` (hosts that have a loopback), ``ping.json`` (blackbox exporter, module ``icmp``, on every
    management address) and ``snmp.json`` (SNMP exporter, on switches).

    Every target carries the labels ``host``, ``site``, ``rack``, ``unit``, ``role``, ``environment`` and ``model``. The format
    has no comments: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
    """
    chosen = devices(view, options)
    servers = [resolved for resolved in chosen if not is_switch(view, resolved.name)]
    switches = [resolved for resolved in chosen if is_switch(view, resolved.name)]
    return {
        f"{FOLDER}/node.json": _document(
            view,
            servers,
            lambda resolved: f"{resolved.loopback_v4}:{options.node_port}" if resolved.loopback_v4 else "",
        ),
        f"{FOLDER}/ping.json": _document(view, chosen, lambda resolved: resolved.oob_v4),
        f"{FOLDER}/snmp.json": _document(view, switches, lambda resolved: resolved.oob_v4),
    }


def _document(view: View, chosen: list[ResolvedDevice], target: Callable[[ResolvedDevice], str]) -> str:
    entries = [
        {"targets": [target(resolved)], "labels": labels(view, resolved)} for resolved in chosen if target(resolved)
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def labels(view: View, resolved: ResolvedDevice) -> dict[str, str]:
    """Where and what a target is; unknown values are left out (Prometheus drops empty labels)."""
    device = resolved.device
    found: dict[str, Any] = {
        "host": device.name,
        "site": site_of(view, resolved),
        "rack": device.rack,
        "unit": device.unit,
        "role": device.role,
        "environment": device.environment,
        "model": device.model,
    }
    return {name: str(value) for name, value in found.items() if value not in ("", None)}
