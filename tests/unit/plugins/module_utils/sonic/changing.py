# SPDX-License-Identifier: Apache-2.0
"""What the tests of changes share: golden data of SONiC's own updater, and its models as a judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.sonic import yang_check
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden

#: Every recorded change, so that a lost folder is a failing test.
CHANGES = (
    "1-add-vlan",
    "2-routed-to-vlan-member",
    "3-neighbor-asn-and-peer-group",
    "4-l2vni-add-and-remove",
    "5-ntp-servers",
    "6-loopback-address",
    "7-port-shut-speed-mtu",
    "7b-port-speed-not-supported",
    "8-remove-vrf",
    "9-unmodelled-field-blocks",
    "10-remove-loopback0",
    "10b-remove-loopback0-row",
    "11-port-lanes",
    "12-local-asn",
    "13-lag-member-as-vlan-member",
)
#: What a switch has after its first start, as in the golden steps of the fabrics.
BARE = ("DEVICE_METADATA", "PORT", "MGMT_PORT", "MGMT_INTERFACE", "VERSIONS")
FABRICS = (
    *(f"{fabric}/{switch}" for fabric in ("a-underlay", "b-l2vni", "c-l3vni") for switch in ("leaf1", "spine1")),
    "d-mgmt/mgmt1",
    "e-border/border1",
)
RELEASE = "202605"


def read(*parts: str) -> Any:
    """A JSON file below ``shared/sonic``."""
    return json.loads(golden.shared(*parts).read_text("utf-8"))


def change(name: str) -> tuple[Any, Any, Any]:
    """A recorded change: before, after, and what SONiC's updater made of it."""
    return tuple(read("golden", "changes", name, f"{part}.json") for part in ("before", "after", "gcu_steps"))


def fabric(name: str) -> Any:
    """The configuration of a switch of a golden fabric."""
    return read("golden", "fabrics", *name.split("/"), "config_db.json")


def bare(config: Any) -> Any:
    """The part of a configuration that a new switch has."""
    return {table: rows for table, rows in config.items() if table in BARE}


class Judge:
    """SONiC's models with libyang: the faults of a configuration as (table, key, field)."""

    def __init__(self, release: str, judge: Any) -> None:
        self.models, self.judge = golden.models(release), judge

    def faults(self, config: Any) -> set[tuple[str, str, str]]:
        verdict = yang_check.check(self.models, config, self.judge)
        return {fault.where for fault in verdict.faults}


@contextmanager
def judge(release: str = RELEASE) -> Iterator[Judge]:
    """A judge for one release."""
    with golden.judge(release) as found:
        yield Judge(release, found)
