# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What differs between platforms, and what is done after a file was changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.errors import InputError
from ..core.plan import Impact
from .model import Platform

#: First line of every file that belongs to us as a whole.
HEADER = "# Written by scs.landscape.node_state; changes are lost.\n"
#: Where run records, the lock and the means to roll back live on a host.
RECORD_FOLDER = "/var/lib/scs-landscape"
#: Packages that a service part stands on, and are installed with it.
PACKAGES = {"chrony": "chrony", "rsyslog": "rsyslog", "sudo": "sudo"}
PARTS = (
    "packages",
    "hostname",
    "hosts",
    "dns",
    "proxy",
    "sysctl",
    "journald",
    "rsyslog",
    "chrony",
    "sudo",
    "authorized_keys",
)

_EL = {
    "family": "dnf",
    "ssh_unit": "sshd.service",
    "chrony_unit": "chronyd.service",
    "chrony_conf": "/etc/chrony.conf",
    "chrony_sources": "",
}

#: ``ID`` and major ``VERSION_ID`` of /etc/os-release.
PLATFORMS: dict[tuple[str, str], Platform] = {
    ("debian", "12"): Platform("Debian 12", "apt", proven=True),
    ("debian", "13"): Platform("Debian 13", "apt", proven=True),
    ("ubuntu", "22"): Platform("Ubuntu 22.04", "apt", expiry_utc=False),
    ("ubuntu", "24"): Platform("Ubuntu 24.04", "apt", socket_ssh=True),
    **{
        (distribution, "9"): Platform("Enterprise Linux 9", expiry_utc=False, **_EL)  # type: ignore[arg-type]
        for distribution in ("rhel", "centos", "rocky", "almalinux")
    },
    **{
        (distribution, "10"): Platform("Enterprise Linux 10", **_EL)  # type: ignore[arg-type]
        for distribution in ("rhel", "centos", "rocky", "almalinux")
    },
}


@dataclass(frozen=True)
class Action:
    """Something done to a service: ``verb`` and ``unit`` as systemctl takes them, or a command of its own."""

    verb: str
    unit: str
    command: tuple[str, ...] = ()
    impact: Impact = Impact.DEGRADED


def actions(platform: Platform) -> dict[str, Action]:
    """What can follow a change, in the order in which it is done."""
    return {
        "resolved": Action("restart", "systemd-resolved.service"),
        "journald": Action("restart", "systemd-journald.service"),
        "rsyslog": Action("restart", "rsyslog.service"),
        "chrony_sources": Action("reload", platform.chrony_unit, ("chronyc", "reload", "sources"), Impact.NONE),
        "chrony": Action("restart", platform.chrony_unit),
    }


def platform_of(os_release: Mapping[str, str]) -> Platform:
    """The platform that an os-release file names.

    :raises InputError: none that we know.
    """
    name, version = os_release.get("ID", ""), os_release.get("VERSION_ID", "")
    found = PLATFORMS.get((name, version.partition(".")[0]))
    if found is None:
        known = ", ".join(sorted({platform.name for platform in PLATFORMS.values()}))
        raise InputError(
            f"This host runs {os_release.get('PRETTY_NAME') or name or 'an unknown system'}; known are {known}",
            hint="Leave the host out, or add a row to plugins/module_utils/node/tables.py",
        )
    return found


def parse_os_release(text: str) -> dict[str, str]:
    """Keys and values of /etc/os-release (os-release(5): shell assignments, quotes optional)."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, _equals, value in pairs}
