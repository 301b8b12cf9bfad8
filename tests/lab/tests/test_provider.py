# SPDX-License-Identifier: Apache-2.0
"""The provider ``hosts``: up, again, side by side, killed, refused, and nothing left after down."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import hosts, images, kernel
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import deploying
from ansible_collections.scs.landscape.tests.lab.tests.traces import traces
from ansible_collections.scs.landscape.tests.tools import yardstick
from ansible_collections.scs.landscape.tests.tools.console import Unavailable

FEW = ["em01-oob-r01-u40", "em01-comp-r01-u04", "em01-leaf-r01-u38"]
KILLS = 12 if os.environ.get("SCS_FULL") else 4


def cli(
    repo: Path, *arguments: str, prefix: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """What a person types, and what it said."""
    return subprocess.run(
        [*prefix, sys.executable, "-B", "-m", "tests.lab", *arguments],
        cwd=repo,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def lane() -> Iterator[Lab]:
    """A lane of the test's own that is down before and after."""
    found = Lab(deploying.lane("own"))
    found.down()
    yield found
    found.down()


@pytest.mark.accept("L1.2")
def test_thirteen_machines_are_up_in_time_and_small(lab, repo):
    lab.down()
    images.image("bookworm")
    began = time.monotonic()
    status = lab.up()
    seconds = time.monotonic() - began
    machines = status["machines"]
    assert len(machines) == 13
    assert {machine["state"] for machine in machines.values()} == {"running"}
    print(f"\n13 machines in {seconds:.1f} s, SSH after {max(m['seconds'] for m in machines.values())} s at most")
    slower = max(1.0, yardstick.pace())
    assert seconds < 30 * slower
    assert max(machine["seconds"] for machine in machines.values()) < 5 * slower
    print(f"memory {sum(m['memory_mib'] for m in machines.values()) / 13:.1f} MiB each")
    assert max(machine["memory_mib"] for machine in machines.values()) < 40


def test_a_second_up_changes_nothing_and_is_quick(lab):
    before = {name: machine.process for name, machine in lab.machines.items()}
    began = time.monotonic()
    status = lab.up()
    assert time.monotonic() - began < 5
    assert status["state"] == "up"
    assert {name: machine.process for name, machine in lab.machines.items()} == before


def test_every_machine_runs_without_a_failed_unit(lab):
    for name, machine in lab.machines.items():
        done = machine.run(["systemctl", "--failed", "--plain", "--no-legend"])
        assert done.stdout == "", (name, done.stdout)


def test_the_machines_are_what_the_landscape_says(lab):
    for name, machine in lab.machines.items():
        assert machine.run(["hostname"]).stdout.strip() == name
        links = {line.split()[0].partition("@")[0] for line in machine.run(["ip", "-br", "link"]).stdout.splitlines()}
        cabled = {end[1] for cable in lab.wiring.cables for end in (cable.a, cable.b) if end[0] == name}
        assert links - {"lo", "Bridge", "controller"} == cabled, name


def test_a_machine_that_died_is_started_again_with_its_cables(lab):
    name = "em01-comp-r02-u04"
    before = lab.machine(name).process
    lab.stop(name)
    assert lab.status()["state"] == "partial"
    lab.up()
    assert lab.machine(name).process != before
    assert lab.status()["state"] == "up"
    lines = lab.machine("em01-leaf-r02-u38").run(["ip", "-br", "link", "show", "Ethernet1"]).stdout
    assert " UP " in lines


def test_a_machine_can_reboot(lab):
    machine = lab.machine("em01-comp-r01-u05")
    machine.run(["touch", "/var/tmp/kept"])
    before = machine.leader
    machine.run(["systemctl", "reboot"], check=False)
    assert kernel.wait_for(lambda: machine.leader not in (0, before), 20)
    lab.await_ssh(machine.name, 20)
    assert (machine.root / "var/tmp/kept").exists()


