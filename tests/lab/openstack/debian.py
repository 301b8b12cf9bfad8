# SPDX-License-Identifier: Apache-2.0
"""The second release: Debian's packages in a machine of the provider ``hosts``, their services under systemd.

Everything that a cloud of the first release has is there at the same addresses; other are programs, users, places and
how a service is started.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...tools.console import Unavailable
from ...tools.paths import digest
from .. import images
from ..ceph import CephCluster
from ..hosts import Lab
from ..kernel import Process
from ..machine import Machine
from ..wiring import Machine as Wired
from ..wiring import Wiring
from . import ceph, config, template
from .furniture import ON_CEPH, PACKAGES, DebianPlace, Furniture, unit, user
from .place import COMPUTES, TEMPLATES, Place
from .site import Site

#: The one machine of a cloud.
MACHINE = "cloud"
_ADDRESS, _CONTROLLER = "10.62.0.11/24", "10.62.0.1/24"
#: Raise it when the way of building changes.
_RECIPE = 3
#: What a template holds, below the root.
PARTS = ("var/lib/mysql", "var/lib/keystone/fernet", "var/lib/keystone/credential", "var/lib/lab/secrets.json")
#: What it holds of a cloud with Nova as well: the identities of the pretended hosts.
_IDENTITIES = tuple(f"var/lib/nova/{name}/compute_id" for name in COMPUTES)
#: A template is built in a lane beside that of the cloud, and no lane has a longer name.
_NEW, _LONGEST = "-new", 32
#: Times that systemd starts a service again before it is given up.
_RESTARTS = 3
_ENDPOINT = (
    "SELECT e.id FROM keystone.endpoint e JOIN keystone.service s ON s.id = e.service_id"
    " WHERE s.type = 'image' AND e.interface = 'public'"
)
#: A Python inside, with Debian's own SDK, for programs outside that speak to it by pipes.
_PYTHON = """#!/bin/sh
exec nsenter --target={leader} --mount --uts --ipc --net --pid --root --wdns=/root -- \\
  env OS_CLIENT_CONFIG_FILE=/root/clouds.yaml LC_ALL=C.UTF-8 /usr/bin/python3 "$@"
"""


def hosts_lane(lane: str) -> str:
    """The lane of the provider ``hosts`` that the machine of a cloud is in; names that are too long there become short."""
    name = f"openstack-{lane}"
    return name if len(name) <= _LONGEST else f"openstack-{digest(lane)}"


class _Host(Lab):
    """The machine: Debian's packages with the configuration of a cloud."""

    def __init__(self, lane: str) -> None:
        super().__init__(lane, Path("openstack"), "trixie")
        # in memory, as far as it is written
        self.disk = 8192
        port = Wired(MACHINE, "host", "eth0", _ADDRESS, {"eth0": ""}, {})
        self._wiring = Wiring({MACHINE: port}, (), (_CONTROLLER,))
        self.site: DebianSite | None = None

    def _fingerprint(self) -> str:
        # its cloud decides whether it fits
        return self.lane.name

    def _image(self, guests: bool = False) -> Path:
        assert self.site is not None
        return images.image(self.release, guests, PACKAGES[TEMPLATES[self.site.place.profile]])

    def _furnish(self, name: str, root: Path) -> None:
        assert self.site is not None
        site = self.site
        keys = ceph.files(site.cluster, site.inner.etc / "ceph") if site.cluster else {}
        Furniture(site.inner, root, site.words).write(site.source, site.settings, keys)


