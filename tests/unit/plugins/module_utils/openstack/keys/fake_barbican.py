# SPDX-License-Identifier: Apache-2.0
"""A Barbican and a few images beside the fake Cinder, in memory; refusals are written down from the real one's code."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.backup.fake_cinder import FakeCinder

BASE = "http://keys.invalid:9311/v1"


class FakeProject(FakeCinder):
    """Stands where :class:`client.Cloud` stands.

    :ivar secrets: by id, with ``_payload``, ``_metadata`` and ``_read``.
    :ivar images: by id.
    :ivar denied: ids of secrets whose payload this login may not read.
    :ivar short: whether the next payloads break off one byte before their end.
    :ivar without: services that the cloud does not have.
    :ivar creator: the login has the role that makes and reads secrets.
    """

    user_id = "u1"

    def __init__(self, name: str = "a") -> None:
        super().__init__()
        self.cloud_name = name
        self.secrets: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.denied: set[str] = set()
        self.creator = True
        self.most_secrets = -1
        self.short: list[bool] = []
        self.without: tuple[str, ...] = ()

    # What a test arranges.

    def add_secret(self, identifier: str, payload: bytes, **more: Any) -> str:
        """A secret as Cinder has them made: nameless, for AES."""
        self.secrets[identifier] = {
            "name": None,
            "secret_type": "symmetric",
            "algorithm": "aes",
            "bit_length": 256,
            "mode": None,
            "expiration": None,
            "status": "ACTIVE",
            "created": "2026-03-01T02:00:00",
            "creator_id": self.user_id,
            "content_types": {"default": "application/octet-stream"},
            "secret_ref": f"{BASE}/secrets/{identifier}",
            "_payload": payload,
            "_metadata": {},
            "_read": {"project-access": True},
            **more,
        }
        return identifier

    def add_encrypted(self, number: int, payload: bytes) -> tuple[str, str]:
        """Ids of the keys of a volume and of its backup: the same bytes under two ids, as Cinder does it."""
        mine, copied = (self.add_secret(f"key-{kind}-{number}", payload) for kind in ("volume", "backup"))
        self.add_volume(f"v{number}", encrypted=True, encryption_key_id=mine)
        self.add_backup(f"b{number}", f"v{number}", encryption_key_id=copied)
        return mine, copied

    # What the client has.

    def has(self, service: str) -> bool:
        """As the client's."""
        return service not in self.without

    def pages(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """As the client's."""
        if service == "block-storage":
            yield from super().pages(service, path, key, **query)
            return
        found = self.call(service, "GET", path).body[key]
        if service == "image":
            for one in found:
                if str(one.get("os_hidden", False)).lower() == query["os_hidden"] and one["owner"] == query["owner"]:
                    yield one
            return
        yield from [one for one in found if one.get("name") == query.get("name", one.get("name"))]

    def stream(
        self, service: str, path: str, *, headers: Mapping[str, str], begin: Any, **_more: Any
    ) -> Iterator[bytes]:
        """As the client's."""
        with self._lock:
            self.requests.append(("GET", path))
            self.hook("GET", path)
            found = self.secrets.get(path.split("/")[2])
            if found is None or "_payload" not in found:
                raise model.NotFoundError(f"GET {path}", status=404)
            if not self.creator or path.split("/")[2] in self.denied:
                raise model.ForbiddenError(f"GET {path}", status=403)
            if headers["Accept"] != found["content_types"]["default"]:
                raise model.CloudError(f"GET {path}", status=406)
        begin(model.Answer(200, {"content-length": str(len(found["_payload"]))}))
        short = self.short and self.short.pop()
        yield found["_payload"][:-1] if short else found["_payload"]

    def call(self, service: str, method: str, path: str, **given: Any) -> Any:
        """As the client's."""
        if service == "block-storage":
            return super().call(service, method, path, **given)
        with self._lock:
            self.requests.append((method, path))
            verdict = self.hook(method, path)
            answer = model.Answer(*self._other(service, method, path, given))
            if verdict == "lose":
                raise model.UnreachableError(f"fake: {method} {path} broke off")
        if answer.status >= 400 and answer.status not in given.get("accept", ()):
            raise model.refusal(service, method, path, answer)
        return answer

    # Underneath.

    def _other(self, service: str, method: str, path: str, given: Mapping[str, Any]) -> tuple[int, Any, Any]:
        if service == "key-manager" and not self.creator and method != "GET":
            return 403, {}, {"title": "Forbidden", "description": "attempt not allowed"}
        for pattern, name in _ROUTES.items():
            found = re.fullmatch(pattern, f"{service} {method} {path}")
            if found:
                status, body = getattr(self, name)(given, *found.groups())
                return status, {}, copy.deepcopy(body)
        return 404, {}, {"title": f"no route {service} {method} {path}"}

    def _secrets(self, _given: Any) -> tuple[int, Any]:
        return 200, {"secrets": [_shown(one) for one in self.secrets.values()], "total": len(self.secrets)}

    def _secret(self, _given: Any, identifier: str) -> tuple[int, Any]:
        found = self.secrets.get(identifier)
        return (200, _shown(found)) if found else (404, {"title": "Secret not found."})

    def _metadata(self, _given: Any, identifier: str) -> tuple[int, Any]:
        return 200, {"metadata": self.secrets[identifier]["_metadata"]}

    def _acl(self, _given: Any, identifier: str) -> tuple[int, Any]:
        return 200, {"read": self.secrets[identifier]["_read"]}

    def _quotas(self, _given: Any) -> tuple[int, Any]:
        return 200, {"quotas": {"secrets": self.most_secrets}}

    def _make(self, given: Any) -> tuple[int, Any]:
        identifier = self._new(f"secret-{self.cloud_name}")
        assert "payload" not in given["json"]
        self.add_secret(identifier, b"", **given["json"], content_types=None)
        del self.secrets[identifier]["_payload"]
        return 201, {"secret_ref": f"{BASE}/secrets/{identifier}"}

    def _fill(self, given: Any, identifier: str) -> tuple[int, Any]:
        one = self.secrets[identifier]
        if "_payload" in one:
            return 409, {"title": "Secret already has data, cannot modify it."}
        encoded = given["headers"].get("Content-Encoding") == "base64"
        one["_payload"] = base64.b64decode(given["data"]) if encoded else given["data"]
        one["content_types"] = {"default": given["headers"]["Content-Type"]}
        return 204, None

    def _mark_secret(self, given: Any, identifier: str) -> tuple[int, Any]:
        self.secrets[identifier]["_metadata"] = given["json"]["metadata"]
        return 201, None

    def _close(self, given: Any, identifier: str) -> tuple[int, Any]:
        assert "_payload" not in self.secrets[identifier], "it was open to all for a while"
        self.secrets[identifier]["_read"] = given["json"]["read"]
        return 200, None

    def _groups(self, _given: Any) -> tuple[int, Any]:
        return 200, {"containers": list(self.groups.values())}

    def _group(self, _given: Any, identifier: str) -> tuple[int, Any]:
        return (200, self.groups[identifier]) if identifier in self.groups else (404, None)

    def _make_group(self, given: Any) -> tuple[int, Any]:
        identifier = self._new(f"container-{self.cloud_name}")
        reference = f"{BASE}/containers/{identifier}"
        self.groups[identifier] = {"name": None, **given["json"], "container_ref": reference}
        return 201, {"container_ref": reference}

    def _order(self, _given: Any, identifier: str) -> tuple[int, Any]:
        return (200, self.orders[identifier]) if identifier in self.orders else (404, None)

    def _images(self, _given: Any) -> tuple[int, Any]:
        return 200, {"images": list(self.images.values())}

    def _image(self, _given: Any, identifier: str) -> tuple[int, Any]:
        return (200, self.images[identifier]) if identifier in self.images else (404, None)

    def _patch(self, given: Any, identifier: str) -> tuple[int, Any]:
        for change in given["json"]:
            assert change["op"] == "replace"
            self.images[identifier][change["path"][1:]] = change["value"]
        return 200, self.images[identifier]


_ROUTES = {
    r"key-manager GET /secrets": "_secrets",
    r"key-manager GET /secrets/([^/]+)": "_secret",
    r"key-manager GET /secrets/([^/]+)/metadata": "_metadata",
    r"key-manager GET /secrets/([^/]+)/acl": "_acl",
    r"key-manager GET /quotas": "_quotas",
    r"key-manager POST /secrets": "_make",
    r"key-manager PUT /secrets/([^/]+)": "_fill",
    r"key-manager PUT /secrets/([^/]+)/metadata": "_mark_secret",
    r"key-manager PUT /secrets/([^/]+)/acl": "_close",
    r"key-manager GET /containers": "_groups",
    r"key-manager GET /containers/([^/]+)": "_group",
    r"key-manager POST /containers": "_make_group",
    r"key-manager GET /orders/([^/]+)": "_order",
    r"image GET /images": "_images",
    r"image GET /images/([^/]+)": "_image",
    r"image PATCH /images/([^/]+)": "_patch",
}


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if not name.startswith("_") and value is not None}
