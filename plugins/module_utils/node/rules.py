# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is refused before anything is touched: every problem of the options, with its place, at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable
from urllib.parse import urlsplit

from ..core.errors import InputError
from . import keys

_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
#: RFC 1123 section 2.1; no trailing dot.
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SUDO_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SYSCTL = re.compile(r"[a-z0-9_]+(?:[./][A-Za-z0-9_:-]+)+")
_JOURNALD = re.compile(r"[A-Z][A-Za-z]+")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:-]*")
_USER = re.compile(r"[a-z_][a-z0-9_.-]*\$?")


def check(options: Mapping[str, Any]) -> None:
    """Reads all parts.

    :raises InputError: with all problems in its message and one by one in ``details["problems"]``.
    """
    problems = [problem for part, rule in _RULES.items() if options.get(part) for problem in rule(options[part], part)]
    if problems:
        raise InputError("; ".join(problems), hint="Nothing was changed", details={"problems": problems})


def is_name(text: str) -> bool:
    """Whether a text is a host name."""
    return len(text) <= 253 and bool(_NAME.fullmatch(text))


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _lines(value: Any, place: str) -> Iterator[str]:
    if any(character in str(value) for character in "\n\r\0"):
        yield f"{place} holds a line break, and is written into one line"


def _hostname(value: str, place: str) -> Iterator[str]:
    if not is_name(value) or len(value) > 64:
        yield f"{place} is {value!r}; letters, digits, dots and dashes are allowed, 64 characters"


def _hosts(value: list[dict[str, Any]], place: str) -> Iterator[str]:
    for index, entry in enumerate(value):
        if not is_address(entry["address"]):
            yield f"{place}[{index}].address is {entry['address']!r}, no IP address"
        for name in entry["names"]:
            if not is_name(name):
                yield f"{place}[{index}].names holds {name!r}, no host name"
        if not entry["names"]:
            yield f"{place}[{index}].names is empty"


def _dns(value: dict[str, Any], place: str) -> Iterator[str]:
    for address in value["servers"]:
        if not is_address(address):
            yield f"{place}.servers holds {address!r}, no IP address"
    for name in value["search"]:
        if not is_name(name):
            yield f"{place}.search holds {name!r}, no domain"
    for text in value["options"]:
        yield from _lines(text, f"{place}.options")


def _proxy(value: dict[str, Any], place: str) -> Iterator[str]:
    for key in ("http", "https"):
        text = value.get(key)
        # Never shown: it may hold a password.
        if text and (urlsplit(text).scheme not in ("http", "https") or re.search(r"[\s\"'#\\]", text)):
            yield f"{place}.{key} is no URL like http://proxy.example.org:3128 (special characters as %23)"
    for text in value["no_proxy"]:
        if re.search(r"[\s\"'#]", text):
            yield f"{place}.no_proxy holds {text!r}; names, addresses and networks are allowed"


def _sysctl(value: dict[str, Any], place: str) -> Iterator[str]:
    for key, wanted in value.items():
        if not _SYSCTL.fullmatch(key) or ".." in key:
            yield f"{place} holds the key {key!r}, none like net.ipv4.ip_forward"
        yield from _lines(wanted, f"{place}.{key}")


def _journald(value: dict[str, Any], place: str) -> Iterator[str]:
    for key, wanted in value.items():
        if not _JOURNALD.fullmatch(key):
            yield f"{place} holds the key {key!r}, none of journald.conf(5) such as SystemMaxUse"
        yield from _lines(wanted, f"{place}.{key}")


def _rsyslog(value: dict[str, Any], place: str) -> Iterator[str]:
    for index, target in enumerate(value["targets"]):
        if not is_address(target["host"]) and not is_name(target["host"]):
            yield f"{place}.targets[{index}].host is {target['host']!r}, no host name or address"
        if not 0 < target["port"] < 65536:
            yield f"{place}.targets[{index}].port is {target['port']}, no port"


def _chrony(value: dict[str, Any], place: str) -> Iterator[str]:
    for key in ("servers", "pools"):
        for text in value[key]:
            if not is_address(text) and not is_name(text):
                yield f"{place}.{key} holds {text!r}, no host name or address"
    yield from _lines(value["options"], f"{place}.options")


def _sudo(value: list[dict[str, Any]], place: str) -> Iterator[str]:
    names = [entry["name"] for entry in value]
    for index, entry in enumerate(value):
        if not _SUDO_NAME.fullmatch(entry["name"]):
            yield f"{place}[{index}].name is {entry['name']!r}; sudo skips files with dots and tildes, so do we"
        if names.index(entry["name"]) != index:
            yield f"{place}[{index}].name {entry['name']!r} is there twice"
        for line in entry["lines"]:
            yield from _lines(line, f"{place}[{index}].lines")


def _authorized_keys(value: list[dict[str, Any]], place: str) -> Iterator[str]:
    for index, entry in enumerate(value):
        if not _USER.fullmatch(entry["user"]):
            yield f"{place}[{index}].user is {entry['user']!r}, no account name"
        for option in entry.get("options") or ():
            yield from _lines(option, f"{place}[{index}].options")
        try:
            keys.parse({**entry, "expires": None})
        except ValueError as error:
            yield f"{place}[{index}].key {error}"
        try:
            keys.parse_expiry(str(entry["expires"])) if entry.get("expires") else None
        except (ValueError, OverflowError):
            yield f"{place}[{index}].expires is {entry['expires']!r}; write 2026-12-31 or 2026-12-31T18:00:00Z"


def _packages(value: list[str], place: str) -> Iterator[str]:
    for name in value:
        if not _PACKAGE.fullmatch(name):
            yield f"{place} holds {name!r}, no name of a package"


_RULES: dict[str, Callable[[Any, str], Iterator[str]]] = {
    "hostname": _hostname,
    "hosts": _hosts,
    "dns": _dns,
    "proxy": _proxy,
    "sysctl": _sysctl,
    "journald": _journald,
    "rsyslog": _rsyslog,
    "chrony": _chrony,
    "sudo": _sudo,
    "authorized_keys": _authorized_keys,
    "packages": _packages,
    "packages_absent": _packages,
}
