# SPDX-License-Identifier: Apache-2.0
"""An operator between a simulated ESXi and the lab's cloud, with the playbooks for migrations."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests import machines
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import Desk
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, lane
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

MIB, GIB = 1 << 20, 1 << 30


@dataclass
class Estate:
    """An operator between an ESXi and a cloud.

    :param disks: what the disks of the machines hold, by name of the machine.
    :param variables: for every playbook; ``ssh``: how the host's shell is reached.
    :param order: keys of the disks of a machine in the order in which its server shall have them.
    """

    desk: Desk
    esxi: Vsphere
    disks: dict[str, list[bytes]]
    variables: dict[str, Any] = field(default_factory=dict)
    ssh: dict[str, Any] | None = None
    order: Sequence[str] = ()

    def _start(self, name: str, options: Sequence[str], variables: dict[str, Any]) -> subprocess.Popen[str]:
        login = {"hostname": "127.0.0.1", "port": self.esxi.port, "username": self.esxi.username}
        login.update({"ssh": self.ssh} if self.ssh else {})
        given = {
            "vm_endpoints": [{**login, "password": self.esxi.password, "ca_path": str(self.esxi.ca)}],
            "vm_cloud": "member",
            "vm_folder": str(self.desk.folder / "converter"),
            "vm_mounts": {"127.0.0.1:/lab": str(self.desk.cloud.share)},
            "vm_networks": {"*": "front"},
            **self.variables,
            **variables,
        }
        file = self.desk.folder / "variables.yml"
        file.write_text(yaml.safe_dump(given), encoding="utf-8")
        argv = [str(PROGRAMS / "ansible-playbook"), f"scs.landscape.{name}", "-e", f"@{file}", "-vvv", *options]
        environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "PWD": str(self.desk.folder)}
        environ.update(ANSIBLE_NOCOLOR="1", ANSIBLE_PIPELINING="1")
        environ["OS_CLIENT_CONFIG_FILE"] = str(self.desk.cloud.clouds_yaml)
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), *sys.path[-1:]]))
        argv = [*self.desk.cloud.entering(), *argv]
        output = (self.desk.folder / "said").open("w", encoding="utf-8")
        with output:
            return subprocess.Popen(
                argv, env=environ, cwd=self.desk.folder, stdout=output, stderr=subprocess.STDOUT, text=True
            )

    def _said(self) -> str:
        said = (self.desk.folder / "said").read_text(encoding="utf-8")
        assert self.esxi.password not in said
        return said

    def play(self, name: str, *options: str, fails: bool = False, **variables: Any) -> str:
        """What a playbook says."""
        process = self._start(name, options, variables)
        try:
            process.wait(timeout=1800)
        finally:
            end(process)
        said = self._said()
        assert bool(process.returncode) == fails, said[-6000:]
        return said

    def killed(self, name: str, when: Callable[[], Any], **variables: Any) -> bool:
        """Whether a playbook was killed with all that it had started, once something was so; it may have ended before."""
        process = self._start(name, (), variables)
        try:
            deadline = time.monotonic() + 1800
            while process.poll() is None and not when():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            return process.poll() is None
        finally:
            end(process)
            self._said()

    def journal(self, name: str) -> str:
        """The state of a machine by its journal; empty when there is none."""
        path = self.desk.folder / "converter" / "journals"
        for file in path.glob(f"*{self.uuid(name)}*") if path.is_dir() else ():
            with contextlib.suppress(ValueError, OSError, KeyError):
                return str(json.loads(file.read_text(encoding="utf-8"))["journal"]["state"])
        return ""

    @property
    def digest(self) -> str:
        """Of the plan that lies on the controller."""
        return str(self.plan["digest"])

    @property
    def plan(self) -> dict[str, Any]:
        return dict(json.loads((self.desk.folder / "migration-plan.json").read_text(encoding="utf-8")))

    def uuid(self, name: str) -> str:
        return next(str(one["uuid"]) for one in self.plan["vms"] if one["name"] == name)

    def migrate(self, *options: str, fails: bool = False, **variables: Any) -> str:
        """One migration of all that is planned."""
        return self.play("vm_migrate", *options, fails=fails, landscape_confirm=f"lab {self.digest}", **variables)

    def roll_back(self, *options: str, fails: bool = False, **variables: Any) -> str:
        """The way back."""
        return self.play("vm_rollback", *options, fails=fails, landscape_confirm=f"lab {self.digest}", **variables)

    def source(self, name: str) -> dict[str, Any]:
        with self.desk.cloud.inside():
            found = dict(self.esxi.state()["machines"][name])
        cards = {card[key] for card in found["nics"] for key in ("connected", "start_connected")}
        return {**found, "cards": cards}

    def written(self) -> list[str]:
        """What changed something at the source."""
        with self.desk.cloud.inside():
            return list(self.esxi.writes())

    def listed(self, service: str, path: str, key: str, name: str, **query: Any) -> list[dict[str, Any]]:
        """Things of the project that carry the mark of a machine."""
        uuid = self.uuid(name)
        with self.desk.session() as cloud:
            everything = list(cloud.pages(service, path, key, **query))
        marks = [{"migration_vm": uuid}.items() <= (one.get("metadata") or {}).items() for one in everything]
        tags = [f"migration_vm={uuid}" in (one.get("tags") or ()) for one in everything]
        return [one for one, mark, tag in zip(everything, marks, tags) if mark or (key == "ports" and tag)]

    def servers(self, name: str) -> list[dict[str, Any]]:
        return self.listed("compute", "/servers/detail", "servers", name, microversion="2.79")

    def volumes(self, name: str) -> list[dict[str, Any]]:
        found = self.listed("block-storage", "/volumes/detail", "volumes", name)
        return sorted(found, key=lambda one: int(one["metadata"]["migration_disk"]))

    def ports(self, name: str) -> list[dict[str, Any]]:
        return self.listed("network", "/ports", "ports", name)


def machine(folder: Path, name: str, number: int, disks: list[bytes]) -> dict[str, Any]:
    """A machine that runs."""
    files = []
    for index, content in enumerate(disks):
        path = folder / f"{name}-{index}.raw"
        path.write_bytes(content)
        files.append({"size": len(content), "source": str(path), "thin": True})
    card = {"mac": f"00:50:56:aa:00:{number:02x}", "ips": [f"10.7.0.{20 + number}"]}
    return {
        "name": name,
        "power": "on",
        "tools": "running",
        "guest_id": "debian11_64Guest",
        "cpus": 1,
        "memory_mb": 1024,
        "autostart": number,
        "disks": files,
        "nics": [card],
    }


def end(process: subprocess.Popen[str]) -> None:
    """Kills a process with all that came of it: workers of Ansible have sessions of their own."""
    if process.poll() is None:
        mine = [process.pid]
        for pid in mine:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
            mine += children(pid)
        for pid in mine:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    process.wait(timeout=60)


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Behind the name, which may hold anything: the state, and the parent.
            if int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


@contextlib.contextmanager
def between(
    cloud: Cloud, folder: Path, described: Sequence[dict[str, Any]], disks: dict[str, list[bytes]], **more: Any
) -> Iterator[Estate]:
    """An ESXi with some machines, and a project with the network ``front``."""
    desk = Desk(cloud, folder, "member")
    with desk.session() as session:
        body = {"network": {"name": "front"}}
        network = session.call("network", "POST", "/networks", json=body, repeat=False).body["network"]["id"]
        subnet = {"network_id": network, "name": "front", "ip_version": 4, "cidr": "10.7.0.0/24"}
        session.call("network", "POST", "/subnets", json={"subnet": subnet}, repeat=False)
    esxi = Vsphere(lane("play"), "esxi", {"machines": list(described), **more})
    esxi.prepare()
    try:
        with cloud.inside():
            esxi.down()  # a killed run may have left one
            esxi.up()
        yield Estate(desk, esxi, disks)
    finally:
        with cloud.inside():
            esxi.down()
        cloud.clean("demo")


def holds(estate: Estate, name: str) -> None:
    """That the volumes of a machine have exactly the bytes of its disks, and zeroes behind them."""
    volumes = estate.volumes(name)
    assert len(volumes) == len(estate.disks[name])
    for volume, content in zip(volumes, estate.disks[name]):
        with machines.disk(estate.desk.cloud, volume["id"]).open("rb") as file:
            assert file.read(len(content)) == content
            assert not any(block.count(0) != len(block) for block in iter(lambda file=file: file.read(MIB), b""))


def is_migrated(estate: Estate, name: str, number: int) -> None:
    holds(estate, name)
    (server,) = estate.servers(name)
    (port,) = estate.ports(name)
    assert (server["status"], server["name"]) == ("ACTIVE", name)
    assert (port["device_id"], port["mac_address"]) == (server["id"], f"00:50:56:aa:00:{number:02x}")
    assert [one["ip_address"] for one in port["fixed_ips"]] == [f"10.7.0.{20 + number}"]
    source = estate.source(name)
    assert (source["power"], source["cards"], source["autostart"]) == ("poweredOff", {False}, 0)


def is_at_the_source(estate: Estate, name: str, number: int) -> None:
    assert (estate.servers(name), estate.volumes(name), estate.ports(name)) == ([], [], [])
    source = estate.source(name)
    assert (source["power"], source["cards"], source["autostart"]) == ("poweredOn", {True}, number)
