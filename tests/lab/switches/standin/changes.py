# SPDX-License-Identifier: Apache-2.0
"""A row as it is against what was applied of it, and what was made in FRR for a VRF."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from .rows import Row


@dataclass
class Change:
    """A row as it is now, against what was applied of it; ``gone`` when there is none any more."""

    table: str
    key: str
    new: Row
    old: Row
    gone: bool = False

    def added(self, name: str) -> bool:
        """Whether a field is new."""
        return name in self.new and name not in self.old

    def removed(self, name: str) -> bool:
        """Whether a field was there."""
        return name in self.old and name not in self.new


@dataclass
class Vrf:
    """What was made in FRR for a VRF."""

    asn: str = ""
    groups: set[str] = field(default_factory=set)
    interfaces: set[str] = field(default_factory=set)


def family_of(name: str) -> str:
    """The command for an address family by its name in a key."""
    return f"address-family {name.lower().replace('_', ' ')}"


def is_address(name: str) -> bool:
    """Whether a neighbour is named by its address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
