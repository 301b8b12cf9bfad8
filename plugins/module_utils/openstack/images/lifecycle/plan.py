# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How images of a catalogue are switched: pure, the same for check mode and for the run.

scs-0102 allows at most one public, visible image with ``os_purpose=generic`` for a distribution, version and architecture, and
scs-0104 asks for one of that name at any time. Glance changes one image at a time, so a switch takes three requests:

1. the new image gets the name and becomes visible, with the purpose ``custom``: the name never disappears,
2. the old one is hidden, gets the purpose ``oldgeneric`` and a name with its version,
3. the new one becomes ``generic``.

There is never a second generic image. Between 2 and 3 there is none for the time of one request. Every state in between is
one from which the next run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ....core.plan import Step
from .. import model
from ..catalogue.model import ENTRY, RETIRED, VERSION, Entry, Version, key_of, natural

Image = Mapping[str, Any]

#: The purpose of a new image while the old one is still there (scs-0102: to be used in case of doubt).
INTERIM = "custom"
GENERIC = "generic"


@dataclass(frozen=True)
class Rules:
    """What an operator has decided.

    :param now: the time as text (UTC), for images that are replaced now.
    :param old_purpose: ``os_purpose`` of generic images that were replaced.
    :param retired_visibility: visibility of replaced images, unchanged when empty.
    :param retire: names of entries whose images are taken back, all of them.
    :param foresee: whether it is planned as if what is missing had been imported; such a plan is for reading alone.
    """

    now: str
    old_purpose: str = "oldgeneric"
    retired_visibility: str = ""
    retire: tuple[str, ...] = ()
    foresee: bool = False


@dataclass(frozen=True)
class Move:
    """One request: what is changed of one image.

    :param kind: ``offer``, ``retire``, ``finish`` or ``update``.
    """

    kind: str
    entry: str
    image: Image
    changes: Mapping[str, Any]

    def step(self) -> Step:
        """The move as a step; what only we need to know is not shown."""
        shown = {name: value for name, value in self.changes.items() if not name.startswith("scs_landscape_")}
        before = {name: self.image.get(name) for name in shown}
        title = f"image {self.entry} ({self.image['id']})"
        return Step(self.kind, title, before, shown, undo="set the values before")


@dataclass(frozen=True)
class Turn:
    """What is done about one entry.

    :param missing: versions that should be offered and are not there.
    :param retired: images that are replaced or taken back, the newest first, before or after this turn.
    :param blocked: why nothing is switched, in one sentence; then nothing is retired either.
    """

    entry: Entry
    moves: tuple[Move, ...] = ()
    missing: tuple[Version, ...] = ()
    retired: tuple[Image, ...] = ()
    blocked: str = ""
    rivals: tuple[str, ...] = field(default=())


def version_of(image: Image, entry: Entry) -> str:
    """The version of an entry that an image is; empty when it is none.

    Images that openstack-image-manager made are known by their name and its property ``internal_version``. Snapshots,
    shelved servers and images of volumes carry properties of the image they were made of, and are no version of anything.
    """
    if model.is_copy(image) or image.get(ENTRY, entry.name) != entry.name:
        return ""
    if ENTRY in image and model.is_ours(image):
        return str(image.get(VERSION) or "")
    version = str(image.get("internal_version") or "")
    known = (entry.name, entry.name_of(version, False)) if entry.rotates else (entry.name_of(version, True),)
    return version if version and image.get("name") in known else ""


def turns(entries: Iterable[Entry], images: Sequence[Image], foreign: Sequence[Image], rules: Rules) -> list[Turn]:
    """What is done about every entry.

    :param images: those of the project.
    :param foreign: public generic images of anybody.
    """
    found = [_turn(entry, images, foreign, rules) for entry in entries]
    return [_foreseen(turn, images, foreign, rules) for turn in found] if rules.foresee else found


def _foreseen(turn: Turn, images: Sequence[Image], foreign: Sequence[Image], rules: Rules) -> Turn:
    """The turn that follows when what is missing, and can be imported, has been."""
    coming = [_imported(turn.entry, version) for version in turn.missing if version.provable]
    if not coming:
        return turn
    return replace(_turn(turn.entry, [*images, *coming], foreign, rules), missing=turn.missing)


