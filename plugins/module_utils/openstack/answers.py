# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What comes back from an API, read: bodies, and wishes to wait. Pure."""

from __future__ import annotations

import contextlib
import email.utils
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from .model import Answer, refusal


class BrokenAnswerError(Exception):
    """A success whose JSON cannot be read: something between us and the service damaged it."""


def answer_of(reply: Any) -> Answer:
    """The answer of a response of ``requests``.

    :raises BrokenAnswerError: it says JSON and is none.
    """
    headers = {name.lower(): value for name, value in reply.headers.items()}
    text = reply.text if reply.content else ""
    body = None
    if "json" in headers.get("content-type", "") and text:
        try:
            body = reply.json()
        except ValueError as error:
            if reply.status_code < 400:
                raise BrokenAnswerError(f"{reply.status_code} with damaged JSON: {text[:80]!r}") from error
    return Answer(reply.status_code, headers, body, "" if body is not None else text)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float:
    """Seconds that a service asks us to wait, 0 when it does not say (RFC 9110, 10.2.3)."""
    said = headers.get("retry-after", "").strip()
    if said.isdigit():
        return float(said)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - now())
    return 0.0


def accepted(service: str, method: str, path: str, answer: Answer, accept: tuple[int, ...]) -> Answer:
    """The answer, unless it is a refusal.

    :param accept: statuses of refusals that the caller takes.
    :raises CloudError: it is another one.
    """
    if answer.status >= 400 and answer.status not in accept:
        refused = refusal(service, method, path, answer)
        refused.wait = retry_after(answer.headers)
        raise refused
    return answer


def pieces_of(reply: Any, size: int) -> Iterator[bytes]:
    """The body of a streamed response of ``requests``, as it comes: who waits for whole pieces waits for a server that drips.

    :param size: most bytes of a piece.
    """
    read = getattr(reply.raw, "read1", None)
    if read is None:  # urllib3 before 2.1
        yield from reply.iter_content(min(size, 65536))
        return
    while True:
        piece = bytes(read(size, decode_content=True))
        if not piece:
            return
        yield piece
