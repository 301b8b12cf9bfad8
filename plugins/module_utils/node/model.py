# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a host is and what it shall be, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Platform:
    """What differs between distributions.

    :param proven: whether tests run on real machines of it; the others are checked against their manuals only.
    :param expiry_utc: whether sshd understands ``Z`` (UTC) in ``expiry-time`` (OpenSSH 9.1 and later).
    :param chrony_sources: file for ``server`` lines that chronyd reads by itself; empty where lines go into ``chrony_conf``.
    :param socket_ssh: whether sshd is started by a systemd socket, which owns the ports.
    """

    name: str
    family: str
    proven: bool = False
    ssh_unit: str = "ssh.service"
    chrony_unit: str = "chrony.service"
    chrony_conf: str = "/etc/chrony/chrony.conf"
    chrony_sources: str = "/etc/chrony/sources.d/50-scs-landscape.sources"
    expiry_utc: bool = True
    socket_ssh: bool = False


@dataclass(frozen=True)
class FileState:
    """A regular file as it is: text (bytes that are no UTF-8 survive as surrogates), permission bits, owner."""

    content: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class User:
    """An account of the host."""

    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True)
class Unit:
    """A systemd unit: ``active``, ``inactive``, ``failed``... and whether there is such a unit at all."""

    active: str = "inactive"
    loaded: bool = False


@dataclass(frozen=True)
class Want:
    """How one file shall be.

    :param edit: gives the wanted text from the present one (empty when there is none); pure, and a fixed point of
        itself. ``None`` as its result means: no such file.
    :param check: command that judges the new text before it is put in place; ``{}`` becomes a path that holds it.
    :param notify: what to do afterwards, keys of :data:`tables.ACTIONS`.
    :param secrets: texts that must not be shown.
    :param package: the package that brings the file; when it is only about to be installed, the edit waits for it.
    :param account: whose file it is when it lies in a home folder; written with that user's rights.
    """

    part: str
    path: str
    edit: Callable[[str], str | None]
    mode: int = 0o644
    check: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    account: User | None = None
    package: str = ""


@dataclass(frozen=True)
class Facts:
    """The state of a host before anything is changed.

    :param sysctl: key to value as the kernel says it; ``None`` where the kernel has no such key.
    :param fixed: sysctl keys that cannot be written here although they are known (containers).
    :param packages: installed packages of those asked for.
    :param ours: files that carry our header, by folder.
    :param pending: actions that an earlier, killed run still owes.
    :param accounts: users whose keys an earlier run wrote.
    :param links: symbolic links of interest and their targets.
    """

    platform: Platform
    nodename: str = ""
    container: bool = False
    now: float = 0.0
    offset: int = 0
    files: Mapping[str, FileState | None] = field(default_factory=dict)
    users: Mapping[str, User | None] = field(default_factory=dict)
    sysctl: Mapping[str, str | None] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    broken: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    ours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
