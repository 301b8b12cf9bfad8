# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Brings the switch back to what it was. Called inside a task, and alone as a program: by a timer, and at boot.

``python3 -I -c "..." timer TOKEN`` rolls the change of that token back unless it was confirmed; ``boot`` does what a
reboot needs before SONiC reads its file, ``now`` afterwards.
"""

from __future__ import annotations

import contextlib
import operator
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from . import client, sonic, state
from .words import ROUTING, Hash, Rows, SwitchError, table_of

UNIT = "scs-landscape-confirm"
UNITS = "/etc/systemd/system"
#: Seconds to wait for the database after a reboot or a crash.
PATIENCE = 300.0
#: Seconds that somebody else may take for what he does in a phase before he is ended: a save that is cut off is no save.
PATIENT = {"rolling_back": 150.0, "saving": 130.0}
#: Seconds that a rollback by `config reload` may take.
RELOADS = 600.0
#: Seconds until services work after `config reload`.
SERVICES_FOLLOW = 180.0
#: Seconds between two attempts of the timer: the first, and the longest.
PAUSE = (1.0, 30.0)
#: What an attempt of the timer may end with and still be followed by another.
_FAULTS = (SwitchError, OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError)
#: Seconds until FRR shows what rows say.
FRR_FOLLOWS = 15.0


def finish(token: str = "", patience: float = 20.0, *, wait: float = 0.0) -> dict[str, Any]:
    """Ends a change that waits: rolls it back, or ends a save that was cut off.

    :param token: only the change of this token; any when empty.
    :param wait: seconds to wait for the database.
    :returns: ``rolled_back``, ``saved``, and what is left to do in ``problems``; empty when nothing waited.
    """
    if not _is_there(token) or not _take_over(token, patience):
        return {}  # somebody else's change is none of ours: it keeps its turn, its record and its timer
    with state.turn(5.0):
        record = state.pending()
        if not record and token and _is_there(token):
            clear({"token": token}, "nothing")  # whoever began it was killed before he had remembered it
        if not record or (token and record.get("token") != token):
            return {}
        done = _end(record, wait)
        if not wait:  # a timer that has begun is none any more
            disarm(str(record["token"]))
        return done


def _end(record: dict[str, Any], wait: float) -> dict[str, Any]:
    """Ends the change that waits one way or the other; to be called in turn."""
    if record.get("phase") == "confirmed" or (record.get("phase") == "saving" and _is_saved(record, wait)):
        clear(record, "confirmed")
        client.log("the change is saved and stays, although its confirmation was cut off")
        return {"rolled_back": False, "saved": True, "problems": []}
    return roll_back(record, wait)


def _is_there(token: str) -> bool:
    """Whether anything of a change is there: its record, or the lock, which comes first; of any change without a token."""
    return not token or bool((state.pending() or state.lock()).get("token") == token)


def _is_saved(record: dict[str, Any], wait: float) -> bool:
    """Whether a save that was cut off is complete."""
    steps = record.get("steps", [])
    if not _of_this_boot(record):
        return sonic.file_holds(steps)  # the database was filled from it, and daemons wrote more since
    with client.database(patience=wait) as redis:
        return not sonic.missing(redis, steps) and sonic.is_saved(redis.dump())


def _of_this_boot(record: dict[str, Any]) -> bool:
    return bool(record.get("deadline", {}).get("boot") == client.boot_id())


def roll_back(record: dict[str, Any], wait: float = 0.0) -> dict[str, Any]:
    """Brings rows, saved file and FRR back to what was before a change; to be called in turn."""
    with contextlib.suppress(SwitchError):  # a full disk must not keep us from it
        state.keep({**record, "phase": "rolling_back"})
    client.log(f"rolling back the change of {record.get('owner', 'somebody')}")
    steps, problems = record.get("steps", []), []
    content = state.load(state.checkpoint_path(str(record["checkpoint"])))
    if not content:
        problems.append("its checkpoint is gone: rows are as before, the rest is to be compared by hand")
        content = {"rows": {name: before for name, before, _after in reversed(steps) if before is not None}}
    _file_back(record)
    loaded = _loaded(content, record)
    if loaded is not None:
        touched = _loaded_back(loaded, steps, wait)
        problems.append("what ran without being saved is gone with the reboot")
        problems += ["rows were written after it: compare FRR with them by hand"] if touched else []
    else:
        is_reload = record.get("program") == "reload" and "saved" in content
        if is_reload:
            _load_back(content["rows"], record, wait)
        touched = rows_back(content["rows"], steps, state.journalled(), wait, whole=is_reload)
        problems += frr_back(content, record, touched)
    beyond = sorted(set(touched) - {table_of(str(step[0])) for step in steps})
    try:
        clear(record, "rolled_back")
    except OSError as error:
        problems.append(f"the record of the change cannot be removed ({error.strerror})")
    said = [*problems, *([f"written besides the change: {', '.join(beyond)}"] if beyond else [])]
    client.log(f"rolled back, {len(touched)} rows written" + "".join(f"; {one}" for one in said))
    return {"rolled_back": True, "saved": False, "rows": len(touched), "beyond": beyond, "problems": problems}


def _loaded(content: dict[str, Any], record: dict[str, Any]) -> Rows | None:
    """What SONiC loaded at a reboot, where that is not what ran before: rows that nobody had saved.

    To write those that ran would end between the two: the rows of the change as they ran, all others as they were saved.

    :returns: nothing where the checkpoint's rows are what was before.
    """
    if "saved" not in content or _of_this_boot(record) or client.keeps_database():
        return None
    if content["saved"] is None:
        return {}
    return None if sonic.is_saved(content["rows"], content["saved"]) else sonic.as_rows(content["saved"])


def _loaded_back(loaded: Rows, steps: list[list[Any]], wait: float) -> list[str]:
    """Makes the rows of a change what the saved file says, which they are but for a boot that could not put it back."""
    if not loaded:
        return []  # there was no file: what SONiC made of that is as good as it gets
    back = [[name, loaded.get(name), after] for name, _before, after in steps]
    return rows_back(loaded, back, state.journalled(), wait, same=sonic.alike)


def _file_back(record: dict[str, Any]) -> None:
    """The saved file as it was; what cannot be renamed does not keep rows from coming back, if nobody had touched it.

    :raises SwitchError: ``unwritable``.
    """
    try:
        if record.get("copied"):
            sonic.put_back()
        elif record.get("unsaved"):
            state.remove(sonic.saved_path())
    except OSError as error:
        if record.get("phase") != "armed":
            raise SwitchError("unwritable", path=sonic.saved_path(), why=error.strerror or str(error)) from error


def _load_back(wanted: Rows, record: dict[str, Any], wait: float) -> None:
    """Lets SONiC load what was before, when a load of another configuration was begun.

    :raises SwitchError: ``service_down`` when a service that worked before does not.
    """
    services = [str(one) for one in record.get("services", [])]
    with client.database(patience=wait) as redis:
        is_same = redis.dump() == wanted
    if is_same and not sonic.inactive(services):
        return
    sonic.load(state.at("before.json"))
    down = sonic.inactive(services, SERVICES_FOLLOW)
    if down:
        raise SwitchError("service_down", service=", ".join(down), why="after config reload")


def rows_back(
    wanted: Rows,
    steps: list[list[Any]],
    done: int,
    wait: float = 0.0,
    *,
    whole: bool = False,
    same: Callable[[Any, Any], bool] = operator.eq,
) -> list[str]:
    """Makes the rows of a change what they were; the tables of what was written.

    Rows of others and of SONiC's own daemons stay, but for a database that lost its configuration.

    :param steps: name, before and after of each step of a change, in its order: taken backwards, so that order is kept.
    :param done: how many are written for certain; the next one may be.
    :param whole: bring all rows back.
    :param same: whether a row is as it should be.
    """
    touched: list[str] = []
    with client.database(patience=wait) as redis:
        if wait:
            _complete(redis, wait)
        names = redis.dump().keys()
        whole = whole or not any(table_of(name) == "DEVICE_METADATA" for name in names)

        def bring(name: str, row: Hash | None) -> None:
            if not same(redis.row(name), row):
                client.write(redis, name, None, row, force=True)
                touched.append(table_of(name))

        last: dict[str, float] = {}
        for name, before, _after in reversed(steps[: done + 1]):
            if name in last:  # daemons read the row when they come to it, not when it was written
                time.sleep(max(0.0, last[name] + 0.5 - time.monotonic()))
            count = len(touched)
            bring(name, before)
            if len(touched) > count:
                last[name] = time.monotonic()
        own = {str(step[0]) for step in steps}
        for name in sorted(own | redis.dump().keys() | wanted.keys() if whole else own):
            bring(name, wanted.get(name))
    return touched


def _complete(redis: client.Redis, wait: float) -> None:
    """Waits until SONiC has loaded its file; a database that came back empty is filled by us in the end."""
    end = time.monotonic() + min(wait, 30.0)
    while redis.call("GET", client.INITIALISED) is None and time.monotonic() < end:
        time.sleep(0.5)


def frr_back(content: dict[str, Any], record: dict[str, Any], touched: list[str]) -> list[str]:
    """FRR as it was at the checkpoint; what could not be done in words."""
    wanted = sonic.comparable(str(content.get("frr", "")))
    fixups = [(str(one[0]), str(one[1])) for one in record.get("fixups", [])]
    if not wanted or not (fixups or record.get("restarted") or any(name.startswith(ROUTING) for name in touched)):
        return []
    try:
        found = sonic.comparable(sonic.running())
        undo = [one for one in fixups if "\t".join(one) in found and "\t".join(one) not in wanted]
        sonic.fixups(undo, undo=True)
    except SwitchError:
        pass  # a restart takes them away, too
    if _follows(wanted, FRR_FOLLOWS):
        return []
    try:
        sonic.restart("bgp")
        lost = sorted(set(wanted) - set(sonic.comparable(sonic.running())))
        sections = [line.partition("\t") for line in lost]
        sonic.fixups(
            [(one, line) for one, _tab, line in sections if one.startswith("vrf ") and line.startswith("vni ")]
        )
    except SwitchError as error:
        return [f"bgp is to be restarted by hand ({error.code})"]
    return [] if _follows(wanted, FRR_FOLLOWS) else ["FRR differs from what it was: compare show running-config"]


def _follows(wanted: list[str], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while sonic.comparable(sonic.running()) != wanted:
        if time.monotonic() >= end:
            return False
        time.sleep(0.5)
    return True


def clear(record: dict[str, Any], end: str) -> None:
    """Forgets the change; the record itself goes last, so that one who is killed here is followed by another.

    :param end: what became of it, see :func:`state.ended`.
    """
    if end == "confirmed" and record.get("lines") is not None:
        with contextlib.suppress(
            SwitchError
        ):  # whoever confirmed it, or a boot: what FRR was given besides is to be missed
            state.save(state.at("fixups.json"), {"lines": record["lines"]})
    state.ended(str(record.get("token", "")), end)
    state.give_back(str(record.get("token", "")))
    paths = [state.at("journal"), *boot_paths(), sonic.saved_path() + sonic.COPY]
    paths += [state.at("given.json"), state.at("before.json"), state.at("pending.json")]
    for path in paths:
        state.remove(path)
    for folder in sorted({os.path.dirname(path) for path in paths}):
        with contextlib.suppress(OSError):
            state.settle(folder)


def _take_over(token: str, patience: float) -> bool:
    """Ends whoever writes rows of a change and does not end by himself; whether the change is there still."""
    # One that rolls back may restart bgp, and is not to be ended for that; a second one would do the same again.
    record = state.pending()
    is_load = record.get("phase") == "rolling_back" and record.get("program") == "reload"
    try:
        with state.turn(RELOADS if is_load else PATIENT.get(str(record.get("phase")), patience)):
            return True
    except SwitchError as error:
        pid = int(error.data.get("pid") or 0)
        if error.code != "busy" or pid <= 1 or pid == os.getpid():
            raise
        if not _is_there(token):
            return False  # ours ended meanwhile, and the turn is another one's
        client.log(f"ending process {pid}, which holds the switch for too long")
        with contextlib.suppress(ProcessLookupError):
            if state.holder() == pid:
                os.kill(pid, signal.SIGKILL)
    return True


def boot_paths() -> tuple[str, str]:
    """The link that starts the unit of the next boot, and the unit: in the order in which they go."""
    folder, name = os.environ.get("SCS_LANDSCAPE_UNITS", UNITS), f"{UNIT}-boot.service"
    return f"{folder}/multi-user.target.wants/{name}", f"{folder}/{name}"


def at_boot() -> None:
    """Before SONiC reads its file: the one that was there before the change. What waits is ended when the database is there."""
    record = state.pending()
    if not record:
        return
    phase = record.get("phase")
    if phase == "confirmed" or (phase == "saving" and sonic.file_holds(record.get("steps", []))):
        clear(record, "confirmed")
        return
    with contextlib.suppress(SwitchError):  # what cannot be written now is tried again by what is started here
        _file_back(record)
        state.keep({**record, "phase": "rolling_back", "copied": False, "unsaved": False})
    arm(str(record["token"]), 20.0, "now")


def arm(token: str, seconds: float, mode: str = "timer") -> None:
    """Starts the timer.

    :raises SwitchError: ``no_timer``.
    """
    disarm(token)
    program = f"import sys; sys.path.insert(0, {state.at('program')!r}); from switch import confirm; confirm.main()"
    line = ["systemd-run", "--quiet", "--collect", f"--unit={unit(token)}", f"--on-active={max(1, round(seconds))}"]
    line += ["--timer-property=AccuracySec=500ms", "--property=Type=exec"]
    line += ["--property=Restart=on-failure", "--property=RestartSec=5"]
    line += [f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith("SCS_LANDSCAPE_")]
    code, _out, err = client.run([*line, "--", "/usr/bin/python3", "-I", "-c", program, mode, token], 30.0)
    if code:
        raise SwitchError("no_timer", why=(err.strip().splitlines() or [f"exit status {code}"])[-1][:200])


def unit(token: str) -> str:
    """The name of a change's timer: nobody stops another one's."""
    return f"{UNIT}-{''.join(sign for sign in token if sign.isalnum())[:40]}"


def disarm(token: str) -> None:
    """Stops the timer of a change, but not a rollback that it has started already."""
    client.run(["systemctl", "stop", f"{unit(token)}.timer"], 20.0)
    client.run(["systemctl", "reset-failed", f"{unit(token)}.service"], 10.0)


def main() -> None:
    """The program."""
    mode, token = [*sys.argv[1:], "", ""][:2]
    if mode == "boot":
        at_boot()
        return
    pause, said = PAUSE[0], ""
    while True:
        why = attempt(token)
        if not why:
            return
        if why != said:
            client.log(
                f"the rollback did not end ({why}), it is tried again; sonic_checkpoint with state rolled_back does it at once"
            )
        said, end = why, time.monotonic() + pause
        while time.monotonic() < end and _waits(token):
            time.sleep(min(1.0, pause))
        pause = min(2 * pause, PAUSE[1])


def attempt(token: str) -> str:
    """One attempt of the timer; why it failed, nothing when there is nothing left to do."""
    try:
        done = finish(token, 10.0, wait=PATIENCE)
    except _FAULTS as error:
        return error.code if isinstance(error, SwitchError) else f"{type(error).__name__}: {error}"[:200]
    if done and not done.get("rolled_back") and not done.get("saved"):
        client.log("nothing to roll back")
    return ""


def _waits(token: str) -> bool:
    """Whether somebody has to do it still."""
    try:
        record = state.pending()
    except SwitchError:
        return True
    return bool(record) and (not token or record.get("token") == token)
