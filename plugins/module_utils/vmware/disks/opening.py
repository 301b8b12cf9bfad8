# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ways to the disks of one VM: which can be taken, and the sources that each of them gives."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from ...core.errors import InputError, LandscapeError
from ...core.transfer import Source
from ..leases import client as leases
from ..model import Disk, Vm, VmwareError
from ..transports import transports
from .layout import open_disk
from .sources.folder import FolderStore, datastore_path
from .sources.local import LocalStore
from .sources.nfc import LeaseSource, kept
from .sources.ssh import SshHost, SshStore
from .store import Store
from .web.client import host_of

TRANSPORTS = ("auto", "nfc", "folder", "ssh", "local")
#: Faults with which a lease says that this host gives none; then another way may be taken.
_NO_LEASE = ("RestrictedVersion", "NotSupported", "MethodNotFound", "NoPermission")


@dataclass(frozen=True)
class Ways:
    """What an operator offers.

    :param transport: one of :data:`TRANSPORTS`; ``others``: what may be tried after it.
    :param session: see :class:`..client.Session`; nothing where none is needed.
    :param local: a folder with ``<datastore>/<folder>/<file>`` in it, or with the files themselves.
    :param snapshot: managed object id of a snapshot whose disks are meant.
    """

    transport: str = "auto"
    session: Any = field(default=None, repr=False)
    ssh: SshHost | None = None
    local: str = ""
    snapshot: str = ""
    others: tuple[str, ...] = ()


class Opened(Protocol):
    """The disks of a VM, on one way.

    :ivar transport: which one.
    """

    transport: str

    def source(self, disk: Disk) -> Source:
        """The source of one disk; may be called again for the same one.

        :raises LandscapeError: it cannot be read on this way.
        """

    def state(self, disk: Disk) -> str:
        """Names the content of a disk, with the transport that says so; empty where nobody can tell whether it has changed."""

    def check(self) -> None:
        """Whether what came by it is to be trusted so far.

        :raises LandscapeError: it is not.
        """


def candidates(vm: Vm, ways: Ways) -> tuple[list[str], list[str]]:
    """The transports that can be tried, the best first, and for each other one why not.

    :raises InputError: what was asked for cannot be.
    """
    if vm.power != "off" and not ways.snapshot:
        raise InputError(
            f"{vm.name} is {vm.power}, so its disks change while they are read",
            hint="Shut it down first, or name a snapshot",
        )
    return usable(vm, ways)


def usable(vm: Vm, ways: Ways) -> tuple[list[str], list[str]]:
    """The same once it is off.

    :raises InputError: there is none.
    """
    have = {"nfc": ways.session, "folder": ways.session, "ssh": ways.ssh, "local": ways.local}
    wanted = [ways.transport, *ways.others]
    if ways.transport == "auto":
        wanted = ["local", "ssh"] if ways.session is None else []
    reasons, found = [], []
    for one in transports(vm):
        if wanted and one.name not in wanted:
            continue
        reason = one.reason if not one.usable else "" if have[one.name] else _lacking(one.name)
        if not reason and ways.snapshot and one.name != "nfc":
            reason = "a snapshot is meant, whose files hold only a part of the disk"
        if reason:
            reasons.append(f"{one.name}: {reason}")
        else:
            found.append(one.name)
    if not found:
        raise InputError(f"There is no way to the disks of {vm.name}: {'; '.join(reasons)}")
    if ways.transport != "auto":
        return sorted(found, key=wanted.index), reasons
    # What was put there for this export comes before what needs the endpoint.
    found.sort(key=lambda name: (name != "local", name != "ssh" or ways.session is not None))
    return found, reasons


def _lacking(name: str) -> str:
    return {"ssh": "no host for SSH is named", "local": "no local folder is named"}.get(name, "no endpoint is named")


@contextlib.contextmanager
def opened(vm: Vm, disks: Sequence[Disk], ways: Ways) -> Iterator[Opened]:
    """The disks of a VM on the best way that works.

    :raises LandscapeError: none does; after the block also when a lease could not be kept.
    """
    names, _reasons = candidates(vm, ways)
    with contextlib.ExitStack() as stack:
        refused: list[LandscapeError] = []
        for name in names:
            found: Opened | None = None
            try:
                found = _leased(vm, disks, ways, stack) if name == "nfc" else files(vm, name, ways, stack)
            except VmwareError as error:
                if error.fault not in _NO_LEASE or name == names[-1]:
                    raise
                refused.append(error)
            if found is not None:
                break
        if found is None:
            raise refused[-1]
        yield found


