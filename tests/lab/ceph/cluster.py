# SPDX-License-Identifier: Apache-2.0
"""The provider ``ceph``: a cluster of real daemons on three machines of the provider ``hosts``, in a lane of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable, say
from ...tools.paths import CACHE, locked
from .. import guests, images, launch
from ..hosts import Lab
from ..lane import Record
from ..machine import Machine
from . import bootstrap, lvm, template
from .layout import DISKS, MASKED, PACKAGES, Layout, conf

_RELEASE = "trixie"
#: Seconds a prepared cluster may take until its data is clean.
PATIENCE = 300.0
_UNIT = """[Unit]
Description=Loop devices for the disks of this host
Before=ceph-osd.target
DefaultDependencies=no
After=local-fs.target
[Service]
Type=notify
ExecStart=/usr/bin/python3 -B /usr/local/lib/lab-disks.py /{disks}
TimeoutStartSec=120
OOMScoreAdjust=-900
[Install]
WantedBy=multi-user.target
"""
_AFTER_DISKS = "[Unit]\nRequires=lab-disks.service\nAfter=lab-disks.service\n"


class CephCluster:
    """A Ceph cluster in a lane. Lanes have networks of their own and the same addresses in them.

    :param layout: its size; all who share a lane name the same.
    :param templates: where prepared clusters are kept.
    """

    def __init__(self, lane: str = "demo", layout: Layout | None = None, templates: Path | None = None) -> None:
        self.layout = layout or Layout()
        self.lab = _Hosts(f"ceph-{lane}", self.layout, templates or CACHE / "lab" / "ceph")

    # up and down

    def up(self) -> dict[str, Any]:
        """Start the cluster unless it runs, and wait until all its data is clean; the status.

        :raises Unavailable: this machine does not permit it, or the cluster does not come up in time.
        """
        if self.lab.status()["state"] == "partial":
            self.lab.down()  # the disks of a host that ended are gone with it
        self.lab.up()
        self._publish()
        return self.status()

    def down(self) -> None:
        """End the cluster and leave nothing: no process, mount, namespace or loop device."""
        self.lab.down()

    def status(self) -> dict[str, Any]:
        """What runs, as data; ``ceph`` holds the cluster's own status when it answers."""
        hosts = self.lab.status()
        answer: dict[str, Any] = {}
        if hosts["state"] == "up":
            done = self.run(["ceph", "--connect-timeout", "5", "status", "--format", "json"], check=False)
            answer = json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr.strip()[-300:]}
        return {
            "lane": self.lab.lane.name,
            "state": hosts["state"],
            "namespace": self.namespace if hosts["state"] != "down" else "",
            "conf": str(self.conf),
            "keyring": str(self.keyring),
            "machines": hosts["machines"],
            "ceph": answer,
        }

    # what is there

    @property
    def conf(self) -> Path:
        """A ceph.conf for programs that run in :attr:`namespace`; it names the keyrings beside it."""
        return self.lab.lane.file("client") / "ceph.conf"

    @property
    def keyring(self) -> Path:
        """The keyring of client.admin."""
        return self.lab.lane.file("client") / "ceph.client.admin.keyring"

    @property
    def namespace(self) -> str:
        """The network namespace that the mons are reachable in, as a path for ``nsenter --net=`` or ``setns``."""
        return self.lab.entering()[1].partition("=")[2]

    def machine(self, name: str) -> Machine:
        """A host of the cluster."""
        return self.lab.machine(name)

    def run(self, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as root on the first host whose machine runs, where the admin's keyring is."""
        for host in self.layout.hosts:
            machine = self.lab.machine(host)
            if machine.alive:
                return machine.run(argv, **options)
        raise Unavailable("no host of the cluster runs")

    def ask(self, *words: str) -> Any:
        """The answer of the cluster to a command, as data."""
        return json.loads(self.run(["ceph", *words, "--format", "json"]).stdout)

    def await_clean(self, seconds: float = PATIENCE) -> None:
        """Wait until every mon is in quorum, every OSD up and every placement group active and clean.

        :raises Unavailable: not within so many seconds; the cluster's own words are the reason.
        """
        bootstrap.await_clean(self.run, self.layout, seconds)

    def join(self, pid: int, number: int = 100) -> str:
        """Plug another network namespace into the cluster's network, so that programs there reach mons and OSDs.

        :param pid: a process in that namespace. Joining again is fine; the cable goes with either side.
        :param number: the last part of its address, above those of the hosts.
        :returns: its address.
        """
        near, far, address = f"join{number}", "ceph0", f"10.61.0.{number}"
        keeper = self.namespace.split("/")[2]
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip"]
        subprocess.run([*inside, "link", "delete", far], check=False, capture_output=True, timeout=30)
        for command in (
            ["ip", *f"link add {near} netns {keeper} type veth peer name {far} netns {pid}".split()],
            [*self.lab.entering(), "ip", *f"link set {near} master oob up".split()],
            [*inside, *f"address add {address}/24 dev {far}".split()],
            [*inside, *f"link set {far} up".split()],
        ):
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        return address

    def _publish(self) -> None:
        """Write what clients need; keys are for root alone."""
        folder = self.conf.parent
        folder.mkdir(mode=0o700, exist_ok=True)
        host = self.lab.machine(self.layout.hosts[0])
        fsid = ""
        for line in host.run(["cat", "/etc/ceph/ceph.conf"]).stdout.splitlines():
            fsid = line.partition("=")[2].strip() if line.startswith("fsid") else fsid
        for name in host.run(["ls", "/etc/ceph"]).stdout.split():
            if name.endswith(".keyring"):
                handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(host.run(["cat", f"/etc/ceph/{name}"]).stdout)
        extra = [f"[client]\nkeyring = {folder}/$cluster.$name.keyring", f"log file = {folder}/$name.$pid.log", ""]
        self.conf.write_text(conf(self.layout, fsid) + "\n".join(extra), encoding="utf-8")


class _Hosts(Lab):
    """The hosts of a cluster: machines of the provider ``hosts`` with Ceph's packages, disks and settings."""

    def __init__(self, lane: str, layout: Layout, templates: Path) -> None:
        disks = {name: lvm.disks(layout) for name in layout.stores}
        super().__init__(lane, Path("ceph"), _RELEASE, guests=layout.stores, disks=disks, memory=lvm.MEMORY)
        self.layout, self.templates = layout, templates
        #: The files of disks bear the lane's name, so that a loop device tells whose it is.
        self.disks = f"{DISKS}/{lane}"
        self.disk = launch.DISK_MIB + layout.osds * layout.gib * 1024
        self._wiring = layout.wiring()
        self._prepared: Path | None = None

    def _fingerprint(self) -> str:
        return self.layout.key("")

    def _image(self, guests: bool = False) -> Path:
        kinds = (False, True) if self.layout.stores else (False,)
        roots = [images.image(_RELEASE, kind, PACKAGES) for kind in kinds]
        self._prepared = self.templates / self.layout.key(" ".join(root.name for root in roots))
        return roots[guests]

    def _outer(self, name: str) -> list[Path]:
        """The disks of a host that are no files of its own."""
        return guests.disks(self.lane.file("machines"), name, self.guests[name].disks)

    def _furnish(self, name: str, root: Path) -> None:
        """Put the disks and the prepared state of a host in its place."""
        units = root / "etc/systemd/system"
        for unit in MASKED:
            if not (units / unit).is_symlink():  # the root of guests has one of them masked already
                (units / unit).symlink_to("/dev/null")
        hosts = "".join(f"{self.layout.address(host)}\t{host}\n" for host in self.layout.machines)
        (root / "etc/hosts").write_text(f"127.0.0.1\tlocalhost\n{hosts}", encoding="utf-8")
        assert self._prepared is not None
        if name in self.layout.stores:
            template.restore(self._prepared, name, root, outer=self._outer(name))
            _drop_in(units, lvm.AFTER_ACTIVATION)
        else:
            self._furnish_host(name, root, self._prepared)

    def _furnish_host(self, name: str, root: Path, prepared: Path) -> None:
        """The same for a host whose disks are loop devices."""
        program = root / "usr/local/lib/lab-disks.py"
        program.write_text(Path(__file__).with_name("disks.py").read_text(encoding="utf-8"), encoding="utf-8")
        units = root / "etc/systemd/system"
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants" / "lab-disks.service").symlink_to("../lab-disks.service")
        _drop_in(units, _AFTER_DISKS)
        _let_modules_load(root / "usr/share/ceph/mgr/mgr_util.py")
        restored = template.restore(prepared, name, root, self.disks)
        # after the template, which holds that of the lane it was made in
        (units / "lab-disks.service").write_text(_UNIT.format(disks=self.disks), encoding="utf-8")
        if not restored:
            disks = root / self.disks
            disks.mkdir(parents=True)
            for number in range(self.layout.osds):
                with open(disks / f"{number}.img", "wb") as file:
                    file.truncate(self.layout.gib << 30)

    def _boot(self, record: Record, waiting: dict[str, launch.Waiting]) -> None:
        super()._boot(record, waiting)
        assert self._prepared is not None
        machines = {name: self._machine(name, process, record) for name, process in record.machines.items()}
        first = machines[self.layout.hosts[0]]
        began = time.monotonic()
        if not template.exists(self._prepared):
            bootstrap.build(machines, self.layout)
            with locked(self._prepared):  # another lane may have been as early
                if not template.exists(self._prepared):
                    bootstrap.end_gateways(machines, self.layout)
                    bootstrap.end_mgrs(machines, self.layout)
                    outer = {name: self._outer(name) for name in self.layout.stores}
                    template.save(self._prepared, machines, self.disks, outer)
        bootstrap.await_clean(first.run, self.layout, PATIENCE, healthy=True)
        say(f"the cluster is clean after {time.monotonic() - began:.1f} s more")


def _drop_in(units: Path, text: str) -> None:
    """Settings of all OSDs of a host."""
    folder = units / "ceph-osd@.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "lab.conf").write_text(text, encoding="utf-8")


def _let_modules_load(program: Path) -> None:
    """Every module of the mgr imports bcrypt for the sake of one function, and Debian 13's refuses to be imported twice
    in one process, so that no module but the first would start."""
    text = program.read_text(encoding="utf-8")
    text = text.replace("import bcrypt\n", "", 1).replace(" bcrypt.", ' __import__("bcrypt").')
    program.write_text(text, encoding="utf-8")
