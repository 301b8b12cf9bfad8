# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Requests to Barbican. A secret is made in steps that may all be done twice: empty, marked, closed, and filled at last."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ...core.errors import LandscapeError
from ...core.retry import Backoff, retry
from ..model import Answer, CloudError, ConflictError, ForbiddenError, NotFoundError, UnreachableError
from . import model
from .model import Container, Secret

_BARBICAN = "key-manager"
ROLES = (
    "Barbican lets the role creator (or admin) of the project read and make secrets; with its newer defaults "
    "(enforce_new_defaults) the role member; a secret that is private, only its owner, an admin and the users in its list"
)


#: Answers after which the same request may be sent again.
_BUSY = (429, 500, 502, 503, 504)


@contextlib.contextmanager
def _again() -> Iterator[None]:
    """A service that is busy is like one that does not answer, for requests that the client sends once."""
    try:
        yield
    except CloudError as error:
        if error.status in _BUSY and not isinstance(error, UnreachableError):
            raise UnreachableError(str(error), status=error.status) from None
        raise


class Barbican:
    """Secrets and containers of a project.

    :param cloud: :class:`..client.Cloud`.
    """

    def __init__(self, cloud: Any, backoff: Backoff | None = None) -> None:
        self.cloud = cloud
        self._backoff = backoff or Backoff(first=0.3, longest=10.0, within=60.0)

    # Reading.

    def secret(self, identifier: str) -> dict[str, Any] | None:
        """What is known of a secret, or nothing when it is not there."""
        try:
            return dict(self._get(f"/secrets/{quote(identifier)}"))
        except NotFoundError:
            return None

    def metadata(self, identifier: str) -> dict[str, str]:
        """What users wrote beside it."""
        return dict(self._get(f"/secrets/{identifier}/metadata").get("metadata") or {})

    def known(self, identifier: str) -> Secret:
        """All of a secret but its payload.

        :raises LandscapeError: it is not there, empty or not for this token.
        """
        body = self.secret(identifier)
        if body is None:
            raise LandscapeError(f"secret {identifier} is not there")
        found = model.secret_of(identifier, body, self.metadata(identifier), self._get(f"/secrets/{identifier}/acl"))
        if not found.content:
            raise LandscapeError(f"secret {identifier} is empty: it was never given a payload")
        return found

    def payload(self, one: Secret) -> bytes:
        """The bytes of a secret.

        :raises ForbiddenError: the token may not read it; the message says which roles may.
        """

        def read() -> bytes:
            path, accept = f"/secrets/{one.id}/payload", {"Accept": one.content}
            told: list[Answer] = []
            with _again():
                stream = self.cloud.stream(_BARBICAN, path, timeout=60.0, headers=accept, begin=told.append)
                got = b"".join(stream)
            wanted = told[0].headers.get("content-length") if told else None
            if wanted and int(wanted) != len(got):
                # Half a key would be sealed, and nobody would know before the day it is needed.
                raise UnreachableError(f"secret {one.id}: {len(got)} of {wanted} bytes came")
            return got

        try:
            found = retry(read, on=(UnreachableError,), backoff=self._backoff)
        except ForbiddenError:
            raise ForbiddenError(f"secret {one.id} may not be read with this login", status=403, hint=ROLES) from None
        if not found:
            raise LandscapeError(f"secret {one.id} is empty")
        return found

    def named(self, name: str) -> list[dict[str, Any]]:
        """Secrets of exactly that name."""
        return [one for one in self._pages("/secrets", "secrets", name=name) if one.get("name") == name]

    def room(self) -> tuple[int, int]:
        """How many secrets the project may have (-1: any number) and has."""
        answer = self.cloud.call(_BARBICAN, "GET", "/quotas", accept=(403, 404))
        limit = ((answer.body or {}).get("quotas") or {}).get("secrets") if answer.status == 200 else None
        used = int(self._get("/secrets", limit=1).get("total") or 0)
        return (-1 if limit is None else int(limit)), used

    def container(self, identifier: str) -> Container:
        """A container.

        :raises NotFoundError: it is not there.
        """
        return model.container_of(self._get(f"/containers/{quote(identifier)}"))

    def containers(self) -> list[Container]:
        """All of the project."""
        return [model.container_of(one) for one in self._pages("/containers", "containers")]

    def of_order(self, identifier: str) -> tuple[str, str]:
        """Ids of the secret and of the container that an order made; one of them is empty."""
        body = self._get(f"/orders/{quote(identifier)}")
        return model.id_of(str(body.get("secret_ref") or "")), model.id_of(str(body.get("container_ref") or ""))

    def _get(self, path: str, **query: Any) -> Any:
        try:
            return self.cloud.get(_BARBICAN, path, **query) or {}
        except ForbiddenError as error:
            raise ForbiddenError(str(error), status=403, hint=ROLES) from None

    def _pages(self, path: str, key: str, **query: Any) -> Any:
        try:
            yield from self.cloud.pages(_BARBICAN, path, key, limit=100, offset=0, **query)
        except ForbiddenError as error:
            raise ForbiddenError(str(error), status=403, hint=ROLES) from None

    # Making.

    def begin(self, one: Secret) -> str:
        """Makes a secret without a payload; its id. The mark comes next, so a clone by somebody else has none."""
        facts = {key: value for key, value in one.facts.items() if key != "created"}
        return self._made("/secrets", {**facts, "name": one.label}, "secret_ref")

    def finish(self, identifier: str, one: Secret) -> None:
        """Marks it, closes it to whom it was closed, and fills it. May be done again at any point."""
        self._write("PUT", f"/secrets/{identifier}/metadata", {"metadata": {**one.metadata, model.MARK: one.id}}, one)
        if one.readers:
            self._write("PUT", f"/secrets/{identifier}/acl", {"read": dict(one.readers)}, one)
        self._fill(identifier, one)

    def _fill(self, identifier: str, one: Secret) -> None:
        headers, data = {"Content-Type": one.content}, one.payload
        if not one.content.startswith("text/"):
            headers["Content-Encoding"], data = "base64", base64.b64encode(one.payload)

        def put() -> None:
            # It may have one: an earlier attempt was done and its answer lost.
            with contextlib.suppress(ConflictError), _again():
                self.cloud.call(_BARBICAN, "PUT", f"/secrets/{identifier}", data=data, headers=headers)

        try:
            retry(put, on=(UnreachableError,), backoff=self._backoff)
        except CloudError as error:
            raise type(error)(model.hidden(str(error), [one]), status=error.status) from None

    def group(self, one: Container, ids: Mapping[str, str]) -> str:
        """Makes a container of the secrets as they are now; its id."""
        refs = []
        for name, key in one.members:
            # Barbican takes references that begin with its own address alone, which need not be that of the catalogue.
            found = self._get(f"/secrets/{ids[key]}").get("secret_ref")
            refs.append({"name": name, "secret_ref": found} if name else {"secret_ref": found})
        body: dict[str, Any] = {"type": one.type, "secret_refs": refs}
        return self._made("/containers", {**body, "name": one.name} if one.name else body, "container_ref")

    def _made(self, path: str, body: Mapping[str, Any], reference: str) -> str:
        try:
            answer = self.cloud.call(_BARBICAN, "POST", path, json=dict(body))
        except ForbiddenError as error:
            raise ForbiddenError(str(error), status=403, hint=ROLES) from None
        found = model.id_of(str((answer.body or {}).get(reference) or ""))
        if not found:
            raise CloudError(f"{self.cloud.name}: POST {path} was accepted without saying what was made")
        return found

    def _write(self, method: str, path: str, body: Mapping[str, Any], one: Secret) -> None:
        try:
            self.cloud.call(_BARBICAN, method, path, json=dict(body))
        except CloudError as error:
            raise type(error)(model.hidden(str(error), [one]), status=error.status) from None
