# SPDX-License-Identifier: Apache-2.0
"""What a change leaves on the switch and what it does there, seen by the kernel: files, programs, logs, processes."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.tools import apt

from .playing import LEAF, Stage, change, holding, kill, pending, rows, settled, wait_for

_CALLS = (
    "execve,open,openat,creat,truncate,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,"
    "symlinkat,chmod,fchmodat,chown,lchown,fchownat,mknod,mknodat"
)
#: What a login and Python itself write: terminals, accounting, the module's own code, which is unpacked and removed.
_LOGIN = ("/dev/", "/proc/", "/tmp/", "/run/", "/var/run/", "/var/log/", "anon_inode:", "/memfd:", "ansible_")
_LINE = re.compile(r"^\d+ +(?P<call>[a-z0-9]+)\((?P<rest>.*)\) += (?P<result>-?\d+)")


class Seen:
    """What the sessions of SSH of a machine did, as strace tells it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def calls(self) -> list[tuple[str, str]]:
        found = [_LINE.match(line) for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines()]
        return [(one["call"], one["rest"]) for one in found if one and not one["result"].startswith("-")]

    @property
    def programs(self) -> list[str]:
        """The command lines that were started."""
        return [rest for call, rest in self.calls() if call == "execve"]

    @property
    def writes(self) -> list[str]:
        """Everything that changes a file, but what a login does."""
        found = []
        for call, rest in self.calls():
            if call == "execve" or (call in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest)):
                continue
            names = re.findall(r'"([^"]*)"', rest)
            if not all(name.startswith(_LOGIN) for name in names):
                found.append(f"{call}({rest})")
        return found


@contextlib.contextmanager
def watched(pair: Fabric, folder: Path) -> Iterator[Seen]:
    """Every session of SSH that a switch opens meanwhile, with all that it starts."""
    apt.ensure(["strace"], "the test of what a run does on a switch")
    machine = pair.machine(LEAF)
    pids = [pid for pid in machine.members() if Path(f"/proc/{pid}/comm").read_text().startswith("sshd")]
    log = folder / "strace"
    line = [
        "strace",
        "-f",
        "-s",
        "300",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(log),
        *(w for pid in pids for w in ("-p", str(pid))),
    ]
    process = subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for _pid in pids:
            assert "attached" in process.stderr.readline()
        yield Seen(log)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.accept("S2.8")
def test_in_check_mode_the_kernel_sees_no_write(pair: Fabric, stage: Stage, tmp_path: Path) -> None:
    wish = {
        "NTP_SERVER": {"192.0.2.31": {}},
        "PREFIX_SET": {"SEEN": {"mode": "IPv4"}},
        "PREFIX": {"SEEN|10|198.51.100.0/24|exact": {"action": "permit"}},
    }
    tasks = [change(wish), {"scs.landscape.sonic_checkpoint": {"name": "never"}}]
    tasks += [{"scs.landscape.sonic_facts": {"gather": ["all"]}}]
    listing = ["sh", "-c", "find /tmp /home /root /run/sudo -not -path '*/systemd-private-*'"]
    pair_ssh_closed(pair)
    before = pair.machine(LEAF).run(listing, check=False).stdout
    with watched(pair, tmp_path) as seen:
        checked = stage.run(LEAF, *tasks, arguments=("--check", "--diff"))
    assert checked.rc == 0, checked.output
    assert sorted(result["changed"] for result in checked.results[LEAF]) == [False, True, True]
    assert seen.writes == []
    assert pair.machine(LEAF).run(listing, check=False).stdout == before
    assert [one for one in seen.programs if "python3" in one]
    assert [one for one in seen.programs if "vtysh" in one], "what is read by programs is seen"
    told = [one for one in seen.programs if re.search(r'systemd-run|logger|"config", |"(restart|start|stop)"', one)]
    assert told == []
    pair_ssh_closed(pair)
    (tmp_path / "real").mkdir()
    with watched(pair, tmp_path / "real") as seen:
        done = stage.run(LEAF, tasks[0])
    assert done.rc == 0, done.output
    assert done.only()["plan"] in [result.get("plan") for result in checked.results[LEAF]]
    # the control: a run that writes is seen writing
    assert [one for one in seen.writes if "/var/lib/scs-landscape/pending.json" in one]
    assert [one for one in seen.programs if "systemd-run" in one]
    assert [one for one in seen.programs if '"config", "save"' in one]


def pair_ssh_closed(pair: Fabric) -> None:
    """Sessions that are kept open know nothing of what watches."""
    pair.disconnect_ssh()
    time.sleep(1)


#: Secrets of rows, and those that somebody wrote into FRR by hand.
_SECRET = {"auth_password": "canary4711neighbour"}
_BY_HAND = ("canary4711peer", "canary4711vty", "canary4711enable")


def by_hand(pair: Fabric, *lines: str) -> None:
    """What somebody says to FRR; vtysh would keep it in a history of its own."""
    words = [word for line in ("configure terminal", *lines) for word in ("-c", line)]
    pair.machine(LEAF).run(["env", "VTYSH_HISTFILE=/dev/null", "vtysh", *words])


