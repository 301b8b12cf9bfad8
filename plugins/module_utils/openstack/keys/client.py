# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Programs that seal: what is secret goes through pipes alone, neither into arguments nor into files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from ...core.errors import LandscapeError, MissingDependencyError
from .model import SealError

try:
    import pyrage  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    pyrage = None

#: Seconds that a program may take; a payload is some kilobytes.
_PATIENCE = 120.0


def has(program: str) -> bool:
    """Whether a program is there."""
    return shutil.which(program) is not None


def piped(argv: Sequence[str], given: bytes, passphrase: str = "") -> tuple[int, bytes, str]:
    """Status, output and errors of a program that reads ``given``; it has no terminal to ask at.

    :param passphrase: handed over by a pipe of its own, whose number stands for ``{fd}`` in the arguments.
    :raises LandscapeError: it is not there or does not end.
    """
    with _readable(passphrase) as inherited:
        words = [word.replace("{fd}", str(inherited)) for word in argv]
        return asyncio.run(_piped(words, given, () if inherited < 0 else (inherited,)))


async def _piped(argv: Sequence[str], given: bytes, inherited: Sequence[int]) -> tuple[int, bytes, str]:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
            pass_fds=inherited,
        )
    except FileNotFoundError as error:
        raise LandscapeError(f"There is no program {argv[0]}", hint="Install it where this task runs") from error
    except OSError as error:
        raise LandscapeError(f"{argv[0]} cannot be started: {error.strerror or error}") from error
    try:
        out, err = await asyncio.wait_for(process.communicate(given), _PATIENCE)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        raise LandscapeError(f"{argv[0]} did not end within {_PATIENCE:.0f} s") from None
    return int(process.returncode or 0), out, " ".join(err.decode("utf-8", "replace").split())[-400:]


@contextlib.contextmanager
def _readable(secret: str) -> Iterator[int]:
    """A pipe that holds a secret; -1 when there is none."""
    if not secret:
        yield -1
        return
    read, write = os.pipe()
    try:
        os.write(write, secret.encode() + b"\n")
    finally:
        os.close(write)
    try:
        yield read
    finally:
        os.close(read)


def age_encrypt(content: bytes, recipients: Sequence[str]) -> bytes:
    """Content sealed by age's Python library.

    :raises SealError: a recipient is none.
    """
    library = _library()
    try:
        found = [_party(library, one, "Recipient") for one in recipients]
        return bytes(library.encrypt(content, found))
    except (library.RecipientError, library.EncryptError) as error:
        raise SealError(f"age cannot seal for these recipients: {error}") from error


def age_decrypt(sealed: bytes, identities: Sequence[str]) -> bytes:
    """The content, opened by age's Python library.

    :raises SealError: no identity opens it.
    """
    library = _library()
    try:
        found = [_party(library, one, "Identity") for one in identities]
        return bytes(library.decrypt(sealed, found))
    except (library.IdentityError, library.DecryptError) as error:
        raise SealError(f"age cannot open it with this identity: {error}") from error


def _party(library: Any, text: str, what: str) -> Any:
    if text.startswith(("ssh-", "-----BEGIN")):
        kind = getattr(library.ssh, what)
        return kind.from_str(text) if what == "Recipient" else kind.from_buffer(text.encode())
    return getattr(library.x25519, what).from_str(text)


def _library() -> Any:
    if pyrage is None:
        raise MissingDependencyError("pyrage", "age where the program age is not installed")
    return pyrage
