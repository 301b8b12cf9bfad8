# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Tables of devices, racks and power: the facts of all of them are joined by the name of the device."""

from __future__ import annotations

import re
from typing import Any, Callable

from ...core import expressions
from . import cells
from .columns import Layout
from .draft import Draft, as_slug, kind_guess, model_names, origin_of, role_names, role_spelled
from .networks import environment_of
from .tables import Row

_STATES = {
    "planned": "planned",
    "active": "active",
    "retired": "retired",
    "staged": "planned",
    "offline": "retired",
    "decommissioning": "retired",
}
#: Facts as they are written; the others need more than their cell.
_PLAIN: dict[str, Callable[[str], Any]] = {
    "unit": lambda cell: cells.number(cell, 1, 60),
    "serial": cells.text,
    "os": cells.text,
    "console": cells.text,
    "delivered": cells.date,
    "description": cells.text,
    "oob_address": cells.ipv4,
    "oob_mac": cells.mac,
    "loopback_v4": cells.ipv4,
    "loopback_v6": cells.ipv6,
    "asn": cells.asn,
}


class Devices:
    """Collects the facts about devices from all tables, then makes devices of them.

    :ivar stated: by device what tables say and the landscape may derive: addresses and AS numbers.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rows: dict[str, list[Row]] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._origin: dict[str, dict[str, str]] = {}
        self._power: dict[str, dict[str, str]] = {}
        self.stated: dict[str, dict[str, Any]] = {}
        self._models = model_names(draft.known)
        self._roles = role_names(draft.known)
        pattern = draft.settings.naming
        self._naming = expressions.compiled(pattern) if pattern else None

    def is_ours(self, name: str) -> bool:
        """Whether a name is one of our devices, or at least follows the naming standard."""
        return name in self._facts or bool(self._naming and self._naming.fullmatch(name))

    def read(self, layout: Layout, rows: list[Row]) -> None:
        """Rows of tables of devices or racks."""
        for row in rows:
            try:
                name = cells.name(layout.cell(row.cells, "name"))
            except cells.BadCell as error:
                self._draft.ledger.refuse(row, str(error))
                continue
            self._rows.setdefault(name, []).append(row)
            for field, parse in _PLAIN.items():
                value = self._draft.read(row, layout, field, parse)
                if value not in (None, ""):
                    self._put(name, field, value, row)
            self._choices(name, layout, row)

    def _choices(self, name: str, layout: Layout, row: Row) -> None:
        draft = self._draft
        for field, known in (("model", self._models), ("role", self._roles), ("state", _STATES)):
            found = draft.choice(row, layout, field, known)
            if found:
                self._put(name, field, found, row)
            elif field != "state" and cells.text(layout.cell(row.cells, field)):
                self._facts.setdefault(name, {}).setdefault(f"{field}_cell", layout.cell(row.cells, field))
        environment = environment_of(draft, layout, row)
        if environment:
            self._put(name, "environment", environment, row)
        for field in ("rack", "site"):
            value = draft.read(row, layout, field, cells.name)
            if value:
                self._put(name, field, value, row)
        height = draft.read(row, layout, "height", lambda cell: cells.number(cell, 0, 20))
        if height is not None:
            self._put(name, "height", height, row)
        groups = groups_of(draft, layout, row) if "observed" not in layout.into else []
        if groups:
            self._put(name, "groups", groups, row)

    def _put(self, name: str, field: str, value: Any, row: Row) -> None:
        """The first table that states a fact counts; texts are joined, other differences are reported."""
        facts = self._facts.setdefault(name, {})
        origins = self._origin.setdefault(name, {})
        if field not in facts:
            facts[field] = value
            origins[field] = row.origin
        elif field == "description":
            if value not in facts[field].split("; "):
                facts[field] = f"{facts[field]}; {value}"[:1000]
        elif facts[field] != value:
            self._draft.ledger.contradiction(
                row, f"{name}: {field} is {value!r}, but {origins[field]} says {facts[field]!r}"
            )

    def read_power(self, layout: Layout, rows: list[Row]) -> None:
        """Rows of a table of power supplies; to be read after all tables of devices."""
        for row in rows:
            name = layout.cell(row.cells, "name")
            if name not in self._facts:
                self._draft.ledger.refuse(row, f"{name[:60]!r} is in no table of devices")
                continue
            cell = self._draft.settings.translated("feed", layout.cell(row.cells, "feed"))
            try:
                feed = cells.name(cell)
                psu = self._psu(name, layout.cell(row.cells, "psu"))
            except cells.BadCell as error:
                self._draft.ledger.refuse(row, str(error))
                continue
            supplies = self._power.setdefault(name, {})
            if psu in supplies:
                if supplies[psu] == feed:
                    self._draft.ledger.merge(row, f"{name} has this power supply already")
                else:
                    self._draft.ledger.refuse(row, f"{name}: {psu} hangs on {supplies[psu]} already")
                continue
            self._draft.named("feeds", feed, row, lambda feed=feed: _feed(feed))  # type: ignore[misc]
            supplies[psu] = feed
            self._rows[name].append(row)

    def _psu(self, name: str, cell: str) -> str:
        """The name of a power supply; the only one need not be named."""
        if cells.text(cell):
            return cells.name(cell)
        model = self._draft.known.device_models.get(str(self._facts[name].get("model", "")))
        if model is not None and len(model.psus) > 1:
            raise cells.BadCell(f"{name} has the power supplies {', '.join(model.psus)}, the row names none")
        return model.psus[0] if model is not None and model.psus else "PSU"

    def finish(self) -> None:
        """Makes a device of everything that has a model and a role; other rows are reported."""
        for name, facts in self._facts.items():
            rows = self._rows[name]
            model = facts.get("model") or self._model_stub(facts, rows[0])
            role = model and (facts.get("role") or self._role(name, facts, rows[0], model))
            if not model or not role:
                missing = "role" if model else "model"
                for row in rows:
                    self._draft.ledger.refuse(
                        row, f"no table says the {missing} of {name}, so it is no device of the landscape"
                    )
                continue
            self._draft.section(self._section(role))[name] = self._device(name, facts, model, role)
            for row in rows:
                self._draft.ledger.use(row)

    def _device(self, name: str, facts: dict[str, Any], model: str, role: str) -> dict[str, Any]:
        defaults = self._draft.settings.defaults
        device: dict[str, Any] = {"model": model, "role": role}
        row = self._rows[name][0]
        environment = facts.get("environment") or defaults.get("environment") or "default"
        device["environment"] = self._draft.named("environments", environment, row, lambda: {"protected": True})
        for field in ("state", "unit"):
            if field in facts:
                device[field] = facts[field]
        rack = facts.get("rack") or self._part(name, "rack") or defaults.get("rack", "")
        if rack:
            device["rack"] = self._rack(
                rack, facts.get("site") or self._part(name, "site") or defaults.get("site", ""), row
            )
        self._check_height(name, facts, model)
        for field in ("serial", "os", "console", "delivered", "description", "groups"):
            if field in facts:
                device[field] = facts[field]
        if name in self._power:
            device["power"] = self._power[name]
        keys = ("oob_address", "oob_mac", "loopback_v4", "loopback_v6", "asn")
        self.stated[name] = {key: facts[key] for key in keys if key in facts}
        self.stated[name]["origin"] = {key: self._origin[name][key] for key in keys if key in facts}
        device["origin"] = origin_of(entry.origin for entry in self._rows[name])
        return device

    def _part(self, name: str, part: str) -> str:
        """What the name says about itself (``rack``, ``site``, ``role``)."""
        found = self._naming.fullmatch(name) if self._naming else None
        return (found.groupdict().get(part) or "") if found else ""

    def _section(self, role: str) -> str:
        return "switches" if self._draft.section("roles")[role].get("kind") == "switch" else "hosts"

    def _model_stub(self, facts: dict[str, Any], row: Row) -> str:
        cell = facts.get("model_cell", "")
        name = as_slug(cell)
        if name is None:
            return ""
        kind = kind_guess(row.content)
        return self._draft.named("device_models", name, row, lambda: {"part_number": cell, "kind": kind})

    def _role(self, name: str, facts: dict[str, Any], row: Row, model: str) -> str:
        spelling = self._part(name, "role")
        found = role_spelled(self._draft.known, spelling) if spelling else ""
        found = found or self._draft.settings.defaults.get("role", "")
        stub = found or as_slug(facts.get("role_cell", "") or spelling)
        if not stub:
            return ""
        kind = self._draft.section("device_models").get(model, {}).get("kind", "server")
        return self._draft.named("roles", stub, row, lambda: {"kind": kind})

    def _rack(self, rack: str, site: str, row: Row) -> str:
        site = site or "site"

        def stub() -> dict[str, Any]:
            self._draft.named("sites", site, row, dict)
            tops = [int(facts["unit"]) for facts in self._facts.values() if "unit" in facts]
            return {"site": site, "units": min(60, max([42, *tops]))}

        return self._draft.named("racks", rack, row, stub)

    def _check_height(self, name: str, facts: dict[str, Any], model: str) -> None:
        described = self._draft.section("device_models").get(model, {})
        height = facts.get("height")
        if height is None:
            return
        if model not in self._draft.known.device_models:
            described.setdefault("height", height)
        elif described.get("height", 1) != height:
            row = next(row for row in self._rows[name] if row.origin == self._origin[name]["height"])
            self._draft.ledger.contradiction(
                row, f"{name} is {height} units high, its model {model} {described.get('height', 1)}"
            )


def _feed(name: str) -> dict[str, Any]:
    return {"kind": "ups" if re.search(r"ups|usv", name.lower()) else "mains"}


def groups_of(draft: Draft, layout: Layout, row: Row) -> list[str]:
    """The inventory groups a row names, as the mapping translates them."""
    found: list[str] = []
    for cell in layout.cells(row.cells, "groups"):
        told = draft.settings.values.get("groups", {})
        names = re.split(r"[,\s]+", told.get(cell, "" if told else cell))
        found += [name for name in names if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", name) and name not in found]
    return found


def observe(draft: Draft, layout: Layout, rows: list[Row]) -> None:
    """Keeps what rows say about devices as observed facts, whether the landscape agrees or not."""
    models, roles = model_names(draft.known), role_names(draft.known)
    for row in rows:
        try:
            name = cells.name(layout.cell(row.cells, "name"))
        except cells.BadCell as error:
            draft.ledger.refuse(row, str(error))
            continue
        facts = draft.facts(row, name)
        for field, known in (("model", models), ("role", roles)):
            cell = cells.text(layout.cell(row.cells, field))
            found = draft.choice(row, layout, field, known)
            if found or (field == "model" and cell):
                facts[field] = found or cell
            elif cell:
                draft.ledger.cell(row, f"{field}: {cell[:60]!r} is no {field} of the landscape")
        groups = groups_of(draft, layout, row)
        if groups:
            facts["groups"] = groups
        for field in ("asn", "loopback_v4", "loopback_v6", "oob_address", "oob_mac"):
            value = draft.read(row, layout, field, _PLAIN[field])
            if value not in (None, ""):
                facts[field] = value
        draft.ledger.use(row)


def observe_uplinks(draft: Draft, layout: Layout, rows: list[Row]) -> None:
    """BGP sessions that hosts are configured for."""
    for row in rows:
        try:
            name = cells.name(layout.cell(row.cells, "name"))
            interface = cells.port(layout.cell(row.cells, "interface"))
        except cells.BadCell as error:
            draft.ledger.refuse(row, str(error))
            continue
        session: dict[str, Any] = {"interface": interface}
        remote = draft.read(row, layout, "remote_asn", cells.asn)
        if remote is not None:
            session["remote_asn"] = remote
        session["origin"] = row.origin
        draft.facts(row, name).setdefault("uplinks", []).append(session)
        draft.ledger.use(row)


def read_groups(draft: Draft, layout: Layout, rows: list[Row], *, observed: bool) -> None:
    """Members of inventory groups; ``ceph-rgw:children`` names groups, as in an INI inventory."""
    for row in rows:
        group, _colon, kind = layout.cell(row.cells, "group").partition(":")
        member = layout.cell(row.cells, "member")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", group) or kind not in ("", "children"):
            draft.ledger.refuse(row, f"{group[:60]!r} cannot be the name of a group")
            continue
        try:
            member = cells.name(member)
        except cells.BadCell as error:
            draft.ledger.refuse(row, str(error))
            continue
        if observed and not kind:
            draft.facts(row, member).setdefault("groups", []).append(group)
        if not observed:
            listed = draft.section("groups").setdefault(group, {}).setdefault("children" if kind else "hosts", [])
            if member in listed:
                draft.ledger.merge(row, f"{member} is in {group} already")
                continue
            listed.append(member)
            draft.add_origin("groups", group, row)
        if not observed or not kind:
            draft.ledger.use(row)
        else:
            draft.ledger.refuse(row, "groups inside groups are no observed fact")
