# SPDX-License-Identifier: Apache-2.0
"""Imports into the lab's Glance: in this process, as a program that can be killed, and what is in the service afterwards.

As a program: ``python -m ...importing OPTIONS`` (JSON) runs the module's ``main`` and prints what it returns.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, returned
from ansible_collections.scs.landscape.plugins.module_utils.core import stream
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import model, owner, run
from ansible_collections.scs.landscape.plugins.modules import image_import
from ansible_collections.scs.landscape.tests.lab.openstack import Cloud

if TYPE_CHECKING:
    import pytest

_COLUMNS = "id, name, status, visibility, os_hash_algo, os_hash_value, size"
#: Size of most test images: large enough to be cut in the middle, small enough for many.
SIZE = 3_000_000


def call(params: dict[str, Any], check_mode: bool = False) -> Result:
    """What the module's ``main`` gives; options are checked and completed as Ansible does."""
    checked = ArgumentSpecValidator(image_import.ARGUMENTS).validate(params)
    assert not checked.error_messages, checked.error_messages
    return image_import.main(checked.validated_parameters, check_mode)


@dataclasses.dataclass
class Spy:
    """What this process asks Glance for: every body of an image made, and every change of one."""

    made: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    changes: list[tuple[str, list[dict[str, Any]]]] = dataclasses.field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Spy:
        """Stand between the modules and the client from now on."""
        real = client.Cloud.call

        def call(cloud: client.Cloud, service: str, method: str, path: str, **options: Any) -> Any:
            if (service, method, path) == ("image", "POST", "/images"):
                self.made.append(dict(options["json"]))
            if (service, method) == ("image", "PATCH"):
                self.changes.append((path.rpartition("/")[2], list(options["json"])))
            return real(cloud, service, method, path, **options)

        monkeypatch.setattr(client.Cloud, "call", call)
        return self

    def published(self) -> set[str]:
        """Ids of images that a change was to show to others."""
        return {
            identifier
            for identifier, operations in self.changes
            for one in operations
            if one["path"] == "/visibility" and one.get("value") != "private"
        }


@dataclasses.dataclass
class Images:
    """Imports for one test.

    :param seed: makes names and bytes of this test unlike those of others.
    :param clouds: another clouds.yaml than the cloud's own: one with proxies.
    """

    cloud: Cloud
    folder: Path
    seed: str
    said: list[str] = dataclasses.field(default_factory=list)
    clouds: Path | None = None

    def image(self, name: str, behaviour: str = "good", **options: Any) -> dict[str, Any]:
        """One entry of the option ``images``; the web server misbehaves as asked for."""
        size, algorithm = options.pop("size", SIZE), options.pop("algorithm", "sha256")
        file, query = options.pop("file_name", "image.raw"), options.pop("query", {})
        fetches, seed = self.cloud.fetches(), f"{self.seed}-{name}"
        return {
            "name": f"{name}-{self.seed}",
            "url": [fetches.url(behaviour, seed, size, file, **query)],
            "digest": f"{algorithm}:{fetches.digest(seed, size, file, algorithm)}",
            "disk_format": "raw",
            **options,
        }

    def options(self, images: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """All options of a task."""
        return {
            "cloud": "admin",
            "images": images,
            "cache_dir": str(self.folder / "cache"),
            "stall_timeout": 30,
            **more,
        }

    def run(self, images: list[dict[str, Any]], check_mode: bool = False, **more: Any) -> Result:
        """One task in this process, inside the cloud's network."""
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.clouds or self.cloud.clouds_yaml)
        with self.cloud.inside(), stream.heard_by(self.said.append):
            return call(self.options(images, **more), check_mode)

    def start(
        self, images: list[dict[str, Any]], host: str = "", meeting: Path | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """The same as a program of its own; kill it, or wait for it.

        :param host: the machine that it believes to run on.
        :param meeting: a folder; when it has planned, it waits until two hosts are there.
        """
        argv = [*self.cloud.entering(), sys.executable, "-B", "-m", __name__, json.dumps(self.options(images, **more))]
        environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.cloud.clouds_yaml)}
        environ.update({"LAB_HOST": host, "LAB_MEETING": str(meeting or "")})
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=environ, stdout=pipe, stderr=pipe, text=True, start_new_session=True)

    def there(self) -> dict[str, list[dict[str, str]]]:
        """This test's images as the service's database has them, by name."""
        # An upload that breaks while its image is deleted sets the state of the deleted row again; nobody sees that.
        mine = f"name like '%-{self.seed}' and deleted = 0"
        rows = self.cloud.database(f"select {_COLUMNS} from glance.images where {mine}")  # noqa: S608 - our own words
        found: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            image = dict(zip(map(str.strip, _COLUMNS.split(",")), row))
            found.setdefault(image["name"], []).append(image)
        return found

    def shown_ever(self) -> set[str]:
        """Ids of this test's images that are, or were when they were deleted, visible to others."""
        rows = self.cloud.database(
            f"select id, visibility from glance.images where name like '%-{self.seed}'"  # noqa: S608 - our own words
        )
        return {identifier for identifier, visibility in rows if visibility in ("public", "community")}

    def unfinished(self) -> list[str]:
        """Ids of images that carry the mark of an unfinished import."""
        rows = self.cloud.database(
            "select p.image_id, p.name from glance.image_properties p join glance.images i on i.id = p.image_id"
            " where p.deleted = 0 and i.deleted = 0"
        )
        return [identifier for identifier, name in rows if name == model.STATE]

    def properties(self, identifier: str) -> dict[str, str]:
        """The properties of an image as the database has them."""
        rows = self.cloud.database("select image_id, name, value from glance.image_properties where deleted = 0")
        return {name: value for image, name, value in rows if image == identifier}

    def orphans(self) -> list[str]:
        """Files in a store or in the staging area that belong to no image."""
        known = {row[0] for row in self.cloud.database("select id from glance.images where deleted = 0")}
        folders = [self.cloud.store("fast"), self.cloud.store("slow"), self.cloud.store("os_glance_staging_store")]
        return [
            f"{one.parent.name}/{one.name}" for folder in folders for one in folder.iterdir() if one.name not in known
        ]

    def bytes_of(self, store: str, identifier: str) -> str:
        """SHA-256 of what a store holds of an image."""
        return hashlib.sha256((self.cloud.store(store) / identifier).read_bytes()).hexdigest()


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def by_name(result: Result) -> dict[str, dict[str, Any]]:
    """What became of each image; names without the seed."""
    return {one["name"].rpartition("-")[0]: one for one in result.values["results"]}


def elsewhere(host: str, meeting: Path) -> None:
    """Lets this process be one of another machine, that has planned when another one has."""
    # What a machine is known by in the marks of images: its name, its start and the container.
    owner._machine = lambda: f"{host}/{hashlib.sha256(host.encode()).hexdigest()}/1"
    planned = run.make_plans

    def together(*given: Any) -> None:
        planned(*given)
        run.make_plans = planned  # those that follow are made by this run alone
        (meeting / host).touch()
        assert until(lambda: len(list(meeting.iterdir())) == 2, 300), "the other one does not come"

    run.make_plans = together


if __name__ == "__main__":
    if os.environ.get("LAB_HOST"):
        elsewhere(os.environ["LAB_HOST"], Path(os.environ["LAB_MEETING"]))
    outcome = returned(call(json.loads(sys.argv[1])))
    # ru_maxrss counts KiB on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**outcome, "peak_memory": peak}))
