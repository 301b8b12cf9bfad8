# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The servers of a project, as far as their volumes go."""

from __future__ import annotations

from typing import Any

from ...core.errors import LandscapeError
from .points import Server, server_of

#: Since the release Newton lists of servers show tags.
_TAGS = "2.26"


def servers_of(cloud: Any, everywhere: bool = False, tags: bool = False) -> list[Server]:
    """All servers of the project; with an administrator's token those of all projects.

    :raises LandscapeError: tags are wanted, and Nova is older than they are.
    """
    query = {"all_tenants": "1"} if everywhere else {}
    if tags:
        if not cloud.microversion("compute", _TAGS):
            raise LandscapeError(f"{cloud.name}: servers have no tags there (microversion {_TAGS} of Nova)")
        query["microversion"] = _TAGS
    pages = cloud.pages("compute", "/servers/detail", "servers", limit=500, **query)
    return [server_of(one) for one in pages]
