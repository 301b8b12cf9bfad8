# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The devices of a VM, from the plain trees of ``config.hardware.device`` and ``layoutEx``. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .model import Controller, Disk, Nic, Passthrough

Tree = Mapping[str, Any]

#: Controllers by their types: bus and model.
CONTROLLERS: Mapping[str, tuple[str, str]] = {
    "ParaVirtualSCSIController": ("scsi", "pvscsi"),
    "VirtualLsiLogicController": ("scsi", "lsilogic"),
    "VirtualLsiLogicSASController": ("scsi", "lsisas"),
    "VirtualBusLogicController": ("scsi", "buslogic"),
    "VirtualSCSIController": ("scsi", "lsilogic"),
    "VirtualAHCIController": ("sata", "ahci"),
    "VirtualSATAController": ("sata", "ahci"),
    "VirtualIDEController": ("ide", "ide"),
    "VirtualNVMEController": ("nvme", "nvme"),
}
#: Network cards by their types.
CARDS: Mapping[str, str] = {
    "VirtualVmxnet3": "vmxnet3",
    "VirtualVmxnet3Vrdma": "vmxnet3vrdma",
    "VirtualVmxnet2": "vmxnet2",
    "VirtualVmxnet": "vmxnet",
    "VirtualE1000": "e1000",
    "VirtualE1000e": "e1000e",
    "VirtualPCNet32": "pcnet32",
    "VirtualSriovEthernetCard": "sriov",
    "VirtualEthernetCard": "unknown",
}
#: Devices that are pieces of a host or of somebody's desk.
FOREIGN: Mapping[str, str] = {
    "VirtualPCIPassthrough": "pci",
    "VirtualUSB": "usb",
    "VirtualSerialPort": "serial",
    "VirtualParallelPort": "parallel",
    "VirtualNVDIMM": "nvdimm",
    "VirtualSCSIPassthrough": "scsi",
    "VirtualPrecisionClock": "clock",
}
#: Disk backings by their types: our word, and whether it is a raw device.
_BACKINGS: Mapping[str, str] = {
    "FlatVer2BackingInfo": "flat",
    "FlatVer1BackingInfo": "flat",
    "SeSparseBackingInfo": "sesparse",
    "SparseVer2BackingInfo": "sparse",
    "SparseVer1BackingInfo": "sparse",
    "RawDiskMappingVer1BackingInfo": "rdm",
    "RawDiskVer2BackingInfo": "raw",
    "PartitionedRawDiskVer2BackingInfo": "raw",
    "LocalPMemBackingInfo": "nvdimm",
}
_SHARING = {"virtualSharing": "virtual", "physicalSharing": "physical"}


@dataclass(frozen=True)
class Card:
    """A network card, and what its network is called by: the id of a network, or the key of a distributed port group."""

    nic: Nic
    network_moid: str = ""
    portgroup: str = ""


@dataclass(frozen=True)
class Devices:
    """What a VM is made of."""

    disks: tuple[Disk, ...]
    controllers: tuple[Controller, ...]
    nics: tuple[Card, ...]
    passthrough: tuple[Passthrough, ...]
    vtpm: bool


def read(found: Iterable[Tree], layout: Tree, names: Mapping[str, str], types: Mapping[str, str]) -> Devices:
    """The devices of a VM, disks by their places, network cards by their keys.

    :param layout: ``layoutEx``, empty where it is not told.
    :param names: of datastores, by their ids; ``types`` likewise.
    """
    known = list(found)
    controllers = {one.key: one for one in map(_controller, known) if one}
    sizes = _allocations(layout)
    disks = [_disk(one, controllers, sizes, names, types) for one in known if _kind(one) == "VirtualDisk"]
    cards = [_card(one) for one in known if _kind(one) in CARDS]
    passthrough = [_foreign(one) for one in known if _kind(one) in FOREIGN]
    return Devices(
        tuple(sorted(disks, key=lambda one: one.rank)),
        tuple(sorted(controllers.values(), key=lambda one: (one.bus, one.number, one.key))),
        tuple(sorted(cards, key=lambda one: one.nic.key)),
        tuple(sorted(passthrough, key=lambda one: one.key)),
        any(_kind(one) == "VirtualTPM" for one in known),
    )


def _kind(device: Tree) -> str:
    return str(device.get("_type") or "")


def _label(device: Tree) -> str:
    return str((device.get("deviceInfo") or {}).get("label") or "")


