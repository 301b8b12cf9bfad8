# SPDX-License-Identifier: Apache-2.0
"""The provider's front: a cloud in a lane, up, looked into, down."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...tools import apt, environments
from ...tools.console import Unavailable, say
from ...tools.legs import LEGS
from ...tools.paths import CACHE, REQUIREMENTS, digest, locked
from .. import kernel
from ..kernel import Process
from ..machine import Machine
from . import ceph, config, debian, furniture, logs, order, template
from .fetches import Fetches
from .place import BACKENDS, COMPUTES, PORTS, PROFILES, RELEASES, Place, url
from .site import Site

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PACKAGES = ["iproute2", "mariadb-server-core", "mariadb-client-core", "memcached", "util-linux"]
_MORE = ["rabbitmq-server", "qemu-utils"]
_SERVICES = ("memcached.service", "rabbitmq-server.service", "epmd.socket", "epmd.service")
_WHY = "the lab's OpenStack"


@dataclasses.dataclass
class _Record:
    """What a lane wrote down about itself."""

    keeper: Process | None = None
    fingerprint: str = ""
    profile: str = ""
    backend: str = ""
    venv: str = ""
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    release: str = "index"


class Cloud:
    """An OpenStack in a lane.

    :param profile: what runs: identity, image, volume or compute, each with everything of the one before.
    :param backend: where volumes lie: ``file`` or, on the lane's Ceph, ``rbd``.
    :param settings: options that differ from the lab's: file below ``etc``, section, option, value.
    :param release: ``index``, the newest one of the Python index, or ``trixie``, that Debian's packages in a machine.
    """

    def __init__(
        self,
        lane: str = "demo",
        profile: str = "image",
        backend: str = "file",
        settings: Mapping[str, config.Sections] | None = None,
        release: str = "index",
    ) -> None:
        if not _NAME.fullmatch(lane):
            raise Unavailable(f"{lane!r} is no name for a lane: use up to 32 of a-z, 0-9 and -")
        for word, known in ((profile, tuple(PROFILES)), (backend, BACKENDS), (release, RELEASES)):
            if word not in known:
                raise Unavailable(f"{_WHY} knows {', '.join(known)}, not {word!r}")
        self.lane, self.profile, self.backend, self.release = lane, profile, backend, release
        self.settings = dict(settings or {})
        self.folder = CACHE / "lab" / "openstack" / "lanes" / lane

    # up and down

    def up(self) -> dict[str, Any]:
        """Start the cloud, unless it runs already as it should; its status.

        :raises Unavailable: this machine does not permit it, or a service did not answer.
        """
        _require_root()
        with locked(self.folder):
            record = self._load()
            if record.keeper and record.keeper.alive and record.fingerprint == self._fingerprint():
                return self.status()
            self._clear(record)
            self._start() if self.release == "index" else self._boot()
        return self.status()

    def down(self) -> None:
        """End everything of the lane and remove its folder; nothing to do is fine."""
        _require_root()
        with locked(self.folder):
            self._clear(self._load())
            shutil.rmtree(self._failed, ignore_errors=True)

    def reset(self) -> dict[str, Any]:
        """Throw away everything that was made in the cloud: end it at once, unpack the template, start again."""
        self.down()
        return self.up()

    def _start(self) -> None:
        began = time.monotonic()
        ensure(self.profile)
        place = Place(self.folder, environment(), self.profile, self.backend)
        source = template.provide(place)
        ready = time.monotonic()
        say(f"starting OpenStack with profile {self.profile} in lane {self.lane}")
        words = template.unpack(source, place)
        site = Site(place)
        try:
            site.write(words, self.settings)
            place.www.mkdir()
            cluster = ceph.up(self.lane) if self.backend == "rbd" else None
            if cluster:
                ceph.furnish(place, cluster)
            self._publish(words)
            keeper = site.begin()
            if cluster:
                ceph.connect(site, cluster)
            took = order.start(site)
            order.scheduled(site, words)
            took["total"] = round(time.monotonic() - ready, 1)
            record = _Record(keeper, self._fingerprint(), self.profile, self.backend, str(place.venv), took)
            self._save(record)
            site.stay()
        except BaseException:
            site.end()
            self._keep_logs(site)
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        say(f"OpenStack answers after {time.monotonic() - began:.1f} s")

    def _boot(self) -> None:
        """Start Debian's release."""
        inner = furniture.place(self.profile, self.backend)
        source = debian.provide(self.lane, inner)
        began = time.monotonic()
        words = debian.credentials(source)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._publish(words)
        site = debian.DebianSite(self.lane, inner, source)
        site.write(words, self.settings)
        try:
            site.cluster = ceph.up(self.lane) if self.backend == "rbd" else None
            keeper = site.begin()
            took = order.booted(site)
            order.scheduled(site, words)
            took["total"] = round(time.monotonic() - began, 1)
            self._save(_Record(keeper, self._fingerprint(), self.profile, self.backend, "/usr", took, self.release))
        except BaseException:
            self._keep_logs(site)
            site.end()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        say(f"OpenStack answers after {time.monotonic() - began:.1f} s")

    def _clear(self, record: _Record) -> None:
        Site(self._place(record), record.keeper if record.release == "index" else None).end()
        debian.end(self.lane)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _failed(self) -> Path:
        """The logs of a start that failed, until the next `down`."""
        return self.folder.parents[1] / "failed" / self.lane

    def _keep_logs(self, site: Site) -> None:
        target = self._failed
        shutil.rmtree(target, ignore_errors=True)
        with contextlib.suppress(OSError, Unavailable):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(site.outer.logs, target)

    def _fingerprint(self) -> str:
        texts = config.files(Place(self.folder, Path("/venv"), self.profile, self.backend), _Words(), self.settings)
        pins = (REQUIREMENTS / "openstack.lock").read_bytes()
        return digest(self.release, self.profile, self.backend, json.dumps(texts, sort_keys=True), pins)

    # records

    @property
    def _file(self) -> Path:
        return self.folder / "lane.json"

    def _load(self) -> _Record:
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return _Record()
        data["keeper"] = Process(**data["keeper"]) if data["keeper"] else None
        return _Record(**data)

    def _save(self, record: _Record) -> None:
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(dataclasses.asdict(record), indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self._file)

    def _place(self, record: _Record) -> Place:
        return Place(self.folder, Path(record.venv), record.profile or self.profile, record.backend or self.backend)

    def _site(self) -> Site:
        site = self._of(self._load())
        if not site.alive:
            raise Unavailable(f"the cloud of lane {self.lane} is not up")
        return site

    def _of(self, record: _Record) -> Site:
        if record.release == "index":
            return Site(self._place(record), record.keeper)
        return debian.DebianSite(self.lane, furniture.place(record.profile, record.backend))

    def _publish(self, words: Mapping[str, str]) -> None:
        # JSON is YAML
        self.clouds_yaml.touch(0o600)
        self.clouds_yaml.write_text(json.dumps({"clouds": config.clouds(words)}, indent=1) + "\n", encoding="utf-8")

    def _outer(self) -> Place:
        """Where the cloud's files are, also of one that runs no more when that has left any."""
        record = self._load()
        return self._place(record) if record.release == "index" else self._of(record).outer

    # what is there

    @property
    def clouds_yaml(self) -> Path:
        """Credentials: the clouds ``admin``, ``member``, ``reader`` and ``second`` (a member of another project)."""
        return self.folder / "clouds.yaml"

    @property
    def namespace(self) -> str:
        """The cloud's network namespace, as a path for ``nsenter --net=`` and ``setns``."""
        keeper = self._site().keeper
        assert keeper is not None
        return f"/proc/{keeper.pid}/ns/net"

    def entering(self) -> list[str]:
        """What to put in front of a command line so that it runs in the cloud's network."""
        return self._site().entering()

    def run(self, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run a command in the cloud's network, with OS_CLIENT_CONFIG_FILE set."""
        environ = {**(options.pop("env", None) or os.environ), "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml)}
        return subprocess.run([*self.entering(), *argv], env=environ, check=options.pop("check", False), **options)

    def proxied(self, path: Path, **proxies: str) -> Path:
        """Write another clouds.yaml, whose clouds reach APIs by other addresses.

        :param path: the file to write.
        :param proxies: API (keystone, glance, cinder, nova, neutron, barbican) and scheme, host and port of a proxy.
        """
        data = json.loads(self.clouds_yaml.read_text(encoding="utf-8"))
        for entry in data["clouds"].values():
            for api, address in proxies.items():
                if api == "keystone":
                    entry["auth"]["auth_url"] = f"{address}/v3"
                    entry["identity_endpoint_override"] = f"{address}/v3"
                    continue
                kind, real = config.CATALOGUE[api]
                entry[f"{kind.replace('-', '_')}_endpoint_override"] = real.replace(url(api), address)
        path.touch(0o600)
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        return path

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread, and those it starts meanwhile, live in the cloud's network."""
        namespace = self.namespace
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.enter_network(namespace)
            yield
        finally:
            kernel.enter_network(f"/proc/self/fd/{before}")
            os.close(before)

    @property
    def machine(self) -> Machine:
        """The machine that Debian's release runs in."""
        site = self._site()
        if not isinstance(site, debian.DebianSite):
            raise Unavailable("a cloud of the index's release has no machine")
        return site.machine

    @property
    def python(self) -> Path:
        """An interpreter that has openstacksdk; that of Debian's release sees the files of the machine alone."""
        return self._site().interpreter

    def access_log(self, service: str) -> list[logs.Request]:
        """The requests that an API, or the web server ``fetches``, answered."""
        return logs.of(self._outer().logs, service)

    def writes(self, service: str, since: float = 0.0) -> list[logs.Request]:
        """Those that were meant to change something; a login is not.

        :param since: seconds since the epoch.
        """
        return [request for request in self.access_log(service) if request.writes and request.at >= since]

    def log(self, service: str) -> str:
        """What a service said."""
        return (self._outer().logs / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def database(self, sql: str) -> list[list[str]]:
        """The rows of a statement; name tables as ``glance.images``."""
        return self._site().mysql(sql)

    def store(self, name: str) -> Path:
        """The folder of one of Glance's stores: ``fast`` or ``slow``."""
        return self._outer().store(name)

    @property
    def share(self) -> Path:
        """The folder with the volumes of the back end ``file``: ``volume-<id>``, raw."""
        return self._outer().data / "cinder" / "share"

    @property
    def backups(self) -> Path:
        """The folder with the files of backups."""
        return self._outer().data / "cinder" / "backups"

    def fetches(self) -> Fetches:
        """The web server of the lab."""
        return Fetches(f"http://127.0.0.1:{PORTS['fetches']}", self._outer().www)

    def clean(self, project: str) -> None:
        """Remove servers, backups, volumes, ports, networks, images and secrets of a project, by their APIs.

        :param project: ``demo`` (the clouds member and reader), ``second`` or ``admin``.
        """
        site = self._site()
        clouds = json.loads(self.clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        services = [api for api in config.CATALOGUE if api in site.place.services]
        site.python(
            Path(__file__).with_name("clean.py"), {"admin": clouds["admin"], "project": project, "services": services}
        )

    def stop(self, service: str) -> None:
        """Kill one service, for example ``compute-1``."""
        self._site().stop(service)

    def start(self, service: str) -> None:
        """Start it again, and wait until it answers."""
        site = self._site()
        if site.process(service) is None:
            site.start(service)
        site.wait([service])

    def status(self) -> dict[str, Any]:
        """What runs, as data. Memory is the proportional share (PSS)."""
        record = self._load()
        site = self._of(record)
        if not site.alive:
            return {"state": "down", "lane": self.lane}
        memory = site.memory()
        services = {name: site.process(name) is not None for name in site.place.services}
        return {
            "state": "up" if all(services.values()) else "partial",
            "lane": self.lane,
            "profile": record.profile,
            "backend": record.backend,
            "release": record.release,
            "clouds_yaml": str(self.clouds_yaml),
            "enter": " ".join(site.entering()),
            "seconds": record.seconds,
            "services": {name: "running" if there else "stopped" for name, there in services.items()},
            "memory_mib": memory,
            "memory_total_mib": sum(memory.values()),
        }


class _Words(dict[str, str]):
    """Stands for credentials where only the rest of the configuration matters."""

    def __missing__(self, name: str) -> str:
        return name


def _require_root() -> None:
    if os.geteuid() != 0 or not os.path.exists("/proc/self/ns/net"):
        raise Unavailable(f"{_WHY} makes namespaces and processes of its own: run it as root on Linux")


def ensure(profile: str) -> None:
    """Install the Debian packages of a profile; their services are not started."""
    wanted = _PACKAGES + (_MORE if COMPUTES[0] in PROFILES[profile] or "rabbitmq" in PROFILES[profile] else [])
    apt.ensure(wanted, _WHY, _SERVICES)


def environment() -> Path:
    """The services' Python environment, built at first use."""
    found = environments.environment(LEGS["openstack"])
    if found.interpreter.root:
        raise Unavailable(f"{_WHY} needs Python 3.11, 3.12 or 3.13 on this machine")
    return found.path
