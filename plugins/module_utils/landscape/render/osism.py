# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A static inventory in the layout of OSISM's configuration repository.

The same hosts, groups and variables as the inventory plugin makes, for places where no plugin can run: OSISM's inventory
reconciler has no collections.
"""

from __future__ import annotations

from typing import Any

from ..derive import View
from ..imports import emit
from ..inventory import Inventory, build, is_inert
from .options import NOTICE, RenderOptions

GROUPS_FILE = "inventory/10-landscape"
VARIABLES_FILE = "inventory/host_vars/{host}/50-landscape.yml"
#: What begins a template. ``!unsafe`` does not survive a reconciler that writes the inventory anew, so such texts stay out.
_TEMPLATES = ("{{", "{%", "{#")


def host_vars(view: View, options: RenderOptions) -> dict[str, str]:
    """``inventory/host_vars/<host>/50-landscape.yml`` of every host."""
    kept, _left_out = _sifted(build(view, options.inventory))
    return {
        VARIABLES_FILE.format(host=host): "---\n" + emit.data(_marked(variables), [NOTICE])
        for host, variables in kept.items()
    }


def groups(view: View, options: RenderOptions) -> dict[str, str]:
    """``inventory/10-landscape``: all groups with their hosts and children, as INI."""
    return {GROUPS_FILE: _ini(build(view, options.inventory))}


def refused(view: View, options: RenderOptions) -> list[str]:
    """What the files leave out, and why."""
    inventory = build(view, options.inventory)
    _kept, left_out = _sifted(inventory)
    reason = "it looks like a template, and a file cannot say for good that it is none"
    return inventory.refused + [f"the variable {name} of {host} was left out: {reason}" for host, name in left_out]


def _sifted(inventory: Inventory) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]:
    """The variables of all hosts without those that hold a template, and host and name of the latter."""
    kept: dict[str, dict[str, Any]] = {}
    left_out: list[tuple[str, str]] = []
    for host, variables in inventory.hosts.items():
        templates = {name for name, value in variables.items() if _holds_template(value)}
        left_out += [(host, name) for name in variables if name in templates]
        kept[host] = {name: value for name, value in variables.items() if name not in templates}
    return kept, left_out


def _holds_template(value: Any) -> bool:
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATES)
    if isinstance(value, dict):
        return any(_holds_template(key) or _holds_template(item) for key, item in value.items())
    return isinstance(value, list) and any(_holds_template(item) for item in value)


def _marked(value: Any) -> Any:
    """The value with texts that Ansible could evaluate marked as :class:`emit.Unsafe`."""
    if isinstance(value, str):
        return value if is_inert(value) else emit.Unsafe(value)
    if isinstance(value, dict):
        return {_marked(key): _marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def _ini(inventory: Inventory) -> str:
    grouped = {host for hosts in inventory.groups.values() for host in hosts}
    lines = [f"# {NOTICE}", *(host for host in inventory.hosts if host not in grouped)]
    for group, hosts in inventory.groups.items():
        lines += ["", f"[{group}]", *hosts]
        if group in inventory.children:
            lines += ["", f"[{group}:children]", *inventory.children[group]]
    return "\n".join(lines) + "\n"
