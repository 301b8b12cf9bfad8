# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Lists of digests as vendors publish them, and the parts of their signatures: pure text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ...core.errors import InputError, LandscapeError
from .model import Digest, digest_of

_GNU = re.compile(r"\\?(?P<value>[0-9A-Fa-f]{32,128}) [ *](?P<name>.+)")
_BSD = re.compile(r"(?P<algorithm>[A-Za-z0-9/-]+) ?\((?P<name>.+)\) ?= ?(?P<value>[0-9A-Fa-f]{32,128})")


class SignatureError(LandscapeError):
    """A signature is missing, wrong, or by somebody else: nothing is downloaded."""


def file_name(address: str) -> str:
    """The last part of an address or a path."""
    return unquote(urlsplit(address).path if "://" in address else address).rstrip("/").rpartition("/")[2]


def pick(text: str, name: str, source: str, *, weak: bool = False) -> Digest:
    """The digest of one file in a list as ``sha256sum`` and its BSD counterpart write it.

    :param source: where the list is from, for messages.
    :raises InputError: the file is not in it, or has two digests.
    """
    found: set[str] = set()
    for line in text.splitlines():
        match = _GNU.fullmatch(line.strip()) or _BSD.fullmatch(line.strip())
        if match and _same(match["name"], name):
            algorithm = match.groupdict().get("algorithm") or ""
            found.add(f"{algorithm.lower().replace('-', '')}:{match['value']}" if algorithm else match["value"])
    bare = text.split()
    if not found and len(bare) == 1:
        found.add(bare[0])  # a file that holds the digest alone
    digests = {digest_of(one, weak=weak) for one in found}
    if not digests:
        raise InputError(f"{source} has no digest of {name}", hint="Look at digests.name")
    best = max(digests, key=lambda one: len(one.value))
    if len({one.value for one in digests if one.algorithm == best.algorithm}) > 1:
        raise InputError(
            f"{source} has two {best.algorithm} digests of {name}", hint="Give a longer name in digests.name"
        )
    return best


def _same(listed: str, name: str) -> bool:
    listed = listed[2:] if listed.startswith("./") else listed
    return listed == name or ("/" not in name and listed.rpartition("/")[2] == name)


@dataclass(frozen=True)
class Minisign:
    """A minisign signature (https://jedisct1.github.io/minisign/, "Signature format").

    :param message: what the key signed.
    :param whole: what the second signature of the key covers: the first one, and the comment that can be trusted.
    """

    key: bytes
    message: bytes
    signature: bytes
    whole: bytes
    whole_signature: bytes
    comment: str


def minisign(content: bytes, signature: str, key: str) -> Minisign:
    """The parts of a minisign signature that are to be checked, for one key.

    :raises SignatureError: it is no such signature, or one by another key.
    """
    public = _decoded(_lines(key)[-1], 42, "public key")
    lines = _lines(signature)
    if len(lines) != 4 or not lines[2].startswith("trusted comment: "):
        raise SignatureError("This is no minisign signature: it has other lines")
    first, second = _decoded(lines[1], 74, "signature"), _decoded(lines[3], 64, "second signature")
    if public[:2] != b"Ed":
        raise SignatureError("This is no minisign public key")
    if first[2:10] != public[2:10]:
        raise SignatureError("The signature was made with another minisign key")
    if first[:2] == b"ED":
        message = hashlib.blake2b(content).digest()
    elif first[:2] == b"Ed":
        message = content
    else:
        raise SignatureError("This is no minisign signature: its algorithm is unknown")
    comment = lines[2][len("trusted comment: ") :]
    return Minisign(public[10:], message, first[10:], first[10:] + comment.encode(), second, comment)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip("\r") for line in text.strip("\n").split("\n")]
    return lines or [""]


def _decoded(text: str, size: int, what: str) -> bytes:
    try:
        data = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != size:
        raise SignatureError(f"This is no minisign {what}")
    return data


def dearmored(text: str) -> bytes:
    """The bytes of an armoured OpenPGP key (RFC 9580, 6.2); all blocks, one after the other.

    :raises SignatureError: there is no whole block.
    """
    blocks = re.findall(
        r"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", text, re.DOTALL
    )
    found = b""
    for block in blocks:
        _headers, _blank, body = block.replace("\r", "").partition("\n\n") if "\n\n" in block else ("", "", block)
        lines = [line for line in body.split("\n") if line and not line.startswith("=")]
        try:
            found += base64.b64decode("".join(lines), validate=True)
        except (binascii.Error, ValueError) as error:
            raise SignatureError(f"The armoured key is damaged: {error}") from error
    if not found:
        raise SignatureError("There is no OpenPGP public key in this file")
    return found


def gpg_verdict(status: str) -> str:
    """The fingerprint of the key that made a good signature, from what ``gpgv --status-fd`` says (doc/DETAILS of GnuPG).

    :raises SignatureError: there is none that counts.
    """
    words = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    kinds = {word[0] for word in words if word}
    reasons = {
        "BADSIG": "the signature does not fit the content",
        "NO_PUBKEY": "it was made with a key that is not in the keyring",
        "REVKEYSIG": "the key was revoked",
        "EXPKEYSIG": "the key has expired",
        "EXPSIG": "the signature has expired",
    }
    for kind, reason in reasons.items():
        if kind in kinds:
            raise SignatureError(f"The list of digests is not signed as it must be: {reason}")
    valid = [word[1] for word in words if word[:1] == ["VALIDSIG"] and len(word) > 1]
    if not valid or "GOODSIG" not in kinds:
        raise SignatureError("The list of digests carries no good signature")
    return valid[0]
