# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with some machines: each gets its own clear reason, the others finish, nothing stays half-done, and a
deploy after mending ends as if nothing had been wrong.

Faults of different machines are independent, so that one deploy meets many of them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import state
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Controller, Done, limit

JUMP, CTL1, CTL2 = "em01-jump-r01-u02", "em01-ctl-r01-u03", "em01-ctl-r02-u03"
COMP1, COMP2, COMP3 = "em01-comp-r01-u04", "em01-comp-r01-u05", "em01-comp-r02-u04"
DEPLOY = "scs.landscape.lab_deploy"
#: A file that is ours as a whole.
DRIFTS = "/etc/systemd/journald.conf.d/50-scs-landscape.conf"


class Field:
    """The lab, deployed once; what a clean deploy leaves is known."""

    def __init__(self, lab: Lab, controller: Controller) -> None:
        self.lab, self.controller = lab, controller
        first = self.deploy()
        assert first.rc == 0, first.output[-4000:]
        self.clean = self.lasting()

    def deploy(self, *arguments: str) -> Done:
        return self.controller.run(DEPLOY, *arguments)

    def lasting(self) -> dict[str, state.Table]:
        return {name: state.lasting(table) for name, table in state.of_all(self.lab.machines).items()}

    def drift(self, *names: str) -> None:
        """Something to do on machines, on all when none is named: a file of the baseline is not as it should be."""
        for name in names or self.lab.machines:
            self.lab.machine(name).run(["sh", "-c", f"echo '# drifted' >>{DRIFTS}"])

    def mended(self, *arguments: str) -> None:
        """The proof that faults leave nothing behind: one more deploy ends where a clean one does."""
        done = self.deploy(*arguments)
        assert done.rc == 0, done.output[-4000:]
        assert state.differences(self.clean, self.lasting()) == []


@pytest.fixture(scope="module")
def field(lab: Lab, tmp_path_factory: pytest.TempPathFactory, collections_root: Path) -> Field:
    return Field(lab, Controller(lab, tmp_path_factory.mktemp("faults"), collections_root))


@contextlib.contextmanager
def broken_dropin(lab: Lab, name: str) -> Iterator[None]:
    """Somebody's own setting for sshd is nonsense: sshd would not start with it."""
    file = "/etc/ssh/sshd_config.d/10-somebody.conf"
    machine = lab.machine(name)
    machine.run(["sh", "-c", f"echo 'Nonsense maybe' >{file}"])
    try:
        yield
    finally:
        machine.run(["rm", "-f", file])


def _reason(done: Done, host: str) -> str:
    """Everything that was said about a host, in one line."""
    dull = ("included:", "skipping:", "ok:", "changed:")
    lines = [
        line for line in done.output.splitlines() if host in line and not line.startswith(dull) and " : ok=" not in line
    ]
    return " ".join(lines)


def leaves(lab: Lab) -> list[str]:
    return sorted(name for name in lab.machines if "-leaf-" in name)


@pytest.mark.accept("L1.5", "L1.6")
def test_every_sick_machine_has_its_reason_and_the_others_finish(field: Field) -> None:
    lab = field.lab
    leaf1, leaf2, *_others = leaves(lab)
    sick = {
        COMP1: (faults.host_down, r"not reach|unreachable|no route|timed out|No route to host"),
        COMP2: (faults.ssh_hangs, r"timed out|does not answer|hang"),
        COMP3: (faults.wrong_host_key, r"host key|identification has changed"),
        CTL1: (faults.disk_full, r"file system of /etc\S* is full"),
        CTL2: (faults.readonly_etc, r"[Rr]ead-only"),
        leaf1: (faults.no_sudo, r"sudo"),
        leaf2: (faults.clock_ahead, r"clock"),
        JUMP: (broken_dropin, r"sshd|Nonsense"),
    }
    field.drift()
    before = field.lasting()
    with contextlib.ExitStack() as stack:
        for host, (fault, _pattern) in sick.items():
            stack.enter_context(fault(lab, host))
        amid = {host: state.lasting(state.of(lab.machine(host))) for host in sick}
        done = field.deploy()
        after = {host: state.lasting(state.of(lab.machine(host))) for host in sick}
    assert done.rc != 0
    assert "Traceback" not in done.output, done.output[-4000:]
    recap = done.recap()
    assert not [host for host in sick if not recap[host]["failed"] + recap[host]["unreachable"]], recap
    unclear = {
        host: _reason(done, host) for host, (_fault, why) in sick.items() if not re.search(why, _reason(done, host))
    }
    assert not unclear, "\n".join(f"{host}: {said[:800]}" for host, said in unclear.items())
    # Nothing half-done: a sick machine is as it was.
    assert state.differences(amid, after) == []
    healthy = [host for host in lab.machines if host not in sick]
    assert len(healthy) == 5
    now = field.lasting()
    for host in healthy:
        assert recap[host]["failed"] == recap[host]["unreachable"] == 0, recap[host]
        assert now[host] != before[host], f"{host} is healthy and was not finished"
        assert state.differences({host: field.clean[host]}, {host: now[host]}) == []
    field.mended()


def data_ports(lab: Lab, switch: str) -> list[str]:
    """Ports of a switch that hold a cable, without the one for its management."""
    ends = [end for cable in lab.wiring.cables if cable.active for end in (cable.a, cable.b)]
    return ["/".join(end) for end in ends if end[0] == switch and end[1].startswith("Ethernet")]


def test_cables_that_are_wrong_are_named_with_both_ends(field: Field) -> None:
    lab = field.lab
    leaf1, leaf2, leaf3, _leaf4 = leaves(lab)
    ports, pulled, foreign = data_ports(lab, leaf1), data_ports(lab, leaf3)[0], data_ports(lab, leaf2)[0]
    with (
        faults.swap_cables(lab, ports[0], ports[1]),
        faults.pull_cable(lab, pulled),
        faults.foreign_neighbour(lab, foreign),
    ):
        faults.settle()
        done = field.deploy()
    assert "Traceback" not in done.output
    for word, end in (("swapped", ports[0]), ("swapped", ports[1]), ("missing", pulled), ("stranger", foreign)):
        device, _slash, port = end.partition("/")
        said = [line for line in done.output.splitlines() if word in line.lower()]
        assert any(device in line and port in line for line in said), f"{word} does not name {end}: {said}"
    faults.settle()
    field.mended()


def test_two_people_at_once_do_not_meet_on_a_machine(field: Field, tmp_path: Path, collections_root: Path) -> None:
    """Two controllers, which know nothing of each other: on each machine one works, and the other waits or says who does."""
    other = Controller(field.lab, tmp_path / "other", collections_root)
    field.drift(CTL1, COMP1, COMP2)
    few = limit(CTL1, COMP1, COMP2)
    with field.controller.start(DEPLOY, *few) as one, other.start(DEPLOY, *few) as two:
        ended = [one.wait(), two.wait()]
    for done in ended:
        assert "Traceback" not in done.output
        assert done.rc == 0 or re.search(r"lock|another run", done.output, re.IGNORECASE), done.output[-3000:]
    field.mended(*few)
