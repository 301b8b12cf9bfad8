# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the APIs of Nova and Neutron in the network of a cloud that has neither: HTTP before a project in memory.

Volumes of its servers are those of the cloud's own Cinder, which is asked whether they can be had.
"""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.pretended import handler
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.servers.fake_project import FakeProject

COMPUTE, NETWORK = "/compute/v2.1", "/network/v2.0"


class PretendedNova:
    """Servers and ports of one project; ends with the ``with`` block.

    :param volume: what Cinder shows of a volume, by its id.
    """

    def __init__(self, cloud: Cloud, fake: FakeProject, volume: Callable[[str], dict[str, Any]]) -> None:
        self.fake, self._volume = fake, volume
        self._lock = threading.Lock()
        with cloud.inside():
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> PretendedNova:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=30)

    def answer(self, method: str, address: str, body: Any) -> tuple[int, Any]:
        """What a service says."""
        path = urllib.parse.urlsplit(address).path.rstrip("/")
        prefix = next((one for one in (COMPUTE, NETWORK) if path.startswith(one)), None)
        if prefix is None:
            return 404, {"itemNotFound": {"message": f"no such service: {path}"}}
        parts = path[len(prefix) :].strip("/").split("/")
        if parts == [""]:
            more = {"version": "2.96", "min_version": "2.1"} if prefix == COMPUTE else {}
            links = [{"rel": "self", "href": self.address + prefix + "/"}]
            name = prefix.rpartition("/")[2]
            return 200, {"version": {"id": name, "status": "CURRENT", "links": links, **more}}
        with self._lock:
            return self._do(method, parts, body)

    def _do(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if method == "GET" and parts[1:] in ([], ["detail"]):
            key = parts[0].removeprefix("os-").replace("-", "_")
            return 200, {key: list(self.fake.pages("", parts[0], key))}
        if method == "POST" and parts == ["servers"]:
            for one in body["server"]["block_device_mapping_v2"]:
                found = self._volume(one["uuid"])
                # It keeps its own account of what is attached.
                known = self.fake.kept["volumes"].get(one["uuid"], {})
                self.fake.kept["volumes"][one["uuid"]] = {**found, **known}
        answer = self.fake.call("", method, "/".join(parts), json=body, accept=range(400, 600))
        return answer.status, answer.body
