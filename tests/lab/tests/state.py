# SPDX-License-Identifier: Apache-2.0
"""What a machine's disk and kernel say, as a table of digests: two tables that are equal mean that nothing differs.

Read inside the machine as root and without SSH, so that looking changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

#: What deploys may write: settings, logins, our own records, and what dpkg knows to be installed.
FOLDERS = (
    "/etc",
    "/root",
    "/home",
    "/usr/local",
    "/var/lib/scs-landscape",
    "/var/lib/dpkg",
    "/var/spool/cron",
    "/boot",
)
#: Written by the system itself while it runs, whoever deploys: caches, locks, leases.
_VOLATILE = (
    "/etc/.pwd.lock",
    "/etc/ld.so.cache",
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/triggers/Lock",
)
_LOOK = r"""
import hashlib, json, os, socket, stat, subprocess, sys
folders, volatile = json.loads(sys.argv[1])
table = {}
def look(path):
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    if kind == stat.S_IFLNK:
        what = "-> " + os.readlink(path)
    elif kind == stat.S_IFREG:
        with open(path, "rb") as file:
            what = hashlib.sha256(file.read()).hexdigest()[:16]
    else:
        what = "folder" if kind == stat.S_IFDIR else "other"
    table[path] = "%o %d:%d %s" % (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, what)
for folder in folders:
    for here, names, files in os.walk(folder):
        look(here)
        for name in names + files:
            path = os.path.join(here, name)
            if path in volatile or "/.ansible" in path or path.endswith("/.bash_history"):
                continue
            try:
                look(path)
            except FileNotFoundError:
                pass
def ask(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True).stdout.strip()
table["kernel.hostname"] = socket.gethostname()
for unit in ("ssh", "chrony", "rsyslog", "systemd-journald"):
    table["unit." + unit] = ask("systemctl", "is-active", unit)
table["sshd"] = hashlib.sha256(ask("/usr/sbin/sshd", "-T").encode()).hexdigest()[:16]
json.dump(table, sys.stdout)
"""

Table = dict[str, str]


class Runs(Protocol):
    """A machine of the lab."""

    def run(self, argv: Any, check: bool = True, **options: Any) -> Any: ...


def of(machine: Runs, folders: Iterable[str] = FOLDERS) -> Table:
    """The table of one machine: what lies at a path (mode, owner, digest of the content), and what runs."""
    options = json.dumps([list(folders), list(_VOLATILE)])
    return dict(json.loads(machine.run(["/usr/bin/python3", "-I", "-c", _LOOK, options], timeout=60).stdout))


def of_all(machines: dict[str, Any]) -> dict[str, Table]:
    """The tables of several machines, by name."""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(machines, pool.map(of, machines.values())))


def lasting(table: Table) -> Table:
    """Without the records of runs, which know when they were made."""
    return {path: what for path, what in table.items() if not path.startswith("/var/lib/scs-landscape")}


def differences(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """What differs, one line each, for a person to read."""
    lines = []
    for host in sorted(before.keys() | after.keys()):
        old, new = before.get(host, {}), after.get(host, {})
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                lines.append(f"{host} {path}: {old.get(path, 'absent')} -> {new.get(path, 'absent')}")
    return lines
