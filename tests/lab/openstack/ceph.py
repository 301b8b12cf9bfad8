# SPDX-License-Identifier: Apache-2.0
"""Volumes and images on the lane's Ceph: its libraries for the services' Python, and the cable between the networks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...tools.console import Unavailable
from ..ceph import CephCluster
from ..ceph.client import environment
from .place import Place

if TYPE_CHECKING:
    from .site import Site

_PACKAGES = Path("/usr/lib/python3/dist-packages")
#: What Cinder and Glance import.
_MODULES = ("rados*.so", "rbd*.so")


def up(lane: str) -> CephCluster:
    """The lane's Ceph, started when it does not run."""
    cluster = CephCluster(lane)
    cluster.up()
    return cluster


def furnish(place: Place, cluster: CephCluster) -> None:
    """Write what services need to know: variables, libraries beside the lab's drivers, configuration and keys."""
    variables = environment()
    packages = Path(variables.get("PYTHONPATH", str(_PACKAGES)).partition(":")[0])
    # only these: other modules of Debian's would stand in front of the environment's own
    for pattern in _MODULES:
        for path in packages.glob(pattern):
            (place.drivers / path.name).symlink_to(path)
    tag = f"cpython-3{place.minor}-"
    if not any(tag in path.name for path in place.drivers.glob("rbd*.so")):
        found = ", ".join(path.name for path in packages.glob("rbd*.so")) or "none"
        raise Unavailable(f"Debian's bindings of Ceph are {found}, and the services run on Python 3.{place.minor}")
    # a program of Debian's Python that Cinder starts; it finds its own modules with all that belongs to them
    program = next(Path(part, "ceph") for part in variables.get("PATH", "/usr/bin").split(":") if part)
    wrapper = place.drivers / "bin" / "ceph"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec {program} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    folder = place.etc / "ceph"
    folder.mkdir(mode=0o700)
    for name, text in files(cluster, folder).items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text, encoding="utf-8")
    # without what the caller has in them
    wanted = {
        name: variables[name].removesuffix(os.environ.get(name, "")).rstrip(":")
        for name in ("PATH", "LD_LIBRARY_PATH")
        if name in variables
    }
    (folder / "environment.json").write_text(json.dumps(wanted), encoding="utf-8")


def files(cluster: CephCluster, folder: Path) -> dict[str, str]:
    """The configuration of Ceph's clients and their keyrings, by name, as they are to lie in a folder."""
    there = cluster.conf.parent
    names = [path.name for path in there.iterdir() if path.suffix in (".conf", ".keyring")]
    return {name: (there / name).read_text(encoding="utf-8").replace(str(there), str(folder)) for name in names}


def variables(place: Place) -> dict[str, str]:
    """The variables that :func:`furnish` wrote down; none for a cloud without Ceph."""
    try:
        found: dict[str, str] = json.loads((place.etc / "ceph" / "environment.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def connect(site: Site, cluster: CephCluster) -> None:
    """Plug the cloud's network into that of the mons and OSDs."""
    assert site.keeper is not None
    cluster.join(site.keeper.pid)