def test_ansible_reaches_a_machine_from_anywhere(lab, tmp_path):
    variables = json.loads(lab.outside.read_text(encoding="utf-8"))["all"]["hosts"]["em01-comp-r01-u05"]
    argv = [variables["ansible_ssh_executable"], *variables["ansible_ssh_common_args"].split()]
    argv += ["-o", "ControlPath=none", "-i", variables["ansible_ssh_private_key_file"]]
    login = f"{variables['ansible_user']}@{variables['ansible_host']}"
    done = subprocess.run([*argv, login, "hostname"], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == "em01-comp-r01-u05\n", done.stderr


@pytest.mark.accept("L1.3")
def test_down_leaves_nothing(lane):
    lane.up(FEW)
    record = lane.lane.load()
    processes = [record.keeper, *record.machines.values()]
    leaders = [machine.leader for machine in lane.machines.values()]
    numbers = [*(process.pid for process in processes), *leaders]
    host = {kind: kernel.namespace_of(os.getpid(), kind) for kind in ("net", "mnt", "pid")}
    namespaces = {kernel.namespace_of(pid, kind) for pid in numbers for kind in host} - {*host.values(), 0}
    words = [str(lane.lane.folder), str(lane.lane.sockets), Path(lane.lane.cgroup).name]
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    # somebody forgot a connection in the controller's namespace
    forgotten = subprocess.Popen([*lane.entering(), "sleep", "300"])
    seen = traces(words, namespaces)
    assert all(seen[kind] for kind in ("mounts", "namespaces", "processes")), "the test sees nothing"
    born = set(kernel.processes())
    lane.down()
    assert forgotten.wait(10) == -signal.SIGKILL
    assert traces(words, namespaces, born) == {kind: [] for kind in seen}
    assert subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout == links
    assert not lane.lane.folder.exists()
    assert not lane.lane.sockets.exists()
    lane.down()  # and once more is fine


def test_machines_that_nobody_wrote_down_are_ended_too(lane):
    lane.up(FEW[1:2])
    machine = lane.machine(FEW[1])
    keeper = lane.lane.load().keeper
    forgotten = subprocess.Popen([*lane.entering(), "sleep", "300"])
    lane.lane.file("lane.json").unlink()
    lane.down()
    assert kernel.wait_for(lambda: not machine.alive and not machine.leader, 10)
    assert not keeper.alive
    assert forgotten.wait(10) == -signal.SIGKILL


def test_lanes_run_side_by_side_with_the_same_addresses(lab, lane):
    lane.up(FEW)
    name = "em01-comp-r01-u04"
    assert lab.machine(name).address == lane.machine(name).address
    lane.machine(name).run(["touch", "/etc/only-here"])
    assert not (lab.machine(name).root / "etc/only-here").exists()
    for one in (lab, lane):
        known = json.loads(one.inventory.read_text(encoding="utf-8"))["all"]
        assert known["vars"]["ansible_control_path_dir"] != str((lane if one is lab else lab).lane.sockets)
        assert known["hosts"][name] == {"ansible_host": "10.20.0.21"}
        keys = one.run(
            ["ssh-keyscan", "-T3", "-t", "ed25519", "10.20.0.21"], capture_output=True, text=True, check=True
        )
        assert keys.stdout.strip() in one.lane.file("known_hosts").read_text(encoding="utf-8").splitlines()


def test_machines_that_are_missing_join_those_that_run(lane):
    lane.up(FEW[1:])
    before = lane.machine(FEW[1]).process
    status = lane.up(FEW)
    assert set(status["machines"]) == set(FEW)
    assert lane.machine(FEW[1]).process == before
    lane.await_ssh(FEW[1])


def test_another_release_replaces_the_machines(lane):
    lane.up(FEW[1:2])
    other = Lab(lane.lane.name, release="trixie")
    other.up(FEW[1:2])
    assert 'VERSION_ID="13"' in other.machine(FEW[1]).run(["cat", "/etc/os-release"]).stdout


def test_a_killed_up_is_cleaned_by_the_next(lane, repo, seed):
    generator = random.Random(seed)
    arguments = ["up", "--lane", lane.lane.name, "--only", ",".join(FEW)]
    for _number in range(KILLS):
        moment = generator.uniform(0.1, 3.0)
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "tests.lab", *arguments],
            cwd=repo,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        left = lane.lane.load()
        lane.up(FEW)
        if not left.complete:
            processes = [*left.machines.values(), *filter(None, [left.keeper])]
            assert not [process for process in processes if process.alive], f"killed after {moment:.2f} s"
        assert {name for name, machine in lane.machines.items() if machine.alive} == set(FEW)
    words = [str(lane.lane.folder), Path(lane.lane.cgroup).name]
    lane.down()
    # a launcher whose starter was killed ends by itself, at once
    assert kernel.wait_for(lambda: not any(traces(words, set()).values()), 5, 0.2), traces(words, set())


