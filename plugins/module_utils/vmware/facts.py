# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""From plain property trees to VMs. Pure: :mod:`.client` reads, this understands.

Names of properties and types are those of the vSphere Web Services API; what an older version does not tell is left out by the
reader, and then stands here as unknown instead of as a guess.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from . import devices, guests
from .model import Autostart, BootDisk, Disk, Endpoint, Snapshot, Vm

Tree = Mapping[str, Any]

#: What is read of every VM. Named properties only: whole objects fail where one type of theirs is unknown here.
VM_PROPERTIES = (
    "name",
    "parent",
    "parentVApp",
    "resourcePool",
    "config.annotation",
    "config.bootOptions",
    "config.changeTrackingEnabled",
    "config.files.vmPathName",
    "config.firmware",
    "config.ftInfo",
    "config.guestFullName",
    "config.guestId",
    "config.hardware",
    "config.instanceUuid",
    "config.keyId",
    "config.managedBy",
    "config.template",
    "config.uuid",
    "config.version",
    "guest.guestDetailedData",
    "guest.guestFullName",
    "guest.guestId",
    "guest.hostName",
    "guest.net",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "layoutEx",
    "runtime.connectionState",
    "runtime.consolidationNeeded",
    "runtime.faultToleranceState",
    "runtime.host",
    "runtime.powerState",
    "runtime.question",
    "snapshot",
)
#: What is read once for all VMs: names of what they refer to, VLANs, and which of them their hosts start.
AROUND: Mapping[str, Sequence[str]] = {
    "Folder": ("name", "parent"),
    "Datacenter": ("name", "parent"),
    "ComputeResource": ("name",),
    "ResourcePool": ("name",),
    "HostSystem": ("name", "parent", "configManager.autoStartManager", "config.network.portgroup"),
    "Datastore": ("name", "summary.type"),
    "Network": ("name",),
    "DistributedVirtualPortgroup": ("key", "config.defaultPortConfig"),
}
#: What is read of the managers that say which VMs their hosts start; no view holds those, so their ids come from the hosts.
STARTERS = ("HostAutoStartManager", "configManager.autoStartManager", ("config.powerInfo",))
#: Everything else, in one loop.
ALL: Mapping[str, Sequence[str]] = {**AROUND, "VirtualMachine": VM_PROPERTIES}

_POWER = {"poweredOn": "on", "poweredOff": "off", "suspended": "suspended"}
_TOOLS = {"guestToolsRunning": "running", "guestToolsExecutingScripts": "running", "guestToolsNotRunning": "stopped"}


@dataclass(frozen=True)
class Surroundings:
    """What VMs refer to, by managed object id.

    :param names: of everything.
    :param types: of datastores.
    :param parents: of folders, datacenters and hosts.
    :param vlans: of standard port groups, by host and name; of distributed ones, by key.
    :param groups: ids of distributed port groups, by key.
    :param started: how their hosts start VMs, of those that the hosts have an entry for.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    vlans: Mapping[tuple[str, str], int | None] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    started: Mapping[str, Autostart] = field(default_factory=dict)


def vms_of(trees: Iterable[Tree], endpoint: Endpoint) -> list[Vm]:
    """All VMs of what a reader brought, by their paths. VMs without a configuration (not reachable, half registered) are among
    them, with what is known.
    """
    found = list(trees)
    around = surroundings(one for one in found if one["kind"] != "VirtualMachine")
    vms = [vm_of(one, around, endpoint) for one in found if one["kind"] == "VirtualMachine"]
    return sorted(vms, key=lambda vm: (vm.path, vm.moid))


def surroundings(trees: Iterable[Tree]) -> Surroundings:
    """What VMs refer to."""
    names: dict[str, str] = {}
    parents: dict[str, str] = {}
    types: dict[str, str] = {}
    vlans: dict[tuple[str, str], int | None] = {}
    groups: dict[str, str] = {}
    started: dict[str, Autostart] = {}
    for one in trees:
        moid = str(one["moid"])
        names[moid] = name_of(str(one.get("name") or ""))
        if one.get("summary.type"):
            types[moid] = str(one["summary.type"])
        if one.get("parent"):
            parents[moid] = str(one["parent"])
        for group in one.get("config.network.portgroup") or ():
            spec = group.get("spec") or {}
            vlans[(moid, str(spec.get("name") or ""))] = int(spec.get("vlanId") or 0)
        if one.get("key"):
            groups[str(one["key"])] = moid
            vlans[("", str(one["key"]))] = _vlan(one.get("config.defaultPortConfig") or {})
        for info in one.get("config.powerInfo") or ():
            started[str(info["key"])] = _autostart(info)
    return Surroundings(names, types, parents, vlans, groups, started)


def _autostart(info: Tree) -> Autostart:
    """A host's entry of a VM."""
    plain = Autostart()
    return Autostart(
        str(info.get("startAction") or "").lower() == "poweron",
        int(info.get("startOrder") or plain.order),
        int(info.get("startDelay", plain.start_delay)),
        str(info.get("waitForHeartbeat") or plain.heartbeat),
        int(info.get("stopDelay", plain.stop_delay)),
        str(info.get("stopAction") or plain.stop_action),
    )


