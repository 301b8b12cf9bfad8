# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""All formats by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..derive import View
from . import hosts, netbox, osism, prometheus_sd, ssh_config
from .options import RenderOptions

Renderer = Callable[[View, RenderOptions], dict[str, str]]

#: Each makes file names (relative to the destination) and contents; the same view and options give the same bytes.
FORMATS: Mapping[str, Renderer] = {
    "hosts": hosts.files,
    "netbox": netbox.files,
    "osism_groups": osism.groups,
    "osism_host_vars": osism.host_vars,
    "prometheus_sd": prometheus_sd.files,
    "ssh_config": ssh_config.files,
}


def warnings(view: View, formats: list[str], options: RenderOptions) -> list[str]:
    """What the chosen formats leave out of the landscape, and why."""
    refused = osism.refused(view, options) if {"osism_groups", "osism_host_vars"} & set(formats) else []
    return refused + (netbox.warnings(view) if "netbox" in formats else [])
