# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where the bytes of an attached volume lie, by what Cinder says of the connection: no initiator, no kernel device.

Shapes of the connections were read in cinder/volume/drivers/{nfs,remotefs,rbd}.py of release 29.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...core.errors import InputError, LandscapeError
from ...core.transfer import Piece
from .raw import pieces_from
from .rbd import RbdPlace

#: Drivers whose volumes are files in a folder that is mounted from somewhere.
FILES = ("nfs", "glusterfs", "quobyte", "smbfs", "vzstorage", "gpfs")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,254}")
_IMAGE = re.compile(r"[0-9A-Za-z._-]+(/[0-9A-Za-z._-]+){1,2}")


@dataclass(frozen=True)
class Reach:
    """What of the back ends this machine can reach.

    :param mounts: folders by the export that is mounted there; one of ``/proc/self/mountinfo`` needs no entry.
    :param ceph_conf: path of a ``ceph.conf``, empty for the program's default.
    :param ceph_user: name of a client without ``client.``, empty for the one that Cinder names.
    :param stall: seconds without progress of a program after which it is given up.
    """

    mounts: Mapping[str, str] = field(default_factory=dict)
    ceph_conf: str = ""
    ceph_user: str = ""
    stall: float = 120.0

    @property
    def told(self) -> bool:
        """Whether somebody said that there is anything."""
        return bool(self.mounts or self.ceph_conf or self.ceph_user)


class Place(Protocol):
    """The bytes of one volume."""

    name: str

    def write(self, piece: Piece) -> None:
        """Bytes, or zeroes where other bytes may be."""

    def flush(self) -> None:
        """Returns when all of it is durable."""

    def read(self, begin: int, end: int) -> Iterator[Piece]:
        """What is there, not what was written."""

    def close(self) -> None:
        """Ends everything; twice is fine."""


def place_of(info: Mapping[str, Any], size: int, reach: Reach) -> Place:
    """The place of a connection.

    :param info: ``connection_info`` of an attachment.
    :param size: bytes of the volume.
    :raises InputError: this machine cannot write there; nothing was touched.
    """
    if info.get("encrypted"):
        raise InputError("The volume is encrypted: who writes past Nova would write what Nova then decrypts")
    found = where(info, reach, hint="Use method image")
    if isinstance(found, Image):
        return RbdPlace(found.name, found.conf, found.user, reach.stall)
    return FilePlace(found, size)


@dataclass(frozen=True)
class Image:
    """An image of Ceph.

    :param name: pool, namespace where there is one, and image.
    :param conf: path of a ``ceph.conf``, empty for the program's default.
    :param user: name of a client without ``client.``, empty for the program's default.
    """

    name: str
    conf: str
    user: str


def where(info: Mapping[str, Any], reach: Reach, hint: str = "") -> str | Image:
    """The path of a volume's file, or the image of Ceph that it is.

    :param hint: the way out where this machine cannot reach it.
    :raises InputError: it cannot.
    """
    kind = str(info.get("driver_volume_type") or "")
    if kind == "rbd":
        return _rbd(info, reach)
    if kind in FILES:
        return _path(info, reach, hint)
    raise InputError(
        f"The volume is reached by {kind or 'nothing that Cinder names'}, which needs an initiator on this machine",
        hint=hint or None,
    )


def _rbd(info: Mapping[str, Any], reach: Reach) -> Image:
    name = str(info.get("name") or "")
    if not _IMAGE.fullmatch(name):
        raise InputError(f"Cinder names the image {name!r} of Ceph, which is no name of one")
    return Image(name, reach.ceph_conf, reach.ceph_user or str(info.get("auth_username") or ""))


def _path(info: Mapping[str, Any], reach: Reach, hint: str) -> str:
    export, name = str(info.get("export") or ""), str(info.get("name") or "")
    if str(info.get("format") or "raw") != "raw":
        raise InputError(f"Volume file {name} is {info['format']}, not raw bytes", hint=hint or None)
    if not _NAME.fullmatch(name):
        raise InputError(f"Cinder names the file {name!r}, which is no name of a file in {export}")
    folder = reach.mounts.get(export) or mounted(export)
    if not folder:
        raise InputError(f"{export} is not mounted on this machine", hint="Mount it and name the folder in mounts")
    return os.path.join(folder, name)


def mounted(export: str, table: str = "/proc/self/mountinfo") -> str:
    """The folder on which an export is mounted (proc(5)); empty when it is not."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as stream:
            lines = [line.split(" - ") for line in stream]
    except OSError:
        return ""
    for left, right in (line for line in lines if len(line) == 2):
        if right.split(" ")[1] == export:
            return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), left.split(" ")[4])
    return ""


class FilePlace:
    """A raw file of a file driver, or a block device.

    :param size: bytes of the volume; a sparse file that ends before is made as long.
    :raises InputError: it is not there, or something else.
    """

    def __init__(self, path: str, size: int) -> None:
        self.name, self._size = path, size
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            hint = "Whoever runs this needs the rights of the volume service on the share"
            raise InputError(f"{path} cannot be written: {error.strerror or error}", hint=hint) from error
        try:
            self._check()
        except (LandscapeError, OSError):
            self.close()
            raise

    def _check(self) -> None:
        mode = os.fstat(self._handle).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise InputError(f"{self.name} is neither a file nor a block device")
        there = os.lseek(self._handle, 0, os.SEEK_END)
        if there > self._size or (there < self._size and not stat.S_ISREG(mode)):
            raise InputError(f"{self.name} has {there} bytes, and the volume has {self._size}")
        if there < self._size:
            os.ftruncate(self._handle, self._size)

    def write(self, piece: Piece) -> None:
        """See :class:`Place`; zeroes are written only where there is something."""
        if piece.data is not None:
            self._put(piece.data, piece.offset)
            return
        for there in list(pieces_from(self._handle, self.name, piece.offset, piece.end)):
            if there.data is not None:
                self._put(bytes(there.length), there.offset)

    def _put(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(self._handle, view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise LandscapeError(
                f"{self.name} cannot be written at byte {offset}: {error.strerror or error}"
            ) from error

    def flush(self) -> None:
        """See :class:`Place`."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise LandscapeError(f"{self.name} cannot be written: {error.strerror or error}") from error

    def read(self, begin: int, end: int) -> Iterator[Piece]:
        """See :class:`Place`; what this machine remembers is forgotten first."""
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._handle, begin, end - begin, os.POSIX_FADV_DONTNEED)
        return pieces_from(self._handle, self.name, begin, end)

    def close(self) -> None:
        """See :class:`Place`."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
