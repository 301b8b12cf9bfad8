# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The endpoints of an inventory: who logs in where, and what becomes of those that cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..core.errors import InputError, LandscapeError
from ..core.pool import Outcome
from .model import ENDPOINT_ARGUMENTS

#: What stands beside the endpoints for all of them.
SHARED = ("username", "password", "port", "validate_certs", "ca_path", "timeout")
#: ``ssh`` is for tasks that reach hosts by their shell; the same list serves them.
_KNOWN = {"name", "ssh", *ENDPOINT_ARGUMENTS}


def logins_of(params: Mapping[str, Any], template: Callable[[Any], Any] = lambda value: value) -> list[dict[str, Any]]:
    """The options of :func:`.client.connect` for every endpoint, with its ``name``.

    :param template: evaluates user and password.
    :raises InputError: something is missing, unknown or there twice; all of that at once.
    """
    found, problems = [], []
    for number, entry in enumerate(params.get("endpoints") or ()):
        if not isinstance(entry, Mapping):
            problems.append(f"endpoints[{number}] is no dictionary")
            continue
        unknown = sorted(set(map(str, entry)) - _KNOWN)
        problems += [f"endpoints[{number}] has {key!r}, which means nothing" for key in unknown]
        login = {key: params.get(key) for key in SHARED}
        login.update({str(key): value for key, value in entry.items() if value is not None and key != "ssh"})
        for key in ("username", "password"):
            login[key] = template(login.get(key))
        missing = [key for key in ("hostname", "username", "password") if not login.get(key)]
        problems += [f"endpoints[{number}] has no {key}" for key in missing]
        login["name"] = str(login.get("name") or login.get("hostname") or "")
        login.update({key: str(login[key]) for key in ("hostname", "username", "password") if login.get(key)})
        login["validate_certs"] = _truth(login.get("validate_certs"))
        found.append(login)
    names = [str(login["name"]) for login in found]
    problems += [
        f"endpoints: {name} is there {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1
    ]
    if problems or not found:
        raise InputError(
            "; ".join(problems) or "endpoints is empty", hint="Give each endpoint a name, or a hostname, of its own"
        )
    return found


def _truth(value: Any) -> bool:
    """False only for what says so: an entry of a dictionary reaches us as it was written."""
    return not (value is False or str(value).lower() in ("false", "no", "off", "0"))


def failures(outcomes: Iterable[Outcome[Any]], policy: str) -> list[str]:
    """What is to be said of endpoints that could not be read.

    :raises LandscapeError: the policy is ``fail`` and there are some.
    """
    failed = [str(one.error) for one in outcomes if one.error is not None]
    if failed and policy == "fail":
        raise LandscapeError("; ".join(failed))
    return [f"VMs of an endpoint are missing: {text}" for text in failed]


def without_passwords(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same without passwords at any depth."""

    def clean(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): clean(one) for key, one in value.items() if str(key) != "password"}
        return [clean(one) for one in value] if isinstance(value, (list, tuple)) else value

    cleaned: dict[str, Any] = clean(options)
    return cleaned
