# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Data for osism/netbox-manager: device types for its library, and lists of tasks that it applies in the order of the files.

NetBox gets what it has a place for. The rest goes with it, so that an import of the same data (or of NetBox itself) gives
the landscape back: what belongs to one device into the device's local context data, everything else into a config
context that is not active. What NetBox refuses (a second cable at a port, a cable to an unknown port) is listed by
:func:`warnings` and kept in the config context.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..derive import ResolvedDevice, View
from ..imports import emit
from ..imports.netbox_types import DEVICE_STATES, EXTERNAL, INTERFACES, KEY, LOOPBACK, NO_VENDOR, guarded, slug, slugs
from ..imports.plain import document_of
from ..names import expand, split_endpoint

Task = dict[str, Any]
_TYPES = {(speed, connector): kind for kind, speed, connector in reversed(INTERFACES)}
#: Fields of an object that NetBox holds itself; the others travel in the config context.
_NATIVE = {
    "sites": {"description", "address"},
    "feeds": {"site", "description"},
    "racks": {"site", "units", "description"},
    "device_models": {"vendor", "part_number", "description", "height", "psus"},
    "networks": {"description", "purpose", "v4", "v6", "vlan", "vrf", "environment"},
    "environments": {"description"},
    "roles": {"description"},
    "externals": {"description"},
}
_DEVICE = {"model", "role", "environment", "state", "rack", "unit", "serial", "description", "macs"}
_CABLE = {"a", "b", "state", "lag", "group", "description"}
_HEADER = "Applied by netbox-manager. Made from a landscape; change it there."


