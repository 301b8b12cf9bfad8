# SPDX-License-Identifier: Apache-2.0
"""Templates: databases, keys and stores of a fresh cloud, made once per set of pins and configuration.

A template is one file, unpacked in a second. It is taken after MariaDB was shut down cleanly: with the settings of the
lab, a killed one has lost its last second.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...tools.console import Unavailable, say
from ...tools.paths import CACHE, digest, locked
from . import config, order
from .place import APIS, COMPUTES, TEMPLATES, Place, url
from .site import Site

FOLDER = CACHE / "lab" / "openstack" / "templates"
#: Raise it when the way of building changes.
_RECIPE = 1
_KEPT = 14 * 86400.0
_USERS = ("admin", "service", "member", "reader", "second", "rabbitmq")


def provide(place: Place) -> Path:
    """The template for a place, built at first use.

    :raises Unavailable: a step of the build failed.
    """
    profile = TEMPLATES[place.profile]
    path = FOLDER / f"{profile}-{_digest(place.of(profile))}.tar"
    return cached(path, profile, lambda: _build(place.of(profile), path))


def cached(path: Path, profile: str, build: Callable[[], None]) -> Path:
    """A template, built at first use; others wait meanwhile, and old ones go."""
    with locked(path.with_suffix("")):
        if not path.exists():
            began = time.monotonic()
            say(f"building the template of a cloud with profile {profile}: one to four minutes, once")
            build()
            say(f"the template was built in {time.monotonic() - began:.0f} s, {path.stat().st_size >> 20} MiB")
        os.utime(path)
    _prune(path)
    return path


def unpack(template: Path, place: Place) -> dict[str, str]:
    """Put a template's content into a place; its credentials."""
    shutil.rmtree(place.data, ignore_errors=True)
    place.folder.mkdir(parents=True, exist_ok=True)
    place.folder.chmod(0o700)
    subprocess.run(
        ["tar", "--extract", "--sparse", "--same-owner", f"--file={template}", f"--directory={place.folder}"],
        check=True,
        capture_output=True,
        timeout=300,
    )
    found: dict[str, str] = json.loads(place.words.read_text(encoding="utf-8"))
    return found


def _digest(place: Place) -> str:
    """Changes with the pins, the seed, and the part of the configuration that databases depend on."""
    dummy = Place(Path("/lab"), Path("/venv"), place.profile)
    database = config.files(dummy, {name: name for name in (*_USERS, "kek")}, {})["mariadb.cnf"]
    seed = Path(__file__).with_name("seed.py").read_text(encoding="utf-8")
    names = [config.databases(api) for api in APIS if api in place.services]
    return digest(str(_RECIPE), place.venv.name, database, seed, repr((names, config.CATALOGUE, COMPUTES)))


def _prune(path: Path) -> None:
    """Remove templates that nobody asked for in two weeks."""
    for other in FOLDER.glob("*.tar"):
        if other != path and time.time() - other.stat().st_mtime > _KEPT:
            other.unlink(missing_ok=True)
            other.with_suffix(".lock").unlink(missing_ok=True)


def _build(place: Place, path: Path) -> None:
    folder = path.with_suffix(".build")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    site = Site(Place(folder, place.venv, place.profile))
    try:
        _fill(site)
        partial = path.with_suffix(".partial")
        argv = ["tar", "--create", "--sparse", f"--file={partial}", f"--directory={folder}", "data"]
        subprocess.run(argv, check=True, capture_output=True, timeout=300)
        partial.chmod(0o600)
        partial.rename(path)
    finally:
        site.end()
        keep_logs(site.place)
        shutil.rmtree(folder, ignore_errors=True)


def keep_logs(place: Place) -> None:
    """The logs of the last build stay: when it failed, they say why."""
    target = FOLDER / f"{place.profile}.logs"
    shutil.rmtree(target, ignore_errors=True)
    if place.logs.is_dir():
        shutil.copytree(place.logs, target)


def _fill(site: Site) -> None:
    words = credentials()
    site.write(words, {})
    keep(site.place, words)
    _install_database(site)
    site.begin()
    fill(site, words)
    site.stop("mariadb", signal.SIGTERM)


def credentials() -> dict[str, str]:
    """Passwords of a new cloud, and the key that its secrets are encrypted with."""
    words = {name: secrets.token_urlsafe(18) for name in _USERS}
    words["kek"] = base64.b64encode(os.urandom(32)).decode()
    return words


