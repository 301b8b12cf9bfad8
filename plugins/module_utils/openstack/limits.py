# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How much room a project has for images: limits and use, compared with what is needed.

The numbers are those of the service (``GET /v2/info/usage``), which enforces the unified limits of Keystone. A service
without such limits has no bound but its stores; then the verdict says so instead of inventing one.
Target: "at least 40 images and at least 200 GiB" stood in scs-0104 and became "fair use"; the numbers are options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError

MIB = 1024 * 1024
GIB = 1024 * MIB

#: Unified limits of Glance and the bytes or pieces that one unit of them counts.
LIMITS = {"image_count_total": 1, "image_size_total": MIB, "image_stage_total": MIB, "image_count_uploading": 1}


_SHUTS = {
    "image_count_total": "any image",
    "image_size_total": "any bytes",
    "image_stage_total": "imports by glance-direct and web-download",
    "image_count_uploading": "uploads",
}


@dataclass(frozen=True)
class Bound:
    """One limit of a project.

    :param limit: in units of the service (pieces or MiB); ``None`` when there is none.
    """

    name: str
    limit: int | None
    usage: int
    unit: int = 1

    @property
    def free(self) -> int | None:
        """What is left, in pieces or bytes, not below 0; ``None`` without a limit."""
        return None if self.limit is None else max(0, self.limit - self.usage) * self.unit

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; sizes in bytes beside the numbers of the service."""
        data: dict[str, Any] = {"limit": self.limit, "usage": self.usage, "free": self.free}
        return {**data, "unit": "MiB"} if self.unit == MIB else data


@dataclass(frozen=True)
class Room:
    """What is there and what is used.

    :param bounds: by name of the limit; empty when the service enforces none.
    :param images: number of the project's images, and ``bytes`` their sizes, counted by us: a service without limits
        does not tell. ``None`` when that was not asked.
    """

    bounds: Mapping[str, Bound]
    images: int | None = None
    bytes: int | None = None

    @property
    def limited(self) -> bool:
        """Whether the service enforces any limit."""
        return any(bound.limit is not None for bound in self.bounds.values())


@dataclass(frozen=True)
class Verdict:
    """Whether something fits.

    :param problems: what does not, one sentence each, with numbers.
    """

    problems: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"fits": self.fits, "problems": list(self.problems)}


def room_of(body: Mapping[str, Any]) -> dict[str, Bound]:
    """Limits from the answer of ``/v2/info/usage``; -1 is no limit."""
    found = {}
    for name, numbers in (body.get("usage") or {}).items():
        limit = int(numbers["limit"])
        found[name] = Bound(name, None if limit < 0 else limit, int(numbers["usage"]), LIMITS.get(name, 1))
    return found


def target(room: Room, images: int, size: int) -> Verdict:
    """Whether a project may have so many images of so many bytes together, counted from none.

    :param size: bytes.
    """
    problems = []
    count, total = room.bounds.get("image_count_total"), room.bounds.get("image_size_total")
    if count is not None and count.limit and count.limit < images:
        problems.append(f"{images} images are asked for, image_count_total allows {count.limit}")
    if total is not None and total.limit and total.limit * MIB < size:
        problems.append(f"{_mib(size)} MiB are asked for, image_size_total allows {total.limit} MiB")
    return Verdict(tuple(problems + _shut(room)))


def more(room: Room, images: int, size: int, largest: int = 0) -> Verdict:
    """Whether so many further images of so many bytes together fit now.

    Glance counts whole MiB, rounded down, of an upload whose size it is told, and nothing of others (tried with release 33).
    We do not count on what that lets through: all bytes must fit below the limit.

    :param largest: bytes of the largest of them, for the staging area; 0 when nothing is staged.
    """
    problems = []
    for name, wanted in (("image_count_total", images), ("image_size_total", size), ("image_stage_total", largest)):
        bound = room.bounds.get(name)
        if not bound or not bound.limit or bound.free is None or wanted <= bound.free:
            continue  # what allows nothing at all is said below
        used = f"({bound.usage} of {bound.limit} used)"
        if bound.unit == MIB:
            problems.append(f"{_mib(wanted)} MiB do not fit: {name} has {bound.free // MIB} MiB left {used}")
        else:
            problems.append(f"{wanted} images do not fit: {name} has {bound.free} left {used}")
    return Verdict(tuple(problems + _shut(room)))


def _shut(room: Room) -> list[str]:
    """Limits that let nothing through at all."""
    return [f"{name} is 0, which forbids {what}" for name, what in _SHUTS.items() if _is_zero(room.bounds.get(name))]


def _is_zero(bound: Bound | None) -> bool:
    return bound is not None and bound.limit == 0


def _mib(size: int) -> int:
    return -(-size // MIB)


def own_bytes(image: Mapping[str, Any]) -> int:
    """Bytes that an image takes: as often as it is stored."""
    stores = [store for store in str(image.get("stores") or "").split(",") if store]
    return int(image.get("size") or 0) * max(1, len(stores))


def counted(bounds: Mapping[str, Bound], images: Iterable[Mapping[str, Any]]) -> Room:
    """Room of a project whose images are counted, too; deleted ones are not listed, and do not count."""
    listed = list(images)
    return Room(bounds, len(listed), sum(own_bytes(one) for one in listed))


def as_dict(room: Room) -> dict[str, Any]:
    """JSON-able form."""
    return {
        "limited": room.limited,
        "limits": {name: bound.as_dict() for name, bound in sorted(room.bounds.items())},
        "images": room.images,
        "bytes": room.bytes,
    }


def read(cloud: Any) -> Room:
    """What the service says about the project of the token.

    :param cloud: :class:`client.Cloud`.
    :raises InputError: there is no project; then the list of images would be that of everybody.
    """
    if not cloud.project_id:
        raise InputError("The token has no project, and images belong to one", hint="Log in with a project")
    answer = cloud.call("image", "GET", "/info/usage", accept=(404,))
    bounds = room_of(answer.body) if answer.status == 200 else {}
    images: list[Mapping[str, Any]] = []
    for hidden in ("false", "true"):  # Glance lists either the ones or the others
        query = {"owner": cloud.project_id, "os_hidden": hidden, "limit": 1000}
        images += cloud.pages("image", "/images", "images", **query)
    return counted(bounds, images)
