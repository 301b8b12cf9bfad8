# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What lies below a folder, with digests; files that did not change since they were read are not read again."""

from __future__ import annotations

import fnmatch
import os
import stat
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..core import pool
from ..core.errors import InputError, LandscapeError
from ..core.stream import Digests, Meter, Stopped, chunks_of, say
from .model import Entry, plain_mode
from .store import ChangedError

#: A file that was changed so shortly before it was read may be changed again without another time stamp.
_SETTLED = 2_000_000_000
_TRIES = 3


@dataclass
class Tree:
    """A folder as it is.

    :param entries: by path.
    :param omitted: paths that cannot be copied, with the reason.
    :param failed: files that could not be read, with the reason.
    """

    root: str
    entries: tuple[Entry, ...] = ()
    omitted: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def scan(
    root: str,
    exclude: Sequence[str] = (),
    known: Mapping[str, Entry] | None = None,
    parallel: int = 4,
    stop: threading.Event | None = None,
) -> Tree:
    """All files, folders and links below a folder.

    :param exclude: patterns of the shell, for paths below the folder or for names.
    :param known: files as they were copied before, by path; what has not changed since is not read.
    :raises InputError: the folder is not there.
    """
    root = os.path.abspath(os.path.expanduser(root))
    if not os.path.isdir(root):
        raise InputError(f"{root} is no folder")
    tree = Tree(root)
    found = sorted(_walk(tree, root, "", exclude), key=lambda one: one.path)
    meter, halt = Meter(sum(one.size for one in found)), stop or threading.Event()

    def work(one: Entry) -> Entry:
        if one.kind != "file":
            return one
        before = (known or {}).get(one.path)
        if before and one.seen and (before.size, before.mtime, before.seen) == (one.size, one.mtime, one.seen):
            meter.add(one.size)
            return replace(one, sha256=before.sha256)
        return _read(root, one, meter, halt)

    def tick() -> None:
        say(f"{root}: digests of {meter}")

    outcomes = pool.each(found, work, parallel, tick=tick, stop=halt)
    tree.failed.update({one.item.path: str(one.error) for one in outcomes if one.error})
    tree.entries = tuple(one.value for one in outcomes if one.error is None)
    return tree


def _walk(tree: Tree, folder: str, prefix: str, exclude: Sequence[str]) -> list[Entry]:
    found: list[Entry] = []
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda one: one.name)
        for entry in listed:
            path = f"{prefix}{entry.name}"
            if any(fnmatch.fnmatchcase(path, one) or fnmatch.fnmatchcase(entry.name, one) for one in exclude):
                continue
            one = _entry(path, entry)
            if one is None:
                tree.omitted[path] = "it is neither a file nor a folder nor a symbolic link"
                continue
            found.append(one)
            if one.kind == "folder":
                found.extend(_walk(tree, entry.path, f"{path}/", exclude))
    except OSError as error:
        tree.failed[prefix.rstrip("/") or "."] = f"{error.filename or folder} cannot be read: {error.strerror or error}"
    return found


def _entry(path: str, entry: os.DirEntry[str]) -> Entry | None:
    """A file without its digest."""
    status = entry.stat(follow_symlinks=False)
    mode = plain_mode(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Entry(path, "link", mode=0o777, target=os.readlink(entry.path))
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, "folder", mode=mode)
    if not stat.S_ISREG(status.st_mode):
        return None
    return Entry(path, "file", status.st_size, mode=mode, mtime=status.st_mtime_ns, seen=_seen(status))


def _seen(status: os.stat_result) -> tuple[int, ...]:
    """What tells later that a file is still the same; nothing when it was changed just now."""
    settled = time.time_ns() - status.st_ctime_ns > _SETTLED
    return (status.st_ctime_ns, status.st_ino) if settled else ()


def _read(root: str, one: Entry, meter: Meter, stop: threading.Event) -> Entry:
    """The entry with its digest, as the file is now.

    :raises ChangedError: somebody writes it all the time.
    """
    path = os.path.join(root, one.path)
    for _number in range(_TRIES):
        digests = Digests(["sha256"])
        try:
            with open(path, "rb", opener=_no_link) as stream:
                before = os.fstat(stream.fileno())
                for chunk in chunks_of(stream):
                    if stop.is_set():
                        raise Stopped("Reading was given up, because the run ends")
                    digests.update(chunk)
                    meter.add(len(chunk))
                after = os.fstat(stream.fileno())
        except OSError as error:
            raise LandscapeError(f"{path} cannot be read: {error.strerror or error}") from error
        same = (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
            after.st_mtime_ns,
            after.st_ctime_ns,
            digests.size,
        )
        if same:
            mode, sha256 = plain_mode(after.st_mode), digests.values()["sha256"]
            return Entry(one.path, "file", digests.size, sha256, mode, "", after.st_mtime_ns, _seen(before))
    raise ChangedError(f"{path} was changed while it was read", hint="Run again when nobody writes it")


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
