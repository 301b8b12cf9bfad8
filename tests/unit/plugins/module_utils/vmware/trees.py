# SPDX-License-Identifier: Apache-2.0
"""Property trees as a session hands them on: what an ESXi 8.0 says of a VM, in the words of its API."""

from __future__ import annotations

import copy
from typing import Any

ENDPOINT = "esxi1"

DATASTORE = {"kind": "Datastore", "moid": "ds-1", "name": "datastore1", "summary.type": "VMFS"}
AROUND: list[dict[str, Any]] = [
    {"kind": "Folder", "moid": "ha-folder-root", "name": "ha-folder-root"},
    {"kind": "Datacenter", "moid": "ha-datacenter", "name": "ha-datacenter", "parent": "ha-folder-root"},
    {"kind": "Folder", "moid": "ha-folder-vm", "name": "vm", "parent": "ha-datacenter"},
    {"kind": "ComputeResource", "moid": "ha-compute-res", "name": "esxi1.example.com"},
    {"kind": "ResourcePool", "moid": "ha-root-pool", "name": "Resources"},
    {
        "kind": "HostSystem",
        "moid": "ha-host",
        "name": "esxi1.example.com",
        "parent": "ha-compute-res",
        "config.network.portgroup": [
            {"_type": "HostPortGroup", "spec": {"_type": "HostPortGroupSpec", "name": "VM Network", "vlanId": 0}},
            {"_type": "HostPortGroup", "spec": {"_type": "HostPortGroupSpec", "name": "shop", "vlanId": 120}},
        ],
        "configManager.autoStartManager": "ha-autostart-mgr",
    },
    {
        "kind": "HostAutoStartManager",
        "moid": "ha-autostart-mgr",
        "config.powerInfo": [
            {"_type": "AutoStartPowerInfo", "key": "7", "startOrder": 2, "startAction": "powerOn"},
            {"_type": "AutoStartPowerInfo", "key": "9", "startOrder": -1, "startAction": "none"},
        ],
    },
    DATASTORE,
    {"kind": "Datastore", "moid": "ds-2", "name": "vsanDatastore", "summary.type": "vsan"},
    {"kind": "Network", "moid": "net-1", "name": "VM Network"},
    {
        "kind": "DistributedVirtualPortgroup",
        "moid": "dvportgroup-21",
        "name": "prod%2ffront",
        "key": "dvportgroup-21",
        "config.defaultPortConfig": {
            "_type": "VMwareDVSPortSetting",
            "vlan": {"_type": "VmwareDistributedVirtualSwitchVlanIdSpec", "vlanId": 300},
        },
    },
    {
        "kind": "DistributedVirtualPortgroup",
        "moid": "dvportgroup-22",
        "name": "trunk",
        "key": "dvportgroup-22",
        "config.defaultPortConfig": {
            "_type": "VMwareDVSPortSetting",
            "vlan": {
                "_type": "VmwareDistributedVirtualSwitchTrunkVlanSpec",
                "vlanId": [{"_type": "NumericRange", "start": 0, "end": 4094}],
            },
        },
    },
]


def label(text: str) -> dict[str, Any]:
    return {"_type": "Description", "label": text, "summary": text}


def controller(kind: str, key: int, bus: int = 0, **more: Any) -> dict[str, Any]:
    return {"_type": kind, "key": key, "busNumber": bus, "deviceInfo": label(f"{kind} {bus}"), **more}


def disk(key: int, controller_key: int, unit: int, gib: float = 1, **more: Any) -> dict[str, Any]:
    """A thin disk on the first datastore; ``backing`` adds to its backing, the rest to the device."""
    backing = {
        "_type": "FlatVer2BackingInfo",
        "fileName": f"[datastore1] web/web_{key}.vmdk",
        "datastore": "ds-1",
        "backingObjectId": "",
        "diskMode": "persistent",
        "split": False,
        "writeThrough": False,
        "thinProvisioned": True,
        "uuid": f"6000C29{key}-0000-1111-2222-333344445555",
        "digestEnabled": False,
        "deltaDiskFormat": "redoLogFormat",
        "sharing": "sharingNone",
    }
    backing.update(more.pop("backing", {}))
    return {
        "_type": "VirtualDisk",
        "key": key,
        "deviceInfo": label(f"Hard disk {key - 1999}"),
        "backing": backing,
        "controllerKey": controller_key,
        "unitNumber": unit,
        "capacityInKB": int(gib * 1024 * 1024),
        "capacityInBytes": int(gib * 1024**3),
        "shares": {"_type": "SharesInfo", "shares": 1000, "level": "normal"},
        "diskObjectId": f"7-{key}",
        **more,
    }


def card(key: int, kind: str = "VirtualVmxnet3", mac: str = "00:0C:29:3A:4B:5C", **more: Any) -> dict[str, Any]:
    backing = {"_type": "NetworkBackingInfo", "deviceName": "shop", "useAutoDetect": False, "network": "net-1"}
    backing = more.pop("backing", backing)
    plug = {
        "_type": "ConnectInfo",
        "startConnected": True,
        "allowGuestControl": True,
        "connected": True,
        "status": "ok",
        **more.pop("plug", {}),
    }
    return {
        "_type": kind,
        "key": key,
        "deviceInfo": label(f"Network adapter {key - 3999}"),
        "backing": backing,
        "connectable": plug,
        "controllerKey": 100,
        "unitNumber": 7,
        "addressType": "generated",
        "macAddress": mac,
        **more,
    }


PVSCSI = controller("ParaVirtualSCSIController", 1000, sharedBus="noSharing", scsiCtlrUnitNumber=7)


def machine(name: str = "web", devices: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A VM with one disk and one card, unless told otherwise; keys with ``__`` stand for dots."""
    found = [PVSCSI, disk(2000, 1000, 0), card(4000)] if devices is None else devices
    tree = {
        "kind": "VirtualMachine",
        "moid": "7",
        "name": name,
        "parent": "ha-folder-vm",
        "resourcePool": "ha-root-pool",
        "config.uuid": "564d1111-2222-3333-4444-555566667777",
        "config.instanceUuid": "52aa1111-2222-3333-4444-555566667777",
        "config.template": False,
        "config.firmware": "bios",
        "config.version": "vmx-19",
        "config.guestId": "debian12_64Guest",
        "config.guestFullName": "Debian GNU/Linux 12 (64-bit)",
        "config.changeTrackingEnabled": False,
        "config.files.vmPathName": "[datastore1] web/web.vmx",
        "config.bootOptions": {"_type": "VirtualMachineBootOptions", "bootDelay": 0, "efiSecureBootEnabled": False},
        "config.hardware": {
            "_type": "VirtualHardware",
            "numCPU": 4,
            "numCoresPerSocket": 2,
            "memoryMB": 4096,
            "device": found,
        },
        "guest.toolsRunningStatus": "guestToolsNotRunning",
        "guest.toolsVersionStatus2": "guestToolsUnmanaged",
        "runtime.connectionState": "connected",
        "runtime.consolidationNeeded": False,
        "runtime.faultToleranceState": "notConfigured",
        "runtime.host": "ha-host",
        "runtime.powerState": "poweredOff",
    }
    tree.update({key.replace("__", "."): value for key, value in more.items()})
    return copy.deepcopy(tree)