class Files:
    """Disks as files of datastores."""

    def __init__(self, transport: str, vm: Vm, store: Callable[[str, str], Store]) -> None:
        self.transport = transport
        self._vm, self._store = vm, store

    def source(self, disk: Disk) -> Source:
        """See :class:`Opened`."""
        where = datastore_path(disk.path)
        return open_disk(self._store(where.datastore, where.folder), where.file, expected=disk.capacity_bytes)

    def check(self) -> None:
        """Files stay; see :class:`Opened`."""

    def state(self, disk: Disk) -> str:
        """See :class:`Opened`."""
        where = datastore_path(disk.path)
        store = self._store(where.datastore, where.folder)
        found = open_disk(store, where.file, expected=disk.capacity_bytes)
        states = [f"{name} {store.state(name)}" for name in found.files]
        # Without a time of change the size alone would take another disk for the same.
        if any(state.endswith(" 0") for state in states):
            return ""
        digest = hashlib.sha256("\n".join(states).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return f"{self.transport}:{digest}"


def files(vm: Vm, transport: str, ways: Ways, stack: contextlib.ExitStack) -> Files:
    """The disks of a VM as files; what is opened is closed with the stack."""

    def store(datastore: str, folder: str) -> Store:
        made: Any
        if transport == "folder":
            made = FolderStore(host_of(ways.session), datastore, folder, datacenter_of(vm))
        elif transport == "ssh" and ways.ssh is not None:
            made = SshStore(ways.ssh, datastore, folder)
        else:
            made = LocalStore(_local(ways.local, datastore, folder))
        found: Store = stack.enter_context(made)
        return found

    return Files(transport, vm, store)


def _local(root: str, datastore: str, folder: str) -> str:
    deep = os.path.join(root, datastore, folder)
    return deep if os.path.isdir(deep) else root


def datacenter_of(vm: Vm) -> str:
    """Path of the datacenter of a VM, as ``/folder`` wants it: ``DC0``, or ``ha-datacenter`` on a host of its own."""
    return vm.path.partition("/vm/")[0].strip("/") or "ha-datacenter"


class Leased:
    """Disks of an export lease."""

    transport = "nfc"

    def __init__(self, vm: Vm, lease: Any, ways: Ways, state: Callable[[Disk], str]) -> None:
        self._vm, self._lease, self._ways, self._state = vm, lease, ways, state
        self._sources: dict[int, LeaseSource] = {}
        self._judge: Callable[[], None] | None = None

    def source(self, disk: Disk) -> Source:
        """See :class:`Opened`."""
        for file in self._lease.files:
            found = leases.disk_of(self._vm, file) if file.disk else None
            if found is not None and found.key == disk.key:
                name = f"{self._vm.name} {disk.place}"
                made = LeaseSource(self._ways.session, file.url, name, disk.capacity_bytes, file.thumbprint)
                self._sources[disk.key] = made
                return made
        raise LandscapeError(f"The lease of {self._vm.name} does not serve {disk.place} ({disk.label})")

    def state(self, disk: Disk) -> str:
        """See :class:`Opened`."""
        return self._state(disk)

    def judged_by(self, judge: Callable[[], None]) -> None:
        """Who knows whether the lease was kept."""
        self._judge = judge

    def check(self) -> None:
        """See :class:`Opened`."""
        if self._judge is not None:
            self._judge()

    def percent(self, disks: Sequence[Disk]) -> float:
        """How much of all disks was decoded, from 0 to 100."""
        total = sum(disk.capacity_bytes for disk in disks)
        return 100.0 * sum(source.place for source in tuple(self._sources.values())) / max(total, 1)


def _leased(vm: Vm, disks: Sequence[Disk], ways: Ways, stack: contextlib.ExitStack) -> Opened:
    """The disks of a lease that is kept until the stack ends, which completes it, or gives it up after an error."""
    lease = stack.enter_context(leases.lease(ways.session, vm, ways.snapshot))
    found = Leased(vm, lease, ways, lambda disk: guessed_state(vm, disk, ways))
    found.judged_by(stack.enter_context(kept(lease, lambda: found.percent(disks))))
    return found


def state_of(vm: Vm, disk: Disk, ways: Callable[[str], Ways], seen: str) -> str:
    """What :meth:`Opened.state` would say now, with nothing opened for it; empty where nobody can tell.

    :param ways: what there is for a transport; each of them names content in its own manner.
    :param seen: what it said before.
    :raises LandscapeError: it cannot be read now.
    """
    transport = seen.partition(":")[0]
    if transport not in ("folder", "ssh", "local"):
        return ""
    there = ways(transport)
    if not {"folder": there.session, "ssh": there.ssh, "local": there.local}[transport]:
        return ""
    with contextlib.ExitStack() as stack:
        return files(vm, transport, there, stack).state(disk)


def guessed_state(vm: Vm, disk: Disk, ways: Ways) -> str:
    """The state of a disk by its files, where the endpoint shows them; empty where not (vSAN) or a snapshot is meant."""
    if ways.snapshot or ways.session is None:
        return ""
    with contextlib.ExitStack() as stack, contextlib.suppress(LandscapeError):
        return files(vm, "folder", ways, stack).state(disk)
    return ""
