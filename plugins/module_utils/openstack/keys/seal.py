# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ways to seal bytes for somebody: age, GPG, ansible-vault. What is opened stays in memory."""

from __future__ import annotations

import abc
import contextlib
import contextvars
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from ...core.errors import InputError
from . import client
from .model import SealError

METHODS = ("age", "gpg", "vault")

#: Seals and opens with a password and a label; both may be empty: then those of the play.
Vault = Callable[[str, str], "tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]"]

_offered: contextvars.ContextVar[Vault | None] = contextvars.ContextVar("vault", default=None)


@contextlib.contextmanager
def vault_by(vault: Vault) -> Iterator[None]:
    """Offers ansible-vault for a while: only Ansible's own process has it."""
    token = _offered.set(vault)
    try:
        yield
    finally:
        _offered.reset(token)


class Sealer(abc.ABC):
    """One way to seal.

    :ivar method: its name.
    :ivar recipients: for whom, as the bundle says it to people.
    """

    method = ""
    recipients: Sequence[str] = ()

    @abc.abstractmethod
    def seal(self, content: bytes) -> bytes:
        """The content, for the recipients.

        :raises SealError: it cannot be sealed.
        """

    @abc.abstractmethod
    def open(self, sealed: bytes) -> bytes:
        """What was sealed.

        :raises SealError: this is not the key, or the bytes are not those that were sealed.
        """


class Age(Sealer):
    """age: a key pair each, or an SSH key."""

    method = "age"

    def __init__(self, recipients: Sequence[str], identity: str) -> None:
        self.recipients, self._identity = sorted(recipients), identity

    def seal(self, content: bytes) -> bytes:
        """See :class:`Sealer`."""
        if not client.has("age"):
            return client.age_encrypt(content, self.recipients)
        words = [word for one in self.recipients for word in ("--recipient", one)]
        return _done("age", client.piped(["age", "--encrypt", *words], content), "seal the bundle")

    def open(self, sealed: bytes) -> bytes:
        """See :class:`Sealer`."""
        if not self._identity:
            raise InputError("A bundle for age needs identity, the file with the private key")
        if client.has("age"):
            found = client.piped(["age", "--decrypt", "--identity", self._identity], sealed)
            return _done("age", found, f"open the bundle with {self._identity}")
        try:
            with open(self._identity, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The identity {self._identity} cannot be read: {getattr(error, 'strerror', '') or error}"
            ) from error
        lines = [line.strip() for line in text.splitlines()]
        keys = [text] if text.startswith("-----BEGIN") else [one for one in lines if one and not one.startswith("#")]
        return client.age_decrypt(sealed, keys)


class Gpg(Sealer):
    """GPG: keys of a keyring, or files with public keys, for which an empty keyring is made and removed."""

    method = "gpg"

    def __init__(self, recipients: Sequence[str], home: str, passphrase: str) -> None:
        self._given, self._home, self._passphrase = sorted(recipients), home, passphrase
        self.recipients = [_name(one) for one in self._given]

    def seal(self, content: bytes) -> bytes:
        """See :class:`Sealer`."""
        files = [one for one in self._given if os.path.isfile(one)]
        words = [word for one in self._given for word in ("--recipient-file" if one in files else "--recipient", one)]
        with _keyring(self._home, own=len(files) == len(self._given)) as begin:
            argv = [*begin, "--yes", "--trust-model", "always", "--compress-algo", "none", *words, "--encrypt"]
            return _done("gpg", client.piped(argv, content), "seal the bundle")

    def open(self, sealed: bytes) -> bytes:
        """See :class:`Sealer`."""
        ask = ["--pinentry-mode", "error"]  # nobody is there to be asked; what the agent knows works
        if self._passphrase:
            ask = ["--pinentry-mode", "loopback", "--passphrase-fd", "{fd}"]
        with _keyring(self._home, own=False) as begin:
            found = client.piped([*begin, *ask, "--decrypt"], sealed, self._passphrase)
            return _done("gpg", found, "open the bundle")


class AnsibleVault(Sealer):
    """ansible-vault: a password, or those of the play."""

    method = "vault"

    def __init__(self, passphrase: str, label: str) -> None:
        vault = _offered.get()
        if vault is None:
            raise InputError(
                "ansible-vault is there only when the task runs in Ansible's own process",
                hint="Use connection: local without become, and openstacksdk for the Python of Ansible; or age or gpg",
            )
        self.recipients = [label] if label else []
        self._seal, self._open = vault(passphrase, label)

    def seal(self, content: bytes) -> bytes:
        """See :class:`Sealer`."""
        return self._seal(content)

    def open(self, sealed: bytes) -> bytes:
        """See :class:`Sealer`."""
        return self._open(sealed)


def sealer_of(method: str, params: Mapping[str, Any], *, opens: bool = False) -> Sealer:
    """The way a task seals.

    :param opens: only to open: then nobody needs to be named.
    :raises InputError: it is unknown, or nobody is named who could open it.
    """
    recipients = [str(one).strip() for one in params.get("recipients") or () if str(one).strip()]
    passphrase = str(params.get("passphrase") or "")
    if method not in METHODS:
        raise InputError(f"There is no way {method!r} to seal a bundle; there are {', '.join(METHODS)}")
    if method == "vault":
        return AnsibleVault(passphrase, str(params.get("vault_id") or ""))
    if not recipients and not opens:
        raise InputError(f"A bundle sealed by {method} needs recipients")
    if any(one.startswith("-") for one in recipients):
        raise InputError("A recipient does not begin with a dash")
    if method == "age":
        return Age(recipients, str(params.get("identity") or ""))
    return Gpg(recipients, str(params.get("gnupg_home") or ""), passphrase)


def _done(program: str, found: tuple[int, bytes, str], doing: str) -> bytes:
    status, out, said = found
    if status or not out:
        raise SealError(f"{program} cannot {doing}: {said or f'it ended with {status}'}")
    return out


def _name(recipient: str) -> str:
    """A file of a key by its digest: it may be moved, and another key may lie there one day."""
    if not os.path.isfile(recipient):
        return recipient
    try:
        with open(recipient, "rb") as file:
            return "key:" + hashlib.sha256(file.read()).hexdigest()[:16]
    except OSError as error:
        raise InputError(f"The key {recipient} cannot be read: {error.strerror or error}") from error


@contextlib.contextmanager
def _keyring(home: str, *, own: bool) -> Iterator[list[str]]:
    """How a call of gpg begins: with the given keyring, that of the user, or an empty one."""
    begin = ["gpg", "--batch", "--no-tty", "--quiet"]
    if home or not own:
        yield [*begin, *(["--homedir", home] if home else [])]
        return
    with tempfile.TemporaryDirectory(prefix="scs-landscape-") as folder:  # made with mode 0700
        yield [*begin, "--homedir", folder, "--no-autostart"]
