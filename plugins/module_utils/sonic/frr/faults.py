# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What FRR must show for a CONFIG_DB, on each of the three paths, and why the paths differ.

After a change the expectation is the *boot* path: it is what the switch will run after its next restart. A running
configuration that equals it needs nothing; one that differs only by a known fault below can be named instead of
being reported as "unequal"; restarting the bgp container settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .boot import boot, routers
from .fields import BOOT_ONLY, UNSHOWN
from .lines import Lines, Section, Sections, missing, shown
from .policy import prefix_lists, route_maps
from .routes import static_routes
from .tidy import tidy

Config = Mapping[str, Mapping[str, Mapping[str, Any]]]

PATHS = ("boot", "live", "load")


@dataclass(frozen=True)
class Fault:
    """A known difference between two paths on the same CONFIG_DB.

    :param releases: SONiC releases in which it was seen; FRR was 10.3.
    """

    id: str
    sentence: str
    releases: tuple[str, ...] = ("202605",)


FAULTS: dict[str, Fault] = {
    fault.id: fault
    for fault in (
        Fault(
            "template-constants",
            "Passwords of the vty and the log settings stand in the boot template only; frrcfgd never writes them.",
        ),
        Fault(
            "prefix-range",
            "The boot template compares prefix lengths as texts and always writes an upper bound; frrcfgd compares numbers "
            "and leaves out an upper bound that is the longest length, so the same row reads differently. Where the texts "
            "sort the other way round (128 before 48) the boot path also loses the lower bound and matches more.",
        ),
        Fault(
            "local-preference",
            "The boot template reads set_local_preference, while the model and frrcfgd say set_local_pref: after a restart of "
            "the bgp container the local preference is gone.",
        ),
        Fault(
            "load-order-prefix-lists",
            "config load writes tables by name, so PREFIX comes before PREFIX_SET: frrcfgd does not know the set yet and "
            "drops every entry. Route maps that match such a list then match nothing.",
        ),
        Fault(
            "load-order-peer-groups",
            "config load writes BGP_NEIGHBOR before BGP_PEER_GROUP: FRR refuses to put an unnumbered neighbour into a group "
            "that is not there yet, and nothing tries again.",
        ),
        Fault(
            "vrf-vni",
            "The VNI of a VRF reaches FRR on no path: the boot templates do not write it, and frrcfgd sends it to a daemon "
            "that does not know the command any more.",
        ),
    )
}


def expected(config: Config, path: str = "boot") -> dict[Section, frozenset[str]]:
    """What ``show running-config`` must say after a path.

    :param path: one of :data:`PATHS`.
    """
    if path == "boot":
        return shown(boot(config), UNSHOWN)
    config = tidy(config)
    found = Sections()
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    found.add((), f"hostname {metadata.get('hostname', 'sonic')}")
    static_routes(config, found)
    if path == "live":
        prefix_lists(config, found, live=True)
    route_maps(config, found, live=True)
    routers(config, found, in_groups=path == "live")
    return shown(found.frozen(), UNSHOWN)


@dataclass(frozen=True)
class Difference:
    """A line that is there too much (``+``) or too little (``-``), and the known fault it comes from, if any."""

    sign: str
    section: Section
    line: str
    fault: str = ""


def compare(config: Config, running: Lines) -> list[Difference]:
    """How a running configuration differs from what the boot path gives, each line with the known fault behind it."""
    wanted = expected(config)
    known = _known(config)
    lacking = [Difference("-", *where, known.get(("-", *where), "")) for where in missing(wanted, running)]
    extra = [Difference("+", *where, known.get(("+", *where), "")) for where in missing(running, wanted)]
    return lacking + extra


def _known(config: Config) -> dict[tuple[str, Section, str], str]:
    """Every difference that a known fault makes of this CONFIG_DB."""
    wanted = expected(config)
    known: dict[tuple[str, Section, str], str] = {}
    for path in ("live", "load"):
        other = expected(config, path)
        for sign, lines in (("-", missing(wanted, other)), ("+", missing(other, wanted))):
            for section, line in lines:
                known[(sign, section, line)] = _fault_of(line, path)
    return known


def _fault_of(line: str, path: str) -> str:
    if line in BOOT_ONLY:
        return "template-constants"
    if " prefix-list " in f" {line}" and line.startswith(("ip ", "ipv6 ")):
        # on the load path every list is missing, on the live path only the bounds read differently
        return "load-order-prefix-lists" if path == "load" else "prefix-range"
    if line.startswith("set local-preference"):
        return "local-preference"
    return "load-order-peer-groups" if line.startswith("neighbor ") else ""
