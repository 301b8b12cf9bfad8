# SPDX-License-Identifier: Apache-2.0
"""Runs the fabric's playbooks as a person does, and watches what hosts notice of it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.tests.deploying import PROGRAMS, Controller, Done

#: Seconds a play of the whole fabric may take on a machine that is busy with other things.
PATIENCE = 900.0
#: Seconds between two looks at a switch that may lose something late; an operator waits longer.
HOLD = 1
PLAYS = ("fabric_deploy", "fabric_verify", "fabric_drift", "fabric_rollback")


class Bridge(Controller):
    """A controller outside of the lab; the switches and hosts of a fabric are its machines."""

    lab: Fabric

    def environ(self, **more: str) -> dict[str, str]:
        """Playbooks mean paths from where the operator stands."""
        return super().environ(**{"PWD": str(self.folder), **more})

    def argv(self, playbook: str | Path, *arguments: str, variables: dict[str, Any] | None = None) -> list[str]:
        """The command line."""
        own = {
            **{f"{name}_src": [str(self.landscape)] for name in PLAYS},
            **{f"hosts_{name}": "generic:network_switches" for name in PLAYS},
            "lab_report_dest": str(self.reports),
            "fabric_config_hold": HOLD,
            **(variables or {}),
        }
        inventories = ["-i", str(self.source), "-i", str(self.lab.outside)]
        limit = [] if "--limit" in arguments else ["--limit", ",".join(self.lab.wiring.machines)]
        program = str(PROGRAMS / "ansible-playbook")
        return [program, *inventories, "-v", "-e", json.dumps(own), *limit, *arguments, f"scs.landscape.{playbook}"]

    def run(self, playbook: str | Path, *arguments: str, seconds: float = PATIENCE, **options: Any) -> Done:
        """Runs a playbook of the fabric to its end."""
        return super().run(playbook, *arguments, seconds=seconds, **options)

    def meaning(self, landscape: Path) -> Bridge:
        """The same machines, meant to be something else."""
        return Bridge(self.lab, self.folder, self.root, landscape)


def changed_landscape(source: Path, target: Path, rows: Mapping[str, Any], roles: Sequence[str]) -> Path:
    """A copy of a landscape in which switches of some roles have further rows of CONFIG_DB."""
    shutil.copytree(source, target)
    file = target / "landscape.yml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    for role in roles:
        data["roles"][role]["config_db"] = dict(rows)
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return target


def done_by(done: Done, task: str) -> list[str]:
    """The machines on which a task changed something, in the order in which they were done."""
    return [host for name, host, result in done.results() if name.endswith(task) and result.get("changed")]


def established(fabric: Fabric, name: str) -> dict[str, str]:
    """The state of every BGP session of a switch or host, for IPv4."""
    peers = fabric.frr(name, "show bgp ipv4 unicast summary")["peers"]
    return {peer: facts["state"] for peer, facts in peers.items()}


def loopbacks(fabric: Fabric) -> dict[str, str]:
    """The address that each host announces."""
    return {name: fabric.wiring.machines[name].ip.replace("10.20.0.", "10.20.1.") for name in fabric.hosts}


@contextlib.contextmanager
def pinging(fabric: Fabric, names: Sequence[str]) -> Iterator[dict[tuple[str, str], tuple[int, int]]]:
    """Pings every 20 ms from some hosts to all others; afterwards, by source and target, how many were sent and answered."""
    address, counted = loopbacks(fabric), {}
    pairs = [(one, other) for one in names for other in fabric.hosts if one != other]
    for number, (one, other) in enumerate(pairs):
        unit = f"ping-{number}"
        fabric.machine(one).run(["systemctl", "reset-failed", unit], check=False)
        ping = ["ping", "-n", "-q", "-i", "0.02", "-I", address[one], address[other]]
        output = f"--property=StandardOutput=truncate:/run/{unit}"
        fabric.machine(one).run(["systemd-run", "--quiet", f"--unit={unit}", output, *ping])
    yield counted
    for number, (one, other) in enumerate(pairs):
        unit, machine = f"ping-{number}", fabric.machine(one)
        machine.run(["systemctl", "kill", "--signal=INT", unit])
        machine.run(["sh", "-c", f"for i in $(seq 50); do systemctl is-active -q {unit} || break; sleep 0.1; done"])
        said = machine.run(["cat", f"/run/{unit}"]).stdout
        found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        assert found, said
        counted[one, other] = int(found[1]), int(found[2])
