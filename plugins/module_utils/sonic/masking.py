# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What of a configuration nobody may read in a plan, a finding or a message; and how a change of it still counts. Pure.

A field is secret by what is known of its table, or by its name: tables that nobody knows hold passwords too. Names of
the models that look so and are none stand in :data:`NO_SECRETS`; a test goes through every leaf of both releases. Of a
field that no model has a hint of a secret is enough: the command line writes some (``Community`` of SNMP traps), vendors
more.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.redact import MASK, redact
from . import tables
from .model import SEPARATOR, ConfigDb, Issue, Row
from .tables_fields import FIELDS

_SECRET_NAME = re.compile(
    r"passw|passkey|passphrase|(?:^|[_.-])pass(?:$|[_.-])|secret|token|credential|(?:^|[_.-])(?:cak|psk)(?:$|[_.-])"
    r"|(?:auth|authentication|encryption|private|api|md5|digest)[_.-]?key|(?:snmp|ro|rw)[_.-]?community",
    re.IGNORECASE,
)
#: What the name of a field that no model has may not hold, to be shown.
_HINT = re.compile(
    r"key|pwd|pass(?!ive)|communit|secret|token|cred|psk|(?:^|[_.-])cak|priv|hash|auth[_.-]?data", re.IGNORECASE
)
#: Leaves of the models that are called like a secret, and what they are.
NO_SECRETS: Mapping[tuple[str, str], str] = {
    ("GRPCCLIENT", "grpc_ssl_credential"): "the name of a file",
    ("PASSW_HARDENING", "reject_user_passw_match"): "whether a password may hold the name of its user",
    ("SSH_SERVER", "password_authentication"): "whether passwords are taken at all",
}
#: Rounds of the derivation in :func:`seal`; some 50 ms, so that short secrets cannot be tried out by their digest.
_ROUNDS = 100_000


@functools.lru_cache(maxsize=16384)
def is_secret(table: str, field: str) -> bool:
    """Whether a field holds a secret."""
    if (table, field) in NO_SECRETS:
        return False
    if field in tables.table(table).secret_fields or _SECRET_NAME.search(field):
        return True
    known = FIELDS.get(table, {})
    return not (field in known or "*" in known) and bool(_HINT.search(field))


@functools.lru_cache(maxsize=4096)
def has_secret_key(table: str) -> bool:
    """Whether the keys of a table's rows are secrets (SNMP communities), also of a table that no model has."""
    spec = tables.table(table)
    return "*key" in spec.secret_fields or (not spec.modelled and "COMMUNITY" in table.upper())


def key(table: str, name: str, number: int = 0) -> str:
    """A key as it may be shown.

    :param number: stands behind the mask, so that two secret keys stay two; nothing when 0.
    """
    if not (name and has_secret_key(table)):
        return name
    return f"{MASK} {number}" if number else MASK


def row(table: str, fields: Row) -> Row:
    """A row as it may be shown. Empty values and references to a vault stay: they are no secrets."""
    return {name: MASK if is_secret(table, name) and _holds(value) else value for name, value in fields.items()}


def _holds(value: Any) -> bool:
    return bool(value) and not (isinstance(value, str) and value.lstrip().startswith("{{"))


def config(whole: ConfigDb) -> ConfigDb:
    """A configuration as it may be shown."""
    return {
        table: {key(table, name, count): row(table, fields) for count, (name, fields) in enumerate(rows.items(), 1)}
        for table, rows in whole.items()
    }


def values(table: str, rows: Mapping[str, Row]) -> Iterator[str]:
    """The secrets that the rows of a table hold, also those in their keys."""
    for name, fields in rows.items():
        if has_secret_key(table):
            yield name.split(SEPARATOR)[0]
        for field, value in fields.items():
            if is_secret(table, field):
                yield from [value] if isinstance(value, str) else value


def holds_secrets(whole: ConfigDb) -> bool:
    """Whether a configuration holds any secret."""
    return any(secret for table, rows in whole.items() for secret in values(table, rows))


def issues(found: Iterable[Issue], configs: Mapping[str, ConfigDb]) -> list[Issue]:
    """Findings with the secrets of their table cut out of keys and messages; libyang quotes what it refuses.

    :param configs: the configurations by switch.
    """
    known: dict[tuple[str, str], list[str]] = {}
    shown = []
    for issue in found:
        place = (issue.switch, issue.table)
        if place not in known:
            known[place] = list(values(issue.table, configs.get(issue.switch, {}).get(issue.table, {})))
        said = [issue.key, issue.field, issue.message]
        name, field, message = redact(said, known[place]) if known[place] else said
        shown.append(dataclasses.replace(issue, key=key(issue.table, name), field=field, message=message))
    return shown


def seal(table: str, name: str, *rows: Row | None) -> str:
    """What a plan's digest knows of secrets: another one for other secrets, and none of them can be read from it.

    Empty when nothing of the rows or their key is secret.
    """
    found = [_secrets(table, name, fields) for fields in rows]
    return _derived(table, json.dumps(found, sort_keys=True)) if any(found) else ""


def _secrets(table: str, name: str, fields: Row | None) -> dict[str, Any]:
    if fields is None:
        return {}
    found: dict[str, Any] = {field: value for field, value in fields.items() if is_secret(table, field)}
    return {**found, "*key": name} if has_secret_key(table) else found


@functools.lru_cache(maxsize=1024)
def _derived(table: str, text: str) -> str:
    salt = f"scs.landscape plan {table}".encode()
    return hashlib.pbkdf2_hmac("sha256", text.encode("utf-8", "surrogateescape"), salt, _ROUNDS).hex()
