# SPDX-License-Identifier: Apache-2.0
"""The environments that checks run in: one per ansible-core we support, and two for tools."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leg:
    """One environment with pinned packages (tests/requirements/<name>.txt).

    :param pythons: minor versions of Python 3 that may run it, the first found wins.
    :param debian: release whose root file system serves when the machine has none of them.
    :param bundle: version of the ``ansible`` package that other collections are taken from.
    :param pip: the pip that this core's ansible-test wants to bootstrap; set on full legs only.
    """

    name: str
    pythons: tuple[int, ...]
    debian: str
    bundle: str = ""
    pip: str = ""


LEGS = {
    leg.name: leg
    for leg in (
        Leg("tools", (12, 11, 13, 14), "bookworm"),
        Leg("importer", (11, 12, 13), "bookworm"),
        Leg("core-2.21", (12, 13, 14), "trixie", bundle="14.5.0", pip="25.2"),
        Leg("core-2.19", (11, 12, 13), "bookworm", bundle="12.3.0", pip="24.2"),
        Leg("core-2.18", (11, 12, 13), "bookworm", bundle="12.3.0"),
        Leg("core-2.16", (11, 10, 12), "bookworm", bundle="12.3.0"),
        # What OSISM's container holds; no suite runs in these, the tests of the suite osism start programs of theirs.
        Leg("osism-2.18", (13, 12, 11), "bookworm"),
        Leg("osism-2.16", (11, 12), "bookworm"),
        # The services of the provider `openstack`; started by tests/lab, no suite runs in it.
        Leg("openstack", (11, 12, 13), "bookworm"),
        # A Go for the programs of the provider `vsphere`, for machines without one.
        Leg("go", (11, 12, 13, 14), "bookworm"),
    )
}

MAIN = ("core-2.21",)
FULL = ("core-2.21", "core-2.19")
ALL = ("core-2.21", "core-2.19", "core-2.18", "core-2.16")
