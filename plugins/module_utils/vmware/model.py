# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A VM of an ESXi host or a vCenter as frozen data: what facts, rules, plans and exports share.

Sizes are bytes unless a name says otherwise. A VM is known by ``uuid`` (its instance UUID), a disk of it by ``key`` (the key of
its device): names, labels and paths change, and ``diskObjectId`` does on every move.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..core.errors import InputError, LandscapeError

T = TypeVar("T")

#: The oldest pyVmomi whose types know every property that is read here.
SDK_FLOOR = (8, 0, 3, 0, 1)
#: What every module that talks to an endpoint takes; documented by the fragment ``scs.landscape.vmware``.
ENDPOINT_ARGUMENTS: dict[str, dict[str, Any]] = {
    "hostname": {"type": "str", "required": True},
    "port": {"type": "int", "default": 443},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "thumbprint_sha256": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
}
#: Buses in the order in which VMware's firmware looks for a disk to start from when nobody told it.
BUS_ORDER = ("scsi", "sata", "ide", "nvme")
#: How VMs are named in options that choose some.
VM_ARGUMENTS: dict[str, dict[str, Any]] = {"vms": {"type": "list", "elements": "str", "default": []}}


class VmwareError(LandscapeError):
    """An endpoint refused something.

    :param fault: the name of its fault (``InvalidLogin``, ``RestrictedVersion``...), empty when there is none.
    """

    def __init__(self, message: str, *, fault: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault


class UnreachableError(VmwareError):
    """No answer, or an answer that broke off, or a peer that is not the one that was meant."""


class LoginError(VmwareError):
    """User or password are wrong, or the user may not log in."""


class GoneError(VmwareError):
    """The object is not there any more."""


def versions_in(text: str) -> set[str]:
    """The versions of the API in ``vimServiceVersions.xml``, the older ones that are still spoken among them."""
    inside = re.search(r"<name>\s*urn:vim25\s*</name>(.*?)</namespace>", text, re.DOTALL)
    return set(re.findall(r"<version>\s*([^<\s]+)\s*</version>", inside.group(1) if inside else ""))


@dataclass(frozen=True)
class Endpoint:
    """An ESXi host or a vCenter.

    :param name: what people call it; the host name of the login unless an inventory names it otherwise.
    :param kind: ``esxi`` or ``vcenter``.
    :param free_licence: whether it runs without a licence for writing calls; None when that is not told.
    """

    name: str
    kind: str = "esxi"
    version: str = ""
    build: str = ""
    api_version: str = ""
    uuid: str = ""
    free_licence: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Controller:
    """A disk controller.

    :param bus: ``scsi``, ``sata``, ``ide`` or ``nvme``.
    :param model: ``pvscsi``, ``lsilogic``, ``lsisas``, ``buslogic``, ``ahci``, ``ide``, ``nvme``.
    :param number: of the bus, as in ``scsi1:0``.
    :param sharing: ``none``, ``virtual`` (VMs of one host) or ``physical`` (VMs of several).
    """

    key: int
    bus: str
    model: str
    number: int = 0
    label: str = ""
    sharing: str = "none"


@dataclass(frozen=True)
class Disk:
    """A virtual disk.

    :param key: of the device; stays the same for as long as the VM has the disk.
    :param controller: model of its controller; ``controller_key`` and ``controller_number`` say which one.
    :param unit: place at the controller.
    :param allocated_bytes: what its files take in the datastore, the whole chain together; None when that is not told.
    :param backing: ``flat``, ``sesparse``, ``sparse``, ``rdm``, ``raw``, ``nvdimm`` or ``unknown``.
    :param datastore_type: as the endpoint calls it (``VMFS``, ``NFS``, ``vsan``, ``VVOL``), empty when it does not say.
    :param path: ``[datastore] folder/name.vmdk``: the newest descriptor.
    :param chain: descriptors from the newest to the oldest, so more than one when there are snapshots.
    :param thin: None when the endpoint does not say.
    :param mode: ``persistent``, ``independent_persistent``, ``independent_nonpersistent``...
    :param sharing: ``sharingNone`` or ``sharingMultiWriter``.
    :param rdm: ``virtual`` or ``physical`` for a raw device, else empty.
    :param change_id: of changed-block tracking, empty without.
    :param uuid: of the backing.
    """

    key: int
    label: str
    bus: str
    controller: str
    unit: int
    capacity_bytes: int
    controller_key: int = 0
    controller_number: int = 0
    allocated_bytes: int | None = None
    backing: str = "flat"
    datastore: str = ""
    datastore_type: str = ""
    path: str = ""
    chain: tuple[str, ...] = ()
    thin: bool | None = None
    mode: str = "persistent"
    sharing: str = "sharingNone"
    rdm: str = ""
    change_id: str = ""
    uuid: str = ""
    encrypted: bool = False

    @property
    def place(self) -> str:
        """Where it hangs, as VMware writes it: ``scsi0:1``."""
        return f"{self.bus}{self.controller_number}:{self.unit}"

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Sorts disks as a firmware finds them."""
        bus = BUS_ORDER.index(self.bus) if self.bus in BUS_ORDER else len(BUS_ORDER)
        return bus, self.controller_number, self.unit, self.key


@dataclass(frozen=True)
class Nic:
    """A network card.

    :param model: ``vmxnet3``, ``vmxnet2``, ``e1000``, ``e1000e``, ``pcnet32``, ``sriov`` or ``unknown``.
    :param mac: lower case, with colons.
    :param mac_type: ``assigned``, ``generated`` or ``manual``.
    :param network: name of the network; ``portgroup`` is the key of a distributed port group, empty otherwise.
    :param vlan: VLAN id, 0 for none, 4095 for all; None when the endpoint does not say or it is a trunk.
    :param connected: whether it is connected now; ``start_connected``: whether it will be when the VM starts.
    :param ips: addresses that the guest told, IPv4 first.
    """

    key: int
    label: str
    mac: str
    model: str
    mac_type: str = ""
    network: str = ""
    portgroup: str = ""
    vlan: int | None = None
    connected: bool = False
    start_connected: bool = True
    ips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A snapshot; ``depth`` 0 for those that stand on none."""

    id: str
    name: str
    created: str = ""
    power: str = ""
    quiesced: bool = False
    current: bool = False
    depth: int = 0


@dataclass(frozen=True)
class Passthrough:
    """A device that is no virtual one: ``pci``, ``vgpu``, ``usb``, ``serial``, ``parallel``, ``nvdimm``, ``sgx``."""

    kind: str
    label: str
    key: int = 0


@dataclass(frozen=True)
class OsGuess:
    """What system a VM runs, as OpenStack's image properties name it (libosinfo's short names).

    :param source: ``guest_id`` (what its owner chose) or ``tools`` (what the guest told).
    :param arch: ``x86_64`` or ``i686``, ``aarch64`` for what runs on ARM.
    """

    type: str = ""
    distro: str = ""
    version: str = ""
    arch: str = "x86_64"
    source: str = "guest_id"
    full_name: str = ""


@dataclass(frozen=True)
class BootDisk:
    """The disk that the VM starts from, and why we think so; ``certain`` says that the VM's own settings name it."""

    key: int
    reason: str
    certain: bool


@dataclass(frozen=True)
class Autostart:
    """Whether the host starts the VM by itself, and the order of it (-1: any).

    :param start_delay: seconds after the start of this VM, and ``stop_delay`` before it is stopped hard; -1 is the host's default.
    :param heartbeat: whether the next start waits for a heartbeat of the guest: ``yes``, ``no`` or ``systemDefault``.
    :param stop_action: what becomes of it when its host stops: ``systemDefault``, ``guestShutdown``, ``powerOff``, ``suspend``, ``none``.
    """

    enabled: bool = False
    order: int = -1
    start_delay: int = -1
    heartbeat: str = "systemDefault"
    stop_delay: int = -1
    stop_action: str = "systemDefault"


@dataclass(frozen=True)
class Vm:
    """A VM.

    :param moid: managed object id, as ``vm-42`` (vCenter) or ``7`` (ESXi).
    :param uuid: instance UUID; ``bios_uuid`` is what the guest sees.
    :param path: folders and name: ``/DC0/vm/web``.
    :param vmx: ``[datastore] folder/name.vmx``.
    :param power: ``on``, ``off`` or ``suspended``.
    :param firmware: ``bios`` or ``uefi``.
    :param hardware_version: 19 for ``vmx-19``, 0 when it is not told.
    :param tools: ``running``, ``stopped``, ``missing`` or ``unknown``.
    :param cbt: whether changed-block tracking is switched on for the VM.
    :param boot_order: ``disk:2000``, ``net:4000``, ``cdrom``, ``floppy``; empty for what the firmware does by itself.
    :param free_licence: of its endpoint: calls that write are refused there; None when that is not told.
    :param disks: in the order in which a firmware finds them.
    :param files: paths of all its files with their sizes.
    """

    endpoint: str
    name: str
    moid: str
    uuid: str
    bios_uuid: str = ""
    path: str = ""
    vmx: str = ""
    esxi_host: str = ""
    cluster: str = ""
    resource_pool: str = ""
    vapp: bool = False
    template: bool = False
    connection: str = "connected"
    power: str = "off"
    firmware: str = "bios"
    secure_boot: bool = False
    vtpm: bool = False
    encrypted: bool = False
    hardware_version: int = 0
    guest_id: str = ""
    os_guess: OsGuess = OsGuess()
    cpus: int = 1
    sockets: int = 1
    cores_per_socket: int = 1
    memory_mb: int = 0
    disks: tuple[Disk, ...] = ()
    controllers: tuple[Controller, ...] = ()
    nics: tuple[Nic, ...] = ()
    passthrough: tuple[Passthrough, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    consolidation_needed: bool = False
    fault_tolerance: bool = False
    tools: str = "unknown"
    guest_hostname: str = ""
    cbt: bool = False
    boot_order: tuple[str, ...] = ()
    boot_disk: BootDisk | None = None
    autostart: Autostart = Autostart()
    question: str = ""
    managed_by: str = ""
    annotation: str = ""
    free_licence: bool | None = None
    files: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def capacity_bytes(self) -> int:
        """What all its disks hold at most."""
        return sum(disk.capacity_bytes for disk in self.disks)

    @property
    def allocated_bytes(self) -> int:
        """What its disks take in datastores; a disk of unknown allocation counts with its capacity."""
        return sum(disk.capacity_bytes if disk.allocated_bytes is None else disk.allocated_bytes for disk in self.disks)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; lists in the order in which the VM has things."""
        data: dict[str, Any] = _listed(dataclasses.asdict(self))
        data.update(capacity_bytes=self.capacity_bytes, allocated_bytes=self.allocated_bytes)
        return data


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _listed(item) for name, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


_MANY: Mapping[str, type] = {
    "disks": Disk,
    "controllers": Controller,
    "nics": Nic,
    "passthrough": Passthrough,
    "snapshots": Snapshot,
}
_ONE: Mapping[str, type] = {"os_guess": OsGuess, "boot_disk": BootDisk, "autostart": Autostart}


def vm_of(data: Mapping[str, Any]) -> Vm:
    """The reverse of :meth:`Vm.as_dict`, for facts that come back as an option; keys that nobody knows are left alone.

    :raises InputError: a key that a VM needs is missing, or a value is of another kind.
    """
    name = str(data.get("name") or "the VM") if isinstance(data, Mapping) else "the VM"
    if not isinstance(data, Mapping):
        raise InputError(f"{data!r} are no facts of a VM", hint="Take an entry of vms of vmware_vm_info")
    values: dict[str, Any] = dict(data)
    try:
        for key, kind in _MANY.items():
            values[key] = tuple(_made(kind, one) for one in data.get(key) or ())
        for key, kind in _ONE.items():
            if data.get(key):
                values[key] = _made(kind, data[key])
            else:
                values.pop(key, None)
        values["files"] = tuple(dict(one) for one in data.get("files") or ())
        values["boot_order"] = tuple(str(one) for one in data.get("boot_order") or ())
        return _made(Vm, values)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The facts of {name} are not whole: {error}", hint="Take them from vmware_vm_info") from error


def _made(kind: type[T], data: Mapping[str, Any]) -> T:
    """An object of a dataclass; numbers and truth values are what they are, wherever a template made text of them."""
    known = {one.name: str(one.type) for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _typed(known[name], value) for name, value in data.items() if name in known})


def _typed(kind: str, value: Any) -> Any:
    if value is None or (value == "" and "None" in kind):
        return None if "None" in kind else "" if kind == "str" else value
    if kind.startswith("int"):
        return int(value)
    if kind.startswith("bool"):
        return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1", "on")
    if kind == "str":
        return str(value)
    if kind.startswith("tuple[str"):
        return tuple(str(one) for one in value)
    return value
