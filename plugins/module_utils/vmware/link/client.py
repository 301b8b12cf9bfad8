# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""HTTPS connections to ESXi hosts and vCenters that know whom they talk to before a byte of ours goes out.

pyVmomi compares a thumbprint only where the certificate fails against the authorities, so not at all in a context that checks
none, and reads the list of versions without it. So connections are made here, for SOAP calls and for files alike.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError

#: Digests by their number of hexadecimal digits; leases of endpoints carry SHA-1 ones, options only SHA-256.
_DIGESTS = {40: hashlib.sha1, 64: hashlib.sha256}


class ThumbprintError(ssl.SSLError):
    """The other end has another certificate than the one that is pinned."""


@dataclass(frozen=True)
class Trust:
    """Whom to believe.

    :param verify: check the certificate against authorities and its name against that of the host.
    :param ca_path: file with authorities, those of the system when empty.
    :param thumbprint: lower-case hexadecimal digits of the digest of the certificate (SHA-256; SHA-1 in leases); counts
        instead of authorities and names when it is there.
    """

    verify: bool = True
    ca_path: str = ""
    thumbprint: str = ""


def trust_of(params: Mapping[str, Any]) -> Trust:
    """Whom a module's options believe.

    :raises InputError: the thumbprint is none, or there is no such file.
    """
    ca_path = os.path.expanduser(str(params.get("ca_path") or ""))
    if ca_path and not os.path.isfile(ca_path):
        raise InputError(f"ca_path: there is no file {ca_path}")
    verify = params.get("validate_certs")
    return Trust(verify is not False, ca_path, thumbprint_of(str(params.get("thumbprint_sha256") or "")))


def thumbprint_of(text: str) -> str:
    """The digits of a SHA-256 thumbprint; empty for an empty text.

    :raises InputError: it is no such thumbprint.
    """
    digits = re.sub(r"[:\s-]", "", text).lower()
    digits = digits.partition("=")[2] or digits  # as openssl prints it
    if digits and not re.fullmatch(r"[0-9a-f]{64}", digits):
        sha1 = re.fullmatch(r"[0-9a-f]{40}", digits)
        found = "a SHA-1 thumbprint" if sha1 else f"{len(digits)} characters"
        hint = "Take `openssl x509 -in /etc/vmware/ssl/rui.crt -fingerprint -sha256 -noout` on the host"
        raise InputError(f"thumbprint_sha256 is {found}, not 64 hexadecimal digits", hint=hint)
    return digits


def context_of(trust: Trust) -> ssl.SSLContext:
    """The TLS context for connections to a peer.

    :raises InputError: the file of authorities holds none.
    """
    context = ssl.create_default_context()
    if trust.thumbprint or not trust.verify:
        # With a thumbprint the certificate itself is what counts; `Connection` compares it.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca_path:
        context = ssl.create_default_context(cafile=None, cadata=_authorities(trust.ca_path))
    return context


def _authorities(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read()
        ssl.create_default_context(cadata=text)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise InputError(f"ca_path: {path} holds no certificates that can be read: {error}") from error
    if "BEGIN CERTIFICATE" not in text:
        raise InputError(f"ca_path: {path} holds no certificates in PEM form")
    return text


class Connection(http.client.HTTPSConnection):
    """A connection that compares the thumbprint before it sends anything, also when it connects anew."""

    def __init__(self, host: str, port: int, *, trust: Trust, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self.trust = trust

    def connect(self) -> None:
        """Connects, shakes hands and compares.

        :raises ThumbprintError: it is another certificate.
        :raises OSError: nothing answers, or (``ssl.SSLError``) the certificate is not believed.
        """
        super().connect()
        wanted = self.trust.thumbprint
        if not wanted:
            return
        certificate = self.sock.getpeercert(True) or b""
        digest = _DIGESTS[len(wanted)]
        found = digest(certificate).hexdigest()
        if not hmac.compare_digest(found, wanted):
            self.close()
            raise ThumbprintError(f"its certificate has the thumbprint {found}, not {wanted}")


def connection(host: str, port: int, trust: Trust, timeout: float) -> Connection:
    """A connection, not opened yet.

    :param timeout: seconds without a byte, and for connecting.
    """
    return Connection(host, port, trust=trust, timeout=timeout, context=context_of(trust))