def _vlan(port: Tree) -> int | None:
    """The VLAN of a distributed port group; None for trunks and private VLANs."""
    vlan = port.get("vlan") or {}
    number = vlan.get("vlanId")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def name_of(text: str) -> str:
    """A name as people wrote it: the API escapes ``/``, ``\\`` and ``%`` in names of entities, and nothing else."""
    parts = text.split("%")
    return parts[0] + "".join(
        unquote(f"%{part[:2]}") + part[2:] if part[:2].lower() in ("2f", "5c", "25") else f"%{part}"
        for part in parts[1:]
    )


def vm_of(tree: Tree, around: Surroundings, endpoint: Endpoint) -> Vm:
    """One VM."""
    hardware = tree.get("config.hardware") or {}
    found = devices.read(hardware.get("device") or (), tree.get("layoutEx") or {}, around.names, around.types)
    host = str(tree.get("runtime.host") or "")
    order = boot_order(tree.get("config.bootOptions") or {})
    return Vm(
        endpoint=endpoint.name,
        name=name_of(str(tree.get("name") or "")),
        moid=str(tree["moid"]),
        uuid=str(tree.get("config.instanceUuid") or ""),
        bios_uuid=str(tree.get("config.uuid") or ""),
        vmx=str(tree.get("config.files.vmPathName") or ""),
        annotation=str(tree.get("config.annotation") or ""),
        free_licence=endpoint.free_licence,
        disks=found.disks,
        controllers=found.controllers,
        nics=tuple(_nic(one, host, around, tree.get("guest.net") or ()) for one in found.nics),
        passthrough=found.passthrough,
        snapshots=snapshots_of(tree.get("snapshot") or {}),
        vtpm=found.vtpm,
        encrypted=bool(tree.get("config.keyId")) or any(disk.encrypted for disk in found.disks),
        boot_order=order,
        boot_disk=boot_disk(found.disks, order),
        files=_files(tree.get("layoutEx") or {}),
        **_place(tree, around, endpoint),
        **_machine(tree, hardware),
        **_state(tree),
    )


def _place(tree: Tree, around: Surroundings, endpoint: Endpoint) -> dict[str, Any]:
    """Where a VM is."""
    moid, host = str(tree["moid"]), str(tree.get("runtime.host") or "")
    pool = around.names.get(str(tree.get("resourcePool") or ""), "")
    cluster = around.names.get(around.parents.get(host, ""), "") if endpoint.kind == "vcenter" else ""
    return {
        "path": _path(name_of(str(tree.get("name") or "")), str(tree.get("parent") or ""), around),
        "esxi_host": around.names.get(host, ""),
        "cluster": cluster,
        "resource_pool": "" if pool == "Resources" else pool,
        "vapp": bool(tree.get("parentVApp")),
        "autostart": around.started.get(moid, Autostart()),
    }


