# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about a VM as a whole: its state, its snapshots, its firmware and its system."""

from __future__ import annotations

from . import checks
from .finding import ERROR, INFO, WARNING, Rule

_API = "vSphere Web Services API"
_SDK = "vSphere Virtual Disk Development Kit, Programming Guide"
_VIRT_V2V = "virt-v2v(1)"
_FORKLIFT = "policies of kubev2v/forklift"
_NOVA = "Nova, Administration"

_OTHER_SYSTEMS = ("macos", "netware", "vmkernel", "os2", "unix", "dos", "solaris")

RULES: tuple[Rule, ...] = (
    # The VM as a whole.
    Rule(
        "connection",
        ERROR,
        checks.machine(
            lambda vm: vm.connection != "connected", lambda vm: f"is {vm.connection}: its host does not see its files"
        ),
        "Make the host and the datastore of the VM reachable, or register it anew",
        f"{_API}, VirtualMachineConnectionState",
        final=True,
    ),
    Rule(
        "uuid-missing",
        ERROR,
        checks.machine(lambda vm: not vm.uuid, lambda _vm: "has no instance UUID, so nothing can be found again"),
        "Register the VM anew; hosts since ESXi 4 give it one",
        f"{_API}, VirtualMachineConfigInfo.instanceUuid",
        final=True,
    ),
    Rule(
        "template",
        ERROR,
        checks.machine(lambda vm: vm.template, lambda _vm: "is a template, which no server stands for"),
        "Import its disk as an image, or convert it to a VM",
        f"{_API}, VirtualMachineConfigInfo.template",
    ),
    Rule(
        "question",
        ERROR,
        checks.machine(lambda vm: bool(vm.question), lambda vm: f"waits for an answer: {vm.question[:200]}"),
        "Answer it in the host's interface",
        f"{_API}, VirtualMachineRuntimeInfo.question",
    ),
    Rule(
        "suspended",
        ERROR,
        checks.machine(
            lambda vm: vm.power == "suspended",
            lambda _vm: "is suspended: its memory would be lost, its file systems are open",
        ),
        "Start it and shut the guest down",
        _VIRT_V2V,
    ),
    Rule(
        "fault-tolerance",
        ERROR,
        checks.machine(
            lambda vm: vm.fault_tolerance,
            lambda _vm: "runs with fault tolerance, which takes no exports and no snapshots",
        ),
        "Turn fault tolerance off",
        f"{_FORKLIFT}; {_API}, VirtualMachineRuntimeInfo.faultToleranceState",
    ),
    Rule(
        "encrypted",
        ERROR,
        checks.machine(lambda vm: vm.encrypted, lambda _vm: "is encrypted: outside of its host its disks are noise"),
        "Decrypt it with its storage policy",
        f"{_SDK}; {_API}, VirtualMachineConfigInfo.keyId",
        final=True,
    ),
    Rule(
        "vtpm",
        ERROR,
        checks.machine(
            lambda vm: vm.vtpm, lambda _vm: "has a virtual TPM, whose secrets do not move: what they seal stays locked"
        ),
        "Have the recovery keys (BitLocker, LUKS) at hand or unseal them, then ignore this rule; the server gets an empty TPM",
        f"{_FORKLIFT}; {_NOVA}, Emulated Trusted Platform Module",
    ),
    Rule(
        "managed",
        WARNING,
        checks.machine(
            lambda vm: bool(vm.managed_by), lambda vm: f"is managed by {vm.managed_by}, which may change it at any time"
        ),
        "Look at what manages it before it goes",
        f"{_API}, ManagedByInfo",
    ),
    Rule(
        "vapp",
        INFO,
        checks.machine(lambda vm: vm.vapp, lambda _vm: "is part of a vApp, whose order of starting does not move"),
        "Put it into the waves of the plan",
        f"{_API}, VirtualMachine.parentVApp",
    ),
    Rule(
        "running",
        INFO,
        checks.machine(lambda vm: vm.power == "on", lambda _vm: "is on and is shut down for the copy"),
        "Plan a window",
        _VIRT_V2V,
    ),
    Rule(
        "tools-missing",
        WARNING,
        checks.machine(
            lambda vm: vm.power == "on" and vm.tools != "running",
            lambda vm: f"is on and its VMware Tools are {vm.tools}: its guest cannot be asked to shut down",
        ),
        "Start VMware Tools (open-vm-tools), or shut the guest down by hand",
        f"{_API}, VirtualMachine.ShutdownGuest",
    ),
    # Snapshots and changed blocks.
    Rule(
        "snapshots",
        WARNING,
        checks.machine(
            lambda vm: bool(vm.snapshots) or any(len(disk.chain) > 1 for disk in vm.disks),
            lambda vm: (
                f"has {len(vm.snapshots)} snapshots: the newest state moves, they do not, and only nfc can read it"
            ),
        ),
        "Remove the snapshots, or leave nfc as the transport",
        f"{_VIRT_V2V}; {_FORKLIFT}",
    ),
    Rule(
        "consolidation",
        ERROR,
        checks.machine(
            lambda vm: vm.consolidation_needed,
            lambda _vm: "needs its disks consolidated: left-overs of snapshots are in use",
        ),
        "Consolidate the disks",
        f"{_FORKLIFT}; {_API}, VirtualMachineRuntimeInfo.consolidationNeeded",
    ),
    Rule("cbt", INFO, checks.cbt, "Nothing for a cold migration", f"{_SDK}, Changed Block Tracking"),
    # Firmware, hardware, system.
    Rule(
        "uefi",
        ERROR,
        checks.lacks("uefi", lambda vm: vm.firmware == "uefi", "UEFI"),
        "Ask the cloud for UEFI",
        f"{_NOVA}, UEFI",
    ),
    Rule(
        "secure-boot",
        ERROR,
        checks.lacks("secure_boot", lambda vm: vm.secure_boot, "secure boot"),
        "Turn secure boot off in the VM's settings before, or override os_secure_boot",
        f"{_NOVA}, Secure Boot",
    ),
    Rule(
        "vtpm-target",
        WARNING,
        checks.lacks("vtpm", lambda vm: vm.vtpm, "a TPM"),
        "Ask the cloud for emulated TPMs, or do without",
        f"{_NOVA}, Emulated Trusted Platform Module",
    ),
    Rule(
        "vcpus",
        ERROR,
        checks.more("max_vcpus", lambda vm: vm.cpus, "CPUs"),
        "Take a larger flavor",
        "options of the module",
    ),
    Rule(
        "memory",
        ERROR,
        checks.more("max_memory_mb", lambda vm: vm.memory_mb, "MiB"),
        "Take a larger flavor",
        "options of the module",
    ),
    Rule(
        "hardware-old",
        WARNING,
        checks.machine(
            lambda vm: 0 < vm.hardware_version < 7,
            lambda vm: f"has virtual hardware {vm.hardware_version}: its guest is from before virtio",
        ),
        "See that the guest has virtio drivers, or override the bus and the card",
        f"{_API}, VirtualMachineConfigInfo.version",
    ),
    Rule(
        "windows",
        WARNING,
        checks.machine(
            lambda vm: vm.os_guess.type == "windows",
            lambda _vm: "runs Windows, which does not start from a disk without its driver",
        ),
        "Install the virtio drivers before, or convert the guest; without them, sata and e1000 are written into the properties",
        _VIRT_V2V,
    ),
    Rule(
        "system-foreign",
        WARNING,
        checks.machine(
            lambda vm: vm.os_guess.type in _OTHER_SYSTEMS,
            lambda vm: f"runs {vm.os_guess.distro}, which nobody converts",
        ),
        "Try a copy first",
        _VIRT_V2V,
    ),
    Rule(
        "system-unknown",
        WARNING,
        checks.machine(
            checks.nameless, lambda vm: f"runs something that its guest id ({vm.guest_id or 'none'}) does not name"
        ),
        "Set os_distro and os_version in the overrides of its properties",
        "scs-0102",
    ),
    Rule(
        "version-unknown",
        INFO,
        checks.machine(
            lambda vm: not checks.nameless(vm) and not vm.os_guess.version,
            lambda vm: f"runs {vm.os_guess.distro} of a version that nobody told",
        ),
        "Set os_version in the overrides of its properties, or let VMware Tools run",
        "scs-0102",
    ),
)