def _imported(entry: Entry, version: Version) -> Image:
    """A version as ``image_import`` is going to leave it."""
    identifier = version.id or f"not imported yet, {version.version}"
    wanted = import_of(entry, version)
    return {
        **version.properties,
        **wanted["match"],
        "id": identifier,
        "status": "active",
        "os_hidden": True,
        **{name: wanted[name] for name in ("name", "visibility", "min_disk", "min_ram", "tags")},
        model.SELF: identifier,
        model.OWNED: ",".join(sorted({**version.properties, **wanted["match"]})),
    }


def _turn(entry: Entry, images: Sequence[Image], foreign: Sequence[Image], rules: Rules) -> Turn:
    mine = {str(one["id"]): one for one in images if version_of(one, entry) and not one.get(model.STATE)}
    offered = () if entry.name in rules.retire else entry.offered
    targets: dict[str, tuple[Version, Image]] = {}
    missing = []
    for version in offered:
        found = [one for one in mine.values() if version_of(one, entry) == version.version and _is_usable(one)]
        if found:
            # Of two of one version the one that is offered stays, then the older one: people may use its id.
            best = min(found, key=lambda one: (one.get("os_hidden", False), str(one.get("created_at"))))
            targets[str(best["id"])] = (version, best)
        else:
            missing.append(version)
    others = [one for one in mine.values() if str(one["id"]) not in targets]
    if missing and entry.rotates:
        # What is offered stays until its successor is there, and is kept in line as long as the catalogue knows it.
        known = [one for one in others if not one.get("os_hidden") and not one.get(RETIRED)]
        others = [one for one in others if one not in known]
        for one in known:
            listed = entry.by_version(version_of(one, entry))
            if listed is not None and _is_offered(one, entry.purpose):
                targets[str(one["id"])] = (listed, one)
    rivals = tuple(sorted(_rivals(targets.values(), foreign, mine, entry)))
    if rivals:
        said = f"{', '.join(rivals)} already are generic for the same distribution, version and architecture"
        # What is offered stays on offer, and nothing that this entry ever offered goes while it is stuck.
        return Turn(entry, (), tuple(missing), (), f"{said}; scs-0102 allows one", rivals)
    moves = _moves(entry, list(targets.values()), others, rules)
    return Turn(entry, tuple(moves), tuple(missing), tuple(sorted(others, key=_newest_first(entry), reverse=True)))


def _is_usable(image: Image) -> bool:
    return image.get("status") == "active"


def _newest_first(entry: Entry) -> Any:
    return lambda image: natural(version_of(image, entry))


def _rivals(
    targets: Iterable[tuple[Version, Image]], foreign: Iterable[Image], mine: Mapping[str, Image], entry: Entry
) -> set[str]:
    """Ids of generic images that are none of ours and stand in the way of an image that is about to be offered."""
    about = [version for version, image in targets if not _is_offered(image, entry.purpose)]
    if entry.purpose != GENERIC:
        return set()
    keys = {key_of(version.properties) for version in about if version.visibility == "public" and not version.hidden}
    return {str(one["id"]) for one in foreign if str(one["id"]) not in mine and key_of(one) in keys}


def _is_offered(image: Image, purpose: str) -> bool:
    return bool(
        image.get("visibility") == "public" and not image.get("os_hidden") and image.get("os_purpose") == purpose
    )


