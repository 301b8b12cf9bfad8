# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Records of NetBox become a landscape: first what others name, then devices, then what hangs on them."""

from __future__ import annotations

import re
from typing import Any, Callable

from ..names import natural
from . import cells
from .derived import settle
from .draft import Draft, folded, kind_guess, model_names
from .ledger import Ledger
from .netbox_networks import Networks
from .netbox_parts import groups_of, known_as, lost, own_name, write_cables
from .netbox_residual import of_device, overlay
from .netbox_types import EXTERNAL, LOGICAL, LOOPBACK, NO_VENDOR, STATE_OF_STATUS, folded_ranges
from .settings import Settings
from .tables import Row, distrusted

Record = dict[str, Any]
Pair = tuple[Row, Record]
#: What a record may be, in the order in which records are read.
ORDER = (
    "manufacturer", "location", "tenant", "site", "panel", "feed", "rack", "device_type", "interface_template", "power_port_template",
    "role", "ipam_role", "vrf", "vlan", "prefix", "asn", "device", "interface", "power_port", "mac", "address", "cable", "context",
)  # fmt: skip

_FREE = ("description", "label", "serial", "address", "vendor", "part_number", "platform")


class Build:
    """Reads records into a draft.

    :ivar draft: the landscape in the making.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.draft = Draft(settings, ledger)
        self._ledger = ledger
        self._models: dict[str, str] = model_names(self.draft.known)
        self._types: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        self._ports: dict[str, dict[str, Record]] = {}
        self._supplies: dict[str, list[str]] = {}
        self._devices: dict[str, Record] = {}
        self._interfaces: dict[tuple[str, str], Record] = {}
        self._panels: dict[str, str] = {}
        self._feeds: dict[str, list[str]] = {}
        self._stated: dict[str, dict[str, Any]] = {}
        self._cables: list[Pair] = []
        self._contexts: list[Record] = []
        self._networks = Networks(self.draft, self._environment)

    def run(self, found: list[Pair]) -> None:
        """Reads all records; rows that cannot be used are reported."""
        order = {kind: number for number, kind in enumerate(ORDER)}
        for row, record in sorted(found, key=lambda pair: order[pair[1]["kind"]]):
            problem = self._checked(row, record)
            if problem:
                self._ledger.refuse(row, problem)
                continue
            try:
                self._read(record["kind"])(row, record)
            except cells.BadCell as error:
                self._ledger.refuse(row, str(error))
        for residual in self._contexts:
            overlay(self.draft, residual, ("roles", "device_models", "networks", "asn_schemes"))
        self._models_done()
        self._devices_done()
        write_cables(self.draft, self._cables, self._interfaces)
        self._settle()
        for residual in self._contexts:
            overlay(self.draft, residual)

    def _checked(self, row: Row, record: Record) -> str:
        """Why a record cannot be used, or nothing; a free text that cannot be trusted is dropped and reported."""
        for field, value in record.items():
            # What our own renderer guarded was never a template.
            text = value.replace("{", "") if isinstance(value, str) and record.get("guarded") else value
            problem = distrusted(text) if isinstance(text, str) else ""
            if problem and field not in _FREE:
                return problem
            if problem:
                record[field] = ""
                self._ledger.cell(row, f"{field}: {problem}")
        return ""

    def _read(self, kind: str) -> Callable[[Row, Record], None]:
        readers: dict[str, Callable[[Row, Record], None]] = {
            "tenant": self._tenant, "site": self._site, "panel": self._panel, "feed": self._feed, "rack": self._rack,
            "device_type": self._device_type, "interface_template": self._template, "power_port_template": self._template,
            "role": self._role, "device": self._device, "interface": self._interface, "power_port": self._power_port,
            "mac": self._mac, "address": self._address, "cable": self._cable, "context": self._context,
            "vlan": self._networks.vlan, "prefix": self._networks.prefix, "asn": self._no_place, "location": self._no_place,
        }  # fmt: skip
        return readers.get(kind, self._folded_in)

    def _folded_in(self, row: Row, _record: Record) -> None:
        # Manufacturers, VRFs and IPAM roles live in the objects that name them.
        self._ledger.use(row)

    def _no_place(self, row: Row, record: Record) -> None:
        self._ledger.refuse(row, f"a landscape has no place for this kind of object ({record['kind']}) by itself")

    def _environment(self, row: Row, tenant: str) -> str:
        name = known_as(tenant) or self.draft.settings.defaults.get("environment") or ""
        return self.draft.named("environments", name, row, lambda: {"protected": True}) if name else ""

    def _tenant(self, row: Row, record: Record) -> None:
        self._object(
            "environments", known_as(record["name"]), {"protected": True, "description": record["description"]}, row
        )

    def _site(self, row: Row, record: Record) -> None:
        self._object(
            "sites",
            known_as(record["name"]),
            {"description": record["description"], "address": record.get("address", "")},
            row,
        )

    def _object(self, section: str, name: str, fields: dict[str, Any], row: Row) -> None:
        if not name:
            raise cells.BadCell("it has no name")
        target = self.draft.section(section).setdefault(name, {})
        for key, value in fields.items():
            if value not in ("", None):
                target.setdefault(key, value)
        self._ledger.use(row)

    def _panel(self, row: Row, record: Record) -> None:
        self._panels[record["name"]] = known_as(record["site"])
        self._ledger.use(row)

    def _feed(self, row: Row, record: Record) -> None:
        site = known_as(record["site"]) or self._panels.get(record["panel"], "")
        name = known_as(record["name"])
        kind = "ups" if re.search(r"ups|usv", name.lower()) else "mains"
        self._object("feeds", name, {"site": site, "kind": kind, "description": record["description"]}, row)
        if record.get("rack"):
            self._feeds.setdefault(known_as(record["rack"]), []).append(name)
        lost(self._ledger, row, record)

    def _rack(self, row: Row, record: Record) -> None:
        site = known_as(record["site"])
        site = self.draft.named("sites", site or "site", row, dict)
        units = cells.number(str(record["units"] or "42"), 1, 60)
        name = known_as(record["name"])
        fields = {"site": site, "units": units, "feeds": self._feeds.get(name), "description": record["description"]}
        self._object("racks", name, fields, row)

    def _model(self, spelling: str) -> str:
        """The name of a model by its slug or model name, then by either without case and punctuation."""
        known = (self._types.get(spelling), self._models.get(folded(spelling)), self._types.get(folded(spelling)))
        return next(filter(None, known), "") or known_as(spelling)

    def _device_type(self, row: Row, record: Record) -> None:
        known = self._models.get(folded(record["slug"])) or self._models.get(folded(record["model"]))
        name = known or own_name(record["model"], record["slug"])
        if name == EXTERNAL:
            self._ledger.use(row)
            return
        self._types[record["slug"]] = name
        for spelling in (record["model"], folded(record["slug"]), folded(record["model"])):
            self._types.setdefault(spelling, name)
        height = record["height"]
        fields = {
            "vendor": "" if record["vendor"] == NO_VENDOR else record["vendor"],
            "part_number": record["part_number"],
            "description": record["description"],
            "height": int(height)
            if isinstance(height, (int, float)) and float(height).is_integer() and 0 <= height <= 20
            else None,
        }
        self._object("device_models", name, fields, row)

    def _template(self, row: Row, record: Record) -> None:
        model = self._model(record["device_type"])
        if record["kind"] == "power_port_template":
            supplies = self._supplies.setdefault(model, [])
            if record["name"] not in supplies:
                supplies.append(cells.name(record["name"]))
        else:
            self._port(model, record)
        self._ledger.use(row)

    def _port(self, model: str, record: Record) -> None:
        if model and record["type"] not in LOGICAL:
            self._ports.setdefault(model, {}).setdefault(cells.port(record["name"]), record)

    def _role(self, row: Row, record: Record) -> None:
        if record["slug"] != EXTERNAL:
            name = own_name(record["name"], record["slug"])
            self._roles[record["slug"]] = name
            self._roles.setdefault(folded(record["slug"]), name)
            described = {"description": record["description"]} if record["description"] else {}
            self.draft.section("roles").setdefault(name, described)
        self._ledger.use(row)

    def _role_name(self, spelling: str) -> str:
        return self._roles.get(spelling) or self._roles.get(folded(spelling), "") or known_as(spelling)

    def _device(self, row: Row, record: Record) -> None:
        name = cells.name(record["name"])
        before = self._devices.get(name)
        for spelling in (record["type"], record["role"], record["rack"], record["site"], record["tenant"]):
            known_as(spelling)  # refused here, where its row is at hand
        if before is None:
            self._devices[name] = {**record, "row": row, "power": {}, "macs": {}}
            return
        # netbox-manager writes a device first and gives it its addresses later.
        for key, value in record.items():
            if value not in ("", None, []) and before.get(key) in ("", None, []):
                before[key] = value
        self._ledger.merge(row, f"{name} was described before")

    def _interface(self, row: Row, record: Record) -> None:
        device = self._devices.get(record["device"])
        if device is None:
            raise cells.BadCell(f"{record['device'][:60]!r} is no device of the export")
        key = (record["device"], cells.port(record["name"]))
        before = self._interfaces.get(key)
        if before is None:
            self._interfaces[key] = record
        else:
            before.update({field: value for field, value in record.items() if value not in ("", None, True)})
        if record["mac"]:
            device["macs"][key[1]] = cells.mac(record["mac"])
        self._ledger.use(row)

    def _mac(self, row: Row, record: Record) -> None:
        device = self._devices.get(record["device"])
        if device is None:
            raise cells.BadCell("it belongs to no device of the export")
        device["macs"][cells.port(record["interface"])] = cells.mac(record["mac"])
        self._ledger.use(row)

    def _power_port(self, row: Row, record: Record) -> None:
        device = self._devices.get(record["device"])
        if device is None:
            raise cells.BadCell(f"{record['device'][:60]!r} is no device of the export")
        supply = cells.name(record["name"])
        supplies = self._supplies.setdefault(self._model(device["type"]), [])
        if supply not in supplies:
            supplies.append(supply)
        if record.get("feed"):
            device["power"][supply] = cells.name(record["feed"])
        self._ledger.use(row)

    def _address(self, row: Row, record: Record) -> None:
        device = self._devices.get(record["device"])
        if device is None:
            self._ledger.refuse(
                row, "it belongs to no device; a landscape derives addresses of devices and lists ranges"
            )
            return
        device.setdefault("addresses", []).append((record["address"], record["interface"], row))
        self._ledger.use(row)

    def _cable(self, row: Row, record: Record) -> None:
        self._cables.append((row, record))

    def _context(self, row: Row, record: Record) -> None:
        if isinstance(record.get("data"), dict) and "landscape" in record["data"]:
            self._contexts.append(record["data"]["landscape"])
            self._ledger.use(row)
        else:
            self._ledger.refuse(row, "a landscape has no place for config contexts")

    def _models_done(self) -> None:
        """Ports of models: of their templates, and what devices have beyond them."""
        for (device, _port), record in self._interfaces.items():
            model = self._model(self._devices[device]["type"])
            if model != EXTERNAL:
                self._port(model, record)
        for model, supplies in self._supplies.items():
            if model in self.draft.section("device_models") and supplies:
                self.draft.section("device_models")[model].setdefault("psus", supplies)
        for model, ports in self._ports.items():
            described = self.draft.section("device_models").get(model)
            if described is not None and "ports" not in described:
                described["ports"] = groups_of(self._ledger, model, list(ports.values()), self._is_switch_model(model))

    def _is_switch_model(self, model: str) -> bool:
        roles = {
            self._role_name(device["role"]) for device in self._devices.values() if self._model(device["type"]) == model
        }
        return any(self._kind(role) == "switch" for role in roles)

    def _kind(self, role: str) -> str:
        known = self.draft.section("roles").get(role, {}).get("kind")
        if known:
            return str(known)
        return kind_guess(role)

    def _devices_done(self) -> None:
        for name, record in self._devices.items():
            row = record["row"]
            model, role = self._model(record["type"]), self._role_name(record["role"])
            if record["role"] == EXTERNAL:
                ports = [port for device, port in self._interfaces if device == name]
                external = {"description": record["description"], "ports": folded_ranges(sorted(ports, key=natural))}
                self.draft.section("externals")[name] = {key: value for key, value in external.items() if value}
            elif not model or not role:
                self._ledger.refuse(row, f"it has no {'role' if model else 'device type'}")
                continue
            else:
                self._place(name, record, model, role)
            self._ledger.use(row)
            lost(self._ledger, row, record)
        for section in ("device_models", "roles"):
            for described in self.draft.section(section).values():
                described.setdefault("kind", "other")

    def _place(self, name: str, record: Record, model: str, role: str) -> None:
        """Puts a device into its section, with a model and a role that exist."""
        kind = self._kind(role)
        for section, wanted in (("device_models", model), ("roles", role)):
            self._needed(section, wanted, record["row"], dict)
            if wanted in self.draft.section(section):
                self.draft.section(section)[wanted].setdefault("kind", kind)
        residual = record.get("residual")
        told = residual.get("section") if isinstance(residual, dict) else ""
        section = told if told in ("hosts", "switches") else "switches" if kind == "switch" else "hosts"
        device = self._one_device(name, record, model, role)
        if isinstance(residual, dict):
            device.update(of_device(self.draft, section, name, residual))
        else:
            device["origin"] = record["row"].origin
        self.draft.section(section)[name] = device

    def _needed(self, section: str, name: str, row: Row, stub: Callable[[], dict[str, Any]]) -> str:
        """Makes up what only a device names. Our own data names nothing that is missing by accident."""
        return name if self._contexts else self.draft.named(section, name, row, stub)

    def _one_device(self, name: str, record: Record, model: str, role: str) -> dict[str, Any]:
        row = record["row"]
        tenant = known_as(record["tenant"]) or self.draft.settings.defaults.get("environment") or "default"
        environment = self._needed("environments", tenant, row, lambda: {"protected": True})
        device: dict[str, Any] = {"model": model, "role": role, "environment": environment}
        state = STATE_OF_STATUS.get(record["status"], "active")
        if state != "active":
            device["state"] = state
        rack, site = known_as(record["rack"]), known_as(record["site"]) or "site"
        if rack:
            device["rack"] = rack
            self._needed("racks", rack, row, lambda: {"site": self._needed("sites", site, row, dict), "units": 48})
        unit = record["unit"]
        if isinstance(unit, (int, float)) and not isinstance(unit, bool) and unit in range(1, 61):
            device["unit"] = int(unit)
        texts = {"serial": "serial", "os": "platform", "description": "description", "macs": "macs", "power": "power"}
        device.update({field: record[key] for field, key in texts.items() if record[key]})
        self._stated[name] = self._addresses(name, record)
        return device

    def _addresses(self, name: str, record: Record) -> dict[str, Any]:
        """Management address and loopbacks of a device, by the interface they are on and what NetBox calls primary."""
        stated: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for address, interface, row in record.get("addresses", []):
            port = self._interfaces.get((name, interface)) or self._ports.get(self._model(record["type"]), {}).get(
                interface
            )
            logical = interface == LOOPBACK or (port is not None and port["type"] in LOGICAL)
            host_route = address.endswith(("/32", "/128"))
            field = ""
            if address == record["oob_ip"] or (port is not None and port["mgmt_only"] and ":" not in address):
                field = "oob_address"
            elif (
                address in (record["primary_ip4"], record["primary_ip6"]) and (logical or host_route)
            ) or interface == LOOPBACK:
                field = "loopback_v6" if ":" in address else "loopback_v4"
            try:
                value = (cells.ipv6 if ":" in address else cells.ipv4)(address)
            except cells.BadCell as error:
                self._ledger.cell(row, str(error))
                continue
            if field and field not in stated:
                stated[field], origin[field] = value, row.origin
            else:
                self._ledger.cell(
                    row, f"{address} on {name}/{interface} is neither its management address nor a loopback"
                )
        return {**stated, "origin": origin}

    def _settle(self) -> None:
        """Indexes, and addresses that do not follow from them."""
        if not self._contexts:
            self._networks.of_roles(self._stated)
        settle(self.draft, self._stated)
