# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Cinder as far as sinks need it: volumes that are found again, attached here, and made what is wanted."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ...core.errors import LandscapeError
from ..backup.cinder import Cinder
from ..backup.model import Volume
from ..backup.volumes import Patience, Volumes
from ..making import Making
from ..model import CloudError
from . import model
from .model import Wanted

_CINDER = "block-storage"
#: Attachments with a mode are 3.54, and are completed since 3.44.
_ATTACH, _COMPLETE = "3.54", "3.44"
#: How often an attachment is asked to go that is refused.
_TRIES = 4


@dataclass(frozen=True)
class Attached:
    """A volume that Cinder lends us.

    :param info: how it is reached (``connection_info``).
    """

    id: str
    info: Mapping[str, Any]


class VolumeService:
    """The volumes of a project; safe to use from many threads.

    :param patience: seconds that one volume may take, also when the service fills it from an image.
    """

    def __init__(
        self,
        cloud: Any,
        *,
        patience: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.cloud, self.cinder = cloud, Cinder(cloud)
        self.making = Making(cloud, patience=patience, clock=clock, sleep=sleep)
        self._volumes = Volumes(self.cinder, Patience(patience, sleep=sleep, clock=clock))

    # Looking.

    def found(self, wanted: Wanted) -> list[Volume]:
        """Volumes that were made for a disk, done or not, the oldest first."""
        return model.mine(self.cinder.volumes(), wanted)

    def missing(self, wanted: Wanted) -> list[str]:
        """What of a wanted volume Cinder does not have: its type, its zone."""
        problems = []
        if wanted.kind:
            types = [str(one["name"]) for one in self.cloud.pages(_CINDER, "/types", "volume_types")]
            if wanted.kind not in types:
                problems.append(f"there is no volume type {wanted.kind}, but {', '.join(sorted(types)) or 'none'}")
        if wanted.zone:
            zones = self.cloud.get(_CINDER, "/os-availability-zone").get("availabilityZoneInfo") or ()
            names = [str(one["zoneName"]) for one in zones if (one.get("zoneState") or {}).get("available", True)]
            if wanted.zone not in names:
                problems.append(
                    f"there is no availability zone {wanted.zone}, but {', '.join(sorted(names)) or 'none'}"
                )
        return problems

    def show(self, identifier: str) -> Volume:
        """A volume.

        :raises LandscapeError: it is gone.
        """
        found = self.cinder.volume(identifier)
        if found is None:
            raise LandscapeError(f"volume {identifier} is not there any more")
        return found

    def available(self, identifier: str, name: str) -> None:
        """Returns when the volume is available."""
        self.making.wait_for(_CINDER, "volume", identifier, ("available",), name)

    # Changing.

    def create(self, wanted: Wanted, run: str, image: str = "") -> str:
        """A new volume, available; its id. One whose answer was lost is found by the run that made it.

        :param image: what it is filled with.
        """
        labels = {**wanted.labels, model.RUN: run, model.STATE: f"{model.WRITING} 0"}

        def begin() -> str:
            more = {"kind": wanted.kind, "zone": wanted.zone, "description": wanted.description, "image": image}
            return self.cinder.begin_volume(size=wanted.gib, name=wanted.name, metadata=labels, **more)

        def there() -> str:
            same = [one.id for one in self.found(wanted) if one.metadata.get(model.RUN) == run]
            return same[0] if same else ""

        made = str(self.making.once(begin, there))
        try:
            self.available(made, wanted.name)
        except LandscapeError:
            self.remove(made)
            raise
        return made

    def note(self, volume: str, changes: Mapping[str, str]) -> None:
        """Writes into the metadata of a volume; what else is there stays."""
        self.cinder.label(volume, changes)

    def unnote(self, volume: Volume) -> None:
        """Takes away what says that a run works on a volume, as far as it was there."""
        for key in (model.RUN, model.ATTACHMENT):
            if key in volume.metadata:
                self.cloud.call(_CINDER, "DELETE", f"/volumes/{volume.id}/metadata/{key}", accept=(404,))

    def settle(
        self,
        volume: str,
        wanted: Wanted,
        digest: str,
        before: Callable[[], None] = lambda: None,
        *,
        verified: str = "",
    ) -> None:
        """Makes a volume with all of its bytes what is wanted; that it is done is written last.

        :param verified: what was read back, one of ``model.LEVELS``; empty leaves what is written there.
        :param before: done before that, for what would be left over if the run were killed then.
        """
        now = self.show(volume)
        if (now.name, now.description) != (wanted.name, wanted.description):
            body = {"volume": {"name": wanted.name, "description": wanted.description}}
            self.cloud.call(_CINDER, "PUT", f"/volumes/{volume}", json=body)
        self.boot_from(now, wanted.bootable, wanted.properties)
        self.unnote(now)
        before()
        digests = {model.DIGEST: digest} if digest else {}
        digests.update({model.VERIFIED: verified} if verified else {})
        self.note(volume, {**wanted.labels, **digests, model.STATE: model.DONE})

    def boot_from(self, volume: Volume, bootable: bool, properties: Mapping[str, str]) -> None:
        """Sets whether servers may boot from a volume, and all properties that they then have."""
        if volume.bootable != bootable:
            self._act(volume.id, {"os-set_bootable": {"bootable": bootable}})
        missing = {key: value for key, value in properties.items() if volume.image.get(key) != value}
        if missing:
            self._act(volume.id, {"os-set_image_metadata": {"metadata": missing}})
        for key in sorted(set(volume.image) - set(properties)):
            # What an image left behind says something about the image, not about the disk.
            self._act(volume.id, {"os-unset_image_metadata": {"key": key}})

    def _act(self, volume: str, body: Mapping[str, Any]) -> None:
        self.cloud.call(_CINDER, "POST", f"/volumes/{volume}/action", json=body, repeat=True, accept=(404,))

    def remove(self, volume: str) -> None:
        """Removes a volume of ours; returns when it is gone."""
        self._volumes.remove(volume)

    # Attaching.

    def attach(self, volume: str) -> Attached:
        """Attaches a volume to this machine, as far as Cinder is concerned: nothing is connected here.

        :raises CloudError: it was refused.
        """
        machine = os.uname()
        connector = {"host": machine.nodename, "platform": machine.machine, "os_type": "linux", "multipath": False}
        wanted = {"volume_uuid": volume, "connector": connector, "mode": "rw"}

        def begin() -> dict[str, Any]:
            found: dict[str, Any] = self.making.post(_CINDER, "/attachments", {"attachment": wanted}, _ATTACH)
            return dict(found["attachment"])

        def there() -> dict[str, Any] | None:
            return next(iter(self._attachments(volume)), None)

        made = self.making.once(begin, there)
        found = Attached(str(made["id"]), made.get("connection_info") or {})
        try:
            self.note(volume, {model.ATTACHMENT: found.id})
            path = f"/attachments/{found.id}/action"
            self.cloud.call(_CINDER, "POST", path, json={"os-complete": {}}, microversion=_COMPLETE, repeat=True)
        except CloudError:
            self.detach(volume, found.id)
            raise
        return found

    def _attachments(self, volume: str) -> list[dict[str, Any]]:
        """Attachments of a volume that belong to no server."""
        found = self.cloud.pages(_CINDER, "/attachments/detail", "attachments", microversion=_ATTACH, volume_id=volume)
        return [one for one in found if one.get("volume_id") == volume and not one.get("instance")]

    def detach(self, volume: str, attachment: str = "") -> None:
        """Takes one attachment of ours away, or all that belong to no server; returns when the volume is available."""
        for one in [attachment] if attachment else [str(one["id"]) for one in self._attachments(volume)]:
            self._let_go(one)
        self.available(volume, volume)

    def _let_go(self, attachment: str) -> None:
        for attempt in range(_TRIES):
            try:
                self.cloud.call(_CINDER, "DELETE", f"/attachments/{attachment}", microversion=_ATTACH, accept=(404,))
                return
            except CloudError:  # a volume that stays attached to nobody is of no use to anybody
                if attempt == _TRIES - 1:
                    raise
                self.making.sleep(2.0**attempt)

    def let_go(self, volume: str) -> None:
        """Takes all attachments away that belong to no server, and waits for nothing."""
        for one in self._attachments(volume):
            self._let_go(str(one["id"]))

    def discard(self, volume: str) -> None:
        """Removes a volume of ours in whatever state it is, attached here or not."""
        self.let_go(volume)
        self.remove(volume)
