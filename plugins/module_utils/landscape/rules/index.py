# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What several rules look up in a landscape, computed once."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from ..decode import nearest
from ..derive import ResolvedDevice, View, expand_all
from ..model import Cable, Device, External, Item, Landscape, Network
from ..names import split_endpoint
from ..observed import Observed

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Prefix = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
#: So many names are compared with misspelt ones before hints are left out.
MAX_COMPARISONS = 10_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Held:
    """An address somebody holds: a device (derived or written) or the router of a network."""

    owner: Item
    field: str
    address: Address
    network: Network | None

    @property
    def vrf(self) -> str:
        """The routing instance; two of them may hold the same address."""
        return self.network.vrf if self.network else ""


@dataclass(frozen=True)
class End:
    """One end of a cable: what is written, and what it stands for."""

    cable: Cable
    field: str
    device: str
    port: str


class Index:
    """Look-ups over a view and the facts observed about it. Everything is computed when first asked for."""

    def __init__(self, view: View, observed: Sequence[Observed] = ()) -> None:
        self.view = view
        self.landscape: Landscape = view.landscape
        self.observed = tuple(observed)
        self._comparisons = MAX_COMPARISONS
        self._ports: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """A hint naming the nearest known word; empty when none is near, or when so many were looked for already.

        One comparison takes some 100 microseconds. The first misspelt names get their hint, a landscape in which all
        names are wrong does not keep people waiting.
        """
        names = list(known)
        if len(names) > self._comparisons:
            return ""
        self._comparisons -= len(names)
        return nearest(word, names)

    def ports(self, name: str) -> Mapping[str, str]:
        """The ports of a device or of a foreign device by name, each with its alias; nothing when they are not known."""
        return self._of_model(name)[0]

    def other_spellings(self, name: str) -> Mapping[str, str]:
        """Names of the same ports by what people write instead: an alias, another case. The keys are lower case."""
        return self._of_model(name)[1]

    def _of_model(self, name: str) -> tuple[dict[str, str], dict[str, str]]:
        device = self.view.devices.get(name)
        # Devices of one model share their ports.
        key = f"model {device.device.model}" if device else f"foreign {name}"
        if device and device.device.breakout:
            key = f"device {name}"
        if key not in self._ports:
            external = self.landscape.externals.get(name)
            if device:
                ports = {port.name: port.alias for port in device.ports.values()}
            else:
                ports = dict.fromkeys(expand_all(external.ports), "") if external else {}
            other = {alias.lower(): port for port, alias in ports.items() if alias}
            self._ports[key] = (ports, {**{port.lower(): port for port in ports}, **other})
        return self._ports[key]

    @property
    def devices(self) -> Iterable[ResolvedDevice]:
        """All devices in the order of the landscape."""
        return self.view.devices.values()

    @functools.cached_property
    def active(self) -> list[ResolvedDevice]:
        """Devices that are there and in use."""
        return [device for device in self.devices if device.device.state == "active"]

    @functools.cached_property
    def ends(self) -> list[End]:
        """Both ends of every cable; an end that could not be read is left out."""
        found = []
        for cable in self.landscape.cables:
            for field, endpoint in (("a", cable.a), ("b", cable.b)):
                if endpoint:
                    found.append(End(cable, field, *split_endpoint(endpoint)))
        return found

    @functools.cached_property
    def prefixes(self) -> dict[str, tuple[ipaddress.IPv4Network | None, ipaddress.IPv6Network | None]]:
        """The prefixes of every network, ready for arithmetic."""
        return {
            name: (
                ipaddress.IPv4Network(network.v4) if network.v4 else None,
                ipaddress.IPv6Network(network.v6) if network.v6 else None,
            )
            for name, network in self.landscape.networks.items()
        }

    def prefix(self, network: Network, address: Address) -> Prefix | None:
        """The prefix of the network in the family of the address."""
        v4, v6 = self.prefixes[network.name]
        return v4 if address.version == 4 else v6

    @functools.cached_property
    def routers(self) -> list[Held]:
        """The router addresses of all networks."""
        return [
            Held(network, field, ipaddress.ip_address(getattr(network, field)), network)
            for network in self.landscape.networks.values()
            for field in ("router_v4", "router_v6")
            if getattr(network, field)
        ]

    @functools.cached_property
    def addresses(self) -> list[Held]:
        """The addresses of all devices, derived or written."""
        found = []
        for device in self.devices:
            for field, text, network in (
                ("oob_address", device.oob_v4, device.oob_network),
                ("loopback_v4", device.loopback_v4, self.loopback_network(device)),
                ("loopback_v6", device.loopback_v6, self.loopback_network(device)),
            ):
                if text:
                    found.append(Held(device.device, field, ipaddress.ip_address(text), network))
        return found

    def loopback_network(self, device: ResolvedDevice) -> Network | None:
        """The network that the role of a device takes its loopbacks from."""
        return self.landscape.networks.get(device.role.loopback_network) if device.role else None

    def far_end(self, name: str) -> Device | External | None:
        """The device, or the foreign device, of this name."""
        resolved = self.view.devices.get(name)
        return resolved.device if resolved else self.landscape.externals.get(name)

    @functools.cached_property
    def known_ends(self) -> list[str]:
        """Names that a cable may end in."""
        return [*self.view.devices, *self.landscape.externals]

    @functools.cached_property
    def used(self) -> set[tuple[str, str]]:
        """Devices' ports with a cable that carries traffic."""
        return {(end.device, end.port) for end in self.ends if end.cable.state == "active"}

    def device(self, name: str) -> ResolvedDevice | None:
        """A device by name."""
        return self.view.devices.get(name)

    @functools.cached_property
    def redundancy(self) -> dict[str, list[str]]:
        """Redundancy groups by member."""
        return grouped(
            (member, group.name) for group in self.landscape.redundancy_groups.values() for member in group.members
        )


def refused(item: Item, field: str) -> bool:
    """Whether a field is written, but its value was refused: that it is missing has then been said already."""
    return field in item.source.lines and not getattr(item, field)


def grouped(pairs: Iterable[tuple[_Key, _Value]]) -> dict[_Key, list[_Value]]:
    """Values by key, both in the order of their appearance."""
    found: dict[_Key, list[_Value]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def repeats(pairs: Iterable[tuple[_Key, _Value]]) -> Iterator[tuple[_Key, _Value, _Value]]:
    """Every repetition of a key: the key, its first value, the value that came later."""
    first: dict[_Key, _Value] = {}
    for key, value in pairs:
        if key in first:
            yield key, first[key], value
        else:
            first[key] = value


def words(names: Iterable[Any]) -> str:
    """A list for a sentence: ``a, b and c``."""
    texts = [str(name) for name in names]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else "nothing"


def squeezed(name: str) -> str:
    """A name without case and separators, for comparing spellings of different sources."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
