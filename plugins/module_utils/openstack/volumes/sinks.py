# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Volumes as sinks: written where they lie, or made from an image that is sent. What a killed run left is found and used."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...core.blockmap import BlockMap
from ...core.errors import LandscapeError, LockedError
from ...core.stream import say
from ...core.transfer import Piece
from ..backup.model import Volume
from ..images import owner
from ..images.glance import Glance
from ..model import ConflictError
from . import model, reading
from .glance_sink import GlanceSink
from .model import GIB, Wanted
from .places import Place, Reach, place_of
from .service import VolumeService

METHODS = ("attach", "image")
#: Seconds between two notes in the volume about how many bytes are safe.
_NOTES = 15.0


@dataclass(frozen=True)
class Settings:
    """How volumes are filled.

    :param reach: what of the back ends this machine can reach, for ``attach``.
    :param store: id of Glance's store, empty for its default, for ``image``.
    :param stall: seconds without progress after which a transfer is given up.
    """

    reach: Reach = field(default_factory=Reach)
    store: str = ""
    stall: float = 300.0


class VolumeSink:
    """A volume that is written where it lies. A new one is zero, so zeroes are left out.

    :ivar volume: its id.
    :ivar fresh: whether nobody has written to it yet.
    :ivar flushed: bytes from the start that a killed run left; what lies behind may be rubbish.
    :ivar digest: of the bytes, for the volume's metadata; set by who knows it before :meth:`finish`.
    :ivar verified: :attr:`reads`, set before that by who has compared what :meth:`read` brings.
    """

    resumable, reads = True, model.VOLUME

    def __init__(
        self,
        service: VolumeService,
        wanted: Wanted,
        volume: Volume,
        place: Place,
        attachment: str,
        *,
        fresh: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service, self.wanted, self.volume = service, wanted, volume.id
        self.name, self.size, self.digest = f"volume {wanted.name} ({volume.id})", wanted.bytes, ""
        self.verified = model.NONE
        self.flushed = model.safe_bytes(volume)
        self.fresh = fresh
        self._place, self._attachment, self._clock = place, attachment, clock
        #: How its place likes to be read and flushed, see :class:`.rbd.RbdPlace`.
        self.from_start = bool(getattr(place, "from_start", False))
        self.flush_bytes = int(getattr(place, "flush_bytes", 0))
        self._end, self._noted = self.flushed, clock() - _NOTES

    @property
    def room(self) -> int:
        """Bytes of the volume: whole GiB."""
        return self.wanted.gib * GIB

    def write(self, piece: Piece) -> None:
        """See :class:`core.transfer.Sink`."""
        if piece.end > self.size:
            raise LandscapeError(f"{self.name}: bytes up to {piece.end} came, and the disk has {self.size}")
        if piece.data is not None or not self.fresh:
            self._place.write(piece)
        self._end = piece.end

    def flush(self) -> None:
        """See :class:`core.transfer.Sink`; now and then the volume itself is told how far it is."""
        self._place.flush()
        if self._clock() - self._noted >= _NOTES:
            self._note()

    def _note(self) -> None:
        # With the mark of the run, whose time says to others that this run lives.
        self.service.note(self.volume, {model.STATE: f"{model.WRITING} {self._end}", model.RUN: owner.mark()[:255]})
        self._noted = self._clock()

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """What is there; up to :attr:`room` where it is asked for."""
        self._place.flush()
        for piece in self._place.read(begin, self.size if end is None else min(end, self.room)):
            if self._clock() - self._noted >= _NOTES:
                self._note()
            yield piece

    def leave(self) -> None:
        """Ends early: another run goes on where this one was. Where it has ended, nothing is left to do."""
        if not self._attachment:
            return
        try:
            self._place.flush()
            self._note()
        finally:
            self._release()

    def finish(self) -> None:
        """See :class:`core.transfer.Sink`; the volume is available afterwards, and all that is wanted."""
        self._place.flush()
        self._release()
        self.service.settle(self.volume, self.wanted, self.digest, verified=self.verified)

    def abort(self) -> None:
        """Removes the volume."""
        self._release()
        self.service.remove(self.volume)

    def _release(self) -> None:
        self._place.close()
        if self._attachment:
            attachment, self._attachment = self._attachment, ""
            self.service.detach(self.volume, attachment)


class ImageSink:
    """An image that stays. Nobody finds it by its name before all of it is there and was found to be right.

    :ivar digest: of the bytes of the disk; ``verified``: as of a :class:`VolumeSink`.
    """

    resumable, flushed, reads = False, 0, model.IMAGE

    def __init__(self, wanted: Wanted, image: GlanceSink) -> None:
        self.wanted, self.image = wanted, image
        self.verified = model.NONE
        self.name, self.size, self.digest = f"image {wanted.name}", wanted.bytes, ""

    @property
    def sent(self) -> int:
        """Bytes that go to the image service."""
        return self.image.length

    def write(self, piece: Piece) -> None:
        """See :class:`core.transfer.Sink`."""
        self.image.write(piece)

    def flush(self) -> None:
        """Nothing to do."""

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[Piece]:
        """What the image service gives back."""
        return self.image.read(begin, end)

    def leave(self) -> None:
        """Nothing of it can be gone on with."""
        self.abort()

    def finish(self) -> None:
        """See :class:`core.transfer.Sink`; the image is all that is wanted."""
        done = {model.STATE: model.DONE, model.VERIFIED: self.verified, model.RUN: None, "os_hidden": False}
        digests = {model.DIGEST: self.digest} if self.digest else {}
        self.image.settle({**self.wanted.properties, **self.wanted.labels, **digests, **done})

    def abort(self) -> None:
        """Removes the image."""
        self.image.abort()


class ImagedVolumeSink(ImageSink):
    """A volume that the service fills from an image; the image is removed afterwards.

    :ivar volume: its id, once :meth:`finish` is done.
    :ivar kept: id of the image where the volume stands on it, so that it had to stay.
    :ivar expected: what the volume must hold, set before :meth:`finish` by who wants it read back as well.
    :ivar verified: as of a :class:`VolumeSink`; the volume itself counts where this machine reaches it.
    """

    def __init__(self, service: VolumeService, wanted: Wanted, image: GlanceSink, run: str, reach: Reach) -> None:
        super().__init__(wanted, image)
        self.service, self._run, self._reach = service, run, reach
        self.expected: BlockMap | None = None
        self.name = f"volume {wanted.name}"
        self.volume, self.kept = "", ""

    def finish(self) -> None:
        """See :class:`core.transfer.Sink`; the volume is available afterwards, and all that is wanted."""
        self.image.complete()
        say(f"{self.name}: the volume service makes it from the image")
        self.volume = self.service.create(self.wanted, self._run, self.image.identifier)
        if self.expected is not None and self._reach.told:
            self._compare(self.expected)
        self.service.settle(self.volume, self.wanted, self.digest, self._remove_image, verified=self.verified)

    def _compare(self, expected: BlockMap) -> None:
        """Reads the volume itself, where this machine reaches it.

        :raises LandscapeError: it holds other bytes than the image.
        """
        say(f"{self.name}: reading it back")
        ranges = reading.differing(self.service, self._reach, self.volume, self.wanted.gib * GIB, expected)
        if ranges:
            offset, length = ranges[0]
            raise LandscapeError(
                f"{self.name} differs from the image that it was made from in {len(ranges)} ranges, the first of {length}"
                f" bytes at {offset}",
                hint="Look at the storage of the volume service",
            )
        if ranges is not None:
            self.verified = model.VOLUME

    def _remove_image(self) -> None:
        try:
            self.image.remove()
        except ConflictError:
            self.kept = self.image.identifier

    def abort(self) -> None:
        """Removes image and volume."""
        try:
            if self.volume:
                self.service.remove(self.volume)
        finally:
            self.image.abort()


def open_sink(
    cloud: Any,
    wanted: Wanted,
    method: str,
    *,
    settings: Settings | None = None,
    extents: Sequence[tuple[int, int]] | None = None,
    service: VolumeService | None = None,
) -> VolumeSink | ImagedVolumeSink:
    """The sink for a disk. What runs that are gone left of it is gone on with, or removed.

    :param extents: offset and length of all that may hold data, for a sparse image.
    :raises LockedError: another run fills the volume.
    :raises LandscapeError: it cannot be filled so; nothing is left of it.
    """
    settings, service = settings or Settings(), service or VolumeService(cloud)
    left = _left(service, wanted)
    run = owner.mark()[:255]
    if method == "attach":
        return _attached(service, wanted, settings, left, run)
    for one in left:
        service.discard(one.id)
    image = _image(cloud, Glance(cloud, sleep=service.making.sleep), wanted, settings, extents)
    return ImagedVolumeSink(service, wanted, image, run, settings.reach)


def open_image(
    cloud: Any,
    wanted: Wanted,
    *,
    settings: Settings | None = None,
    extents: Sequence[tuple[int, int]] | None = None,
    glance: Glance | None = None,
) -> ImageSink:
    """The sink for a disk that becomes an image. What runs that are gone left of it is removed.

    :param wanted: name, properties and metadata of the image.
    :param extents: see :func:`open_sink`.
    """
    image = _image(cloud, glance or Glance(cloud), wanted, settings or Settings(), extents)
    return ImageSink(wanted, image)


def _image(
    cloud: Any, glance: Glance, wanted: Wanted, settings: Settings, extents: Sequence[tuple[int, int]] | None
) -> GlanceSink:
    remove_images(glance, cloud.project_id, wanted)
    labels = {**wanted.identity, model.RUN: owner.mark()[:255], model.STATE: model.WRITING}
    return GlanceSink(
        cloud, glance, wanted.name, wanted.bytes, labels, extents=extents, store=settings.store, stall=settings.stall
    )


def _left(service: VolumeService, wanted: Wanted) -> list[Volume]:
    """Volumes that runs which are gone began for a disk."""
    found = service.found(wanted)
    for one in found:
        if model.is_done(one):
            raise LandscapeError(f"volume {one} has all bytes of this disk already")
        if owner.lives(one.metadata.get(model.RUN, ""), one.updated or one.created):
            raise LockedError(f"volume {one} is being filled by another run: {one.metadata.get(model.RUN)}")
    return found


def remove_images(glance: Glance, project: str, wanted: Wanted) -> None:
    """Removes images that runs which are gone began for a disk; one that is done was asked for."""
    for image in glance.images(project, **wanted.identity):
        ours = model.is_of(_texts(image), wanted) and image[model.STATE] != model.DONE
        if ours and not owner.lives(str(image.get(model.RUN) or ""), str(image.get("updated_at") or "")):
            with contextlib.suppress(ConflictError):  # a volume may stand on it
                glance.remove(str(image["id"]))


def images_of(glance: Glance, project: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Images that were made for a disk and are done, the oldest first."""
    found = [one for one in glance.images(project, **wanted.identity) if model.is_of(_texts(one), wanted)]
    done = [one for one in found if one[model.STATE] == model.DONE and one["status"] == "active"]
    return sorted(done, key=lambda one: (str(one.get("created_at")), str(one["id"])))


def _texts(image: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in image.items() if isinstance(value, str)}


def _attached(
    service: VolumeService, wanted: Wanted, settings: Settings, left: Sequence[Volume], run: str
) -> VolumeSink:
    """A sink on a volume that is there, or a new one."""
    usable = [one for one in left if _fits(one, wanted)]
    for one in left:
        if one not in usable[:1]:
            service.discard(one.id)
    if usable:
        volume = usable[0]
        service.note(volume.id, {model.RUN: run})
        service.detach(volume.id)
    else:
        volume = service.show(service.create(wanted, run))
    try:
        lent = service.attach(volume.id)
    except LandscapeError:
        if not usable:
            service.remove(volume.id)
        raise
    try:
        place = place_of(lent.info, wanted.gib * GIB, settings.reach)
    except LandscapeError:
        service.detach(volume.id, lent.id) if usable else service.discard(volume.id)
        raise
    return VolumeSink(service, wanted, volume, place, lent.id, fresh=not usable)


def _fits(volume: Volume, wanted: Wanted) -> bool:
    """Whether what was begun can be gone on with."""
    same = volume.size == wanted.gib and (not wanted.kind or volume.type == wanted.kind)
    return same and (not wanted.zone or volume.zone == wanted.zone) and not volume.status.startswith("error")
