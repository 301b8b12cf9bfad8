# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Entries of a catalogue and their versions, ready to be compared with images."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ....core.errors import InputError
from ...model import secrets_in, without_password
from . import schema

#: Properties that say to which entry and version an image belongs; they are ours.
ENTRY = "scs_landscape_entry"
VERSION = "scs_landscape_version"
#: When an image was replaced or taken back, as a time in UTC.
RETIRED = "scs_landscape_retired"

_PACKED = re.compile(r"\.(xz|gz|bz2|zst|zip|tar|tgz)$")


@dataclass(frozen=True)
class Version:
    """One version of an entry.

    :param urls: where the bytes are, the first that works counts.
    :param digest: what they must have; ``digests`` is a vendor's list that has it.
    :param properties: all free properties but the purpose.
    """

    version: str
    urls: tuple[str, ...]
    file: str = ""
    digest: str = ""
    digests: Mapping[str, Any] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    visibility: str = "public"
    hidden: bool = False
    id: str = ""

    @property
    def provable(self) -> bool:
        """Whether there is a digest."""
        return bool(self.digest or self.digests)

    @property
    def secret(self) -> bool:
        """Whether an address of the bytes or of their digests holds what no answer may show."""
        return any(secrets_in([self.urls, self.digests or {}]))

    @property
    def places(self) -> dict[str, Any]:
        """Where the bytes and their digest are, in the words of ``image_import``."""
        found: dict[str, Any] = {"url": list(self.urls), "file": self.file}
        found.update({"digest": self.digest} if self.digest else {"digests": dict(self.digests or {})})
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Entry:
    """An image of the catalogue, in all its versions.

    :param rotates: the newest version has the plain name and replaces the others; otherwise all versions stand side by side.
    :param purpose: value of ``os_purpose`` of an image that is offered.
    :param versions: the oldest first.
    :param lives: value of ``uuid_validity``: how long a replaced image can be used by its id.
    """

    name: str
    versions: tuple[Version, ...]
    rotates: bool = True
    enabled: bool = True
    retired: bool = False
    keep: bool = False
    separator: str = " "
    purpose: str = "generic"
    lives: str = "none"
    retired_visibility: str = ""
    format: str = "qcow2"
    min_disk: int = 0
    min_ram: int = 0
    tags: tuple[str, ...] = ()
    transfer: Mapping[str, Any] = field(default_factory=dict)

    def name_of(self, version: str, offered: bool) -> str:
        """Name of an image of this entry."""
        if self.rotates:
            return self.name if offered else f"{self.name}{self.separator}({version})"
        return f"{self.name}{self.separator}{version}"

    def by_version(self, version: str) -> Version | None:
        """A version of the catalogue."""
        return next((one for one in self.versions if one.version == version), None)

    @property
    def offered(self) -> tuple[Version, ...]:
        """Versions that should be offered."""
        if self.retired:
            return ()
        return self.versions[-1:] if self.rotates else self.versions


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which ``10`` comes after ``9``."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", text))


def entries_of(documents: Iterable[tuple[str, Any]], tag: str = "", duplicate_purpose: str = "") -> list[Entry]:
    """Entries of some documents; those that are switched off are left out.

    :param documents: where each is from, and its content.
    :param tag: a tag for every image of the catalogue.
    :param duplicate_purpose: what an entry gets for ``generic`` when an earlier one has its distribution, version and
        architecture; refused when empty.
    :raises InputError: everything that is wrong with them, each with its place.
    """
    wrong: list[str] = []
    found: list[Entry] = []
    for origin, data in documents:
        bad = list(schema.problems(data))
        wrong += [f"{origin}: {problem}" for problem in bad]
        if not bad:
            found += [_entry(one, tag) for one in data["images"] if one.get("enable", True)]
    names = [entry.name for entry in found]
    wrong += [f"image {name} is defined twice" for name in sorted({name for name in names if names.count(name) > 1})]
    clashes = duplicates(found)
    if not duplicate_purpose:
        wrong += [_clash(entry, other) for entry, other in clashes.items()]
    if wrong:
        more = f"; and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise InputError("; ".join(wrong[:20]) + more)
    return [replace(one, purpose=duplicate_purpose) if one.name in clashes else one for one in found]


def _clash(entry: str, other: str) -> str:
    return (
        f"images {other} and {entry} are both generic for one distribution, version and architecture, and scs-0102 allows one:"
        " give one of them another os_purpose, or set duplicate_purpose"
    )


