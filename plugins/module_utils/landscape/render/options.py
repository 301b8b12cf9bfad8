# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What all renderers are told, and what several of them need."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from ...core.errors import InputError
from ..decode import nearest
from ..derive import ResolvedDevice, View
from ..inventory import LOCAL_NAMES, Options
from ..names import natural

#: First line of every rendered file; which landscape it came from is left out, so that the place of it does not matter.
NOTICE = "Made by scs.landscape.landscape_render. Changes made here are lost: change the landscape."

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}")
_SUFFIX = re.compile(r"[A-Za-z0-9._-]{0,32}")


@dataclass(frozen=True)
class RenderOptions:
    """Options of the renderers.

    :param inventory: what becomes a host, and which groups and variables there are.
    :param ssh_user: login name in ``ssh_config``; the one of the caller when empty.
    :param jump_role: role whose first device is the jump host of all others; no jump host when empty.
    :param management_suffix: what the name of a management address ends in.
    :param node_port: TCP port of the node exporter.

    :raises InputError: a value would not be understood by the programs that read the files.
    """

    inventory: Options = dataclasses.field(default_factory=Options)
    ssh_user: str = ""
    jump_role: str = ""
    management_suffix: str = "-mgmt"
    node_port: int = 9100

    def __post_init__(self) -> None:
        if self.ssh_user and not _USER.fullmatch(self.ssh_user):
            raise InputError(
                f"The login name {self.ssh_user!r} is none", hint="Use letters, digits, dot, dash and underscore"
            )
        if not _SUFFIX.fullmatch(self.management_suffix):
            raise InputError(
                f"The suffix {self.management_suffix!r} cannot end a host name",
                hint="Use letters, digits, dot and dash",
            )
        if not 0 < self.node_port < 65536:
            raise InputError(f"The port {self.node_port} is none", hint="Use a number from 1 to 65535")


def devices(view: View, options: RenderOptions) -> list[ResolvedDevice]:
    """The devices that are rendered, in natural order of their names."""
    chosen = (
        resolved
        for name, resolved in view.devices.items()
        if resolved.device.state in options.inventory.states and name not in LOCAL_NAMES
    )
    return sorted(chosen, key=lambda resolved: natural(resolved.name))


def management_name(view: View, resolved: ResolvedDevice, options: RenderOptions) -> str:
    """Name of the device's management address; empty without a suffix, and where another device has that name."""
    name = f"{resolved.name}{options.management_suffix}"
    return "" if name in view.devices else name


def jump_host(view: View, options: RenderOptions) -> ResolvedDevice | None:
    """The device through which all others are reached.

    :raises InputError: no device that is rendered has the jump role.
    """
    if not options.jump_role:
        return None
    for resolved in devices(view, options):
        if resolved.device.role == options.jump_role:
            return resolved
    hint = nearest(options.jump_role, view.landscape.roles) or "Known roles: " + ", ".join(sorted(view.landscape.roles))
    raise InputError(f"No device in the landscape has the jump role {options.jump_role!r}", hint=hint)
