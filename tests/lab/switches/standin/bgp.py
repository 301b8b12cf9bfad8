# SPDX-License-Identifier: Apache-2.0
"""The service ``bgp``: FRR's daemons, started with what the boot templates make of CONFIG_DB, then told what changes."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from . import boot
from .follower import Follower
from .resp import CONFIG, STATE, Connection, Events
from .rows import READY, Row, read, row_of
from .vty import DAEMONS, Frr, log

FILE = Path("/etc/frr/frr.conf")
_RUN = Path("/run/frr")
#: With this file FRR starts with nothing, not even what every boot file says: how SONiC's own code was measured.
EMPTY = Path("/run/standin/frr-starts-empty")
_OPTIONS = {"zebra": ("-s", "90000000"), "mgmtd": (), "staticd": (), "bgpd": (), "bfdd": ()}
_SECONDS = 60.0
#: Whoever publishes a key of this name among the changes hears when all changes before it are worked through.
MARK = "STANDIN"


def main() -> None:
    """Start everything and follow; ends when one of FRR's daemons or the database does, for systemd to start it again."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    database = await_database()
    events = Events(CONFIG)
    config = read(database)
    empty = EMPTY.exists()
    _write("" if empty else boot.render(config))
    daemons = _start()
    if not empty:
        _read_file()
    follower = Follower(Frr(), config, lambda table: _table(database, table))
    notify()
    while True:
        while events.ready(0.5):
            table, separator, key = events.key().partition("|")
            if table == MARK:
                seen("bgp", key)
            elif separator:
                row = row_of(database.call("HGETALL", f"{table}|{key}"))
                follower.change(table, key, row)
        for name, process in daemons.items():
            if process.poll() is not None:
                sys.exit(f"{name} ended with {process.returncode}")


def await_database() -> Connection:
    """A connection to CONFIG_DB, once its first content is loaded."""
    end = time.monotonic() + _SECONDS
    while True:
        try:
            database = Connection(CONFIG)
            if database.call("GET", READY) == "1":
                return database
            database.close()
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit("CONFIG_DB is not there")
        time.sleep(0.05)


def seen(service: str, mark: str) -> None:
    """Say that everything before a mark is done."""
    state = Connection(STATE)
    state.call("HSET", f"{MARK}|{service}", "seen", mark)
    state.close()


def _table(database: Connection, table: str) -> dict[str, Row]:
    keys = sorted(database.call("KEYS", f"{table}|*"))
    rows = database.calls([("HGETALL", key) for key in keys])
    found = {key.partition("|")[2]: row_of(flat) for key, flat in zip(keys, rows, strict=True)}
    return {key: row for key, row in found.items() if row is not None}


def _write(text: str) -> None:
    owner = pwd.getpwnam("frr")
    FILE.write_text(text, encoding="utf-8")
    os.chown(FILE, owner.pw_uid, owner.pw_gid)
    FILE.chmod(0o640)
    _RUN.mkdir(exist_ok=True)
    os.chown(_RUN, owner.pw_uid, owner.pw_gid)


def _start() -> dict[str, subprocess.Popen[bytes]]:
    """Start the daemons, mgmtd and zebra first, and wait until each can be spoken to."""
    for left in _RUN.glob("*"):
        if left.suffix in (".vty", ".pid", ".api"):
            left.unlink()
    processes: dict[str, subprocess.Popen[bytes]] = {}
    for name in DAEMONS:
        command = [f"/usr/lib/frr/{name}", "-A", "127.0.0.1", *_OPTIONS[name]]
        processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        if name in ("mgmtd", "zebra"):
            _await(name, processes[name])
    for name, process in processes.items():
        _await(name, process)
    return processes


def _await(name: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while not _answers(_RUN / f"{name}.vty"):
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{name} does not come up ({process.returncode})")
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(path))
    except OSError:
        return False
    return True


def _read_file() -> None:
    """FRR reads the file; a line that it refuses is said and left out."""
    done = subprocess.run(["vtysh", "-b"], capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        log(4, f"vtysh -b: {(done.stderr or done.stdout).strip()[:1000]}")


def notify() -> None:
    """Tell systemd that the service is up."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.sendto(b"READY=1", path.replace("@", "\0", 1) if path.startswith("@") else path)


if __name__ == "__main__":
    main()
