# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether a run would reach the machines it means: nothing is done before that is sure.

Extra variables beat those of every host. OSISM passes whole files of them, so that one line in the wrong file gives all
machines one address, or turns the controller itself into thirteen machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .derive import View
from .inventory import own_variables
from .names import natural

_EXTRA = "it is probably set for all of them at once, in extra variables (-e, OSISM: environments/configuration.yml)"
#: Connections that end where Ansible itself runs.
LOCAL = ("local", "ansible.builtin.local")
#: Variables of a host that plays decide by.
COMPARED = (
    "landscape_role",
    "landscape_environment",
    "landscape_protected",
    "landscape_state",
    "landscape_rack",
    "landscape_unit",
    "landscape_index",
    "landscape_loopback_v4",
)


def misleading(view: View, targets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Everything that makes a run reach other machines than it names, one sentence each.

    :param targets: by host: ``name`` (its own ``inventory_hostname``), ``address``, ``port``, ``connection`` and the variables
        of :data:`COMPARED`, as far as they are set.
    """
    found = _names(targets) + _local(view, targets) + _addresses(targets)
    for name in sorted(set(targets) & set(view.devices), key=natural):
        truth = own_variables(view, view.devices[name])
        for variable in COMPARED:
            if variable in targets[name] and not _same(targets[name][variable], truth.get(variable)):
                said, wanted = targets[name][variable], truth.get(variable, "nothing")
                found.append(
                    f"{variable} of {name} is {str(said)[:60]!r}, but the landscape says {wanted!r}: the inventory is older "
                    "than the landscape, or the variable is set in extra variables"
                )
    return found


def _same(said: Any, truth: Any) -> bool:
    return str(said) == str(truth)


def _names(targets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    wrong = [name for name in sorted(targets, key=natural) if str(targets[name].get("name", name)) != name]
    return [f"inventory_hostname is overridden for {_listed(wrong)}: {_EXTRA}"] if wrong else []


def _local(view: View, targets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    wrong = [
        name
        for name in sorted(set(targets) & set(view.devices), key=natural)
        if targets[name].get("connection") in LOCAL and not _is_here(targets[name])
    ]
    message = f"ansible_connection is local for {_listed(wrong)}: the controller itself would be changed; {_EXTRA}"
    return [message] if wrong else []


def _is_here(target: Mapping[str, Any]) -> bool:
    return str(target.get("address", "")) in ("localhost", "127.0.0.1", "::1")


def _addresses(targets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    at: dict[tuple[str, str], list[str]] = {}
    for name in sorted(targets, key=natural):
        target = targets[name]
        if target.get("connection", "ssh") in ("ssh", "ansible.builtin.ssh", "paramiko", "smart"):
            at.setdefault((str(target.get("address") or name), str(target.get("port") or 22)), []).append(name)
    return [
        f"ansible_host is {address} (port {port}) for {_listed(names)}: {_EXTRA}"
        for (address, port), names in at.items()
        if len(names) > 1
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
