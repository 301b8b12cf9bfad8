# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about what follows from the index of a device, and about what is written instead."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ..derive import ResolvedDevice
from ..finding import Finding
from ..schemes import SchemeError, address_v4, address_v6, asn_of
from .index import Index, grouped
from .registry import Rule, rule


@rule(
    "A05",
    "warning",
    "Derived value overridden without need or reason",
    why="The next reader cannot tell an exception from a typing error.",
    source="What follows from the index is not written",
    hint="remove the value, or say in override_reason why it differs",
)
def overridden(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        own = device.device
        written = False
        for field, derived in _derived(device, index):
            stated = getattr(own, field)
            if not stated or not derived:
                continue
            written = True
            if stated == derived:
                message = f"{field} {stated} is written although it follows from the landscape"
                yield rule.finding(own, field, message, found=stated, hint="remove the value")
            elif not own.override_reason:
                message = f"{field} is {stated}, {derived} would follow, and override_reason is missing"
                yield rule.finding(own, field, message, found=stated, expected=derived)
        if own.override_reason and not written and not _any_override(device):
            message = f"override_reason of {own.name} is given, but no value is overridden"
            yield rule.finding(own, "override_reason", message, hint="remove the reason, or write the value")


def _any_override(device: ResolvedDevice) -> bool:
    own = device.device
    return bool(own.oob_address or own.loopback_v4 or own.loopback_v6 or own.asn is not None or own.oob_network)


def _derived(device: ResolvedDevice, index: Index) -> Iterator[tuple[str, Any]]:
    """What would follow for each field that the device states itself."""
    own, role, network = device.device, device.role, index.loopback_network(device)
    if own.oob_network and role:
        yield "oob_network", role.oob_network
    if own.oob_address and device.oob_network and device.oob_network.v4:
        yield "oob_address", _or_nothing(address_v4, device.oob_network.v4, own.index)
    v4 = _or_nothing(address_v4, network.v4, own.index) if network and network.v4 else ""
    if own.loopback_v4:
        yield "loopback_v4", v4
    if own.loopback_v6 and network and network.v6 and network.scheme_v6 != "none" and device.loopback_v4:
        yield "loopback_v6", _or_nothing(address_v6, network.v6, network.scheme_v6, own.index, device.loopback_v4)
    scheme = index.landscape.asn_schemes.get(role.asn_scheme) if role else None
    if own.asn is not None and scheme and scheme.kind != "explicit" and device.loopback_v4:
        yield "asn", _or_nothing(asn_of, scheme.kind, scheme.prefix, device.loopback_v4)


def _or_nothing(derive: Any, *arguments: Any) -> Any:
    if arguments[-1] is None or (derive is address_v6 and arguments[2] is None):
        return ""
    try:
        return derive(*arguments)
    except SchemeError:
        return ""


#: So many others must rise before one is out of line.
_ENOUGH = 4


@rule(
    "A11",
    "info",
    "Index out of line",
    why="An index with a typing error is a valid one: the machine only gets an address that nobody looks for.",
    source="The indexes of all others of its role in the rack (at least four) rise with the rack unit",
    hint="compare it with the list of addresses",
)
def out_of_line(rule: Rule, index: Index) -> Iterator[Finding]:
    placed = [device for device in index.devices if device.device.unit is not None and device.device.index is not None]
    for devices in grouped(((device.device.rack, device.device.role), device) for device in placed).values():
        devices.sort(key=lambda device: device.device.unit)
        numbers = [device.device.index for device in devices]
        falls = [place for place in range(len(numbers) - 1) if numbers[place] >= numbers[place + 1]]
        if len(numbers) <= _ENOUGH or not falls:
            continue
        suspects = [place for place in (falls[0], falls[0] + 1) if _rises(numbers[:place] + numbers[place + 1 :])]
        if suspects:
            usual = sorted(numbers)[len(numbers) // 2]
            odd = max(suspects, key=lambda place: abs(numbers[place] - usual))
            message = f"index {numbers[odd]} breaks the order, the indexes of all others of its role rise with the unit"
            yield rule.finding(devices[odd].device, "index", message, found=numbers[odd])


def _rises(numbers: list[int]) -> bool:
    return all(low < high for low, high in zip(numbers, numbers[1:]))


@rule(
    "A12",
    "warning",
    "IPv4 and IPv6 loopback do not belong together",
    why="People read one address off the other, as the scheme of the network promises.",
    source="scheme_v6 embed-v4: the decimal octets of the IPv4 address are the last four groups",
    hint="correct the one with the typing error",
)
def unlike_loopbacks(rule: Rule, index: Index) -> Iterator[Finding]:
    embedding = [network for network in index.landscape.networks.values() if network.scheme_v6 == "embed-v4"]
    for device in index.devices:
        if not (device.device.loopback_v6 and device.loopback_v4):
            continue
        address = ipaddress.ip_address(device.loopback_v6)
        for network in embedding:
            prefix = index.prefix(network, address)
            if prefix is not None and address in prefix and network.v4:
                expected = _or_nothing(address_v6, network.v6, "embed-v4", 0, device.loopback_v4)
                if expected and expected != device.loopback_v6:
                    message = f"loopback_v6 is {device.loopback_v6}, {expected} would go with {device.loopback_v4}"
                    yield rule.finding(device.device, "loopback_v6", message, found=address, expected=expected)
