# SPDX-License-Identifier: Apache-2.0
"""``make demo-images``: a real Keystone and Glance, and a catalogue of images offered there with the command an operator types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from ..lab.openstack import Cloud
from . import plays
from .console import say
from .paths import REPO

#: With ``SCS_LANE`` a second demo runs beside the first.
LANE = "-".join(filter(None, ["demo", os.environ.get("SCS_LANE")]))
BUILD = REPO / "build" / f"{LANE}-images"
#: Entry, version and bytes of images that the lab's web server makes up; the last one is damaged on its way, once.
_IMAGES = (
    ("Debian 12", "20261101", 192 << 20, "good"),
    ("Debian 13", "20261108", 256 << 20, "good"),
    ("Ubuntu 24.04", "20261102", 128 << 20, "flipped"),
)
#: What a member sees, past our own modules.
_LISTING = """
import json, openstack
images = openstack.connect(cloud="member").image.images(visibility="public")
keys = ("name", "status", "size", "hash_algo")
print(json.dumps([{**{key: image[key] for key in keys}, "purpose": image["properties"].get("os_purpose")} for image in images]))
"""


def _entry(cloud: Cloud, name: str, version: str, size: int, behaviour: str) -> dict[str, Any]:
    """An entry in the format of openstack-image-manager."""
    fetches, seed = cloud.fetches(), f"{name}-{version}".replace(" ", "-").lower()
    distribution, _space, release = name.partition(" ")
    times = {"times": 1} if behaviour != "good" else {}
    return {
        "name": name,
        "format": "qcow2",
        "login": distribution.lower(),
        "min_disk": 8,
        "min_ram": 512,
        "status": "active",
        "visibility": "public",
        "multi": True,
        "meta": {
            "architecture": "x86_64",
            "hw_disk_bus": "scsi",
            "hw_rng_model": "virtio",
            "os_distro": distribution.lower(),
            "os_version": release,
            "os_purpose": "generic",
            "replace_frequency": "monthly",
            "uuid_validity": "none",
            "provided_until": "none",
        },
        "tags": [],
        "versions": [
            {
                "version": version,
                "url": fetches.url(behaviour, seed, size, "image.qcow2", **times),
                "checksum": f"sha512:{fetches.digest(seed, size, 'image.qcow2', 'sha512')}",
                "build_date": f"{version[:4]}-{version[4:6]}-{version[6:]}",
            }
        ],
    }


def _sync(cloud: Cloud) -> int:
    log = BUILD / "images.log"
    catalogue = BUILD / "catalogue.yml"
    # JSON is YAML, and what runs here has no need of a library for it
    catalogue.write_text(json.dumps({"images": [_entry(cloud, *one) for one in _IMAGES]}, indent=1), encoding="utf-8")
    say(f"ansible-playbook scs.landscape.images_sync (everything it says: {log})")
    variables = json.dumps({"image_catalogue_src": [str(catalogue)]})
    argv = [*cloud.entering(), "ansible-playbook", "-e", variables, "scs.landscape.images_sync"]
    code = plays.watch(argv, BUILD, log, {"OS_CLIENT_CONFIG_FILE": str(cloud.clouds_yaml)})
    if code:
        sys.stdout.write(log.read_text(encoding="utf-8")[-4000:])
    return code


def _summary(cloud: Cloud) -> None:
    """What a member of the cloud can boot now, asked by openstacksdk."""
    done = cloud.run([str(cloud.python), "-c", _LISTING], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    print(f"\nWhat a member of the cloud sees:\n  {'IMAGE':<14} {'STATUS':<8} {'PURPOSE':<9} {'MIB':>4}  DIGEST")
    for image in sorted(json.loads(done.stdout), key=lambda one: str(one["name"])):
        name, status, purpose = image["name"], image["status"], image["purpose"]
        print(
            f"  {name:<14} {status:<8} {purpose:<9} {image['size'] >> 20:>4}  {image['hash_algo']}, proven before anybody saw it"
        )
    print(f"\n  Catalogue:      {BUILD / 'catalogue.yml'}")
    enter = f"python3 -B -m tests.lab openstack enter --lane {LANE} -- {cloud.python.parent / 'openstack'}"
    print(f"  Look inside:    {enter} --os-cloud member image list")
    print("  Run it again:   make demo-images          End it: make demo-images-down")


def main(arguments: list[str]) -> int:
    """Starts the services and offers the images; with ``down`` ends them."""
    cloud = Cloud(LANE, "image")
    demo = plays.Demo(
        "demo-images",
        "the cloud is",
        BUILD,
        cloud.up,
        cloud.down,
        lambda: _sync(cloud),
        lambda _began: _summary(cloud),
    )
    return demo.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
