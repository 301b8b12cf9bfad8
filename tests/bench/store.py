# SPDX-License-Identifier: Apache-2.0
"""Keystone and Cinder as far as backups go, over HTTP, as a program of its own: its work is not counted as ours.

Answers have the fields and the pages of the real ones. A backup takes a fixed time and costs nothing.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

#: ``osapi_max_limit`` of Cinder: objects on one page at most.
PAGE = 1000
PROJECT = "7c1f0a52d06e4b6ca2f15d7f8f6a10aa"
START = datetime.datetime(2026, 3, 1, 2, 0)


class Store:
    """What Cinder knows.

    :param seconds: how long a backup takes.
    :ivar log: method and path of each request to Cinder.
    :ivar most: how many backups were under way at once at most.
    """

    def __init__(self, volumes: int, backups: int, run: str, seconds: float) -> None:
        self.lock, self.seconds = threading.Lock(), seconds
        self.log: list[tuple[str, str]] = []
        self.most = 0
        self.volumes = [self._volume(number) for number in range(volumes)]
        self.backups = {
            one["id"]: one
            for volume in range(volumes)
            for one in (self._backup(volume, age, run if age == 0 else f"old{age}") for age in range(backups))
        }
        self._due: dict[str, float] = {}

    def _volume(self, number: int) -> dict[str, Any]:
        identifier = _id("1", number)
        return {
            "id": identifier,
            "name": f"volume-{number}",
            "description": "",
            "size": 20,
            "status": "available",
            "volume_type": "__DEFAULT__",
            "volume_type_id": _id("9", 1),
            "encrypted": False,
            "bootable": "false",
            "multiattach": False,
            "attachments": [],
            "metadata": {"backup:policy": "gold"},
            "availability_zone": "nova",
            "created_at": _text(START),
            "updated_at": _text(START),
            "user_id": PROJECT,
            "os-vol-tenant-attr:tenant_id": PROJECT,
            "replication_status": None,
            "consistencygroup_id": None,
            "group_id": None,
            "provider_id": None,
            "service_uuid": _id("8", 1),
            "shared_targets": False,
            "cluster_name": None,
            "source_volid": None,
            "snapshot_id": None,
            "links": [{"rel": "self", "href": f"http://127.0.0.1/v3/volumes/{identifier}"}],
        }

    def _backup(self, volume: int, age: int, run: str) -> dict[str, Any]:
        taken = _text(START - datetime.timedelta(days=age))
        return {
            "id": _id("2", volume * 1000 + age),
            "name": f"backup-{volume}-{age}",
            "volume_id": _id("1", volume),
            "description": None,
            "size": 20,
            "status": "available",
            "is_incremental": age % 7 != 6,
            "has_dependent_backups": age % 7 != 0,
            "snapshot_id": None,
            "container": "backups",
            "object_count": 22,
            "availability_zone": "nova",
            "fail_reason": None,
            "encryption_key_id": None,
            "data_timestamp": taken,
            "created_at": taken,
            "updated_at": taken,
            "user_id": PROJECT,
            "os-backup-project-attr:project_id": PROJECT,
            "metadata": {"scs_landscape_run": run, "scs_landscape_level": "none"},
            "links": [{"rel": "self", "href": f"http://127.0.0.1/v3/backups/{_id('2', volume * 1000 + age)}"}],
        }

    def begin(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """A backup that somebody asks for."""
        number = next(place for place, one in enumerate(self.volumes) if one["id"] == wanted["volume_id"])
        made = self._backup(number, 500 + len(self.backups), "")
        now = _text(datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None))
        made.update(name=wanted["name"], metadata=wanted["metadata"], is_incremental=wanted["incremental"])
        made.update(status="creating", data_timestamp=now, created_at=now, has_dependent_backups=False)
        self.backups[made["id"]] = made
        self._due[made["id"]] = time.monotonic() + self.seconds
        self.most = max(self.most, len(self._due))
        return made

    def settle(self) -> None:
        """Time passes."""
        for identifier in [key for key, due in self._due.items() if due <= time.monotonic()]:
            del self._due[identifier]
            self.backups[identifier]["status"] = "available"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and body."""
        parts = path.strip("/").split("/")[1:]
        if not parts:
            version = {"id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0", "updated": ""}
            return 200, {"versions": [{**version, "links": [{"rel": "self", "href": query["base"] + "/v3/"}]}]}
        if parts[0] == "limits":
            bounds = {"maxTotalBackups": -1, "maxTotalBackupGigabytes": -1}
            return 200, {"limits": {"rate": [], "absolute": bounds}}
        if parts[0] == "os-services":
            return 403, {"forbidden": {"code": 403, "message": "Policy doesn't allow it"}}
        if parts[0] == "backups" and method == "POST":
            made = self.begin(body["backup"])
            return 202, {"backup": {name: made[name] for name in ("id", "name", "links")}}
        if parts[0] not in ("volumes", "backups", "snapshots"):
            return 404, {"itemNotFound": {"code": 404, "message": path}}
        known = {"volumes": self.volumes, "backups": list(self.backups.values())}.get(parts[0], [])
        if len(parts) == 1 or parts[1] == "detail":
            return 200, _page(known, parts[0], path, query)
        found = next((one for one in known if one["id"] == parts[1]), None)
        return (200, {parts[0][:-1]: found}) if found else (404, {"itemNotFound": {"code": 404, "message": parts[1]}})


