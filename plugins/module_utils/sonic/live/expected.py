# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a landscape expects of one of its switches: configuration, cables, width of the fabric."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from ...core.errors import InputError
from ...landscape.derive import View
from .. import fleet
from ..fleet import Rendering
from ..model import ConfigDb
from ..render import build
from .verify import Cable, Expected, called


def of(
    name: str,
    sources: list[str],
    release: str,
    *,
    unmodelled: bool,
    secrets: Mapping[str, Any],
    bgp_with: Collection[str] = (),
) -> Expected:
    """What is expected of a switch.

    :param bgp_with: machines; of BGP sessions only those over cables to them. All sessions when it is empty.
    :raises InputError: for a landscape with errors, or one without the switch.
    """
    view, _said = fleet.judged(sources, Rendering(on_finding="warn"))
    if name not in view.landscape.switches:
        raise InputError(
            f"The landscape has no switch {name}", hint="Name it with name, if the inventory calls it otherwise"
        )
    options = build.Options(release, unmodelled, secrets)
    made = {one.name: one for one in build.render_all(view, options)}
    mine = made.get(name) or build.render(view, name, options)
    configs = {other: one.config for other, one in made.items()}
    return Expected(
        config=mine.config,
        owned=tuple(sorted(mine.owned)),
        cables=_cables(view, name, configs),
        ports=_ports(configs),
        ecmp=widths(view, name, configs),
        bgp_ports=frozenset(a[1] for a, b in ends(view) if a[0] == name and b[0] in bgp_with) if bgp_with else None,
    )


def ends(view: View) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Both ends of every active cable, from either end: device and port."""
    found = []
    for cable in view.landscape.cables:
        a, b = cable.a.split("/", 1), cable.b.split("/", 1)
        if cable.state == "active" and len(a) == len(b) == 2:
            found += [((a[0], a[1]), (b[0], b[1])), ((b[0], b[1]), (a[0], a[1]))]
    return found


def _cables(view: View, name: str, configs: Mapping[str, ConfigDb]) -> tuple[Cable, ...]:
    found = []
    for (mine, port), (other, far) in ends(view):
        if mine == name and other in configs and port in configs.get(name, {}).get("PORT", {}):
            alias = str(configs[other].get("PORT", {}).get(far, {}).get("alias", far))
            found.append(Cable(port, other, tuple(dict.fromkeys((far, alias)))))
    return tuple(found)


def _ports(configs: Mapping[str, ConfigDb]) -> dict[str, dict[str, str]]:
    """What each switch calls its ports, by name and by alias."""
    return {
        name: {
            said: called(config, port)
            for port, row in config.get("PORT", {}).items()
            for said in (port, str(row.get("alias", port)))
        }
        for name, config in configs.items()
    }


def _peers(name: str, configs: Mapping[str, ConfigDb]) -> set[str]:
    """Ports over which a switch speaks BGP."""
    rows = configs.get(name, {}).get("BGP_NEIGHBOR", {})
    return {key.split("|")[1] for key in rows if key.startswith("default|")}


def _asn(name: str, configs: Mapping[str, ConfigDb]) -> str:
    return str(configs.get(name, {}).get("BGP_GLOBALS", {}).get("default", {}).get("local_asn", ""))


def routed(view: View, configs: Mapping[str, ConfigDb]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """The cables over which both ends speak BGP, from either end."""
    peers = {name: _peers(name, configs) for name in configs}
    return [(a, b) for a, b in ends(view) if a[1] in peers.get(a[0], ()) and b[1] in peers.get(b[0], ())]


def widths(view: View, name: str, configs: Mapping[str, ConfigDb]) -> dict[str, int]:
    """To the loopback of every switch that is two cables away, over how many cables of ours it is reached."""
    links = routed(view, configs)
    near = {b[0] for a, b in links if a[0] == name}
    found = {}
    for other in configs:
        if _asn(other, configs) == _asn(name, configs):
            continue  # it would hear its own number in the path
        middles = {b[0] for a, b in links if a[0] == other} & near
        if other == name or other in near or not middles:
            continue
        width = sum(1 for a, b in links if a[0] == name and b[0] in middles)
        for key in configs[other].get("LOOPBACK_INTERFACE", {}):
            _loopback, _bar, address = key.partition("|")
            if "." in address:
                found[address] = width
    return found


def with_more(expected: Expected, **more: Any) -> Expected:
    """The same, with what was said besides."""
    return dataclasses.replace(expected, **more)
