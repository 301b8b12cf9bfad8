# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What differs between two manifests, but for what has to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: What is another one once a server was made again; ``[]`` stands for any entry of a list.
NEW = (
    "id",
    "image.id",
    "group.id",
    "ports[].id",
    "ports[].floating_ips[].id",
    "volumes[].id",
    "security_groups[].id",
    "omitted",
)
_MISSING = "(nothing)"


def differences(old: Mapping[str, Any], new: Mapping[str, Any], allowed: Iterable[str] = NEW) -> list[dict[str, Any]]:
    """Every value that differs, with its place.

    :param allowed: places that may.
    """
    free = frozenset(allowed)
    return [{"path": path, "before": before, "after": after} for path, before, after in _walk(old, new, "", "", free)]


def _walk(old: Any, new: Any, path: str, kind: str, free: frozenset[str]) -> Iterator[tuple[str, Any, Any]]:
    if kind in free or old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            below, shape = (f"{one}.{key}" if one else str(key) for one in (path, kind))
            yield from _walk(old.get(key, _MISSING), new.get(key, _MISSING), below, shape, free)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else _MISSING
            after = new[index] if index < len(new) else _MISSING
            yield from _walk(before, after, f"{path}[{index}]", f"{kind}[]", free)
    else:
        yield path, old, new


def allowed(manifest: Mapping[str, Any], params: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[str, ...]:
    """Places that may differ between a manifest and what was made of it.

    :param params: the options of ``server_recreate``: what is mapped may be another one.
    :param seen: the manifest of what was made: a token that sees no user data cannot compare it.
    """
    found = list(NEW)
    blind = any(str(one).startswith("user_data") for one in [*manifest["omitted"], *seen["omitted"]])
    keyless = any(one.get("keypair") and not one["keypair"].get("public_key") for one in (manifest, seen))
    free = {
        "keypair.public_key": keyless,
        "keypair.type": keyless,
        "user_data": blind or bool(params["user_data"]),
        "project": bool(params["other_project"]),
        "flavor": bool(params["flavors"]),
        "image": bool(params["images"]),
        "keypair": bool(params["keypairs"]),
        "status": params["power"] != "captured",
        "ports[].network": bool(params["networks"]),
        "ports[].fixed_ips[].subnet_id": bool(params["networks"]),
        "ports[].mac_address": not params["keep_macs"],
        "ports[].allowed_address_pairs": not (params["keep_macs"] and params["keep_ips"]),
        "ports[].fixed_ips": not params["keep_ips"],
        "ports[].floating_ips": not params["keep_ips"],
    }
    return (*found, *(path for path, is_free in free.items() if is_free))
