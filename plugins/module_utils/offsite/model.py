# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Snapshots of a folder: what a manifest says, how it is written, and when it is not believed. Pure.

A manifest is a JSON file that needs no program to be understood: it names every file with its size, its SHA-256 and the
object of the store that holds exactly its bytes. The digest at its end covers all of it.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import InputError, LandscapeError

FORMAT = "scs-landscape-offsite"
VERSION = 1
#: Where things are in a store.
SNAPSHOTS, OBJECTS, LOCKS = "snapshots/", "objects/", "locks/"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST = 200
_SUFFIX = ".json"
_KINDS = ("file", "folder", "link")


class ManifestError(LandscapeError):
    """A manifest that cannot be used; what it names is not known."""


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a symbolic link below the root of a tree.

    :param path: relative, with slashes.
    :param kind: ``file``, ``folder`` or ``link``.
    :param size: bytes of a file.
    :param sha256: of a file, hexadecimal.
    :param mode: permission bits, without those that lend somebody's rights.
    :param target: of a link, as it is.
    :param mtime: nanoseconds since 1970; not part of what makes two trees differ.
    :param seen: what tells, where the file was read, that it is still the same: ctime in ns, inode, device. Empty when unknown.
    """

    path: str
    kind: str = "file"
    size: int = 0
    sha256: str = ""
    mode: int = 0o644
    target: str = ""
    mtime: int = 0
    seen: tuple[int, ...] = ()

    @property
    def object(self) -> str:
        """Name of the object with its bytes; empty for what has none."""
        return object_of(self.sha256) if self.kind == "file" else ""

    @property
    def identity(self) -> tuple[str, str, int, str, int, str]:
        """What makes two trees differ."""
        return self.path, self.kind, self.size, self.sha256, self.mode, self.target

    def as_dict(self) -> dict[str, Any]:
        """As a manifest says it."""
        data: dict[str, Any] = {"path": self.path, "kind": self.kind, "mode": f"{self.mode:04o}"}
        if self.kind == "file":
            data.update(size=self.size, sha256=self.sha256, object=self.object, mtime=self.mtime, seen=[*self.seen])
        if self.kind == "link":
            data["target"] = self.target
        return data


@dataclass(frozen=True)
class Snapshot:
    """A tree at a moment.

    :param name: of the run that copied it.
    :param taken: UTC, ISO 8601.
    :param source: where it was: host and path.
    """

    name: str
    taken: str
    source: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    @property
    def files(self) -> list[Entry]:
        """Entries with bytes."""
        return [one for one in self.entries if one.kind == "file"]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    @property
    def objects(self) -> dict[str, int]:
        """Sizes of the objects it needs, by name; equal files share one."""
        return {one.object: one.size for one in self.files}

    @property
    def tree(self) -> str:
        """Digest of what makes two trees differ."""
        return tree_of(self.entries)

    @property
    def key(self) -> str:
        """Name of its manifest in a store."""
        return key_of(self.name)

    def summary(self) -> dict[str, Any]:
        """What people want to know of it."""
        return {"name": self.name, "taken": self.taken, "files": len(self.files), "size": self.size, "tree": self.tree}

    def text(self) -> bytes:
        """Its manifest."""
        body = {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "taken": self.taken,
            "source": dict(self.source),
            "tree": self.tree,
            "entries": [one.as_dict() for one in self.entries],
        }
        return (json.dumps({**body, "digest": _seal(body)}, indent=1) + "\n").encode("ascii")


def tree_of(entries: Iterable[Entry]) -> str:
    """Digest of a tree, whatever the order of its entries."""
    text = json.dumps(sorted(one.identity for one in entries), separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def _seal(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def object_of(sha256: str) -> str:
    """Name of the object with these bytes."""
    return f"{OBJECTS}{sha256[:2]}/{sha256}"


def is_object(name: str) -> bool:
    """Whether a name in a store is one that this collection gives to objects."""
    return name == object_of(name.rpartition("/")[2]) and bool(_DIGEST.fullmatch(name.rpartition("/")[2]))


def key_of(name: str) -> str:
    """Name of the manifest of a snapshot."""
    return f"{SNAPSHOTS}{checked_name(name)}{_SUFFIX}"


def name_of(key: str) -> str:
    """Name of the snapshot of a manifest; empty when that is none."""
    name = key[len(SNAPSHOTS) : -len(_SUFFIX)]
    whole = key.startswith(SNAPSHOTS) and key.endswith(_SUFFIX)
    return name if whole and _NAME.fullmatch(name) else ""


def checked_name(name: str) -> str:
    """The name of a snapshot.

    :raises InputError: it is none.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise InputError(
            f"{name!r} is no name for a snapshot",
            hint=f"Take letters, digits, '.', '_', '-' and '/', at most {_LONGEST}; each part begins with a letter or digit",
        )
    return name


