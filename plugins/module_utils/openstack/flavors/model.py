# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A flavor as it is in Nova, and as somebody wants it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.errors import InputError, LandscapeError
from . import names

#: Extra specs that say of which kind a disk is.
DISK_SPEC = re.compile(r"scs:disk[0-9]+-type")

#: What Nova cannot change of a flavor that is there, and how people call it.
FIXED = ("vcpus", "ram", "disk", "ephemeral", "swap", "rxtx_factor", "is_public")

#: Ends the name of a flavor that keeps what belongs to another one while that is made anew.
HOLDER = "~scs-landscape"


@dataclass(frozen=True)
class Flavor:
    """A flavor of the cloud.

    :param ram: MiB; ``disk``, ``ephemeral``: GB; ``swap``: MiB.
    :param specs: extra specs; ``None`` when the token may not see them.
    :param access: ids of projects that may use a flavor that is not public; ``None`` when that was not asked.
    :param disabled: Nova refuses new servers with it.
    """

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    description: str | None = None
    specs: Mapping[str, str] | None = None
    access: frozenset[str] | None = None
    disabled: bool = False

    @property
    def kept_for(self) -> str:
        """Name of the flavor that is being made anew from this one; empty for any other flavor."""
        return self.name[: -len(HOLDER)] if self.name.endswith(HOLDER) else ""


@dataclass(frozen=True)
class Definition:
    """A flavor as somebody wants it; what is ``None`` does not matter.

    :param access: ids of projects, for a flavor that is not public.
    """

    name: str
    vcpus: int = 0
    ram: int = 0
    disk: int = 0
    id: str = ""
    ephemeral: int | None = None
    swap: int | None = None
    rxtx_factor: float | None = None
    is_public: bool | None = None
    description: str | None = None
    specs: Mapping[str, str] = field(default_factory=dict)
    access: frozenset[str] | None = None
    absent: bool = False


def flavor_of(data: Mapping[str, Any]) -> Flavor:
    """A flavor from Nova's JSON (``/flavors/detail``)."""
    return Flavor(
        id=str(data["id"]),
        name=str(data["name"]),
        vcpus=int(data["vcpus"]),
        ram=int(data["ram"]),
        disk=int(data["disk"]),
        ephemeral=int(data.get("OS-FLV-EXT-DATA:ephemeral") or 0),
        swap=int(data.get("swap") or 0),
        rxtx_factor=float(data.get("rxtx_factor") or 1.0),
        is_public=bool(data.get("os-flavor-access:is_public", True)),
        description=data.get("description"),
        disabled=bool(data.get("OS-FLV-DISABLED:disabled")),
        specs=None if data.get("extra_specs") is None else {k: str(v) for k, v in data["extra_specs"].items()},
    )


def note_of(flavor: Flavor) -> str:
    """What a flavor that keeps the values of another one says about it, in its description."""
    return json.dumps({"id": flavor.id, "is_public": flavor.is_public, "description": flavor.description})


def kept_by(holder: Flavor) -> Flavor:
    """The flavor whose values a holder keeps.

    :raises LandscapeError: the holder does not say whose they are.
    """
    try:
        note = json.loads(holder.description or "")
        was = {"id": str(note["id"]), "is_public": bool(note["is_public"]), "description": note["description"]}
    except (ValueError, KeyError, TypeError) as error:
        hint = f"Look what it has that {holder.kept_for} lacks, then delete it"
        raise LandscapeError(f"flavor {holder.name} does not say what it was kept for", hint=hint) from error
    return replace(holder, name=holder.kept_for, **was)


def definition_of(given: Mapping[str, Any], *, disk_type: str = "network", scs_specs: bool = True) -> Definition:
    """A definition from the options of a task; what an SCS name says need not be written again.

    :param disk_type: value of ``scs:disk0-type`` where a name leaves the kind of disk open.
    :param scs_specs: whether a flavor with an SCS name gets the extra specs of scs-0103.
    :raises InputError: it is not whole, or its name promises more than it has.
    """
    name = str(given.get("name") or "")
    if not name:
        raise InputError("a flavor has no name")
    if name.endswith(HOLDER):
        raise InputError(f"flavor {name}: names that end in {HOLDER} are kept for the module")
    if given.get("state") == "absent":
        return Definition(name=name, id=given.get("id") or "", absent=True)
    meant = names.parse(name) if names.is_scs(name) else None
    sizes = _sizes(name, given, meant)
    wrong = names.overpromises(meant, **sizes) if meant else []
    if wrong:
        raise InputError(f"flavor {name}: {'; '.join(wrong)}", hint="A name that begins with SCS- promises a minimum")
    specs = meant.specs(disk_type if sizes["disk"] else "") if meant and scs_specs else {}
    specs.update({str(key): _text(value) for key, value in (given.get("extra_specs") or {}).items()})
    access = given.get("access")
    public = given.get("is_public")
    if access is not None and public is not False:
        raise InputError(f"flavor {name}: access is for flavors that are not public", hint="Set is_public to false")
    return Definition(
        name=name,
        id=given.get("id") or "",
        ephemeral=given.get("ephemeral"),
        swap=given.get("swap"),
        rxtx_factor=given.get("rxtx_factor"),
        is_public=public,
        description=given.get("description"),
        specs=without_disk(specs, sizes["disk"]),
        access=None if access is None else frozenset(access),
        vcpus=sizes["vcpus"],
        ram=sizes["ram"],
        disk=sizes["disk"],
    )


def without_disk(specs: Mapping[str, str], disk: int) -> dict[str, str]:
    """Extra specs without the kind of a disk that is not there (scs-0103: not set if no disk is provided)."""
    return {key: value for key, value in specs.items() if disk or not DISK_SPEC.fullmatch(key)}


def _sizes(name: str, given: Mapping[str, Any], meant: names.Name | None) -> dict[str, int]:
    says = {"vcpus": meant.vcpus, "ram": meant.ram_mib, "disk": meant.disk or 0} if meant else {"disk": 0}
    found = {key: given[key] for key in ("vcpus", "ram", "disk") if given.get(key) is not None}
    missing = [key for key in ("vcpus", "ram") if key not in found and key not in says]
    if missing:
        raise InputError(f"flavor {name}: {' and '.join(missing)} is missing")
    if meant and meant.disk == 0 and "disk" not in found:
        raise InputError(f"flavor {name}: the name leaves the size of the disk open", hint="Give disk, in GB")
    sizes = {**says, **found}
    low = [key for key in ("vcpus", "ram") if sizes[key] < 1] + (["disk"] if sizes["disk"] < 0 else [])
    if low:
        raise InputError(f"flavor {name}: {' and '.join(low)} is too small")
    return sizes


def _text(value: Any) -> str:
    return ("True" if value else "False") if isinstance(value, bool) else str(value)
