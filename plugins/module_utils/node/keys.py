# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Authorised keys: what a line is, when it ends, and which lines of a list are still good."""

from __future__ import annotations

import base64
import binascii
import datetime
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)


@dataclass(frozen=True)
class Key:
    """One authorised key.

    :param expires: seconds since the epoch, ``None`` for never.
    :param options: further options of sshd(8), written as they are.
    """

    user: str
    kind: str
    blob: str
    comment: str = ""
    expires: float | None = None
    options: tuple[str, ...] = ()

    def line(self, *, utc: bool, offset: int) -> str:
        """The line of an authorized_keys file.

        :param utc: write the time with ``Z``; otherwise in the host's time zone, as older sshd read it.
        :param offset: seconds that the host's time zone is ahead of UTC.
        """
        options = list(self.options)
        if self.expires is not None:
            moment = self.expires if utc else self.expires + offset
            text = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y%m%d%H%M%S")
            options.insert(0, f'expiry-time="{text}{"Z" if utc else ""}"')
        return " ".join(filter(None, [",".join(options), self.kind, self.blob, self.comment]))

    @property
    def shown(self) -> str:
        """The key as people know it: comment, or the end of its blob."""
        return self.comment or f"{self.kind} ...{self.blob[-12:]}"


def parse_expiry(text: str) -> float:
    """When a key ends: ``2026-12-31`` (the last day it works, UTC) or ``2026-12-31T18:00:00Z``.

    :raises ValueError: the text is neither, or has no time zone.
    """
    if len(text) == 10:
        day = datetime.date.fromisoformat(text) + datetime.timedelta(days=1)
        return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc).timestamp()
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()


def parse(entry: Mapping[str, Any]) -> Key:
    """A key of the option's form.

    :raises ValueError: it is no public key; the message says why.
    """
    parts = str(entry["key"]).split(None, 2)
    if len(parts) < 2 or parts[0] not in _TYPES:
        raise ValueError("is no public key that begins with its type, such as ssh-ed25519")
    try:
        blob = base64.b64decode(parts[1], validate=True)
        (length,) = struct.unpack(">I", blob[:4])
    except (binascii.Error, struct.error) as error:
        raise ValueError("is cut off or changed: its second word is no base64") from error
    if blob[4 : 4 + length] != parts[0].encode() or len(blob) < 4 + length + 32:
        raise ValueError(f"is cut off or changed: the key itself is not of the type {parts[0]}")
    comment = " ".join(parts[2].split()) if len(parts) > 2 else ""
    expires = parse_expiry(str(entry["expires"])) if entry.get("expires") else None
    return Key(str(entry["user"]), parts[0], parts[1], comment, expires, tuple(entry.get("options") or ()))


def good(keys: Sequence[Key], now: float) -> tuple[list[Key], list[Key]]:
    """Keys that still work and keys that are over, each in the given order and without repetitions."""
    unique = list({(key.user, key.kind, key.blob): key for key in keys}.values())
    return [key for key in unique if key.expires is None or key.expires > now], [
        key for key in unique if key.expires is not None and key.expires <= now
    ]
