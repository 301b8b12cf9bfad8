# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Tables of cables: both ends may be listed, and a cable is written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..derive import Port, ports_of
from ..model import DEVICE_SECTIONS
from ..names import natural
from . import cells
from .columns import Layout
from .draft import Draft, origin_of
from .settings import as_landscape
from .tables import Row

End = tuple[str, str]


@dataclass
class _Cable:
    """A cable as far as rows describe it."""

    a: End
    b: End
    rows: list[Row] = field(default_factory=list)
    link: cells.LinkType = field(default_factory=cells.LinkType)
    state: str = ""
    group: str = ""
    bundle: str = ""
    lag: str = ""
    description: str = ""

    @property
    def devices(self) -> frozenset[str]:
        return frozenset((self.a[0], self.b[0]))


class Cables:
    """Collects cables from all tables of them.

    :param is_ours: tells names of our devices, also of ones that no table describes, from those of others.
    """

    def __init__(self, draft: Draft, is_ours: Any) -> None:
        self._draft = draft
        self._is_ours = is_ours
        self._cables: dict[frozenset[End], _Cable] = {}
        self._logical: list[tuple[Row, End, End, str, str]] = []

    def read(self, layout: Layout, rows: list[Row]) -> None:
        """Rows of one table; logical rows (port channels) wait for :meth:`finish`."""
        for row in rows:
            try:
                ends = self._end(layout, row, "a"), self._end(layout, row, "b")
            except cells.BadCell as error:
                self._draft.ledger.refuse(row, str(error))
                continue
            near, far = ends
            if near is None or far is None:
                self._draft.ledger.refuse(row, "it has no near end" if far else "it has no far end")
                continue
            if near == far:
                self._draft.ledger.refuse(row, "both ends are the same port")
                continue
            group = cells.text(layout.cell(row.cells, "group"))
            bundle = cells.text(layout.cell(row.cells, "bundle"))
            if _is_logical(near[1]) or _is_logical(far[1]):
                self._logical.append((row, near, far, group, bundle))
                continue
            self._add(layout, row, near, far, group, bundle)

    def _end(self, layout: Layout, row: Row, side: str) -> End | None:
        both = cells.text(layout.cell(row.cells, side))
        if both:
            device, slash, port = both.partition("/") if "/" in both else both.partition(":")
            if not slash:
                raise cells.BadCell(f"{both[:60]!r} is no device/port")
        else:
            device = cells.text(layout.cell(row.cells, f"{side}_device"))
            port = cells.text(layout.cell(row.cells, f"{side}_port"))
        if not device or not port:
            return None
        return cells.name(device), cells.port(port)

    def _add(self, layout: Layout, row: Row, near: End, far: End, group: str, bundle: str) -> None:
        ledger = self._draft.ledger
        new = _Cable(near, far, [row], group=group, bundle=bundle)
        try:
            new.link = cells.link_type(self._draft.settings.translated("link", layout.cell(row.cells, "link")))
        except cells.BadCell as error:
            ledger.cell(row, str(error))
        if new.link.doubt:
            ledger.cell(row, f"link: {new.link.doubt}; the connector is left to the model of the device")
        description = cells.text(layout.cell(row.cells, "description"))
        new.state = cells.state(layout.cell(row.cells, "state")) or cells.state(description)
        new.description = "" if cells.state(description) else description
        known = self._cables.get(frozenset((near, far)))
        if known is None:
            self._cables[frozenset((near, far))] = new
            ledger.use(row)
            return
        turned = "from the other end" if known.a == far else "once more"
        ledger.merge(row, f"{known.rows[0].origin} states the same cable; this row states it {turned}")
        self._compare(known, new, row)
        known.rows.append(row)

    def _compare(self, known: _Cable, new: _Cable, row: Row) -> None:
        first = known.rows[0].origin
        pairs = (
            ("state", known.state or "active", new.state or "active"),
            ("speed", known.link.speed, new.link.speed),
            ("connector", known.link.connector, new.link.connector),
            ("group", known.group, new.group),
            ("bundle", known.bundle, new.bundle),
        )
        for what, before, now in pairs:
            if before != now and (what == "state" or (before and now)):
                self._draft.ledger.contradiction(
                    row, f"{what} is {now[:60]}, but {first} says {before[:60]} for the same cable"
                )
        if "deactivated" in (known.state, new.state):
            known.state = "deactivated"  # a cable that is shut down at one end carries nothing
        known.group = known.group or new.group
        known.bundle = known.bundle or new.bundle
        known.description = known.description or new.description
        known.link = known.link if known.link.speed or known.link.connector else new.link

    def finish(self) -> None:
        """Writes externals and cables into the draft."""
        for row, near, far, group, bundle in self._logical:
            self._fold(row, near, far, group, bundle)
        self._externals()
        self._stub_ports()
        landscape = as_landscape(self._draft.document)
        ports = {name: ports_of(model) for name, model in landscape.device_models.items()}
        of_device = {name: ports.get(device.model, {}) for name, device in landscape.devices.items()}
        cables = [self._written(cable, of_device) for cable in self._cables.values()]
        self._draft.document["cables"] = [*self._draft.document.get("cables", []), *cables]

    def _fold(self, row: Row, near: End, far: End, group: str, bundle: str) -> None:
        """A logical row names the aggregation of the cables between the same two devices."""
        between = [cable for cable in self._cables.values() if cable.devices == frozenset((near[0], far[0]))]
        members = [cable for cable in between if bundle and cable.bundle == bundle]
        members = members or [cable for cable in between if not bundle and group and cable.group == group]
        try:
            name = cells.name(near[1])
        except cells.BadCell as error:
            self._draft.ledger.refuse(row, str(error))
            return
        if not members:
            self._draft.ledger.refuse(
                row, f"{name} is an aggregation, and no cable between {near[0]} and {far[0]} belongs to it"
            )
            return
        for cable in members:
            if cable.lag and cable.lag != name:
                self._draft.ledger.contradiction(row, f"the aggregation is {name}, but {cable.lag} elsewhere")
            cable.lag = cable.lag or name
            cable.rows.append(row)
        listed = ", ".join(cable.rows[0].origin for cable in members)
        self._draft.ledger.merge(row, f"{name} is the aggregation of the cables of {listed}")

    def _externals(self) -> None:
        """Devices of others: not in any table, and not named as ours are."""
        for cable in self._cables.values():
            for device, port in (cable.a, cable.b):
                if not self._is_ours(device):
                    self._draft.named("externals", device, cable.rows[0], dict)
                    ports = self._draft.section("externals")[device].setdefault("ports", [])
                    if port not in ports:
                        ports.append(port)
                    self._draft.add_origin("externals", device, cable.rows[0])

    def _stub_ports(self) -> None:
        """Device models that only tables describe get the ports that cables end in."""
        devices = {name: device for section in DEVICE_SECTIONS for name, device in self._draft.section(section).items()}
        found: dict[str, dict[tuple[str, str], set[str]]] = {}
        for cable in self._cables.values():
            for device, port in (cable.a, cable.b):
                model = devices.get(device, {}).get("model", "")
                if not model or model in self._draft.known.device_models:
                    continue
                listed = {
                    name
                    for entry in self._draft.section("device_models")[model].get("ports", [])
                    for name in entry["names"]
                }
                link = cable.link
                if port in listed:
                    continue
                if not (link.speed and link.connector):
                    self._draft.ledger.note(
                        cable.rows[0], f"the model {model} lacks the port {port}: no row says what kind it is"
                    )
                    continue
                found.setdefault(model, {}).setdefault((link.speed, link.connector), set()).add(port)
        for model, kinds in found.items():
            ports = self._draft.section("device_models")[model].setdefault("ports", [])
            taken: set[str] = set()
            for (speed, connector), names in sorted(kinds.items()):
                fresh = sorted(names - taken, key=natural)
                taken |= names
                if fresh:
                    ports.append({"names": fresh, "speed": speed, "connector": connector})

    def _written(self, cable: _Cable, of_device: dict[str, dict[str, Port]]) -> dict[str, Any]:
        ends = [of_device.get(device, {}).get(port) for device, port in (cable.a, cable.b)]
        entry: dict[str, Any] = {"a": "/".join(cable.a), "b": "/".join(cable.b)}
        if cable.state and cable.state != "active":
            entry["state"] = cable.state
        highest = cells.lower(*(port.speed if port else None for port in ends))
        if cable.link.speed and cable.link.speed != highest:
            entry["speed"] = cable.link.speed
        if cable.link.connector and cable.link.connector not in {port.connector for port in ends if port}:
            entry["connector"] = cable.link.connector
        if cable.lag:
            entry["lag"] = cable.lag
        if cable.group:
            entry["group"] = cable.group
        texts = [cable.description, "" if cable.lag else cable.bundle]
        if any(texts):
            entry["description"] = "; ".join(text for text in texts if text)
        entry["origin"] = origin_of(row.origin for row in cable.rows)
        return entry


def _is_logical(port: str) -> bool:
    """Whether a port is an aggregation rather than a socket."""
    return port.lower().startswith(("portchannel", "port-channel", "bond", "lag", "ae")) and port[-1:].isdigit()
