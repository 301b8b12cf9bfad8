# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Images that volumes were made from and that had to stay, because in Ceph a volume stands on its image until it is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def remove(glance: Glance, images: Sequence[Mapping[str, Any]]) -> list[str]:
    """Removes them, but for those that a volume stands on; the ids of these."""
    kept = []
    for one in images:
        try:
            glance.remove(str(one["id"]), patience=_GOES)
        except ConflictError:
            kept.append(str(one["id"]))
    return kept
