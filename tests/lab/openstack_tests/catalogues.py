# SPDX-License-Identifier: Apache-2.0
"""Modules run against the lab's cloud in this process, catalogues that its web server can fill, and somebody who watches.

As a program: ``python -m ...catalogues MODULE OPTIONS`` (JSON) runs a module's ``main`` and prints what it returns; such a run
can be killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, returned
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud

_MODULES = "ansible_collections.scs.landscape.plugins.modules"


def call(module: str, params: dict[str, Any], check_mode: bool = False) -> Result:
    """What a module's ``main`` gives; options are checked and completed as Ansible does."""
    code = importlib.import_module(f"{_MODULES}.{module}")
    checked = ArgumentSpecValidator(code.ARGUMENTS).validate(params)
    assert not checked.error_messages, checked.error_messages
    result = code.main(checked.validated_parameters, check_mode)
    assert isinstance(result, Result)
    return result


@dataclasses.dataclass
class Desk:
    """Where an operator sits: runs modules in a cloud's network.

    :param user: cloud in ``clouds.yaml``.
    :param clouds: another clouds.yaml than the cloud's own for what is run: one with proxies.
    """

    cloud: Cloud
    folder: Path
    user: str = "admin"
    clouds: Path | None = None

    def run(self, module: str, check_mode: bool = False, **params: Any) -> Result:
        """One task in this process."""
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.clouds or self.cloud.clouds_yaml)
        with self.cloud.inside():
            return call(module, {"cloud": self.user, **params}, check_mode)

    def start(self, module: str, **params: Any) -> subprocess.Popen[str]:
        """The same as a program of its own; kill it, or wait for it."""
        given = json.dumps({"cloud": self.user, **params})
        argv = [*self.cloud.entering(), sys.executable, "-B", "-m", __name__, module, given]
        environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.cloud.clouds_yaml)}
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=environ, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    @contextlib.contextmanager
    def session(self, user: str = "") -> Iterator[client.Cloud]:
        """Our own client, logged in; for what a test arranges."""
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.cloud.clouds_yaml)
        with self.cloud.inside():
            yield client.connect({"cloud": user or self.user})

    def version(self, name: str, version: str, size: int = 300_000, **more: Any) -> dict[str, Any]:
        """A version of a catalogue whose bytes the lab's web server has."""
        fetches, seed = self.cloud.fetches(), f"{name}-{version}".replace(" ", "-").lower()
        return {
            "version": version,
            "url": fetches.url("good", seed, size, "image.raw"),
            "checksum": f"sha512:{fetches.digest(seed, size, 'image.raw', 'sha512')}",
            "build_date": f"{version[:4]}-{version[4:6]}-{version[6:8]}",
            **more,
        }

    def entry(self, name: str, *versions: str, **more: Any) -> dict[str, Any]:
        """An entry of a catalogue, as openstack-image-manager has it."""
        distro, _space, release = name.partition(" ")
        meta = {
            "architecture": "x86_64",
            "hw_disk_bus": "scsi",
            "hypervisor_type": "qemu",
            "os_distro": distro.lower(),
            "os_version": release,
            "os_purpose": "generic",
            "replace_frequency": "monthly",
            "uuid_validity": "none",
            "provided_until": "none",
            **more.pop("meta", {}),
        }
        return {
            "name": name,
            "format": "raw",
            "login": distro.lower(),
            "min_disk": 1,
            "min_ram": 512,
            "visibility": "public",
            "multi": True,
            "tags": [],
            "meta": meta,
            "versions": [self.version(name, version) for version in versions],
            **more,
        }

    def sync(self, images: list[dict[str, Any]], **options: Any) -> Result:
        """What the role does: see what is missing, import it, switch."""
        before = self.run("image_lifecycle", check_mode=True, images=images, **options)
        if before.values["imports"]:
            done = self.run("image_import", images=before.values["imports"], cache_dir=str(self.folder / "cache"))
            assert not done.failed, done.failed
        return self.run("image_lifecycle", images=images, **options)

    def images(self) -> dict[str, dict[str, Any]]:
        """All images, by id."""
        with self.session() as cloud:
            found = []
            for hidden in ("false", "true"):
                found += list(cloud.pages("image", "/images", "images", os_hidden=hidden, limit=500))
        return {image["id"]: image for image in found}

    def clean(self) -> None:
        """Removes every image that belongs to a catalogue."""
        mine = [key for key, one in self.images().items() if "scs_landscape_entry" in one]
        with self.session() as cloud:
            for identifier in mine:
                cloud.call("image", "DELETE", f"/images/{identifier}", accept=(404,))

    def patch(self, identifier: str, **values: Any) -> None:
        """Somebody changes an image by hand."""
        operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
        kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        with self.session() as cloud:
            cloud.call("image", "PATCH", f"/images/{identifier}", json=operations, headers=kind)


def until_status(cloud: Any, service: str, path: str, status: int, key: str = "", state: str = "") -> None:
    """Waits until a GET gives an HTTP status and, where it is given, an object that is in a state."""
    end, said = time.monotonic() + 600, ""
    while time.monotonic() < end:
        answer = cloud.call(service, "GET", path, accept=(404,))
        said = str(answer.body[key]["status"]).lower() if key and answer.status == 200 else ""
        assert not said.startswith("error"), answer.body
        if answer.status == status and said == state.lower():
            return
        time.sleep(0.3)
    raise AssertionError(f"{path} is {said}, not {state or status}, after ten minutes")


@dataclasses.dataclass
class Sample:
    """What one look at the public images of a name's distribution gave."""

    began: float
    ended: float
    images: list[dict[str, Any]]

    def generic(self, distro: str) -> list[str]:
        """Ids of the visible generic images of a distribution."""
        return [
            one["id"] for one in self.images if one.get("os_distro") == distro and one.get("os_purpose") == "generic"
        ]

    def named(self, name: str) -> list[str]:
        """Ids of the visible images of a name."""
        return [one["id"] for one in self.images if one["name"] == name]


class Watcher:
    """Lists public, visible images over and over, as any member may, in a thread of its own."""

    def __init__(self, desk: Desk, pause: float = 0.02) -> None:
        with desk.session("second") as cloud:
            self._headers = cloud.token_headers()
            address = cloud.endpoint("image").partition("://")[2]
        self._host, _slash, self._prefix = address.partition("/")
        self._cloud, self._pause = desk.cloud, pause
        self._stop = threading.Event()
        self.samples: list[Sample] = []
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert self.failure is None, self.failure

    def _work(self) -> None:
        try:
            with self._cloud.inside():
                while not self._stop.wait(self._pause):
                    self._look()
        except BaseException as error:  # told to the test by __exit__
            self.failure = error

    def _look(self) -> None:
        began = time.time()
        connection = http.client.HTTPConnection(self._host, timeout=60)
        try:
            path = f"/{self._prefix}/images?visibility=public&limit=200"
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == 200, body
        self.samples.append(Sample(began, time.time(), body["images"]))


if __name__ == "__main__":
    print(json.dumps(returned(call(sys.argv[1], json.loads(sys.argv[2])))))
