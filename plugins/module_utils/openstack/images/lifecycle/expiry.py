# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""When a replaced image may go: pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....core.plan import Impact, Step
from ..catalogue.model import RETIRED, Entry
from .plan import Image, Rules, Turn, after

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Users:
    """Who uses an image.

    :param servers: ids; likewise ``volumes`` and ``snapshots`` of such volumes.
    """

    servers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.servers or self.volumes or self.snapshots)

    def as_dict(self) -> dict[str, list[str]]:
        """JSON-able form."""
        return {"servers": list(self.servers), "volumes": list(self.volumes), "snapshots": list(self.snapshots)}

    def __str__(self) -> str:
        named = (("server", self.servers), ("volume", self.volumes), ("snapshot", self.snapshots))
        return "; ".join(f"{what}{'s' if len(ids) > 1 else ''} {', '.join(ids)}" for what, ids in named if ids)


@dataclass(frozen=True)
class End:
    """A retired image, and whether it goes.

    :param reason: why it stays, empty when it goes.
    :param users: who uses it, where that is the reason.
    """

    entry: Entry
    image: Image
    reason: str = ""
    users: Users = field(default_factory=Users)

    def step(self) -> Step:
        """The removal."""
        image = self.image
        before = {name: image.get(name) for name in ("name", "visibility", "os_purpose", "internal_version", "size")}
        undo = "import it again; its id is lost"
        return Step(
            "delete",
            f"image {self.entry.name} ({image['id']})",
            before,
            None,
            Impact.DESTROYED,
            undo,
            "nothing uses it",
        )


def time_text(now: float) -> str:
    """A time (seconds since 1970) as it is written to images."""
    return datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime(_TIME)


def ends(turns: Iterable[Turn], rules: Rules, grace_days: float) -> list[End]:
    """Every retired image, with what holds it but for those who use it."""
    return [
        End(turn.entry, image, held(turn.entry, image, rank, rules, grace_days))
        for turn in turns
        for rank, image in enumerate(after(turn))
    ]


def held(entry: Entry, image: Image, rank: int, rules: Rules, grace_days: float) -> str:
    """Why a retired image stays, empty when nothing but its users can hold it.

    :param image: as it is after the moves of its entry.
    :param rank: 0 for the newest of the entry's retired images.
    """
    if entry.keep:
        return "the catalogue says keep"
    if image.get("protected"):
        return "it is protected"
    if not image.get("os_hidden") or not image.get(RETIRED):
        return "it is still on offer"
    back = entry.retired or entry.name in rules.retire
    promise = _promise(str(image.get("uuid_validity") or entry.lives), rank, back, rules.now)
    if promise:
        return promise
    since = _time_of(str(image.get(RETIRED) or rules.now))
    age = (_time_of(rules.now) - since).total_seconds() / 86400
    if age < grace_days:
        return f"it was replaced {age:.1f} days ago, and stays for {grace_days:g}"
    return ""


def _promise(lives: str, rank: int, back: bool, now: str) -> str:
    """What was promised to people who use its id (``uuid_validity`` of scs-0102)."""
    last = re.fullmatch(r"last-([0-9]{1,9})", lives)
    if lives in ("none", "notice") or last:
        count = int(last.group(1)) if last else 0
        if lives == "notice" and not back:
            return "uuid_validity is notice"
        return f"it is one of the last {count} that were replaced" if rank < count and not back else ""
    if lives == "forever":
        return "uuid_validity is forever"
    try:
        until = datetime.datetime.strptime(lives, "%Y-%m-%d").date()
    except ValueError:
        # Something was promised, and nobody here can say what: then it counts as not over.
        return f"uuid_validity is {lives!r}, which is none of the values of scs-0102"
    return f"uuid_validity is {lives}" if _time_of(now).date() <= until else ""


def _time_of(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.strptime(text, _TIME).replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        # Somebody wrote something else there; then nothing is known, and it stays for the whole time of grace.
        return datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)


def with_users(found: Iterable[End], users: Mapping[str, Users], narrow: str, blind: str = "") -> list[End]:
    """The same with those who use the images that would go.

    :param users: by id of the image.
    :param narrow: why other projects cannot be seen, empty when they can; if not, only a private image may go.
    :param blind: why no project can be seen, empty when they can; if not, none may go.
    """
    result = []
    for end in found:
        using = users.get(str(end.image["id"]), Users())
        if end.reason:
            result.append(end)
        elif using:
            result.append(End(end.entry, end.image, f"it is used by {using}", using))
        elif blind or (narrow and end.image.get("visibility") != "private"):
            result.append(End(end.entry, end.image, f"{blind or narrow}, so nobody knows who uses it"))
        else:
            result.append(end)
    return result


def as_dict(end: End) -> dict[str, Any]:
    """What is returned about an image that stays."""
    return {
        "id": end.image["id"],
        "name": end.image.get("name"),
        "entry": end.entry.name,
        "reason": end.reason,
        "used_by": end.users.as_dict(),
    }
