# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Entries of a hosts file from the addresses of a landscape. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Addresses:
    """What is known of a host: loopback addresses and the management address, empty where there is none."""

    name: str
    loopbacks: Sequence[str]
    oob: str = ""


def entries(hosts: Sequence[Addresses], domain: str = "", oob_suffix: str = "-oob") -> list[dict[str, Any]]:
    """One entry an address: ``address`` and ``names``; loopbacks carry the plain name where there are any."""
    pairs: list[tuple[str, str]] = []
    for host in hosts:
        pairs += [(address, host.name) for address in host.loopbacks]
        if host.oob and (oob_suffix or not host.loopbacks):
            pairs.append((host.oob, host.name + (oob_suffix if host.loopbacks else "")))
    # A loopback may be written with its prefix length.
    return [{"address": address.partition("/")[0], "names": _names(name, domain)} for address, name in pairs]


def _names(name: str, domain: str) -> list[str]:
    return [f"{name}.{domain}", name] if domain else [name]
