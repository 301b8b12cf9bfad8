# SPDX-License-Identifier: Apache-2.0
"""A few calls of vSphere's SOAP API in plain text: what judges the provider must not be what is built upon it."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.parse
from pathlib import Path
from xml.sax.saxutils import escape

from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere

_FORM = (
    '<?xml version="1.0"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    "<Body>{}</Body></Envelope>"
)
_NAMES = {"esxi": ("ha-sessionmgr", "ha-property-collector"), "vcenter": ("SessionManager", "propertyCollector")}


class Fault(Exception):
    """A SOAP fault; its text is the fault's type."""


class Client:
    """Somebody who is or is not logged in.

    :param port: of a proxy in front; the endpoint's own when left out.
    """

    def __init__(self, vsphere: Vsphere, port: int = 0, ca: Path | None = None) -> None:
        self.vsphere, self.port = vsphere, port or vsphere.port
        self.context = ssl.create_default_context(cafile=str(ca or vsphere.ca))
        self.manager, self.collector = _NAMES[vsphere.mode]
        self.cookie = ""

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request of its own connection: status, body, headers."""
        connection = self.open(method, path, headers, body)
        try:
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def open(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> http.client.HTTPSConnection:
        """The request is sent, the answer not read."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=60)
        known = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, path, body, {**known, **(headers or {})})
        return connection

    def call(self, method: str, this: str, kind: str, inner: str = "") -> str:
        """The text of a method's answer.

        :raises Fault: the endpoint refuses.
        """
        text = f'<{method} xmlns="urn:vim25"><_this type="{kind}">{this}</_this>{inner}</{method}>'
        headers = {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/8.0.3.0"}
        status, body, got = self.ask("POST", "/sdk", headers, _FORM.format(text).encode())
        answer = body.decode()
        if status != 200:
            found = re.search(r'<Fault[^>]*type="(\w+)"', answer)
            raise Fault(found.group(1) if found else answer)
        if method == "Login":
            self.cookie = (got["Set-Cookie"] or "").partition(";")[0]
        return answer

    def login(self, password: str = "") -> Client:
        """Log in."""
        who, word = escape(self.vsphere.username), escape(password or self.vsphere.password)
        self.call("Login", self.manager, "SessionManager", f"<userName>{who}</userName><password>{word}</password>")
        return self

    def read(self, kind: str, this: str, *paths: str) -> str:
        """The values of some properties of an object, as XML."""
        wanted = "".join(f"<pathSet>{path}</pathSet>" for path in paths)
        spec = f'<propSet><type>{kind}</type>{wanted}</propSet><objectSet><obj type="{kind}">{this}</obj></objectSet>'
        inner = f"<specSet>{spec}</specSet><options/>"
        return self.call("RetrievePropertiesEx", self.collector, "PropertyCollector", inner)

    def task(self, method: str, this: str, kind: str = "VirtualMachine", inner: str = "") -> None:
        """Call a method that gives a task, and wait for its end.

        :raises Fault: the task failed.
        """
        found = re.search(r'<returnval type="Task">([^<]+)<', self.call(method, this, kind, inner))
        assert found, f"{method} gave no task"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            state = self.read("Task", found.group(1), "info.state")
            if ">success<" in state:
                return
            if ">error<" in state:
                raise Fault(self.read("Task", found.group(1), "info.error"))
            time.sleep(0.05)
        raise AssertionError(f"{method} did not end")

    def power(self, machine: str) -> str:
        """The power state of a machine."""
        found = re.search(
            r"<val[^>]*>(powered\w+|suspended)<", self.read("VirtualMachine", machine, "runtime.powerState")
        )
        assert found
        return found.group(1)

    def export(self, machine: str) -> Lease:
        """Ask for a lease and wait until it is ready."""
        found = re.search(r'type="HttpNfcLease">([^<]+)<', self.call("ExportVm", machine, "VirtualMachine"))
        assert found
        return Lease(self, found.group(1))

    def file(self, datastore: str, path: str) -> str:
        """Where a datastore's file is."""
        query = urllib.parse.urlencode(
            {"dcPath": "ha-datacenter" if self.vsphere.mode == "esxi" else "DC0", "dsName": datastore}
        )
        return f"/folder/{urllib.parse.quote(path)}?{query}"


class Lease:
    """A lease that is ready; ``paths`` of its files by target."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        end = time.monotonic() + 30
        while "ready" not in self.state():
            assert time.monotonic() < end, "the lease does not get ready"
            time.sleep(0.02)
        self.info = client.read("HttpNfcLease", name, "info")
        self.urls = re.findall(r"<url>([^<]+)<", self.info)
        self.paths = {url.rpartition("/")[2]: "/" + url.split("/", 3)[3] for url in self.urls}

    def state(self) -> str:
        """initializing, ready, done or error."""
        text = self.client.read("HttpNfcLease", self.name, "state")
        found = re.search(r"<val[^>]*>(\w+)<", text)
        return found.group(1) if found else text

    def say(self, what: str, inner: str = "") -> None:
        """Progress, Complete, Abort."""
        self.client.call(f"HttpNfcLease{what}", self.name, "HttpNfcLease", inner)

    def get(self, target: str) -> tuple[int, bytes]:
        """A file of the lease."""
        status, body, _headers = self.client.ask("GET", self.paths[target])
        return status, body
