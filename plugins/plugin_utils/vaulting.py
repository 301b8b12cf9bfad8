# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""ansible-vault for code that must not know Ansible: two functions, one that seals and one that opens."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys.model import SealError
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys.seal import Vault

_Change = Callable[[bytes], bytes]


def vault_of(loader: Any) -> Vault:
    """ansible-vault with a password, or with those of the play.

    :param loader: Ansible's ``DataLoader``, which knows them.
    """

    def vault(passphrase: str, label: str) -> tuple[_Change, _Change]:
        known = [(label or "default", VaultSecret(passphrase.encode()))] if passphrase else _of_play(loader, label)
        lib = VaultLib(known)

        def seal(content: bytes) -> bytes:
            return bytes(lib.encrypt(content, secret=known[0][1], vault_id=label or None))

        def unseal(sealed: bytes) -> bytes:
            try:
                return bytes(lib.decrypt(sealed))
            except AnsibleError:
                # Its words differ from release to release; these are the reasons there are.
                raise SealError("the vault password is another one, or the sealed part was changed") from None

        return seal, unseal

    return vault


def _of_play(loader: Any, label: str) -> list[tuple[str, VaultSecret]]:
    known = list(getattr(getattr(loader, "_vault", None), "secrets", None) or ())
    found = [one for one in known if label in ("", one[0])]
    if not found:
        what = f"no vault password with the id {label}" if known else "no vault password"
        raise InputError(f"The play has {what}", hint="Say passphrase, or start it with --vault-id")
    return found
