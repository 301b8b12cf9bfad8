# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What every part of the OpenStack domain shares: how to log in, what an API answers, how it refuses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ..core.errors import InputError, LandscapeError

#: Oldest SDK that is tested: the one of Debian 13.
SDK_FLOOR = (4, 4)

#: Login options of every module of this domain, by the names openstack.cloud gave them.
AUTH_ARGUMENTS: dict[str, dict[str, Any]] = {
    "cloud": {"type": "raw"},
    "auth": {"type": "dict", "no_log": True},
    "auth_type": {"type": "str"},
    "region_name": {"type": "str"},
    "interface": {
        "type": "str",
        "choices": ["public", "internal", "admin"],
        "default": "public",
        "aliases": ["endpoint_type"],
    },
    "validate_certs": {"type": "bool", "aliases": ["verify"]},
    "ca_cert": {"type": "path", "aliases": ["cacert"]},
    "client_cert": {"type": "path", "aliases": ["cert"]},
    "client_key": {"type": "path", "no_log": False, "aliases": ["key"]},
    "api_timeout": {"type": "int", "default": 60},
}

#: Our names and those of the SDK.
_NAMES = {
    "auth": "auth",
    "auth_type": "auth_type",
    "region_name": "region_name",
    "validate_certs": "verify",
    "ca_cert": "cacert",
    "client_cert": "cert",
    "client_key": "key",
}


def login_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the SDK's configuration for the options of a module.

    :raises InputError: ``cloud`` is a whole configuration, and something beside it contradicts it.
    """
    cloud = params.get("cloud")
    given = {theirs: params[ours] for ours, theirs in _NAMES.items() if params.get(ours) is not None}
    interface = params.get("interface") or "public"
    limit = {"api_timeout": params.get("api_timeout") or 60}
    if isinstance(cloud, Mapping):
        beside = sorted(ours for ours, theirs in _NAMES.items() if theirs in given)
        if beside or interface != "public":
            names = ", ".join(beside or ["interface"])
            raise InputError(
                f"cloud is a whole configuration, and {names} is given beside it", hint="Write it into cloud"
            )
        return {**limit, **cloud}
    if cloud is not None and not isinstance(cloud, str):
        raise InputError(f"cloud is {type(cloud).__name__}, not the name of a cloud or a configuration")
    return {**given, **limit, "interface": interface, **({"cloud": cloud} if cloud else {})}


class CloudError(LandscapeError):
    """An API refused, failed or could not be reached.

    :param status: HTTP status, 0 when there was no answer.
    :ivar wait: seconds that the service asks us to wait, 0 when it does not.
    """

    wait = 0.0

    def __init__(self, message: str, *, status: int = 0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotFoundError(CloudError):
    """404: the object is not there, or not for this token."""


class ConflictError(CloudError):
    """409: the object is in another state, or already there."""


class ForbiddenError(CloudError):
    """403: the token's roles or a quota do not allow it."""


class UnreachableError(CloudError):
    """No answer, or an answer that broke off, after all attempts."""


def is_passing(error: CloudError) -> bool:
    """Whether sending once more may help: lost, expired or overloaded, but not too large and not forbidden."""
    status = error.status
    return status in (0, 401, 404, 408, 409, 410, 429) or status >= 500 or (status == 413 and error.wait > 0)


_KINDS = {403: ForbiddenError, 404: NotFoundError, 409: ConflictError}


