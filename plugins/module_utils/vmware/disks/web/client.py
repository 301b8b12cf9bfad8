# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files over HTTPS from an ESXi host or a vCenter: one request after the other, a session that ran out renewed once.

Certificates and thumbprints are :mod:`...link.client`'s. A connection that breaks is told apart from an answer that refuses:
asking again may help after the first, never after the second.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from ....core.errors import LandscapeError
from ....core.transfer import CHUNK, TruncatedError
from ...link.client import Connection, ThumbprintError, Trust, connection
from ...model import UnreachableError

#: Bytes of a refusal that are told.
_WORDS = 300
_RENEWING = threading.Lock()


class BrokenError(TruncatedError):
    """A connection broke, or none came about; asking again may help."""


class SessionLike(Protocol):
    """What is needed of a session, see :class:`...client.Session`."""

    name: str
    host: str
    port: int
    timeout: float
    trust: Trust

    @property
    def cookie(self) -> str:
        """Of the session; a secret."""

    def renew(self) -> None:
        """Logs in again."""


@dataclass(frozen=True)
class Host:
    """Whom we talk to.

    :param session: whose cookie is sent; nothing where the address itself is the permission (a lease at another host).
    """

    name: str
    host: str
    port: int
    trust: Trust
    timeout: float
    session: SessionLike | None = field(default=None, repr=False)

    def link(self) -> Connection:
        """A connection, not opened yet."""
        return connection(self.host, self.port, self.trust, self.timeout)


def host_of(session: SessionLike) -> Host:
    """The endpoint itself."""
    return Host(session.name, session.host, session.port, session.trust, session.timeout, session)


def host_of_url(session: SessionLike, url: str, thumbprint: str = "") -> tuple[Host, str]:
    """The host of a lease's address, and the path there. Our cookie goes to the endpoint alone.

    :param thumbprint: that the endpoint told of the host.
    :raises LandscapeError: that is no address of HTTPS.
    """
    parts = urlsplit(url)
    try:
        name, port = parts.hostname or "", parts.port or 443
    except ValueError:
        name, port = "", 0
    if parts.scheme != "https" or not name or parts.username is not None:
        raise LandscapeError(f"{session.name} offers a disk at an address that is not one of HTTPS: {url}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = name.lower() == session.host.lower() and port == session.port
    # A thumbprint of the endpoint does not fit another host: that one shows what the endpoint told, or a certificate.
    trust = session.trust if own or not thumbprint else Trust(True, session.trust.ca_path, thumbprint)
    return Host(name, name, port, trust, session.timeout, session if own else None), path


class Web:
    """Requests to one host, over one connection for as long as answers are read to their end."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._link: Connection | None = None
        self._sent = ""

    def close(self) -> None:
        """Ends the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None

    @contextlib.contextmanager
    def ask(self, method: str, path: str, what: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """An answer that is no 401; its body is read within the block.

        :param what: what is asked for, in messages.
        :raises BrokenError: the connection broke.
        :raises UnreachableError: the other end is not who was meant.
        """
        answer = self._asked(method, path, what, headers or {})
        if answer.status == 401 and self.host.session is not None:
            answer.drain()
            with _RENEWING:
                # Others who were refused at the same time may have done it meanwhile.
                if self.host.session.cookie == self._sent:
                    self.host.session.renew()
            answer = self._asked(method, path, what, headers or {})
        try:
            yield answer
        finally:
            if not answer.whole:
                answer.close()
                self.close()

    def _asked(self, method: str, path: str, what: str, headers: Mapping[str, str]) -> Answer:
        sent = {"Accept-Encoding": "identity", **headers}
        if self.host.session is not None:
            sent["Cookie"] = self._sent = self.host.session.cookie
        again = self._link is not None
        while True:
            if self._link is None:
                self._link = self.host.link()
            try:
                self._link.request(method, path, headers=sent)
                return Answer(self._link.getresponse(), f"{what} from {self.host.name}", method == "HEAD")
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if isinstance(error, (ThumbprintError, ssl.SSLCertVerificationError)):
                    raise self._stranger(error) from error
                # A connection that was kept may be closed by the other end at any time, without harm.
                if not again:
                    raise broken(f"{what} from {self.host.name}", 0, error) from error
                again = False

    def _stranger(self, error: ssl.SSLError) -> UnreachableError:
        where = f"{self.host.name} ({self.host.host}:{self.host.port})"
        if isinstance(error, ThumbprintError):
            return UnreachableError(f"{where} is not who was meant: {error.args[0]}", hint="Nothing was sent")
        reason = getattr(error, "verify_message", "") or str(error)
        return UnreachableError(
            f"The certificate of {where} is not believed: {reason}",
            hint="Set ca_path to its authority, or thumbprint_sha256 to the thumbprint of its certificate",
        )


class Answer:
    """An answer whose body is read front to back.

    :ivar whole: whether all of it was read, so that the connection can be used again.
    """

    def __init__(self, response: http.client.HTTPResponse, what: str, empty: bool) -> None:
        self._response, self._what = response, what
        self.status = response.status
        self.whole = empty or response.isclosed()

    def header(self, name: str) -> str:
        """A header; empty when there is none."""
        return str(self._response.getheader(name) or "").strip()

    @property
    def length(self) -> int | None:
        """Bytes of the body, where that is told."""
        text = self.header("Content-Length")
        return int(text) if text.isdigit() else None

    def chunks(self) -> Iterator[bytes]:
        """The body.

        :raises BrokenError: it breaks off; one without a length cannot show that, so its format has to.
        """
        done = 0
        while True:
            try:
                chunk = self._response.read(CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise broken(self._what, done, error) from error
            if not chunk:
                break
            done += len(chunk)
            yield chunk
        wanted = self.length
        if wanted is not None and done < wanted and self._response.chunked is False:
            raise BrokenError(f"{self._what} broke off after {done} of {wanted} bytes")
        self.whole = True

    def close(self) -> None:
        """Gives up the rest; where the other end ends connections after each answer, the answer alone holds it."""
        self._response.close()

    def drain(self) -> None:
        """Reads a short body to its end."""
        with contextlib.suppress(BrokenError):
            for number, _chunk in enumerate(self.chunks()):
                if number:
                    break

    def refusal(self) -> LandscapeError:
        """What an answer says that is not the one that was wanted."""
        try:
            text = " ".join(self._response.read(_WORDS).decode("utf-8", "replace").split())
        except (OSError, http.client.HTTPException):
            text = ""
        # Pages of HTML say nothing that the status does not.
        reason = f"{self.status} {self._response.reason}" + (f": {text}" if text and "<" not in text else "")
        hints = {
            401: "The session is refused again after a new login",
            403: "The user's role does not allow it (Datastore.Browse, Low level file operations; VirtualMachine.Provisioning)",
            404: "Objects of vSAN have no such file: export them by the transport nfc",
        }
        kind = BrokenError if self.status in (408, 429, 500, 502, 503, 504) else LandscapeError
        return kind(f"{self._what} was refused ({reason})", hint=hints.get(self.status))


def broken(what: str, done: int, error: Exception) -> BrokenError:
    """The error for a connection that broke."""
    reason = "nothing came in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return BrokenError(f"{what} broke off after {done} bytes: {reason}" if done else f"{what} failed: {reason}")
