# SPDX-License-Identifier: Apache-2.0
"""Interfaces of the kernel: how they are, and the lines of ``ip`` that make them as they should be."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .desired import Abilities, Device
from .vty import log

_SECONDS = 60
#: Names that are ours to remove when no row asks for them. A port with a cable in it stays.
_OURS = re.compile(r"(Ethernet|Loopback|Vlan|PortChannel|Vrf|Eth|Po)[0-9A-Za-z._-]*")
_SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv4/fib_multipath_hash_policy": "1",
    "ipv4/fib_multipath_use_neigh": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/ignore_routes_with_linkdown": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/all/keep_addr_on_down": "1",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/all/ignore_routes_with_linkdown": "1",
    "ipv6/fib_multipath_hash_policy": "1",
}
_NET = Path("/proc/sys/net")


def settle() -> None:
    """The settings of a router."""
    for name, content in _SETTINGS.items():
        _set(name, content)


def abilities() -> Abilities:
    """Try what this kernel can make."""

    def can(make: str) -> bool:
        made = _ip([f"link add standin-probe type {make}"], quiet=True)
        _ip(["link delete standin-probe"], quiet=True)
        return made

    _ip(["link add standin-base type veth peer name standin-far"], quiet=True)
    found = Abilities(
        vrf=can("vrf table 999"),
        lag=can("bond mode 802.3ad"),
        dummy=can("dummy"),
        tags=_ip(["link add link standin-base standin-probe type vlan id 9"], quiet=True),
    )
    _ip(["link delete standin-base"], quiet=True)
    return found


def interfaces() -> dict[str, dict[str, Any]]:
    """What is there, by name, as ``ip`` tells it, with addresses."""
    command = ["ip", "-json", "-details", "address", "show"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    return {one["ifname"]: one for one in json.loads(done.stdout or "[]") if one.get("ifname")}


def clear() -> None:
    """Remove what rows made and take every port down, as when SONiC's switch state service starts."""
    lines = []
    for name, one in interfaces().items():
        if not _OURS.fullmatch(name) and _type(one) != "vxlan":
            continue
        if name.startswith("Ethernet"):
            lines += [f"link set {name} nomaster", f"address flush dev {name} scope global", f"link set {name} down"]
        else:
            lines.append(f"link delete {name}")
    _ip(lines, quiet=True)


def apply(wanted: dict[str, Device]) -> dict[str, dict[str, Any]]:
    """Make interfaces as they should be; how they were before."""
    there = interfaces()
    lines = [f"link delete {name}" for name in _leftover(wanted, there)]
    gone = {line.split()[-1] for line in lines}
    for one in wanted.values():
        if one.name not in there or one.name in gone or _differs(one, there[one.name]):
            lines += _making(one, there, gone)
    if lines:
        _ip(lines)
        there = interfaces()
    changes = []
    # a port takes the MTU that its LAG has when it joins
    for one in sorted(wanted.values(), key=lambda device: device.kind != "lag"):
        if one.name in there:
            _ipv6(one)
            changes += _changes(one, there[one.name])
    _ip(changes)
    return there


def _leftover(wanted: dict[str, Device], there: dict[str, dict[str, Any]]) -> Iterable[str]:
    for name, one in there.items():
        ours = bool(_OURS.fullmatch(name)) or _type(one) == "vxlan"
        if ours and name not in wanted and not (name.startswith("Ethernet") and _type(one) == "veth"):
            yield name


def cabled(one: dict[str, Any]) -> bool:
    """Whether a port is the end of a cable of the lab, and not an empty one of ours."""
    return _type(one) == "veth"


def _type(one: dict[str, Any]) -> str:
    return str(one.get("linkinfo", {}).get("info_kind", ""))


def _differs(wanted: Device, there: dict[str, Any]) -> bool:
    """Whether it has to be made anew."""
    if wanted.kind != "vxlan":
        return False
    data = there.get("linkinfo", {}).get("info_data", {})
    words = wanted.make.split()
    return [str(data.get("id")), data.get("local")] != [words[2], words[4]]


def _making(one: Device, there: dict[str, dict[str, Any]], gone: set[str]) -> list[str]:
    if one.kind == "management":
        return []
    lines = [f"link delete {one.name}"] if one.name in there and one.name not in gone else []
    if one.make == "tap":
        return [*lines, f"tuntap add dev {one.name} mode tap"]
    if one.kind == "tagged":
        _link, parent, name, kind = one.make.split(" ", 3)
        return [*lines, f"link add link {parent} name {name} type {kind}"]
    made = [*lines, f"link add {one.name} type {one.make}"]
    if one.kind == "loopback" and one.make.startswith("veth"):
        made.append(f"link set {one.make.split()[-1]} up")
    if one.kind == "vxlan":
        made.append(f"link set {one.name} addrgenmode none")
    return made


def _changes(one: Device, there: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    master = str(there.get("master", ""))
    if one.master != master and master != "Bridge" and one.kind != "management":
        down = [f"link set {one.name} down"] if one.master.startswith("PortChannel") else []
        lines += [*down, f"link set {one.name} master {one.master}" if one.master else f"link set {one.name} nomaster"]
        if one.kind == "vxlan":
            lines.append(f"link set {one.name} type bridge_slave learning off neigh_suppress on")
        there = {**there, "flags": []} if down else there
    if one.mtu and there.get("mtu") != one.mtu:
        lines.append(f"link set {one.name} mtu {one.mtu}")
    if one.mac and there.get("address") != one.mac.lower():
        lines.append(f"link set {one.name} address {one.mac}")
    if one.kind != "management" and ("UP" in there.get("flags", ())) != one.up:
        lines.append(f"link set {one.name} {'up' if one.up else 'down'}")
    has = {
        f"{address['local']}/{address['prefixlen']}"
        for address in there.get("addr_info", ())
        if address.get("scope") == "global" and "local" in address
    }
    lines += [f"address delete {address} dev {one.name}" for address in sorted(has - one.addresses)]
    for address in sorted(one.addresses - has):
        lines.append(f"address add {address} dev {one.name}{' nodad' if ':' in address else ''}")
    return lines


def _ipv6(one: Device) -> None:
    """An interface without a row that asks for it speaks no IPv6: a switch hands nothing of it to the CPU."""
    if one.kind != "management":
        _set(f"ipv6/conf/{one.name}/disable_ipv6", "0" if one.ipv6 else "1")


def default_route(via: str) -> None:
    """The way out of the management network, worse than any route of the fabric."""
    command = ["ip", "-json", "route", "show", "default", "dev", "eth0", "metric", "202"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS).stdout
    has = next((one.get("gateway", "") for one in json.loads(shown or "[]")), "")
    if has and has != via:
        _ip([f"route delete default via {has} dev eth0 metric 202"], quiet=True)
    if via and has != via:
        _ip([f"route replace default via {via} dev eth0 metric 202"], quiet=True)


def _set(name: str, content: str) -> None:
    path = _NET / name
    try:
        if path.read_text(encoding="utf-8").strip() != content:
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        log(5, f"{path}: {error.strerror}")


def _ip(lines: list[str], quiet: bool = False) -> bool:
    """Run lines of ``ip``; whether all of them worked. After an error the rest is done all the same."""
    if not lines:
        return True
    command = ["ip", "-force", "-batch", "-"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode and not quiet:
        log(4, f"ip: {done.stderr.strip()[:600]} in {lines[:40]}")
    return done.returncode == 0
