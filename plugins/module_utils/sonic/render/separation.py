# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who may hear of whom: environments as prefixes, and the filters between a switch and the devices on its ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ...landscape.derive import View
from ...landscape.model import Environment, Network
from .model import Rows
from .names import policy_name
from .policy import Prefix, Statement, route_map

#: Networks that are never announced to hosts by name: they are no place anybody routes to over the fabric.
_NOT_ANNOUNCED = ("management", "transfer")
DEFAULT_ROUTES = (Prefix("0.0.0.0/0"), Prefix("::/0"))


def separated(view: View) -> bool:
    """Whether any environment asks for filters."""
    return any(environment.separated for environment in view.landscape.environments.values())


def of_network(network: Network) -> list[Prefix]:
    """A network and everything inside it."""
    return [Prefix(text, longer=True) for text in (network.v4, network.v6) if text]


def own(view: View, name: str) -> list[Prefix]:
    """The prefixes of an environment: its networks, and the loopbacks of its hosts where their network is not its own."""
    networks = view.landscape.networks.values()
    found = [
        prefix
        for network in networks
        if network.environment == name and network.purpose not in _NOT_ANNOUNCED
        for prefix in of_network(network)
    ]
    covering = [prefix.network for prefix in found]
    loopbacks = [
        address
        for device in view.devices.values()
        if device.device.environment == name and device.device.section == "hosts"
        for address in (device.loopback_v4, device.loopback_v6)
        if address and not _covered(address, covering)
    ]
    found.extend(Prefix(str(ipaddress.ip_network(address))) for address in loopbacks)
    return sorted(set(found))


def _covered(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in networks)


def reached(view: View, environment: Environment) -> list[Prefix]:
    """What an environment reaches beside its own."""
    found: list[Prefix] = []
    for reach in environment.reaches:
        if reach.networks:
            named = (view.landscape.networks.get(name) for name in reach.networks)
            found += [prefix for network in named if network for prefix in of_network(network)]
        else:
            found += own(view, reach.environment)
    return sorted(set(found))


def hidden(view: View, environment: Environment) -> list[Prefix]:
    """The prefixes of all other separated environments."""
    return sorted(
        {
            prefix
            for other in view.landscape.environments.values()
            if other.separated and other.name != environment.name
            for prefix in own(view, other.name)
        }
    )


def numbers(view: View) -> dict[int, set[str]]:
    """Every VNI, and the environments it belongs to: none for one that is everybody's."""
    found: dict[int, set[str]] = {}
    networks = view.landscape.networks.values()
    for network in networks:
        if network.vni:
            found.setdefault(network.vni, set()).update({network.environment} - {""})
    for instance in view.landscape.vrfs.values():
        if instance.vni:
            owners = {each.name for each in view.landscape.environments.values() if each.vrf == instance.name}
            owners |= {each.environment for each in networks if each.vrf == instance.name} - {""}
            found.setdefault(instance.vni, set()).update(owners)
    return found


def overlay(view: View, environment: Environment) -> tuple[list[int], list[int]]:
    """The VNIs that devices of an environment may hear of, and those they may not."""
    separate = {each.name for each in view.landscape.environments.values() if each.separated}
    may: list[int] = []
    must_not: list[int] = []
    for number, owners in sorted(numbers(view).items()):
        open_to_all = not environment.separated and not owners & separate
        (may if environment.name in owners or open_to_all else must_not).append(number)
    return may, must_not


def filters(rows: Rows, view: View, environment: Environment) -> tuple[str, str]:
    """The route maps for routes from and to the devices of an environment."""
    name = environment.name
    mine = Statement("permit", policy_name("OWN", name), own(view, name))
    theirs = Statement("permit", policy_name("REACH", name), reached(view, environment))
    others = Statement("deny", policy_name("HIDDEN", name), hidden(view, environment))
    default = Statement("permit", "DEFAULT", DEFAULT_ROUTES if environment.default_route else ())
    everything = Statement("permit")
    if environment.separated:
        coming, going = [mine], [mine, theirs, default]
    else:
        coming, going = [mine, others, everything], [mine, theirs, others, everything]
    return (
        route_map(rows, policy_name("FROM", name), coming),
        route_map(rows, policy_name("TO", name), going),
    )
