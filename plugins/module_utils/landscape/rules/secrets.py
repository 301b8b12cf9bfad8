# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Rules about what does not belong into a landscape at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.redact import is_secret_name
from ..finding import Finding
from .index import Index
from .registry import Rule, rule


@rule(
    "P01",
    "error",
    "Secret in the landscape",
    why="A landscape lies in version control and is copied into pages, inventories and reports; a secret in it is one "
    "that everybody has.",
    source="SCS hardware landscape: passwords and SNMP communities stood in clear in its host variables",
    hint="keep it in a vault, and refer to it by a variable there",
)
def secrets(rule: Rule, index: Index) -> Iterator[Finding]:
    for device in index.devices:
        for name in _secret_names(device.device.vars):
            # The value is not shown: reports travel further than the landscape.
            yield rule.finding(device.device, "vars", f"the variable {name} of {device.name} looks like a secret")


def _secret_names(data: Any, path: str = "") -> Iterator[str]:
    """Paths of values that are kept under the name of a secret; references to a vault are none."""
    if isinstance(data, dict):
        for key, value in data.items():
            here = f"{path}.{key}" if path else str(key)
            if is_secret_name(str(key)) and isinstance(value, (str, int)) and not isinstance(value, bool):
                if str(value).strip() and not str(value).lstrip().startswith("{{"):
                    yield here
            else:
                yield from _secret_names(value, here)
    elif isinstance(data, (list, tuple)):
        for number, value in enumerate(data, 1):
            yield from _secret_names(value, f"{path}[{number}]")
