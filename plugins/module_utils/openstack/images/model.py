# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""An image as the operator wants it, as Glance has it, and what the service can do."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ..model import without_password

#: Properties that carry what only we know. Glance keeps names that begin with ``os_glance_`` for itself.
DIGEST = "scs_landscape_digest"  # the digest that the bytes had when they were imported, as sha256:...
STATE = "scs_landscape_state"  # present while an import is not finished; its value says which run began it
OWNED = "scs_landscape_properties"  # names of the properties we have set, so that they can be taken away again
#: The image's own id. Nova and Cinder copy properties into the images they make of servers and volumes; a mark of ours
#: counts only where this names the image it stands at.
SELF = "scs_landscape_id"
_OURS = frozenset((DIGEST, STATE, OWNED, SELF))
#: What Nova writes to images of servers (snapshots, backups, shelved ones), those of servers with a volume included.
_SNAPSHOT = ("base_image_ref", "instance_uuid", "block_device_mapping")

METHODS = ("auto", "upload", "glance-direct", "web-download", "glance-download")
VISIBILITIES = ("private", "shared", "community", "public")

_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
#: Algorithms for which somebody can make another file with the same digest.
WEAK = ("md5", "sha1")
_STRONG = ("sha256", "sha384", "sha512")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Properties that Glance manages, or that have options of their own.
RESERVED = frozenset(
    (
        *(
            "id",
            "name",
            "status",
            "visibility",
            "size",
            "checksum",
            "os_hash_algo",
            "os_hash_value",
            "os_hidden",
            "owner",
        ),
        *("created_at", "updated_at", "tags", "min_ram", "min_disk", "protected", "disk_format", "container_format"),
        *(
            "virtual_size",
            "self",
            "file",
            "schema",
            "locations",
            "direct_url",
            "stores",
            "location",
            "deleted",
            "deleted_at",
        ),
    )
)


@dataclass(frozen=True)
class Digest:
    """A digest of bytes: algorithm and hexadecimal value in lower case."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def digest_of(text: str, *, weak: bool = False) -> Digest:
    """``sha256:...`` or a bare value, whose length says the algorithm.

    :param weak: whether MD5 and SHA-1 are good enough.
    :raises InputError: it is no digest, or a weak one.
    """
    name, mark, value = text.strip().rpartition(":")
    value = value.lower()
    algorithm = (name.lower().replace("-", "") if mark else "") or _LENGTHS.get(len(value), "")
    if not re.fullmatch(r"[0-9a-f]+", value) or _LENGTHS.get(len(value)) != algorithm:
        raise InputError(f"{text!r} is no digest", hint="Write it as sha256:<64 hexadecimal digits> or sha512:<128>")
    if algorithm in WEAK and not weak:
        raise InputError(
            f"{algorithm} is no proof of what was downloaded: files with the same digest can be made",
            hint="Give sha256 or sha512, or set allow_weak_digest",
        )
    return Digest(algorithm, value)


@dataclass(frozen=True)
class Signature:
    """Who must have signed the list of digests.

    :param kind: ``gpg`` or ``minisign``.
    :param source: where the detached signature is; empty when the list is signed in itself (``gpg --clearsign``).
    :param key: keyring (GPG) or public key (minisign), a file; a minisign key may be written out.
    """

    kind: str
    key: str
    source: str = ""


@dataclass(frozen=True)
class DigestList:
    """A vendor's list of digests (``SHA256SUMS``).

    :param source: address or file.
    :param name: which line; the last part of the image's address when empty.
    """

    source: str
    name: str = ""
    signature: Signature | None = None


@dataclass(frozen=True)
class Wanted:
    """One image as the operator wants it; see the documentation of ``image_import`` for each field.

    What is ``None`` is the operator's business: a new image gets the service's default, one that is there keeps what it has.
    """

    name: str
    id: str = ""
    urls: tuple[str, ...] = ()
    file: str = ""
    remote: tuple[str, str] | None = None
    digest: Digest | None = None
    digests: DigestList | None = None
    method: str = "auto"
    convert: bool = False
    stores: tuple[str, ...] = ()
    visibility: str | None = None
    hidden: bool | None = None
    protected: bool | None = None
    disk_format: str = "qcow2"
    container_format: str = "bare"
    min_disk: int | None = None
    min_ram: int | None = None
    tags: tuple[str, ...] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    match: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Where the bytes come from, for people."""
        if self.remote:
            return f"image {self.remote[1]} of region {self.remote[0]}"
        return self.file or (self.urls[0] if self.urls else "")


@dataclass(frozen=True)
class Service:
    """What the image service of this cloud can do.

    :param methods: import methods it has switched on.
    :param stores: ids of its stores, the default first; empty when it has one only and does not say.
    """

    methods: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()


