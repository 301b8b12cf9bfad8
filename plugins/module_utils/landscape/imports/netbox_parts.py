# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Parts of an import from NetBox that stand by themselves: names, ports of models, cables."""

from __future__ import annotations

import re
from typing import Any

from ..schema import NAME_PATTERN
from . import cells
from .draft import Draft
from .ledger import Ledger
from .netbox_types import INTERFACES, folded_ranges, slug
from .tables import Row

Record = dict[str, Any]
_SPEEDS = {kind: (speed, connector) for kind, speed, connector in INTERFACES}


def known_as(name: str) -> str:
    """A name of NetBox as a name of ours: as it is when it can be one, else as a slug; empty stays empty."""
    if not name:
        return ""
    try:
        return cells.name(name)
    except cells.BadCell:
        return cells.slug(name)


def own_name(name: str, short: str) -> str:
    """The name of an object with a slug: its own when the slug was made of it, else the slug."""
    made = re.fullmatch(re.escape(slug(name)) + r"(-\d+)?", short) if name else None
    return name if made and re.fullmatch(NAME_PATTERN, name) else known_as(short)


def lost(ledger: Ledger, row: Row, record: Record) -> None:
    """Reports fields of a used object that a landscape has no place for."""
    if record.get("lost"):
        ledger.cell(row, f"a landscape has no place for its {', '.join(record['lost'])}")


def groups_of(ledger: Ledger, model: str, ports: list[Record], is_switch: bool) -> list[dict[str, Any]]:
    """Port groups of a device model; ports in a row that are alike make one."""
    groups: list[dict[str, Any]] = []
    for port in ports:
        speed, connector = _SPEEDS.get(port["type"], ("", ""))
        if not speed:
            kind = port["type"] or "none"
            ledger.general("", f"device_models/{model}: port {port['name']} has the type {kind}, which says no speed")
            continue
        use = ("management" if is_switch else "bmc") if port["mgmt_only"] else ""
        alike = (speed, connector, use, bool(port["label"]))
        if not groups or groups[-1]["alike"] != alike:
            groups.append({"alike": alike, "names": [], "aliases": []})
        groups[-1]["names"].append(port["name"])
        groups[-1]["aliases"].append(port["label"])
    return [_group(entry) for entry in groups]


def _group(group: dict[str, Any]) -> dict[str, Any]:
    speed, connector, use, labelled = group["alike"]
    entry: dict[str, Any] = {"names": folded_ranges(group["names"])}
    if labelled:
        entry["aliases"] = folded_ranges(group["aliases"])
    if use:
        entry["use"] = use
    return {**entry, "speed": speed, "connector": connector}


def write_cables(draft: Draft, found: list[tuple[Row, Record]], interfaces: dict[tuple[str, str], Record]) -> None:
    """Cables between interfaces become cables, cables to power feeds the feeds of devices; the others are reported."""
    written: list[dict[str, Any]] = []
    for row, record in found:
        ends = record["a"], record["b"]
        try:
            if all(end is not None and end[0] == "dcim.interface" and end[1] for end in ends):
                written.append(_cable(row, record, interfaces))
                lost(draft.ledger, row, record)
            else:
                _feed_cable(draft, ends)
        except cells.BadCell as error:
            draft.ledger.refuse(row, str(error))
            continue
        draft.ledger.use(row)
    draft.document["cables"] = [*draft.document.get("cables", []), *written]


def _cable(row: Row, record: Record, interfaces: dict[tuple[str, str], Record]) -> dict[str, Any]:
    ends = [(cells.name(device), cells.port(port)) for _kind, device, port in (record["a"], record["b"])]
    entry: dict[str, Any] = {"a": "/".join(ends[0]), "b": "/".join(ends[1])}
    sides = [interfaces.get(end, {}) for end in ends]
    if record["status"] == "planned":
        entry["state"] = "planned"
    elif record["status"] == "decommissioning" or any(side.get("enabled") is False for side in sides):
        entry["state"] = "deactivated"
    lag = next((side["lag"] for side in sides if side.get("lag")), "")
    texts = {"lag": lag, "group": record["label"], "description": record["description"]}
    entry.update({key: value for key, value in texts.items() if value})
    if record["id"] is not None:
        entry["origin"] = row.origin
    return entry


def _feed_cable(draft: Draft, ends: tuple[Any, Any]) -> None:
    """A cable between a power port and a power feed says what a device hangs on.

    :raises BadCell: it is none.
    """
    by_kind = {end[0]: end for end in ends if end is not None}
    port, feed = by_kind.get("dcim.powerport"), by_kind.get("dcim.powerfeed")
    section = next((part for part in ("hosts", "switches") if port and port[1] in draft.section(part)), "")
    if port is None or feed is None or not section:
        raise cells.BadCell("it is no cable between interfaces of two devices")
    draft.section(section)[port[1]].setdefault("power", {})[cells.name(port[2])] = cells.name(feed[2])
