# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is done about each image: pure, the same for check mode and for the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ...core.plan import Impact, Step
from ..model import without_password
from . import model, policy
from .model import Digest, Service, Wanted
from .policy import Way

#: States of an image that an import of ours left behind and that another run can go on with.
RESUMABLE = ("queued", "importing", "active")


@dataclass(frozen=True)
class Todo:
    """What is to be done about one image.

    :param image: Glance's image that is kept, or nothing when one is made.
    :param leftovers: images of runs that were killed, to be removed first; all of them ours.
    :param ways: how the bytes get there, when they have to.
    :param changes: attributes and properties to set before the end (``None`` takes one away).
    :param final: what makes it visible, set last.
    :param copies: stores that lack the image.
    """

    wanted: Wanted
    digest: Digest | None = None
    image: Mapping[str, Any] | None = None
    leftovers: tuple[Mapping[str, Any], ...] = ()
    ways: tuple[Way, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    final: Mapping[str, Any] = field(default_factory=dict)
    copies: tuple[str, ...] = ()

    @property
    def unfinished(self) -> bool:
        """Whether the kept image is one that an earlier run of ours began."""
        return bool(self.image and self.image.get(model.STATE))

    def steps(self) -> list[Step]:
        """The plan of this image."""
        title = f"image {self.wanted.name}"
        found = [
            Step(
                "delete",
                f"{title} ({image['id']})",
                {"status": image["status"], "state": "left by a run that did not finish"},
                undo="none is needed: it was never visible",
            )
            for image in self.leftovers
        ]
        if self.ways:
            found.append(self._bytes(title))
        if self.copies:
            after = {"stores": list(self.copies)}
            found.append(Step("copy", title, None, after, undo="delete the image from these stores"))
        found += self._metadata(title)
        return found

    def _bytes(self, title: str) -> Step:
        after = {
            "visibility": "private",
            "source": _shown(self.wanted),
            "digest": str(self.digest) if self.digest else None,
            "method": self.ways[0].method,
            "reason": self.ways[0].reason,
            "stores": list(self.wanted.stores),
        }
        before = {"status": self.image["status"], "state": "unfinished"} if self.image else None
        undo = "delete the image"
        return Step("continue" if before else "create", title, before, after, undo=undo)

    def _metadata(self, title: str) -> list[Step]:
        found = []
        current = self.image or {}
        shown = {name: value for name, value in self.changes.items() if name != model.OWNED}
        if shown and not self.ways:
            before = {name: current.get(name) for name in shown}
            found.append(Step("update", title, before, dict(shown), undo="set the values before"))
        if self.final:
            before = {name: (_BEGUN if self.ways else current).get(name, _DEFAULTS.get(name)) for name in self.final}
            found.append(Step("publish", title, before, dict(self.final), Impact.NONE, undo="set the values before"))
        return found


#: An image while it is imported: nobody finds it.
_BEGUN: Mapping[str, Any] = {"visibility": "private", "os_hidden": True, "protected": False}
_DEFAULTS: Mapping[str, Any] = {"visibility": "private", "os_hidden": False, "protected": False}


def _shown(wanted: Wanted) -> str:
    return without_password(wanted.source)


def plan(
    wanted: Wanted,
    digest: Digest | None,
    images: Iterable[Mapping[str, Any]],
    service: Service,
    project: str,
    hash_algorithm: str = policy.DEFAULT_HASH,
) -> Todo:
    """What has to be done about one image.

    :param digest: what the bytes must have; nothing for an image of another region.
    :param images: the project's images (others are not touched, whatever their name).
    :raises InputError: what is there contradicts what is wanted, and must not be replaced.
    """
    _check_stores(wanted, service)
    same = [one for one in images if is_meant(one, wanted) and one.get("owner") in (project, None)]
    begun = [one for one in same if one.get(model.STATE)]
    done = [one for one in same if not one.get(model.STATE)]
    if len(done) > 1:
        ids = ", ".join(sorted(one["id"] for one in done))
        raise InputError(
            f"image {wanted.name}: the project has {len(done)} images of that name: {ids}", hint="Give the id"
        )
    if done:
        return _kept(wanted, digest, done[0], tuple(begun))
    usable = [one for one in begun if one["status"] in RESUMABLE and _is_usable(one, wanted, digest)]
    usable.sort(key=lambda one: (RESUMABLE.index(one["status"]), one.get("created_at", "")), reverse=True)
    image = usable[0] if usable else None
    ways = policy.ways(wanted, digest, service, hash_algorithm)
    return Todo(
        wanted,
        digest,
        image,
        leftovers=tuple(one for one in begun if one is not image),
        ways=ways,
        changes=_changes(wanted, image or {}),
        final=_final(wanted, _BEGUN),
        copies=_copies_of_new(wanted, ways[0]),
    )


def is_meant(image: Mapping[str, Any], wanted: Wanted) -> bool:
    """By its id, by its marks, or by its name, whichever the operator gave.

    A snapshot of a server inherits the properties of the image it was booted from, and is not that image.
    """
    if wanted.id:
        return bool(image["id"] == wanted.id)
    if wanted.match:
        return not (image.get("base_image_ref") or image.get("instance_uuid")) and all(
            image.get(name) == value for name, value in wanted.match.items()
        )
    return bool(image.get("name") == wanted.name)


def _is_usable(image: Mapping[str, Any], wanted: Wanted, digest: Digest | None) -> bool:
    """Whether an unfinished image can become the wanted one. One with a fixed id must: no id is ever used twice."""
    return bool(wanted.id and image["status"] == "queued") or _began_same(image, wanted, digest)


def _began_same(image: Mapping[str, Any], wanted: Wanted, digest: Digest | None) -> bool:
    """Whether an unfinished image was meant to hold the same bytes; its formats cannot be changed any more."""
    return (
        image.get(model.DIGEST) == (str(digest) if digest else _remote_mark(wanted))
        and image.get("disk_format") == wanted.disk_format
        and image.get("container_format") == wanted.container_format
    )


def _remote_mark(wanted: Wanted) -> str:
    return f"image:{wanted.remote[1]}" if wanted.remote else ""


def mark_of(wanted: Wanted, digest: Digest | None) -> str:
    """What is noted at the image about its bytes."""
    return str(digest) if digest else _remote_mark(wanted)


def _check_stores(wanted: Wanted, service: Service) -> None:
    unknown = sorted(set(wanted.stores) - set(service.stores))
    if unknown:
        known = ", ".join(service.stores) or "one without a name"
        raise InputError(f"image {wanted.name}: no such store: {', '.join(unknown)}", hint=f"This cloud has {known}")
    closed = sorted(set(wanted.stores) & set(service.read_only))
    if closed:
        raise InputError(f"image {wanted.name}: {', '.join(closed)} takes no images, it only reads")


def _kept(wanted: Wanted, digest: Digest | None, image: Mapping[str, Any], leftovers: Any) -> Todo:
    """An image that is there: its bytes must be the wanted ones, everything else is brought into line."""
    _check_bytes(wanted, digest, image)
    present = model.stores_of(image)
    return Todo(
        wanted,
        digest,
        image,
        leftovers,
        changes=_changes(wanted, image),
        final=_final(wanted, image),
        copies=tuple(store for store in wanted.stores if store not in present) if present else (),
    )


def _check_bytes(wanted: Wanted, digest: Digest | None, image: Mapping[str, Any]) -> None:
    if image["status"] not in ("active", "deactivated"):
        raise InputError(
            f"image {wanted.name}: {image['id']} is {image['status']} and was not made by this module",
            hint="Remove it, or give another name",
        )
    noted = image.get(model.DIGEST)
    if noted == mark_of(wanted, digest):
        return
    hashed = f"{image.get('os_hash_algo')}:{image.get('os_hash_value')}"
    if digest is not None and str(digest) == hashed:
        return
    known = [text for text in (noted, hashed) if text and not text.startswith(("None", "image:"))]
    if digest is not None and known and not any(text.startswith(f"{digest.algorithm}:") for text in known):
        raise InputError(
            f"image {wanted.name}: whether {image['id']} holds the wanted bytes cannot be compared: it is known by"
            f" {' and '.join(known)}, wanted is {digest}",
            hint=f"Give the {' or '.join(text.partition(':')[0] for text in known)} digest of the file",
        )
    holds = noted or hashed
    raise InputError(
        f"image {wanted.name}: {image['id']} holds other bytes ({holds}, wanted {mark_of(wanted, digest)}), and the bytes of an"
        " image cannot be replaced",
        hint="Give the new one another name, or let image_lifecycle rotate it",
    )


def _changes(wanted: Wanted, image: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes and properties that differ; what we set earlier and is not wanted any more goes, all else stays."""
    found: dict[str, Any] = {}
    plain: dict[str, Any] = {"min_disk": wanted.min_disk, "min_ram": wanted.min_ram}
    if not wanted.match:
        plain["name"] = wanted.name  # an image that is known by its marks may be renamed by whoever set them
    found.update({name: value for name, value in plain.items() if value is not None and image.get(name, 0) != value})
    if wanted.tags is not None and sorted(image.get("tags") or ()) != list(wanted.tags):
        found["tags"] = list(wanted.tags)
    current = model.properties_of(image)
    found.update({name: value for name, value in wanted.properties.items() if current.get(name) != value})
    before = model.owned_of(image)
    found.update({name: None for name in before if name not in wanted.properties and name in current})
    # A property that was there before us and has the wanted value is not ours to take away later.
    ours = sorted(name for name in wanted.properties if name in before or current.get(name) != wanted.properties[name])
    if tuple(ours) != tuple(sorted(before)):
        found[model.OWNED] = ",".join(ours) or None
    return found


def _final(wanted: Wanted, image: Mapping[str, Any]) -> dict[str, Any]:
    """What makes an image visible or lasting; a new one gets the defaults of what is not said."""
    want: dict[str, Any] = {"visibility": wanted.visibility, "os_hidden": wanted.hidden, "protected": wanted.protected}
    if image is _BEGUN:
        want = {name: _DEFAULTS[name] if value is None else value for name, value in want.items()}
    return {
        name: value for name, value in want.items() if value is not None and image.get(name, _DEFAULTS[name]) != value
    }


def _copies_of_new(wanted: Wanted, way: Way) -> tuple[str, ...]:
    """Stores that an upload does not reach."""
    return tuple(wanted.stores[1:]) if way.method == "upload" else ()
