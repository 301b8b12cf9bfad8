# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about disks, network cards and other devices of a VM."""

from __future__ import annotations

from . import checks
from .finding import ERROR, GIB, INFO, WARNING, Rule

_API = "vSphere Web Services API"
_SDK = "vSphere Virtual Disk Development Kit, Programming Guide"
_VIRT_V2V = "virt-v2v(1)"
_FORKLIFT = "policies of kubev2v/forklift"
_NOVA = "Nova, Administration"

RULES: tuple[Rule, ...] = (
    # Disks.
    Rule(
        "disk-none",
        ERROR,
        checks.machine(lambda vm: not vm.disks, lambda _vm: "has no disk, so there is nothing to copy"),
        "Make a server by hand",
        _VIRT_V2V,
        final=True,
    ),
    Rule(
        "disk-rdm-physical",
        ERROR,
        checks.disks(
            lambda disk: disk.rdm == "physical", lambda _disk: "is a raw device in physical mode, which no host exports"
        ),
        "Copy it from its storage, or change it to virtual mode",
        f"{_FORKLIFT}; {_SDK}",
        final=True,
    ),
    Rule(
        "disk-rdm-virtual",
        WARNING,
        checks.disks(
            lambda disk: disk.rdm == "virtual",
            lambda _disk: "is a raw device in virtual mode: it becomes a volume, by nfc only",
        ),
        "See that nothing else uses the device",
        _FORKLIFT,
    ),
    Rule(
        "disk-backing",
        ERROR,
        checks.disks(
            lambda disk: disk.backing in ("unknown", "nvdimm"),
            lambda disk: f"has a backing ({disk.backing}) that cannot be read",
        ),
        "Move the disk to a datastore as a normal virtual disk",
        f"{_API}, VirtualDeviceBackingInfo",
        final=True,
    ),
    Rule(
        "disk-multi-writer",
        ERROR,
        checks.disks(
            lambda disk: disk.sharing == "sharingMultiWriter", lambda _disk: "may be written by several VMs at once"
        ),
        "Plan the cluster as a whole: a copy is only right while no VM writes; then ignore this rule",
        f"{_API}, VirtualDiskSharing; {_FORKLIFT}",
    ),
    Rule(
        "disk-shared-bus",
        ERROR,
        checks.shared_bus,
        "Plan the cluster as a whole: a copy is only right while no VM writes; then ignore this rule",
        f"{_API}, VirtualSCSISharing; {_FORKLIFT}",
    ),
    Rule(
        "disk-independent",
        WARNING,
        checks.disks(
            lambda disk: disk.mode == "independent_persistent", lambda _disk: "is independent, so no snapshot holds it"
        ),
        "Nothing for a cold migration of a VM that is off",
        f"{_SDK}; {_FORKLIFT}",
    ),
    Rule(
        "disk-nonpersistent",
        WARNING,
        checks.disks(
            lambda disk: disk.mode in ("independent_nonpersistent", "nonpersistent", "undoable"),
            lambda _disk: "forgets at power-off what was written to it; the volume will not",
        ),
        "Decide whether the server may keep what it writes",
        f"{_API}, VirtualDiskMode",
    ),
    Rule(
        "disk-odd-size",
        INFO,
        checks.disks(
            lambda disk: disk.capacity_bytes % GIB != 0,
            lambda disk: (
                f"is {disk.capacity_bytes} bytes, no whole GiB: its volume is {-(-disk.capacity_bytes // GIB)} GiB, zeroes at its end"
            ),
        ),
        "Nothing",
        "Cinder, Block Storage API v3: sizes are GiB",
    ),
    Rule("disk-size", ERROR, checks.large, "Shrink the disk, or have the limit raised", "options of the module"),
    Rule(
        "disk-count",
        ERROR,
        checks.more("max_disks", lambda vm: len(vm.disks), "disks"),
        "Leave disks out of the plan, or have the limit raised",
        f"{_NOVA}: max_disk_devices_to_attach",
    ),
    Rule(
        "disk-bus",
        INFO,
        checks.disks(
            lambda disk: disk.bus in ("ide", "sata", "nvme"),
            lambda disk: f"hangs at {disk.bus}; names of devices will change",
        ),
        "See that fstab and boot loader name file systems by UUID or label",
        _VIRT_V2V,
    ),
    Rule(
        "boot-disk-unsure",
        WARNING,
        checks.machine(
            lambda vm: vm.boot_disk is not None and not vm.boot_disk.certain,
            lambda vm: f"starts from a disk that is only guessed: {vm.boot_disk.reason if vm.boot_disk else ''}",
        ),
        "Name the boot disk in the plan",
        f"{_API}, VirtualMachineBootOptions.bootOrder",
    ),
    # Network cards.
    Rule(
        "nic-count",
        ERROR,
        checks.more("max_nics", lambda vm: len(vm.nics), "network cards"),
        "Leave cards out of the plan, or have the limit raised",
        "options of the module",
    ),
    Rule(
        "nic-none",
        INFO,
        checks.machine(lambda vm: not vm.nics, lambda _vm: "has no network card"),
        "Nothing; the server gets no port",
        "options of the module",
    ),
    Rule(
        "nic-sriov",
        WARNING,
        checks.nics(
            lambda nic: nic.model == "sriov",
            lambda _nic: "is a function of a card of the host (SR-IOV); it becomes a virtio card",
        ),
        "See that the guest has the driver; ask the cloud for direct ports where speed matters",
        _FORKLIFT,
    ),
    Rule(
        "nic-rdma",
        WARNING,
        checks.nics(lambda nic: nic.model == "vmxnet3vrdma", lambda _nic: "does RDMA, which its port will not"),
        "See what uses it",
        f"{_API}, VirtualVmxnet3Vrdma",
    ),
    Rule(
        "nic-network",
        WARNING,
        checks.nics(lambda nic: not nic.network, lambda _nic: "is in no network that could be mapped"),
        "Name its network in the plan",
        f"{_API}, VirtualDevice.backing",
    ),
    Rule(
        "nic-mac",
        ERROR,
        checks.nics(
            lambda nic: not nic.mac,
            lambda _nic: "has no MAC address yet; it gets one when the VM starts for the first time",
        ),
        "Start the VM once, or set an address",
        f"{_API}, VirtualEthernetCard.macAddress",
    ),
    Rule(
        "nic-same-mac",
        ERROR,
        checks.same_mac,
        "Give each card an address of its own",
        "Neutron: an address is unique in a network",
    ),
    # Devices of hosts.
    Rule(
        "passthrough",
        ERROR,
        checks.foreign(("pci", "vgpu", "scsi", "nvdimm"), "uses devices of its host"),
        "Take the devices out; ask the cloud for flavors that have such ones",
        _FORKLIFT,
    ),
    Rule(
        "usb",
        WARNING,
        checks.foreign(("usb",), "has USB devices of somebody"),
        "Take them out, or share them over the network",
        _FORKLIFT,
    ),
    Rule(
        "port-devices",
        INFO,
        checks.foreign(("serial", "parallel", "clock"), "has devices that the server will not have"),
        "Nothing, unless something in the guest uses them",
        _VIRT_V2V,
    ),
)
