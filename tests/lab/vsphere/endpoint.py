# SPDX-License-Identifier: Apache-2.0
"""The provider's front: an ESXi or a vCenter in a lane, up, looked into, down."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable, say
from ...tools.paths import CACHE, digest, locked
from .. import kernel, launch
from ..kernel import Process
from . import toolchain

MODES = ("esxi", "vcenter")
USERS = {"esxi": "root", "vcenter": "administrator@vsphere.local"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SECONDS = 30
#: Methods that change nothing but a session; as in simulator/methods.go.
READING = re.compile(
    r"(Retrieve|Query|Find|Fetch|Log(in|out)|Acquire|WaitFor|Check|Validate|Search|Continue|Cancel(Wait|Retr)"
    r"|Current|Get|List|Read|Session|Create(ContainerView|ListView|InventoryView|Filter|PropertyCollector|CollectorFor)"
    r"|Destroy(View|PropertyFilter|PropertyCollector|Collector)|ModifyListView|Set(Collector|Locale)|Re(set|wind)Collector"
    r"|OpenInventory|HttpNfcLease)"
)


@dataclass
class _Record:
    """What a lane wrote down about itself."""

    process: Process | None = None
    fingerprint: str = ""
    mode: str = ""
    user: str = ""
    seconds: float = 0.0
    endpoint: dict[str, Any] = field(default_factory=dict)


class Vsphere:
    """An ESXi or a vCenter in a lane, on a free port of 127.0.0.1.

    :param mode: ``esxi`` or ``vcenter``; both may run in one lane.
    :param description: machines and all else that docs/vsphere-lab.md names; one machine without data when left out.
    """

    def __init__(self, lane: str = "demo", mode: str = "esxi", description: Mapping[str, Any] | None = None) -> None:
        if not _NAME.fullmatch(lane):
            raise Unavailable(f"{lane!r} is no name for a lane: use up to 32 of a-z, 0-9 and -")
        if mode not in MODES:
            raise Unavailable(f"the lab's vSphere knows {' and '.join(MODES)}, not {mode!r}")
        self.lane, self.mode = lane, mode
        self.description = dict(description) if description is not None else {"machines": [_EXAMPLE]}
        self.folder = CACHE / "lab" / "vsphere" / "lanes" / lane / mode

    # up and down

    def prepare(self) -> None:
        """Build what it runs, unless that is done: needs the machine's own network, so do it before entering a namespace.

        :raises Unavailable: it cannot be built.
        """
        toolchain.program()

    def up(self) -> dict[str, Any]:
        """Start the endpoint, unless it runs already with this description; its status.

        :raises Unavailable: it cannot be built, or a description is refused.
        """
        command = toolchain.program()
        with locked(self.folder):
            record = self._load()
            if not (record.process and record.process.alive and record.fingerprint == self._fingerprint(command)):
                self._clear(record)
                self._start(command)
        return self.status()

    def down(self) -> None:
        """End it and remove its folder, datastores included; nothing to do is fine."""
        with locked(self.folder):
            self._clear(self._load())

    def _start(self, command: Path) -> None:
        began = time.monotonic()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        user = USERS[self.mode]
        self._write("password", secrets.token_urlsafe(18))
        own = {"mode": self.mode, "folder": str(self.folder), "user": user, "password_file": str(self.password_file)}
        self._write("description.json", json.dumps({**self.description, **own}, indent=1, ensure_ascii=False))
        patience = 60 + 0.1 * len(self.description.get("machines", ()))
        waiting = None
        try:
            argv = [str(command), str(self.folder / "description.json")]
            waiting = launch._ready(launch._begin(argv, "the lab's vSphere"), patience)
            endpoint = json.loads((self.folder / "endpoint.json").read_text(encoding="utf-8"))
            took = round(time.monotonic() - began, 2)
            self._save(_Record(waiting.process, self._fingerprint(command), self.mode, user, took, endpoint))
            waiting.go()
        except BaseException:
            if waiting is not None:
                with contextlib.suppress(OSError):
                    waiting.drop()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        say(f"vSphere ({self.mode}) answers after {took:.1f} s")

    def _clear(self, record: _Record) -> None:
        process = record.process
        if process is not None and process.alive:
            process.kill(signal.SIGTERM)
            if not kernel.wait_for(lambda: not process.alive, _SECONDS):
                process.kill()
            if not kernel.wait_for(lambda: not process.alive, _SECONDS):
                raise Unavailable(f"process {process.pid}, a vSphere of the lab, does not end")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fingerprint(self, command: Path) -> str:
        return digest(str(command), self.mode, json.dumps(self.description, sort_keys=True))

    # records

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")

    def _load(self) -> _Record:
        try:
            data = json.loads((self.folder / "lane.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return _Record()
        data["process"] = Process(**data["process"]) if data["process"] else None
        return _Record(**data)

    def _save(self, record: _Record) -> None:
        self._write("lane.json.partial", json.dumps(dataclasses.asdict(record), indent=1) + "\n")
        os.replace(self.folder / "lane.json.partial", self.folder / "lane.json")

    def _running(self) -> _Record:
        record = self._load()
        if not (record.process and record.process.alive):
            raise Unavailable(f"the vSphere ({self.mode}) of lane {self.lane} is not up")
        return record

    # what is there

    def status(self) -> dict[str, Any]:
        """What runs and where, without the password."""
        record = self._load()
        alive = bool(record.process and record.process.alive)
        found: dict[str, Any] = {"lane": self.lane, "mode": self.mode, "up": alive}
        if alive and record.process:
            found.update(record.endpoint, pid=record.process.pid, username=record.user, seconds=record.seconds)
            found.update(ca=str(self.ca), password_file=str(self.password_file), datastores=str(self.datastores))
        return found

    @property
    def url(self) -> str:
        """The SDK's address, ``https://127.0.0.1:<port>/sdk``."""
        return str(self._running().endpoint["url"])

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2].partition("/")[0])

    @property
    def username(self) -> str:
        """Who may log in."""
        return self._running().user

    @property
    def password_file(self) -> Path:
        """The file with the password, for its owner alone."""
        return self.folder / "password"

    @property
    def password(self) -> str:
        """Another one at each start."""
        return self.password_file.read_text(encoding="utf-8")

    @property
    def ca(self) -> Path:
        """The certificate of the lane's own CA."""
        return self.folder / "ca.pem"

    @property
    def front(self) -> Path:
        """A certificate of that CA with its key, for what stands in front of the endpoint."""
        return self.folder / "proxy.pem"

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the endpoint's certificate, as vSphere writes it."""
        return str(self._running().endpoint["thumbprint_sha256"])

    @property
    def machines(self) -> dict[str, str]:
        """The id of every machine by its name."""
        return dict(self._running().endpoint["machines"])

    @property
    def datastores(self) -> Path:
        """The folder with the folders of all datastores."""
        return self.folder / "datastores"

    def put_disk(self, datastore: str, path: str, data: bytes) -> Path:
        """Write a file into a datastore, as it is; the file."""
        target = self.datastores / datastore / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    # what tests look at and change

    def calls(self, kind: str = "soap") -> list[dict[str, Any]]:
        """Every call that is over, oldest first.

        :param kind: ``soap`` (method, this, user, status, fault), ``http`` (method, path, query, range, user, status,
            bytes), ``lease`` (ready, complete, abort, expired) or empty for all; each with ``at`` and ``seconds``.
        """
        try:
            lines = (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines]
        return [call for call in found if not kind or call["kind"] == kind]

    def writes(self) -> list[str]:
        """The methods that were called and change more than a session; of leases, those that ask for one count."""
        return [call["method"] for call in self.calls() if not READING.match(call["method"])]

    def events(self) -> list[dict[str, Any]]:
        """The endpoint's own events, oldest first: at, event, user, machine."""
        return list(self._ask("GET", "events"))

    def state(self) -> dict[str, Any]:
        """``machines`` by name (power, nics, snapshots, autostart) and the ids of ``leases`` that are open."""
        return dict(self._ask("GET", "state"))

    def drop_sessions(self) -> int:
        """End all sessions, as a restart of the host's agent does; how many there were."""
        return int(self._ask("POST", "sessions/drop"))

    def change(self, **settings: Any) -> None:
        """Change what the description said: ``licence``, ``lease_seconds``, ``lease_auth``, and of a ``machine`` (or of
        all): ``shutdown`` (obey, ignore), ``shutdown_seconds``, ``tools``."""
        self._ask("POST", "settings", settings)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        context = ssl.create_default_context(cafile=str(self.ca))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=_SECONDS)
        key = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        try:
            connection.request(method, f"/lab/{path}", json.dumps(body), {"Authorization": f"Basic {key}"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise Unavailable(f"the lab's vSphere refuses {path}: {text.strip()}")
        return json.loads(text)


_EXAMPLE = {
    "name": "example",
    "power": "on",
    "tools": "running",
    "guest_id": "debian11_64Guest",
    "disks": [{"size": 64 << 20}],
    "nics": [{}],
}
