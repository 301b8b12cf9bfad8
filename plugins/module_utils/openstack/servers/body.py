# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What Nova makes a server of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import model
from .plan import Body, Todo


def server_body(
    todo: Todo, ports: Sequence[str], volumes: Sequence[str], group: str, data: str, keeps: bool
) -> dict[str, Any]:
    """What Nova makes the server of.

    :param ports: ids, as those of the manifest.
    :param volumes: ids, as those of the manifest.
    :param data: user data as Nova keeps it.
    :param keeps: whether its volumes stay when it is deleted, until it is complete: they may be all that is left.
    """
    manifest = todo.manifest
    mapping: list[dict[str, Any]] = []
    if todo.image:
        root = {"uuid": todo.image, "source_type": "image", "destination_type": "local", "boot_index": 0}
        mapping.append({**root, "delete_on_termination": True})
    for one, identifier in zip(todo.volumes, volumes):
        mapping.append(_block_device(one.captured, identifier, keeps))
    cards = [_card(one.captured, identifier) for one, identifier in zip(todo.ports, ports)]
    metadata = {**manifest["metadata"], **dict.fromkeys((model.MARK, model.RECREATED), str(manifest["id"]))}
    more = {
        "imageRef": todo.image,
        "key_name": todo.key_name,
        "description": manifest.get("description"),
        "hostname": manifest.get("hostname"),
        "tags": manifest["tags"],
        "config_drive": manifest.get("config_drive") or None,
        "OS-DCF:diskConfig": manifest.get("disk_config"),
        "availability_zone": manifest.get("availability_zone"),
        "trusted_image_certificates": manifest.get("trusted_image_certificates"),
        "user_data": data,
    }
    return request(str(manifest["name"]), todo.flavor, mapping, cards, {**more, "metadata": metadata}, group)


def request(
    name: str,
    flavor: str,
    disks: Sequence[Mapping[str, Any]],
    cards: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
    group: str,
) -> dict[str, Any]:
    """What is posted for a server; without cards it has no network, and an address is never given by itself.

    :param flavor: id; ``group`` likewise, empty for none.
    :param disks: of ``block_device_mapping_v2``.
    :param more: further words, where they say anything.
    """
    wanted: dict[str, Any] = {
        "name": name,
        "flavorRef": flavor,
        "block_device_mapping_v2": list(disks),
        "networks": list(cards) or "none",
    }
    wanted.update({key: value for key, value in more.items() if value})
    return {"server": wanted, **({"os:scheduler_hints": {"group": group}} if group else {})}


def _block_device(volume: Body, identifier: str, keeps: bool) -> dict[str, Any]:
    found = {
        "uuid": identifier,
        "source_type": "volume",
        "destination_type": "volume",
        "boot_index": 0 if volume["root"] else -1,
        "delete_on_termination": bool(volume.get("delete_on_termination")) and not keeps,
    }
    more = {"device_name": volume.get("device"), "tag": volume.get("device_tag")}
    return {**found, **{key: value for key, value in more.items() if value}}


def _card(port: Body, identifier: str) -> dict[str, Any]:
    return {"port": identifier, **({"tag": port["device_tag"]} if port.get("device_tag") else {})}
