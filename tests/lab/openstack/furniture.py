# SPDX-License-Identifier: Apache-2.0
"""Where Debian's packages put things, and what makes a cloud of a machine that has them: configuration, folders, units."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import config, services, template
from .order import FIRST
from .place import APIS, COMPUTES, PORTS, STORES, Place

_IMAGE = (
    *("keystone", "glance-api"),
    *("mariadb-server", "memcached", "python3-pymysql", "python3-pymemcache"),
)
_COMPUTE = (
    *_IMAGE,
    *("barbican-api", "cinder-api", "cinder-backup", "cinder-scheduler", "cinder-volume"),
    *("placement-api", "nova-api", "nova-conductor", "nova-scheduler", "neutron-api"),
    *("rabbitmq-server", "qemu-utils", "ceph-common"),
)
#: Debian packages, by the profile of the template.
PACKAGES = {"image": _IMAGE, "compute": _COMPUTE}
#: Units of services that are called otherwise.
_UNITS = {
    "rabbitmq": "rabbitmq-server",
    "fetches": "lab-fetches",
    **{name: f"nova-{name}" for name in COMPUTES},
    **{api: f"{api}-api" for api in ("glance", "placement", "cinder", "nova", "neutron", "barbican")},
}
_USERS = {"mariadb": "mysql", "rabbitmq": "rabbitmq", "fetches": "nobody", **dict.fromkeys(COMPUTES, "nova")}
#: Units that come with the packages, and that no machine of the lab can or need run.
_MASKED = (
    *("iscsid.service", "iscsid.socket", "open-iscsi.service"),
    *("lvm2-monitor.service", "lvm2-lvmpolld.socket", "blk-availability.service"),
)
#: APIs that Debian does not put behind uWSGI.
_ALONE = ("glance",)
#: APIs whose threads are eventlet's: real ones beside these wait for each other for ever.
_GREEN = {"nova": {"processes": "2", "threads": "1"}}
_SCRIPTS = ("fetches.py", "seed.py", "clean.py")
_CACHES = shutil.ignore_patterns("__pycache__")
_TARGET = "lab-openstack.target"
#: Services that begin with a look at Ceph: they start when its network is there.
ON_CEPH = ("glance", "cinder-volume")
_FETCHES = """[Unit]
Description=Web server of the lab
[Service]
User=nobody
ExecStart=/usr/bin/python3 -B {drivers}/fetches.py {port} {logs}/fetches.access {www}
"""
_COMPUTE_UNIT = """[Unit]
Description=A pretended host of Nova ({name})
[Service]
User=nova
Group=nova
WorkingDirectory=~
ExecStart=/usr/bin/python3 -B {path}/labcompute.py --config-file {etc}/nova/{name}.conf
Restart=on-failure
LimitNOFILE=65535
"""
_AFTER = "After=mariadb.service rabbitmq-server.service"
_LAST = """[Unit]
{order}
[Service]
Environment=PYTHONPATH={path}
TimeoutStartSec=600
StandardOutput=append:{logs}/{name}.log
StandardError=inherit
"""


@dataclass(frozen=True)
class DebianPlace(Place):
    """Where Debian puts things; ``folder`` is the root of the machine, or what others see it as."""

    @property
    def data(self) -> Path:
        """Databases, keys, stores."""
        return self.folder / "var/lib"

    @property
    def as_root(self) -> bool:
        """They do not."""
        return False

    @property
    def words(self) -> Path:
        """Credentials."""
        return self.data / "lab/secrets.json"

    @property
    def etc(self) -> Path:
        """Configuration."""
        return self.folder / "etc"

    @property
    def logs(self) -> Path:
        """What services say."""
        return self.folder / "var/log/lab"

    @property
    def run(self) -> Path:
        """Locks."""
        return self.data / "lab/run"

    @property
    def www(self) -> Path:
        """Files that the lab's web server serves."""
        return self.data / "lab/www"

    @property
    def drivers(self) -> Path:
        """The lab's own programs."""
        return self.folder / "usr/local/lib/lab"


def place(profile: str, backend: str = "file") -> DebianPlace:
    """The place of a cloud, as its services see it."""
    return DebianPlace(Path("/"), Path("/usr"), profile, backend)


