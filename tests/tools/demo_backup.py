# SPDX-License-Identifier: Apache-2.0
"""``make demo-backup``: two servers of a project, backed up three times, deleted, and made again; all of it by a plain member."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..lab.openstack import Cloud
from . import plays
from .console import say
from .paths import REPO

#: With ``SCS_LANE`` a second demo runs beside the first.
LANE = "-".join(filter(None, ["demo", os.environ.get("SCS_LANE"), "backup"]))
BUILD = REPO / "build" / LANE
ROUNDS = 3
#: The volumes, by name; the first boots a server.
VOLUMES = ("db-root", "db-data", "web-data")
GIB, _BLOCK = 1 << 30, 1 << 20
_ZEROS = bytes(_BLOCK)
#: The member furnishes the project: a server that boots from a volume, one that boots from an image, addresses of their own.
_FURNISH = """
import json, openstack
cloud = openstack.connect(cloud="member")
volumes, network = cloud.block_storage, cloud.network
front = network.create_network(name="shop")
subnet = network.create_subnet(network_id=front.id, name="shop", ip_version=4, cidr="10.7.0.0/24")
image = cloud.image.create_image(
    name="shop-image", disk_format="raw", container_format="bare", data=b"x" * 512, allow_duplicates=True)
made = {}
for name in NAMES:
    made[name] = volumes.create_volume(size=1, name=name, metadata={"backup:policy": "gold", "tier": name.split("-")[0]})
made = {name: volumes.wait_for_status(one, "available", ["error"], 0.3, 600) for name, one in made.items()}
volumes.set_volume_bootable_status(made["db-root"], True)
def disk(name, index):
    return {"uuid": made[name].id, "source_type": "volume", "destination_type": "volume", "boot_index": index}
local = {"uuid": image.id, "source_type": "image", "destination_type": "local", "boot_index": 0}
flavor = {name: cloud.compute.find_flavor(name).id for name in ("lab-small", "lab-tiny")}
servers = []
for number, (name, size, more) in enumerate((
    ("shop-db", "lab-small", {"block_device_mapping": [disk("db-root", 0), disk("db-data", -1)]}),
    ("shop-web", "lab-tiny", {"image_id": image.id, "block_device_mapping": [local, disk("web-data", -1)]}),
)):
    port = network.create_port(network_id=front.id, name=name, mac_address=f"fa:16:3e:70:00:0{number + 1}",
        fixed_ips=[{"subnet_id": subnet.id, "ip_address": f"10.7.0.{10 + number}"}],
        allowed_address_pairs=[{"ip_address": "10.7.0.100"}])
    servers.append(cloud.compute.create_server(name=name, flavor_id=flavor[size], networks=[{"port": port.id}],
        metadata={"owner": "shop"}, **more))
for one in servers:
    cloud.compute.wait_for_server(one, "ACTIVE", ["ERROR"], 0.3, 600)
print(json.dumps({name: one.id for name, one in made.items()}))
"""
#: Everything goes, except for backups and what the provider of a network keeps.
_DELETE = """
import json, time, openstack
cloud = openstack.connect(cloud="member")
for one in cloud.compute.servers():
    cloud.compute.delete_server(one)
end = time.monotonic() + 600
while list(cloud.compute.servers()) and time.monotonic() < end:
    time.sleep(0.3)
for one in cloud.network.ports(project_id=cloud.current_project_id):
    cloud.network.delete_port(one)
for one in cloud.block_storage.volumes():
    cloud.block_storage.delete_volume(one)
while list(cloud.block_storage.volumes(details=False)) and time.monotonic() < end:
    time.sleep(0.3)
