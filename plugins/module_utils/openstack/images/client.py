# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where images come from: web servers, and the programs that check signatures. The file of images that talks to the world."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import os
import re
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import unquote

from ...core.errors import LandscapeError, MissingDependencyError
from ..answers import retry_after
from ..model import without_password, without_secrets
from . import digests
from .digests import SignatureError
from .model import DigestList

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

_ADDRESS = re.compile(r"((?:[^:/?#]+://)?)((?:[^/?#]*@)?)(.*)", re.DOTALL)
#: Longest list of digests, signature or key that is read, in bytes.
_TEXT = 8 * 1024 * 1024
#: Seconds for a program that checks a signature.
_PROGRAM = 60


class SourceError(LandscapeError):
    """A web server did not give what was asked for.

    :param passing: whether it may work a little later.
    :param wait: seconds the server asks us to wait.
    """

    def __init__(self, message: str, *, passing: bool, wait: float = 0.0) -> None:
        super().__init__(message)
        self.passing, self.wait = passing, wait


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows at most ten redirects, and none from https to http; another host is not told the password of this one."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise SourceError(f"{without_password(req.full_url)} redirects to an address without TLS", passing=False)
        if not newurl.lower().startswith(("http:", "https:")):
            raise SourceError(f"{without_password(req.full_url)} redirects to what is no web server", passing=False)
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        known = req.unredirected_hdrs.get("Authorization")
        if following is not None and known and (following.type, following.host) == (req.type, req.host):
            following.add_unredirected_header("Authorization", known)
        return following


_OPENER = urllib.request.build_opener(_Redirects)


@dataclass(frozen=True)
class Reply:
    """An answer of a web server whose body is still to be read."""

    status: int
    headers: Mapping[str, str]
    stream: BinaryIO