def duplicates(entries: Sequence[Entry]) -> dict[str, str]:
    """Entries that would be a second generic image of something, and the first."""
    found: dict[str, str] = {}
    keys: dict[tuple[str, ...], str] = {}
    for entry in entries:
        for version in entry.offered:
            if entry.purpose == "generic" and version.visibility == "public" and not version.hidden:
                other = keys.setdefault(key_of(version.properties), entry.name)
                if other != entry.name:
                    found[entry.name] = other
    return found


def chosen(entries: Sequence[Entry], names: Iterable[str] | None, retire: Iterable[str]) -> list[Entry]:
    """The entries of some names, all when there are none given.

    :param retire: names of entries that are taken back; they must exist, too.
    :raises InputError: there is no entry of a name.
    """
    known = {entry.name for entry in entries}
    unknown = sorted((set(names or ()) | set(retire)) - known)
    if unknown:
        raise InputError(
            f"The catalogue has no image {', '.join(unknown)}", hint="Entries with enable: false do not count"
        )
    wanted = known if names is None else {*names, *retire}
    return [entry for entry in entries if entry.name in wanted]


def key_of(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """What an image is the one generic image of (scs-0102): distribution, its version, architecture."""
    return tuple(str(properties.get(name) or "") for name in ("os_distro", "os_version", "architecture"))


def _entry(data: Mapping[str, Any], tag: str) -> Entry:
    meta = data["meta"]
    tags = [*(data.get("tags") or ()), *([tag] if tag else ()), f"os:{meta['os_distro']}"]
    versions = [_version(data, one) for one in data["versions"]]
    wanted = {key: data[key] for key in ("stores", "convert", "method") if key in data}
    return Entry(
        name=data["name"],
        versions=tuple(sorted(versions, key=lambda one: natural(one.version))),
        rotates=bool(data.get("multi", True)),
        retired=bool(data.get("retired")),
        keep=bool(data.get("keep")),
        separator=data.get("separator", " "),
        purpose=meta.get("os_purpose") or "generic",
        lives=text_of(meta.get("uuid_validity") or "none"),
        retired_visibility=data.get("retired_visibility") or "",
        format=data["format"],
        min_disk=data["min_disk"],
        min_ram=data["min_ram"],
        tags=tuple(sorted(set(tags))),
        transfer=wanted,
    )


def _version(image: Mapping[str, Any], data: Mapping[str, Any]) -> Version:
    version = text_of(data["version"])
    url, mirror = data["url"], data.get("mirror_url")
    # A mirror has what Glance takes; the vendor's file may be packed.
    places = [mirror, url] if mirror and not _PACKED.search(url) else [mirror or url]
    files = [place for place in places if place.startswith("file:")]
    digests = data.get("digests") or _list_of(data)
    return Version(
        version=version,
        urls=() if files else tuple(dict.fromkeys(places)),
        file=re.sub(r"^file:(//)?", "", files[0]) if files else "",
        digest=data.get("checksum") or "",
        digests=None if data.get("checksum") else digests,
        properties=_properties(image, data, version),
        visibility=data.get("visibility") or image["visibility"],
        hidden=bool(data.get("hidden")),
        id=data.get("id") or "",
    )


def _list_of(data: Mapping[str, Any]) -> dict[str, Any] | None:
    source = data.get("checksums_url") or data.get("checksum_url")
    return {"source": source} if source else None


def _properties(image: Mapping[str, Any], data: Mapping[str, Any], version: str) -> dict[str, str]:
    """Free properties of an image of this version: those of scs-0102, and what the catalogue says besides."""
    rotates = bool(image.get("multi", True))
    found: dict[str, Any] = {**image["meta"], **(data.get("meta") or {})}
    found.pop("os_purpose", None)
    if not rotates:
        found["os_version"] = version
    if "os_version" in data:
        found["os_version"] = data["os_version"]
    found["image_source"] = data.get("source") or _shown(data["url"])
    found["image_original_user"] = image["login"]
    found["image_description"] = data.get("image_description") or found.get("image_description") or image["name"]
    found["internal_version"] = version
    if "password" in image:
        found["image_original_password"] = image["password"]
    if "build_date" in data:
        found["image_build_date"] = data["build_date"]
    return {key: text_of(value) for key, value in found.items() if value is not None}


def _shown(url: str) -> str:
    """An address as everybody may read it at a public image: a path of the controller is nobody's business (scs-0102)."""
    return "private" if url.startswith("file:") else without_password(url)


def text_of(value: Any) -> str:
    """A value as Glance keeps it."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)
