# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Stores by the options that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InputError
from .directory import Directory
from .s3 import client as s3
from .store import Store

#: The options of a store, as a module takes them.
ARGUMENTS: dict[str, Any] = {
    "kind": {"type": "str", "choices": ["directory", "s3"], "required": True},
    "path": {"type": "path"},
    "bucket": {"type": "str"},
    "prefix": {"type": "str"},
    "endpoint": {"type": "str"},
    "region": {"type": "str"},
    "profile": {"type": "str"},
    "access_key": {"type": "str", "no_log": False},  # a name, as that of a user is
    "secret_key": {"type": "str", "no_log": True},
    "session_token": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "validate_certs": {"type": "bool"},
}
#: Which options a kind of store needs, and which it may have besides.
_NEEDED = {"directory": ("path",), "s3": ("bucket",)}
_MORE = {
    "directory": (),
    "s3": (
        *("prefix", "endpoint", "region", "profile", "access_key", "secret_key", "session_token"),
        *("ca_cert", "validate_certs"),
    ),
}


def store(options: Mapping[str, Any], parallel: int = 4) -> Store:
    """The store.

    :param parallel: how many files are on their way at once.
    :raises InputError: options are missing, or belong to another kind of store.
    """
    kind = options["kind"]
    given = {name for name, value in options.items() if value not in (None, "", []) and name != "kind"}
    problems = [f"store.{name} is needed for kind {kind}" for name in _NEEDED[kind] if name not in given]
    foreign = given - {*_NEEDED[kind], *_MORE[kind]}
    problems += [f"store.{name} is not for kind {kind}" for name in sorted(foreign)]
    if ("access_key" in given) != ("secret_key" in given):
        problems.append("store.access_key and store.secret_key belong together")
    if problems:
        raise InputError("; ".join(problems))
    if kind == "s3":
        return s3.Bucket(options, s3.connect(options, parallel))
    return Directory(options["path"])
