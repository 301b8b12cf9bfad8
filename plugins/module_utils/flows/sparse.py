# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images without the zeroes of their disks: where that pays, and where there is data.

A QCOW2 file says in its head where everything lies, so data has to be known before the first byte is sent. Files of datastores can be
read twice: once for that, once for the bytes. A lease gives a disk once, so its zeroes travel.
"""

from __future__ import annotations

import contextlib
import threading

from ..core.errors import LandscapeError
from ..core.retry import Backoff
from ..core.transfer import Source
from ..openstack.volumes.scan import Extents
from .ahead import Ahead, Restarts

FORMATS = ("auto", "raw", "qcow2")
#: Transports on which a disk can be read twice.
TWICE = ("folder", "ssh", "local")
#: Share of a disk that is kept at the source below which its zeroes are worth reading it twice.
_SPARSE = 0.75


def format_of(wanted: str, transport: str, capacity: int, allocated: int | None) -> str:
    """The format of the image of a disk.

    :param wanted: one of :data:`FORMATS`.
    :param allocated: bytes that the source keeps; nothing where nobody tells.
    """
    if transport not in TWICE or wanted == "raw":
        return "raw"
    kept = capacity if allocated is None else allocated
    return "qcow2" if wanted == "qcow2" or kept < capacity * _SPARSE else "raw"


def extents_of(
    source: Source,
    broken: tuple[type[LandscapeError], ...],
    progress: Restarts,
    stop: threading.Event,
    backoff: Backoff,
) -> list[tuple[int, int]] | None:
    """Where a disk holds other bytes than zeroes, found by reading it; nothing where it can be read only once.

    :raises LandscapeError: it cannot be read.
    """
    if not source.restartable:
        return None
    found = Extents()
    with contextlib.closing(Ahead(source, 0, broken, progress, stop, backoff)) as ahead:
        for piece in ahead:
            if piece.data is not None:
                found.add(piece.offset, piece.end)
    return found.all()