left = [one.id for one in [*cloud.compute.servers(), *cloud.block_storage.volumes()]]
print(json.dumps({"left": left, "backups": len(list(cloud.block_storage.backups(details=False)))}))
"""
_LOOK = """
import json, openstack
cloud = openstack.connect(cloud="member")
print(json.dumps({
    "volumes": {one.name: one.id for one in cloud.block_storage.volumes()},
    "servers": {one.name: one.status for one in cloud.compute.servers()},
    "ports": sorted(f"{one.name} {one.mac_address} {one.fixed_ips[0]['ip_address']}"
        for one in cloud.network.ports(project_id=cloud.current_project_id)),
}))
"""


class Shop:
    """The project of the demo and what is done with it.

    :cvar volumes: their names.
    :cvar written: MiB that are written to each volume before the first round, and before each other one.
    :cvar drilled: how many backups the drill restores.
    :ivar digests: of the bytes of each volume by name, read past all services before everything was deleted.
    """

    volumes: tuple[str, ...] = VOLUMES
    rounds, written, drilled = ROUNDS, (48, 3), 2
    consistency, program = "crash", "ansible-playbook"

    def __init__(self, cloud: Cloud, build: Path = BUILD) -> None:
        self.cloud, self.build = cloud, build
        self.clouds = build / "clouds.yaml"
        self.digests: dict[str, str] = {}
        self.before: dict[str, Any] = {}
        self.verdict: list[str] = []
        self._chance = random.Random()

    def play(self) -> int:
        """All of the story; the exit code of the first playbook that fails, or 1 when a byte differs."""
        self._begin()
        ids = self.furnish()
        for number in range(1, self.rounds + 1):
            for volume in ids.values():
                self._write(volume, self.written[number > 1])
            if code := self._playbook(f"round-{number}", str(self._round(number)), {}):
                return code
        count = {"backup_drill_count": self.drilled}
        drill = {**count, **self._where("backup_drill"), "backup_drill_title": "Drill of the shop"}
        if code := self._playbook("restore_drill", "scs.landscape.restore_drill", drill):
            return code
        self.digests = {name: digest(self.disk(volume)) for name, volume in ids.items()}
        self.before = self.look()
        say("everything is deleted, except for the backups")
        gone = self.delete()
        if gone["left"] or [name for name, volume in ids.items() if self.disk(volume).exists()]:
            print(f"  still there: {gone['left']}", file=sys.stderr)
            return 1
        rebuild = {
            "backup_rebuild_manifests": [str(self.build / "servers")],
            "backup_rebuild_title": "Rebuild of the shop",
            **self._where("backup_rebuild"),
        }
        code = self._playbook("dr_rebuild", "scs.landscape.dr_rebuild", rebuild)
        return code or self._compare()

    def furnish(self) -> dict[str, str]:
        """Makes volumes and servers; ids of the volumes by name."""
        made: dict[str, str] = self._ask(_FURNISH.replace("NAMES", repr(self.volumes)))
        return made

    def delete(self) -> Any:
        """Removes everything but the backups; what is ``left`` of it, and how many ``backups`` there are."""
        return self._ask(_DELETE)

    def look(self) -> Any:
        """Ids of ``volumes`` and states of ``servers`` by name, and ``ports`` with their addresses."""
        return self._ask(_LOOK)

    def disk(self, volume: str) -> Path:
        """The file of a volume in the lab's back end."""
        return self.cloud.share / f"volume-{volume}"

    def _begin(self) -> None:
        """The credentials of a member alone, in an empty project."""
        mark = self.build / "begun"
        if mark.exists():
            say("removing what the last demo left in the project")
            self.cloud.clean("demo")
        for name in ("servers", "digests"):
            shutil.rmtree(self.build / name, ignore_errors=True)
        mark.touch()
        known = json.loads(self.cloud.clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        self.clouds.unlink(missing_ok=True)
        with open(os.open(self.clouds, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"clouds": {"member": known["member"]}}, file)

    def _environ(self) -> dict[str, str]:
        return {"OS_CLIENT_CONFIG_FILE": str(self.clouds)}

    def _ask(self, script: str) -> Any:
        """What a script of the member's says."""
        argv = [str(self.cloud.python), "-c", script]
        environ = {**os.environ, **self._environ()}
        done = self.cloud.run(argv, env=environ, stdout=subprocess.PIPE, text=True, timeout=900, check=True)
        return json.loads(done.stdout)

    def _where(self, role: str) -> dict[str, Any]:
        """Where reports, lists of digests and bytes are."""
        return {
            f"{role}_report": str(self.build / "reports"),
            f"{role}_digests": str(self.build / "digests"),
            f"{role}_reader": self._reader(),
        }

    def _reader(self) -> dict[str, str]:
        share = self.cloud.share
        return {
            "kind": "file",
            "path": f"{share}/volume-{{id}}",
            "snapshot_path": f"{share}/volume-*.snap-{{snapshot}}",
        }

    def _round(self, number: int) -> Path:
        """A play that backs up every volume with the policy gold, and writes down what the servers are made of."""
        run = {
            "cloud": "member",
            "policy": "gold",
            "run_id": f"round-{number}",
            "consistency": self.consistency,
            "digests": str(self.build / "digests"),
            "reader": self._reader(),
        }
        tasks = [
            {
                "name": f"Back up the volumes with the policy gold, round {number}",
                "scs.landscape.volume_backup_run": run,
            },
            {
                "name": "Write down what the servers are made of",
                "scs.landscape.server_capture": {"cloud": "member", "dest": str(self.build / "servers")},
            },
        ]
        place = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = {"name": "Take a round", "hosts": "localhost", "connection": "local", "gather_facts": False}
        path = self.build / f"round-{number}.yml"
        # JSON is YAML, and what runs here has no need of a library for it
        path.write_text(json.dumps([{**play, "vars": place, "tasks": tasks}], indent=1), encoding="utf-8")
        return path

    def _playbook(self, name: str, playbook: str, variables: dict[str, Any]) -> int:
        log = self.build / f"{name}.log"
        say(f"ansible-playbook {playbook} (everything it says: {log})")
        argv = [*self.cloud.entering(), self.program, "-e", json.dumps(variables), playbook]
        code = plays.watch(argv, self.build, log, self._environ())
        if code:
            sys.stdout.write(log.read_text(encoding="utf-8")[-6000:])
        return code

    def _write(self, volume: str, pieces: int) -> None:
        """What a guest would write: random bytes at random places."""
        with open(self.disk(volume), "r+b") as file:
            for _number in range(pieces):
                file.seek(self._chance.randrange(GIB - _BLOCK))
                file.write(self._chance.randbytes(_BLOCK))

    def _compare(self) -> int:
        """Whether every byte, every address and every server is what it was, read past all services."""
        after = self.look()
        ok = True
        for name in self.volumes:
            now = digest(self.disk(after["volumes"][name])) if name in after["volumes"] else "gone"
            same = now == self.digests[name]
            ok = ok and same
            word = "the same" if same else "OTHER BYTES"
            self.verdict.append(f"  {name:<10} {self.digests[name][:16]}  {now[:16]}  {word}")
        for what in ("servers", "ports"):
            ok = ok and after[what] == self.before[what]
            self.verdict.append(f"  {what:<10} {'as they were' if after[what] == self.before[what] else 'OTHERS'}")
        return 0 if ok else 1

    def summary(self, began: float) -> None:
        """What the playbooks say in the words of their reports, and what the demo itself compared."""
        reports = [one for one in sorted((self.build / "reports").glob("*-*T*")) if one.stat().st_mtime >= began - 1]
        for folder in reports:
            print("\n" + (folder / "report.txt").read_text(encoding="utf-8").rstrip())
        if self.verdict:
            print(f"\nRead from the back end by the demo itself:\n  {'VOLUME':<10} {'BEFORE':<16}  {'REBUILT':<16}")
            print("\n".join(self.verdict))
        print()
        for folder in reports:
            what = "chains, times of a drill" if "restore_drill" in folder.name else "what was brought back"
            print(f"  Report:         {folder / 'report.html'}   ({what})")
        print(f"  Manifests:      {self.build / 'servers'}")
        enter = f"python3 -B -m tests.lab openstack enter --lane {LANE} -- {self.cloud.python.parent / 'openstack'}"
        print(f"  Look inside:    {enter} --os-cloud member server list")
        print("  Run it again:   make demo-backup          End it: make demo-backup-down")


def digest(path: Path) -> str:
    """SHA-256 of the places and bytes of all MiB of a volume that are not zeros; a file that ends early ends in zeros."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for number, block in enumerate(_blocks(file.fileno())):
            if block and block != _ZEROS[: len(block)]:
                found.update(number.to_bytes(8, "big") + block.ljust(_BLOCK, b"\0"))
    return found.hexdigest()


def _blocks(file: int) -> Iterator[bytes]:
    """Every MiB of a volume; nothing for one that is a hole."""
    end = os.fstat(file).st_size
    data = 0
    for start in range(0, end, _BLOCK):
        if data < start + _BLOCK and data <= start:
            try:
                data = os.lseek(file, start, os.SEEK_DATA)
            except OSError:
                data = end
        yield b"" if data >= start + _BLOCK else os.pread(file, _BLOCK, start)


def main(arguments: list[str]) -> int:
    """Starts the services and plays the story; with ``down`` ends them."""
    cloud = Cloud(LANE, "compute")
    shop = Shop(cloud)
    demo = plays.Demo("demo-backup", "the cloud is", BUILD, cloud.up, lambda: _down(cloud), shop.play, shop.summary)
    return demo.main(arguments)


def _down(cloud: Cloud) -> None:
    """Ends the services; credentials and manifests go with them, reports stay."""
    cloud.down()
    for name in ("clouds.yaml", "begun"):
        (BUILD / name).unlink(missing_ok=True)
    for name in ("servers", "digests"):
        shutil.rmtree(BUILD / name, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
