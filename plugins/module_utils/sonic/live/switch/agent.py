# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a controller can ask of the switch, one call each. No decision is made here but to refuse."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import client, confirm, facts, sonic, state, words
from .words import Rows, SwitchError, digest

#: Seconds between two writes of the same row, so that daemons see both.
AGAIN = 0.6
#: Where SONiC describes hardware.
DEVICES = "/usr/share/sonic/device"
#: Bytes that must be free besides what a change writes for certain.
SPARE = 2_000_000
#: Seconds before the end of the window at which no further row is written.
MARGIN = 3.0
_PARTS = ("words", "client", "state", "sonic", "confirm")

_UNIT = """# Written by scs.landscape for a change that waits for its confirmation; goes with it.
[Unit]
Description=Bring back the configuration from before an unconfirmed change
DefaultDependencies=no
After=local-fs.target
Before=config-setup.service database.service
ConditionPathExists={record}
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I -c "import sys; sys.path.insert(0, '{program}'); from switch import confirm; confirm.main()" boot
[Install]
WantedBy=multi-user.target
"""


def handle(request: Mapping[str, Any]) -> dict[str, Any]:
    """Does what is asked for; the answer, or ``error`` with its ``code``."""
    try:
        if request.get("version") != words.VERSION:
            raise SwitchError("other_version")
        if os.geteuid() != 0:
            raise SwitchError("not_root")
        return _CALLS[str(request["call"])](request)
    except SwitchError as error:
        return {"error": error.code, "data": error.data}


def _look(request: Mapping[str, Any]) -> dict[str, Any]:
    return facts.look(list(request["include"]))


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    return {**facts.read(list(request.get("include", ()))), "last": state.last()}