@dataclass(frozen=True)
class Answer:
    """What an API answered.

    :param headers: names in lower case.
    :param body: parsed JSON, ``None`` when there is none.
    :param attempts: how often the request was sent, from 1.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""
    attempts: int = 1

    @property
    def reason(self) -> str:
        """Why it refused, in its own words: JSON of Nova and Keystone, HTML of Glance."""
        said = self.body
        if isinstance(said, Mapping) and len(said) == 1:
            said = next(iter(said.values()))
        if isinstance(said, Mapping):
            said = said.get("message") or said.get("title") or said.get("faultstring")
        if not isinstance(said, str) or not said:
            said = re.sub(r"<(head|style|script)\b.*?</\1>", " ", self.text, flags=re.DOTALL | re.IGNORECASE)
            said = re.sub(r"<[^>]*>", " ", said)
        return re.sub(r"\s+", " ", said).strip()[:500]


def refusal(service: str, method: str, path: str, answer: Answer) -> CloudError:
    """The error for an answer that is no success."""
    kind = _KINDS.get(answer.status, CloudError)
    reason = f": {answer.reason}" if answer.reason else ""
    return kind(f"The {service} service answered {answer.status} to {method} {path}{reason}", status=answer.status)


def is_unclear(error: CloudError) -> bool:
    """Whether nobody knows if the service did what it was asked for: the answer was lost, or a proxy or the service gave up."""
    return isinstance(error, UnreachableError) or error.status >= 500


def is_busy(answer: Answer) -> bool:
    """Whether the service says "not now" and did nothing; then any request may be repeated.

    413 is such an answer with ``Retry-After`` only: without, Glance means the size of an image, and Nova a quota. Cinder
    answers a quota that is used up with ``Retry-After: 0`` and ``overLimit`` (``QuotaError`` in ``cinder/exception.py``): waiting
    does not help, and its limits of rate are ``overLimitFault``.
    """
    if answer.status != 413:
        return answer.status == 429
    at_once = answer.headers.get("retry-after", "0").strip() == "0"
    final = (isinstance(answer.body, Mapping) and "overLimit" in answer.body) or "quota" in answer.reason.lower()
    return "retry-after" in answer.headers and not (at_once and final)


def next_page(body: Mapping[str, Any], key: str) -> str:
    """Where the next page of a list is; empty behind the last one."""
    links = body.get(f"{key}_links")
    if isinstance(links, list):
        return next((str(link["href"]) for link in links if link.get("rel") == "next"), "")
    inside = body.get("links")
    return str(body.get("next") or (inside.get("next") if isinstance(inside, Mapping) else "") or "")


def version_of(text: str) -> tuple[int, ...]:
    """A microversion or a release as numbers that compare: ``2.79`` is newer than ``2.8``."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def has_secret(url: str) -> bool:
    """Whether an address holds what must not be shown: user and password, or a query that may be a signature."""
    return without_password(url) != url


def secrets_of(url: str, shortest: int = 4) -> set[str]:
    """What is secret in an address, as it is written there: its query as a whole, user and password, and single values.

    :param shortest: characters that a single value of the query must have; a shorter one may be any word of a text.
    """
    if not has_secret(url):
        return set()
    user, mark, _host = url.partition("://")[2].partition("?")[0].split("/")[0].rpartition("@")
    query = url.partition("?")[2]
    values = {value for value in (part.rpartition("=")[2] for part in query.split("&")) if len(value) >= shortest}
    found = {query, *values, *((user, user.partition(":")[2]) if mark else ())}
    found |= {unquote(one) for one in found} | {html.escape(one) for one in found}
    return found - {""}


def secrets_in(data: Any) -> Iterator[str]:
    """What is secret in the addresses of some options, at any depth: for answers and logs that show the options.

    Such a word is hidden wherever it stands in an answer, so those that may be part of anything are left out.
    """
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        for value in data:
            yield from secrets_in(value)
    elif isinstance(data, str) and "://" in data:
        yield from secrets_of(data, 8)


def without_secrets(text: str, urls: Iterable[str]) -> str:
    """A text of somebody else that may be shown: without what is secret in some addresses, however it is written there."""
    hidden = {secret for url in urls for secret in secrets_of(url)}
    for one in sorted(hidden, key=len, reverse=True):
        text = text.replace(one, "***")
    return text


def without_password(url: str) -> str:
    """An address that may be shown: without user, password and query."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", url).partition("?")[0]
