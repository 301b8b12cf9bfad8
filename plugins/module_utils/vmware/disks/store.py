# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a place with files of disks offers: a folder here, one of a datastore over HTTPS, one over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Union

#: What a stream gives: bytes (at most one chunk), or the length of a hole.
Part = Union[bytes, int]


class Store(Protocol):
    """Files of one folder. Names were confined before they come here; a store opens nothing else either.

    :ivar name: for messages.
    """

    name: str

    def size(self, name: str) -> int:
        """Bytes of a file.

        :raises LandscapeError: it is not there, or no file.
        """

    def state(self, name: str) -> str:
        """Names the content of a file, as far as that is told: size and time of the last change, the same on every way."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly these bytes.

        :raises TruncatedError: the file ends before.
        :raises LandscapeError: they cannot be read.
        """

    def stream(self, name: str, begin: int, end: int) -> Iterator[Part]:
        """Exactly these bytes, front to back.

        :raises TruncatedError: it ends before.
        :raises LandscapeError: they cannot be read.
        """
