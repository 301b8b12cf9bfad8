# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The run record: what a run must remember and reality cannot tell.

It lives beside the thing that is changed, so that a run from another controller finds it. It is written atomically and
flushed to the disk before the change it describes. One lock per folder keeps two runs apart.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from .errors import LandscapeError, LockedError
from .lock import held
from .retry import Backoff, retry


class RunRecord:
    """A record of one owner inside a record folder.

    :param folder: where records and the lock live; made when something is first written.
    :param owner: who keeps the record (a module's name); several owners share the folder and its lock.
    """

    def __init__(self, folder: str, owner: str) -> None:
        self.folder = folder
        self.owner = owner
        self.path = os.path.join(folder, f"{owner}.json")
        #: One scratch name for all writers, who hold the lock: what a killed run leaves, the next one overwrites.
        self.scratch = os.path.join(folder, "pending")

    def load(self) -> dict[str, Any]:
        """The record, empty when there is none.

        :raises LandscapeError: it is there and cannot be understood; guessing could lose what it remembers.
        """
        try:
            with open(self.path, encoding="utf-8") as stream:
                content = json.load(stream)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            hint = "Restore it, or remove it: then nothing counts as written by earlier runs"
            raise LandscapeError(f"The run record {self.path} cannot be read: {error}", hint=hint) from error
        if not isinstance(content, dict):
            raise LandscapeError(f"The run record {self.path} is no JSON object", hint="Restore it, or remove it")
        return content

    def save(self, content: Mapping[str, Any]) -> None:
        """Replaces the record; the lock must be held."""
        text = json.dumps({"owner": self.owner, **content}, indent=1, sort_keys=True) + "\n"
        write_atomic(self.path, text, scratch=self.scratch)

    def is_locked(self) -> bool:
        """Whether a lock is there, held or left over."""
        return os.path.exists(self._lock)

    @property
    def _lock(self) -> str:
        return os.path.join(self.folder, "lock")

    @contextlib.contextmanager
    def locked(self, patience: float = 10.0, clock: Callable[[], float] = time.time) -> Iterator[None]:
        """Holds the folder's lock for the time of the block.

        :param patience: seconds to wait for another run to finish.
        :raises LockedError: the other run did not finish in that time; the message names it.
        """
        os.makedirs(self.folder, exist_ok=True)
        with contextlib.ExitStack() as stack:
            backoff = Backoff(first=0.05, longest=1.0, within=patience)
            retry(
                lambda: stack.enter_context(held(self._lock, self.owner, clock=clock)),
                on=(LockedError,),
                backoff=backoff,
            )
            yield


def _opener(mode: int | None) -> Callable[[str, int], int]:
    return lambda path, flags: os.open(path, flags, 0o666 if mode is None else mode & 0o666)


def write_atomic(path: str, content: str, *, mode: int | None = None, scratch: str | None = None) -> None:
    """Writes a text file so that a reader, or a crash, sees the old or the new content and nothing between.

    The mode of an existing file is kept; a new file gets ``mode`` or what the umask gives.

    :param scratch: where the content is written first; on the same file system, used by one writer at a time.
    """
    temporary = scratch or f"{path}.{os.getpid()}.tmp"
    try:
        kept = os.stat(path).st_mode & 0o7777 if mode is None else mode
    except FileNotFoundError:
        kept = None
    try:
        # Always a new file: one that a killed run left has that run's mode, or may be a link to somewhere else.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        # A file that only its owner may read is never anything else, not even before it has its name.
        with open(
            temporary, "x", encoding="utf-8", errors="surrogateescape", newline="", opener=_opener(mode)
        ) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if kept is not None:
            os.chmod(temporary, kept)
        os.replace(temporary, path)
    finally:
        # Gone after the rename; still there after any kind of failure.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
