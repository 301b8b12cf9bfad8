# SPDX-License-Identifier: Apache-2.0
"""The modules that only look: what they return is what the others take."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Endpoint
from ansible_collections.scs.landscape.plugins.modules import vmware_vm_check, vmware_vm_info
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import trees
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware.fakes import FakeSession

CHECK = {"target": None, "ignore": [], "drivers": "auto", "fail": False}


def info(*machines, licence=False, **options):
    found = FakeSession([*copy.deepcopy(trees.AROUND), *machines], Endpoint("esxi1", free_licence=licence))
    return vmware_vm_info.main(
        {"vms": [], "files": False, "ignore_missing": False, **options}, False, connect=lambda _params: found
    )


def test_facts_are_json_and_hold_files_only_when_asked():
    machine = trees.machine(layoutEx={"file": [{"key": 1, "name": "[a] b.vmx", "type": "config", "size": 9}]})
    told = json.loads(json.dumps(info(machine).values))
    assert told["endpoint"]["kind"] == "esxi"
    assert [vm["name"] for vm in told["vms"]] == ["web"]
    assert "files" not in told["vms"][0]
    (vm,) = info(machine, files=True).values["vms"]
    assert vm["files"] == [{"path": "[a] b.vmx", "type": "config", "bytes": 9}]


def test_a_vm_that_is_gone_is_told_and_holds_up_no_other_where_that_is_wanted():
    with pytest.raises(InputError, match="no VM is called 'gone'"):
        info(trees.machine(), vms=["web", "gone"])
    told = info(trees.machine(), vms=["web", "gone"], ignore_missing=True).values
    assert [vm["name"] for vm in told["vms"]] == ["web"]
    assert told["missing"] == {"gone": "no VM is called 'gone'"}


def test_facts_go_into_the_check_as_they_are():
    snapshot = {"currentSnapshot": "s", "rootSnapshotList": [{"snapshot": "s", "name": "s"}]}
    facts = json.loads(
        json.dumps(info(trees.machine(), trees.machine("db", moid="8", snapshot=snapshot)).values["vms"])
    )
    result = vmware_vm_check.main({**CHECK, "vms": facts, "target": {"max_nics": 0, "uefi": None}}, False)
    assert not result.values["migratable"]
    assert not result.failed
    assert [(one["name"], one["blockers"]) for one in result.values["vms"]] == [
        ("db", ["nic-count"]),
        ("web", ["nic-count"]),
    ]
    db = result.values["vms"][0]
    assert [way["transport"] for way in db["transports"] if way["usable"]] == ["nfc"]
    assert not db["warm_capable"]
    assert db["properties"]["os_distro"] == "debian"
    assert (db["min_disk"], db["min_ram"]) == (1, 512)
    ids = [one["id"] for one in result.values["findings"] if one["vm"] == "db"]
    assert ids == ["nic-count", "snapshots", "cbt"]


def test_a_vm_without_any_way_to_its_disks_cannot_move():
    snapshot = {"currentSnapshot": "s", "rootSnapshotList": [{"snapshot": "s", "name": "s"}]}
    facts = info(trees.machine(snapshot=snapshot), licence=True).values["vms"]
    result = vmware_vm_check.main({**CHECK, "vms": facts, "fail": True}, False)
    assert result.values["vms"][0]["blockers"] == ["transport"]
    assert result.failed == "1 of 1 VMs cannot move: web"


def test_ignored_findings_stay_in_the_answer():
    facts = info(trees.machine(devices=[trees.controller("VirtualTPM", 11000), trees.disk(2000, 1000, 0)])).values[
        "vms"
    ]
    result = vmware_vm_check.main({**CHECK, "vms": facts, "ignore": ["vtpm"], "fail": True}, False)
    assert result.values["migratable"]
    assert [one["ignored"] for one in result.values["findings"] if one["id"] == "vtpm"] == [True]


def test_facts_that_are_none_are_refused():
    with pytest.raises(InputError, match="not whole"):
        vmware_vm_check.main({**CHECK, "vms": [{"name": "web"}]}, False)
