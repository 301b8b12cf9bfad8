# SPDX-License-Identifier: Apache-2.0
"""The module ceph_cluster_info on recorded answers; on a real cluster in tests/lab/ceph_tests."""

from __future__ import annotations

import json

from ansible_collections.scs.landscape.plugins.modules import ceph_cluster_info
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded


def test_the_recorded_cluster_is_described_whole():
    params = {name: option["default"] for name, option in ceph_cluster_info.SPEC.items()}
    found = ceph_cluster_info.main(params, False, Recorded(healthy=False)).values
    json.dumps(found)
    assert found["daemons"] == {
        "mon": ["ceph-1", "ceph-2", "ceph-3"],
        "mgr": ["ceph-1", "ceph-2"],
        "osd": ["0", "1", "2"],
        "rgw": ["ceph-1.rgw0"],
    }
    assert found["versions"]["mon"] == {"18.2.7": 3}
    assert found["quorum"]["mons"]["ceph-2"] == ["v2:10.61.0.12:3300", "v1:10.61.0.12:6789"]
    assert {osd["location"]["host"] for osd in found["osds"]} == {"ceph-1", "ceph-2", "ceph-3"}
    assert all(osd["location"]["root"] == "default" and osd["up"] and osd["inside"] for osd in found["osds"])
    assert [pool["name"] for pool in found["pools"]][:4] == ["volumes", "images", "backups", "vms"]
    assert found["health"]["checks"][0]["name"] == "PG_AVAILABILITY"
    assert found["health"]["checks"][0]["details"]
    assert found["pgs"]["states"]["undersized+peered"] == 1
