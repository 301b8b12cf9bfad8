# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who uses images: servers, volumes that were made of them, and snapshots of these volumes, in all projects we may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ....core.pool import each
from ...model import CloudError, ForbiddenError
from .expiry import Users

#: Whose objects use images.
SERVICES = ("compute", "block-storage")
_UNKNOWN = "An image is only removed when it is known that nothing uses it"


class Usage:
    """Looks for users of images.

    :param cloud: :class:`...client.Cloud`.
    :param absent: services that the operator says this cloud does not have.
    """

    def __init__(self, cloud: Any, parallel: int = 4, absent: Sequence[str] = ()) -> None:
        self._cloud = cloud
        self._parallel = parallel
        self._absent = absent
        self._everywhere = True
        self._unlisted: tuple[str, ...] = ()

    @property
    def narrow(self) -> str:
        """Why users in other projects could not be seen; empty when they could."""
        return "" if self._everywhere else "the token sees one project only"

    @property
    def blind(self) -> str:
        """Why users could not be seen in any project; empty when they could."""
        return f"the catalog of the cloud lists no {' and no '.join(self._unlisted)}" if self._unlisted else ""

    def of(self, images: Sequence[str]) -> dict[str, Users]:
        """Users of each image, by its id."""
        if not images:
            return {}
        self._everywhere = "admin" in self._cloud.roles
        there = [service for service in SERVICES if self._cloud.has(service)]
        self._unlisted = tuple(one for one in SERVICES if one not in there and one not in self._absent)
        servers = self._servers(images) if "compute" in there else {}
        volumes: dict[str, list[str]] = {}
        snapshots: dict[str, list[str]] = {}
        if "block-storage" in there:
            volumes = self._volumes(set(images))
            snapshots = self._snapshots(volumes)
        return {
            one: Users(
                tuple(sorted(set(servers.get(one, ())))),
                tuple(sorted(set(volumes.get(one, ())))),
                tuple(sorted(set(snapshots.get(one, ())))),
            )
            for one in images
        }

    def _servers(self, images: Sequence[str]) -> dict[str, list[str]]:
        """Servers that were made of images; those that boot from a volume are found by their volume."""

        def one(image: str) -> list[str]:
            return [str(server["id"]) for server in self._list("compute", "/servers", "servers", image=image)]

        found = {}
        for outcome in each(images, one, self._parallel):
            if outcome.error:
                raise outcome.error
            found[outcome.item] = outcome.value
        return found

    def _volumes(self, images: set[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for volume in self._list("block-storage", "/volumes/detail", "volumes", limit=1000):
            image = str((volume.get("volume_image_metadata") or {}).get("image_id") or "")
            if image in images:
                found.setdefault(image, []).append(str(volume["id"]))
        return found

    def _snapshots(self, volumes: dict[str, list[str]]) -> dict[str, list[str]]:
        if not volumes:
            return {}
        image_of = {volume: image for image, ids in volumes.items() for volume in ids}
        found: dict[str, list[str]] = {}
        for snapshot in self._list("block-storage", "/snapshots/detail", "snapshots", limit=1000):
            image = image_of.get(str(snapshot["volume_id"]))
            if image:
                found.setdefault(image, []).append(str(snapshot["id"]))
        return found

    def _list(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every object, one page in memory at a time; an object may come twice, when the token turns out to see less."""
        try:
            if self._everywhere:
                yield from self._cloud.pages(service, path, key, all_tenants="1", **query)
                return
        except ForbiddenError:
            self._everywhere = False
        except CloudError as error:
            error.hint = error.hint or _UNKNOWN
            raise
        try:
            yield from self._cloud.pages(service, path, key, **query)
        except CloudError as error:
            error.hint = error.hint or _UNKNOWN
            raise
