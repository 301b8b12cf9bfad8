# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""OpenSSH client configuration: one block per device, reached directly or through the jump host."""

from __future__ import annotations

from ..derive import View
from ..inventory import reachable_at
from .options import NOTICE, RenderOptions, devices, jump_host, management_name

FILE = "ssh_config"


def files(view: View, options: RenderOptions) -> dict[str, str]:
    """``ssh_config``, to be named in an ``Include`` line of ``~/.ssh/config``.

    A device has its own name, and ``<name><management suffix>`` for its management address.

    :raises InputError: no device has the jump role.
    """
    jump = jump_host(view, options)
    jump_name = jump.name if jump is not None else ""
    blocks = [f"# {NOTICE}\n"]
    for resolved in devices(view, options):
        address, management = reachable_at(view, resolved), management_name(view, resolved, options)
        if address:
            names = [resolved.name, management] if management and address == resolved.oob_v4 else [resolved.name]
            blocks.append(_block(names, address, options.ssh_user, "" if resolved is jump else jump_name))
        if management and resolved.oob_v4 not in ("", address):
            # Management controllers have accounts of their own, so no login name is set.
            blocks.append(_block([management], resolved.oob_v4, "", jump_name))
    return {FILE: "\n".join(blocks)}


def _block(names: list[str], address: str, user: str, jump: str) -> str:
    lines = [f"Host {' '.join(names)}", f"  HostName {address}"]
    if user:
        lines.append(f"  User {user}")
    if jump:
        lines.append(f"  ProxyJump {jump}")
    return "\n".join(lines) + "\n"