def keep(place: Place, words: dict[str, str]) -> None:
    """Write down what no database holds: credentials, and the keys of tokens."""
    path = place.words
    path.touch(0o600)
    path.write_text(json.dumps(words), encoding="utf-8")
    for kind in ("fernet", "credential"):
        _keys(place.data / "keystone" / kind)
    for name in COMPUTES if COMPUTES[0] in place.services else ():
        (place.data / "nova" / name).mkdir(parents=True, exist_ok=True)


def fill(site: Site, words: dict[str, str]) -> None:
    """Make databases, first users and the catalogue in a cloud whose services do not run; but MariaDB does afterwards."""
    place = site.place
    site.start("mariadb")
    site.start("memcached")
    site.wait(["mariadb", "memcached"])
    apis = [api for api in APIS if api in place.services]
    names = [name for api in apis for name in config.databases(api)]
    site.mysql("".join(f"CREATE DATABASE {name} CHARACTER SET utf8mb3;" for name in names))
    _schemas(site, apis, words)
    _seed(site, words)


def _keys(folder: Path) -> None:
    """What `keystone-manage fernet_setup` makes: 0 is the next key, the highest number the one in use."""
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    for number in ("0", "1"):
        (folder / number).touch(0o600)
        (folder / number).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


def _install_database(site: Site) -> None:
    place = site.place
    argv = ["mariadb-install-db", f"--defaults-file={place.etc}/mariadb.cnf", "--user=root", "--skip-test-db"]
    argv += ["--auth-root-authentication-method=normal", "--cross-bootstrap"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise Unavailable(f"the database could not be made: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def _schemas(site: Site, apis: list[str], words: dict[str, str]) -> None:
    etc = site.place.etc

    def make(api: str) -> None:
        if api == "keystone":
            keystone = ["keystone-manage", "--config-file", f"{etc}/keystone/keystone.conf"]
            site.tool(api, *keystone, "db_sync")
            address = [f"--bootstrap-{kind}-url={url('keystone')}/v3" for kind in ("public", "internal", "admin")]
            variables = {"OS_BOOTSTRAP_PASSWORD": words["admin"], "OS_BOOTSTRAP_REGION_ID": "lab"}
            site.tool(api, *keystone, "bootstrap", *address, **variables)
        elif api == "glance":
            site.tool(api, "glance-manage", "--config-file", f"{etc}/glance/glance-api.conf", "db_sync")
        elif api == "placement":
            site.tool(api, "placement-manage", "--config-file", f"{etc}/placement/placement.conf", "db", "sync")
        elif api == "cinder":
            site.tool(api, "cinder-manage", "--config-file", f"{etc}/cinder/cinder.conf", "db", "sync")
        elif api == "neutron":
            files = ["--config-file", f"{etc}/neutron/neutron.conf"]
            site.tool(api, "neutron-db-manage", *files, "upgrade", "heads")
        elif api == "barbican":
            site.tool(api, "barbican-manage", "db", "upgrade")
        elif api == "nova":
            nova = ["nova-manage", "--config-file", f"{etc}/nova/nova.conf"]
            site.tool(api, *nova, "api_db", "sync")
            cell0 = config.database("nova_cell0")
            site.tool(api, *nova, "cell_v2", "map_cell0", "--database_connection", cell0)
            site.tool(api, *nova, "db", "sync")
            site.tool(api, *nova, "cell_v2", "create_cell", "--name", "cell1")

    with ThreadPoolExecutor(2) as pool:
        # the longest first
        list(pool.map(make, sorted(apis, key=["nova", "neutron", "keystone"].__contains__, reverse=True)))


def _seed(site: Site, words: dict[str, str]) -> None:
    place = site.place
    services = place.services
    script = Path(__file__).with_name("seed.py")
    catalogue = {api: entry for api, entry in config.CATALOGUE.items() if api in services}
    data = {"admin": config.clouds(words)["admin"], "secrets": words, "catalogue": catalogue}
    site.start("keystone")
    site.wait(["keystone"])
    site.python(script, {**data, "what": ["identity"]})
    if "cinder" not in services:
        return
    # the rest of the cloud runs once: computes and the resources of a new cloud belong to the template
    site.start("rabbitmq")
    site.wait(["rabbitmq"])
    rest = [name for name in services if name not in ("mariadb", "memcached", "keystone", "rabbitmq", "fetches")]
    for name in rest:
        site.start(name)
    site.wait(rest, 600)
    order.reported(site, 600)
    site.python(script, {**data, "what": ["resources"]})
    if "nova" in services:
        site.tool("nova", "nova-manage", "--config-file", f"{place.etc}/nova/nova.conf", "cell_v2", "discover_hosts")
    for name in rest:
        site.stop(name)
    site.stop("rabbitmq")
