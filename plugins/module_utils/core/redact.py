# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Keeps secrets out of plans, diffs, records and reports; applied before anything is built from the data.

Two ways a secret is known: by its value (options marked ``no_log``), and by the name it is kept under.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: What a secret is replaced by; the same word Ansible uses for ``no_log`` values.
MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

# Parts of a name that stand for a secret. ``key`` alone is not one (``sort_key``), ``private_key`` is.
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:pass(?:word|wd|phrase)?|secret|token|community|psk|api[_-]?key|private[_-]?key|credentials?)s?(?:$|[_.-])",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Whether a key of that name usually holds a secret (``bmc_password``, ``snmp_community``)."""
    return bool(_SECRET_NAME.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)))


def redact(data: Any, secrets: Iterable[str] = ()) -> Any:
    """A copy of JSON-able data without secrets: known values are cut out of texts, values under secret names are masked.

    Empty values and references to a vault (Jinja) are kept: they are no secrets, and hiding them hides mistakes.
    """
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    return _redact(data, known)


def _redact(data: Any, known: list[str]) -> Any:
    if isinstance(data, dict):
        return {
            key: MASK if is_secret_name(str(key)) and _holds(value) else _redact(value, known)
            for key, value in data.items()
        }
    if isinstance(data, (list, tuple)):
        return [_redact(entry, known) for entry in data]
    if isinstance(data, str):
        for secret in known:
            data = data.replace(secret, MASK)
    return data


def _holds(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.lstrip().startswith("{{")
    return bool(value) and not isinstance(value, bool)


_LINE = re.compile(
    r"^(?P<lead>\s*(?:-\s+)?[\"']?(?P<name>[A-Za-z_][\w.-]*)[\"']?\s*[:=]\s*)(?P<value>\S.*)$", re.MULTILINE
)


def redact_text(text: str) -> str:
    """A configuration text with the values of secret names masked (``name: value`` or ``name = value`` lines)."""

    def masked(match: re.Match[str]) -> str:
        if is_secret_name(match["name"]) and _holds(match["value"].strip("\"'")):
            return match["lead"] + MASK
        return match[0]

    return _LINE.sub(masked, text)
