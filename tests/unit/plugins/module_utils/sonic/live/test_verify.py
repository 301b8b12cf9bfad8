# SPDX-License-Identifier: Apache-2.0
"""What makes a running switch wrong although everything it was told is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import verify
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen


def seen(config: dict[str, Any], **answer: Any) -> Seen:
    base = {"version": {"build_version": "SONiC.202505.1"}, "digest": "", "saved": json.dumps(config), "rows": {}}
    one = Seen.of("leaf1", {**base, **answer})
    return Seen(**{**vars(one), "config": config})


OVERLAY: dict[str, Any] = {
    "VXLAN_TUNNEL_MAP": {
        "vtep|map_100_Vlan100": {"vni": "100", "vlan": "Vlan100"},
        "vtep|map_1000_Vlan1000": {"vni": "1000", "vlan": "Vlan1000"},
    },
    "VRF": {"VrfBlue": {"vni": "1000"}, "VrfRed": {"vni": "0"}},
}


@pytest.mark.parametrize(
    ("kind", "got"),
    [
        ("L3", None),
        ("L2", "L2: FRR lacks `vrf VrfBlue` / `vni 1000`, which frr_fixups of sonic_config_db adds"),
        ("", "no kind: FRR lacks `vrf VrfBlue` / `vni 1000`, which frr_fixups of sonic_config_db adds"),
    ],
)
def test_a_vrf_whose_vni_frr_takes_for_a_bridge_is_a_fault(kind: str, got: str | None) -> None:
    known = {"100": {"type": "L2", "vxlanIf": "vtep-100"}, "1000": {"type": kind, "tenantVrf": "default"}}
    found = verify.faults(seen(OVERLAY, evpn=known), verify.Expected(), ["evpn"])
    assert [one.as_dict() for one in found] == (
        [{"check": "evpn", "local": "VNI 1000", "expected": "L3, in vrf VrfBlue", "got": got}] if got else []
    )


def test_a_vni_that_frr_does_not_know_is_a_fault_of_either_kind() -> None:
    found = verify.faults(seen(OVERLAY, evpn={}), verify.Expected(), ["evpn"])
    assert [(one.local, one.got) for one in found] == [("VNI 100", "not known"), ("VNI 1000", "not known")]
