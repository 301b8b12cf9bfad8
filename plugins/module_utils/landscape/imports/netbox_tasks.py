# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Data of osism/netbox-manager as the records of :mod:`netbox_rest`: lists of tasks, and device types of its library.

A task is a mapping with one key, the name of a module of netbox.netbox without its prefix. Objects are named, not
numbered, so that a task reads almost like a record.
"""

from __future__ import annotations

from typing import Any, Callable

from .netbox_types import KEY, unguarded

Record = dict[str, Any]

_KINDS = {
    "tenant": "tenant", "site": "site", "rack": "rack", "device_role": "role", "ipam_role": "ipam_role", "vrf": "vrf", "vlan": "vlan",
    "prefix": "prefix", "power_panel": "panel", "power_feed": "feed", "device": "device", "device_interface": "interface",
    "mac_address": "mac", "ip_address": "address", "cable": "cable", "config_context": "context", "manufacturer": "manufacturer",
    "device_type": "device_type", "location": "location",
}  # fmt: skip


def is_tasks(data: Any) -> bool:
    """Whether a YAML document is a list of tasks."""
    return isinstance(data, list) and all(isinstance(task, dict) and len(task) >= 1 for task in data)


def is_device_type(data: Any) -> bool:
    """Whether a YAML document is a device type of the library."""
    return isinstance(data, dict) and "manufacturer" in data and "model" in data and "slug" in data


def records_of(task: dict[str, Any]) -> list[Record]:
    """The records of a task; none when its key is not known or its value is no mapping."""
    key, value = next(((key, value) for key, value in task.items() if key != "register"), ("", None))
    kind = _KINDS.get(str(key), "")
    if not kind or not isinstance(value, dict):
        return []
    item = unguarded(value)
    base: Record = {
        "kind": kind,
        "id": None,
        "guarded": item != value,
        **{field: _text(item, field) for field in ("name", "description")},
    }
    base["slug"] = _text(item, "slug") or base["name"]
    reader = _READERS.get(kind)
    return [{**base, **(reader(item) if reader else {})}]


def device_type(data: dict[str, Any]) -> list[Record]:
    """A device type of the library with its interfaces and power ports."""
    item = unguarded(data)
    slug = _text(item, "slug")
    found: list[Record] = [
        {
            "kind": "device_type", "id": None, "guarded": item != data, "name": _text(item, "model"), "model": _text(item, "model"), "slug": slug,
            "vendor": _text(item, "manufacturer"), "height": item.get("u_height"), "part_number": _text(item, "part_number"),
            "description": _text(item, "comments"),
        }
    ]  # fmt: skip
    for key, kind in (("interfaces", "interface_template"), ("power-ports", "power_port_template")):
        entries = item.get(key)
        listed = [entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict)]
        found += [_template(kind, slug, entry) for entry in listed]
    return found


def _template(kind: str, slug: str, entry: dict[str, Any]) -> Record:
    texts = {key: _text(entry, key) for key in ("name", "type", "label")}
    more = {"id": None, "slug": "", "description": "", "mgmt_only": bool(entry.get("mgmt_only"))}
    return {"kind": kind, "device_type": slug, **texts, **more}


def _text(item: Any, key: str) -> str:
    found = item.get(key) if isinstance(item, dict) else None
    return str(found) if isinstance(found, (str, int, float)) and not isinstance(found, bool) else ""


def _named(item: Any, key: str) -> str:
    """A reference: a name, or a mapping with one."""
    found = item.get(key)
    return _text(found, "name") if isinstance(found, dict) else _text(item, key)


def _device(item: Any) -> Record:
    context = item.get("local_context_data")
    return {
        "type": _text(item, "device_type"),
        "role": _text(item, "device_role") or _text(item, "role"),
        "site": _named(item, "site"),
        "rack": _named(item, "rack"),
        "unit": item.get("position"),
        "status": _text(item, "status"),
        "serial": _text(item, "serial"),
        "tenant": _named(item, "tenant"),
        "platform": _text(item, "platform"),
        "oob_ip": _text(item, "oob_ip"),
        "primary_ip4": _text(item, "primary_ip4"),
        "primary_ip6": _text(item, "primary_ip6"),
        "residual": context.get(KEY) if isinstance(context, dict) else None,
        "lost": [key for key in ("tags", "custom_fields", "comments", "asset_tag", "location") if item.get(key)],
    }


def _interface(item: Any) -> Record:
    return {
        "device": _named(item, "device"),
        "type": _text(item, "type"),
        "mgmt_only": bool(item.get("mgmt_only")),
        "enabled": item.get("enabled") is not False,
        "lag": _named(item, "lag"),
        "label": "",
        "mac": _text(item, "primary_mac_address") or _text(item, "mac_address"),
    }


def _end(item: Any, side: str) -> tuple[str, str, str] | None:
    end = item.get(f"termination_{side}")
    device, name = (_named(end, "device"), _text(end, "name")) if isinstance(end, dict) else ("", "")
    return (_text(item, f"termination_{side}_type"), device, name) if name else None


def _cable(item: Any) -> Record:
    lost = [key for key in ("tags", "color", "length") if item.get(key)]
    return {
        "a": _end(item, "a"),
        "b": _end(item, "b"),
        "status": _text(item, "status"),
        "label": _text(item, "label"),
        "lost": lost,
    }


def _assigned(item: Any) -> Record:
    end = item.get("assigned_object")
    return (
        {"device": _named(end, "device"), "interface": _text(end, "name")}
        if isinstance(end, dict)
        else {"device": "", "interface": ""}
    )


def _prefix(item: Any) -> Record:
    return {
        "prefix": _text(item, "prefix"),
        "vlan": None,
        "vlan_name": _named(item, "vlan"),
        "vrf": _named(item, "vrf"),
        "role": _text(item, "prefix_role"),
        "tenant": _named(item, "tenant"),
    }


_READERS: dict[str, Callable[[Any], Record]] = {
    "site": lambda item: {"address": _text(item, "physical_address")},
    "rack": lambda item: {"site": _named(item, "site"), "units": item.get("u_height")},
    "device": _device,
    "interface": _interface,
    "cable": _cable,
    "mac": lambda item: {"mac": _text(item, "mac_address"), **_assigned(item)},
    "address": lambda item: {"address": _text(item, "address"), **_assigned(item)},
    "prefix": _prefix,
    "vlan": lambda item: {"vid": item.get("vid"), "tenant": _named(item, "tenant"), "role": _text(item, "vlan_role")},
    "panel": lambda item: {"site": _named(item, "site")},
    "feed": lambda item: {"panel": _named(item, "power_panel"), "site": "", "lost": []},
    "context": lambda item: {"data": item.get("data")},
    "device_type": lambda item: {
        "model": _text(item, "model"),
        "slug": _text(item, "slug") or _text(item, "model"),
        "vendor": _named(item, "manufacturer"),
        "height": item.get("u_height"),
        "part_number": _text(item, "part_number"),
    },
}