def unit(name: str) -> str:
    """The unit of a service."""
    return f"{_UNITS.get(name, name)}.service"


def user(name: str) -> str:
    """The user that a service runs as."""
    return _USERS.get(name, name.partition("-")[0])


class Furniture:
    """What makes a cloud of Debian's root, below the root of a machine that has not booted."""

    def __init__(self, inner: DebianPlace, root: Path, words: Mapping[str, str]) -> None:
        self.root, self.words = root, dict(words)
        self.inner, self.there = inner, replace(inner, folder=root)
        lines = (root / "etc/passwd").read_text(encoding="utf-8").splitlines()
        self.owners = {fields[0]: (int(fields[2]), int(fields[3])) for fields in (line.split(":") for line in lines)}

    def write(
        self, source: Path | None, settings: Mapping[str, config.Sections], keys: Mapping[str, str] | None = None
    ) -> None:
        """Everything.

        :param source: the template; None for the machine in which one is made, whose services do not start by themselves.
        :param keys: files of Ceph's clients.
        """
        self._folders()
        if source is None:
            template.keep(self.there, self.words)
            for kind in ("fernet", "credential"):
                self._give(self.there.data / "keystone" / kind, "keystone")
        else:
            self._unpack(source)
        self._configuration(settings)
        self._ceph(keys or {})
        self._servers()
        self._units(start=source is not None)

    def _give(self, path: Path, owner: str) -> None:
        for one in (path, *path.rglob("*")):
            os.chown(one, *self.owners[owner])

    def _folder(self, path: Path, owner: str, mode: int = 0o755) -> None:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, *self.owners[owner])

    def _folders(self) -> None:
        there = self.there
        self._folder(there.logs, "root")
        self._folder(there.data / "lab", "root")
        self._folder(there.www, "root")
        for name in there.services:
            if name in APIS or "-" in name:
                self._folder(there.run / "locks" / name, user(name))
        for store in STORES if "glance" in there.services else ():
            self._folder(there.store(store), "glance")
        shutil.copytree(Path(__file__).with_name("drivers"), there.drivers / "path", ignore=_CACHES, dirs_exist_ok=True)
        for name in _SCRIPTS:
            shutil.copy(Path(__file__).with_name(name), there.drivers / name)
        if "cinder" in there.services:
            self._volumes()
        for name in ("state", *COMPUTES) if "nova" in there.services else ():
            self._folder(there.data / "nova" / name, "nova")

    def _volumes(self) -> None:
        there, share = self.there, self.inner.data / "cinder/share"
        for name in ("share", "state", "backups"):
            self._folder(there.data / "cinder" / name, "cinder", 0o775)
        self._folder(there.run / "coordination", "cinder")
        # Cinder's NFS driver finds the share mounted, and looks for a program that it never needs
        target = self.inner.run / "shares" / config.SHARE_FOLDER
        self._folder(there.run / "shares", "cinder")
        self._folder(there.run / "shares" / config.SHARE_FOLDER, "cinder")
        with open(there.etc / "fstab", "a", encoding="utf-8") as file:
            file.write(f"{share} {target} none bind 0 0\n")
        (self.root / "usr/sbin/mount.nfs").symlink_to("/bin/true")

    def _unpack(self, source: Path) -> None:
        shutil.rmtree(self.there.data / "mysql")
        argv = ["tar", "--extract", "--sparse", "--numeric-owner", f"--file={source}", f"--directory={self.root}"]
        subprocess.run(argv, check=True, capture_output=True, timeout=300)

    def _configuration(self, settings: Mapping[str, config.Sections]) -> None:
        for name, text in config.files(self.inner, self.words, settings).items():
            owner = name.partition("/")[0]
            if owner in self.owners and (self.there.etc / owner).is_dir():
                self._file(name.replace(".barbican/", ""), text, owner)
        # Debian's own, which the API reads last, names drivers that need agents
        if "neutron" in self.there.services:
            self._file("neutron/plugins/ml2/ml2_conf.ini", "", "neutron")
        if "rabbitmq" in self.there.services:
            # it takes all cores otherwise, and waits busily
            self._file("rabbitmq/rabbitmq-env.conf", 'SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +sbwt none"\n', "rabbitmq")
        # where Debian has its own opinion, that stays
        options = config.mariadb(self.inner)["mariadbd"]
        for name in ("user", "datadir", "socket", "pid-file"):
            del options[name]
        options["init_file"] = "/etc/mysql/lab.sql"
        self._file("mysql/mariadb.conf.d/99-lab.cnf", config.text({"mariadbd": options}), "mysql")
        # services come by TCP and without a password, as they do in the other release
        self._file(
            "mysql/lab.sql",
            "CREATE USER IF NOT EXISTS root@'127.0.0.1';\nGRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n",
            "mysql",
        )

    def _ceph(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            # no service may write a log there; each reads its own key, and the admin's is for root alone
            text = re.sub(r"(?m)^log file = /etc/ceph/.*\n", "", text)
            owner = next((user for user in ("glance", "cinder") if f".{user}" in name), "root")
            self._file(f"ceph/{name}", text, owner)
            if name.endswith(".conf"):
                (self.there.etc / "ceph" / name).chmod(0o644)

    def _file(self, name: str, text: str, owner: str) -> None:
        path = self.there.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(0o640)
        path.write_text(text, encoding="utf-8")
        os.chown(path, 0, self.owners[owner][1])

    def _servers(self) -> None:
        """One process for each API and a log of its requests; AppArmor is not in every kernel."""
        (self.there.logs / "fetches.access").touch()
        os.chown(self.there.logs / "fetches.access", *self.owners[user("fetches")])
        for name in APIS:
            if name in self.there.services and name not in _ALONE:
                (self.there.logs / f"{name}.access").touch()
                os.chown(self.there.logs / f"{name}.access", *self.owners[user(name)])
            for path in (self.there.etc / name).glob("*-uwsgi.ini") if name in self.there.services else ():
                text = path.read_text(encoding="utf-8")
                wanted = {**services.uwsgi(self.inner, name), **_GREEN.get(name, {})}
                gone = "|".join([*wanted, "logto", "apparmor-profile"])
                text = re.sub(rf"(?m)^({gone})\s*=.*\n", "", text)
                text = re.sub(r"(?m)^plugins\s*=.*$", "plugins = python3,logfile", text)
                text += "".join(f"{option} = {value}\n" for option, value in wanted.items())
                path.write_text(text, encoding="utf-8")
        (self.there.etc / "default/openstack").write_text("USE_LOGFILE=no\n", encoding="utf-8")

    def _units(self, *, start: bool) -> None:
        """The profile's services start together; all others of the packages do not."""
        units = self.there.etc / "systemd/system"
        names = self.there.services
        fetches = _FETCHES.format(
            drivers=self.inner.drivers, port=PORTS["fetches"], logs=self.inner.logs, www=self.inner.www
        )
        (units / unit("fetches")).write_text(fetches, encoding="utf-8")
        words = {"logs": self.inner.logs, "path": self.inner.drivers / "path", "etc": self.inner.etc}
        for name in names:
            folder = units / f"{unit(name)}.d"
            folder.mkdir(exist_ok=True)
            # RabbitMQ starves beside fifteen Python programs, and each of those then sits in its retry interval
            order = _AFTER if "rabbitmq" in names and name not in FIRST else ""
            (folder / "lab.conf").write_text(_LAST.format(name=name, order=order, **words), encoding="utf-8")
            if name in COMPUTES:
                (units / unit(name)).write_text(_COMPUTE_UNIT.format(name=name, **words), encoding="utf-8")
        enabled = units / "multi-user.target.wants"
        known = {path.name for folder in PACKAGES.values() for path in enabled.iterdir() if _ours(path.name, folder)}
        for name in known:
            (enabled / name).unlink()
        for name in _MASKED:
            (units / name).unlink(missing_ok=True)
            (units / name).symlink_to("/dev/null")
        late = ON_CEPH if self.inner.backend == "rbd" else ()
        wants = " ".join(unit(name) for name in names if name not in late)
        (units / _TARGET).write_text(f"[Unit]\nDescription=OpenStack\nWants={wants}\n", encoding="utf-8")
        if start:
            (enabled / _TARGET).symlink_to(f"../{_TARGET}")


def _ours(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a unit is a service of a cloud."""
    first = name.partition(".")[0].partition("-")[0]
    return first in {package.partition("-")[0] for package in packages} - {"python3"}
