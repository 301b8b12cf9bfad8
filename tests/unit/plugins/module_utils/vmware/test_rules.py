# SPDX-License-Identifier: Apache-2.0
"""Rules: each finds what it is for, and nothing in a VM that has nothing of it."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import rules, transports
from ansible_collections.scs.landscape.plugins.module_utils.vmware.finding import Limits
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import (
    BootDisk,
    Controller,
    Disk,
    Nic,
    OsGuess,
    Passthrough,
    Snapshot,
    Vm,
)

GIB = 1 << 30
DISK = Disk(2000, "Hard disk 1", "scsi", "pvscsi", 0, 40 * GIB, path="[a] w/w.vmdk", chain=("[a] w/w.vmdk",))
NIC = Nic(4000, "Network adapter 1", "00:50:56:00:00:01", "vmxnet3", network="shop")
PLAIN = Vm(
    "esxi1",
    "web",
    "7",
    "52aa",
    hardware_version=19,
    guest_id="debian12_64Guest",
    os_guess=OsGuess("linux", "debian", "12"),
    cpus=4,
    memory_mb=4096,
    disks=(DISK,),
    nics=(NIC,),
    cbt=True,
    boot_disk=BootDisk(2000, "it is the only disk", True),
    free_licence=False,
)


def disk(**changes):
    return {"disks": (dataclasses.replace(DISK, **changes),)}


def nic(**changes):
    return {"nics": (dataclasses.replace(NIC, **changes),)}


def guest(kind, distro, version=""):
    return {"os_guess": OsGuess(kind, distro, version)}


LIMITS = Limits(
    max_nics=1,
    max_disks=1,
    max_disk_gib=40,
    max_vcpus=4,
    max_memory_mb=4096,
    uefi=False,
    secure_boot=False,
    vtpm=False,
)
#: Rule, what makes it speak, its severity, and the key of the device that it names.
CASES = [
    ("connection", {"connection": "inaccessible"}, "error", None),
    ("uuid-missing", {"uuid": ""}, "error", None),
    ("template", {"template": True}, "error", None),
    ("question", {"question": "copied?"}, "error", None),
    ("suspended", {"power": "suspended"}, "error", None),
    ("fault-tolerance", {"fault_tolerance": True}, "error", None),
    ("encrypted", {"encrypted": True}, "error", None),
    ("vtpm", {"vtpm": True}, "error", None),
    ("managed", {"managed_by": "com.vmware.vcDr"}, "warning", None),
    ("vapp", {"vapp": True}, "info", None),
    ("running", {"power": "on", "tools": "running"}, "info", None),
    ("tools-missing", {"power": "on", "tools": "missing"}, "warning", None),
    ("snapshots", {"snapshots": (Snapshot("s", "before"),)}, "warning", None),
    ("consolidation", {"consolidation_needed": True}, "error", None),
    ("cbt", {"cbt": False}, "info", None),
    ("disk-none", {"disks": ()}, "error", None),
    ("disk-rdm-physical", disk(backing="rdm", rdm="physical"), "error", 2000),
    ("disk-rdm-virtual", disk(backing="rdm", rdm="virtual"), "warning", 2000),
    ("disk-backing", disk(backing="unknown"), "error", 2000),
    ("disk-multi-writer", disk(sharing="sharingMultiWriter"), "error", 2000),
    (
        "disk-shared-bus",
        {**disk(controller_key=1000), "controllers": (Controller(1000, "scsi", "lsisas", sharing="physical"),)},
        "error",
        2000,
    ),
    ("disk-independent", disk(mode="independent_persistent"), "warning", 2000),
    ("disk-nonpersistent", disk(mode="independent_nonpersistent"), "warning", 2000),
    ("disk-odd-size", disk(capacity_bytes=20 * GIB - 512), "info", 2000),
    ("disk-size", disk(capacity_bytes=40 * GIB + 512), "error", 2000),
    ("disk-count", {"disks": (DISK, dataclasses.replace(DISK, key=2001, unit=1))}, "error", None),
    ("disk-bus", disk(bus="sata"), "info", 2000),
    ("boot-disk-unsure", {"boot_disk": BootDisk(2000, "guessed", False)}, "warning", None),
    ("nic-count", {"nics": (NIC, dataclasses.replace(NIC, key=4001, mac="x"))}, "error", None),
    ("nic-none", {"nics": ()}, "info", None),
    ("nic-sriov", nic(model="sriov"), "warning", 4000),
    ("nic-rdma", nic(model="vmxnet3vrdma"), "warning", 4000),
    ("nic-network", nic(network=""), "warning", 4000),
    ("nic-mac", nic(mac=""), "error", 4000),
    ("nic-same-mac", {"nics": (NIC, dataclasses.replace(NIC, key=4001))}, "error", None),
    ("passthrough", {"passthrough": (Passthrough("vgpu", "PCI device 0"),)}, "error", None),
    ("usb", {"passthrough": (Passthrough("usb", "USB 1"),)}, "warning", None),
    ("port-devices", {"passthrough": (Passthrough("serial", "Serial port 1"),)}, "info", None),
    ("uefi", {"firmware": "uefi"}, "error", None),
    ("secure-boot", {"secure_boot": True}, "error", None),
    ("vtpm-target", {"vtpm": True}, "warning", None),
    ("vcpus", {"cpus": 5}, "error", None),
    ("memory", {"memory_mb": 4097}, "error", None),
    ("hardware-old", {"hardware_version": 4}, "warning", None),
    ("windows", guest("windows", "windows", "2019"), "warning", None),
    ("system-foreign", guest("netware", "netware", "6"), "warning", None),
    ("system-unknown", guest("linux", "unknown"), "warning", None),
    ("version-unknown", guest("linux", "ubuntu"), "info", None),
]


def test_nothing_is_said_of_a_plain_vm():
    assert [one.rule.id for one in rules.findings(PLAIN, LIMITS)] == []
    assert rules.is_migratable(rules.findings(PLAIN, LIMITS))


@pytest.mark.parametrize(("name", "changes", "severity", "key"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_finds_what_it_is_for(name, changes, severity, key):
    vm = dataclasses.replace(PLAIN, **changes)
    found = [one for one in rules.findings(vm, LIMITS) if one.rule.id == name]
    assert found
    said = found[0].as_dict()
    assert said["severity"] == severity
    assert (said["disk"] or said["nic"]) == key
    assert said["message"].startswith("web")
    others = [one for one in rules.findings(vm, LIMITS) if one.rule.id == name]
    assert rules.is_migratable(others) is (severity != "error")


def test_every_rule_has_a_case_and_a_source():
    assert sorted(case[0] for case in CASES) == sorted(rule.id for rule in rules.RULES)
    assert all(rule.fix and rule.source for rule in rules.RULES)


def test_limits_that_nobody_told_are_not_judged():
    vm = dataclasses.replace(PLAIN, firmware="uefi", secure_boot=True, cpus=900, nics=(NIC,) * 1)
    assert rules.findings(vm) == []


def test_errors_come_first():
    vm = dataclasses.replace(PLAIN, cbt=False, managed_by="x", question="?")
    assert [one.rule.severity for one in rules.findings(vm)] == ["error", "warning", "info"]


def test_what_is_known_can_be_ignored_for_all_or_for_one_disk():
    shared = dataclasses.replace(DISK, sharing="sharingMultiWriter")
    vm = dataclasses.replace(PLAIN, disks=(shared, dataclasses.replace(shared, key=2001, unit=1)))
    assert rules.blockers(rules.findings(vm)) == ["disk-multi-writer"]
    one = rules.findings(vm, ignore=["disk-multi-writer@2001"])
    assert [(found.said.disk.key, found.ignored) for found in one if found.said.disk] == [(2000, False), (2001, True)]
    assert not rules.is_migratable(one)
    assert rules.is_migratable(rules.findings(vm, ignore=["disk-multi-writer"]))


@pytest.mark.parametrize("name", [rule.id for rule in rules.RULES if rule.final])
def test_what_makes_a_copy_impossible_cannot_be_ignored(name):
    with pytest.raises(InputError, match="cannot be ignored"):
        rules.findings(PLAIN, ignore=[name])


def test_an_id_that_is_none_is_refused():
    with pytest.raises(InputError, match="'snapshot', which is no rule"):
        rules.findings(PLAIN, ignore=["snapshot"])


#: What a VM has, which transports are left, and a word of the reason at the others.
WAYS = [
    ("plain", {}, ["nfc", "folder", "ssh", "local"], ""),
    ("free", {"free_licence": True}, ["folder", "ssh", "local"], "free licence"),
    ("snapshots", {"snapshots": (Snapshot("s", "a"),)}, ["nfc"], "snapshots"),
    ("chain", disk(chain=("a-000001.vmdk", "a.vmdk"), backing="sesparse"), ["nfc"], "snapshots"),
    ("vsan", disk(datastore_type="vsan"), ["nfc"], "object"),
    ("rdm-virtual", disk(backing="rdm", rdm="virtual"), ["nfc"], "virtual rdm"),
    ("rdm-physical", disk(backing="rdm", rdm="physical"), [], "no virtual disk"),
    ("free-and-snapshots", {"free_licence": True, "snapshots": (Snapshot("s", "a"),)}, [], "free licence"),
]


@pytest.mark.parametrize(("changes", "usable", "word"), [one[1:] for one in WAYS], ids=[one[0] for one in WAYS])
def test_ways_to_the_disks(changes, usable, word):
    found = transports.transports(dataclasses.replace(PLAIN, **changes))
    assert [way.name for way in found if way.usable] == usable
    refused = [way.reason for way in found if not way.usable]
    assert word in " ".join(refused)
    assert all(refused)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"hardware_version": 4}, "older than 7"),
        ({"snapshots": (Snapshot("s", "a"),)}, "snapshots"),
        ({"free_licence": True}, "free licence"),
        (disk(mode="independent_persistent"), "independent"),
        (disk(sharing="sharingMultiWriter"), "several VMs"),
        (disk(rdm="physical"), "physical mode"),
    ],
    ids=["hardware", "snapshots", "free", "independent", "multi-writer", "rdm"],
)
def test_what_makes_changed_blocks_useless(changes, word):
    assert transports.warm_reasons(PLAIN) == []
    assert word in " ".join(transports.warm_reasons(dataclasses.replace(PLAIN, **changes)))


def test_every_rule_stands_in_the_documentation(repo):
    page = (repo / "docs/vmware.md").read_text(encoding="utf-8")
    rows = [
        f"| `{rule.id}`{' (final)' if rule.final else ''} | {rule.severity} | {rule.fix} | {rule.source} |"
        for rule in rules.RULES
    ]
    assert [row for row in rows if row not in page] == []
    assert page.count("\n| `") == len(rows) + page.count("| `scs.landscape.")
