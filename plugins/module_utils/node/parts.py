# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Each part of the baseline as wanted files. Pure: options and facts in, wants out.

An option that is ``None`` leaves its part alone; an empty one takes away what we wrote earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import InputError
from . import blocks, keys
from .model import Facts, User, Want
from .tables import HEADER

_DISTRIBUTION_SOURCE = re.compile(r"^(?:pool|server|peer)\s", re.MULTILINE)
_SILENCED = "#scs.landscape# "
SUDOERS = "/etc/sudoers.d"
RESOLV_CONF = "/etc/resolv.conf"


def wants(options: Mapping[str, Any], facts: Facts) -> list[Want]:
    """All wanted files, in the order in which they are written."""
    found: list[Want] = []
    for part, maker in _MAKERS.items():
        if options.get(part) is not None:
            found.extend(maker(options[part], facts))
    return found


def whole(text: str | None) -> Any:
    """An edit that replaces the file by a text of ours, or takes a file of ours away."""

    def edit(current: str) -> str | None:
        if text is None:
            return None if not current or current.startswith(HEADER) else current
        return HEADER + text

    return edit


def _block(lines: list[str]) -> Any:
    return lambda current: blocks.put(current, lines)


def _hostname(name: str, _facts: Facts) -> Iterator[Want]:
    yield Want("hostname", "/etc/hostname", lambda _current: f"{name}\n")


def _hosts(entries: list[dict[str, Any]], _facts: Facts) -> Iterator[Want]:
    lines = ["\t".join([entry["address"], " ".join(entry["names"])]) for entry in entries]
    yield Want("hosts", "/etc/hosts", _block(lines))


def dns_method(option: str, facts: Facts) -> str:
    """Who answers questions about names on this host: ``resolved`` or ``resolv_conf``.

    :raises InputError: something that we do not know keeps resolv.conf.
    """
    if option != "auto":
        return option
    target = facts.links.get(RESOLV_CONF, "")
    if not target:
        return "resolv_conf"
    if "systemd/resolve" in target:
        return "resolved" if facts.units["systemd-resolved.service"].loaded else "resolv_conf"
    raise InputError(
        f"{RESOLV_CONF} is a link to {target}, kept by something else",
        hint="Set dns.method to resolv_conf to replace the link, or leave the part dns out",
    )


def _dns(value: dict[str, Any], facts: Facts) -> Iterator[Want]:
    if dns_method(value["method"], facts) == "resolved":
        lines = [f"DNS={' '.join(value['servers'])}", f"Domains={' '.join(value['search'])}"]
        text = "[Resolve]\n" + "".join(f"{line}\n" for line in lines if not line.endswith("="))
        path = "/etc/systemd/resolved.conf.d/50-scs-landscape.conf"
        yield Want("dns", path, whole(text if value["servers"] or value["search"] else None), notify=("resolved",))
        return
    lines = [f"nameserver {address}" for address in value["servers"]]
    lines += [f"search {' '.join(value['search'])}"] if value["search"] else []
    lines += [f"options {' '.join(value['options'])}"] if value["options"] else []
    yield Want("dns", RESOLV_CONF, whole("".join(f"{line}\n" for line in lines) if lines else None))


def _proxy(value: dict[str, Any], facts: Facts) -> Iterator[Want]:
    pairs = {"http_proxy": value.get("http"), "https_proxy": value.get("https")}
    if any(pairs.values()) and value["no_proxy"]:
        pairs["no_proxy"] = ",".join(value["no_proxy"])
    lines = [f'{written}="{text}"' for name, text in pairs.items() if text for written in (name, name.upper())]
    secrets = tuple(text for key in ("http", "https") if (text := value.get(key)) and "@" in text)
    yield Want("proxy", "/etc/environment", _block(lines), secrets=secrets)
    if not value["packages"]:
        return
    if facts.platform.family == "apt":
        apt = [f'Acquire::{key}::Proxy "{value[key]}";\n' for key in ("http", "https") if value.get(key)]
        path = "/etc/apt/apt.conf.d/50scs-landscape-proxy"
        # apt reads // and # as comments; # is what the header has.
        yield Want("proxy", path, whole("".join(apt) or None), secrets=secrets)
    else:
        url = value.get("https") or value.get("http")
        yield Want("proxy", "/etc/dnf/dnf.conf", _block([f"proxy={url}"] if url else []), secrets=secrets)