def _page(known: list[dict[str, Any]], key: str, path: str, query: dict[str, str]) -> dict[str, Any]:
    given = {name: query[name] for name in ("name", "volume_id", "status") if name in query}
    found = [one for one in known if all(str(one[name]) == value for name, value in given.items())]
    first = next((place + 1 for place, one in enumerate(found) if one["id"] == query.get("marker")), 0)
    size = min(int(query.get("limit") or PAGE), PAGE)
    page = found[first : first + size]
    links = []
    if first + size < len(found):
        more = urllib.parse.urlencode({**given, "limit": size, "marker": page[-1]["id"]})
        links = [{"rel": "next", "href": f"{query['base']}{path}?{more}"}]
    return {key: page, **({f"{key}_links": links} if links else {})}


def _id(kind: str, number: int) -> str:
    return f"{kind}0000000-0000-4000-8000-{number:012d}"


def _text(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="microseconds")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, *_words: object) -> None:
        """Nothing."""

    def _do(self) -> None:
        path, _mark, text = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null") if length else None
        base = f"http://{self.headers['Host']}"
        query = {**dict(urllib.parse.parse_qsl(text)), "base": f"{base}/block"}
        headers = {}
        if path.startswith("/identity"):
            status, said, headers = _keystone(self.command, path, base)
        elif path == "/facts":
            status, said = 200, {"log": self.store.log, "most": self.store.most}
        else:
            with self.store.lock:
                self.store.settle()
                status, said = self.store.answer(self.command, path[len("/block") :], query, body)
                self.store.log.append((self.command, path[len("/block/v3") :]))
        data = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)


def _keystone(method: str, path: str, base: str) -> tuple[int, Any, dict[str, str]]:
    if method != "POST":
        link = {"rel": "self", "href": f"{base}/identity/v3/"}
        return 200, {"version": {"id": "v3.14", "status": "stable", "links": [link], "media-types": []}}, {}
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=4)
    address = {"interface": "public", "region": "R", "region_id": "R", "id": "e"}
    token = {
        "methods": ["password"],
        "user": {"id": PROJECT, "name": "member", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": PROJECT, "name": "member", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r", "name": "member"}],
        "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "catalog": [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [{**address, "url": f"{base}{where}"}],
            }
            for kind, where in (("identity", "/identity"), ("block-storage", "/block/v3"))
        ],
    }
    return 201, {"token": token}, {"X-Subject-Token": "token"}


class Standing:
    """A stand-in that runs.

    :ivar clouds: ``clouds.yaml`` with the cloud ``member``.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.clouds = folder / "clouds.yaml"
        login = {"auth_url": f"{self.base}/identity/v3", "username": "member", "password": "word"}
        login.update(project_name="member", user_domain_name="Default", project_domain_name="Default")
        entry = {"auth": login, "region_name": "R"}
        self.clouds.write_text(yaml.safe_dump({"clouds": {"member": entry}}), encoding="utf-8")

    def facts(self) -> tuple[list[tuple[str, str]], int]:
        """Requests that came to Cinder so far, and how many backups were under way at once at most."""
        line = http.client.HTTPConnection(self.base.partition("//")[2], timeout=60)
        with contextlib.closing(line):
            line.request("GET", "/facts")
            told = json.load(line.getresponse())
        return [tuple(one) for one in told["log"]], told["most"]


@contextlib.contextmanager
def standing(
    folder: Path, volumes: int, backups: int = 0, run: str = "none", seconds: float = 1.0
) -> Iterator[Standing]:
    """A stand-in while it is needed.

    :param backups: how many each volume has.
    :param run: the run that made the newest of them.
    :param seconds: how long a new one takes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-B", str(Path(__file__)), *map(str, (volumes, backups, run, seconds))]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Standing(folder, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate(timeout=30)


if __name__ == "__main__":
    _Handler.store = Store(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
    _SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(_SERVER.server_address[1], flush=True)
    _SERVER.serve_forever()
