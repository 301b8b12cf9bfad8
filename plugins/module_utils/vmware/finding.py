# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What rules are made of and what they say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable

from .model import Disk, Nic, Vm

GIB = 1024**3
ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Limits:
    """What the target can take; None for what nobody said.

    :param max_disk_gib: of one volume, in GiB.
    """

    max_nics: int | None = None
    max_disks: int | None = None
    max_disk_gib: int | None = None
    max_vcpus: int | None = None
    max_memory_mb: int | None = None
    uefi: bool | None = None
    secure_boot: bool | None = None
    vtpm: bool | None = None


#: Limits of a target that nobody described.
NOTHING_SAID = Limits()


@dataclass(frozen=True)
class Said:
    """What a rule says of a VM, or of one disk or network card of it."""

    message: str
    disk: Disk | None = None
    nic: Nic | None = None


@dataclass(frozen=True)
class Rule:
    """A rule.

    :param fix: what the owner can do about it.
    :param source: where it is written.
    :param final: the disks cannot be read, or not rightly, so it cannot be ignored.
    """

    id: str
    severity: str
    check: Callable[[Vm, Limits], Iterable[Said]]
    fix: str
    source: str
    final: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule that has something to say; ``ignored`` when the operator knows."""

    rule: Rule
    vm: Vm
    said: Said
    ignored: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "id": self.rule.id,
            "severity": self.rule.severity,
            "vm": self.vm.name,
            "disk": self.said.disk.key if self.said.disk else None,
            "nic": self.said.nic.key if self.said.nic else None,
            "message": self.said.message,
            "fix": self.rule.fix,
            "source": self.rule.source,
            "ignored": self.ignored,
        }
