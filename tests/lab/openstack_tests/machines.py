# SPDX-License-Identifier: Apache-2.0
"""Servers with volumes in the lab's cloud, as a member makes them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.scs.landscape.tests.lab.openstack import Cloud
from ansible_collections.scs.landscape.tests.lab.openstack_tests.catalogues import until_status

VOLUMES, SERVERS = "block-storage", "compute"
#: What lets Nova promise that the guest is frozen.
AGENT = {"hw_qemu_guest_agent": "yes", "os_require_quiesce": "yes"}


def volume(cloud: Any, name: str, bootable: bool = False, properties: dict[str, str] | None = None, **more: Any) -> str:
    """A volume of 1 GiB that is available."""
    wanted = {"name": name, "size": 1, **more}
    made = str(cloud.call(VOLUMES, "POST", "/volumes", json={"volume": wanted}).body["volume"]["id"])
    until_status(cloud, VOLUMES, f"/volumes/{made}", 200, "volume", "available")
    if bootable:
        act(cloud, made, "os-set_bootable", bootable=True)
    if properties:
        act(cloud, made, "os-set_image_metadata", metadata=properties)
    return made


def act(cloud: Any, identifier: str, action: str, **what: Any) -> None:
    """An action on a volume."""
    cloud.call(VOLUMES, "POST", f"/volumes/{identifier}/action", json={action: what}, repeat=False)


def flavor(cloud: Any, name: str = "lab-small") -> str:
    """Id of a flavor by its name."""
    return next(str(one["id"]) for one in cloud.pages(SERVERS, "/flavors/detail", "flavors") if one["name"] == name)


def server(cloud: Any, name: str, volumes: Sequence[str], image: str = "", **more: Any) -> str:
    """A server that is active; it boots from the first volume, or from an image."""
    mapping: list[dict[str, Any]] = []
    if image:
        mapping = [{"uuid": image, "source_type": "image", "destination_type": "local", "boot_index": 0}]
    for index, one in enumerate(volumes):
        boot = -1 if image or index else 0
        mapping.append({"uuid": one, "source_type": "volume", "destination_type": "volume", "boot_index": boot})
    size = flavor(cloud, "lab-tiny" if image else "lab-small")
    wanted = {"name": name, "flavorRef": size, "block_device_mapping_v2": mapping, "networks": "none", **more}
    wanted.update({"imageRef": image} if image else {})
    hints = {"os:scheduler_hints": wanted.pop("hints")} if "hints" in wanted else {}
    body = {"server": wanted, **hints}
    answer = cloud.call(SERVERS, "POST", "/servers", json=body, microversion="2.79", repeat=False)
    made = str(answer.body["server"]["id"])
    until_status(cloud, SERVERS, f"/servers/{made}", 200, "server", "ACTIVE")
    return made


def image(cloud: Any, name: str) -> str:
    """An image with a few bytes in it."""
    body = {"name": name, "disk_format": "raw", "container_format": "bare"}
    made = str(cloud.call("image", "POST", "/images", json=body).body["id"])
    kind = {"Content-Type": "application/octet-stream"}
    cloud.call("image", "PUT", f"/images/{made}/file", data=b"x" * 512, headers=kind)
    return made


def write(cloud: Cloud, identifier: str, offset: int, data: bytes) -> None:
    """Somebody writes to a volume, past all services."""
    with open(disk(cloud, identifier), "r+b") as file:
        file.seek(offset)
        file.write(data)


def read(cloud: Cloud, identifier: str, offset: int, size: int) -> bytes:
    """What a volume really holds."""
    with open(disk(cloud, identifier), "rb") as file:
        return os.pread(file.fileno(), size, offset)


def disk(cloud: Cloud, identifier: str) -> Path:
    """The file of a volume."""
    return cloud.share / f"volume-{identifier}"


def actions(cloud: Any, identifier: str, name: str = "createImage") -> list[dict[str, Any]]:
    """What Nova's action log of a server says."""
    found = cloud.get(SERVERS, f"/servers/{identifier}/os-instance-actions")["instanceActions"]
    return [one for one in found if one["action"] == name]


def temporary(cloud: Any) -> list[str]:
    """Images and snapshots of points, of whichever run."""
    images = [one["name"] for one in cloud.pages("image", "/images", "images") if "point" in str(one["name"])]
    return images + [str(one["name"]) for one in cloud.pages(VOLUMES, "/snapshots/detail", "snapshots")]


def gone(cloud: Any, service: str, path: str) -> None:
    """Deletes an object and waits until it is not there."""
    cloud.call(service, "DELETE", path, accept=(404,))
    until_status(cloud, service, path, 404)


def no_volumes(cloud: Any) -> None:
    """Removes all volumes of the project, and before them the attachments that a killed run left."""
    for one in cloud.pages("block-storage", "/attachments/detail", "attachments", microversion="3.54"):
        cloud.call("block-storage", "DELETE", f"/attachments/{one['id']}", microversion="3.54")
    for one in list(cloud.pages("block-storage", "/volumes/detail", "volumes")):
        gone(cloud, "block-storage", f"/volumes/{one['id']}")


def until(look: Any, seconds: float = 300.0) -> Any:
    """What a look gives once it gives anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds:.0f} s")
