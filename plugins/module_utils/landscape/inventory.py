# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The landscape as an Ansible inventory: hosts with variables, groups with hosts and children.

Used by the inventory plugin and by the renderers of static inventories, so that both say the same. Two families of
variables: ``landscape_*`` are the collection's own; the others carry the names that OSISM and the SCS lab
(hardware-landscape, ``inventory/host_vars``) use.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from .decode import nearest
from .derive import Link, ResolvedDevice, View, speed_of
from .names import natural

#: What devices can be grouped by, with the prefix that the groups carry unless told otherwise.
GROUP_KEYS = ("site", "rack", "role", "environment", "model", "state")
DEFAULT_PREFIXES: Mapping[str, str] = {key: f"{key}_" for key in GROUP_KEYS}
#: Interface that carries the loopback address of a server ("router on the host", SCS lab and OSISM alike).
LOOPBACK_INTERFACE = "dummy0"
#: Names that Ansible gives to the controller itself; a device must not take them over.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
#: Groups that Ansible makes itself.
CORE_GROUPS = ("all", "ungrouped")
#: Variables that Ansible computes; a value of the same name in an inventory is ignored or does harm.
MAGIC_VARIABLES = frozenset(
    (
        "environment",
        "groups",
        "group_names",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
        "play_hosts",
        "playbook_dir",
        "role_name",
        "role_path",
        "vars",
    )
)
#: Text that stays text in every version of Ansible, even where a play evaluates it twice: no braces, quotes, calls, filters.
_INERT = re.compile(r"[\w .,:;/@+#=<>*-]*", re.ASCII)
_NOT_VALID = re.compile(r"[^A-Za-z0-9_]")
_NOT_VALID_BUT_DASH = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True)
class Options:
    """What goes into the inventory.

    :param states: devices in these states become hosts.
    :param group_by: prefix of the groups by each key of :data:`GROUP_KEYS`; a key that is absent makes no groups.
    :param keep_dashes: names of these groups keep dashes; otherwise everything but letters, digits and ``_`` becomes ``_``.
    :param osism: variables with the names of OSISM and hardware-landscape.
    :param own: variables named ``landscape_*``.
    :param connection_vars: ``vars`` of a device may set ``ansible_*`` variables.
    """

    states: tuple[str, ...] = ("active",)
    group_by: Mapping[str, str] = dataclasses.field(default_factory=lambda: dict(DEFAULT_PREFIXES))
    keep_dashes: bool = False
    osism: bool = True
    own: bool = True
    connection_vars: bool = False


def options_of(params: Mapping[str, Any]) -> Options:
    """The options from those of a plugin or module (``states``, ``group_by``, ``group_names``, ``osism_vars``...).

    :raises InputError: ``group_by`` is not a mapping of known keys to texts.
    """
    group_by = params["group_by"] or {}
    if not isinstance(group_by, dict):
        raise InputError(f"group_by is a {type(group_by).__name__}, not a mapping of keys to prefixes")
    for key, prefix in group_by.items():
        if key not in GROUP_KEYS:
            hint = nearest(str(key), GROUP_KEYS) or "It knows " + ", ".join(GROUP_KEYS)
            raise InputError(f"group_by does not know {str(key)[:80]!r}", hint=hint)
        if prefix is not None and not isinstance(prefix, str):
            raise InputError(f"The prefix of group_by {key} is {prefix!r}, not a text")
    return Options(
        states=tuple(params["states"]),
        group_by={key: prefix or "" for key, prefix in group_by.items()},
        keep_dashes=params["group_names"] == "dashes",
        osism=params["osism_vars"],
        own=params["landscape_vars"],
        connection_vars=params["connection_vars"],
    )


@dataclass(frozen=True)
class Inventory:
    """Hosts with their variables, groups with their direct hosts, groups with their child groups, and what was left out.

    Everything is JSON-able, ordered by natural sort of the names, and may be shared: treat it as read-only.
    """

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    children: dict[str, list[str]]
    refused: list[str]


