# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether a machine is fit for its role: what was read against a profile. Pure.

A profile is a table of limits. Sites change single limits, so that a profile stays one word in an inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..core.errors import InputError
from ..core.units import format_bytes

_GIB = 1024**3
_BASE: dict[str, Any] = {
    "architectures": ["x86_64"],
    "cpus": 2,
    "cpu_flags": [],
    "cpu_flags_any": [],
    "firmware": "uefi",
    "memory_gib": 4,
    "disks": 1,
    "disk_gib": 30,
    "mtu": 1500,
    "clock_seconds": 30,
}
#: Smallest machines that the SCS reference setups are run on; sites raise them by changes. Flags as /proc/cpuinfo has
#: them: x86-64-v2 is what Debian 13, EL 9 and the images of OSISM are built for at least, virtualisation is KVM's.
PROFILES: dict[str, dict[str, Any]] = {
    "control": {**_BASE, "cpus": 8, "memory_gib": 32, "disk_gib": 100, "cpu_flags": ["sse4_2", "aes"]},
    "compute": {
        **_BASE,
        "cpus": 8,
        "memory_gib": 32,
        "disk_gib": 100,
        "cpu_flags": ["sse4_2", "aes"],
        "cpu_flags_any": ["vmx", "svm"],
    },
    "compute-arm64": {
        **_BASE,
        "architectures": ["aarch64"],
        "cpus": 8,
        "memory_gib": 32,
        "disk_gib": 100,
        "cpu_flags": ["aes", "atomics"],
    },
    "storage": {**_BASE, "cpus": 8, "memory_gib": 32, "disks": 3, "cpu_flags": ["sse4_2", "aes"]},
    # Switches, jump hosts and other devices that carry no workload.
    "network": {**_BASE, "architectures": ["x86_64", "aarch64"], "firmware": "any", "memory_gib": 2, "disk_gib": 8},
}
_ROLES = (
    ("compute-arm64", "compute-arm64"),
    ("comp", "compute"),
    ("control", "control"),
    ("ctl", "control"),
    ("stor", "storage"),
    ("ceph", "storage"),
    ("osd", "storage"),
)


@dataclass(frozen=True)
class Finding:
    """One limit that is not kept. ``severity`` is ``error`` or ``warning``."""

    id: str
    severity: str
    message: str
    found: str
    expected: str
    hint: str

    def as_dict(self) -> dict[str, str]:
        """JSON-able form."""
        return dict(vars(self))


def profile_of(role: str) -> str:
    """The profile that fits the name of a role; devices of other roles are judged as ``network``."""
    return next((profile for word, profile in _ROLES if word in role), "network")


