# SPDX-License-Identifier: Apache-2.0
"""What is said of VMs whose traits an endpoint really tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.modules import vmware_vm_check
from ansible_collections.scs.landscape.tests.lab.vsphere import Vsphere
from ansible_collections.scs.landscape.tests.lab.vsphere_tests import desk
from ansible_collections.scs.landscape.tests.lab.vsphere_tests.conftest import endpoint

DISK = {"size": 1 << 30}
PLAIN: dict[str, Any] = {"guest_id": "debian12_64Guest", "nics": [{}], "cbt": True, "cpus": 2, "memory_mb": 1024}
#: Name, what the VM has, ids of the errors and warnings, and the transports that are left.
CASES: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    ("plain", {}, [], ["nfc", "folder", "ssh", "local"]),
    ("tpm", {"firmware": "efi", "vtpm": True}, ["vtpm"], ["nfc", "folder", "ssh", "local"]),
    ("encrypted", {"encrypted": True}, ["encrypted"], ["nfc", "folder", "ssh", "local"]),
    ("snapshots", {"snapshots": [{"name": "a", "children": [{"name": "b"}]}]}, ["snapshots"], ["nfc"]),
    ("rdm-p", {"disks": [{**DISK, "backing": "rdm-physical"}]}, ["disk-rdm-physical"], []),
    ("rdm-v", {"disks": [{**DISK, "backing": "rdm-virtual"}]}, ["disk-rdm-virtual"], ["nfc"]),
    (
        "shared",
        {"disks": [{**DISK, "sharing": "sharingMultiWriter"}]},
        ["disk-multi-writer"],
        ["nfc", "folder", "ssh", "local"],
    ),
    (
        "independent",
        {"disks": [{**DISK, "mode": "independent_persistent"}]},
        ["disk-independent"],
        ["nfc", "folder", "ssh", "local"],
    ),
    ("windows", {"guest_id": "windows2019srv_64Guest"}, ["windows"], ["nfc", "folder", "ssh", "local"]),
    ("unknown", {"guest_id": "otherGuest64"}, ["system-unknown"], ["nfc", "folder", "ssh", "local"]),
    ("usb", {"devices": ["usb"]}, ["usb"], ["nfc", "folder", "ssh", "local"]),
    ("two", {"disks": [DISK, {**DISK, "controller": "sata"}]}, ["boot-disk-unsure"], ["nfc", "folder", "ssh", "local"]),
    ("old", {"hardware_version": "vmx-04"}, ["hardware-old"], ["nfc", "folder", "ssh", "local"]),
    ("on", {"power": "on", "tools": "none"}, ["tools-missing"], ["nfc", "folder", "ssh", "local"]),
    ("suspended", {"power": "suspended"}, ["suspended"], ["nfc", "folder", "ssh", "local"]),
    ("many-cards", {"nics": [{}] * 4}, ["nic-count"], ["nfc", "folder", "ssh", "local"]),
]


@pytest.fixture(scope="module", params=["esxi", "vcenter"])
def estate(request: pytest.FixtureRequest) -> Iterator[Vsphere]:
    machines = [{"name": name, **PLAIN, "disks": [DISK], **more} for name, more, _ids, _ways in CASES]
    datastores = [{"name": "datastore1", "type": "VMFS"}]
    with endpoint("chk", request.param, {"machines": machines, "datastores": datastores}) as found:
        yield found


def test_each_trait_is_judged_as_it_should_be(estate: Vsphere) -> None:
    told = desk.info(estate).values["vms"]
    options = {"vms": told, "target": {"max_nics": 3}, "ignore": [], "drivers": "auto", "fail": False}
    result = vmware_vm_check.main(options, False)
    found: dict[str, list[str]] = {vm["name"]: [] for vm in told}
    for one in result.values["findings"]:
        if one["severity"] != "info":
            found[one["vm"]].append(one["id"])
    assert found == {name: ids for name, _more, ids, _ways in CASES}
    ways = {vm["name"]: [way["transport"] for way in vm["transports"] if way["usable"]] for vm in result.values["vms"]}
    assert ways == {name: usable for name, _more, _ids, usable in CASES}
    assert not result.values["migratable"]
