# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Secrets of Barbican and who uses them: data only. No object here shows a payload when it is printed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError, LandscapeError

#: Metadata of a secret that an import made: the id it had in the cloud it comes from.
MARK = "scs_landscape_secret"
#: Properties of images that name what Barbican holds.
IMAGE_KEY, IMAGE_CERTIFICATE = "cinder_encryption_key_id", "img_signature_certificate_uuid"
#: What a secret is besides its payload, as Barbican names it.
_FACTS = ("name", "secret_type", "algorithm", "bit_length", "mode", "expiration", "created")


class SealError(LandscapeError):
    """It cannot be sealed or opened with what was given."""


@dataclass(frozen=True)
class Use:
    """Somebody who names a secret.

    :param kind: ``volume``, ``backup``, ``image`` or ``container``; ``secret`` when it was asked for by its id.
    :param property: of an image: which of its properties.
    """

    kind: str
    id: str
    key: str
    property: str = ""

    def as_dict(self) -> dict[str, str]:
        """For the list of a bundle."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Secret:
    """A secret; what is in it never changes in Barbican once it is there.

    :param id: its id in the cloud it comes from.
    :param content: media type of the payload.
    :param metadata: what users wrote beside it.
    :param readers: who may read it: ``project-access`` and ``users`` as in Barbican's list; empty for what is usual.
    :param payload: the bytes that nobody may see.
    """

    id: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = field(default=b"", repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name it was given; Cinder gives none."""
        return str(self.facts.get("name") or "")

    @property
    def label(self) -> str:
        """The name of the secret that an import makes of it."""
        return self.name or f"scs-landscape {self.id}"

    def shown(self) -> dict[str, Any]:
        """All but the payload, in a form that is the same each time."""
        return {
            "id": self.id,
            "facts": dict(self.facts),
            "content": self.content,
            "metadata": dict(sorted(self.metadata.items())),
            "readers": dict(self.readers),
        }

    def sealed(self) -> dict[str, Any]:
        """Everything: for the sealed part of a bundle and for nothing else."""
        return {**self.shown(), "payload": base64.b64encode(self.payload).decode()}


@dataclass(frozen=True)
class Container:
    """A named group of secrets.

    :param members: name and id of each secret.
    """

    id: str
    name: str = ""
    type: str = "generic"
    members: tuple[tuple[str, str], ...] = ()

    def shown(self) -> dict[str, Any]:
        """As it is kept in a bundle."""
        return {"id": self.id, "name": self.name, "type": self.type, "members": [list(one) for one in self.members]}


def id_of(reference: str) -> str:
    """The id at the end of a reference: Barbican names its objects by their addresses."""
    return reference.rstrip("/").rpartition("/")[2]


def secret_of(identifier: str, body: Mapping[str, Any], metadata: Mapping[str, Any], acl: Mapping[str, Any]) -> Secret:
    """A secret of three answers of Barbican, without its payload."""
    read = dict(acl.get("read") or {})
    users = sorted(str(one) for one in read.get("users") or ())
    closed = read.get("project-access") is False
    readers = {"project-access": not closed, "users": users} if closed or users else {}
    types = body.get("content_types") or {}
    return Secret(
        id=identifier,
        facts={name: body[name] for name in _FACTS if body.get(name) is not None},
        content=str(types.get("default") or ""),
        metadata={str(key): str(value) for key, value in metadata.items()},
        readers=readers,
    )


def unsealed(data: Mapping[str, Any]) -> Secret:
    """A secret out of the opened part of a bundle.

    :raises InputError: it is none; nothing of it is shown.
    """
    try:
        payload = base64.b64decode(data["payload"], validate=True)
        found = Secret(
            str(data["id"]),
            dict(data["facts"]),
            str(data["content"]),
            dict(data["metadata"]),
            dict(data["readers"]),
            payload,
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise InputError("The bundle holds what is no secret") from None
    if not payload:
        raise InputError(f"The bundle has no payload for the secret {found.id}")
    return found


def container_of(body: Mapping[str, Any]) -> Container:
    """A container as Barbican or a bundle has it."""
    pairs = body.get("members")
    if pairs is None:
        refs = body.get("secret_refs") or ()
        pairs = [(one.get("name") or "", id_of(str(one["secret_ref"]))) for one in refs]
    members = tuple(sorted((str(name), str(key)) for name, key in pairs))
    identifier = str(body.get("id") or id_of(str(body.get("container_ref") or "")))
    return Container(identifier, str(body.get("name") or ""), str(body.get("type") or "generic"), members)


def forms(payload: bytes) -> Iterator[str]:
    """How a payload may be written: what must not be in any text that is shown."""
    yield payload.hex()
    yield base64.b64encode(payload).decode()
    yield base64.urlsafe_b64encode(payload).decode()
    text = payload.decode("utf-8", "replace")
    yield text
    yield text.strip()


def hidden(text: str, secrets: Sequence[Secret]) -> str:
    """A text of somebody else without payloads."""
    found = {form for one in secrets for form in forms(one.payload) if len(form) >= 4}
    for form in sorted(found, key=len, reverse=True):
        text = text.replace(form, "***")
    return text
