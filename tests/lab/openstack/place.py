# SPDX-License-Identifier: Apache-2.0
"""What a cloud of the lab is made of: its folder, its ports, its services and what each profile needs of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

#: Every cloud has a network namespace of its own, so all have the same ports.
PORTS = {
    "mariadb": 3306,
    "memcached": 11211,
    "rabbitmq": 5672,
    "fetches": 8899,
    "keystone": 5000,
    "glance": 9292,
    "placement": 8778,
    "cinder": 8776,
    "nova": 8774,
    "neutron": 9696,
    "barbican": 9311,
}
APIS = ("keystone", "glance", "placement", "cinder", "nova", "neutron", "barbican")
COMPUTES = ("compute-1", "compute-2", "compute-3")

_BASE = ("mariadb", "memcached", "fetches", "keystone")
_IMAGE = (*_BASE, "glance")
_VOLUME = (*_IMAGE, "rabbitmq", "barbican", "cinder", "cinder-scheduler", "cinder-volume", "cinder-backup")
_COMPUTE = (*_VOLUME, "placement", "nova", "neutron", "nova-conductor", "nova-scheduler", *COMPUTES)
#: The services of each profile.
PROFILES = {"identity": _BASE, "image": _IMAGE, "volume": _VOLUME, "compute": _COMPUTE}
#: The profile whose template a profile is started from: what has more services takes longer to make.
TEMPLATES = {"identity": "image", "image": "image", "volume": "compute", "compute": "compute"}
BACKENDS = ("file", "rbd")
#: The newest one of the Python index, or the packages of that Debian.
RELEASES = ("index", "trixie")
#: Folders of Glance's stores, the two of its own included.
STORES = ("fast", "slow", "os_glance_staging_store", "os_glance_tasks_store")


@dataclass(frozen=True)
class Place:
    """Where a cloud lies.

    :param folder: everything it writes is below.
    :param venv: the environment with the services' programs.
    """

    folder: Path
    venv: Path
    profile: str
    backend: str = "file"

    @property
    def services(self) -> tuple[str, ...]:
        """Everything that runs in it."""
        return PROFILES[self.profile]

    def of(self, profile: str) -> Place:
        """The same place with another profile."""
        return dataclasses.replace(self, profile=profile)

    @property
    def data(self) -> Path:
        """What a template holds: databases, keys, stores."""
        return self.folder / "data"

    @property
    def as_root(self) -> bool:
        """Whether all services run as root."""
        return True

    @property
    def words(self) -> Path:
        """Credentials, in the template as well."""
        return self.data / "secrets.json"

    def store(self, name: str) -> Path:
        """The folder of one of Glance's stores."""
        return self.data / "glance" / name

    @property
    def etc(self) -> Path:
        """Configuration, written at every start."""
        return self.folder / "etc"

    @property
    def logs(self) -> Path:
        """One file per service, and one per API with its requests."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Sockets, locks and the numbers of processes."""
        return self.folder / "run"

    @property
    def www(self) -> Path:
        """Files that the lab's web server serves."""
        return self.folder / "www"

    @property
    def drivers(self) -> Path:
        """The lab's own drivers, on every service's path."""
        return self.folder / "drivers"

    @property
    def minor(self) -> int:
        """The services run on Python 3.<minor>."""
        return int(next((self.venv / "lib").glob("python3.*")).name.partition(".")[2])

    def program(self, name: str) -> str:
        """A program of the environment."""
        return str(self.venv / "bin" / name)


def url(api: str) -> str:
    """The address of an API, without its version."""
    return f"http://127.0.0.1:{PORTS[api]}"
