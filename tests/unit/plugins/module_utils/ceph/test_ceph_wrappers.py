# SPDX-License-Identifier: Apache-2.0
"""Prefixes that enter a container or a pod, as stand-ins: ending ``docker exec`` does not end what runs inside."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.ceph.client import Ceph
from ansible_collections.scs.landscape.plugins.modules import ceph_health_gate
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded

pytestmark = pytest.mark.accept("O1.13")

#: Seconds that one command may take on a machine that is busy.
PATIENT = 60.0

# The program runs under somebody else's hand: its wrapper hands over output and exit status, and no signals.
WRAPPER = """
    import subprocess, sys
    kind, words = sys.argv[1], sys.argv[sys.argv.index("--") + 1:]
    if kind == "kubectl":
        print('Defaulted container "tools" out of: tools, other', file=sys.stderr)
    done = subprocess.run([sys.executable, "-I", *words], start_new_session=True, stdin=subprocess.DEVNULL)
    if kind == "kubectl" and done.returncode:
        print(f"command terminated with exit code {done.returncode}", file=sys.stderr)
    sys.exit(done.returncode)
"""

# Both programs: they end by themselves only when they are told to, and answer from a file.
PROGRAM = """
    import json, os, pathlib, re, sys, time
    folder = pathlib.Path(__file__).parent
    world = json.loads((folder / "world.json").read_text())
    own = [int(re.search(r"=(\\d+)", word)[1]) for word in sys.argv if word.startswith(world["limit"])]
    (folder / "inside" / str(os.getpid())).touch()
    def hang():
        time.sleep(own[0] if own else 6)  # then it is served again
        if own:
            print("error: (110) Connection timed out", file=sys.stderr)
            sys.exit(1)
    words = [word for word in sys.argv[1:] if not word.startswith("--rados-") and not word.startswith("--client-")]
    if sys.argv[0].endswith("rados"):
        pool, action, name, *more = words[1:]
        if world["hangs"] and action != "rm":
            hang()
        path = folder / "objects" / name
        if action == "setxattr": path.write_text(more[1])
        if action == "getxattr": print(path.read_text())
        if action == "rm": path.unlink()
        sys.exit(0)
    text = " ".join(words[2:]).replace(" --format json", "")
    if text in world["silent"]:
        hang() if own else time.sleep(600)
    if "ok-to-stop" in text:
        print("Error EBUSY: not enough monitors would be available", file=sys.stderr)
        sys.exit(16)
    print(json.dumps(world["answers"].get(text, {})))
"""


class Pod:
    """A folder that is the inside: both programs, what they say, the objects that they make, and who runs."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        for name, text in (("exec", WRAPPER), ("ceph", PROGRAM), ("rados", PROGRAM)):
            (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        for name in ("inside", "objects"):
            (folder / name).mkdir()
        self.command = [sys.executable, "-I", str(folder / "exec"), kind, "--", str(folder / "ceph")]
        self.does()

    def does(self, limit: str = "--rados-osd-op-timeout", hangs: bool = False, silent: tuple[str, ...] = ()) -> None:
        world = {"limit": limit, "hangs": hangs, "silent": silent, "answers": Recorded().answers}
        (self.folder / "world.json").write_text(json.dumps(world), encoding="utf-8")

    def alive(self) -> list[int]:
        """Processes of the inside that still run."""
        found = []
        for path in (self.folder / "inside").iterdir():
            try:
                words = Path(f"/proc/{path.name}/cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(self.folder) in words:
                found.append(int(path.name))
        return found

    def objects(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "objects").iterdir())


@pytest.fixture(params=["docker", "kubectl"])
def pod(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pod]:
    found = Pod(tmp_path, request.param)
    yield found
    for number in found.alive():
        os.kill(number, 9)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def gate(pod: Pod, programs: Any, **options: Any) -> Any:
    params = {name: option.get("default") for name, option in ceph_health_gate.SPEC.items()}
    given = {"command": pod.command, "command_timeout": PATIENT, "timeout": 0, **options}
    return ceph_health_gate.main({**params, **given}, False, programs)


def test_a_cluster_behind_a_wrapper_passes_and_nothing_is_left(pod, programs):
    found = gate(pod, programs, probe_pools=["volumes"], probe_seconds=PATIENT)
    assert found.failed == ""
    assert (pod.alive(), pod.objects()) == ([], [])


def test_a_probe_that_is_not_served_leaves_no_process_and_no_object(pod, programs):
    pod.does(hangs=True)
    assert Ceph(programs, pod.command).probe("volumes", 1) == "no answer within 1 s"
    assert until(lambda: pod.alive() == [], PATIENT)
    assert pod.objects() == []


def test_a_mon_that_does_not_answer_leaves_no_process(pod, programs):
    pod.does(limit="--rados-mon-op-timeout", silent=("tell mon.ceph-2 version",))
    ceph = Ceph(programs, pod.command, seconds=4)
    assert not ceph.answers("ceph-2")
    assert until(lambda: pod.alive() == [], PATIENT)


def test_the_reason_is_that_of_the_program(pod, programs):
    found = gate(pod, programs, checks=[], stop_mons=["ceph-1"])
    assert found.failed.startswith(
        "The Ceph cluster is not fit for the next step: mon ceph-1 must not be stopped:"
        " Error EBUSY: not enough monitors would be available"
    )