class DebianSite(Site):
    """A cloud in a machine.

    :param source: the template; None for the machine in which one is made.
    """

    #: The Ceph that runs, for the back end ``rbd``.
    cluster: CephCluster | None = None

    def __init__(self, lane: str, inner: DebianPlace, source: Path | None = None) -> None:
        self.host = _Host(hosts_lane(lane))
        self.host.site = self
        self.inner, self.source = inner, source
        self.words: dict[str, str] = {}
        self.settings: dict[str, config.Sections] = {}
        machine = self._machine()
        super().__init__(inner, Process.of(machine.leader) if machine and machine.leader else None)

    def _machine(self) -> Machine | None:
        return self.host.machines.get(MACHINE)

    @property
    def machine(self) -> Machine:
        """The machine that everything runs in.

        :raises Unavailable: it does not run.
        """
        found = self._machine()
        if found is None or not found.leader:
            raise Unavailable("the cloud is not up")
        return found

    @property
    def outer(self) -> Place:
        """The place as programs outside see it."""
        return replace(self.inner, folder=self.machine.root)

    @property
    def interpreter(self) -> Path:
        """A Python of the machine's, with Debian's openstacksdk; only what is in the machine has a path for it."""
        return self.host.lane.file("python")

    # up and down

    def write(self, secrets: Mapping[str, str], settings: Mapping[str, config.Sections]) -> None:
        """Note what the machine is to have; it is written when there is one."""
        self.words, self.settings = dict(secrets), dict(settings)

    def begin(self) -> Process:
        """Boot the machine. It ends with this program while it boots, and stays then."""
        self.host.up()
        self.keeper = Process.of(self.machine.leader)
        path = self.interpreter
        path.write_text(_PYTHON.format(leader=self.keeper.pid), encoding="utf-8")
        path.chmod(0o700)
        inside = self.outer.folder / "root/clouds.yaml"
        inside.touch(0o600)
        inside.write_text(json.dumps({"clouds": config.clouds(self.words)}), encoding="utf-8")
        if self.cluster:
            ceph.connect(self, self.cluster)
            for name in ON_CEPH:
                if name in self.inner.services:
                    self.start(name)
        return self.keeper

    def stay(self) -> None:
        """It does."""

    def end(self) -> None:
        """End the machine, at once."""
        self.host.down()
        self.keeper = None

    # running

    def entering(self, *, everything: bool = False) -> list[str]:
        """What to put in front of a command that runs in the cloud's network (or in the machine)."""
        more = ["--uts", "--ipc", "--root", "--wdns=/"] if everything else []
        found = super().entering(everything=everything)
        return [*found[:-1], *more, "--"]

    def _run(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.machine.run(argv, **{"check": False, **options})

    def start(self, name: str) -> None:
        """Start a service; :meth:`wait` tells when it is there."""
        done = self._run("systemctl", "start", "--no-block", unit(name))
        if done.returncode:
            raise Unavailable(f"{name} cannot be started: {done.stderr.strip()}")

    def tool(self, name: str, *argv: str, **variables: str) -> None:
        """Run one of a service's own tools to its end, as the service's user.

        :raises Unavailable: it failed; its last words are the reason.
        """
        words = [f"{key}={value}" for key, value in variables.items()]
        with open(self.outer.logs / f"{name}.tool.log", "ab") as log:
            done = self._run(
                *("runuser", "-u", user(name), "--", "env", *words, *argv),
                capture_output=False,
                stdout=log,
                stderr=log,
                timeout=900,
            )
        if done.returncode:
            raise Unavailable(f"`{' '.join(argv[:2])} ...` failed: {self.last_words(f'{name}.tool')}")

    def process(self, name: str) -> Process | None:
        """The main process of a service, by the number that this machine knows it by."""
        inner = self._run("systemctl", "show", "--property=MainPID", "--value", unit(name)).stdout.strip()
        return self.numbered(int(inner)) if inner not in ("", "0") else None

    def ended(self, name: str) -> bool:
        """Whether a service was started and does not stay; some may have to be started twice, until another answers."""
        said = self._run("systemctl", "show", "--property=ActiveState,NRestarts", "--value", unit(name)).stdout.split()
        return "failed" in said or any(int(word) >= _RESTARTS for word in said if word.isdigit())

    def stop(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one service and what it started, and wait for its end."""
        if number == signal.SIGKILL:
            self._run("systemctl", "kill", "--signal=SIGKILL", unit(name))
        done = self._run("systemctl", "stop", unit(name), timeout=300)
        if done.returncode:
            raise Unavailable(f"{name} does not end: {done.stderr.strip()}")
        self._run("systemctl", "reset-failed", unit(name))

    def python(self, script: Path, data: object, **variables: str) -> Any:
        """Run a script of this folder with the machine's Python; JSON goes in and comes out.

        :raises Unavailable: it failed.
        """
        words = [f"{key}={value}" for key, value in variables.items()]
        inside = str(self.inner.drivers / script.name)
        done = self._run("env", *words, "python3", "-B", "-W", "ignore", inside, input=json.dumps(data), timeout=600)
        if done.returncode:
            last = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
            raise Unavailable(f"{script.name} failed: {last}")
        return json.loads(done.stdout or "null")

    def mysql(self, statement: str) -> list[list[str]]:
        """The rows of a statement."""
        done = self._run("mariadb", "--batch", "--skip-column-names", input=statement)
        if done.returncode:
            raise Unavailable(f"the database refused: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]


def end(lane: str) -> None:
    """End the machines of a lane, that of a build as well; nothing to do is fine."""
    for name in (lane, f"{lane}{_NEW}"):
        host = _Host(hosts_lane(name))
        if host.lane.folder.exists():
            host.down()


def _key(inner: DebianPlace, root: str) -> str:
    seed = Path(__file__).with_name("seed.py").read_text(encoding="utf-8")
    return digest(str(_RECIPE), root, seed, repr((config.mariadb(inner), config.CATALOGUE)))


def provide(lane: str, inner: DebianPlace) -> Path:
    """The template for a place, built at first use in a machine of the lane's.

    :raises Unavailable: a step of the build failed.
    """
    profile = TEMPLATES[inner.profile]
    root = images.image("trixie", packages=PACKAGES[profile])
    path = template.FOLDER / f"trixie-{profile}-{_key(inner, root.name)}.tar"
    chosen = replace(inner, profile=profile, backend="file")
    return template.cached(path, f"{profile} of Debian", lambda: _build(DebianSite(f"{lane}{_NEW}", chosen), path))


def credentials(source: Path) -> dict[str, str]:
    """Those that a template holds."""
    with tarfile.open(source) as archive:
        file = archive.extractfile(PARTS[-1])
        assert file is not None
        found: dict[str, str] = json.load(file)
    return found


def _build(site: DebianSite, path: Path) -> None:
    site.end()
    try:
        words = template.credentials()
        site.write(words, {})
        site.begin()
        template.fill(site, words)
        words["image_endpoint"] = site.mysql(_ENDPOINT)[0][0]
        site.outer.words.write_text(json.dumps(words), encoding="utf-8")
        site.stop("mariadb", signal.SIGTERM)
        site.stop("keystone")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        argv = ["tar", "--create", "--sparse", "--numeric-owner", f"--file={partial}"]
        argv += [f"--directory={site.outer.folder}", *PARTS, *(_IDENTITIES if "nova" in site.inner.services else ())]
        subprocess.run(argv, check=True, capture_output=True, timeout=300)
        partial.chmod(0o600)
        partial.rename(path)
    finally:
        with contextlib.suppress(OSError, Unavailable):
            template.keep_logs(site.outer)
        site.end()
