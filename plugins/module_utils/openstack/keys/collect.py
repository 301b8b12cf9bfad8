# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Who uses which secret: volumes, backups and images name theirs. The I/O is that of Cinder and Glance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from ..model import NotFoundError
from . import model
from .barbican import Barbican
from .model import Container, Use

_CINDER, _GLANCE = "block-storage", "image"
#: The first microversion of Cinder that shows ids of keys (Train).
KEYS = "3.64"
#: What each kind of thing is called where it is listed.
_LISTS = {"volume": ("/volumes/detail", "volumes"), "backup": ("/backups/detail", "backups")}


@dataclass
class Wanted:
    """What an export is about.

    :ivar omitted: why something has no secret in the bundle: kind, id, reason.
    """

    uses: list[Use] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    omitted: list[dict[str, str]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """Ids of the secrets, each once."""
        return sorted({one.key for one in self.uses})

    def leave(self, kind: str, identifier: str, reason: str) -> None:
        """Writes down why something has none."""
        self.omitted.append({"kind": kind, "id": identifier, "reason": reason})


class Collector:
    """Looks at a project.

    :param choice: options of the module: volumes, backups, images, secrets, containers, orders, everything, certificates.
    """

    def __init__(self, cloud: Any, barbican: Barbican, choice: Mapping[str, Any]) -> None:
        self.cloud, self._barbican, self._choice = cloud, barbican, choice
        self._all = bool(choice.get("everything"))

    def collect(self) -> Wanted:
        """What is to be exported.

        :raises InputError: something that was asked for is not there.
        """
        names = ("volumes", "backups", "images", "secrets", "containers", "orders")
        if not self._all and not any(self._choice.get(name) for name in names):
            raise InputError("Nothing was chosen", hint=f"Say {', '.join(names)}, or everything")
        found = Wanted()
        # A cloud without volumes or images may still have secrets.
        if (self._all and self.cloud.has(_CINDER)) or self._choice["volumes"] or self._choice["backups"]:
            self._of_cinder(found)
        if (self._all and self.cloud.has(_GLANCE)) or self._choice["images"]:
            self._of_images(found)
        found.uses += [Use("secret", key, key) for key in map(model.id_of, self._choice["secrets"])]
        self._of_containers(found)
        return found

    def _of_cinder(self, found: Wanted) -> None:
        volumes, backups = set(self._choice["volumes"]), set(self._choice["backups"])
        seen: set[str] = set()
        version = self.cloud.microversion(_CINDER, KEYS)
        for kind, body in self._listed(version):
            identifier, of = str(body["id"]), str(body.get("volume_id") or "")
            asked = volumes if kind == "volume" else backups
            # The backups of a volume have keys of their own, and these are what a restore needs.
            if not (self._all or identifier in asked or of in volumes):
                continue
            seen |= {identifier, of}
            key = str(body.get("encryption_key_id") or "")
            if key:
                found.uses.append(Use(kind, identifier, key))
            elif version is None:
                found.leave(kind, identifier, f"this Cinder does not show ids of keys (microversion {KEYS})")
            elif body.get("encrypted"):
                found.leave(kind, identifier, "it is encrypted with the fixed key of Cinder's configuration")
            elif not self._all:
                found.leave(kind, identifier, "it is not encrypted")
        gone = sorted((volumes | backups) - seen)
        if gone:
            raise InputError(f"There is no volume or backup {', '.join(gone)} in this project")

    def _listed(self, version: str | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for kind, (path, name) in _LISTS.items():
            for body in self.cloud.pages(_CINDER, path, name, limit=1000, microversion=version):
                yield kind, body

    def _of_images(self, found: Wanted) -> None:
        properties = [model.IMAGE_KEY, *([model.IMAGE_CERTIFICATE] if self._choice["certificates"] else [])]
        for body in self._images():
            uses = [Use("image", str(body["id"]), str(body[one]), one) for one in properties if body.get(one)]
            found.uses += uses
            if not uses and not self._all:
                found.leave("image", str(body["id"]), "it is not encrypted")

    def _images(self) -> Iterable[Mapping[str, Any]]:
        if self._all:
            return list(images(self.cloud))
        found = []
        for identifier in self._choice["images"]:
            try:
                found.append(self.cloud.get(_GLANCE, f"/images/{identifier}"))
            except NotFoundError:
                raise InputError(f"There is no image {identifier}") from None
        return found

    def _of_containers(self, found: Wanted) -> None:
        wanted = [model.id_of(one) for one in self._choice["containers"]]
        for order in map(model.id_of, self._choice["orders"]):
            secret, container = self._barbican.of_order(order)
            if not secret and not container:
                raise InputError(f"The order {order} has not made anything")
            found.uses += [Use("secret", secret, secret)] if secret else []
            wanted += [container] if container else []
        for identifier in dict.fromkeys(wanted):
            one = self._barbican.container(identifier)
            found.containers.append(one)
            found.uses += [Use("container", identifier, key) for _name, key in one.members]


def images(cloud: Any) -> Iterator[Mapping[str, Any]]:
    """The project's own images, hidden ones among them."""
    for hidden in ("false", "true"):
        yield from cloud.pages(_GLANCE, "/images", "images", owner=cloud.project_id, os_hidden=hidden, limit=500)


def users(cloud: Any, keys: Sequence[str]) -> list[Use]:
    """Volumes, backups and images of the project that name one of some secrets."""
    wanted, found = set(keys), []
    version = cloud.microversion(_CINDER, KEYS) if cloud.has(_CINDER) else None
    for kind, (path, name) in _LISTS.items():
        for body in cloud.pages(_CINDER, path, name, limit=1000, microversion=version) if version else ():
            key = str(body.get("encryption_key_id") or "")
            if key in wanted:
                found.append(Use(kind, str(body["id"]), key))
    for body in images(cloud) if cloud.has(_GLANCE) else ():
        named = [one for one in (model.IMAGE_KEY, model.IMAGE_CERTIFICATE) if body.get(one) in wanted]
        found += [Use("image", str(body["id"]), str(body[one]), one) for one in named]
    return found
