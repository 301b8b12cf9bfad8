# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a running switch is, as facts without secrets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import masking, model
from . import expect
from .changing import Seen

#: What can be asked for besides the configuration, and what of it the switch has to look at.
SUBSETS: Mapping[str, tuple[str, ...]] = {
    "bgp": ("bgp",),
    "evpn": ("evpn",),
    "frr": ("frr",),
    "lldp": ("lldp",),
    "ports": ("ports", "addresses"),
    "services": ("services",),
}


def include(subsets: Iterable[str]) -> list[str]:
    """What the switch is asked to look at; ``all`` is everything."""
    wanted = set(subsets)
    if "all" in wanted:
        wanted = set(SUBSETS)
    return sorted({"machine", *(name for subset in wanted for name in SUBSETS.get(subset, ()))})


def facts(seen: Seen, ignore: Iterable[str]) -> dict[str, Any]:
    """What a switch said, in the shape that is returned."""
    answer, config = seen.answer, seen.config
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    machine = answer.get("machine") or {}
    differing = expect.unsaved(config, seen.saved, ignore)
    found: dict[str, Any] = {
        "hostname": model.hostname_of(config),
        "release": seen.release,
        "build": seen.build,
        "asic": str(answer["version"].get("asic_type", "")),
        "platform": str(metadata.get("platform") or machine.get("onie_platform") or machine.get("platform") or ""),
        "hwsku": str(metadata.get("hwsku", "")),
        "dialect": model.dialect_of(config),
        "config": masking.config(config),
        "digest": seen.digest,
        "saved_equals_running": not differing,
        "unsaved": differing,
        "checkpoints": answer["checkpoints"],
        "pending": {name: value for name, value in answer["pending"].items() if name != "token"},
        "lock": answer["lock"],
    }
    for name, make in _MAKERS.items():
        if all(part in answer for part in SUBSETS[name]):
            found[name] = make(answer, config)
    return found


def _bgp(answer: Mapping[str, Any], _config: model.ConfigDb) -> list[dict[str, str]]:
    return [
        {"vrf": vrf, "neighbor": peer, "state": state}
        for (vrf, peer), state in sorted(expect.sessions(answer["bgp"]).items())
    ]


def vnis(answer: Any) -> dict[str, str]:
    """The VNIs that FRR knows, with their kind (``L2``, ``L3``)."""
    found = {}
    for name, value in answer.items() if isinstance(answer, Mapping) else ():
        if isinstance(value, Mapping) and str(name).isdecimal():
            found[str(name)] = str(value.get("type", ""))
    return found


def _lldp(answer: Mapping[str, Any], _config: model.ConfigDb) -> dict[str, dict[str, str]]:
    heard = expect.neighbours(answer["lldp"])
    return {port: {"system": system, "port": other} for port, (system, other) in sorted(heard.items())}


def _ports(answer: Mapping[str, Any], config: model.ConfigDb) -> dict[str, dict[str, Any]]:
    state = answer["ports"] if isinstance(answer["ports"], Mapping) else {}
    devices = {one.get("ifname"): one for one in answer["addresses"]} if isinstance(answer["addresses"], list) else {}
    found = {}
    for name, row in config.get("PORT", {}).items():
        said, device = state.get(name), devices.get(name, {})
        oper = said.get("netdev_oper_status") if isinstance(said, Mapping) else None
        found[name] = {
            "alias": row.get("alias", name),
            "lanes": model.values(row.get("lanes")),
            "speed": row.get("speed", ""),
            "mtu": row.get("mtu", ""),
            "admin": row.get("admin_status", "down"),
            "oper": str(oper or str(device.get("operstate", "")).lower()),
            "supported_speeds": model.values(said.get("supported_speeds")) if isinstance(said, Mapping) else [],
        }
    return found


def _frr(answer: Mapping[str, Any], _config: model.ConfigDb) -> list[str]:
    indented = [(raw[: len(raw) - len(raw.lstrip())], raw.strip()) for raw in str(answer["frr"]).splitlines()]
    return [lead + expect.line(text) for lead, text in indented]


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], model.ConfigDb], Any]] = {
    "bgp": _bgp,
    "evpn": lambda answer, _config: vnis(answer["evpn"]),
    "frr": _frr,
    "lldp": _lldp,
    "ports": _ports,
    "services": lambda answer, _config: answer["services"],
}