class _Renderer:
    """One rendering; holds what all parts look up."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.landscape = view.landscape
        self.document = document_of(view.landscape)
        self.types = slugs(self.landscape.device_models)
        self.roles = slugs(self.landscape.roles)
        self.sites = list(self.landscape.sites) or ["site"]
        self.cables, self.refused = self._fitting_cables()

    def _fitting_cables(self) -> tuple[list[int], list[str]]:
        """Numbers of the cables that NetBox takes, and why it refuses the others."""
        taken: set[tuple[str, str]] = set()
        fitting: list[int] = []
        refused: list[str] = []
        for number, cable in enumerate(self.landscape.cables):
            ends = [split_endpoint(cable.a), split_endpoint(cable.b)]
            problem = next(filter(None, (self._no_end(*end) for end in ends)), "")
            if not problem and (taken & set(ends) or ends[0] == ends[1]):
                problem = "a port of it has a cable already"
            if problem:
                refused.append(f"cables/{cable.name} is no cable for NetBox: {problem}")
            else:
                taken |= set(ends)
                fitting.append(number)
        return fitting, refused

    def _no_end(self, device: str, port: str) -> str:
        resolved = self.view.devices.get(device)
        if resolved is not None:
            return "" if port in resolved.ports else f"{device} has no port {port}"
        external = self.landscape.externals.get(device)
        if external is None:
            return f"{device} is not known"
        names = [name for pattern in external.ports for name in _expanded(pattern)]
        return "" if port in names else f"{device} has no port {port}"

    def base(self) -> list[Task]:
        """What other objects name."""
        tasks: list[Task] = []
        for name, environment in self.landscape.environments.items():
            tasks.append({"tenant": _filled(name=name, slug=slug(name), description=environment.description)})
        for name in self.sites:
            site = self.landscape.sites.get(name)
            described = _filled(description=site.description, physical_address=site.address) if site else {}
            tasks.append({"site": {"name": name, "slug": slug(name), **described}})
        for name, feed in self.landscape.feeds.items():
            panel = f"{KEY} {feed.site or self.sites[0]}"
            task = {"power_panel": {"name": panel, "site": feed.site or self.sites[0]}}
            if task not in tasks:
                tasks.append(task)
            tasks.append(
                {"power_feed": _filled(name=name, power_panel=panel, status="active", description=feed.description)}
            )
        for name, rack in self.landscape.racks.items():
            tasks.append(
                {"rack": _filled(name=name, site=rack.site, u_height=rack.units, description=rack.description)}
            )
        for name, role in self.landscape.roles.items():
            tasks.append({"device_role": _filled(name=name, slug=self.roles[name], description=role.description)})
        if self.landscape.externals:
            tasks.append({"device_role": {"name": EXTERNAL, "slug": EXTERNAL}})
        data = {KEY: self.residual()}
        tasks.append({"config_context": {"name": KEY, "is_active": False, "data": data}})
        return tasks

    def residual(self) -> dict[str, Any]:
        """Everything that has no place in NetBox, but what belongs to one device."""
        rest: dict[str, Any] = {}
        for section, value in self.document.items():
            if section in ("hosts", "switches", "cables"):
                continue
            native = _NATIVE.get(section)
            if native is None:
                rest[section] = value
                continue
            left = {
                name: {
                    key: content
                    for key, content in fields.items()
                    if key not in native or self._lacks(section, name, key)
                }
                for name, fields in value.items()
            }
            rest[section] = {name: fields for name, fields in left.items() if fields}
        cables = [self._cable_residual(number) for number in range(len(self.landscape.cables))]
        rest["cables"] = [cable for cable in cables if cable]
        return {section: value for section, value in rest.items() if value not in ({}, [])}

    def _lacks(self, section: str, name: str, key: str) -> bool:
        """A network without prefix and VLAN leaves nothing in NetBox; a vendor called as NetBox's none is none."""
        if section == "device_models" and key == "vendor":
            return self.landscape.device_models[name].vendor == NO_VENDOR
        if section != "networks":
            return False
        network = self.landscape.networks[name]
        return not (network.v4 or network.v6 or network.vlan)

    def _cable_residual(self, number: int) -> dict[str, Any]:
        fields = self.document["cables"][number]
        if number not in self.cables:
            return dict(fields)
        left = {key: value for key, value in fields.items() if key not in _CABLE}
        return {"a": fields["a"], "b": fields["b"], **left} if left else {}

    def networks(self) -> list[Task]:
        """Roles, routing instances, VLANs and prefixes."""
        networks = self.landscape.networks
        tasks: list[Task] = [
            {"ipam_role": {"name": purpose, "slug": slug(purpose)}}
            for purpose in dict.fromkeys(network.purpose for network in networks.values() if network.purpose)
        ]
        tasks += [
            {"vrf": {"name": vrf}} for vrf in dict.fromkeys(network.vrf for network in networks.values() if network.vrf)
        ]
        for name, network in networks.items():
            if network.vlan is not None:
                vlan = _filled(name=name, vid=network.vlan, vlan_role=network.purpose, tenant=network.environment)
                tasks.append({"vlan": {**vlan, **_filled(description=network.description)}})
            for prefix in filter(None, (network.v4, network.v6)):
                text = f"{name}: {network.description}" if network.description else name
                task = _filled(prefix=prefix, prefix_role=network.purpose, vrf=network.vrf, tenant=network.environment)
                if network.vlan is not None:
                    task["vlan"] = {"name": name}
                tasks.append({"prefix": {**task, "description": text}})
        return tasks

    def devices(self) -> list[Task]:
        """Devices with their place, and what only a landscape says about them as local context data."""
        tasks = [{"device": self._device(resolved)} for resolved in self.view.devices.values()]
        for name, external in self.landscape.externals.items():
            fields = _filled(name=name, device_type=EXTERNAL, device_role=EXTERNAL, site=self.sites[0], status="active")
            tasks.append({"device": {**fields, **_filled(description=external.description)}})
        return tasks

    def _device(self, resolved: ResolvedDevice) -> Task:
        device = resolved.device
        rack = self.landscape.racks.get(device.rack)
        task = _filled(
            name=device.name,
            device_type=self.types.get(device.model, slug(device.model)),
            device_role=self.roles.get(device.role, slug(device.role)),
            tenant=device.environment,
            site=rack.site if rack else self.sites[0],
            rack=device.rack if rack else "",
            position=device.unit if rack else None,
            face="front" if rack and device.unit else "",
            status=DEVICE_STATES[device.state],
            serial=device.serial,
            description=device.description,
        )
        rest = self._device_residual(resolved)
        return {**task, "local_context_data": {KEY: rest}}

    def _device_residual(self, resolved: ResolvedDevice) -> dict[str, Any]:
        device = resolved.device
        section = "hosts" if device.name in self.landscape.hosts else "switches"
        fields = self.document[section][device.name]
        native = set(_DEVICE)
        if device.rack not in self.landscape.racks:
            native -= {"rack", "unit"}
        if not all(port in resolved.ports for port in device.macs):
            native -= {"macs"}
        rest = {key: value for key, value in fields.items() if key not in native}
        kind = resolved.role.kind if resolved.role else ""
        if section != ("switches" if kind == "switch" else "hosts"):
            rest["section"] = section
        return rest

    def interfaces(self) -> list[Task]:
        """MAC addresses, management addresses and loopbacks; ports that are shut down or bundled."""
        tasks: list[Task] = []
        for resolved in self.view.devices.values():
            tasks += self._macs(resolved) + self._addresses(resolved)
        for name, external in self.landscape.externals.items():
            ports = [port for pattern in external.ports for port in _expanded(pattern)]
            tasks += [{"device_interface": {"device": name, "name": port, "type": "other"}} for port in ports]
        seen: set[tuple[str, str]] = set()
        for number in self.cables:
            tasks += self._switched_off(number) + self._bundled(number, seen)
        return tasks

    @staticmethod
    def _macs(resolved: ResolvedDevice) -> list[Task]:
        if not all(port in resolved.ports for port in resolved.device.macs):
            return []
        tasks: list[Task] = []
        for port, mac in resolved.device.macs.items():
            end = {"device": resolved.name, "name": port}
            tasks.append({"mac_address": {"mac_address": mac, "assigned_object": end}})
            tasks.append({"device_interface": {**end, "primary_mac_address": mac}})
        return tasks

    @staticmethod
    def _addresses(resolved: ResolvedDevice) -> list[Task]:
        addresses: list[tuple[str, str, str]] = []
        network = resolved.oob_network
        if resolved.oob_v4 and resolved.oob_port:
            length = ipaddress.IPv4Network(network.v4).prefixlen if network and network.v4 else 32
            addresses.append(("oob_ip", resolved.oob_port, f"{resolved.oob_v4}/{length}"))
        if resolved.loopback_v4:
            addresses.append(("primary_ip4", LOOPBACK, f"{resolved.loopback_v4}/32"))
        if resolved.loopback_v6:
            addresses.append(("primary_ip6", LOOPBACK, f"{resolved.loopback_v6}/128"))
        tasks: list[Task] = []
        if resolved.loopback_v4 or resolved.loopback_v6:
            tasks.append({"device_interface": {"device": resolved.name, "name": LOOPBACK, "type": "virtual"}})
        for _field, port, address in addresses:
            tasks.append(
                {"ip_address": {"address": address, "assigned_object": {"device": resolved.name, "name": port}}}
            )
        if addresses:
            tasks.append({"device": {"name": resolved.name, **{field: address for field, _port, address in addresses}}})
        return tasks

    def _switched_off(self, number: int) -> list[Task]:
        cable = self.landscape.cables[number]
        if cable.state != "deactivated":
            return []
        ends = [split_endpoint(end) for end in (cable.a, cable.b)]
        return [{"device_interface": {"device": device, "name": port, "enabled": False}} for device, port in ends]

    def _bundled(self, number: int, seen: set[tuple[str, str]]) -> list[Task]:
        cable = self.landscape.cables[number]
        if not cable.lag:
            return []
        device, port = split_endpoint(cable.a)
        tasks: list[Task] = []
        if (device, cable.lag) not in seen:
            seen.add((device, cable.lag))
            tasks.append({"device_interface": {"device": device, "name": cable.lag, "type": "lag"}})
        return [*tasks, {"device_interface": {"device": device, "name": port, "lag": {"name": cable.lag}}}]

    def cable_tasks(self) -> list[Task]:
        """Cables that NetBox takes."""
        tasks: list[Task] = []
        for number in self.cables:
            cable = self.landscape.cables[number]
            task: Task = {"status": "planned" if cable.state == "planned" else "connected"}
            for side, end in (("a", cable.a), ("b", cable.b)):
                device, port = split_endpoint(end)
                task[f"termination_{side}_type"] = "dcim.interface"
                task[f"termination_{side}"] = {"device": device, "name": port}
            tasks.append({"cable": {**task, **_filled(label=cable.group, description=cable.description)}})
        return tasks

    def device_types(self) -> dict[str, str]:
        """Files for the device type library, one per model."""
        result: dict[str, str] = {}
        for name, model in self.landscape.device_models.items():
            described = _filled(
                manufacturer=model.vendor or NO_VENDOR,
                model=name,
                slug=self.types[name],
                part_number=model.part_number,
                u_height=model.height,
                is_full_depth=True,
                comments=model.description,
            )
            interfaces = _interfaces(self.document["device_models"][name].get("ports", []))
            supplies = [{"name": psu} for psu in model.psus]
            content = {**described, **_filled(**{"interfaces": interfaces, "power-ports": supplies})}
            folder = slug(model.vendor) or "other"
            result[f"devicetypes/{folder}/{self.types[name]}.yaml"] = emit.data(guarded(content), [_HEADER])
        if self.landscape.externals:
            content = {
                "manufacturer": NO_VENDOR,
                "model": EXTERNAL,
                "slug": EXTERNAL,
                "u_height": 0,
                "is_full_depth": False,
            }
            result[f"devicetypes/other/{EXTERNAL}.yaml"] = emit.data(content, [_HEADER])
        return result


