# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The saved configuration, SONiC's programs and FRR, as the switch itself offers them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from typing import Any

from . import client, state
from .words import RUNTIME_OWNED, Rows, SwitchError

SAVED = "/etc/sonic/config_db.json"
#: Ends the name of the copy that a failed save is mended with.
COPY = ".scs-landscape"
_NOISE = ("Building configuration", "Current configuration", "frr version", "frr defaults", "!", "exit", "end")


def saved_path() -> str:
    """The file that the switch starts from."""
    return os.environ.get("SCS_LANDSCAPE_SAVED", SAVED)


def saved_text() -> str | None:
    """The saved configuration as it is written; nothing when there is none."""
    try:
        with open(saved_path(), encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SwitchError("unreadable", path=saved_path(), why=error.strerror or str(error)) from error


def keep_copy() -> None:
    """Puts a copy beside the saved file: to rename it back needs no room on a full disk.

    :raises SwitchError: ``unwritable``.
    """
    content = saved_text()
    state.remove(saved_path() + COPY)
    if content is not None:
        state.write(saved_path() + COPY, content)
        status = os.stat(saved_path())
        os.chown(saved_path() + COPY, status.st_uid, status.st_gid)
        os.chmod(saved_path() + COPY, status.st_mode & 0o7777)


def put_back() -> None:
    """The saved file as it was when the copy was made."""
    with contextlib.suppress(FileNotFoundError):
        os.replace(saved_path() + COPY, saved_path())
        state.settle(os.path.dirname(saved_path()))


def as_saved(rows: Rows) -> Any:
    """Rows as SONiC writes them into its file."""
    config: dict[str, dict[str, dict[str, Any]]] = {}
    for name, row in rows.items():
        table, _bar, key = name.partition("|")
        config.setdefault(table, {})[key] = {
            field[:-1] if field.endswith("@") else field: (value.split(",") if value else [])
            if field.endswith("@")
            else value
            for field, value in row.items()
            if (field, value) != ("NULL", "NULL")
        }
    return config


def as_rows(text: str) -> Rows | None:
    """The rows of a saved configuration as the database takes them; nothing when it is none."""
    try:
        config = json.loads(text)
        return {
            f"{table}|{key}": {
                **({} if row else {"NULL": "NULL"}),
                **{
                    f"{field}@" if isinstance(value, list) else field: ",".join(map(str, value))
                    if isinstance(value, list)
                    else str(value)
                    for field, value in row.items()
                },
            }
            for table, content in config.items()
            for key, row in content.items()
        }
    except (ValueError, AttributeError):
        return None


def is_saved(rows: Rows, text: str | None = None) -> bool:
    """Whether a saved configuration holds exactly these rows, but for those that daemons write at any time.

    :param text: of the file; the one that lies there when absent.
    """
    try:
        config = json.loads((saved_text() if text is None else text) or "")
    except ValueError:
        return False
    if not isinstance(config, dict):
        return False
    wanted, found = (
        {
            table: {key: _plain(row) for key, row in content.items()}
            for table, content in side.items()
            if isinstance(content, dict) and content and table not in RUNTIME_OWNED
        }
        for side in (as_saved(rows), config)
    )
    return found == wanted


def missing(redis: client.Redis, steps: Iterable[Any] = ()) -> str:
    """What CONFIG_DB lacks of a change that is written: a database that came back is empty, or what the saved file says.

    :param steps: name, before and after of each step.
    :returns: a row's name; ``CONFIG_DB`` when it is not a configuration at all; empty when all is there.
    """
    if redis.call("GET", client.INITIALISED) is None or not redis.call("KEYS", "DEVICE_METADATA|*"):
        return "CONFIG_DB"
    return next((name for name, row in _wanted(steps).items() if not alike(redis.row(name), row)), "")


def need(redis: client.Redis, steps: Iterable[Any] = ()) -> None:
    """Refuses a database that lacks something.

    :raises SwitchError: ``database_gone`` or ``row_changed``.
    """
    name = missing(redis, steps)
    if name == "CONFIG_DB":
        raise SwitchError("database_gone", why="it holds no configuration: SONiC has not loaded it")
    if name:
        raise SwitchError("row_changed", row=name)


def file_holds(steps: Iterable[Any]) -> bool:
    """Whether the saved file is a whole one, from after a change."""
    try:
        config = json.loads(saved_text() or "")
    except ValueError:
        return False
    if not isinstance(config, dict) or not config.get("DEVICE_METADATA"):
        return False
    for name, row in _wanted(steps).items():
        table, _bar, key = name.partition("|")
        found = (config.get(table) or {}).get(key)
        if (found is None) != (row is None):
            return False
        if row is not None and _plain(found) != _plain(as_saved({name: row})[table][key]):
            return False
    return True


def _wanted(steps: Iterable[Any]) -> dict[str, Any]:
    """How each row of a change is in the end."""
    return {str(name): after for name, _before, after in steps}


def alike(one: Any, other: Any) -> bool:
    """Whether two rows are the same to SONiC: lists are sets there."""
    if one is None or other is None:
        return one is other
    left, right = (_plain(as_saved({"T|k": row})["T"]["k"]) for row in (one, other))
    return bool(left == right)


def inactive(services: Iterable[str], patience: float = 0.0) -> list[str]:
    """Which of some services do not work, after so many seconds at most."""
    names, end = list(services), time.monotonic() + patience
    while names:
        _code, out, _err = client.run(["systemctl", "is-active", *names], 10.0)
        states = out.split()
        left = [name for name, found in zip(names, states) if found != "active"] if len(states) == len(names) else names
        if not left or time.monotonic() >= end:
            return left
        time.sleep(1.0)
    return []


def load(path: str) -> None:
    """Lets SONiC load a whole configuration, as far as it can; every service starts anew."""
    client.run(["config", "reload", "-y", "-f", path], 300.0)


def _plain(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {
        # SONiC writes a list without items as ``[""]``.
        field: [item for item in sorted(map(str, value)) if value != [""]] if isinstance(value, list) else value
        for field, value in row.items()
        if (field, value) != ("NULL", "NULL")
    }


def save(steps: Iterable[Any] = ()) -> Rows:
    """Lets the switch save its configuration, and looks whether it did; what is saved then.

    :param steps: of the change that is saved: its rows must be there before and after.
    :raises SwitchError: ``not_saved``, or what :func:`need` says; the file may be half written then.
    """
    with client.database() as redis:
        need(redis, steps)
        before = redis.dump()
    code, out, err = client.run(["config", "save", "-y"], 120.0)
    with client.database() as redis:
        need(redis, steps)
        after = redis.dump()  # daemons write rows of their own meanwhile
    done = not code and (is_saved(after) or is_saved(before))
    if not done:
        why = (err.strip() or out.strip()).splitlines()[-1:] or [f"exit status {code}"]
        if not code:
            why = ["the file does not hold what the switch runs"]
        raise SwitchError("not_saved", why=why[0][:200], path=saved_path())
    with open(saved_path(), "rb") as stream:
        os.fsync(stream.fileno())
    return after


def vtysh(*commands: str, seconds: float = 30.0) -> str:
    """What FRR answers.

    :raises SwitchError: ``frr_refused``.
    """
    argv = ["vtysh"]
    for command in commands:
        argv += ["-c", command]
    code, out, err = client.run(argv, seconds)
    unknown = [line for line in out.splitlines() if line.startswith("% ")]
    if code or (unknown and commands[0] == "configure terminal"):
        why = (unknown or err.strip().splitlines() or [f"exit status {code}"])[-1]
        raise SwitchError("frr_refused", why=why[:200])
    return out


def running() -> str:
    """FRR's running configuration; empty when it does not answer."""
    try:
        return vtysh("show running-config")
    except SwitchError:
        return ""


def comparable(text: str) -> list[str]:
    """The lines of a configuration with the section they stand in, sorted; what FRR says about itself is left out."""
    found, section, family = set(), "", ""
    for raw in text.splitlines():
        line = raw.strip()
        if not raw.startswith(" "):
            section, family = line, ""
        elif line.startswith(("address-family ", "exit-address-family")):
            family = line if line.startswith("a") else ""
        if line and not line.startswith(_NOISE):
            found.add(f"{section}{' / ' if family else ''}{family}\t{line}")
    return sorted(found)


def restart(service: str, patience: float = 90.0) -> None:
    """Restarts a service of SONiC and waits until it works; bgp until FRR answers and says the same twice.

    :raises SwitchError: ``service_down``.
    """
    client.run(["systemctl", "reset-failed", service], 10.0)  # SONiC limits how often one starts
    code, _out, err = client.run(["systemctl", "restart", service], patience)
    if code:
        raise SwitchError("service_down", service=service, why=(err.strip().splitlines() or [""])[-1][:200])
    if service != "bgp":
        return
    end, before = time.monotonic() + patience, ""
    while time.monotonic() < end:
        time.sleep(1.0)
        found = running()
        if found and found == before:
            return
        before = found
    raise SwitchError("service_down", service=service, why=f"FRR does not answer within {patience:.0f} s")


def fixups(lines: Iterable[tuple[str, str]], *, undo: bool = False) -> None:
    """Adds (or takes away) single lines of FRR in their sections.

    :raises SwitchError: ``frr_refused``.
    """
    for section, line in lines:
        vtysh("configure terminal", section, f"no {line}" if undo else line)
