# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Puts files back as they were. Runs inside a module, and alone as a program that a timer starts.

Usage as a program: ``client.py STATE TOKEN [SECONDS]``: waits, and restores unless the state file is gone or carries
another token. Imports nothing of the collection, because its text is copied to the host.

The state file is the whole truth: who holds the kernel's lock on it and finds it at its place decides, so a
confirmation and a timer never both win. It is removed last: a rollback that is killed is done by the next one.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def claimed(path: str, token: str) -> Iterator[dict[str, Any] | None]:
    """The state while we alone may act on it; nothing when it is gone or is another one."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with open(handle, encoding="utf-8", closefd=False) as stream:
            state = json.load(stream)
        here = os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(handle))
        yield state if here and token in ("", state.get("token")) else None
    finally:
        os.close(handle)


def pack(content: bytes, status: os.stat_result) -> dict[str, Any]:
    """How a file is kept in the state."""
    text = base64.b64encode(content).decode()
    return {"content": text, "mode": status.st_mode & 0o7777, "uid": status.st_uid, "gid": status.st_gid}


def put_back(path: str, kept: dict[str, Any] | None) -> None:
    """One file as it was, or away when there was none."""
    if kept is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    scratch = path + ".scs-landscape"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(base64.b64decode(kept["content"]))
        os.fchown(stream.fileno(), kept["uid"], kept["gid"])
        os.fchmod(stream.fileno(), kept["mode"])
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(scratch, path)


def execute(command: list[str], seconds: float = 60.0) -> int:
    """Runs a program without input; its exit status.

    :raises TimeoutError: it did not end in time, and was killed.
    """
    import asyncio  # takes longer to load than all the rest, and is hardly ever needed

    async def run() -> int:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
        try:
            return await asyncio.wait_for(process.wait(), seconds)
        except asyncio.TimeoutError as error:
            process.kill()
            await process.wait()
            raise TimeoutError(f"{command[0]} did not end within {seconds:.0f} s") from error

    return asyncio.run(run())


def restore(path: str, token: str = "") -> bool:
    """Puts everything back; whether there was something to put back.

    :param path: the state file.
    :param token: act on the state of this token only.
    """
    with claimed(path, token) as state:
        if state is None:
            return False
        for name, kept in state["files"].items():
            put_back(name, kept)
        for command in state["commands"]:
            execute(command)
        os.unlink(path)
        return True


def confirm(path: str, token: str = "") -> bool:
    """Keeps the change; false when it was rolled back already, or never was."""
    with claimed(path, token) as state:
        if state is not None:
            os.unlink(path)
        return state is not None


def main(arguments: list[str]) -> int:
    """The program."""
    path, token, *seconds = arguments
    time.sleep(float(seconds[0]) if seconds else 0)
    if restore(path, token):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path[:-5] + ".py")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
