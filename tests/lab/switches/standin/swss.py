# SPDX-License-Identifier: Apache-2.0
"""The service ``swss``: makes the kernel what CONFIG_DB asks for, and tells APPL_DB and STATE_DB what came of it."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import desired, kernel
from .bgp import MARK, await_database, notify, seen
from .resp import APPL, CONFIG, STATE, Connection, Events
from .rows import Config, read
from .vty import log

#: What DHCP would say on the management port: address and length.
LEASE = Path("/etc/scs-lab/lease")
_RTMGRP_LINK = 1
#: Seconds of quiet before a burst of changes is worked on, and the most that it may last.
_QUIET, _LONGEST = 0.03, 0.5
#: Seconds that a port may be gone, because somebody plugs another cable in, before an empty one takes its place.
_UNPLUGGED = 3.0
_TABLES = frozenset(
    {
        "PORT",
        "INTERFACE",
        "LOOPBACK_INTERFACE",
        "VLAN",
        "VLAN_MEMBER",
        "VLAN_INTERFACE",
        "VRF",
        "PORTCHANNEL",
        "PORTCHANNEL_MEMBER",
        "PORTCHANNEL_INTERFACE",
        "VXLAN_TUNNEL",
        "VXLAN_TUNNEL_MAP",
        "VXLAN_EVPN_NVO",
        "MGMT_INTERFACE",
        "DEVICE_METADATA",
    }
)


def main() -> None:
    """Work through all rows, then follow changes of rows and of links; ends with the database."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    database = await_database()
    events, links = Events(CONFIG), _links()
    kernel.settle()
    can = kernel.abilities()
    kernel.clear()
    service = _Service(database, can)
    service.work()
    notify()
    while True:
        first = time.monotonic()
        marks: list[str] = []
        _changed(events, links, _UNPLUGGED if service.unplugged else None, marks)
        while time.monotonic() - first < _LONGEST and _changed(events, links, _QUIET, marks):
            continue
        service.work()
        for mark in marks:
            seen("swss", mark)


class _Service:
    def __init__(self, database: Connection, can: desired.Abilities) -> None:
        self._database, self._can = database, can
        self._appl, self._state = Connection(APPL), Connection(STATE)
        self._told: dict[str, dict[str, str]] = {}
        self._lacking: list[str] = []
        self._known: set[str] = set()
        #: Ports that were there and are not, and since when.
        self._gone: dict[str, float] = {}
        #: The kernel's numbers of ports, by name.
        self._numbers: dict[str, int] = {}

    @property
    def unplugged(self) -> bool:
        """Whether a port is gone that an empty one may have to replace soon."""
        return bool(self._gone)

    def work(self) -> None:
        """Make the kernel what the rows say now."""
        config = read(self._database)
        _hostname(config)
        lease = LEASE.read_text(encoding="utf-8").strip() if LEASE.exists() else ""
        wanted, lacking = desired.devices(config, self._can, lease)
        if lacking != self._lacking:
            self._lacking = lacking
            log(4, f"this kernel cannot make: {', '.join(lacking) or 'nothing is missing'}")
        self._hold(wanted)
        kernel.apply(wanted)
        kernel.default_route(desired.gateway(config))
        there = kernel.interfaces()
        self._tell(config, there)
        self._replugged({name: there[name] for name, one in wanted.items() if one.kind == "port" and name in there})

    def _replugged(self, ports: dict[str, dict[str, Any]]) -> None:
        """Start FRR again when a cable came back: no switch loses the interface of a port, and zebra is not made for it.

        zebra 10.3 keeps the interface that is gone among those that it advertises itself on: it falls over it within
        seconds, or says no more on the new one after the first few advertisements (its pull requests 19000 and 18451).
        Then a neighbour that starts later never hears of us.
        """
        numbers = {name: int(one["ifindex"]) for name, one in ports.items()}
        fresh = [
            name
            for name, number in numbers.items()
            if self._numbers.get(name, number) != number and kernel.cabled(ports[name])
        ]
        self._numbers.update(numbers)
        if fresh:
            log(5, f"{', '.join(fresh)}: the cable is back; bgp starts again")
            subprocess.run(["systemctl", "restart", "--no-block", "bgp"], check=False, capture_output=True, timeout=30)

    def _hold(self, wanted: dict[str, desired.Device]) -> None:
        """Leave out ports that vanished just now: a port of the lab is the end of a cable, and goes with it."""
        there, now = kernel.interfaces(), time.monotonic()
        ports = {name for name, one in wanted.items() if one.kind == "port"}
        for name in ports & self._known - there.keys():
            self._gone.setdefault(name, now)
        self._gone = {
            name: since for name, since in self._gone.items() if name not in there and now - since < _UNPLUGGED
        }
        self._known = (self._known | (ports & there.keys())) & ports
        for name in self._gone.keys() & ports:
            del wanted[name]

    def _tell(self, config: Config, there: dict[str, dict[str, Any]]) -> None:
        """Write what SONiC's daemons write about ports."""
        told: dict[str, dict[str, str]] = {}
        for name, row in config.get("PORT", {}).items():
            link = there.get(name, {})
            oper = "up" if "LOWER_UP" in link.get("flags", ()) and "UP" in link.get("flags", ()) else "down"
            admin = str(row.get("admin_status", "down"))
            told[f"PORT_TABLE:{name}"] = {
                **{key: str(found) for key, found in row.items() if not isinstance(found, list)},
                "admin_status": admin,
                "oper_status": oper,
            }
            told[f"PORT_TABLE|{name}"] = {"state": "ok", "netdev_oper_status": oper, "admin_status": admin}
        told["PORT_TABLE:PortInitDone"] = {"lanes": "0"}
        for database, mark in ((self._appl, ":"), (self._state, "|")):
            requests = []
            for key in {*told, *self._told}:
                if f"PORT_TABLE{mark}" not in key or told.get(key) == self._told.get(key):
                    continue
                requests.append(["DEL", key])
                if key in told:
                    requests.append(["HSET", key, *(word for pair in told[key].items() for word in pair)])
            if requests:
                database.calls(requests)
        self._told = told


def _links() -> socket.socket:
    """Hears of every change of a link."""
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    one.bind((0, _RTMGRP_LINK))
    one.setblocking(False)
    return one


def _changed(events: Events, links: socket.socket, seconds: float | None, marks: list[str]) -> bool:
    """Whether something that matters changed; waits for it so many seconds, or for ever. Marks are collected."""
    matters = False
    while True:
        if not events.ready(0) and not select.select([events.fileno(), links.fileno()], [], [], seconds)[0]:
            return matters
        while events.ready(0):
            table, _bar, key = events.key().partition("|")
            marks += [key] if table == MARK else []
            matters = table in _TABLES or table == MARK or matters
        try:
            while links.recv(1 << 16):
                matters = True
        except OSError:
            pass  # nothing more, or more than the socket could hold: then it matters
        if matters:
            return True


def _hostname(config: Config) -> None:
    name = str(config.get("DEVICE_METADATA", {}).get("localhost", {}).get("hostname", ""))
    if name and name != socket.gethostname():
        Path("/etc/hostname").write_text(f"{name}\n", encoding="utf-8")
        subprocess.run(["hostname", name], check=False, capture_output=True, timeout=30)


if __name__ == "__main__":
    main()