def _moves(entry: Entry, targets: list[tuple[Version, Image]], others: list[Image], rules: Rules) -> list[Move]:
    """The requests in their order."""
    in_the_way = [one for one in others if entry.rotates and _is_offered(one, GENERIC)]
    found, late = [], []
    for version, image in targets:
        wanted = offered_state(entry, version, image)
        if in_the_way and wanted["os_purpose"] == GENERIC and not _is_offered(image, GENERIC):
            first = _changes(image, {**wanted, "os_purpose": INTERIM})
            found += [Move("offer", entry.name, image, first)] if first else []
            late.append(Move("finish", entry.name, {**image, **first}, {"os_purpose": GENERIC}))
        else:
            changes = _changes(image, wanted)
            kind = "update" if _is_offered(image, entry.purpose) else "offer"
            found += [Move(kind, entry.name, image, changes)] if changes else []
    # Those that stand in the way first, so that the gap is as short as it can be.
    for image in sorted(others, key=lambda one: one not in in_the_way):
        changes = _changes(image, retired_state(entry, image, rules))
        if changes:
            kind = "update" if image.get("os_hidden") and image.get(RETIRED) else "retire"
            found.append(Move(kind, entry.name, image, changes))
        if image in in_the_way and image is in_the_way[-1]:
            found += late
            late = []
    return found + late


def offered_state(entry: Entry, version: Version, image: Image) -> dict[str, Any]:
    """All that an image should have that is offered; what an operator has set besides is not in it, and stays."""
    wanted: dict[str, Any] = {**version.properties, "os_purpose": entry.purpose}
    before = model.owned_of(image)
    gone = {name: None for name in before if name not in wanted and name in image}
    owned = sorted(name for name in wanted if name in before or image.get(name) != wanted[name])
    return {
        **wanted,
        **gone,
        "name": entry.name_of(version.version, True),
        "visibility": version.visibility,
        "os_hidden": version.hidden,
        "min_disk": entry.min_disk,
        "min_ram": entry.min_ram,
        "tags": sorted({*(image.get("tags") or ()), *entry.tags}),
        ENTRY: entry.name,
        VERSION: version.version,
        model.SELF: str(image["id"]),
        RETIRED: None,
        model.OWNED: ",".join(owned) or None,
    }


def retired_state(entry: Entry, image: Image, rules: Rules) -> dict[str, Any]:
    """All that an image should have that was replaced or taken back."""
    version = version_of(image, entry)
    wanted: dict[str, Any] = {
        "name": entry.name_of(version, False),
        "os_hidden": True,
        ENTRY: entry.name,
        VERSION: version,
        model.SELF: str(image["id"]),
        RETIRED: image.get(RETIRED) or rules.now,
    }
    if image.get("os_purpose") in (GENERIC, INTERIM) and entry.purpose == GENERIC:
        wanted["os_purpose"] = rules.old_purpose
    visibility = entry.retired_visibility or rules.retired_visibility
    if visibility and image.get("visibility") != "private":
        wanted["visibility"] = visibility
    return wanted


def _changes(image: Image, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What differs."""
    defaults = {"os_hidden": False, "min_disk": 0, "min_ram": 0}
    has = {**defaults, **image, "tags": sorted(image.get("tags") or ())}
    return {name: value for name, value in wanted.items() if has.get(name) != value}


def after(turn: Turn) -> list[Image]:
    """The retired images of an entry as they are when its moves are done."""
    changes: dict[str, dict[str, Any]] = {}
    for move in turn.moves:
        changes.setdefault(str(move.image["id"]), {}).update(move.changes)
    return [{**image, **changes.get(str(image["id"]), {})} for image in turn.retired]


def import_of(entry: Entry, version: Version, catalogue: Sequence[str] = ()) -> dict[str, Any]:
    """A missing version in the words of ``image_import``: private and hidden until it is offered.

    :param catalogue: where the entry is from; what must not be shown stays there.
    """
    found: dict[str, Any] = {
        "name": entry.name_of(version.version, False),
        "match": {ENTRY: entry.name, VERSION: version.version},
        "disk_format": entry.format,
        "container_format": "bare",
        "min_disk": entry.min_disk,
        "min_ram": entry.min_ram,
        "visibility": "private",
        "hidden": True,
        "tags": list(entry.tags),
        "properties": dict(version.properties),
        **entry.transfer,
    }
    if version.id:
        found["id"] = version.id
    if version.secret and catalogue:
        return {**found, "listed": {"catalogue": list(catalogue), "entry": entry.name, "version": version.version}}
    return {**found, **version.places}
