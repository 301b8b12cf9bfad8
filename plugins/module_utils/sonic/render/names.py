# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Names that SONiC and the kernel take."""

from __future__ import annotations

import re

from .base import MGMT_VRF
from .model import Switch

#: Longest name of an interface (IFNAMSIZ of Linux without its end).
MAX_NAME = 15


def vrf_name(switch: Switch, name: str) -> str | None:
    """The name of a routing instance on a switch: ``Vrf`` in front, as SONiC asks for; nothing for the default one."""
    if name in ("", "default", MGMT_VRF):
        return None
    text = name if name.startswith("Vrf") else f"Vrf{name[:1].upper()}{name[1:]}"
    text = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    if len(text) > MAX_NAME:
        message = f"{text} has more than {MAX_NAME} characters, the kernel takes no longer name"
        switch.issue("SR010", "error", ("VRF", text, ""), message, "shorten the name of the routing instance")
    other = switch.vrf_names.setdefault(text, name)
    if other != name:
        message = f"routing instances {other} and {name} would both be {text}"
        switch.issue("SR010", "error", ("VRF", text, ""), message, "rename one of them")
    return text


def policy_name(*words: str) -> str:
    """A name for a route map or prefix list: letters, digits, underscores and dashes.

    Different words make different names: two environments in one list would hear of each other.
    """
    return "_".join(re.sub(r"[^A-Za-z0-9-]", lambda char: f"_{ord(char.group()):x}", word) for word in words if word)
