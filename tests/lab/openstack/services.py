# SPDX-License-Identifier: Apache-2.0
"""How each service is started: its command line and its variables."""

from __future__ import annotations

import sys
from pathlib import Path

from . import ceph
from .place import APIS, COMPUTES, PORTS, Place

_MODULES = {
    "keystone": "keystone.wsgi.api:application",
    "glance": "glance.wsgi.api:application",
    "placement": "placement.wsgi.api:application",
    "cinder": "cinder.wsgi.api:application",
    "nova": "nova.wsgi.osapi_compute:application",
    "neutron": "neutron.wsgi.api:application",
    # the one that barbican ships knows one place for its configuration, /etc
    "barbican": "labbarbican:application",
}
_FETCHES = Path(__file__).with_name("fetches.py")
_THREADS = {"keystone": 6, "glance": 12}
#: Seconds since the epoch, method, path with query, status, bytes sent and received, microseconds, request id, agent.
ACCESS = "\t".join(
    (
        "%(tmsecs)",
        "%(method)",
        "%(uri)",
        "%(status)",
        "%(rsize)",
        "%(cl)",
        "%(micros)",
        "%(var.LAB_REQUEST_ID)",
        "%(uagent)",
    )
)


def uwsgi(place: Place, name: str) -> dict[str, str]:
    """The options of an API's server that the lab depends on, wherever its programs come from."""
    found = {
        "processes": "1",
        "threads": str(_THREADS.get(name, 4)),
        "listen": "100",
        "collect-header": "x-openstack-request-id LAB_REQUEST_ID",
        "req-logger": f"file:{place.logs}/{name}.access",
        "log-format": ACCESS,
    }
    if name == "glance":
        # with shorter limits the upload of a volume fails: "unable to receive chunked part"
        found.update({"chunked-input-limit": "16777216", "chunked-input-timeout": "60", "socket-timeout": "60"})
    return found


def _api(place: Place, name: str) -> list[str]:
    argv = [
        place.program("pyuwsgi"),
        *("--module", _MODULES[name], "--http-socket", f"127.0.0.1:{PORTS[name]}"),
        *("--master", "--enable-threads", "--lazy-apps"),
        *("--need-app", "--die-on-term", "--buffer-size", "65535", "--add-header", "Connection: close"),
    ]
    for option, value in uwsgi(place, name).items():
        argv += [f"--{option}", value]
    if name == "glance":
        argv += ["--http-chunked-input"]
    if name == "cinder":
        argv += ["--pyargv", f"--config-file {place.etc}/cinder/cinder.conf"]
    return argv


def command(place: Place, name: str) -> list[str]:
    """The command line of a service."""
    if name in APIS:
        return _api(place, name)
    if name in COMPUTES:
        program = [place.program("python"), "-B", f"{place.drivers}/labcompute.py"]
        return [*program, "--config-file", f"{place.etc}/nova/{name}.conf"]
    if name.startswith(("cinder-", "nova-")):
        api = name.partition("-")[0]
        return [place.program(name), "--config-file", f"{place.etc}/{api}/{api}.conf"]
    return {
        "mariadb": ["/usr/sbin/mariadbd", f"--defaults-file={place.etc}/mariadb.cnf"],
        "memcached": ["/usr/bin/memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(PORTS["memcached"]), "-m", "64"],
        # not the program of PATH: that one changes to a user who may not enter this folder
        "rabbitmq": ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
        "fetches": [
            sys.executable,
            "-B",
            str(_FETCHES),
            str(PORTS["fetches"]),
            f"{place.logs}/fetches.access",
            str(place.www),
        ],
    }[name]


def environ(place: Place, name: str) -> dict[str, str]:
    """The variables of a service or of one of its tools; nothing of the caller's reaches it."""
    home = place.etc / "barbican" if name == "barbican" else place.run
    found = {
        "PATH": f"{place.drivers}/bin:{place.venv}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(place.drivers),
        "PYTHONWARNINGS": "ignore",
        "LAB_ETC": str(place.etc),
        "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
    }
    for api in ("keystone", "glance", "placement", "nova", "neutron"):
        found[f"OS_{api.upper()}_CONFIG_DIR"] = str(place.etc / api)
    more = ceph.variables(place)
    found["PATH"] += f":{more['PATH']}" if "PATH" in more else ""
    if "LD_LIBRARY_PATH" in more:
        found["LD_LIBRARY_PATH"] = more["LD_LIBRARY_PATH"]
    if name == "rabbitmq":
        found.update(_rabbitmq(place))
    return found


def _rabbitmq(place: Place) -> dict[str, str]:
    folder = place.run / "rabbitmq"
    return {
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(place.etc / "rabbitmq" / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(place.etc / "rabbitmq" / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
    }
