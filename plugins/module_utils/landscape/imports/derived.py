# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What tables state and the landscape derives: the index is found, and only what differs from it is written down."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..derive import ResolvedDevice, resolve
from ..model import DEVICE_SECTIONS
from .draft import Draft
from .settings import as_landscape


def settle(draft: Draft, stated: dict[str, dict[str, Any]]) -> None:
    """Gives every device its index and MAC address, and the stated values that do not follow from it.

    :param stated: by device ``oob_address``, ``oob_mac``, ``loopback_v4``, ``loopback_v6``, ``asn`` and ``origin``,
        where each of them was read.
    """
    devices = {name: device for section in DEVICE_SECTIONS for name, device in draft.section(section).items()}
    for name, facts in stated.items():
        if name in devices:
            _number(draft, devices[name], facts)
    view = resolve(as_landscape(draft.document))
    for name, facts in stated.items():
        if name in devices and name in view.devices:
            _override(devices[name], view.devices[name], facts)
            _mac(draft, name, devices[name], view.devices[name], facts)


def _number(draft: Draft, device: dict[str, Any], facts: dict[str, Any]) -> None:
    """The index: the place of the management address in its network, else that of the loopback."""
    if "index" in device:
        return
    networks = draft.section("networks")
    role = draft.section("roles").get(device["role"], {})
    address = facts.get("oob_address")
    expected = role.get("oob_network", "")
    if address:
        network = expected if _place(networks, expected, address) else _management(networks, address)
        index = _place(networks, network, address)
        if index:
            device["index"] = index
            if network != expected:
                device["oob_network"] = network
                if expected:
                    device["override_reason"] = f"Stated in {facts['origin']['oob_address']}"
            return
    loopback = facts.get("loopback_v4")
    index = _place(networks, role.get("loopback_network", ""), loopback) if loopback else None
    if index:
        device["index"] = index


def _place(networks: dict[str, Any], name: str, address: str) -> int | None:
    prefix = networks.get(name, {}).get("v4")
    if not prefix:
        return None
    network = ipaddress.IPv4Network(prefix)
    index = int(ipaddress.IPv4Address(address)) - int(network.network_address)
    return index if 0 < index <= 65534 and ipaddress.IPv4Address(address) in network else None


def _management(networks: dict[str, Any], address: str) -> str:
    """The management network that holds an address."""
    names = [name for name, network in networks.items() if network.get("purpose") == "management"]
    return next((name for name in names if _place(networks, name, address)), "")


def _override(device: dict[str, Any], resolved: ResolvedDevice, facts: dict[str, Any]) -> None:
    derived = {
        "oob_address": resolved.oob_v4,
        "loopback_v4": resolved.loopback_v4,
        "loopback_v6": resolved.loopback_v6,
        "asn": resolved.asn,
    }
    differing = [key for key in derived if key in facts and facts[key] != derived[key]]
    for key in differing:
        device[key] = facts[key]
    told = [key for key in differing if derived[key]]
    if told:
        device["override_reason"] = "Stated in " + ", ".join(sorted({facts["origin"][key] for key in told}))


def _mac(draft: Draft, name: str, device: dict[str, Any], resolved: ResolvedDevice, facts: dict[str, Any]) -> None:
    if "oob_mac" not in facts:
        return
    port = resolved.oob_port
    if not port:
        is_switch = name in draft.section("switches")
        port, use = ("eth0", "management") if is_switch else ("MGMT", "bmc")
        ports = draft.section("device_models")[device["model"]].setdefault("ports", [])
        entry = {"names": [port], "use": use, "speed": "1G", "connector": "rj45"}
        if entry not in ports:
            ports.insert(0, entry)
            draft.ledger.general(
                facts["origin"]["oob_mac"],
                f"the model {device['model']} has no management port; {port} (1G, RJ45) is assumed",
            )
    device["macs"] = {port: facts["oob_mac"]}
