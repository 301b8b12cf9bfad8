# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The target cloud as data: what a plan must know of it. Read by :mod:`.reading`, judged by :mod:`.plan`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...openstack.flavors.model import Flavor


@dataclass(frozen=True)
class Subnet:
    """Addresses of a network.

    :param cidr: such as ``10.0.0.0/24``; ``gateway`` is empty when there is none.
    """

    id: str
    cidr: str
    gateway: str = ""
    name: str = ""

    def holds(self, address: str) -> bool:
        """Whether an address may be given to a port here."""
        net, one = ipaddress.ip_network(self.cidr, strict=False), ipaddress.ip_address(address)
        if one.version != net.version or one not in net:
            return False
        # IPv6 has no broadcast address, and the first one is an anycast address of routers (RFC 4291, 2.6.1).
        return one != net.network_address and (net.version == 6 or one != net.broadcast_address)


@dataclass(frozen=True)
class Network:
    """A network that the project can use.

    :param project: id of the project that owns it.
    :param mtu: bytes, 0 when the service does not say.
    """

    id: str
    name: str
    project: str = ""
    shared: bool = False
    mtu: int = 0
    port_security: bool = True
    subnets: tuple[Subnet, ...] = ()

    def subnet_of(self, address: str) -> Subnet | None:
        """The subnet that holds an address."""
        return next((one for one in self.subnets if one.holds(address)), None)


@dataclass(frozen=True)
class Taken:
    """A port that is there.

    :param vm: uuid of the source machine that it was made for, empty for one that is not ours.
    """

    id: str
    network: str
    mac: str
    addresses: tuple[str, ...] = ()
    vm: str = ""


@dataclass(frozen=True)
class Bound:
    """One quota.

    :param limit: ``None`` when there is none.
    """

    limit: int | None = None
    used: int = 0

    @property
    def free(self) -> int | None:
        """What is left, ``None`` without a limit."""
        return None if self.limit is None else max(0, self.limit - self.used)


@dataclass(frozen=True)
class Made:
    """What an earlier run made for one machine and is counted by the quotas already.

    :param volumes: sizes in GiB by volume type.
    """

    instances: int = 0
    ports: int = 0
    volumes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetCloud:
    """Everything a plan needs to know of a project.

    :param admin: the token may set addresses on networks that belong to others (the role ``admin``, or ``service``).
    :param groups: ids of security groups by name.
    :param servers: uuid of the source machine (empty when it is not ours) by the name of a server, one for each.
    :param quota: by name: ``instances``, ``cores``, ``ram`` (MiB), ``volumes``, ``gigabytes``, ``gigabytes_<type>``,
        ``volumes_<type>``, ``ports``.
    :param made: what is there of us, by uuid of the source machine.
    """

    project: str = ""
    admin: bool = False
    flavors: tuple[Flavor, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: tuple[Taken, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    volume_types: tuple[str, ...] = ()
    default_type: str = ""
    zones: tuple[str, ...] = ()
    servers: tuple[tuple[str, str], ...] = ()
    quota: Mapping[str, Bound] = field(default_factory=dict)
    made: Mapping[str, Made] = field(default_factory=dict)

    def may_set_address(self, network: Network) -> bool:
        """Whether the token may choose MAC and fixed IP addresses there.

        Source: ``neutron/conf/policies/port.py``, ``create_port:mac_address`` and ``create_port:fixed_ips:ip_address``:
        the owner of the network, an administrator or a service; nobody else on a shared one.
        """
        return self.admin or network.project == self.project

    def network_named(self, wanted: str) -> list[Network]:
        """The networks of that id, or else of that name."""
        return [one for one in self.networks if one.id == wanted] or [
            one for one in self.networks if one.name == wanted
        ]


def normal_mac(text: str) -> str:
    """A MAC address as Neutron writes it."""
    return text.strip().lower().replace("-", ":")


def normal_address(text: str) -> str:
    """An IP address in its shortest form; the text as it is when it is none."""
    try:
        return str(ipaddress.ip_address(text.strip().partition("/")[0].partition("%")[0]))
    except ValueError:
        return text


def usable(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those addresses that a network gave: no link-local or loopback ones, which every guest reports too."""
    found = []
    for text in addresses:
        one = normal_address(text)
        try:
            parsed = ipaddress.ip_address(one)
        except ValueError:
            continue
        if not (parsed.is_link_local or parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast):
            found.append(one)
    return tuple(dict.fromkeys(found))