def wanted_of(options: Mapping[str, Any], *, weak: bool = False) -> Wanted:
    """One image from the options of a task.

    :raises InputError: everything that is wrong with it, in one message that begins with its name.
    """
    name = str(options.get("name") or "")
    problems = list(_problems(options))
    digest = None
    try:
        digest = digest_of(options["digest"], weak=weak) if options.get("digest") else None
    except InputError as error:
        problems.append(str(error))
    if problems:
        raise InputError(f"image {name or '?'}: " + "; ".join(problems))
    remote = options.get("remote")
    match = _texts(options.get("match"))
    return Wanted(
        name=name,
        id=options.get("id") or "",
        urls=tuple(options.get("url") or ()),
        file=options.get("file") or "",
        remote=(str(remote["region"]), str(remote["id"])) if remote else None,
        digest=digest,
        digests=_digest_list(options.get("digests")),
        method=options.get("method") or "auto",
        convert=bool(options.get("convert")),
        stores=tuple(options.get("stores") or ()),
        visibility=options.get("visibility"),
        hidden=options.get("hidden"),
        protected=options.get("protected"),
        disk_format=options.get("disk_format") or "qcow2",
        container_format=options.get("container_format") or "bare",
        min_disk=options.get("min_disk"),
        min_ram=options.get("min_ram"),
        tags=None if options.get("tags") is None else tuple(sorted(set(options["tags"]))),
        properties={**_texts(options.get("properties")), **match},
        match=match,
    )


def _problems(options: Mapping[str, Any]) -> list[str]:
    """What is wrong with the options of one image."""
    found = []
    if not options.get("name"):
        found.append("it has no name")
    if options.get("id") and not _UUID.fullmatch(options["id"]):
        found.append(f"the id {options['id']!r} is no UUID in lower case")
    sources = [key for key in ("url", "file", "remote") if options.get(key)]
    if len(sources) != 1:
        found.append(f"give one of url, file and remote, not {' and '.join(sources) or 'none'}")
    if any("://********" in url or "********" in url.partition("?")[2] for url in options.get("url") or ()):
        found.append("its address was hidden by Ansible, because it holds a secret: keep it in a file of the catalogue")
    odd = [url for url in options.get("url") or () if not re.fullmatch(r"https?://[^/\s]+\S*", url)]
    found += [f"{without_password(url)!r} is no http or https address" for url in odd]
    if options.get("digest") and options.get("digests"):
        found.append("digest and digests exclude each other")
    if not options.get("digest") and not options.get("digests"):
        found.append("give digest or digests: bytes that nobody can check are not imported")
    reserved = sorted(RESERVED & set(options.get("properties") or ()))
    if reserved:
        found.append(f"{', '.join(reserved)} is no property to set; some have options of their own")
    given = {**(options.get("properties") or {}), **(options.get("match") or {})}
    ours = sorted(key for key in given if key in _OURS or str(key).startswith("os_glance_"))
    if ours:
        found.append(f"{', '.join(ours)}: such names are kept for the module and the service")
    empty = sorted(str(key) for key, value in (options.get("match") or {}).items() if value is None)
    if empty:
        found.append(f"match has no value for {', '.join(empty)}")
    if options.get("method") == "glance-download" and not options.get("remote"):
        found.append("glance-download needs remote")
    if options.get("method") == "web-download" and not options.get("url"):
        found.append("web-download needs url")
    return found


def _digest_list(given: Mapping[str, Any] | None) -> DigestList | None:
    if not given:
        return None
    signed = given.get("signature")
    signature = Signature(signed["type"], signed["key"], signed.get("source") or "") if signed else None
    return DigestList(given["source"], given.get("name") or "", signature)


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): _text(value) for key, value in (given or {}).items() if value is not None}


def _text(value: Any) -> str:
    """A property's value as Glance keeps it: text, and truth as OpenStack writes it."""
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value)


def properties_of(image: Mapping[str, Any]) -> dict[str, str]:
    """The free properties of an image in Glance's answer: what is neither Glance's own nor ours."""
    return {
        key: value
        for key, value in image.items()
        if key not in RESERVED and key not in _OURS and not key.startswith("os_glance_") and isinstance(value, str)
    }


def is_ours(image: Mapping[str, Any]) -> bool:
    """Whether the marks of an image are about this image, and were not copied from the one it was made of."""
    return image.get(SELF) == image.get("id") and not is_copy(image)


def is_copy(image: Mapping[str, Any]) -> bool:
    """Whether an image was made of a server or a volume: it is somebody's data, whatever properties it inherited."""
    other = SELF in image and image[SELF] != image.get("id")
    kind = image.get("image_type") in ("snapshot", "backup")
    return other or kind or any(name in image for name in _SNAPSHOT)


def owned_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the properties that earlier runs have set."""
    return tuple(filter(None, str(image.get(OWNED) or "").split(",")))


def stores_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the stores that hold an image."""
    return tuple(filter(None, str(image.get("stores") or "").split(",")))


def failed_stores_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the stores in which the last import failed."""
    return tuple(filter(None, str(image.get("os_glance_failed_import") or "").split(",")))


def importing_stores_of(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the stores that an import still has to do."""
    return tuple(filter(None, str(image.get("os_glance_importing_to_stores") or "").split(",")))


def new_id() -> str:
    """An id of our own, so that a creation whose answer was lost can be asked for again."""
    return str(uuid.uuid4())
