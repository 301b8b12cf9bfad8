# SPDX-License-Identifier: Apache-2.0
"""A cloud with images, their bytes and servers, in memory: where :class:`client.Cloud` stands."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Callable

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model

PIECE = 100_000


class Killed(BaseException):
    """The process is gone: nothing after this is done."""


class FakeImages:
    """Glance and as much of Nova as makes images.

    :ivar store: ``file`` gives parts; ``rbd`` answers 400; ``cache`` ignores the question.
    :ivar spoil: by number of the request for bytes (from 0), what happens to its pieces.
    """

    name, project_id = "fake", "mine"

    def __init__(self, store: str = "file") -> None:
        self.store = store
        self.images: dict[str, dict[str, Any]] = {}
        self.bytes: dict[str, bytes] = {}
        self.servers: list[dict[str, Any]] = []
        #: Whether somebody starts a server while Nova makes its image.
        self.starts = False
        self.writes: list[tuple[str, str]] = []
        self.asked: list[dict[str, str]] = []
        self.spoil: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {}
        self.slow = 0  # looks at an image of a server before it is active
        self.busy = -1  # looks at a server before it is free for createImage
        self.lost: list[bool] = []  # for each createImage: the answer is lost, and whether it was carried out

    def add(self, number: int, data: bytes, **values: Any) -> str:
        """An image with bytes."""
        identifier = f"{number:08d}-0000-4000-8000-000000000000"
        self.images[identifier] = {
            "id": identifier,
            "name": f"image {number}",
            "owner": "mine",
            "status": "active",
            "visibility": "private",
            "os_hidden": False,
            "disk_format": "raw",
            "container_format": "bare",
            "size": len(data),
            "checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(data).hexdigest(),
            "created_at": f"2026-01-01T00:00:{number % 60:02d}Z",
            "updated_at": f"2026-01-01T00:00:{number % 60:02d}Z",
            "tags": [],
            **values,
        }
        self.bytes[identifier] = data
        return identifier

    def server(self, number: int, **values: Any) -> str:
        """A server that boots from an image."""
        identifier = f"{number:08d}-0000-4000-9000-000000000000"
        plain = {
            "id": identifier,
            "name": f"server {number}",
            "tenant_id": "mine",
            "status": "ACTIVE",
            "image": {"id": "base"},
            "flavor": {"original_name": "small", "disk": 1, "ephemeral": 0, "swap": 0},
            "metadata": {},
        }
        self.servers.append({**plain, **values})
        return identifier

    # What the client has.

    def pages(self, _service: str, path: str, _key: str, **query: Any) -> Iterator[dict[str, Any]]:
        for known in ("limit", "microversion"):
            query.pop(known, None)
        if path == "/servers/detail":
            yield from copy.deepcopy(self.servers)
            return
        assert path == "/images"
        hidden = query.pop("os_hidden", "false") == "true"
        for one in list(self.images.values()):
            if one.get("os_hidden", False) == hidden and all(one.get(key) == value for key, value in query.items()):
                yield copy.deepcopy(one)

    def call(self, _service: str, method: str, path: str, *, json: Any = None, accept: Any = (), **_more: Any) -> Any:
        if method != "GET":
            self.writes.append((method, path))
        if path.startswith("/servers/"):
            if method == "GET":
                self.busy -= "microversion" not in _more  # who waits for it needs nothing but its state
                found = next(one for one in self.servers if one["id"] == path.split("/")[2])
                state = {"OS-EXT-STS:task_state": "image_uploading" * (self.busy >= 0)}
                return model.Answer(200, body={"server": {**copy.deepcopy(found), **state}})
            return self._create_image(path.split("/")[2], json["createImage"])
        image = self.images.get(path.split("/")[2])
        answer = model.Answer(200, body=copy.deepcopy(image))
        if image is None:
            answer = model.Answer(404)
        elif method == "DELETE":
            del self.images[image["id"]]
        elif method == "PATCH":
            image.update({one["path"][1:]: one.get("value") for one in json})
            answer = model.Answer(200, body=copy.deepcopy(image))
        elif image["status"] == "saving":
            self.slow -= 1
            if self.slow < 0:
                image["status"] = "active"
        if answer.status >= 400 and answer.status not in accept:
            raise model.refusal("image", method, path, answer)
        return answer

    def _create_image(self, server: str, wanted: dict[str, Any]) -> model.Answer:
        if self.busy >= 0:
            raise model.ConflictError("it is in task_state image_uploading", status=409)
        lost = self.lost.pop(0) if self.lost else None
        if lost is not False:
            data = hashlib.shake_256(server.encode()).digest(3 * PIECE)
            more = {"status": "saving", "instance_uuid": server, "image_type": "snapshot", "hw_disk_bus": "virtio"}
            made = self.add(len(self.images) + 100, data, name=wanted["name"], **more, **wanted["metadata"])
        if lost is not None:
            raise model.UnreachableError("the line broke")
        if self.starts:
            next(one for one in self.servers if one["id"] == server)["status"] = "ACTIVE"
        return model.Answer(200, body={"image_id": made})

    def stream(
        self, _service: str, path: str, *, timeout: float, headers: Any = None, begin: Any = None
    ) -> Iterator[bytes]:
        assert timeout > 0
        identifier = path.split("/")[2]
        data, headers = self.bytes[identifier], dict(headers or {})
        number = len(self.asked)
        self.asked.append(headers)
        match = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        offset, status, told = 0, 200, {}
        if match and self.store != "cache":
            offset, status = int(match[1]), 206
            if self.store == "rbd":
                raise model.CloudError("no random access", status=400)
            told = {"content-range": f"bytes {offset}-{len(data) - 1}/{len(data)}"}
        begin(model.Answer(status, {**told, "content-length": str(len(data) - offset)}))
        pieces = (data[at : at + PIECE] for at in range(offset, len(data), PIECE))
        yield from self.spoil.pop(number)(pieces) if number in self.spoil else pieces


def cut(after: int, error: BaseException) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """The line breaks, or the process ends, after some pieces."""

    def spoiled(pieces: Iterator[bytes]) -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            if number == after:
                raise error
            yield piece

    return spoiled


def flip(piece_number: int) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """One bit is another one."""

    def spoiled(pieces: Iterator[bytes]) -> Iterator[bytes]:
        for number, piece in enumerate(pieces):
            yield bytes([piece[0] ^ 1]) + piece[1:] if number == piece_number else piece

    return spoiled


def longer(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """More comes than there is."""
    yield from pieces
    yield b"more"