def ask(url: str, headers: Mapping[str, str], timeout: float) -> Reply:
    """Asks for an address.

    :param timeout: seconds without a byte.
    :raises SourceError: no success; 416 is returned, it says that there is no more.
    """
    # Compressed answers would have lengths and ranges of their own.
    address, login = _login_of(url)
    asked = urllib.request.Request(  # noqa: S310 - http and https only: the model checks it, and so do redirects
        address, headers={"User-Agent": "scs.landscape", "Accept-Encoding": "identity", **headers}
    )
    if login:
        asked.add_unredirected_header("Authorization", login)
    shown = without_password(url)
    try:
        reply = _OPENER.open(asked, timeout=timeout)
    except urllib.error.HTTPError as error:
        told = {name.lower(): value for name, value in error.headers.items()}
        if error.code == 416:
            return Reply(416, told, error)  # type: ignore[arg-type]
        error.close()
        looped = "infinite loop" in str(error.reason)
        reason = "redirects in a circle" if looped else f"answered {error.code}"
        passing = not looped and error.code in (408, 425, 429, 500, 502, 503, 504)
        raise SourceError(f"{shown} {reason}", passing=passing, wait=retry_after(told)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _lost(url, error) from error
    return Reply(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply)


def _login_of(url: str) -> tuple[str, str]:
    """An address without user and password, which `urllib` takes for a part of the host, and the header that says them."""
    scheme, login, rest = _ADDRESS.findall(url)[0]  # every part may be empty, so there is a match
    said = base64.b64encode(unquote(login[:-1]).encode()).decode()
    return scheme + rest, f"Basic {said}" if login else ""


def _lost(url: str, error: Exception) -> SourceError:
    reason = getattr(error, "reason", error)
    silent = isinstance(reason, (socket.timeout, TimeoutError))
    passing = not isinstance(error, (ValueError, http.client.InvalidURL)) and "CERTIFICATE_VERIFY" not in str(reason)
    why = without_secrets(str(reason or type(error).__name__), [url])
    said = "is silent" if silent else f"cannot be read: {why}"
    return SourceError(f"{without_password(url)} {said}", passing=passing)


def read_piece(reply: Reply, size: int, url: str) -> bytes:
    """The next bytes of a body, as soon as there are some.

    :raises SourceError: the connection broke or is silent.
    """
    try:
        read = getattr(reply.stream, "read1", None) or reply.stream.read
        return bytes(read(size))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _lost(url, error) from error


def content(source: str, timeout: float) -> bytes:
    """A small file, from an address or from here.

    :raises LandscapeError: it cannot be read, or is no small file.
    """
    if "://" not in source:
        try:
            with open(os.path.expanduser(source), "rb") as stream:
                return stream.read(_TEXT)
        except OSError as error:
            raise LandscapeError(f"{source} cannot be read: {error.strerror}") from error
    reply = ask(source, {}, timeout)
    with contextlib.closing(reply.stream):
        found = b""
        while len(found) <= _TEXT:
            piece = read_piece(reply, 65536, source)
            if not piece:
                length = reply.headers.get("content-length", "")
                if length.isdigit() and int(length) != len(found):
                    raise SourceError(f"{without_password(source)} broke off", passing=True)
                return found
            found += piece
    raise LandscapeError(f"{without_password(source)} is too large for a list of digests")


def signed_list(listed: DigestList, timeout: float) -> tuple[str, dict[str, Any]]:
    """The text of a list of digests that may be trusted, and who signed it.

    :raises SignatureError: it is not signed as it must be.
    """
    text = content(listed.source, timeout)
    signature = listed.signature
    if signature is None:
        return text.decode("utf-8", "replace"), {}
    if signature.kind == "gpg":
        detached = content(signature.source, timeout) if signature.source else None
        signed, fingerprint = gpg(text, detached, signature.key)
        return signed.decode("utf-8", "replace"), {"type": "gpg", "key": fingerprint}
    if not signature.source:
        raise SignatureError("A minisign signature is a file of its own", hint="Give signature.source")
    key = signature.key
    if os.path.exists(os.path.expanduser(key)):
        key = content(key, timeout).decode("ascii", "replace")
    sig = content(signature.source, timeout).decode("utf-8", "replace")
    parts = digests.minisign(text, sig, key)
    ed25519(parts, text, sig, key)
    return text.decode("utf-8", "replace"), {"type": "minisign", "key": parts.key.hex(), "comment": parts.comment}


def gpg(text: bytes, detached: bytes | None, keyring: str) -> tuple[bytes, str]:
    """The signed content and the fingerprint of the key, checked by ``gpgv`` (of GnuPG) with nothing but this keyring.

    :param detached: the signature; nothing when ``text`` carries it in itself.
    :raises SignatureError: no good signature.
    """
    keys = content(keyring, 30)
    if b"-----BEGIN PGP" in keys:
        keys = digests.dearmored(keys.decode("ascii", "replace"))
    with tempfile.TemporaryDirectory(prefix="scs-landscape-") as folder:

        def kept(name: str, data: bytes) -> str:
            path = os.path.join(folder, name)
            with open(path, "wb") as stream:
                stream.write(data)
            return path

        signed = os.path.join(folder, "signed")
        what = [kept("signature", detached), kept("list", text)] if detached is not None else [kept("list", text)]
        output = [] if detached is not None else ["--output", signed]
        argv = ["gpgv", "--status-fd", "1", "--homedir", folder, "--keyring", kept("keyring.gpg", keys), *output, *what]
        status = _run(argv)
        fingerprint = digests.gpg_verdict(status)
        if detached is not None:
            return text, fingerprint
        # Only what lies inside the signature counts, not what was written around it.
        with open(signed, "rb") as stream:
            return stream.read(), fingerprint


def ed25519(parts: digests.Minisign, text: bytes, signature: str, key: str) -> None:
    """Checks both signatures of minisign, with the package cryptography or the program minisign.

    :raises SignatureError: one does not fit.
    """
    wrong = SignatureError("The list of digests is not signed as it must be: the minisign signature does not fit")
    if Ed25519PublicKey is not None:
        public = Ed25519PublicKey.from_public_bytes(parts.key)
        try:
            public.verify(parts.signature, parts.message)
            public.verify(parts.whole_signature, parts.whole)
        except InvalidSignature as error:
            raise wrong from error
        return
    with tempfile.TemporaryDirectory(prefix="scs-landscape-") as folder:
        for name, data in (("list", text), ("list.minisig", signature.encode())):
            with open(os.path.join(folder, name), "wb") as stream:
                stream.write(data)
        public_key = key.strip().split("\n")[-1]
        try:
            code, _said = _program(["minisign", "-V", "-q", "-P", public_key, "-m", os.path.join(folder, "list")])
        except FileNotFoundError as error:
            raise MissingDependencyError("cryptography", "minisign signatures") from error
        if code:
            raise wrong


def _run(argv: list[str]) -> str:
    """What gpgv says on its output; whether the signature is good stands in there, too."""
    try:
        return _program(argv)[1].decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise LandscapeError(
            f"{argv[0]} is needed to check a signature and is not installed", hint="Install the package gpgv"
        ) from error


def _program(argv: list[str]) -> tuple[int, bytes]:
    """Exit status and output of a program without input; ended when it takes too long.

    :raises SignatureError: it did not end in time.
    """

    async def run() -> tuple[int, bytes]:
        nothing, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        environ = {**os.environ, "LC_ALL": "C"}
        process = await asyncio.create_subprocess_exec(*argv, stdin=nothing, stdout=pipe, stderr=nothing, env=environ)
        try:
            out, _err = await asyncio.wait_for(process.communicate(), _PROGRAM)
        except asyncio.TimeoutError as error:
            process.kill()
            await process.wait()
            raise SignatureError(f"{argv[0]} did not end within {_PROGRAM} s") from error
        return process.returncode or 0, out

    return asyncio.run(run())