def build(view: View, options: Options = Options()) -> Inventory:
    """The inventory of a landscape. Never fails; what could not be taken over is said in ``refused``."""
    refused: list[str] = []
    names = _host_names(view, options, refused)
    hosts = {name: host_variables(view, view.devices[name], options, refused) for name in names}
    groups: dict[str, set[str]] = {name: set() for name in view.landscape.groups}
    for name in names:
        resolved = view.devices[name]
        for group in (*resolved.groups, *auto_groups(view, resolved, options)):
            groups.setdefault(group, set()).add(name)
    for name in [name for name in CORE_GROUPS if name in groups]:
        del groups[name]
        refused.append(f"the group {name} is Ansible's own and was left out; give it another name")
    children = _children(view, groups, refused)
    ordered = {name: sorted(groups[name], key=natural) for name in sorted(groups, key=natural)}
    return Inventory(hosts, ordered, children, refused)


def is_inert(text: str) -> bool:
    """Whether a text can do nothing when Ansible takes it for a template or a condition; all names and addresses are so."""
    return _INERT.fullmatch(text) is not None


def _host_names(view: View, options: Options, refused: list[str]) -> list[str]:
    wanted = [name for name, resolved in view.devices.items() if resolved.device.state in options.states]
    refused += [
        f"the device {name} was left out: the name belongs to the Ansible controller"
        for name in LOCAL_NAMES
        if name in wanted
    ]
    return sorted((name for name in wanted if name not in LOCAL_NAMES), key=natural)


def site_of(view: View, resolved: ResolvedDevice) -> str:
    """The site of the device's rack; empty when it has no rack."""
    rack = view.landscape.racks.get(resolved.device.rack)
    return rack.site if rack else ""


def is_switch(view: View, name: str) -> bool:
    """Whether the device is written among the switches (and not also, finding S09, among the hosts)."""
    return name in view.landscape.switches and name not in view.landscape.hosts


def auto_groups(view: View, resolved: ResolvedDevice, options: Options) -> list[str]:
    """Names of the groups that follow from where and what a device is."""
    device = resolved.device
    invalid = _NOT_VALID_BUT_DASH if options.keep_dashes else _NOT_VALID
    groups = []
    for key, prefix in options.group_by.items():
        found = site_of(view, resolved) if key == "site" else getattr(device, key)
        if found:
            groups.append(invalid.sub("_", f"{prefix}{found}"))
    return groups


def _children(view: View, groups: Mapping[str, Any], refused: list[str]) -> dict[str, list[str]]:
    """Child groups of every group, without the edges that would close a circle."""
    children: dict[str, list[str]] = {}
    for name in sorted(view.landscape.groups, key=natural):
        for child in view.landscape.groups[name].children:
            if name not in groups or child not in groups:
                continue
            if _reaches(children, child, name):
                refused.append(f"the group {child} was not made a child of {name}: {name} already belongs to {child}")
                continue
            children.setdefault(name, []).append(child)
    return children


