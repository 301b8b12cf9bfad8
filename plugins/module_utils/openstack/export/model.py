# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images that leave a cloud: which ones, into which files, and what is written down beside each file. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.files import confined
from ..images.model import RESERVED, Digest

FORMAT, VERSION = "scs.landscape.image", 1
#: Beside a file: the bytes so far, whose bytes these are, and what the whole file is.
PART, STATE, RECORD = ".part", ".part.json", ".scs.json"
CHECKS = ("recorded", "read")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FIELDS = ("id", "name", "format")


@dataclass(frozen=True)
class Image:
    """An image as the service shows it.

    :param digest: what its bytes must have; nothing where the service knows none.
    :param size: bytes; ``None`` as long as there are none.
    :param listed: snapshots of volumes that it consists of instead of bytes.
    :param properties: those that can be set again.
    """

    id: str
    name: str = ""
    status: str = "active"
    size: int | None = None
    digest: Digest | None = None
    disk_format: str = ""
    container_format: str = ""
    created: str = ""
    tags: tuple[str, ...] = ()
    listed: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_weak(self) -> bool:
        """Whether only a digest is known for which somebody can make another file."""
        return self.digest is not None and self.digest.algorithm == "md5"

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for two looks to be at the same bytes."""
        return {"image": self.id, "size": self.size, "digest": str(self.digest)}

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def image_of(body: Mapping[str, Any]) -> Image:
    """An image of Glance; MD5 counts where it has nothing better, as those made before the release Rocky."""
    digest = None
    if body.get("os_hash_algo") and body.get("os_hash_value"):
        digest = Digest(str(body["os_hash_algo"]).lower(), str(body["os_hash_value"]).lower())
    elif body.get("checksum"):
        digest = Digest("md5", str(body["checksum"]).lower())
    size = body.get("size")
    own = {
        name: value
        for name, value in body.items()
        if isinstance(value, str) and name not in RESERVED and not name.startswith("os_glance_")
    }
    return Image(
        id=str(body["id"]),
        name=str(body.get("name") or ""),
        status=str(body.get("status") or ""),
        size=int(size) if size is not None else None,
        digest=digest,
        disk_format=str(body.get("disk_format") or ""),
        container_format=str(body.get("container_format") or ""),
        created=str(body.get("created_at") or ""),
        tags=tuple(str(one) for one in body.get("tags") or ()),
        listed=not size and bool(body.get("block_device_mapping")),
        properties=own,
    )


def is_id(text: str) -> bool:
    """Whether a text can be the id of an image."""
    return _UUID.fullmatch(text) is not None


def refusal(image: Image) -> str:
    """Why an image cannot be exported; empty when it can."""
    if image.status != "active":
        return f"it is {image.status or 'in no known state'}, not active"
    if image.listed:
        return "it has no bytes of its own: it lists snapshots of volumes, which volume_backup_run backs up"
    if not image.size:
        return "it has no bytes"
    if image.digest is None:
        return "the service knows no digest of it, so that nothing could prove its bytes"
    return ""


# Which ones.


@dataclass(frozen=True)
class Selector:
    """What is asked for; what is named and what the rule finds is added up.

    :param named: ids or names.
    :param tags: those of the rule; an image of the project has all of them.
    :param properties: and all of these.
    """

    named: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_rule(self) -> bool:
        """Whether there is more than names."""
        return bool(self.tags or self.properties)

    def finds(self, body: Mapping[str, Any]) -> bool:
        """Whether the rule finds an image of the service."""
        tags = set(body.get("tags") or ())
        return self.has_rule and set(self.tags) <= tags and _has(body, self.properties)


def _has(body: Mapping[str, Any], properties: Mapping[str, str]) -> bool:
    return all(name in body and _text(body[name]) == value for name, value in properties.items())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def selector_of(params: Mapping[str, Any]) -> Selector:
    """What the options of ``image_export`` say.

    :raises InputError: nothing is asked for.
    """
    properties = {str(name): _text(value) for name, value in params["properties"].items()}
    found = Selector(tuple(dict.fromkeys(params["images"])), tuple(params["tags"]), properties)
    if not found.named and not found.has_rule:
        raise InputError("No image is asked for", hint="Give images, tags or properties")
    return found


@dataclass(frozen=True)
class Selection:
    """The images of a task.

    :param omitted: what the rule found and what cannot be exported, with the reason.
    """

    chosen: tuple[Image, ...] = ()
    omitted: tuple[tuple[Image, str], ...] = ()


def select(named: Mapping[str, Sequence[Mapping[str, Any]]], ruled: Iterable[Mapping[str, Any]]) -> Selection:
    """The images of a task, each once.

    :param named: what the service has for each id or name.
    :param ruled: what the rule finds.
    :raises InputError: a name is not that of exactly one image, or of one that cannot be exported; all of them at once.
    """
    problems: list[str] = []
    chosen: dict[str, Image] = {}
    omitted: list[tuple[Image, str]] = []
    for text, found in named.items():
        if len(found) != 1:
            ids = ", ".join(str(one["id"]) for one in found)
            several = f"{len(found)} images are called {text!r}: {ids}"
            problems.append(several if found else f"there is no image {text!r}, or not for this token")
            continue
        image = image_of(found[0])
        reason = refusal(image)
        if reason:
            problems.append(f"image {image}: {reason}")
        chosen[image.id] = image
    for body in ruled:
        image = image_of(body)
        reason = refusal(image)
        if reason and image.id not in chosen:
            omitted.append((image, reason))
        elif not reason:
            chosen.setdefault(image.id, image)
    if problems:
        raise InputError("\n".join(problems), hint="Give ids where names are not unique")
    return Selection(tuple(chosen.values()), tuple(omitted))


# Where to.


def file_name(template: str, image: Image) -> str:
    """The name of the file of an image; what the service says is confined to one name.

    :raises InputError: it leads elsewhere, or is one of the names that lie beside a file.
    """
    values = {"id": image.id, "name": image.name, "format": image.disk_format or "raw"}
    for name in _FIELDS:
        if f"{{{name}}}" in template and not _is_plain(values[name]):
            raise InputError(
                f"image {image}: its {name} {values[name]!r} cannot be part of the name of a file",
                hint="Use {id} in file_name",
            )
    name = template
    for key in _FIELDS:
        name = name.replace(f"{{{key}}}", values[key]) if key != "name" else name
    name = name.replace("{name}", values["name"])  # the last one: a name may hold braces
    if name.endswith((PART, STATE, RECORD)) or len(name.rpartition("/")[2].encode()) > 200:
        raise InputError(f"image {image}: {name!r} is too long, or a name that is needed for what lies beside a file")
    return confined(name)


def _is_plain(text: str) -> bool:
    return bool(text) and not text.startswith(".") and not set(text) & set("/\\\0") and text.isprintable()


def file_names(template: str, images: Iterable[Image]) -> dict[str, str]:
    """The name of the file of each image, by id.

    :raises InputError: names are bad, or those of several; all of it at once.
    """
    found: dict[str, str] = {}
    users: dict[str, list[str]] = {}
    problems: list[str] = []
    for image in images:
        try:
            found[image.id] = file_name(template, image)
        except InputError as error:
            problems.append(str(error))
            continue
        users.setdefault(found[image.id], []).append(str(image))
    problems += [f"{', '.join(ones)} would all be {name!r}" for name, ones in users.items() if len(ones) > 1]
    if problems:
        raise InputError("\n".join(problems), hint="Look at file_name")
    return found


# What lies beside a file.


def record_of(image: Image, mtime: int, server: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is written down about a whole file: whose bytes they are, and all that is needed to import them again.

    :param mtime: when the file was last changed, in nanoseconds: whether it is still as we left it.
    :param server: whose root disk it is.
    """
    about = {
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "created": image.created,
        "tags": list(image.tags),
        "properties": dict(image.properties),
    }
    found = {"format": FORMAT, "version": VERSION, **image.identity, "mtime": mtime, "about": about}
    return {**found, **({"server": dict(server)} if server else {})}


def load(text: str) -> dict[str, Any]:
    """What lies beside a file, as far as it is ours; empty when it is not, which only costs a second look."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def is_of(noted: Mapping[str, Any], image: Image) -> bool:
    """Whether what was noted is about the bytes of an image."""
    return {key: noted.get(key) for key in image.identity} == image.identity


def total(headers: Mapping[str, str], offset: int, image: Image) -> str:
    """Why an answer with a part of an image is not the one that was asked for; empty when it is.

    :param headers: those of a 206.
    """
    said = headers.get("content-range", "")
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", said.strip())
    if match is None:
        return f"it answered with a part and does not say which one ({said!r})"
    if int(match[1]) != offset or match[3] not in ("*", str(image.size)):
        return f"it answered with {said!r} when the bytes from {offset} of {image.size} were asked for"
    return ""
