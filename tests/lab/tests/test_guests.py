# SPDX-License-Identifier: Apache-2.0
"""Guests: machines with a kernel of their own beside machines without, and what only they can do."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import guests, kernel, wiring
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import deploying
from ansible_collections.scs.landscape.tests.lab.tests.traces import traces
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

#: A guest and a machine that a cable joins, with the ports at its ends; the third port is another one of the guest.
GUEST, PORT, OTHER = "em01-comp-r01-u04", "enp65s0f0np0", "enp65s0f1np1"
MACHINE, FAR = "em01-leaf-r01-u38", "Ethernet2"
DISKS = [96 << 20, 48 << 20]
MTU = 9100
#: Seconds for what takes a second on a machine that does nothing else.
PATIENCE = 60


@pytest.fixture(scope="module")
def lane() -> Iterator[Lab]:
    """A guest and a machine."""
    found = Lab(deploying.lane("guests"), guests={GUEST}, disks={GUEST: DISKS}, mtu=MTU)
    found.down()
    found.up([GUEST, MACHINE])
    yield found
    found.down()


def shell(lab: Lab, name: str, *lines: str) -> str:
    """What a script says that ends at its first error."""
    return lab.machine(name).run(["sh", "-ec", "\n".join(lines)]).stdout


def test_it_is_up_in_time_with_the_ports_of_the_model_and_a_kernel_of_its_own(lane):
    found = lane.status()["machines"]
    assert {name: machine["kind"] for name, machine in found.items()} == {GUEST: "guest", MACHINE: "machine"}
    print(f"\nSSH after {found[GUEST]['seconds']} s, {found[GUEST]['memory_mib']} MiB")
    assert found[GUEST]["memory_mib"] < guests.MEMORY + 32
    links = json.loads(shell(lane, GUEST, "ip -j link"))
    wired = lane.wiring.machines[GUEST]
    assert {link["ifname"] for link in links} == {"lo", *guests.ports(lane.wiring, GUEST)}
    assert {link["mtu"] for link in links if link["ifname"] in (PORT, OTHER)} == {MTU}
    assert wired.macs[wired.oob_port] in {link["address"] for link in links}
    assert shell(lane, GUEST, "hostname").strip() == GUEST
    assert shell(lane, GUEST, "uname -r") != os.uname().release + "\n" == shell(lane, MACHINE, "uname -r")
    assert shell(lane, GUEST, "systemctl --failed --plain --no-legend") == ""


def test_ansible_reaches_it_as_every_machine(lane, tmp_path, collections_root):
    controller = deploying.Controller(lane, tmp_path / "controller", collections_root)
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        f"[{{hosts: '{GUEST}:{MACHINE}', gather_facts: false, become: true, tasks: [{{ansible.builtin.ping: }}]}}]",
        encoding="utf-8",
    )
    done = controller.run(playbook)
    assert done.rc == 0, done.output
    assert set(done.recap()) == {GUEST, MACHINE}


def test_a_command_has_its_own_input_output_and_end(lane):
    guest = lane.machine(GUEST)
    assert guest.run(["cat"], input="word\n" * 100_000).stdout == "word\n" * 100_000
    done = guest.run(["sh", "-c", "echo out; echo err >&2; exit 7"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 7)
    assert guest.run(["sh", "-c", "kill -9 $$"], check=False).returncode == -9
    assert guest.run(["nothing-of-that-name"], check=False).returncode == 127
    with pytest.raises(subprocess.TimeoutExpired):
        guest.run(["sleep", "4711"], timeout=3)
    assert kernel.wait_for(lambda: guest.run(["pgrep", "-f", "sleep 4711"], check=False).returncode == 1, PATIENCE, 1)
    with pytest.raises(RuntimeError, match="its files cannot be seen from outside"):
        assert guest.root


def neighbour(lab: Lab, name: str, port: str) -> tuple[str, str]:
    """The machine and the port that LLDP sees at the other end; empty when there is none."""
    lines = shell(lab, name, f"lldpcli -f keyvalue show neighbors ports {port}").splitlines()
    seen = dict(line.partition("=")[::2] for line in lines)
    return seen.get(f"lldp.{port}.chassis.name", ""), seen.get(f"lldp.{port}.port.descr", "")


@pytest.mark.parametrize(
    ("near", "far"), [((GUEST, PORT), (MACHINE, FAR)), ((MACHINE, FAR), (GUEST, PORT))], ids=["guest", "machine"]
)
def test_neighbours_see_each_other_across_the_kinds_of_machine(lane, near, far):
    assert kernel.wait_for(lambda: neighbour(lane, *near) == far, PATIENCE, 0.5), neighbour(lane, *near)


#: Prints the length and the tag of the first frame on a port that holds some bytes, given in hexadecimal. The kernel
#: takes the tag off and says it beside the frame: SOL_PACKET 263, PACKET_AUXDATA 8.
_LISTEN = """
import signal, socket, sys
signal.alarm(int(sys.argv[3]))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.setsockopt(263, 8, 1)
print("listening", flush=True)
while True:
    data, more, _flags, _source = s.recvmsg(10000, 64)
    if bytes.fromhex(sys.argv[2]) in data:
        print(len(data), int.from_bytes(more[0][2][16:18], sys.byteorder) & 0xFFF)
        break
