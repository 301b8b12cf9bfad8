# SPDX-License-Identifier: Apache-2.0
"""What benches of migrations stand on: an ESXi and a cloud on one machine, our module as a program, and the guide's steps.

As a program: ``python -m ...migration OPTIONS`` (JSON) runs vmware_disk_export and prints what it returns and what it cost.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk, call, until_status
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.tools import apt

MIB, GIB = 1 << 20, 1 << 30
#: What Cinder of the lab calls its share.
SHARE = "127.0.0.1:/lab"
_SECONDS = 900


@dataclass(frozen=True)
class Ran:
    """A run of the module in a process of its own.

    :ivar seconds: by the clock, from its start to its end; ``cpu``: of the processor; ``memory``: most bytes that it had.
    """

    values: dict[str, Any]
    seconds: float
    cpu: float
    memory: int


def cost_of(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock and of the processor that programs take which something starts and waits for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@dataclass
class Estate:
    """An operator between an ESXi and a cloud, with a folder for what they keep."""

    cloud: Cloud
    esxi: Vsphere
    folder: Path

    def export(self, vm: str, to: str, *, url: str = "", clouds: Path | None = None, **options: Any) -> Ran:
        """The module, from its start to its end.

        :param url: of a proxy in front of the ESXi; ``clouds``: another clouds.yaml, with proxies.
        """
        port = urlsplit(url or self.esxi.url).port
        given = {"hostname": "127.0.0.1", "port": port, "username": self.esxi.username, "password": self.esxi.password}
        given.update(ca_path=str(self.esxi.ca), vm=vm, to=to, openstack={"cloud": "member"}, **options)
        given.setdefault("dest", str(self.folder / "maps"))
        argv = [*self.cloud.entering(), sys.executable, "-B", "-m", __name__]
        environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(clouds or self.cloud.clouds_yaml)}
        said: list[subprocess.CompletedProcess[str]] = []

        def work() -> None:
            pipe = {"input": json.dumps(given), "stdout": subprocess.PIPE, "text": True}
            said.append(subprocess.run(argv, env=environ, timeout=_SECONDS, check=False, **pipe))

        seconds, cpu = cost_of(work)
        assert said[0].returncode == 0, said[0].stdout[-4000:]
        told = json.loads(said[0].stdout.splitlines()[-1])
        assert not told["failed"], told["failed"]
        return Ran(told["values"], seconds, cpu, told["memory"])

    @property
    def mounts(self) -> dict[str, str]:
        """Where volumes lie."""
        return {SHARE: str(self.cloud.share)}

    def address(self, disk: str) -> str:
        """Of a file of a datastore."""
        datastore, _bracket, path = disk[1:].partition("] ")
        return f"https://127.0.0.1:{self.esxi.port}/folder/{path}?dcPath=ha-datacenter&dsName={datastore}"

    def curl(self, disk: str, *more: str) -> list[str]:
        """A plain program that reads a file of a datastore."""
        user = f"{self.esxi.username}:{self.esxi.password}"
        return ["curl", "-sS", "--fail", "--cacert", str(self.esxi.ca), "--user", user, *more, self.address(disk)]

    def guide(self, name: str, disk: str, size: int) -> tuple[float, int, str]:
        """The guide's steps: seconds, bytes of scratch, id of the volume.

        https://osism.tech/docs/guides/user-guide/openstack/migration-vmware-esxi; curl stands for its scp, which costs more.
        """
        apt.ensure(["qemu-utils"], "the guide's steps")
        scratch = self.folder / "scratch"
        scratch.mkdir()
        flat = disk.replace(".vmdk", "-flat.vmdk")
        began = time.monotonic()
        for one in (disk, flat):
            self._run(self.curl(one, "-o", str(scratch / one.rpartition("/")[2])))
        source, raw = scratch / disk.rpartition("/")[2], scratch / "disk.raw"
        self._run(["qemu-img", "convert", "-f", "vmdk", "-O", "raw", str(source), str(raw)])
        client = [str(self.cloud.python.parent / "openstack"), "--os-cloud", "member"]
        only = ["-f", "value", "-c", "id"]
        properties = ["--property", "hw_disk_bus=scsi", "--property", "hw_scsi_model=virtio-scsi"]
        image = ["image", "create", "--disk-format", "raw", "--file", str(raw), *properties, *only, name]
        made = self._run([*client, *image]).strip()
        gib = str(-(-size // GIB))
        volume = self._run([*client, "volume", "create", "--size", gib, "--image", made, *only, name]).strip()
        with Desk(self.cloud, self.folder, "member").session() as cloud:
            until_status(cloud, "block-storage", f"/volumes/{volume}", 200, "volume", "available")
        took = time.monotonic() - began
        kept = sum(file.stat().st_size for file in scratch.iterdir())
        shutil.rmtree(scratch)
        return took, kept, volume

    def _run(self, argv: Sequence[str]) -> str:
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        done = self.cloud.run(argv, timeout=_SECONDS, **pipe)
        assert done.returncode == 0, done.stderr[-2000:]
        return str(done.stdout)

    def clean(self) -> None:
        """Removes volumes and images."""
        desk = Desk(self.cloud, self.folder, "member")
        with desk.session() as cloud:
            for one in list(cloud.pages("block-storage", "/volumes/detail", "volumes")):
                machines.gone(cloud, "block-storage", f"/volumes/{one['id']}")
            for identifier, one in desk.images().items():
                if one.get("owner") == cloud.project_id:
                    cloud.call("image", "DELETE", f"/images/{identifier}", accept=(404,))
        shutil.rmtree(self.folder / "maps", ignore_errors=True)


def filled(path: Path, size: int, held: int, seed: int = 1, share: float = 1.0) -> Path:
    """A raw disk with so many bytes that are no zeroes, in stretches of 4 MiB all over it.

    :param share: of those that no compression makes less.
    """
    chance, step = random.Random(seed), 4 * MIB
    count = -(-size // step)
    chosen = sorted(chance.sample(range(count), min(count, held // step)))
    with open(path, "wb") as file:
        file.truncate(size)
        for number in chosen:
            file.seek(number * step)
            noise = chance.randbytes(int(step * share))
            file.write((noise + b"a" * (step - len(noise)))[: size - number * step])
    return path


@contextlib.contextmanager
def estate(lane: str, folder: Path, described: Sequence[dict[str, Any]]) -> Iterator[Estate]:
    """A cloud, and an ESXi in its network.

    :param described: machines, see docs/vsphere-lab.md.
    """
    cloud = Cloud(lane, profile="volume")
    cloud.down()  # a killed run may have left one that is not as it was
    cloud.up()
    try:
        esxi = Vsphere(lane, "esxi", {"machines": list(described)})
        esxi.prepare()
        with cloud.inside():
            esxi.down()
            esxi.up()
        try:
            yield Estate(cloud, esxi, folder)
        finally:
            with cloud.inside():
                esxi.down()
    finally:
        cloud.down()


def main() -> None:
    """One run of the module."""
    result = call("vmware_disk_export", json.load(sys.stdin))
    with open("/proc/self/status", encoding="ascii") as stream:
        memory = next(int(line.split()[1]) * 1024 for line in stream if line.startswith("VmHWM"))
    print(json.dumps({"failed": result.failed, "values": result.values, "memory": memory}))


if __name__ == "__main__":
    main()
