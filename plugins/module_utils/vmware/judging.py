# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Everything that is said of VMs before they move: findings, ways, properties. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import model, properties, rules, transports
from .finding import Finding
from .model import Vm
from .properties import Properties
from .transports import Transport


@dataclass(frozen=True)
class Judgement:
    """What is said of one VM."""

    vm: Vm
    findings: tuple[Finding, ...]
    ways: tuple[Transport, ...]
    properties: Properties

    @property
    def migratable(self) -> bool:
        """Whether nothing is in the way, and there is a way to its disks."""
        return rules.is_migratable(self.findings) and any(way.usable for way in self.ways)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        reasons = transports.warm_reasons(self.vm)
        return {
            "name": self.vm.name,
            "uuid": self.vm.uuid,
            "moid": self.vm.moid,
            "endpoint": self.vm.endpoint,
            "migratable": self.migratable,
            "blockers": rules.blockers(self.findings) + ([] if any(way.usable for way in self.ways) else ["transport"]),
            "transports": [way.as_dict() for way in self.ways],
            "warm_capable": not reasons,
            "warm_reasons": reasons,
            **self.properties.as_dict(),
        }


def judge(params: Mapping[str, Any]) -> list[Judgement]:
    """The judgements of the VMs in a module's options.

    :raises InputError: facts are not whole, or ``ignore`` names no rule.
    """
    limits = rules.limits_of(params.get("target"))
    return [
        Judgement(
            vm,
            tuple(rules.findings(vm, limits, params["ignore"])),
            tuple(transports.transports(vm)),
            properties.properties_of(vm, drivers=params["drivers"], vtpm=limits.vtpm is not False),
        )
        for vm in map(model.vm_of, params["vms"])
    ]
