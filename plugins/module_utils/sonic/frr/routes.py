# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""STATIC_ROUTE rows: one row, several next hops, each field a list with commas of equal length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .lines import Sections

Config = Mapping[str, Mapping[str, Mapping[str, Any]]]

#: How a row says "no address, the interface alone".
_NO_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound


def static_routes(config: Config, found: Sections) -> None:
    """``ip route`` lines; of a row whose fields count different next hops SONiC writes nothing."""
    for key, row in config.get("STATIC_ROUTE", {}).items():
        vrf, _bar, prefix = key.rpartition("|")
        hops = {field: str(value).split(",") for field, value in row.items()}
        if len({len(values) for values in hops.values()}) > 1:
            continue
        count = len(next(iter(hops.values()), []))
        section = () if vrf in ("", "default") else (f"vrf {vrf}",)
        for position in range(count):
            line = _route(prefix, {field: values[position] for field, values in hops.items()})
            if line:
                found.add(section, line)


def _route(prefix: str, hop: Mapping[str, str]) -> str:
    word = "ipv6 route" if ":" in prefix else "ip route"
    tag = f"tag {hop['tag']}" if hop.get("tag", "0") not in ("", "0") else ""
    distance = hop.get("distance", "0")
    distance = "" if distance == "0" else distance
    if hop.get("blackhole") == "true":
        return " ".join(filter(None, (word, prefix, "blackhole", tag, distance)))
    address = hop.get("nexthop", "")
    address = "" if address in _NO_ADDRESS else address
    if not address and not hop.get("ifname"):
        return ""
    vrf = f"nexthop-vrf {hop['nexthop-vrf']}" if hop.get("nexthop-vrf") else ""
    bfd = "bfd" if hop.get("bfd") == "true" else ""
    return " ".join(filter(None, (word, prefix, address, hop.get("ifname", ""), tag, distance, vrf, bfd)))
