# SPDX-License-Identifier: Apache-2.0
"""``make demo-migration``: three machines of an ESXi become servers of a cloud; every byte is compared past all services."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..lab.openstack import Cloud
from ..lab.vsphere import Vsphere
from . import plays
from .console import say
from .paths import REPO
from .paths import digest as digest_of

#: With ``SCS_LANE`` a second demo runs beside the first.
LANE = "-".join(filter(None, ["demo", os.environ.get("SCS_LANE"), "migration"]))
BUILD = REPO / "build" / LANE
MIB = 1 << 20
_NETWORK = """
import json, openstack
network = openstack.connect(cloud="member").network
front = network.find_network("front") or network.create_network(name="front")
if not front.subnet_ids:
    network.create_subnet(network_id=front.id, name="front", ip_version=4, cidr="10.7.0.0/24")
print(json.dumps(front.id))
"""
#: What the cloud has of each machine, as a member sees it.
_LOOK = """
import json, openstack
cloud = openstack.connect(cloud="member")
addresses = {}
for one in cloud.network.ports(project_id=cloud.current_project_id):
    addresses.setdefault(one.device_id, []).append([one.mac_address, one.fixed_ips[0]["ip_address"]])
volumes = {one.id: one for one in cloud.block_storage.volumes()}
print(json.dumps({
    one.name: {
        "id": one.id,
        "status": one.status,
        "cards": sorted(addresses.get(one.id, [])),
        "volumes": {volumes[disk.id].metadata["migration_disk"]: disk.id for disk in one.attached_volumes},
        "boots": [volumes[disk.id].metadata["migration_disk"] for disk in one.attached_volumes if volumes[disk.id].is_bootable],
        "firmware": [
            volumes[disk.id].volume_image_metadata["hw_firmware_type"]
            for disk in one.attached_volumes if "hw_firmware_type" in (volumes[disk.id].volume_image_metadata or {})],
    }
    for one in cloud.compute.servers()
}))
"""


@dataclass(frozen=True)
class Guest:
    """A machine at the source.

    :param disks: MiB of each disk, and how many of them hold data; by key.
    :param boots: key of the disk that it boots from.
    """

    name: str
    number: int
    what: str
    disks: dict[int, tuple[int, int]]
    boots: int = 2000
    firmware: str = "bios"

    @property
    def card(self) -> tuple[str, str]:
        """MAC and IP address."""
        return f"00:50:56:aa:00:{self.number:02x}", f"10.7.0.{20 + self.number}"


GUESTS = (
    Guest("mail", 1, "two disks, boots from the second", {2000: (256, 48), 2001: (128, 64)}, boots=2001),
    Guest("web", 2, "UEFI", {2000: (192, 96)}, firmware="uefi"),
    Guest("archive", 3, "95 % zeroes", {2000: (1024, 51)}),
)


class Move:
    """The machines, the cloud, and the way between them.

    :param guests: the machines.
    :ivar verdict: what was compared, in lines for people.
    :ivar changed: how many tasks of a playbook changed something, by its name.
    """

    program = "ansible-playbook"

    def __init__(self, cloud: Cloud, build: Path = BUILD, lane: str = LANE, guests: tuple[Guest, ...] = GUESTS) -> None:
        self.cloud, self.build, self.guests = cloud, build, guests
        self.clouds, self.variables = build / "clouds.yaml", build / "variables.json"
        self.esxi = Vsphere(lane, "esxi", {"machines": [self._described(one) for one in self.guests]})
        self.verdict: list[str] = []
        self.changed: dict[str, int] = {}

    # up and down

    def up(self) -> None:
        """The cloud, and an ESXi in its network; what was migrated stays migrated."""
        self.cloud.up()
        for guest in self.guests:
            for key, (size, data) in guest.disks.items():
                fill(self._raw(guest, key), size, data)
        self.esxi.prepare()
        with self.cloud.inside():
            self.esxi.up()

    def down(self) -> None:
        """Ends both; credentials, plan and journals go with them, the report stays."""
        self.esxi.down()
        self.cloud.down()
        self._forget()
        for name in ("clouds.yaml", "variables.json", "begun"):
            (self.build / name).unlink(missing_ok=True)
        shutil.rmtree(self.build / "disks", ignore_errors=True)

    def _forget(self) -> None:
        self.plan.unlink(missing_ok=True)
        shutil.rmtree(self.build / "converter", ignore_errors=True)

    def _raw(self, guest: Guest, key: int) -> Path:
        """What a disk holds."""
        return self.build / "disks" / f"{guest.name}-{key}.raw"

    def _described(self, guest: Guest) -> dict[str, Any]:
        disks = [
            {"key": key, "size": size * MIB, "source": str(self._raw(guest, key)), "thin": True}
            for key, (size, _data) in guest.disks.items()
        ]
        mac, address = guest.card
        return {
            "name": guest.name,
            "annotation": guest.what,
            "power": "on",
            "tools": "running",
            "shutdown_seconds": 1,
            "guest_id": "debian11_64Guest",
            "firmware": {"uefi": "efi"}.get(guest.firmware, guest.firmware),
            "cpus": 1,
            "memory_mb": 512,
            "autostart": guest.number,
            "boot_order": [f"disk:{guest.boots}"],
            "disks": disks,
            "nics": [{"mac": mac, "ips": [address]}],
        }

    @property
    def plan(self) -> Path:
        """What an operator reviews."""
        return self.build / "migration-plan.json"

    # the story

    def play(self) -> int:
        """All of it; the exit code of the first playbook that fails, or 1 when something is not as it should be."""
        self.begin()
        # A plan is made once, reviewed, and carried out; somebody who goes on goes on with that plan.
        for name in ("vm_assess", *(() if self.plan.exists() else ("vm_plan",))):
            if code := self._playbook(name):
                return code
        digest = json.loads(self.plan.read_text(encoding="utf-8"))["digest"]
        say(f"the plan is {self.plan.name}; its digest {digest} is what an operator confirms")
        if code := self._playbook("vm_migrate", landscape_confirm=f"demo {digest}"):
            return code
        say("every byte of the new volumes is compared, past all services")
        return self.compare()

    def begin(self) -> dict[str, Any]:
        """The credentials of a member alone, and a network; what playbooks are told.

        What an earlier run began is gone on with, as long as both ends are those that it knew.
        """
        mark = self.build / "begun"
        known = json.loads(self.cloud.clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        ends = digest_of(json.dumps(known, sort_keys=True), self.esxi.password)
        if not mark.exists() or mark.read_text(encoding="utf-8") != ends:
            self.cloud.clean("demo")
            self._forget()
            mark.write_text(ends, encoding="utf-8")
        _secret(self.clouds, {"clouds": {"member": known["member"]}})
        login = {"hostname": "127.0.0.1", "port": self.esxi.port, "username": self.esxi.username}
        given = {
            "vm_endpoints": [{**login, "password": self.esxi.password, "ca_path": str(self.esxi.ca)}],
            "vm_cloud": "member",
            "vm_folder": str(self.build / "converter"),
            "vm_mounts": {"127.0.0.1:/lab": str(self.cloud.share)},
            "vm_networks": {"*": "front"},
            "vm_plan_file": str(self.plan),
            "vm_reports": str(self.build / "report"),
            "vm_report_title_of": "Three machines from an ESXi",
        }
        _secret(self.variables, given)
        self._ask(_NETWORK)
        return given

    def _environ(self) -> dict[str, str]:
        return {"OS_CLIENT_CONFIG_FILE": str(self.clouds)}

    def _ask(self, script: str) -> Any:
        """What a script of the member's says."""
        environ = {**os.environ, **self._environ()}
        argv = [str(self.cloud.python), "-c", script]
        done = self.cloud.run(argv, env=environ, stdout=subprocess.PIPE, text=True, timeout=900, check=True)
        return json.loads(done.stdout)

    def _playbook(self, name: str, **variables: Any) -> int:
        log = self.build / f"{name}.log"
        say(f"ansible-playbook scs.landscape.{name} (everything it says: {log})")
        argv = [*self.cloud.entering(), self.program, "-e", f"@{self.variables}", "-e", json.dumps(variables)]
        code = plays.watch([*argv, f"scs.landscape.{name}"], self.build, log, self._environ())
        said = log.read_text(encoding="utf-8")
        self.changed[name] = sum(int(number) for number in re.findall(r" changed=(\d+) ", said))
        if code:
            sys.stdout.write(said[-6000:])
        return code

    # what became of them

    def look(self) -> Any:
        """The servers of the member by name: ``status``, ``cards``, ``volumes`` and what ``boots`` by key, ``firmware``."""
        return self._ask(_LOOK)

    def compare(self) -> int:
        """Whether every byte and every address is what it was, and the source is out of the way."""
        there, ok = self.look(), True
        with self.cloud.inside():
            sources = self.esxi.state()["machines"]
        for guest in self.guests:
            found, source = there.get(guest.name, {}), sources[guest.name]
            volumes = found.get("volumes", {})
            for key, (size, _data) in guest.disks.items():
                volume = self.cloud.share / f"volume-{volumes.get(str(key))}"
                same = volume.exists() and equal(self._raw(guest, key), volume)
                ok = ok and same
                self._say(guest, f"disk {key}", f"{size} MiB, {'the same bytes' if same else 'OTHER BYTES'}")
            seen = (found.get("status"), found.get("cards"), found.get("boots"), found.get("firmware"))
            wanted = ("ACTIVE", [[*guest.card]], [str(guest.boots)], [guest.firmware])
            words = f"ACTIVE, boots from {guest.boots} by {guest.firmware}, {' '.join(guest.card)}"
            self._say(guest, "server", words if seen == wanted else f"OTHERWISE: {seen}")
            cards = any(card["connected"] or card["start_connected"] for card in source["nics"])
            away = (source["power"], cards, source["autostart"]) == ("poweredOff", False, 0)
            self._say(guest, "source", "off, disconnected, does not start by itself" if away else f"STILL {source}")
            ok = ok and seen == wanted and away
        return 0 if ok else 1

    def _say(self, guest: Guest, what: str, words: str) -> None:
        self.verdict.append(f"  {guest.name:<9} {what:<10} {words}")

    def summary(self, began: float) -> None:
        """What the report says, and what the demo itself compared."""
        report = self.build / "report" / "report.json"
        if report.exists():
            print("\n" + "\n".join(told(report)))
        if self.verdict:
            print("\nRead from both ends by the demo itself:\n" + "\n".join(self.verdict))
            if not self.changed.get("vm_migrate", 1):
                print("\n  This run changed nothing and moved no byte: all of it was there.")
        print()
        if report.exists():
            print(f"  Report:         {report.with_suffix('.html')}   (rates, timeline, what was verified)")
        print(f"  Plan:           {self.plan}")
        enter = f"python3 -B -m tests.lab openstack enter --lane {LANE} -- {self.cloud.python.parent / 'openstack'}"
        print(f"  Look inside:    {enter} --os-cloud member server list")
        print("  Run it again:   make demo-migration       End it: make demo-migration-down")


