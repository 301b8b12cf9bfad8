# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Words that both sides of the connection know. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

#: The fields of one row as the database has them, and all rows by ``TABLE|key``.
Hash = dict[str, str]
Rows = dict[str, Hash]

#: Tables that daemons of the switch write by themselves (``sonic.plan.RUNTIME_OWNED``, which does not travel).
RUNTIME_OWNED = ("BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "SYSTEM_DEFAULTS", "VERSIONS")

#: Tables that FRR's configuration is made of; others need no look at it.
ROUTING = (
    "BGP_",
    "ROUTE_",
    "PREFIX",
    "STATIC_ROUTE",
    "VRF",
    "COMMUNITY_SET",
    "EXTENDED_COMMUNITY_SET",
    "AS_PATH_SET",
    "BFD_",
)

#: Version of the language between controller and switch.
VERSION = 1


class SwitchError(Exception):
    """Something on the switch that an operator can act on.

    :param code: a word for the controller, which makes the sentence; see ``live/errors.py``.
    :param data: JSON-able, may hold keys that are secret: never shown as it is.
    """

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code, self.data = code, data


def pack(data: Any) -> str:
    """JSON-able data as one short word: less on the wire, and nothing for eyes that read along."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogateescape"), 6)).decode()


def unpack(word: str) -> Any:
    """What :func:`pack` was given.

    :raises ValueError: for another word.
    """
    try:
        return json.loads(zlib.decompress(base64.b64decode(word, validate=True)).decode("utf-8", "surrogateescape"))
    except zlib.error as error:
        raise ValueError(f"not packed: {error}") from error


def digest(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Sixteen hexadecimal digits that name exactly these rows."""
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def table_of(name: str) -> str:
    """The table of a row, which is never secret."""
    return name.partition("|")[0]
