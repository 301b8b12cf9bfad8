# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Objects of NetBox's REST API as flat records that name other objects by name.

One record form serves NetBox 3.7 and 4.x: roles as ``device_role`` or ``role``, cables with ``termination_a`` or
``a_terminations``, MAC addresses as text or as objects of their own.
"""

from __future__ import annotations

import re
from typing import Any, Callable

from .netbox_types import KEY

#: Endpoint (with and without its application) to kind of record.
ENDPOINTS = {
    "dcim/sites": "site", "dcim/racks": "rack", "dcim/manufacturers": "manufacturer", "dcim/device-types": "device_type",
    "dcim/device-roles": "role", "dcim/devices": "device", "dcim/interfaces": "interface", "dcim/cables": "cable",
    "dcim/interface-templates": "interface_template", "dcim/power-port-templates": "power_port_template",
    "dcim/power-ports": "power_port", "dcim/power-feeds": "feed", "dcim/power-panels": "panel", "dcim/mac-addresses": "mac",
    "dcim/locations": "location", "tenancy/tenants": "tenant", "ipam/prefixes": "prefix", "ipam/vlans": "vlan",
    "ipam/ip-addresses": "address", "ipam/vrfs": "vrf", "ipam/asns": "asn", "ipam/roles": "ipam_role",
    "extras/config-contexts": "context",
}  # fmt: skip
_SHORT = {endpoint.split("/")[1]: kind for endpoint, kind in ENDPOINTS.items()}

Record = dict[str, Any]


def kind_of(name: str, item: Any) -> str:
    """The kind of an object: by its address, else by the name of the file or key it came from; unknown: empty."""
    url = str(item.get("url", "")) if isinstance(item, dict) else ""
    found = re.search(r"/api/([a-z]+/[a-z-]+)/", url)
    if found and found[1] in ENDPOINTS:
        return ENDPOINTS[found[1]]
    stem = re.sub(r"\.json$", "", name.lower().rpartition("/")[2]).replace("_", "-")
    for candidate in (name.lower().strip("/"), stem.replace("dcim-", "").replace("ipam-", ""), stem):
        short = candidate.rpartition("/")[2]
        if candidate in ENDPOINTS or short in _SHORT:
            return ENDPOINTS.get(candidate) or _SHORT[short]
    return ""


def lists_of(name: str, data: Any) -> list[tuple[str, list[Any]]]:
    """The lists in an export: a list, an answer with ``results``, or a mapping of endpoints to either."""
    if isinstance(data, list):
        return [(name, data)]
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        return [(name, data["results"])]
    if isinstance(data, dict) and ("id" in data or "url" in data):
        return [(name, [data])]
    if isinstance(data, dict):
        return [
            pair for key, value in data.items() if isinstance(value, (list, dict)) for pair in lists_of(str(key), value)
        ]
    return []


def _pick(item: Any, *path: str) -> Any:
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    return item


def _text(item: Any, *path: str) -> str:
    found = _pick(item, *path)
    return str(found) if isinstance(found, (str, int, float)) and not isinstance(found, bool) else ""


def _name(item: Any, key: str) -> str:
    """The name of a nested object, as ``{"name": ...}`` or plain."""
    nested = _pick(item, key)
    return _text(nested, "name") or _text(nested, "model") or (str(nested) if isinstance(nested, str) else "")


def _choice(item: Any, key: str) -> str:
    """A choice, as ``{"value": ..., "label": ...}`` or plain."""
    return _text(item, key, "value") or _text(item, key)


def record(kind: str, item: dict[str, Any]) -> Record:
    """One object as a record; fields that are not there are empty texts."""
    base: Record = {
        "kind": kind,
        "id": _pick(item, "id"),
        "name": _text(item, "name"),
        "description": _text(item, "description"),
    }
    base["slug"] = _text(item, "slug") or base["name"]
    reader = _READERS.get(kind)
    return {**base, **reader(item)} if reader else base


def _rack(item: Any) -> Record:
    return {"site": _name(item, "site"), "units": _pick(item, "u_height")}


def _device_type(item: Any) -> Record:
    return {
        "model": _text(item, "model"),
        "slug": _text(item, "slug") or _text(item, "model"),
        "vendor": _name(item, "manufacturer"),
        "height": _pick(item, "u_height"),
        "part_number": _text(item, "part_number"),
        "description": _text(item, "description") or _text(item, "comments"),
    }


def _device(item: Any) -> Record:
    role = _pick(item, "role") or _pick(item, "device_role")
    context = _pick(item, "local_context_data")
    return {
        "type": _text(item, "device_type", "slug") or _name(item, "device_type"),
        "role": _text(role, "slug") or _text(role, "name"),
        "site": _name(item, "site"),
        "rack": _name(item, "rack"),
        "unit": _pick(item, "position"),
        "status": _choice(item, "status"),
        "serial": _text(item, "serial"),
        "tenant": _name(item, "tenant"),
        "platform": _name(item, "platform"),
        "oob_ip": _text(item, "oob_ip", "address"),
        "primary_ip4": _text(item, "primary_ip4", "address"),
        "primary_ip6": _text(item, "primary_ip6", "address"),
        "residual": context.get(KEY) if isinstance(context, dict) else None,
        "lost": [
            key
            for key in ("tags", "custom_fields", "comments", "asset_tag", "location", "virtual_chassis", "cluster")
            if _says(item, key)
        ],
    }


def _says(item: Any, key: str) -> bool:
    """Whether a field holds something; custom fields do when one of them does."""
    value = _pick(item, key)
    return (
        any(child not in (None, "", [], {}) for child in value.values())
        if isinstance(value, dict) and key == "custom_fields"
        else bool(value)
    )


def _interface(item: Any) -> Record:
    return {
        "device": _name(item, "device"),
        "type": _choice(item, "type"),
        "mgmt_only": bool(_pick(item, "mgmt_only")),
        "enabled": _pick(item, "enabled") is not False,
        "lag": _name(item, "lag"),
        "label": _text(item, "label"),
        "mac": _text(item, "mac_address") or _text(item, "primary_mac_address", "mac_address"),
    }


def _template(item: Any) -> Record:
    return {
        "device_type": _text(item, "device_type", "slug") or _name(item, "device_type"),
        "type": _choice(item, "type"),
        "mgmt_only": bool(_pick(item, "mgmt_only")),
        "label": _text(item, "label"),
    }


def _end(item: Any, side: str) -> tuple[str, str, str] | None:
    """Type, device and name of one end; ``a_terminations`` since NetBox 3.3, ``termination_a`` before."""
    ends = _pick(item, f"{side}_terminations")
    if isinstance(ends, list):
        if len(ends) != 1:
            return None
        kind, nested = _text(ends[0], "object_type"), _pick(ends[0], "object")
    else:
        kind, nested = _text(item, f"termination_{side}_type"), _pick(item, f"termination_{side}")
    device = _name(nested, "device") or _name(nested, "power_panel")
    name = _text(nested, "name")
    return (kind, device, name) if name else None


def _cable(item: Any) -> Record:
    return {
        "a": _end(item, "a"),
        "b": _end(item, "b"),
        "status": _choice(item, "status"),
        "label": _text(item, "label"),
        "lost": [key for key in ("tags", "color", "length") if _pick(item, key)],
    }


def _mac(item: Any) -> Record:
    assigned = _pick(item, "assigned_object")
    return {
        "mac": _text(item, "mac_address"),
        "device": _name(assigned, "device"),
        "interface": _text(assigned, "name"),
    }


def _prefix(item: Any) -> Record:
    return {
        "prefix": _text(item, "prefix"),
        "vlan": _pick(item, "vlan", "vid"),
        "vlan_name": _text(item, "vlan", "name"),
        "vrf": _name(item, "vrf"),
        "role": _text(item, "role", "slug"),
        "tenant": _name(item, "tenant"),
    }


def _vlan(item: Any) -> Record:
    return {"vid": _pick(item, "vid"), "tenant": _name(item, "tenant"), "role": _text(item, "role", "slug")}


def _address(item: Any) -> Record:
    assigned = _pick(item, "assigned_object")
    return {
        "address": _text(item, "address"),
        "device": _name(assigned, "device"),
        "interface": _text(assigned, "name"),
    }


def _feed(item: Any) -> Record:
    panel = _pick(item, "power_panel")
    return {
        "panel": _text(panel, "name"),
        "site": _name(panel, "site"),
        "rack": _name(item, "rack"),
        "lost": [key for key in ("voltage", "amperage") if _pick(item, key)],
    }


def _power_port(item: Any) -> Record:
    links = _pick(item, "link_peers") or _pick(item, "connected_endpoints") or []
    peer = links[0] if isinstance(links, list) and links else None
    return {"device": _name(item, "device"), "feed": _text(peer, "name") if _pick(peer, "power_panel") else ""}


def _panel(item: Any) -> Record:
    return {"site": _name(item, "site")}


_READERS: dict[str, Callable[[Any], Record]] = {
    "site": lambda item: {"address": _text(item, "physical_address")},
    "rack": _rack,
    "device_type": _device_type,
    "device": _device,
    "interface": _interface,
    "interface_template": _template,
    "power_port_template": _template,
    "cable": _cable,
    "mac": _mac,
    "prefix": _prefix,
    "vlan": _vlan,
    "address": _address,
    "feed": _feed,
    "power_port": _power_port,
    "panel": _panel,
    "asn": lambda item: {"name": _text(item, "asn")},
    "context": lambda item: {"data": _pick(item, "data")},
}