def profile(name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of a profile with changes.

    :raises InputError: there is no such profile or limit, or a limit of another type.
    """
    if name not in PROFILES:
        raise InputError(f"There is no profile {name!r}; there are {', '.join(PROFILES)}")
    limits = dict(PROFILES[name])
    problems = []
    for key, value in changes.items():
        known = limits.get(key)
        if known is None:
            problems.append(f"profile_changes holds {key!r}; there are {', '.join(limits)}")
        elif isinstance(known, int) and (isinstance(value, bool) or not str(value).replace(".", "", 1).isdigit()):
            problems.append(f"profile_changes.{key} is {value!r}, no number")
        elif isinstance(known, list) and not isinstance(value, list):
            problems.append(f"profile_changes.{key} is {value!r}, no list")
        elif key == "firmware" and value not in ("uefi", "bios", "any"):
            problems.append(f"profile_changes.{key} is {value!r}; there are uefi, bios, any")
        else:
            limits[key] = float(value) if isinstance(known, int) else value
    if problems:
        raise InputError("; ".join(problems), details={"problems": problems})
    return limits


def judge(facts: Mapping[str, Any], name: str, changes: Mapping[str, Any] | None = None) -> list[Finding]:
    """Every limit of the profile that the machine does not keep.

    :param facts: see :mod:`check_facts`.
    """
    limits = profile(name, changes or {})
    return [finding for rule in _CHECKS for finding in rule(facts, limits, name)]


Rule = Callable[[Mapping[str, Any], Mapping[str, Any], str], Iterator[Finding]]


def _architecture(facts: Mapping[str, Any], limits: Mapping[str, Any], name: str) -> Iterator[Finding]:
    found, allowed = facts["architecture"], limits["architectures"]
    if allowed and found not in allowed:
        words = " or ".join(allowed)
        hint = "Use the profile compute-arm64, or another machine" if name == "compute" else "Use another machine"
        yield Finding("arch", "error", f"a {name} role on {found} is refused; {words} is needed", found, words, hint)


def _cpu(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    if facts["cpus"] < limits["cpus"]:
        found, wanted = str(facts["cpus"]), f"{limits['cpus']:g}"
        yield Finding("cpus", "error", f"{found} CPUs, {wanted} are needed", found, wanted, "Use a larger machine")
    flags = set(facts["cpu_flags"])
    missing = [flag for flag in limits["cpu_flags"] if flag not in flags]
    either = limits["cpu_flags_any"]
    if either and not flags & set(either):
        missing.append(" or ".join(either))
    if missing:
        text = ", ".join(missing)
        hint = "Turn it on in the firmware (virtualisation, AES), or use another machine"
        yield Finding("cpu_flags", "error", f"the CPU does not have {text}", "missing", text, hint)


def _firmware(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    found, wanted = facts["firmware"], limits["firmware"]
    if wanted != "any" and found not in (wanted, "container"):
        hint = "Change the boot mode of the machine and install it anew"
        yield Finding("firmware", "error", f"started by {found}, not by {wanted}", found, wanted, hint)


def _memory(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    # The kernel and the firmware keep some of it: a machine of 32 GiB says 31.
    if facts["memory"] < limits["memory_gib"] * _GIB * 0.94:
        found, wanted = format_bytes(facts["memory"]), f"{limits['memory_gib']:g} GiB"
        yield Finding("memory", "error", f"{found} of memory, {wanted} are needed", found, wanted, "Add memory")


def _disks(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    fit = [disk for disk in facts["disks"] if disk["size"] >= limits["disk_gib"] * _GIB * 0.9]
    if len(fit) < limits["disks"]:
        found = f"{len(fit)} of {len(facts['disks'])}"
        wanted = f"{limits['disks']:g} of at least {limits['disk_gib']:g} GiB"
        shown = ", ".join(f"{disk['name']} {format_bytes(disk['size'])}" for disk in facts["disks"]) or "none"
        message = f"{found} disks are large enough ({shown}); {wanted} are needed"
        yield Finding("disks", "error", message, found, wanted, "Look whether a disk or its controller is missing")


def _mtu(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    for path in facts["paths"]:
        wanted = int(path["mtu"] or limits["mtu"])
        if path["state"] == "too_big":
            message = f"packets of {wanted} bytes do not reach {path['address']}, smaller ones do"
            hint = "Look at the MTU of every port on the way"
            yield Finding("mtu", "error", message, f"below {wanted}", str(wanted), hint)
        elif path["state"] != "ok":
            message = f"{path['address']} does not answer, so the MTU of the way there is not known"
            yield Finding("mtu", "warning", message, path["state"], str(wanted), "Look at the route and at firewalls")
    for name, found in sorted(facts["interfaces"].items()):
        if found is None:
            yield Finding("mtu", "error", f"there is no interface {name}", "none", name, "Look at cables and names")
        elif found < limits["mtu"]:
            least = f"{limits['mtu']:g}"
            yield Finding("mtu", "error", f"{name} has an MTU of {found}", str(found), least, "Raise it on both ends")


def _clock(facts: Mapping[str, Any], limits: Mapping[str, Any], _name: str) -> Iterator[Finding]:
    ahead = facts["clock_offset"]
    if ahead is not None and abs(ahead) > limits["clock_seconds"]:
        way = "ahead of" if ahead > 0 else "behind"
        text = f"{abs(ahead):.0f} s" if abs(ahead) < 7200 else f"{abs(ahead) / 3600:.1f} h"
        hint = "Look at chronyc tracking, at the clock of the firmware, and at the clock of the controller itself"
        message = f"the clock is {text} {way} the controller's"
        yield Finding("clock", "error", message, f"{ahead:.0f} s", f"{limits['clock_seconds']:g} s", hint)


_CHECKS: tuple[Rule, ...] = (_architecture, _cpu, _firmware, _memory, _disks, _mtu, _clock)
