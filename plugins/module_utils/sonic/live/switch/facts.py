# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What the switch tells: configuration, release, FRR, neighbours, kernel, services."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from . import client, sonic, state
from .words import SwitchError, digest

#: What can be asked for besides the configuration, and how.
_JSON: Mapping[str, tuple[str, ...]] = {
    "bgp": ("vtysh", "-c", "show bgp vrf all summary json"),
    "evpn": ("vtysh", "-c", "show evpn vni json"),
    "lldp": ("lldpctl", "-f", "json"),
    # with details: what kind of device it is, and on which one it stands
    "addresses": ("ip", "-d", "-j", "addr", "show"),
}
_LINKS = ("ip", "-j", "-s", "link", "show")
#: Where syncd writes what the switch chip counts, and the errors among it.
_COUNTERS_DB, _PORTS = 2, "COUNTERS_PORT_NAME_MAP"
_ERRORS = ("SAI_PORT_STAT_IF_IN_ERRORS", "SAI_PORT_STAT_IF_OUT_ERRORS")
#: Prefixes in one call of vtysh, and calls that may end before the last of them.
_AT_ONCE, _TRIES = 64, 16
_SERVICES = ("database", "swss", "syncd", "bgp", "teamd", "lldp", "pmon", "snmp", "dhcp_relay")


def _json(argv: tuple[str, ...]) -> Any:
    code, out, err = client.run(argv, 30.0)
    try:
        return (
            json.loads(out) if not code else {"error": (err.strip().splitlines() or [f"exit status {code}"])[-1][:200]}
        )
    except ValueError:
        # `vrf all` prints one document for each instance on some versions of FRR.
        return {"error": f"{argv[0]} prints no JSON"}


def _routes(prefixes: list[str]) -> dict[str, Any]:
    """The selected routes to prefixes of the default instance: which of their next hops are used, and nothing else.

    A table may have a million routes, so nobody asks for all of them.
    """
    found: dict[str, Any] = {}
    left, failed = list(prefixes), 0
    while left and failed < _TRIES:
        asked = left[:_AT_ONCE]
        argv = ["vtysh"]
        for prefix in asked:
            argv += ["-c", f"show {'ipv6' if ':' in prefix else 'ip'} route {prefix} json"]
        code, out, err = client.run(argv, 30.0)
        answers = _documents(out)
        for one in answers:
            found.update((prefix, _used(routes)) for prefix, routes in one.items() if isinstance(routes, list))
        if len(answers) < len(asked):  # some versions of FRR end at a prefix that is not there
            failed += 1
            if not answers and code:
                found.setdefault("error", (err.strip().splitlines() or [f"exit status {code}"])[-1][:200])
        said_so = bool(answers) and not answers[-1]
        left = left[len(answers) if len(answers) == len(asked) or said_so else len(answers) + 1 :]
    return found


def _documents(text: str) -> list[dict[str, Any]]:
    """JSON objects that stand one after the other, up to what is none."""
    found, decoder = [], json.JSONDecoder()
    text = text.strip()
    while text:
        try:
            one, end = decoder.raw_decode(text)
        except ValueError:
            break
        found.append(one if isinstance(one, dict) else {})
        text = text[end:].strip()
    return found


def _used(routes: list[Any]) -> list[dict[str, Any]]:
    words = ("active", "fib")
    return [
        {"selected": True, "nexthops": [{word: bool(hop.get(word)) for word in words} for hop in route["nexthops"]]}
        for route in routes
        if route.get("selected") and route.get("nexthops")
    ]


def _frr() -> str:
    return sonic.running()


def _services() -> dict[str, str]:
    _code, out, _err = client.run(["systemctl", "is-active", *_SERVICES], 10.0)
    return dict(zip(_SERVICES, out.split()))


def _ports() -> Any:
    try:
        with client.database(client.STATE_DB) as redis:
            return {name.partition("|")[2]: row for name, row in redis.dump().items() if name.startswith("PORT_TABLE|")}
    except SwitchError as error:
        return {"error": error.code}


def _counters() -> dict[str, Any]:
    """Errors of ports by name, and whether the ``chip`` or the ``kernel`` counted them.

    The kernel sees packets to and from the CPU alone: it is asked where nobody writes what the chip counts.
    """
    try:
        with client.database(_COUNTERS_DB) as redis:
            oids = client.fields(redis.call("HGETALL", _PORTS))
            asked = [("HMGET", f"COUNTERS:{oid}", *_ERRORS) for oid in oids.values()]
            told = dict(zip(oids, redis.many(asked)))
    except SwitchError:
        told = {}
    ports = {}
    for name, reply in told.items():
        words = [client.text(word) for word in reply if word is not None] if isinstance(reply, list) else []
        if any(word.isdecimal() for word in words):
            ports[name] = sum(int(word) for word in words if word.isdecimal())
    if ports:
        return {"source": "chip", "ports": ports}
    links = _json(_LINKS)
    for one in links if isinstance(links, list) else ():
        counted = one.get("stats64") or {}
        ports[str(one.get("ifname"))] = sum(int((counted.get(way) or {}).get("errors", 0)) for way in ("rx", "tx"))
    return {"source": "kernel", "ports": ports}


def _port_map() -> str:
    """``port_config.ini`` of the hardware; empty when it is not there."""
    facts = machine()
    folder = f"/usr/share/sonic/device/{facts.get('onie_platform', facts.get('platform', ''))}"
    with client.database() as redis:
        hwsku = (redis.row("DEVICE_METADATA|localhost") or {}).get("hwsku", "")
    try:
        with open(os.path.join(folder, os.path.basename(hwsku), "port_config.ini"), encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def machine() -> dict[str, str]:
    """``/host/machine.conf``: the hardware as its boot loader knows it."""
    return _pairs("/host/machine.conf", "=")


def version() -> dict[str, str]:
    """``/etc/sonic/sonic_version.yml``: plain names and texts."""
    return _pairs("/etc/sonic/sonic_version.yml", ":")


def _pairs(path: str, sign: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            pairs = [line.partition(sign) for line in stream if sign in line]
    except OSError:
        return {}
    return {name.strip(): value.strip().strip("'\"") for name, _sign, value in pairs}


_OTHER: Mapping[str, Callable[[], Any]] = {
    "frr": _frr,
    "services": _services,
    "ports": _ports,
    "counters": _counters,
    "port_map": _port_map,
    "machine": machine,
}


def read(include: list[str]) -> dict[str, Any]:
    """The configuration, and what else is asked for."""
    with client.database() as redis:
        rows = redis.dump()
        initialised = redis.call("GET", client.INITIALISED) is not None
    waiting = state.pending()
    known = ("token", "owner", "phase", "checkpoint")
    return {
        "rows": rows,
        "digest": digest(rows),
        "initialised": initialised,
        "saved": sonic.saved_text(),
        "version": version(),
        "pending": {**{name: waiting.get(name) for name in known}, "seconds": state.left(waiting["deadline"])}
        if waiting
        else {},
        "lock": {name: value for name, value in state.lock().items() if name in ("owner", "seconds")},
        "checkpoints": state.checkpoints(),
        "fixups": state.load(state.at("fixups.json")).get("lines", []),
        **look(include),
    }


def look(include: list[str]) -> dict[str, Any]:
    """What is asked for, without the configuration; behind ``routes`` stand the prefixes, between spaces."""
    found: dict[str, Any] = {}
    for item in include:
        name, _space, words = item.partition(" ")
        if name == "routes":
            found[name] = _routes(words.split())
        else:
            found[name] = _json(_JSON[name]) if name in _JSON else _OTHER[name]()
    return found
