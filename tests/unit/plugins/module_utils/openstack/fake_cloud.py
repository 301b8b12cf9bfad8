# SPDX-License-Identifier: Apache-2.0
"""What stand-ins of clouds share: requests that are counted, answers that are lost, and runs that die at a write."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.openstack import model


class Killed(BaseException):
    """The run was killed."""


class FakeApi:
    """Stands where :class:`client.Cloud` stands; what the services do is ``_answer`` of each stand-in.

    :ivar writes: method and path of each request that changes something.
    :ivar lose: methods and ends of paths whose next answer is lost, and whether the service had acted.
    :ivar kill_after: number of writes after which the run dies.
    """

    name, project_id = "fake", "p1"

    def __init__(self) -> None:
        self.writes: list[tuple[str, str]] = []
        self.lose: list[tuple[str, str, bool]] = []
        self.kill_after: int | None = None

    def get(self, service: str, path: str, *, microversion: str | None = None, **_query: Any) -> Any:
        """As the client's."""
        return self.call(service, "GET", path).body

    def call(self, service: str, method: str, path: str, *, json: Any = None, accept: Any = (), **_more: Any) -> Any:
        """As the client's."""
        if method != "GET":
            if self.kill_after is not None and len(self.writes) >= self.kill_after:
                raise Killed
            self.writes.append((method, path))
        lost = next((one for one in self.lose if method == one[0] and path.endswith(one[1])), None)
        if lost:
            self.lose.remove(lost)
        if not lost or lost[2]:
            status, body = self._answer(method, path.strip("/").split("/"), copy.deepcopy(json))
        if lost:
            raise model.UnreachableError(f"{method} {path} broke off")
        answer = model.Answer(status, body=body)
        if status >= 400 and status not in accept:
            raise model.refusal(service, method, path, answer)
        return answer

    def _answer(self, method: str, path: list[str], body: Any) -> tuple[int, Any]:
        """Status and body of a request.

        :param path: its parts.
        """
        raise NotImplementedError
