# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images that volumes were made from and that had to stay, because in Ceph a volume stands on its image until it is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import LandscapeError
from ...core.plan import Impact, Plan, Step
from ..images import owner
from ..images.glance import Glance
from ..model import ConflictError
from . import model

#: Seconds in which an image becomes free of a volume that was just removed.
_GOES = 20.0


def found(glance: Glance, project: str, machines: Iterable[str]) -> list[dict[str, Any]]:
    """Images that were made for disks of some machines, by the marks that they carry; none that a living run still fills.

    :param machines: their uuids.
    """
    images = [(uuid, one) for uuid in machines for one in glance.images(project, **{model.VM: uuid})]
    # A service that does not know the filter gives all images.
    ours = [one for uuid, one in images if one.get(model.VM) == uuid and model.STATE in one and one.get(model.DISK)]
    return [one for one in ours if not owner.lives(str(one.get(model.RUN) or ""), str(one.get("updated_at") or ""))]


def removal(images: Sequence[Mapping[str, Any]]) -> Plan:
    """The steps that remove them."""
    return Plan(
        tuple(
            Step(
                "delete",
                f"image {one.get('name')} ({one['id']})",
                {"size": one.get("size"), "vm": one[model.VM], "disk": one[model.DISK]},
                None,
                Impact.NONE,
                gate="no volume stands on it",
            )
            for one in images
        )
    )


@dataclass
class Removed:
    """What became of images.

    :ivar gone: ids of those that went.
    :ivar kept: ids of those that a volume stands on.
    :ivar errors: by uuid of the machine, why others did not go.
    """

    gone: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def remove(glance: Glance, images: Sequence[Mapping[str, Any]]) -> Removed:
    """Removes them, but for those that a volume stands on; one that does not go holds up no other."""
    found = Removed()
    for one in images:
        identifier, uuid = str(one["id"]), str(one[model.VM])
        try:
            glance.remove(identifier, patience=_GOES)
            found.gone.append(identifier)
        except ConflictError:
            found.kept.append(identifier)
        except LandscapeError as error:
            reason = f"image {identifier} was not removed: {error}"
            found.errors[uuid] = f"{found.errors[uuid]}\n{reason}" if uuid in found.errors else reason
    return found