def _apply(request: Mapping[str, Any]) -> dict[str, Any]:
    """Lock, look, keep, arm, write."""
    # A connection that is cut must not end us between two rows: the timer would have to, and it is slower.
    for number in (signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    token, owner = str(request["token"]), str(request["owner"])
    with state.turn(float(request.get("patience", 5.0))):
        state.take(owner, token, float(request["confirm_within"]) + 60)
        armed = False
        try:
            record, before = _arm(request, token)
            armed = True
        finally:
            if not armed:
                state.ended(token, "nothing")
                state.give_back(token)
        began = time.monotonic()
        done, failure = _written(request, record)
        answer = {"steps_done": done, "before": before, "checkpoint": record["checkpoint"]}
        answer["seconds"] = round(time.monotonic() - began, 3)
        if failure is None:
            return answer
        return {**answer, "error": failure.code, "data": failure.data, **_undone(record)}


def _undone(record: dict[str, Any]) -> dict[str, Any]:
    """Rolls back at once; what the controller is told of that."""
    try:
        undone = confirm.roll_back(state.pending() or record)
    except (SwitchError, OSError) as error:
        why = error.code if isinstance(error, SwitchError) else error.strerror
        return {"rolled_back": False, "rollback_error": why, "seconds_left": state.left(record["deadline"])}
    confirm.disarm(str(record["token"]))
    return {"rolled_back": True, "problems": undone["problems"]}


def _arm(request: Mapping[str, Any], token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything that must be there before the first write; nothing of the switch is changed.

    :raises SwitchError: somebody else's change waits, or the switch is not as it was planned on.
    """
    waiting = state.pending()
    if waiting:
        left = round(state.left(waiting.get("deadline", {})))
        raise SwitchError("pending", owner=waiting.get("owner", ""), seconds=left, phase=waiting.get("phase"))
    _one_asic()
    with client.database() as redis:
        sonic.need(redis)
        rows = redis.dump()
    if digest(rows) != request["digest"]:
        raise SwitchError("moved")
    seen = facts.look(["frr", *request.get("include", ())])
    record = _record(request, _keep_before(request, rows, seen["frr"]))
    if record["program"] == "reload":
        state.save(state.at("before.json"), sonic.as_saved(rows))
        record["services"] = [name for name, found in facts.look(["services"])["services"].items() if found == "active"]
    install()
    sonic.keep_copy()
    state.journal(0)
    try:
        boot_unit()
        confirm.arm(token, float(request["confirm_within"]))
        state.keep(record)  # after the timer: a change that is remembered has somebody who ends it
    except SwitchError:
        confirm.clear(record, "nothing")
        confirm.disarm(token)
        raise
    return record, seen


def _record(request: Mapping[str, Any], checkpoint: str) -> dict[str, Any]:
    """What is remembered of a change until it is confirmed or undone."""
    is_there = sonic.saved_text() is not None
    return {
        "token": request["token"],
        "owner": request["owner"],
        "phase": "armed",
        "deadline": state.moment(float(request["confirm_within"])),
        "checkpoint": checkpoint,
        "steps": list(request["steps"]),
        "fixups": list(request.get("fixups", ())),
        "program": (request.get("program") or {}).get("name", ""),
        "copied": is_there,
        "unsaved": not is_there,
        "lines": request.get("lines"),
    }


def _keep_before(request: Mapping[str, Any], rows: Rows, frr: str) -> str:
    """Keeps the checkpoint of a change; its name, which is another one when somebody has kept something under the wished one.

    :raises SwitchError: ``unwritable`` when there is no room for what may follow.
    """
    token = str(request["token"])
    auto = f"auto-{time.strftime('%Y%m%dT%H%M%S')}-{token[:6]}"
    name = str(request.get("checkpoint") or auto)
    if os.path.exists(state.checkpoint_path(name)) and state.load(state.checkpoint_path(name)).get("token") != token:
        name = auto
    for folder in (state.at(), os.path.dirname(sonic.saved_path())):
        state.room(folder, SPARE + 4 * len(json.dumps(rows)))
    keep_checkpoint(name, rows, frr, str(request["owner"]), token)
    state.thin(int(request.get("keep", 5)), name)
    return name


def _one_asic() -> None:
    """Refuses hardware whose configuration is in more than one database.

    :raises SwitchError: ``many_asics``.
    """
    found = facts.machine()
    platform = os.path.basename(found.get("onie_platform", found.get("platform", "")))
    try:
        with open(os.path.join(DEVICES, platform, "asic.conf"), encoding="utf-8", errors="replace") as stream:
            pairs = [line.strip().partition("=") for line in stream]
    except OSError:
        return
    counts = [value for name, _sign, value in pairs if name.strip().upper() == "NUM_ASIC"]
    if counts and counts[-1].strip() not in ("", "0", "1"):
        raise SwitchError("many_asics", count=counts[-1].strip())


def keep_checkpoint(name: str, rows: Rows, frr: str, owner: str, token: str = "") -> None:
    """Keeps what the switch is like now.

    :param token: of the change it is kept for; empty when somebody asked for it.
    """
    content = {"rows": rows, "saved": sonic.saved_text(), "frr": frr, "owner": owner, "time": int(time.time())}
    state.save(state.checkpoint_path(name), {**content, "token": token})


def install() -> None:
    """Writes the program of the timer; it must work when the controller does not."""
    folder = state.at("program", "switch")
    for part in _PARTS:
        module = sys.modules[f"{__package__}.{part}"]
        state.write(os.path.join(folder, f"{part}.py"), inspect.getsource(module))
    state.write(os.path.join(folder, "__init__.py"), "")


def boot_unit() -> None:
    """What ends the change when the switch is rebooted meanwhile.

    :raises SwitchError: ``unwritable``.
    """
    link, path = confirm.boot_paths()
    state.write(path, _UNIT.format(record=state.at("pending.json"), program=state.at("program")))
    try:
        os.chmod(path, 0o644)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        state.remove(link)
        os.symlink(path, link)
        state.settle(os.path.dirname(link))
    except OSError as error:
        raise SwitchError("unwritable", path=link, why=error.strerror or str(error)) from error


def _written(request: Mapping[str, Any], record: Mapping[str, Any]) -> tuple[int, SwitchError | None]:
    """Writes the steps; how many are done, and what stopped it."""
    done, last = 0, dict[str, float]()
    try:
        if request.get("program"):
            state.journal(len(record["steps"]))  # how far it gets is not known: a rollback goes through all of them
            _by_program(request["program"])
            return len(record["steps"]), None
        with client.database() as redis:
            for name, before, after in record["steps"]:
                if state.left(record["deadline"]) < MARGIN:
                    raise SwitchError("too_slow", done=done)
                if name in last:
                    time.sleep(max(0.0, last[name] + AGAIN - time.monotonic()))
                client.write(redis, name, before, after)
                last[name] = time.monotonic()
                done += 1
                state.journal(done)
        sonic.fixups([(str(one[0]), str(one[1])) for one in request.get("fixups", ())])
    except OSError as error:
        return done, SwitchError("unwritable", path=state.at(), why=error.strerror or str(error))
    except SwitchError as error:
        return done, error
    return done, None


def _by_program(program: Mapping[str, Any]) -> None:
    """SONiC's own ways: ``patch`` (the updater) or ``reload`` (a whole file).

    :raises SwitchError: ``program_failed``.
    """
    path = state.at("given.json")
    state.write(path, json.dumps(program["content"]))
    argv = {"patch": ["config", "apply-patch", path], "reload": ["config", "reload", "-y", path]}[program["name"]]
    try:
        code, out, err = client.run(argv, float(program.get("seconds", 600)))
    finally:
        state.remove(path)
    if code:
        why = (err.strip() or out.strip()).splitlines()[-1:] or [f"exit status {code}"]
        raise SwitchError("program_failed", program=" ".join(argv[:2]), why=why[0][:300])


def _service(request: Mapping[str, Any]) -> dict[str, Any]:
    """Restarts bgp for the change that waits, and adds again what that loses."""
    with state.turn(20.0):
        record = _ours(request)
        state.keep({**record, "restarted": True})
        sonic.restart("bgp", max(10.0, min(90.0, state.left(record["deadline"]) - 5)))
        sonic.fixups([(str(one[0]), str(one[1])) for one in request.get("fixups", ())])
    return {}


def _ours(request: Mapping[str, Any]) -> dict[str, Any]:
    record = state.pending()
    if record.get("token") != request["token"] or record.get("phase") == "rolling_back":
        raise SwitchError("not_pending")
    if record.get("phase") == "armed" and state.left(record["deadline"]) <= 0:
        raise SwitchError("not_pending")  # the timer is on its way
    return record


def _confirm(request: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the change that waits: saves it, or brings everything back when it cannot be saved."""
    with state.turn(20.0):
        record = _ours(request) if request.get("token") else state.pending()
        if not record or record.get("phase") == "rolling_back":
            raise SwitchError("not_pending")
        if record.get("phase") != "confirmed":
            try:
                _settled(request, record)
            except (SwitchError, OSError) as error:
                return {**_failure(error), **_undone(record)}
        confirm.clear(record, "confirmed")
        confirm.disarm(str(record["token"]))
    client.log(f"the change of {record.get('owner', 'somebody')} is confirmed")
    return {"saved": bool(request.get("save", True)), "checkpoint": record["checkpoint"]}


def _settled(request: Mapping[str, Any], record: dict[str, Any]) -> None:
    """Makes the change the one that stays, whatever happens next.

    :raises SwitchError: it is not there any more, or cannot be saved.
    """
    if request.get("save", True):
        state.keep({**record, "phase": "saving"})
        sonic.save(record["steps"])
    else:
        with client.database() as redis:
            sonic.need(redis, record["steps"])
    with contextlib.suppress(SwitchError):  # a disk that is full now has room to remove the record
        state.keep({**record, "phase": "confirmed"})


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, SwitchError):
        return {"error": error.code, "data": error.data}
    return {"error": "unwritable", "data": {"path": state.at(), "why": str(error)}}


def _rollback(request: Mapping[str, Any]) -> dict[str, Any]:
    return confirm.finish(str(request.get("token") or ""), 20.0)


def _save(_request: Mapping[str, Any]) -> dict[str, Any]:
    """Saves what runs, when nothing waits; the old file stays when that fails."""
    with state.turn(20.0):
        if state.pending():
            raise SwitchError("pending", owner=state.pending().get("owner", ""), seconds=0, phase="armed")
        with client.database() as redis:
            sonic.need(redis)
        sonic.keep_copy()
        try:
            sonic.save()
        except SwitchError:
            sonic.put_back()
            raise
        state.remove(sonic.saved_path() + sonic.COPY)
    return {}


def _checkpoint(request: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps, reads or removes a checkpoint."""
    name, what = str(request["name"]), request["what"]
    path = state.checkpoint_path(name)
    if what == "read":
        return {"content": state.load(path)}
    with state.turn(20.0):
        holder = state.lock()
        if holder:
            raise SwitchError("locked", owner=holder.get("owner", ""), seconds=holder["seconds"])
        waiting = state.pending()
        if waiting.get("checkpoint") == name:
            left = round(state.left(waiting.get("deadline", {})))
            raise SwitchError("pending", owner=waiting.get("owner", ""), seconds=left, phase=waiting.get("phase"))
        if what == "absent":
            state.remove(path)
            return {}
        with client.database() as redis:
            keep_checkpoint(name, redis.dump(), sonic.running(), str(request["owner"]))
    return {}


_CALLS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "read": _read,
    "look": _look,
    "apply": _apply,
    "service": _service,
    "confirm": _confirm,
    "rollback": _rollback,
    "save": _save,
    "checkpoint": _checkpoint,
}


def answer(word: str) -> str:
    """The packed answer to a packed request."""
    with contextlib.suppress(ValueError):
        return words.pack(handle(words.unpack(word)))
    return words.pack({"error": "other_version", "data": {}})


def only_reads(word: str) -> bool:
    """Whether a packed request changes nothing."""
    try:
        request = words.unpack(word)
    except ValueError:
        return True  # it is refused anyway
    return request.get("call") in ("read", "look") or (request.get("call"), request.get("what")) == (
        "checkpoint",
        "read",
    )
