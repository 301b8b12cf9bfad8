# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is known about cables in use: what neighbours said, which links follow, what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: What can be said about a cable, or about a link that no cable explains.
MATCHED, MISSING, SWAPPED, WRONG_PORT, UNEXPECTED, UNKNOWN = (
    "matched",
    "missing",
    "swapped",
    "wrong_port",
    "unexpected",
    "unknown",
)
#: Defects, the ones that explain most first.
DEFECTS = (SWAPPED, WRONG_PORT, MISSING, UNEXPECTED)


class End(NamedTuple):
    """One end of a link: a device and the name of its port as the device model has it."""

    device: str
    port: str

    def __str__(self) -> str:
        return f"{self.device}/{self.port}" if self.port else self.device


@dataclass(frozen=True)
class Neighbor:
    """What one port heard (IEEE 802.1AB), in the neighbour's own words.

    :param port: the local port.
    :param peer: system name; may be empty.
    :param peer_ports: everything that may name the neighbour's port: port id, interface name, description.
    :param chassis: chassis id, usually a MAC address.
    :param addresses: management addresses.
    :param age: seconds since the neighbour was first heard; the youngest is what is plugged in now.
    """

    port: str
    peer: str = ""
    peer_ports: tuple[str, ...] = ()
    chassis: str = ""
    addresses: tuple[str, ...] = ()
    age: float = 0.0


@dataclass(frozen=True)
class Observation:
    """What a device said about all its ports.

    :param reason: why it could not be asked; empty when it answered.
    """

    neighbors: tuple[Neighbor, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Seen:
    """A link that exists: both ends, and the devices that saw it.

    :param stranger: the far end is no device of the landscape; ``far`` then says what it calls itself.
    """

    near: End
    far: End
    seen_by: tuple[str, ...]
    stranger: bool = False

    @property
    def ends(self) -> frozenset[End]:
        """Both ends, in no order."""
        return frozenset((self.near, self.far))


@dataclass(frozen=True)
class Result:
    """One cable, or one link without a cable (or two cables that were exchanged).

    :param kind: one of the words at the top of this file.
    :param cables: the cables it is about, each as its two ends; empty for an unexpected link.
    :param seen: the links that were seen instead.
    :param advice: what a technician does about it.
    :param device: the device to go to.
    """

    kind: str
    cables: tuple[tuple[End, End], ...] = ()
    seen: tuple[Seen, ...] = ()
    message: str = ""
    advice: str = ""
    device: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "cables": [{"a": str(near), "b": str(far)} for near, far in self.cables],
            "seen": [{"a": str(link.near), "b": str(link.far), "seen_by": list(link.seen_by)} for link in self.seen],
            "message": self.message,
        }
        if self.advice:
            data.update(advice=self.advice, device=self.device)
        return data


@dataclass(frozen=True)
class Comparison:
    """All results, in natural order of the cables.

    :param not_asked: devices that could not be asked, with the reason.
    :param silent: number of cables that LLDP says nothing about (management controllers, devices of others, not in use).
    """

    results: tuple[Result, ...] = ()
    not_asked: Mapping[str, str] = field(default_factory=dict)
    silent: int = 0

    def of(self, *kinds: str) -> tuple[Result, ...]:
        """Results of some kinds."""
        return tuple(result for result in self.results if result.kind in kinds)

    @property
    def counts(self) -> dict[str, int]:
        """Number of results by kind; a swap counts once."""
        kinds = (MATCHED, *DEFECTS, UNKNOWN)
        return {kind: sum(result.kind == kind for result in self.results) for kind in kinds}