def _sysctl(values: dict[str, Any], _facts: Facts) -> Iterator[Want]:
    lines = [f"{key} = {value}\n" for key, value in sorted(values.items())]
    yield Want("sysctl", "/etc/sysctl.d/80-scs-landscape.conf", whole("".join(lines) or None))


def _journald(values: dict[str, Any], _facts: Facts) -> Iterator[Want]:
    lines = [f"{key}={value}\n" for key, value in sorted(values.items())]
    text = "".join(["[Journal]\n", *lines]) if lines else None
    yield Want("journald", "/etc/systemd/journald.conf.d/50-scs-landscape.conf", whole(text), notify=("journald",))


def _rsyslog(value: dict[str, Any], _facts: Facts) -> Iterator[Want]:
    # A queue on disk: a target that is away must neither lose messages nor hold up the host.
    lines = [
        f'*.* action(type="omfwd" target="{target["host"]}" port="{target["port"]}" protocol="{target["protocol"]}"'
        f' queue.type="LinkedList" queue.size="10000" queue.filename="scs-landscape-{index}"'
        ' queue.maxdiskspace="100m" queue.saveonshutdown="on" action.resumeretrycount="-1")\n'
        for index, target in enumerate(value["targets"])
    ]
    yield Want(
        "rsyslog",
        "/etc/rsyslog.d/50-scs-landscape.conf",
        whole("".join(lines) or None),
        check=("rsyslogd", "-N1", "-f", "{}"),
        notify=("rsyslog",),
    )


def _chrony_sources(value: dict[str, Any]) -> list[str]:
    pairs = [("server", name) for name in value["servers"]] + [("pool", name) for name in value["pools"]]
    return [f"{kind} {name} {value['options']}".rstrip() for kind, name in pairs]


def _chrony(value: dict[str, Any], facts: Facts) -> Iterator[Want]:
    platform, lines = facts.platform, _chrony_sources(value)
    silent = value["exclusive"] and bool(lines)

    def edit(current: str) -> str | None:
        text = blocks.put(current, [])
        text = text.replace(_SILENCED, "")
        if silent:
            text = _DISTRIBUTION_SOURCE.sub(lambda match: _SILENCED + match[0], text)
        text = blocks.put(text, [] if platform.chrony_sources else lines)
        return text or None

    yield Want("chrony", platform.chrony_conf, edit, notify=("chrony",), package="chrony")
    if platform.chrony_sources:
        text = "".join(f"{line}\n" for line in lines)
        yield Want("chrony", platform.chrony_sources, whole(text or None), notify=("chrony_sources",))


def _sudo(entries: list[dict[str, Any]], facts: Facts) -> Iterator[Want]:
    check = ("visudo", "-cf", "{}")
    for entry in entries:
        text = "".join(f"{line}\n" for line in entry["lines"])
        yield Want("sudo", f"{SUDOERS}/{entry['name']}", whole(text), mode=0o440, check=check)
    named = {entry["name"] for entry in entries}
    for name in facts.ours.get(SUDOERS, ()):
        if name not in named:
            yield Want("sudo", f"{SUDOERS}/{name}", whole(None), mode=0o440)


def _authorized_keys(entries: list[dict[str, Any]], facts: Facts) -> Iterator[Want]:
    good, _over = keys.good([keys.parse(entry) for entry in entries], facts.now)
    asked = list(dict.fromkeys([entry["user"] for entry in entries]))
    unknown = [name for name in asked if facts.users.get(name) is None]
    if unknown:
        raise InputError(
            f"authorized_keys names accounts that this host does not have: {', '.join(unknown)}",
            hint="Make the accounts first (osism.commons.user, ansible.builtin.user), or take the keys out",
        )
    for name in [*asked, *(name for name in facts.accounts if name not in asked)]:
        user = facts.users.get(name)
        if user is not None:
            yield _keys_of(user, [key for key in good if key.user == name], facts)


def _keys_of(user: User, good: list[keys.Key], facts: Facts) -> Want:
    lines = [key.line(utc=facts.platform.expiry_utc, offset=facts.offset) for key in good]
    path = f"{user.home}/.ssh/authorized_keys"
    return Want("authorized_keys", path, _block(lines), mode=0o600, account=user)


_MAKERS: dict[str, Any] = {
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
}
