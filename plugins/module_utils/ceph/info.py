# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Everything about a cluster at once, in the shape of the module ``ceph_cluster_info``."""

from __future__ import annotations

import re
from typing import Any

from .client import Ceph
from .model import plain

_VERSION = re.compile(r"ceph version (\S+)")


def read(ceph: Ceph) -> dict[str, Any]:
    """Daemons, versions, quorum, OSDs, pools, placement groups and health."""
    status = ceph.status()
    quorum = ceph.quorum(status.quorum_age)
    mgrs, osds, pools = ceph.mgrs(), ceph.osds(), ceph.pools()
    daemons = {
        "mon": sorted(quorum.mons),
        "mgr": sorted({mgrs.active, *mgrs.standbys} - {""}),
        "osd": [str(osd.id) for osd in osds],
        **{kind: sorted(names) for kind, names in sorted(status.services.items())},
    }
    metadata_servers = mds(ceph.ask("fs", "dump"))
    if metadata_servers:
        daemons["mds"] = metadata_servers
    return {
        "fsid": status.fsid,
        "health": {"status": status.health, "checks": [plain(check) for check in ceph.checks()]},
        "quorum": {**plain(quorum), "names": list(quorum.names)},
        "daemons": daemons,
        "mgr": plain(mgrs),
        "osds": [plain(osd) for osd in osds],
        "pools": [plain(pool) for pool in pools],
        "pgs": plain(status.groups),
        "versions": versions(ceph.ask("versions")),
    }


def mds(data: dict[str, Any]) -> list[str]:
    """Names of metadata servers in what ``ceph fs dump`` says: with a rank, and standing by."""
    maps = [found["mdsmap"].get("info", {}) for found in data.get("filesystems", ())]
    return sorted(
        {
            daemon["name"]
            for found in [*maps, {str(n): d for n, d in enumerate(data.get("standbys", ()))}]
            for daemon in found.values()
        }
    )


def versions(data: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Short version and count by kind of daemon, from what ``ceph versions`` says."""
    found: dict[str, dict[str, int]] = {}
    for kind, counts in data.items():
        for text, count in counts.items():
            match = _VERSION.search(text)
            short = match.group(1) if match else text
            found.setdefault(kind, {})[short] = found.get(kind, {}).get(short, 0) + count
    return {kind: counts for kind, counts in found.items() if kind != "overall"}
