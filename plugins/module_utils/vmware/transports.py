# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which ways there are to the disks of a VM, and whether its changed blocks can be told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .model import Vm


@dataclass(frozen=True)
class Transport:
    """A way to the disks of a VM that is off; ``reason`` says why it is not usable, or what is not known before it is tried."""

    name: str
    usable: bool
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"transport": self.name, "usable": self.usable, "reason": self.reason}


def transports(vm: Vm) -> list[Transport]:
    """The ways to the disks, the best first: ``nfc`` moves what is allocated, files can go on where they broke off."""
    files = _file_reason(vm)
    lease = ""
    if vm.free_licence:
        lease = "the free licence of the host refuses leases"
    elif any(disk.rdm == "physical" or disk.backing in ("unknown", "nvdimm") for disk in vm.disks):
        lease = "a disk of the VM is no virtual disk"
    return [
        Transport(
            "nfc", not lease, lease or ("" if vm.free_licence is False else "tried when it starts: needs a licence")
        ),
        Transport("folder", not files, files),
        Transport("ssh", not files, files or "needs SSH at the host, a key, and the shell switched on"),
        Transport("local", not files, files or "needs the files where the task runs, for example an NFS datastore"),
    ]


def _file_reason(vm: Vm) -> str:
    """Why the files of a VM cannot be read one by one."""
    for disk in vm.disks:
        if len(disk.chain) > 1 or vm.snapshots:
            return f"{disk.place} stands on snapshots; consolidate them or take nfc"
        if disk.datastore_type.lower() in ("vsan", "vvol"):
            return f"{disk.place} is an object of {disk.datastore_type}, not a file"
        if disk.backing != "flat":
            return f"{disk.place} is no flat file but {disk.rdm + ' ' if disk.rdm else ''}{disk.backing}"
        if disk.encrypted:
            return f"{disk.place} is encrypted"
    return ""


def warm_reasons(vm: Vm) -> list[str]:
    """Why changed-block tracking cannot be used for a VM, even when it is switched on; empty when it can."""
    found = []
    if vm.hardware_version and vm.hardware_version < 7:
        found.append(f"hardware version {vm.hardware_version} is older than 7")
    if vm.snapshots:
        found.append("there are snapshots: what changed before them is not told rightly")
    if vm.free_licence:
        found.append("the free licence takes no snapshots")
    for disk in vm.disks:
        if disk.mode.startswith("independent"):
            found.append(f"{disk.place} is independent")
        elif disk.sharing == "sharingMultiWriter":
            found.append(f"{disk.place} is written by several VMs")
        elif disk.rdm == "physical":
            found.append(f"{disk.place} is a raw device in physical mode")
    return found
