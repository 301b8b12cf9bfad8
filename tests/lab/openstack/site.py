# SPDX-License-Identifier: Apache-2.0
"""The processes of one cloud: started, waited for, found and ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable
from .. import kernel, launch
from ..kernel import Process
from . import config, services
from .place import APIS, PORTS, STORES, Place

#: Seconds a service may take until it answers, on a machine five times slower than usual.
PATIENCE = 180.0
_DRIVERS = Path(__file__).parent / "drivers"
_FOLDERS = ("locks", "coordination", "rabbitmq/log", "shares", "pids")
_START = 'echo $$ >"$1.partial" && mv "$1.partial" "$1" && cd "$2" && shift 2 && exec "$@"'


class Site:
    """A place, and the process that holds its namespaces."""

    def __init__(self, place: Place, keeper: Process | None = None) -> None:
        self.place, self.keeper = place, keeper
        self._word: launch.Waiting | None = None

    # what a start needs

    def write(self, secrets: Mapping[str, str], settings: Mapping[str, config.Sections]) -> None:
        """Write configuration, drivers and empty folders."""
        place = self.place
        for folder in (place.etc, place.run, place.drivers):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(_DRIVERS, place.drivers, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(place.venv / "etc", place.etc)
        for name in (*_FOLDERS, *(f"locks/{name}" for name in (*APIS, *place.services))):
            (place.run / name).mkdir(parents=True, exist_ok=True)
        for name in ("mysql", "keystone", "cinder/backups", "cinder/state", "cinder/share", "nova/state", "neutron"):
            (place.data / name).mkdir(parents=True, exist_ok=True)
        for store in STORES:
            place.store(store).mkdir(parents=True, exist_ok=True)
        # Cinder's NFS driver looks whether it is there, and never needs it
        (place.drivers / "bin").mkdir()
        (place.drivers / "bin" / "mount.nfs").symlink_to("/bin/true")
        place.logs.mkdir(exist_ok=True)
        for name, text in config.files(place, secrets, settings).items():
            path = place.etc / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(text, encoding="utf-8")

    def begin(self) -> Process:
        """Make the namespaces. They end with this program unless :meth:`stay` is called."""
        place = self.place
        share, target = place.data / "cinder" / "share", place.run / "shares" / config.SHARE_FOLDER
        target.mkdir(parents=True, exist_ok=True)
        argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        argv += [sys.executable, "-B", "-m", "tests.lab.openstack.keeper", str(share), str(target)]
        if place.backend == "rbd":
            # os-brick wants keyrings in /etc/ceph, and there alone
            argv += [str(place.etc / "ceph"), "/etc/ceph"]
        self._word = launch._ready(launch._begin(argv, "the cloud's first process"))
        self.keeper = self._word.process
        return self.keeper

    def stay(self) -> None:
        """Let everything outlive this program."""
        assert self._word is not None
        self._word.go()
        self._word = None

    def end(self) -> None:
        """End everything, at once."""
        if self._word is not None:
            with contextlib.suppress(OSError):
                self._word.drop()
            self._word = None
        if self.keeper is not None:
            self.keeper.kill()
            if not kernel.wait_for(lambda: not (self.keeper and self.keeper.alive), 20):
                raise Unavailable(f"process {self.keeper.pid}, the first of a cloud, does not end")
            kernel.wait_for(lambda: not any(True for _pid in self.members()), 10)

    @property
    def outer(self) -> Place:
        """The place as programs outside of the cloud see it."""
        return self.place

    @property
    def interpreter(self) -> Path:
        """A Python with openstacksdk for programs outside."""
        return Path(self.place.program("python"))

    # running

    @property
    def alive(self) -> bool:
        """Whether the namespaces are there."""
        return self.keeper is not None and self.keeper.alive

    def entering(self, *, everything: bool = False) -> list[str]:
        """What to put in front of a command that runs in the cloud's network (and sees its mounts and processes)."""
        if self.keeper is None or not self.keeper.alive:
            raise Unavailable("the cloud is not up")
        more = ["--mount", "--pid"] if everything else []
        return ["nsenter", f"--target={self.keeper.pid}", "--net", *more, "--"]

    def start(self, name: str) -> None:
        """Start a service; :meth:`answers` tells when it is there."""
        place = self.place
        pid = place.run / "pids" / name
        pid.unlink(missing_ok=True)
        argv = [*self.entering(everything=True), "setsid", "--fork", "sh", "-c", _START, name, str(pid), str(place.run)]
        with open(place.logs / f"{name}.log", "ab") as log:
            subprocess.run(
                [*argv, *services.command(place, name)],
                env=services.environ(place, name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                timeout=60,
            )

    def tool(self, name: str, *argv: str, **variables: str) -> None:
        """Run one of a service's own tools to its end.

        :raises Unavailable: it failed; its last words are the reason.
        """
        place = self.place
        with open(place.logs / f"{name}.tool.log", "ab") as log:
            done = subprocess.run(
                [*self.entering(everything=True), place.program(argv[0]), *argv[1:]],
                env={**services.environ(place, name), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                timeout=900,
            )
        if done.returncode:
            raise Unavailable(f"`{' '.join(argv[:2])} ...` failed: {self.last_words(f'{name}.tool')}")

    def process(self, name: str) -> Process | None:
        """The process of a service, by the number that this machine knows it by."""
        try:
            inner = int((self.place.run / "pids" / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return self.numbered(inner)

    def numbered(self, inner: int) -> Process | None:
        """The process that has this number inside."""
        for pid in self.members():
            if _numbers(pid)[-1:] == [inner]:
                with contextlib.suppress(ProcessLookupError):
                    return Process.of(pid)
        return None

    def ended(self, name: str) -> bool:
        """Whether a service was started and runs no more."""
        return (self.place.run / "pids" / name).exists() and self.process(name) is None

    def stop(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one service and what it started, and wait for its end."""
        found = self.process(name)
        if found is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(found.pid, number)
        if not kernel.wait_for(lambda: not found.alive, 60):
            raise Unavailable(f"{name} does not end")

    def members(self) -> Iterator[int]:
        """The numbers of all processes in the cloud's namespaces, the first one included."""
        if self.keeper is None:
            return
        space = kernel.namespace_of(self.keeper.pid, "pid") if self.keeper.alive else 0
        for pid in kernel.processes() if space else ():
            if kernel.namespace_of(pid, "pid") == space:
                yield pid

    def memory(self) -> dict[str, int]:
        """The proportional memory of each service and what it started, in MiB."""
        owners = {found.pid: name for name in self.place.services if (found := self.process(name))}
        total: dict[str, float] = {}
        for pid in self.members():
            owner, seen = pid, set()
            while owner and owner not in owners and owner not in seen:
                seen.add(owner)
                owner = kernel.parent_of(owner)
            name = owners.get(owner, "other")
            total[name] = total.get(name, 0.0) + _pss(pid)
        return {name: round(total[name]) for name in sorted(total)}

    # waiting

    def inside(self, action: Callable[[], Any]) -> Any:
        """The result of a function that is called in the cloud's network, by a thread of its own."""
        assert self.keeper is not None
        path = f"/proc/{self.keeper.pid}/ns/net"
        box: list[tuple[Any, BaseException | None]] = []

        def call() -> None:
            try:
                kernel.enter_network(path)
                box.append((action(), None))
            except BaseException as error:  # handed to the caller
                box.append((None, error))

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        thread.join()
        result, error = box[0]
        if error is not None:
            raise error
        return result

    def wait(self, names: Iterable[str], seconds: float = PATIENCE) -> dict[str, float]:
        """Wait until services answer on their ports; the seconds each took.

        :raises Unavailable: one ended, or did not answer in time.
        """
        began, missing, took = time.monotonic(), list(names), {}

        def look() -> None:
            while missing and time.monotonic() - began < seconds:
                for name in [name for name in missing if answers(name)]:
                    missing.remove(name)
                    took[name] = round(time.monotonic() - began, 2)
                for name in missing:
                    if self.ended(name):
                        raise Unavailable(f"{name} ended while it started: {self.last_words(name)}")
                time.sleep(0.1)

        self.inside(look)
        if missing:
            raise Unavailable(
                f"{', '.join(missing)} did not answer within {seconds:.0f} s: {self.last_words(missing[0])}"
            )
        return took

    def last_words(self, name: str) -> str:
        """The end of a service's log, on one line."""
        try:
            text = (self.outer.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " | ".join(lines[-3:])[-600:] or "it said nothing"

    def python(self, script: Path, data: object, **variables: str) -> Any:
        """Run a script with the cloud's Python in its network; JSON goes in and comes out.

        :raises Unavailable: it failed.
        """
        done = subprocess.run(
            [*self.entering(everything=True), self.place.program("python"), "-B", str(script)],
            env={**services.environ(self.place, "tool"), **variables},
            input=json.dumps(data),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            last = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
            raise Unavailable(f"{script.name} failed: {last}")
        return json.loads(done.stdout or "null")

    def mysql(self, statement: str) -> list[list[str]]:
        """The rows of a statement."""
        argv: Sequence[str] = ["mariadb", f"--socket={self.place.run}/mariadb.sock", "--user=root"]
        done = subprocess.run(
            [*argv, "--batch", "--skip-column-names"],
            input=statement,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise Unavailable(f"the database refused: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]


def _pss(pid: int) -> float:
    """MiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0")
    return int(line.split()[1]) / 1024


def _numbers(pid: int) -> list[int]:
    """The numbers of a process, from this machine's namespace to its own."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    line = next((line for line in text.splitlines() if line.startswith("NSpid:")), "")
    return [int(word) for word in line.split()[1:]]


def answers(name: str) -> bool:
    """Whether a service answers on its port, seen from this thread's network; those without a port always do."""
    if name not in PORTS:
        return True
    if name not in APIS:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORTS[name]), 1):
            return True
        return False
    # uwsgi listens before its application is loaded, and leaves the request waiting
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[name], timeout=2)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/", headers={"User-Agent": "lab-probe"})
            with connection.getresponse() as answer:
                return answer.status < 500
        except (OSError, http.client.HTTPException):
            return False