def test_the_command_line_does_what_it_says(lane, repo):
    name = lane.lane.name
    done = cli(repo, "up", "--lane", name, "--only", FEW[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(lane.inventory)
    assert cli(repo, "inventory", "--lane", name).stdout.strip() == str(lane.inventory)
    status = json.loads(cli(repo, "status", "--lane", name).stdout)
    assert status["machines"][FEW[1]]["state"] == "running"
    assert "ssh-ed25519" in cli(repo, "enter", "--lane", name, "--", "ssh-keyscan", "-T3", "10.20.0.21").stdout
    assert cli(repo, "down", "--lane", name).returncode == 0
    assert json.loads(cli(repo, "status", "--lane", name).stdout)["state"] == "down"
    done = cli(repo, "enter", "--lane", name, "--", "true")
    assert (done.returncode, done.stderr) == (2, f"The lab cannot do that: lane {name} is not up\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "--lane", "No Lane"], "'No Lane' is no name for a lane"),
        (["up", "--only", "em01-nobody"], "has no active machine em01-nobody"),
        (["up", "--landscape", "/nonexistent"], "there is no landscape /nonexistent"),
    ],
    ids=["lane", "machine", "landscape"],
)
def test_bad_input_is_refused_in_one_sentence(repo, arguments, says):
    done = cli(repo, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("does", ["up", "down"])
def test_without_root_there_is_one_sentence(lane, monkeypatch, does):
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(Unavailable, match=r"^the embedded lab makes namespaces and machines: run it as root on Linux$"):
        getattr(lane, does)()
    monkeypatch.undo()


def test_without_a_package_source_there_is_one_sentence(tmp_path, monkeypatch):
    settings = tmp_path / "apt.conf"
    settings.write_text('Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n', encoding="utf-8")
    monkeypatch.setenv("APT_CONFIG", str(settings))
    with pytest.raises(Unavailable, match=r"^apt knows no Debian mirror on this machine"):
        images.mirrors()


def test_a_machine_gets_packages_and_nothing_else_from_outside(lab):
    code = (
        "import sys, urllib.request, urllib.error\n"
        "urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({'http': sys.argv[1]})))\n"
        "try: print(urllib.request.urlopen(sys.argv[2], timeout=30).status)\n"
        "except urllib.error.HTTPError as error: print(error.code)\n"
    )
    machine = lab.machine("em01-comp-r01-u05")
    proxy = f"http://{lab.status()['controller'][0]}:3142"
    for address, status in (
        (f"{images.DEBIAN}/dists/{lab.release}/Release", "200"),
        (f"{images.DEBIAN}/dists/nothing", "404"),
        ("http://example.org/", "403"),
        (f"{images.DEBIAN}/../secret", "403"),
    ):
        assert machine.run(["python3", "-c", code, proxy, address]).stdout.strip() == status, address
    assert machine.run(["ip", "route", "show", "default"]).stdout == ""


def test_private_keys_are_roots_alone(lab):
    keys = [path for path in (lab.lane.folder / "keys").iterdir() if path.suffix != ".pub"]
    assert len(keys) == 14
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert lab.lane.folder.stat().st_mode & 0o777 == 0o700


def test_an_up_that_fails_leaves_nothing(lane, monkeypatch):
    monkeypatch.setattr(hosts, "PATIENCE", 0.0)
    with pytest.raises(Unavailable, match="did not answer within 0 s"):
        lane.up(FEW)
    assert not lane.lane.folder.exists()
    assert kernel.wait_for(lambda: not any(traces([str(lane.lane.folder)], set()).values()), 5, 0.2)