def parse(text: bytes, key: str) -> Snapshot:
    """A snapshot of its manifest.

    :param key: name of the manifest in its store.
    :raises ManifestError: it is damaged, of another name, or of a version that is not known.
    """
    try:
        return _parsed(text, key)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(
            f"The manifest {key} is damaged: {_short(error)}",
            hint="Nothing is known of what it names: bring back the file from another copy, or remove it and copy again",
        ) from None


def _short(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)[:200]


def _parsed(text: bytes, key: str) -> Snapshot:
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"it does not say that it is {FORMAT}")
    if data.get("version") != VERSION:
        raise ManifestError(
            f"The manifest {key} has version {data.get('version')!r}, and {VERSION} is understood",
            hint="Take the version of this collection that wrote it",
        )
    seal = data.pop("digest")
    if seal != _seal(data):
        raise ValueError("its digest is that of another text")
    if data["name"] != name_of(key):
        raise ValueError(f"it is that of the snapshot {data['name']!r}")
    entries = tuple(_entry(one) for one in data["entries"])
    _check_places(entries)
    if tree_of(entries) != data["tree"]:
        raise ValueError("its tree is another one than its entries make")
    source = {str(name): str(value) for name, value in data["source"].items()}
    return Snapshot(str(data["name"]), str(data["taken"]), source, entries)


def _entry(data: Mapping[str, Any]) -> Entry:
    kind, mode = data["kind"], int(data["mode"], 8) & 0o777
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is no kind of entry")
    path = inside(data["path"])
    if kind == "link":
        return Entry(path, kind, mode=mode, target=str(data["target"]))
    if kind == "folder":
        return Entry(path, kind, mode=mode)
    size, digest = data["size"], data["sha256"]
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not _DIGEST.fullmatch(digest):
        raise ValueError(f"{path!r} has no size and digest")
    if data["object"] != object_of(digest):
        raise ValueError(f"{path!r} names an object that is not called like its digest")
    seen = tuple(int(one) for one in data["seen"])
    return Entry(path, kind, size, digest, mode, mtime=int(data["mtime"]), seen=seen)


def inside(path: Any) -> str:
    """A relative path that leads nowhere else.

    :raises ValueError: it does.
    """
    if not isinstance(path, str) or "\x00" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"the path {path!r} leads out of its tree")
    return path


def _check_places(entries: Iterable[Entry]) -> None:
    """Refuses two entries of one name, and what lies below something that is no folder."""
    kinds: dict[str, str] = {}
    for one in entries:
        if one.path in kinds:
            raise ValueError(f"{one.path!r} is there twice")
        kinds[one.path] = one.kind
    for path in kinds:
        above = path.rpartition("/")[0]
        if above and kinds.get(above) != "folder":
            raise ValueError(f"{path!r} does not lie in a folder")


def plain_mode(mode: int) -> int:
    """Permission bits, without those that lend somebody's rights."""
    return stat.S_IMODE(mode) & 0o777
