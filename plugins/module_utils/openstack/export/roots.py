# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Root disks that lie on a hypervisor: which can be had, how good the moment is, and what is written down. Pure.

Nova's ``createImage`` of a server that boots from an image copies its root disk, and nothing else of it. Of a server that runs,
libvirt's driver freezes the guest at the end of the copy when its agent answers, and goes on when it does not, whatever
``os_require_quiesce`` says (``_live_snapshot`` in ``nova/virt/libvirt/driver.py``); so only one that is off is promised to be whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ...core.errors import InputError
from ..backup import model as backups
from ..backup.points import KIND, Server, server_of
from ..images.model import Digest
from .model import Image

ROOT_KIND = "root"
#: Which process works on an image; written as ``images.owner.mark`` does.
OWNER = "scs_landscape_owner"
CONSISTENCY = ("crash", "quiesce_required")
_NAME = "scs-landscape root"
_IMAGED = ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")
#: What Nova writes to an image of a server about that server; no property of the disk.
_OF_SERVER = (
    *("base_image_ref", "instance_uuid", "image_type", "image_state", "image_location", "user_id", "owner_id"),
    *("owner_project_name", "owner_user_name", "boot_roles", "block_device_mapping", "bdm_v2", "root_device_name"),
    *("owner_specified.openstack.md5", "owner_specified.openstack.sha256", "owner_specified.openstack.object"),
)


@dataclass(frozen=True)
class Root:
    """The root disk of a server.

    :param disk: GiB that its flavor gives it; 0 when that is not known.
    :param beside: GiB of other disks of the flavor, which no image holds.
    """

    server: Server
    disk: int = 0
    beside: int = 0