def told(report: Path) -> list[str]:
    """The figures of a report, and those of its disks, as lines."""
    facts = re.findall(r"^- (.+): \*\*(.+)\*\*$", report.with_suffix(".md").read_text(encoding="utf-8"), re.MULTILINE)
    lines = [f"  {label + ':':<20} {value}" for label, value in facts]
    (disks,) = (one for one in json.loads(report.read_text(encoding="utf-8"))["tables"] if one["title"] == "Disks")
    columns = ("Disk", "Transport", "Size", "Data", "Sent", "Seconds", "Rate")
    rows = [columns, *(tuple(row[column] for column in columns) for row in disks["rows"])]
    wide = [max(len(row[number]) for row in rows) for number in range(len(columns))]
    return [*lines, "", *("  " + "  ".join(cell.ljust(size) for cell, size in zip(row, wide)).rstrip() for row in rows)]


def _secret(path: Path, data: dict[str, Any]) -> None:
    """A file for its owner alone."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(data, file)


def fill(path: Path, size: int, data: int) -> None:
    """A raw disk of some MiB, the same at each call: so many of them are random, in stretches; the rest is a hole."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draw, partial = random.Random(path.stem), path.with_suffix(".partial")
    stretch = max(1, data // 8)
    places = sorted(draw.sample(range(size // stretch), min(-(-data // stretch), size // stretch)))
    with partial.open("wb") as file:
        left = data
        for place in places:
            file.seek(place * stretch * MIB)
            for _number in range(min(stretch, left)):
                file.write(draw.randbytes(MIB))
            left -= min(stretch, left)
        file.truncate(size * MIB)
    partial.replace(path)


def equal(disk: Path, volume: Path) -> bool:
    """Whether a volume has the bytes of a disk, and zeroes behind them; holes of both are not read."""
    end = disk.stat().st_size
    with disk.open("rb") as left, volume.open("rb") as right:
        wanted, found = (_data(one.fileno()) for one in (left, right))
        for number in sorted(wanted | found):
            here = os.pread(left.fileno(), MIB, number * MIB) if number * MIB < end else b""
            there = os.pread(right.fileno(), MIB, number * MIB)
            if here.ljust(MIB, b"\0") != there.ljust(MIB, b"\0"):
                return False
    return True


def _data(file: int) -> set[int]:
    """Numbers of the MiB of a file that are no holes."""
    found: set[int] = set()
    place, end = 0, os.fstat(file).st_size
    while place < end:
        try:
            begin = os.lseek(file, place, os.SEEK_DATA)
        except OSError:
            break
        place = os.lseek(file, begin, os.SEEK_HOLE)
        found.update(range(begin // MIB, -(-place // MIB)))
    return found


def main(arguments: list[str]) -> int:
    """Starts both ends and plays the story; with ``down`` ends them."""
    move = Move(Cloud(LANE, "compute"))
    demo = plays.Demo("demo-migration", "both ends are", BUILD, move.up, move.down, move.play, move.summary)
    return demo.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
