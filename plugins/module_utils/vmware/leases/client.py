# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Export leases of a session, and the snapshots that they may stand on.

A lease is a promise of the host to serve the disks of a VM, or of one of its snapshots, for as long as somebody says now and then
how far he is (``leaseTimeout``, 300 s). It blocks other tasks of the VM, so it has to end whatever happens.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable

from ..client import Session
from ..model import Disk, Vm, VmwareError

#: Seconds that an endpoint may take until a lease serves files.
_READY = 120.0
#: ``/vm-42/ParaVirtualSCSIController0:1``: the last word of the key of a file says where its disk hangs.
_PLACE = re.compile(
    r"Virtual\w*?(LsiLogicSAS|LsiLogic|BusLogic|SCSI|AHCI|SATA|NVME|IDE)\w*?Controller(\d+):(\d+)$", re.IGNORECASE
)
_BUSES = {"ahci": "sata", "sata": "sata", "nvme": "nvme", "ide": "ide"}


@dataclass(frozen=True)
class LeaseFile:
    """A file that a lease serves.

    :param key: of the device, as the endpoint writes it.
    :param url: as the endpoint gave it; its host is that of the endpoint where it said ``*``.
    :param disk: whether it is a disk; CD-ROMs and NVRAM are listed too.
    :param size: bytes of the file when the endpoint knows, else 0.
    :param thumbprint: of the host that serves it (hexadecimal digits of SHA-1), empty when it is the endpoint itself.
    :param target: name that the endpoint proposes for the file.
    """

    key: str
    url: str
    disk: bool
    size: int = 0
    thumbprint: str = ""
    target: str = ""


class Lease:
    """A lease that is ready.

    :ivar files: what it serves.
    :ivar timeout: seconds after which it ends when nobody says how far he is.
    """

    def __init__(self, session: Session, lease: Any, doing: str) -> None:
        self._session, self._lease, self._doing = session, lease, doing
        self.files: tuple[LeaseFile, ...] = ()
        self.timeout = 300

    def begin(self, seconds: float = _READY) -> None:
        """Waits until it serves files.

        :raises VmwareError: the endpoint gave it up, or takes too long.
        """
        deadline = time.monotonic() + seconds
        while (state := self.state()) == "initializing":
            if time.monotonic() >= deadline:
                raise VmwareError(
                    f"{self._session.name}: {self._doing} is not ready after {seconds:.0f} s", fault="Timedout"
                )
            time.sleep(0.2)
        if state != "ready":
            raise VmwareError(
                f"{self._session.name}: {self._doing} ended at once ({state}){self._error()}", fault="LeaseError"
            )
        info = self._read("info")
        self.timeout = int(info.leaseTimeout or 300)
        self.files = tuple(_file(one, self._session) for one in info.deviceUrl)

    def state(self) -> str:
        """``initializing``, ``ready``, ``done`` or ``error``."""
        return str(self._read("state"))

    def progress(self, percent: int) -> None:
        """Says how far we are, from 0 to 100; this keeps the lease."""
        value = max(0, min(100, percent))
        self._session.call(self._doing, "HttpNfcLeaseProgress", lambda: self._lease.HttpNfcLeaseProgress(value))

    def complete(self) -> None:
        """Ends it as a success."""
        self._session.call(self._doing, "HttpNfcLeaseComplete", self._lease.HttpNfcLeaseComplete, again=False)

    def abort(self) -> None:
        """Ends it as a failure; one that is over already stays so."""
        with suppress(VmwareError):
            self._session.call(self._doing, "HttpNfcLeaseAbort", self._lease.HttpNfcLeaseAbort, again=False)

    def _read(self, name: str) -> Any:
        return self._session.live("HttpNfcLease", self._lease._moId, name).get(name)

    def _error(self) -> str:
        error = self._read("error")
        said = str(getattr(error, "msg", "") or "")
        return f": {type(error).__name__.rpartition('.')[2]} {said}".rstrip() if error is not None else ""


def _file(found: Any, session: Session) -> LeaseFile:
    host = f"[{session.host}]" if ":" in session.host else session.host
    url = str(found.url).replace("://*", f"://{host}", 1)
    if str(found.url).startswith(("https://*/", "http://*/")) and session.port != 443:
        url = url.replace(f"://{host}", f"://{host}:{session.port}", 1)
    digits = re.sub(r"[^0-9a-f]", "", str(found.sslThumbprint or "").lower())
    disk = bool(found.disk)
    return LeaseFile(str(found.key or ""), url, disk, int(found.fileSize or 0), digits, str(found.targetId or ""))


@contextmanager
def lease(session: Session, vm: Vm, snapshot: str = "") -> Iterator[Lease]:
    """A lease for the disks of a VM that is off, or of one of its snapshots; it ends with the block, aborted after an error.

    :param snapshot: managed object id of a snapshot; none for the VM itself.
    :raises VmwareError: the endpoint refuses it (``RestrictedVersion`` with the free licence, ``InvalidPowerState``...).
    """
    doing = f"exporting {vm.name}" + (f" at its snapshot {snapshot}" if snapshot else "")
    method = "ExportSnapshot" if snapshot else "ExportVm"
    kind, moid = ("VirtualMachineSnapshot", snapshot) if snapshot else ("VirtualMachine", vm.moid)
    start: Callable[[], Any] = getattr(session.object(kind, moid), method)
    found = Lease(session, session.call(doing, method, start, again=False), doing)
    whole = False
    try:
        found.begin()
        yield found
        whole = True
    finally:
        if not whole:
            found.abort()
    found.complete()


def disk_of(vm: Vm, file: LeaseFile) -> Disk | None:
    """The disk that a file of a lease is, by the place that its key names; None when that is no disk of the VM."""
    found = _PLACE.search(file.key)
    if not found:
        return None
    bus = _BUSES.get(found.group(1).lower(), "scsi")
    place = (bus, int(found.group(2)), int(found.group(3)))
    return next((one for one in vm.disks if (one.bus, one.controller_number, one.unit) == place), None)


def take_snapshot(
    session: Session, vm: Vm, name: str, description: str, seconds: float, *, quiesce: bool = False
) -> str:
    """Takes a snapshot without memory, of all disks at one moment; its managed object id."""
    machine, doing = session.object("VirtualMachine", vm.moid), f"taking a snapshot of {vm.name}"
    create = machine.CreateSnapshot_Task
    options = {"name": name, "description": description, "memory": False, "quiesce": quiesce}
    task = session.call(doing, "CreateSnapshot_Task", lambda: create(**options), again=False)
    return str(session.wait(task, doing, seconds)._moId)


def remove_snapshot(session: Session, vm: Vm, moid: str, seconds: float) -> None:
    """Removes one snapshot, not those that stand on it, and consolidates the disks."""
    found, doing = session.object("VirtualMachineSnapshot", moid), f"removing the snapshot {moid} of {vm.name}"
    remove = found.RemoveSnapshot_Task
    task = session.call(
        doing, "RemoveSnapshot_Task", lambda: remove(removeChildren=False, consolidate=True), again=False
    )
    session.wait(task, doing, seconds)