def root_of(body: Mapping[str, Any]) -> Root:
    """A server of ``GET /servers/detail``, microversion 2.47."""
    flavor = body.get("flavor") or {}
    swap = int(flavor.get("swap") or 0)  # MiB
    return Root(server_of(body), int(flavor.get("disk") or 0), int(flavor.get("ephemeral") or 0) + -(-swap // 1024))


def refusal(root: Root, consistency: str) -> str:
    """Why the root disk of a server cannot be had so; empty when it can."""
    if root.server.from_volume:
        return "its root disk is a volume: use volume_backup_run"
    if root.server.status not in _IMAGED:
        return f"it is {root.server.status}, and Nova makes images of servers that are {', '.join(_IMAGED)}"
    if consistency == "quiesce_required" and root.server.status != "SHUTOFF":
        return (
            f"quiesce_required is not possible: it is {root.server.status}, and Nova goes on when the guest's agent does not"
            " answer; shut it off, or ask for consistency crash"
        )
    return ""


def level(root: Root, promised: str = "") -> tuple[str, str]:
    """What can be promised about the moment, and why.

    :param root: its server as it is once the image is there, or as it is before it is asked for.
    :param promised: what was promised when the image was asked for.
    """
    if promised == "crash" and root.server.status == "SHUTOFF":
        return "crash", "the server was not off yet when its image was asked for"
    if root.server.status == "SHUTOFF":
        return "quiesced", "the server is SHUTOFF, nothing writes"
    return (
        "crash",
        f"the server is {root.server.status}; where its guest has an agent, Nova asks it and goes on without it",
    )


def choose(
    bodies: Iterable[Mapping[str, Any]], named: Sequence[str], metadata: Mapping[str, str], everything: bool
) -> tuple[list[Root], list[Root]]:
    """The servers that are named, and those that only a rule finds.

    :raises InputError: a name is not that of exactly one server; nothing is asked for.
    """
    if not named and not metadata and not everything:
        raise InputError("No server is asked for", hint="Give servers, metadata or all_servers")
    bodies, chosen, problems = list(bodies), {}, []
    for text in dict.fromkeys(named):
        found = [one for one in bodies if one["id"] == text] or [one for one in bodies if one.get("name") == text]
        if len(found) != 1:
            problems.append(f"{len(found)} servers are called {text!r}" if found else f"there is no server {text!r}")
        chosen.update({str(one["id"]): root_of(one) for one in found})
    if problems:
        raise InputError("; ".join(problems), hint="Give ids where names are not unique")
    wanted = {str(key): str(value) for key, value in metadata.items()}
    ruled = [
        root_of(one)
        for one in bodies
        if str(one["id"]) not in chosen
        and (everything or (wanted and wanted.items() <= (one.get("metadata") or {}).items()))
    ]
    return list(chosen.values()), ruled


def sift(named: Sequence[Root], ruled: Sequence[Root], consistency: str) -> tuple[list[Root], list[tuple[Root, str]]]:
    """The servers that are backed up, and those that only a rule finds and that cannot be, with the reason.

    :raises InputError: one that is named cannot be; all of them at once.
    """
    problems = [f"server {one.server}: {refusal(one, consistency)}" for one in named if refusal(one, consistency)]
    if problems:
        raise InputError("\n".join(problems))
    omitted = [(one, refusal(one, consistency)) for one in ruled]
    return [*named, *(one for one, reason in omitted if not reason)], [one for one in omitted if one[1]]


# Marks.


def name_of(run: str, server: str) -> str:
    """Name of the image that a run makes of a server.

    :raises InputError: the run's name is too long for it.
    """
    name = f"{_NAME} {run} {server}"
    if len(name) > 230 or not run.strip() or not run.isprintable():
        raise InputError(f"run {run!r} is no name for a run: it has 1 to {229 - len(_NAME) - len(server)} characters")
    return name


def marks(root: Root, run: str, owner: str) -> dict[str, str]:
    """Properties of the image that a run makes of a server."""
    return {
        KIND: ROOT_KIND,
        OWNER: owner,
        backups.RUN: run,
        backups.SERVER: root.server.id,
        backups.LEVEL: level(root)[0],
    }


def belongs(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Run and server of an image that a run of ours made; nothing for any other image.

    Properties alone say nothing: a server that boots from such an image hands them on to images of itself.
    """
    _before, mark, rest = str(body.get("name") or "").partition(f"{_NAME} ")
    run, _space, server = rest.rpartition(" ")
    ours = body.get(KIND) == ROOT_KIND and body.get("instance_uuid", server) == server
    if _before or not mark or not run or not ours or (body.get(backups.RUN), body.get(backups.SERVER)) != (run, server):
        return None
    return run, server


def lives(body: Mapping[str, Any], judge: Callable[[str, str], bool]) -> bool:
    """Whether somebody else still works on an image.

    :param judge: of mark and moment of the last change: ``images.owner.lives``.
    """
    return judge(str(body.get(OWNER) or ""), str(body.get("updated_at") or ""))


# Files.


def check_names(template: str, run: str) -> None:
    """Refuses a template that gives several servers, or several runs, the same file, and names that are too long.

    :raises InputError: they are.
    """
    name_of(run, "-" * 36)
    missing = [name for name in ("{server}", "{run}") if name not in template]
    if missing:
        raise InputError(f"file_name is {template!r}, and {' and '.join(missing)} must be in it")


def file_name(template: str, server: str, run: str, image: Image) -> str:
    """The name of the file of a server's root disk; the name of a run may have any sign."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", run).strip(".-") or "run"
    name = template.replace("{server}", server).replace("{run}", plain)
    return name.replace("{format}", image.disk_format or "raw")


def note_of(root: Root, run: str, image: Image) -> dict[str, Any]:
    """What is written down about the server of a file."""
    found, why = level(root, image.properties.get(backups.LEVEL, ""))
    return {
        "id": root.server.id,
        "name": root.server.name,
        "project": root.server.project,
        "run": run,
        "taken": image.created,
        "level": found,
        "why": why,
    }


def recorded(record: Mapping[str, Any]) -> Image | None:
    """The image of which a file was made, from what was written down; nothing when that is not whole."""
    algorithm, mark, value = str(record.get("digest") or "").partition(":")
    about = record.get("about")
    if not mark or not isinstance(record.get("size"), int) or not isinstance(about, dict) or not record.get("image"):
        return None
    return Image(
        id=str(record["image"]),
        name=str(about.get("name") or ""),
        size=record["size"],
        digest=Digest(algorithm, value),
        disk_format=str(about.get("disk_format") or ""),
        container_format=str(about.get("container_format") or ""),
        created=str(about.get("created") or ""),
        tags=tuple(str(one) for one in about.get("tags") or ()),
        properties={str(key): str(one) for key, one in (about.get("properties") or {}).items()},
    )


def newest(records: Iterable[tuple[str, Mapping[str, Any]]], server: str) -> tuple[str, Mapping[str, Any]] | None:
    """The file with the newest root disk of a server, and what was written down about it.

    :param records: path of each file and its record.
    """
    mine = [one for one in records if (one[1].get("server") or {}).get("id") == server]
    return max(mine, key=lambda one: str(one[1]["server"].get("taken")), default=None)


def importable(image: Image, path: str, note: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the option ``images`` of ``image_import`` that brings a file back as a private image."""
    own = {
        key: value
        for key, value in image.properties.items()
        if key not in _OF_SERVER and not key.startswith("scs_landscape_")
    }
    return {
        "name": f"{note.get('name') or note['id']} {note['run']}",
        "file": path,
        "digest": str(image.digest),
        "disk_format": image.disk_format,
        "container_format": image.container_format or "bare",
        "properties": own,
    }
