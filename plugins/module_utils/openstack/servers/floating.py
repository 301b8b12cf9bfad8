# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Floating addresses of ports: never taken from somebody who has them now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Address:
    """A floating address that a port had.

    :param there: its id, empty when it was released.
    """

    captured: Mapping[str, Any]
    there: str = ""

    @property
    def address(self) -> str:
        """As people know it."""
        return str(self.captured["address"])


def of(floating: Iterable[Mapping[str, Any]], address: str) -> Mapping[str, Any] | None:
    """A floating address of Neutron by its address; nothing when the project does not have it."""
    return next((one for one in floating if one.get("floating_ip_address") == address), None)


def planned(
    port: Mapping[str, Any],
    mine: Iterable[str],
    floating: Sequence[Mapping[str, Any]],
    ports: Iterable[Mapping[str, Any]],
    problems: list[str],
) -> tuple[Address, ...]:
    """What a port gets back; an address that another one has now is a problem.

    :param port: of a manifest.
    :param mine: ids of ports that stand for it.
    """
    servers = {str(one["id"]): str(one.get("device_id") or "") for one in ports}
    ours, found = {"", *mine}, []
    for wanted in port.get("floating_ips") or ():
        there = of(floating, str(wanted["address"]))
        user = str(there.get("port_id") or "") if there else ""
        if user not in ours:
            owner = f" of server {servers[user]}" if servers.get(user) else ""
            problems.append(f"floating address {wanted['address']} is in use by port {user}{owner}")
        found.append(Address(wanted, str(there["id"]) if there else ""))
    return tuple(found)
