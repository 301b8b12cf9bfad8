# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The file: a head that anybody may read and that holds no secret, and beside it everything else, sealed.

The head is repeated inside, so nobody changes it without a word; what is sealed has a digest, so a damaged file is refused
before anybody is asked for a key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core import files
from ...core.errors import InputError, LandscapeError
from ...core.record import write_atomic
from . import model
from .collect import Wanted
from .model import Container, SealError, Secret
from .seal import Sealer

FORMAT = "scs-landscape-secrets-1"


@dataclass(frozen=True)
class Bundle:
    """A file that was read and not opened.

    :param head: all of it but what is sealed.
    """

    path: str
    head: Mapping[str, Any]
    sealed: bytes = field(repr=False)

    @property
    def keys(self) -> list[str]:
        """Ids of the secrets that are in it, as the head says."""
        return [str(one["id"]) for one in self.head["secrets"]]

    @property
    def method(self) -> str:
        """How it is sealed."""
        return str(self.head["method"])


@dataclass(frozen=True)
class Content:
    """What was sealed."""

    secrets: Sequence[Secret] = field(repr=False)
    containers: Sequence[Container] = ()


def head_of(secrets: Sequence[Secret], wanted: Wanted, sealer: Sealer) -> dict[str, Any]:
    """What may be known of a bundle. The same secrets for the same people give the same head: a payload never changes."""
    shown = [one.shown() for one in secrets]
    containers = [one.shown() for one in wanted.containers]
    uses: dict[str, list[dict[str, str]]] = {one.id: [] for one in secrets}
    for use in sorted(wanted.uses, key=lambda one: (one.kind, one.id, one.property)):
        if use.kind != "secret":
            uses[use.key].append({key: value for key, value in use.as_dict().items() if key != "key"})
    return {
        "format": FORMAT,
        "method": sealer.method,
        "recipients": list(sealer.recipients),
        "count": len(secrets),
        "secrets": [{"id": one.id, "used_by": uses[one.id]} for one in secrets],
        "containers": [one.id for one in wanted.containers],
        "facts": _digest(json.dumps([shown, containers], sort_keys=True).encode()),
    }


def text(head: Mapping[str, Any], content: Content, sealer: Sealer) -> str:
    """The content of the file."""
    inside = {
        "head": dict(head),
        "secrets": [one.sealed() for one in content.secrets],
        "containers": [one.shown() for one in content.containers],
    }
    sealed = sealer.seal(json.dumps(inside).encode())
    outside = {**head, "digest": _digest(sealed), "sealed": base64.b64encode(sealed).decode()}
    return json.dumps(outside, indent=1) + "\n"


def read(path: str) -> Bundle:
    """A bundle, not opened.

    :raises InputError: it is damaged, or no such file.
    """
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        sealed = base64.b64decode(data.pop("sealed"), validate=True)
        digest = data.pop("digest")
        known = data["format"] == FORMAT
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise InputError(f"{path} holds no bundle of secrets, or a damaged one: {error}") from error
    if not known:
        raise InputError(f"{path} holds no bundle of secrets in the format {FORMAT}")
    if digest != _digest(sealed):
        raise InputError(f"{path} is damaged: what is sealed has another digest", hint="Take another copy of it")
    return Bundle(path, data, sealed)


def kept(path: str) -> Bundle | None:
    """A bundle that may be there.

    :raises InputError: there is something else, which is not written over.
    """
    return read(path) if os.path.exists(path) else None


def opened(one: Bundle, sealer: Sealer) -> Content:
    """What is in it.

    :raises LandscapeError: the key is another one, or the file was changed by somebody.
    """
    try:
        inside = json.loads(sealer.open(one.sealed))
        head = inside["head"]
        secrets = [model.unsealed(entry) for entry in inside["secrets"]]
        containers = [model.container_of(entry) for entry in inside["containers"]]
    except SealError as error:
        raise LandscapeError(
            f"{one.path} cannot be opened: {error}", hint=f"It is sealed for {_whom(one.head)}; nothing was changed"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{one.path} holds something else than secrets") from None
    if head != one.head or sorted(one.keys) != sorted(entry.id for entry in secrets):
        raise InputError(
            f"{one.path} was changed: its head is not the one that was sealed", hint="Take another copy of it"
        )
    return Content(secrets, containers)


def write(path: str, content: str) -> None:
    """Replaces the file as a whole; nobody but its owner may read it at any moment.

    :raises LandscapeError: it cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, content, mode=files.PRIVATE)
    except OSError as error:
        raise LandscapeError(f"{path} cannot be written: {error.strerror or error}") from error


def is_private(path: str) -> bool:
    """Whether nobody but its owner may read a file."""
    return os.stat(path).st_mode & 0o077 == 0


def _whom(head: Mapping[str, Any]) -> str:
    named = ", ".join(map(str, head.get("recipients") or ()))
    return f"{head.get('method')} {named}".strip()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