"""


def arrives(lab: Lab, holding: str, send: list[str]) -> list[int]:
    """Length and tag of the frame that holds some bytes and arrives at the machine when the guest runs a command."""
    enter = ["nsenter", f"--net={lab.machine(MACHINE).network}", "--"]
    argv = [*enter, sys.executable, "-I", "-c", _LISTEN, FAR, holding, str(PATIENCE)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listening\n"
        lab.machine(GUEST).run(send, check=False)
        return [int(number) for number in listener.stdout.readline().split()]


def test_frames_with_a_tag_and_large_ones_cross_a_cable(lane):
    shell(lane, MACHINE, f"ip link set {FAR} mtu {MTU}")
    shell(
        lane,
        GUEST,
        f"ip link add link {PORT} name tagged type vlan id 100",
        "ip address add 192.0.2.1/24 dev tagged",
        "ip link set tagged up",
        "ip neighbour replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev tagged",
    )
    ping = ["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "8000", "192.0.2.2"]
    assert arrives(lane, "c0000201c0000202", ping) == [14 + 20 + 8 + 8000, 100]
    shell(lane, GUEST, "ip link delete tagged")


def test_it_has_vrf_bonding_and_vxlan_and_answers_a_ping(lane):
    shell(
        lane,
        GUEST,
        "ip link add vrf0 type vrf table 10",
        "ip link set vrf0 up",
        "ip link add bond0 type bond mode active-backup miimon 100",
        f"ip link set {PORT} down",
        f"ip link set {PORT} master bond0",
        "ip link set bond0 master vrf0 up",
        "ip address add 198.51.100.1/24 dev bond0",
        f"ip link add vxlan7 type vxlan id 7 dstport 4789 dev {OTHER}",
        "ip link delete vxlan7",
    )
    shell(lane, MACHINE, f"ip address add 198.51.100.2/24 dev {FAR}")
    ping = ["ip", "vrf", "exec", "vrf0", "ping", "-c", "1", "-W", "2", "198.51.100.2"]
    guest = lane.machine(GUEST)
    assert kernel.wait_for(lambda: guest.run(ping, check=False).returncode == 0, PATIENCE, 0.5)
    assert "198.51.100.0/24" not in shell(lane, GUEST, "ip route")
    assert "198.51.100.0/24" in shell(lane, GUEST, "ip route show vrf vrf0")
    shell(lane, GUEST, "ip link delete bond0", "ip link delete vrf0", f"ip link set {PORT} up")
    shell(lane, MACHINE, f"ip address delete 198.51.100.2/24 dev {FAR}")


def test_frames_of_lacp_cross_a_cable(lane):
    frame = "0180c20000020200000000018809" + "6c6162" * 20
    code = f"import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('{PORT}', 0)); "
    code += f"s.send(bytes.fromhex('{frame}'))"
    assert arrives(lane, "6c61626c6162", ["python3", "-c", code]) == [len(frame) // 2, 0]


def test_it_has_logical_volumes_and_encrypted_disks_and_boots_again_with_them(lane):
    sizes = json.loads(shell(lane, GUEST, "lsblk --json --bytes --nodeps -o NAME,SIZE /dev/ubdb /dev/ubdc"))
    assert [device["size"] for device in sizes["blockdevices"]] == DISKS
    shell(
        lane,
        GUEST,
        "pvcreate --quiet /dev/ubdb",
        "vgcreate --quiet lab /dev/ubdb",
        "lvcreate --quiet --yes --size 32M --name data lab",
        "printf secret >/run/key",
        "cryptsetup --batch-mode luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/ubdc /run/key",
        "cryptsetup open --key-file /run/key /dev/ubdc safe",
        "mkfs.ext4 -q /dev/mapper/safe",
        "echo kept >/var/tmp/kept",
    )
    kinds = shell(lane, GUEST, "lsblk --noheadings --raw -o NAME,TYPE /dev/ubdb /dev/ubdc").split("\n")
    assert {"lab-data lvm", "safe crypt"} <= set(kinds)
    assert shell(lane, GUEST, "dd if=/dev/ubdc bs=4 count=1 status=none") == "LUKS"
    guest = lane.machine(GUEST)
    before = guest.leader
    guest.run(["systemctl", "reboot"], check=False)
    assert kernel.wait_for(lambda: guest.leader not in (0, before), PATIENCE)
    lane.await_ssh(GUEST, 2 * PATIENCE)
    assert shell(lane, GUEST, "cat /var/tmp/kept") == "kept\n"
    assert shell(lane, GUEST, "lvs --noheadings -o lv_name lab").strip() == "data"


def test_a_package_is_installed_without_asking_for_new_lists(lane):
    assert shell(lane, GUEST, "apt-get install --quiet=2 --yes hello >/dev/null", "hello") == "Hello, world!\n"
    assert shell(lane, MACHINE, "apt-get install --quiet=2 --yes hello >/dev/null", "hello") == "Hello, world!\n"


def test_down_leaves_nothing_and_a_killed_up_is_cleaned(repo, seed):
    lane = Lab(deploying.lane("guestkill"))
    lane.down()
    argv = [sys.executable, "-B", "-m", "tests.lab", "up", "--lane", lane.lane.name, "--only", GUEST]
    argv += ["--guests", GUEST, "--disk", f"{GUEST}=64"]
    words = [str(lane.lane.folder), Path(lane.lane.cgroup).name]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(argv, cwd=repo, **quiet)
    # at a random moment after it was written down
    assert kernel.wait_for(lambda: bool(lane.lane.load().guests), PATIENCE)
    time.sleep(random.Random(seed).uniform(0.0, 3.0))
    process.kill()
    process.wait(10)
    left = lane.lane.load()
    began = traces(words, set())
    assert any(began.values()), "the test sees nothing"
    lane.down()
    assert kernel.wait_for(lambda: not any(traces(words, set()).values()), 10, 0.2), traces(words, set())
    assert not [process for process in left.machines.values() if process.alive]
    assert not lane.lane.folder.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"guests": {"nobody"}}, "there is no active machine nobody"),
        ({"guests": {"a"}, "disks": {"b": [1]}}, "there is no guest b"),
        ({"guests": {"a"}, "memory": 8}, "a guest does not start with 8 MiB"),
        ({"guests": {"a"}, "mtu": 68}, "carry frames of 1500 to 9216 bytes, not 68"),
        ({"guests": {"a"}, "disks": {"a": [0]}}, "a can have up to 15 disks of at least one byte"),
        ({"guests": "al"}, "there is no active machine al"),
    ],
    ids=["name", "guest", "memory", "mtu", "disk", "word"],
)
def test_what_cannot_be_is_refused_in_one_sentence(options, says):
    found = Lab("never", **options)
    found._wiring = wiring.Wiring({"a": None, "b": None}, (), ())  # type: ignore[dict-item]
    with pytest.raises(Unavailable, match=says):
        assert found.guests


def test_all_machines_can_be_guests_and_a_disk_is_said_in_mib(repo):
    found = Lab("never", guests="all", disks={"a": [1 << 20]})
    found._wiring = wiring.Wiring({"a": None, "b": None}, (), ())  # type: ignore[dict-item]
    assert found.guests == {"a": guests.Settings(disks=(1 << 20,)), "b": guests.Settings()}
    argv = [sys.executable, "-B", "-m", "tests.lab", "up", "--guests", GUEST, "--disk", f"{GUEST}=big"]
    done = subprocess.run(argv, cwd=repo, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "is no disk" in done.stderr
