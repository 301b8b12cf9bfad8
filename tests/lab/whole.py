# SPDX-License-Identifier: Apache-2.0
"""All machines of a landscape in one lane: hosts, the management switch, and the fabric's switches as they come out of their boxes."""

from __future__ import annotations

from pathlib import Path

from . import wiring
from .hosts import EMBEDDED
from .lane import Lane
from .switches import Fabric, furnish
from .switches.renderer import Config


class Whole(Fabric):
    """The machines of a landscape with all their cables.

    Switches of the fabric behave like SONiC that nobody configured yet: their ports are on, nothing is routed. Hosts have
    the packages of a router, and those that join the out-of-band network are plain machines.
    """

    def __init__(self, lane: str = "demo", landscape: Path | str = EMBEDDED) -> None:
        super().__init__(lane, landscape=landscape, bare=True)
        self.lane = Lane(lane)

    @property
    def wiring(self) -> wiring.Wiring:
        """Everything that the landscape has."""
        if self._wiring is None:
            self._wiring = wiring.read(self.landscape)
        return self._wiring

    @property
    def switches(self) -> list[str]:
        """Names of the switches of the fabric."""
        return [name for name in super().switches if not self.wiring.bridged(name)]

    @property
    def inventory(self) -> Path:
        """Ansible's way to the machines from the controller's namespace (:meth:`entering`)."""
        return self.lane.file("inventory.json")

    @property
    def configs(self) -> dict[str, Config]:
        """What each switch starts with: its ports are on, as SONiC's own default has them."""
        fresh = self._given is None
        found = super().configs
        if fresh:
            for config in found.values():
                for row in config.get("PORT", {}).values():
                    row["admin_status"] = "up"
        return found

    def _furnish(self, name: str, root: Path) -> None:
        if name in self.switches or self.wiring.machines[name].kind == "host":
            super()._furnish(name, root)
        else:
            furnish.host(root)
