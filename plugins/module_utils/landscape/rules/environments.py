# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about environments: what lives and falls together, and where it may touch something else."""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from .index import Index
from .registry import Rule, rule


def joined(one: str, other: str, index: Index) -> bool:
    """Whether cables may lead from one environment to the other; one of them saying so is enough."""
    if one == other:
        return True
    known = index.landscape.environments
    first, second = known.get(one), known.get(other)
    return bool((first and other in first.connects_to) or (second and one in second.connects_to))


@rule(
    "E01",
    "error",
    "Cable into an environment that is not meant to be reached",
    why="What is done to one environment hits the other; a test can take production down.",
    source="Environments and their connects_to",
    hint="correct the cable or the environment of the device, or add connects_to",
)
def crossing(rule: Rule, index: Index) -> Iterator[Finding]:
    of_device = {device.name: device.device.environment for device in index.devices}
    known = index.landscape.environments
    for cable in index.landscape.cables:
        a, b = of_device.get(cable.a.partition("/")[0], ""), of_device.get(cable.b.partition("/")[0], "")
        if a in known and b in known and not joined(a, b, index):
            message = f"the cable leads from environment {a} to {b}, and neither names the other in connects_to"
            yield rule.finding(cable, "", message, found=b, expected=a)


@rule(
    "E02",
    "error",
    "Address from another environment's network",
    why="The device stands in one environment and is reached through the network of another.",
    source="Environment of the network",
    hint="correct the environment of the device or of the network; leave it out for a network that several share",
)
def network_elsewhere(rule: Rule, index: Index) -> Iterator[Finding]:
    for held in index.addresses:
        device = index.view.devices[held.owner.name].device
        theirs = held.network.environment if held.network else ""
        if theirs and theirs != device.environment and held.field != "loopback_v6":
            message = f"{held.field} comes from a network of environment {theirs}, not {device.environment}"
            yield rule.finding(device, "environment", message, found=device.environment, expected=theirs)


@rule(
    "E03",
    "info",
    "Environments may be joined, but no cable does",
    why="A permission that nothing uses hides the cable that one day should not be there.",
    source="Cables between environments; practice of firewalls: unused rules are removed",
    hint="remove it from connects_to",
)
def unused_permission(rule: Rule, index: Index) -> Iterator[Finding]:
    joins = set()
    for cable in index.landscape.cables:
        ends = [index.device(endpoint.partition("/")[0]) for endpoint in (cable.a, cable.b)]
        joins.add(frozenset(end.device.environment for end in ends if end))
    for environment in index.landscape.environments.values() if joins else ():
        for other in environment.connects_to:
            if other in index.landscape.environments and frozenset((environment.name, other)) not in joins:
                message = f"no cable leads from environment {environment.name} to {other}"
                yield rule.finding(environment, "connects_to", message, found=other)