@pytest.mark.accept("S2.9")
def test_a_password_that_no_frr_gets_is_refused_and_nowhere(pair: Fabric, stage: Stage) -> None:
    """SONiC's daemon says `password X encrypted`, which FRR does not know, and logs it: so it is never written."""
    before, frr = rows(pair, LEAF), pair.vtysh(LEAF, "show running-config")
    router = pair.config_db(LEAF)["BGP_GLOBALS"]["default"]["local_asn"]
    peer = {"default|192.0.2.99": {"asn": "65099", "name": "with a password", **_SECRET}}
    near = [
        f"router bgp {router}",
        "neighbor 192.0.2.98 remote-as 65098",
        f"neighbor 192.0.2.98 password {_BY_HAND[0]}",
    ]
    by_hand(pair, *near, "exit", f"password {_BY_HAND[1]}", f"enable password {_BY_HAND[2]}")
    told: list[dict[str, Any]] = [
        {"scs.landscape.sonic_facts": {"gather": ["all"]}},
        {"scs.landscape.sonic_verify": {"config": {"BGP_NEIGHBOR": peer}, "on_failure": "report"}},
        {"scs.landscape.sonic_gate": {"on_failure": "report"}},
    ]
    loud = ("-vvv", "--diff")
    try:
        running = pair.vtysh(LEAF, "show running-config")
        seen = stage.run(LEAF, *told, arguments=loud)
        with pair.monitor(LEAF) as watching:
            done = stage.run(LEAF, change({"BGP_NEIGHBOR": peer}, verify_timeout=8), arguments=loud)
        left = holding(pair)
        wrong = stage.run(
            LEAF, change({"BGP_NEIGHBOR": {"default|192.0.2.97": _SECRET["auth_password"]}}), arguments=loud
        )
    finally:
        undo = ["no neighbor 192.0.2.98", "exit", "password zebra", "enable password zebra"]
        by_hand(pair, f"router bgp {router}", *undo)
    assert seen.rc == 0, seen.output[-3000:]
    assert wrong.rc != 0
    assert done.rc != 0
    assert "The change is refused" in done.output
    assert "auth_password of BGP_NEIGHBOR|default|192.0.2.99 reaches FRR on no release" in done.output
    assert watching.writes == []
    assert rows(pair, LEAF) == before
    assert json.loads(before) == pair.saved(LEAF)
    assert pair.vtysh(LEAF, "show running-config") == frr
    assert all(secret in running for secret in _BY_HAND), "the control: FRR has them"
    said = seen.output + done.output + wrong.output
    assert [line[:600] for line in said.splitlines() if "canary4711" in line] == []
    assert left == ""
    assert holding(pair) == ""


@pytest.mark.accept("S2.7")
def test_a_line_that_frr_refuses_is_rolled_back(pair: Fabric, stage: Stage) -> None:
    """An external neighbour is no client of a route reflector: the row is there, FRR does not take the line."""
    before, frr = rows(pair, LEAF), pair.vtysh(LEAF, "show running-config")
    router = pair.config_db(LEAF)["BGP_GLOBALS"]["default"]["local_asn"]
    wish = {
        "BGP_NEIGHBOR": {"default|192.0.2.99": {"asn": "65099"}},
        "BGP_NEIGHBOR_AF": {"default|192.0.2.99|ipv4_unicast": {"admin_status": "true", "rrclient": "true"}},
    }
    done = stage.run(LEAF, change(wish, verify_timeout=8))
    assert done.rc != 0
    family = f"router bgp {router} / address-family ipv4 unicast"
    assert f"FRR lacks: {family} / neighbor 192.0.2.99 route-reflector-client" in done.output
    assert "was brought back to what it was" in done.output
    settled(pair, LEAF, before, 60)
    assert json.loads(before) == pair.saved(LEAF)
    assert pair.vtysh(LEAF, "show running-config") == frr


@pytest.mark.accept("S2.9")
def test_a_connection_that_is_cut_and_never_comes_back_leaves_no_request(pair: Fabric, stage: Stage) -> None:
    """Nothing removes files where nobody can log in any more: so there must be none."""
    before = rows(pair, LEAF)
    wish = {f"192.0.2.{n}": {"passkey": f"canary4711tacacs{n}", "priority": "1"} for n in range(120, 180)}
    options = {"max_impact": "destroyed", "confirm_within": 20, "verify_timeout": 5}
    process = stage.start([LEAF], change({"TACPLUS_SERVER": wish}, **options), arguments=("-vvv",))
    wait_for(lambda: pending(pair, LEAF), 120, "nothing was armed")
    kill(process)
    during = holding(pair)
    settled(pair, LEAF, before, 90)
    assert during == ""
    assert holding(pair) == ""
    tracks = (
        pair.machine(LEAF).run(["sh", "-c", "find /home/*/.ansible /root/.ansible -type f 2>/dev/null; true"]).stdout
    )
    assert tracks == ""
    assert "canary4711" not in json.dumps(process.log.read_text())  # type: ignore[attr-defined]
