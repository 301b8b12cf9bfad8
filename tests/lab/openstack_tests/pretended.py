# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the APIs of a cloud that remembers every request, for whole playbooks: HTTP before services in memory."""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import yaml

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_restores import (
    FakeRestores,
)
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.drills.fake_site import FakeSite

_CINDER = "/volume/v3"
#: The other services of a whole site: type in the catalog by the beginning of paths, with the newest microversion.
_OTHERS = {
    "/compute/v2.1": ("compute", "v2.1", "2.100"),
    "/network/v2.0": ("network", "v2.0", ""),
    "/image/v2": ("image", "v2.16", ""),
    "/key-manager/v1": ("key-manager", "v1", ""),
}


class Pretended:
    """A cloud with one project and one member; ends with the ``with`` block.

    :param fake: Cinder alone, or a site with all services.
    :ivar requests: method and path of every request, logins and discovery as well.
    """

    def __init__(self, fake: FakeRestores | FakeSite, folder: Path) -> None:
        self._site = fake if isinstance(fake, FakeSite) else None
        self.fake = fake.cinder if isinstance(fake, FakeSite) else fake
        self.requests: list[tuple[str, str]] = []
        self.clouds_yaml = folder / "clouds.yaml"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Pretended:
        auth = {
            "auth_url": f"{self.address}/identity/v3",
            "username": "member",
            "password": "pretended",
            "project_name": "p1",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        self.clouds_yaml.write_text(yaml.safe_dump({"clouds": {"member": {"auth": auth}}}), encoding="utf-8")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=30)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something; a login is none."""
        reading = ("GET", "HEAD")
        return [one for one in self.requests if one[0] not in reading and one[1] != "/identity/v3/auth/tokens"]

    def answer(self, method: str, address: str, body: Any) -> tuple[int, Any]:
        """What a service says."""
        found = urllib.parse.urlsplit(address)
        path = found.path.rstrip("/")
        self.requests.append((method, path))
        if path in ("/identity", "/identity/v3"):
            return 200, {"version": _version("v3.14", f"{self.address}/identity/v3/")}
        if path == "/identity/v3/auth/tokens":
            return 201, self._token()
        if path in ("/volume", _CINDER, f"{_CINDER}/{self.fake.project_id}"):
            more = {"version": "3.71", "min_version": "3.0"}
            return 200, {"versions": [{**_version("v3.0", f"{self.address}{_CINDER}/"), **more}]}
        for prefix in (f"{_CINDER}/{self.fake.project_id}", _CINDER):
            if path.startswith(prefix + "/"):
                return self._cinder(method, path[len(prefix) :], found.query, body)
        for prefix, (service, name, newest) in _OTHERS.items() if self._site else ():
            if path in (prefix, prefix.rpartition("/")[0]):
                more = {"version": newest, "min_version": "2.1"} if newest else {}
                return 200, {"versions": [{**_version(name, f"{self.address}{prefix}/"), **more}]}
            if path.startswith(prefix + "/"):
                return self._other(service, method, path[len(prefix) :], body)
        return 404, {"itemNotFound": {"message": f"no such service: {path}"}}

    def _cinder(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any]:
        answer = (self._site or self.fake).call("block-storage", method, path, json=body, accept=range(400, 600))
        given = dict(urllib.parse.parse_qsl(query))
        if path.endswith("/detail"):
            kind = path.split("/")[1]
            wanted = {key: value for key, value in given.items() if key in ("volume_id", "status", "name")}
            listed = [one for one in answer.body[kind] if all(str(one[key]) == wanted[key] for key in wanted)]
            return 200, {kind: listed}
        return answer.status, answer.body

    def _other(self, service: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        site = self._site
        if site is None:
            return 404, None
        if service == "key-manager":  # a new one: there is nothing in it
            kind = path.strip("/")
            return (200, {kind: [], "total": 0}) if kind in ("secrets", "containers", "orders") else (404, None)
        collection = path.strip("/").removesuffix("/detail")
        if method == "GET" and "/" not in collection:
            key = collection.removeprefix("os-").replace("-", "_")
            return 200, {key: list(site.pages(service, path, key))}
        answer = site.call(service, method, path, json=body, accept=range(400, 600))
        return answer.status, answer.body

    def _token(self) -> dict[str, Any]:
        def service(kind: str, path: str) -> dict[str, Any]:
            where = {"interface": "public", "region": "one", "region_id": "one", "url": self.address + path, "id": kind}
            return {"type": kind, "name": kind, "id": kind, "endpoints": [where]}

        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["password"],
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "user": {"id": "u1", "name": "member", "domain": domain},
                "project": {"id": self.fake.project_id, "name": "p1", "domain": domain},
                "roles": [{"id": "r1", "name": "member"}],
                "catalog": [
                    service("identity", "/identity"),
                    service("block-storage", _CINDER),
                    *(service(one[0], prefix) for prefix, one in _OTHERS.items() if self._site),
                ],
            }
        }


def _version(name: str, address: str) -> dict[str, Any]:
    return {"id": name, "status": "CURRENT", "links": [{"rel": "self", "href": address}]}


class Answers(Protocol):
    """What can stand behind an address."""

    def answer(self, method: str, address: str, body: Any) -> tuple[int, Any]:
        """Status and JSON."""


def handler(cloud: Answers) -> type[BaseHTTPRequestHandler]:
    """What a server of the standard library hands its requests to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            given = self.rfile.read(length)
            status, body = cloud.answer(self.command, self.path, json.loads(given) if given else None)
            said = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            if status == 201:
                self.send_header("X-Subject-Token", "pretended")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: the requests are remembered."""

    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.handle_one)
    return Handler