def _reaches(children: Mapping[str, list[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += children.get(name, ())
    return False


def host_variables(view: View, resolved: ResolvedDevice, options: Options, refused: list[str]) -> dict[str, Any]:
    """All variables of a host; unknown values are left out, lists are always there."""
    variables: dict[str, Any] = {}
    address = reachable_at(view, resolved)
    if address:
        variables["ansible_host"] = address
    if options.osism:
        variables.update(osism_variables(view, resolved))
    variables.update(_free_variables(resolved, options, refused))
    if options.own:
        variables.update(own_variables(view, resolved))
    return variables


def reachable_at(view: View, resolved: ResolvedDevice) -> str:
    """Where SSH reaches the device: the loopback of a server, the management address of everything else."""
    if is_switch(view, resolved.name):
        return resolved.oob_v4
    return resolved.loopback_v4 or resolved.oob_v4


def _free_variables(resolved: ResolvedDevice, options: Options, refused: list[str]) -> dict[str, Any]:
    """``vars`` of the device, except names that would change how Ansible connects or hide what the landscape says."""
    allowed = {}
    for name, value in resolved.device.vars.items():
        if name.startswith("ansible_") and not options.connection_vars:
            reason = "variables named ansible_ change how Ansible connects; the option connection_vars permits them"
        elif name.startswith("landscape_"):
            reason = "names beginning with landscape_ belong to the collection"
        elif name in MAGIC_VARIABLES:
            reason = "Ansible computes a variable of that name"
        else:
            allowed[name] = value
            continue
        refused.append(f"the variable {name} of {resolved.name} was left out: {reason}")
    return allowed


def osism_variables(view: View, resolved: ResolvedDevice) -> dict[str, Any]:
    """Variables as hardware-landscape and OSISM name them; ``bgp_asn`` is left out where there is none (the lab says NONE)."""
    variables: dict[str, Any] = {
        "device_model": resolved.model.part_number or resolved.model.name if resolved.model else "",
        "mgmt_address": resolved.oob_v4,
        "mgmt_mac": resolved.oob_mac,
        "serial_device": resolved.device.console,
    }
    if is_switch(view, resolved.name):
        variables["bgp_asn"] = resolved.asn
    elif resolved.loopback_v4:
        variables["internal_interface"] = LOOPBACK_INTERFACE
        variables["network_interface"] = LOOPBACK_INTERFACE
        variables["internal_address"] = resolved.loopback_v4
        variables["frr_local_as"] = resolved.asn
        variables["frr_loopback_v4"] = resolved.loopback_v4
        variables["frr_loopback_v6"] = resolved.loopback_v6
        variables["frr_uplinks"] = _frr_uplinks(resolved)
    return {name: value for name, value in variables.items() if value not in ("", None, [])}


def _frr_uplinks(resolved: ResolvedDevice) -> list[dict[str, Any]]:
    ports = {link.port for link in resolved.uplinks}
    return [
        {"interface": neighbor.interface, "remote_as": neighbor.remote_asn}
        for neighbor in resolved.neighbors
        if neighbor.interface in ports
    ]


def own_variables(view: View, resolved: ResolvedDevice) -> dict[str, Any]:
    """The ``landscape_*`` variables of a device."""
    device = resolved.device
    environment = view.landscape.environments.get(device.environment)
    variables: dict[str, Any] = {
        "landscape_site": site_of(view, resolved),
        "landscape_rack": device.rack,
        "landscape_unit": device.unit,
        "landscape_role": device.role,
        "landscape_environment": device.environment,
        "landscape_protected": environment.protected if environment else True,
        "landscape_model": device.model,
        "landscape_serial": device.serial,
        "landscape_state": device.state,
        "landscape_index": device.index,
        "landscape_description": device.description,
        "landscape_asn": resolved.asn,
        "landscape_loopback_v4": resolved.loopback_v4,
        "landscape_loopback_v6": resolved.loopback_v6,
        "landscape_power": dict(device.power),
    }
    known = {name: value for name, value in variables.items() if value not in ("", None)}
    oob = _oob(resolved)
    if oob:
        known["landscape_oob"] = oob
    if oob.get("mac") and oob.get("address"):
        known["landscape_dhcp"] = {
            "address": oob["address"],
            "mac": oob["mac"],
            "hostname": device.name,
            "network": oob["network"],
        }
    known["landscape_links"] = [_link(view, resolved, link) for link in resolved.links]
    known["landscape_neighbors"] = [
        {"interface": neighbor.interface, "peer": neighbor.peer, "remote_asn": neighbor.remote_asn}
        for neighbor in resolved.neighbors
    ]
    return known


def _oob(resolved: ResolvedDevice) -> dict[str, Any]:
    """The management port: address, MAC address and the network around it."""
    network = resolved.oob_network
    found: dict[str, Any] = {"address": resolved.oob_v4, "mac": resolved.oob_mac, "port": resolved.oob_port}
    if network is not None:
        prefix = network.v4.partition("/")[2]
        found.update(network=network.name, gateway=network.router_v4, prefix=int(prefix) if prefix else None)
    if not found["address"] and not found["mac"]:
        return {}
    return {name: value for name, value in found.items() if value not in ("", None)}


def _link(view: View, near: ResolvedDevice, link: Link) -> dict[str, str]:
    entry = {"port": link.port, "peer": link.peer, "peer_port": link.peer_port, "state": link.cable.state}
    far = view.devices.get(link.peer)
    speed = speed_of(link.cable, near.ports.get(link.port), far.ports.get(link.peer_port) if far else None)
    if speed:
        entry["speed"] = speed
    return entry
