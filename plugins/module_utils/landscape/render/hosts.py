# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""A hosts file (hosts(5)): names of loopback and management addresses."""

from __future__ import annotations

from ..derive import ResolvedDevice, View
from ..inventory import is_switch
from .options import NOTICE, RenderOptions, devices, management_name

FILE = "hosts"


def files(view: View, options: RenderOptions) -> dict[str, str]:
    """``hosts``, to be appended to ``/etc/hosts`` or read by dnsmasq (``addn-hosts``).

    A server's name means its loopback addresses, and ``<name><management suffix>`` its management controller. A device
    without a loopback, and every switch, is its management address under both names.
    """
    lines = [f"# {NOTICE}"]
    for resolved in devices(view, options):
        lines += [f"{address}\t{' '.join(names)}" for address, names in _entries(view, resolved, options)]
    return {FILE: "\n".join(lines) + "\n"}


def _entries(view: View, resolved: ResolvedDevice, options: RenderOptions) -> list[tuple[str, list[str]]]:
    name = resolved.name
    loopbacks = (
        [] if is_switch(view, name) else [found for found in (resolved.loopback_v4, resolved.loopback_v6) if found]
    )
    entries = [(address, [name]) for address in loopbacks]
    management = management_name(view, resolved, options)
    names = ([] if loopbacks else [name]) + ([management] if management else [])
    if resolved.oob_v4 and names:
        entries.append((resolved.oob_v4, names))
    return entries