def _controller(device: Tree) -> Controller | None:
    if _kind(device) not in CONTROLLERS:
        return None
    bus, model = CONTROLLERS[_kind(device)]
    sharing = _SHARING.get(str(device.get("sharedBus")), "none")
    return Controller(
        int(device.get("key") or 0), bus, model, int(device.get("busNumber") or 0), _label(device), sharing
    )


def _disk(
    device: Tree,
    controllers: Mapping[int, Controller],
    sizes: Mapping[int, int],
    names: Mapping[str, str],
    types: Mapping[str, str],
) -> Disk:
    backing: Tree = device.get("backing") or {}
    kind = _BACKINGS.get(_kind(backing), "unknown")
    mode = str(backing.get("compatibilityMode") or "")
    rdm = (
        ("physical" if mode == "physicalMode" else "virtual") if kind == "rdm" else "physical" if kind == "raw" else ""
    )
    chain = tuple(_chain(backing))
    controller = controllers.get(int(device.get("controllerKey") or 0), Controller(0, "unknown", "unknown"))
    key = int(device["key"])
    path = chain[0] if chain else ""
    capacity = device.get("capacityInBytes") or 1024 * int(device.get("capacityInKB") or 0)
    return Disk(
        key=key,
        label=_label(device),
        bus=controller.bus,
        controller=controller.model,
        controller_key=controller.key,
        controller_number=controller.number,
        unit=int(device.get("unitNumber") or 0),
        capacity_bytes=int(capacity),
        allocated_bytes=sizes.get(key),
        backing=kind,
        datastore=names.get(str(backing.get("datastore") or ""), "") or _datastore(path),
        datastore_type=types.get(str(backing.get("datastore") or ""), ""),
        path=path,
        chain=chain,
        thin=backing.get("thinProvisioned") if kind == "flat" else None,
        mode=str(backing.get("diskMode") or "persistent"),
        sharing=str(backing.get("sharing") or "sharingNone"),
        rdm=rdm,
        change_id=str(backing.get("changeId") or ""),
        uuid=str(backing.get("uuid") or "").lower(),
        encrypted=bool(backing.get("keyId")),
    )


def _chain(backing: Tree | None) -> Iterable[str]:
    while backing:
        name = str(backing.get("fileName") or "")
        if name:
            yield name
        backing = backing.get("parent")


def _datastore(path: str) -> str:
    return path[1 : path.index("]")] if path.startswith("[") and "]" in path else ""


def _allocations(layout: Tree) -> dict[int, int]:
    """What each disk takes in datastores, by its key: all files of its chain, each once.

    Descriptors are counted too; they are some hundred bytes.
    """
    sizes = {one.get("key"): int(one.get("size") or 0) for one in layout.get("file") or ()}
    found: dict[int, int] = {}
    for disk in layout.get("disk") or ():
        keys = {key for link in disk.get("chain") or () for key in link.get("fileKey") or ()}
        if keys and keys <= set(sizes):
            found[int(disk["key"])] = sum(sizes[key] for key in keys)
    return found


def _card(device: Tree) -> Card:
    backing: Tree = device.get("backing") or {}
    plug: Tree = device.get("connectable") or {}
    port: Tree = backing.get("port") or {}
    nic = Nic(
        key=int(device["key"]),
        label=_label(device),
        mac=str(device.get("macAddress") or "").lower(),
        model=CARDS[_kind(device)],
        mac_type=str(device.get("addressType") or "").lower(),
        network=str(backing.get("deviceName") or backing.get("opaqueNetworkId") or ""),
        connected=bool(plug.get("connected")),
        start_connected=bool(plug.get("startConnected")),
    )
    return Card(nic, str(backing.get("network") or ""), str(port.get("portgroupKey") or ""))


def with_network(nic: Nic, network: str, portgroup: str, vlan: int | None, ips: Sequence[str]) -> Nic:
    """The same card, with what stands elsewhere."""
    return dataclasses.replace(nic, network=network, portgroup=portgroup, vlan=vlan, ips=tuple(ips))


def _foreign(device: Tree) -> Passthrough:
    kind = FOREIGN[_kind(device)]
    if kind == "pci" and "Vmiop" in _kind(device.get("backing") or {}):
        kind = "vgpu"
    return Passthrough(kind, _label(device), int(device.get("key") or 0))