def _filled(**fields: Any) -> dict[str, Any]:
    """The fields that say something; 0 and false do."""
    return {key: value for key, value in fields.items() if value not in ("", None, [], ())}


def _expanded(pattern: str) -> tuple[str, ...]:
    try:
        return expand(pattern)
    except ValueError:
        return (pattern,)


def _interfaces(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    interfaces: list[dict[str, Any]] = []
    for group in groups:
        names = [name for pattern in group.get("names", ()) for name in _expanded(pattern)]
        labels = [label for pattern in group.get("aliases", ()) for label in _expanded(pattern)]
        for number, name in enumerate(names):
            entry = {"name": name, "type": _TYPES.get((group.get("speed", ""), group.get("connector", "")), "other")}
            if number < len(labels):
                entry["label"] = labels[number]
            interfaces.append({**entry, "mgmt_only": True} if group.get("use") in ("bmc", "management") else entry)
    return interfaces


def files(view: View, _options: Any | None = None) -> dict[str, str]:
    """Files by name: ``devicetypes/<vendor>/<slug>.yaml`` and ``resources/<number>-<what>.yml``."""
    renderer = _Renderer(view)
    parts = (
        ("000-base", renderer.base()),
        ("100-networks", renderer.networks()),
        ("200-devices", renderer.devices()),
        ("300-interfaces", renderer.interfaces()),
        ("400-cables", renderer.cable_tasks()),
    )
    resources = {f"resources/{name}.yml": emit.items(guarded(tasks), [_HEADER]) for name, tasks in parts if tasks}
    return {**renderer.device_types(), **resources}


def warnings(view: View) -> list[str]:
    """What NetBox refuses and only keeps as data, and devices that it refuses altogether."""
    known = view.landscape
    missing = [
        f"{resolved.device.ref} is no device for NetBox: {field} {name} is not known"
        for resolved in view.devices.values()
        for field, name, section in (
            ("model", resolved.device.model, known.device_models),
            ("role", resolved.device.role, known.roles),
            ("environment", resolved.device.environment, known.environments),
        )
        if name not in section
    ]
    return missing + _Renderer(view).refused
