# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads the state of a host as far as the wishes need it; a part that is not asked for costs nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from . import packages, parts, tables
from .client import Host
from .model import Facts, Platform, Unit
from .plan import needed_packages

#: Virtualisations of systemd-detect-virt(1) that share their kernel with others.
_CONTAINER_HINT = "/run/systemd/container"


def platform(host: Host) -> Platform:
    """The platform of a host."""
    return tables.platform_of(tables.parse_os_release(host.text("/etc/os-release")))


def read(host: Host, options: Mapping[str, Any], record: Mapping[str, Any], now: float) -> Facts:
    """Everything that the plan is made of, but for the contents of files.

    :param record: the run record: what an earlier run owes, and whose keys it wrote.
    :param now: seconds since the epoch.
    """
    found = platform(host)
    kernel = {key: host.sysctl(key) for key in options.get("sysctl") or {}}
    accounts = tuple(record.get("accounts", ()))
    users = [entry["user"] for entry in options.get("authorized_keys") or ()]
    installed, broken = _packages(host, found, options)
    return Facts(
        found,
        nodename=host.nodename(),
        container=bool(host.text(_CONTAINER_HINT).strip()),
        now=now,
        offset=time.localtime(now).tm_gmtoff,
        users={name: host.user(name) for name in dict.fromkeys([*users, *accounts])},
        sysctl={key: value for key, (value, _writable) in kernel.items()},
        fixed=frozenset(key for key, (value, writable) in kernel.items() if value is not None and not writable),
        packages=installed,
        broken=broken,
        units=_units(host, found, options),
        ours={parts.SUDOERS: ours(host, parts.SUDOERS)} if options.get("sudo") is not None else {},
        pending=tuple(record.get("pending", ())),
        accounts=accounts,
        links={parts.RESOLV_CONF: host.link(parts.RESOLV_CONF)},
    )


def ours(host: Host, folder: str) -> tuple[str, ...]:
    """Names of files in a folder that carry our header."""
    return tuple(name for name in host.names(folder) if host.text(f"{folder}/{name}").startswith(tables.HEADER))


def _packages(host: Host, found: Platform, options: Mapping[str, Any]) -> tuple[frozenset[str], tuple[str, ...]]:
    asked = [*needed_packages(options), *(options.get("packages_absent") or ())]
    return packages.query(host, found, asked) if asked else (frozenset(), ())


def _units(host: Host, found: Platform, options: Mapping[str, Any]) -> dict[str, Unit]:
    actions = tables.actions(found)
    asked = [actions[key].unit for key in ("chrony", "rsyslog", "journald") if options.get(key) is not None]
    asked += [actions["resolved"].unit] if options.get("dns") is not None else []
    return {**{name: Unit() for name in asked}, **host.units(asked)}