def _machine(tree: Tree, hardware: Tree) -> dict[str, Any]:
    """What a VM is, and what runs in it."""
    cpus, cores = int(hardware.get("numCPU") or 1), int(hardware.get("numCoresPerSocket") or 1) or 1
    guest_id = str(tree.get("config.guestId") or "")
    return {
        "firmware": "uefi" if tree.get("config.firmware") == "efi" else "bios",
        "secure_boot": bool((tree.get("config.bootOptions") or {}).get("efiSecureBootEnabled")),
        "hardware_version": _hardware(str(tree.get("config.version") or "")),
        "cpus": cpus,
        "sockets": max(1, cpus // cores),
        "cores_per_socket": cores,
        "memory_mb": int(hardware.get("memoryMB") or 0),
        "guest_id": guest_id,
        "os_guess": guests.guess(
            guest_id,
            told_id=str(tree.get("guest.guestId") or ""),
            details=str(tree.get("guest.guestDetailedData") or ""),
            full_name=str(tree.get("guest.guestFullName") or tree.get("config.guestFullName") or ""),
        ),
        "guest_hostname": str(tree.get("guest.hostName") or ""),
        "template": bool(tree.get("config.template")),
        "managed_by": str((tree.get("config.managedBy") or {}).get("extensionKey") or ""),
        "cbt": bool(tree.get("config.changeTrackingEnabled")),
    }


def _state(tree: Tree) -> dict[str, Any]:
    """How a VM is now."""
    tolerance = str(tree.get("runtime.faultToleranceState") or "notConfigured")
    return {
        "connection": str(tree.get("runtime.connectionState") or "connected"),
        "power": _POWER.get(str(tree.get("runtime.powerState")), "off"),
        "consolidation_needed": bool(tree.get("runtime.consolidationNeeded")),
        "fault_tolerance": bool(tree.get("config.ftInfo")) or tolerance not in ("notConfigured", "disabled"),
        "tools": _tools(tree),
        "question": str((tree.get("runtime.question") or {}).get("text") or ""),
    }


def _nic(found: devices.Card, host: str, around: Surroundings, told: Sequence[Tree]) -> Any:
    """A network card with the names, the VLAN and the addresses that stand elsewhere."""
    if found.portgroup:
        moid = around.groups.get(found.portgroup, "")
        network = around.names.get(moid, "") or found.nic.network
        vlan = around.vlans.get(("", found.portgroup))
    else:
        network = found.nic.network or around.names.get(found.network_moid, "")
        vlan = around.vlans.get((host, network))
    ips: list[str] = []
    for one in told:
        mac = str(one.get("macAddress") or "").lower()
        if one.get("deviceConfigId") == found.nic.key or (mac and mac == found.nic.mac):
            ips += [str(address) for address in one.get("ipAddress") or ()]
    return devices.with_network(found.nic, network, found.portgroup, vlan, addresses(ips))


def addresses(found: Iterable[str]) -> tuple[str, ...]:
    """Addresses that lead somewhere: no link-local ones; IPv4 first, each once, in the order in which the guest told them."""
    kept: list[Any] = []
    for text in found:
        try:
            one = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        if not (one.is_link_local or one.is_loopback or one in kept):
            kept.append(one)
    return tuple(str(one) for one in sorted(kept, key=lambda one: one.version))


def _path(name: str, parent: str, around: Surroundings) -> str:
    """Folders and name, from the datacenter on; the root itself has no name in it."""
    parts, seen = [name], set()
    while parent and parent not in seen:
        seen.add(parent)
        above = around.parents.get(parent, "")
        if above:
            parts.append(around.names.get(parent, parent))
        parent = above
    return "/" + "/".join(reversed(parts))


def _hardware(version: str) -> int:
    digits = version.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _tools(tree: Tree) -> str:
    if tree.get("guest.toolsVersionStatus2") == "guestToolsNotInstalled":
        return "missing"
    return _TOOLS.get(str(tree.get("guest.toolsRunningStatus")), "unknown")


def _files(layout: Tree) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"path": str(one.get("name") or ""), "type": str(one.get("type") or ""), "bytes": int(one.get("size") or 0)}
        for one in layout.get("file") or ()
    )


def snapshots_of(info: Tree) -> tuple[Snapshot, ...]:
    """All snapshots of a VM, each before those that stand on it."""
    current = str(info.get("currentSnapshot") or "")
    found: list[Snapshot] = []
    waiting = [(one, 0) for one in reversed(info.get("rootSnapshotList") or ())]
    while waiting:  # as deep as somebody made them, so no recursion
        one, depth = waiting.pop()
        moid = str(one.get("snapshot") or "")
        found.append(
            Snapshot(
                moid,
                name_of(str(one.get("name") or "")),
                str(one.get("createTime") or ""),
                _POWER.get(str(one.get("state")), ""),
                bool(one.get("quiesced")),
                moid == current,
                depth,
            )
        )
        waiting += [(child, depth + 1) for child in reversed(one.get("childSnapshotList") or ())]
    return tuple(found)


def boot_order(options: Tree) -> tuple[str, ...]:
    """What the VM's settings start it from; empty when they say nothing."""
    kinds = {"BootableCdromDevice": "cdrom", "BootableFloppyDevice": "floppy"}
    found = []
    for one in options.get("bootOrder") or ():
        kind = str(one.get("_type"))
        if kind == "BootableDiskDevice":
            found.append(f"disk:{one.get('deviceKey')}")
        elif kind == "BootableEthernetDevice":
            found.append(f"net:{one.get('deviceKey')}")
        elif kind in kinds:
            found.append(kinds[kind])
    return tuple(found)


def boot_disk(disks: Sequence[Disk], order: Sequence[str]) -> BootDisk | None:
    """The disk that a VM starts from."""
    keys = {f"disk:{disk.key}": disk for disk in disks}
    named = next((keys[one] for one in order if one in keys), None)
    if named:
        return BootDisk(named.key, f"the boot order of the VM names {named.place} first", True)
    if len(disks) == 1:
        return BootDisk(disks[0].key, "it is the only disk", True)
    if not disks:
        return None

    first = min(disks, key=lambda disk: disk.rank)
    return BootDisk(first.key, f"the VM has no boot order; {first.place} is where its firmware looks first", False)
