# SPDX-License-Identifier: Apache-2.0
"""From property trees to VMs: what stands in facts is what the endpoint said, and nothing where it said nothing."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import facts, model
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Endpoint
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import trees


def read(*machines, endpoint=None):
    return facts.vms_of([*trees.AROUND, *machines], endpoint or Endpoint(trees.ENDPOINT))


def one(**more):
    return read(trees.machine(**more))[0]


def test_a_plain_vm():
    vm = one()
    assert (vm.name, vm.moid, vm.path, vm.vmx) == ("web", "7", "/ha-datacenter/vm/web", "[datastore1] web/web.vmx")
    assert (vm.uuid, vm.bios_uuid) == ("52aa1111-2222-3333-4444-555566667777", "564d1111-2222-3333-4444-555566667777")
    assert (vm.power, vm.firmware, vm.secure_boot, vm.vtpm, vm.encrypted) == ("off", "bios", False, False, False)
    assert (vm.cpus, vm.sockets, vm.cores_per_socket, vm.memory_mb, vm.hardware_version) == (4, 2, 2, 4096, 19)
    assert (vm.esxi_host, vm.cluster, vm.resource_pool, vm.tools) == ("esxi1.example.com", "", "", "stopped")
    assert (vm.os_guess.type, vm.os_guess.distro, vm.os_guess.version) == ("linux", "debian", "12")
    assert vm.autostart == model.Autostart(True, 2)
    (disk,) = vm.disks
    assert (disk.key, disk.place, disk.controller, disk.capacity_bytes) == (2000, "scsi0:0", "pvscsi", 1 << 30)
    assert (disk.datastore, disk.datastore_type, disk.thin, disk.allocated_bytes) == ("datastore1", "VMFS", True, None)
    assert (disk.chain, disk.mode, disk.sharing, disk.rdm) == ((disk.path,), "persistent", "sharingNone", "")
    (nic,) = vm.nics
    assert (nic.mac, nic.model, nic.network, nic.vlan) == ("00:0c:29:3a:4b:5c", "vmxnet3", "shop", 120)
    assert vm.boot_disk == model.BootDisk(2000, "it is the only disk", True)
    assert vm.capacity_bytes == vm.allocated_bytes == 1 << 30


def test_disks_come_in_the_order_of_the_firmware_whatever_their_keys():
    devices = [
        trees.controller("VirtualNVMEController", 31000),
        trees.controller("VirtualLsiLogicSASController", 1001, 1, sharedBus="physicalSharing"),
        trees.controller("VirtualAHCIController", 15000),
        trees.controller("VirtualIDEController", 200),
        trees.PVSCSI,
        trees.disk(2900, 31000, 0),
        trees.disk(2003, 1001, 3),
        trees.disk(2007, 1000, 15),
        trees.disk(2005, 1000, 2),
        trees.disk(2600, 15000, 1),
        trees.disk(3001, 200, 1),
    ]
    vm = one(devices=devices)
    assert [disk.place for disk in vm.disks] == ["scsi0:2", "scsi0:15", "scsi1:3", "sata0:1", "ide0:1", "nvme0:0"]
    assert [disk.controller for disk in vm.disks] == ["pvscsi", "pvscsi", "lsisas", "ahci", "ide", "nvme"]
    assert {one.key: one.sharing for one in vm.controllers if one.sharing != "none"} == {1001: "physical"}
    assert (vm.boot_disk.key, vm.boot_disk.certain) == (2005, False)


def test_the_boot_order_of_the_vm_counts():
    options = {
        "_type": "VirtualMachineBootOptions",
        "efiSecureBootEnabled": True,
        "bootOrder": [
            {"_type": "BootableCdromDevice"},
            {"_type": "BootableEthernetDevice", "deviceKey": 4000},
            {"_type": "BootableDiskDevice", "deviceKey": 2001},
            {"_type": "BootableDiskDevice", "deviceKey": 2000},
            {"_type": "BootableFloppyDevice"},
        ],
    }
    devices = [trees.PVSCSI, trees.disk(2000, 1000, 0), trees.disk(2001, 1000, 1)]
    vm = one(devices=devices, config__bootOptions=options, config__firmware="efi")
    assert vm.boot_order == ("cdrom", "net:4000", "disk:2001", "disk:2000", "floppy")
    assert (vm.boot_disk.key, vm.boot_disk.certain, vm.firmware, vm.secure_boot) == (2001, True, "uefi", True)


def test_chains_and_what_they_take():
    base = {"_type": "FlatVer2BackingInfo", "fileName": "[datastore1] web/web.vmdk"}
    delta = {"_type": "SeSparseBackingInfo", "fileName": "[datastore1] web/web-000001.vmdk", "parent": base}
    device = trees.disk(2000, 1000, 0, backing={**delta, "changeId": "52 de/7", "thinProvisioned": None})
    layout = {
        "_type": "VirtualMachineFileLayoutEx",
        "file": [
            {"key": 0, "name": "[datastore1] web/web.vmx", "type": "config", "size": 3000},
            {"key": 4, "name": "[datastore1] web/web.vmdk", "type": "diskDescriptor", "size": 500},
            {"key": 5, "name": "[datastore1] web/web-flat.vmdk", "type": "diskExtent", "size": 700_000_000},
            {"key": 6, "name": "[datastore1] web/web-000001.vmdk", "type": "diskDescriptor", "size": 400},
            {"key": 7, "name": "[datastore1] web/web-000001-sesparse.vmdk", "type": "diskExtent", "size": 50_000},
        ],
        "disk": [{"key": 2000, "chain": [{"fileKey": [4, 5]}, {"fileKey": [6, 7]}]}],
    }
    vm = one(devices=[trees.PVSCSI, device], layoutEx=layout)
    (disk,) = vm.disks
    assert disk.chain == ("[datastore1] web/web-000001.vmdk", "[datastore1] web/web.vmdk")
    assert (disk.backing, disk.thin, disk.change_id) == ("sesparse", None, "52 de/7")
    assert disk.allocated_bytes == vm.allocated_bytes == 700_050_900
    assert [one["bytes"] for one in vm.files] == [3000, 500, 700_000_000, 400, 50_000]


def test_an_allocation_that_is_told_by_half_is_unknown():
    layout = {"file": [{"key": 1, "size": 5}], "disk": [{"key": 2000, "chain": [{"fileKey": [1, 2]}]}]}
    assert one(layoutEx=layout).disks[0].allocated_bytes is None


@pytest.mark.parametrize(
    ("mode", "expected"), [("physicalMode", "physical"), ("virtualMode", "virtual")], ids=["physical", "virtual"]
)
def test_raw_devices(mode, expected):
    backing = {"_type": "RawDiskMappingVer1BackingInfo", "compatibilityMode": mode}
    disk = one(devices=[trees.PVSCSI, trees.disk(2000, 1000, 0, backing=backing)]).disks[0]
    assert (disk.backing, disk.rdm) == ("rdm", expected)


def test_a_backing_that_nobody_knows_is_said_to_be_unknown():
    backing = {"_type": "SomethingOfTheFuture"}
    assert one(devices=[trees.PVSCSI, trees.disk(2000, 1000, 0, backing=backing)]).disks[0].backing == "unknown"


def test_networks_vlans_and_addresses():
    def distributed(key):
        return {
            "_type": "DistributedVirtualPortBackingInfo",
            "port": {"_type": "DistributedVirtualSwitchPortConnection", "switchUuid": "50", "portgroupKey": key},
        }

    devices = [
        trees.card(4000, "VirtualE1000e"),
        trees.card(4001, mac="00:0c:29:00:00:02", backing=distributed("dvportgroup-21")),
        trees.card(4002, mac="00:0c:29:00:00:03", backing=distributed("dvportgroup-22"), plug={"connected": False}),
        trees.card(4003, "VirtualSriovEthernetCard", mac="", backing={"_type": "NetworkBackingInfo"}),
    ]
    told = [
        {
            "_type": "GuestNicInfo",
            "deviceConfigId": 4000,
            "ipAddress": ["fe80::1", "2001:db8::9", "192.0.2.9", "192.0.2.9"],
        },
        {
            "_type": "GuestNicInfo",
            "deviceConfigId": -1,
            "macAddress": "00:0C:29:00:00:02",
            "ipAddress": ["198.51.100.2", "x"],
        },
    ]
    nics = one(devices=devices, guest__net=told).nics
    assert [(nic.model, nic.network, nic.portgroup, nic.vlan) for nic in nics] == [
        ("e1000e", "shop", "", 120),
        ("vmxnet3", "prod/front", "dvportgroup-21", 300),
        ("vmxnet3", "trunk", "dvportgroup-22", None),
        ("sriov", "", "", None),
    ]
    assert [nic.ips for nic in nics] == [("192.0.2.9", "2001:db8::9"), ("198.51.100.2",), (), ()]
    assert [nic.connected for nic in nics] == [True, True, False, True]


def test_snapshots_in_their_order_however_deep():
    tree = {
        "snapshot": "s-149",
        "name": "s149",
        "state": "poweredOn",
        "createTime": "2026-01-01T00:00:00+00:00",
        "quiesced": True,
    }
    for number in range(148, -1, -1):
        tree = {"snapshot": f"s-{number}", "name": f"s{number}", "state": "poweredOff", "childSnapshotList": [tree]}
    info = {"currentSnapshot": "s-149", "rootSnapshotList": [tree, {"snapshot": "r", "name": "a%2fb"}]}
    found = one(snapshot=info).snapshots
    assert [(one.id, one.depth) for one in found] == [*((f"s-{n}", n) for n in range(150)), ("r", 0)]
    assert [one.id for one in found if one.current] == ["s-149"]
    assert (found[-1].name, found[-2].quiesced) == ("a/b", True)


def test_the_rest_that_decides():
    devices = [
        trees.controller("VirtualTPM", 11000),
        {
            "_type": "VirtualPCIPassthrough",
            "key": 13000,
            "deviceInfo": trees.label("PCI device 0"),
            "backing": {"_type": "VmiopBackingInfo"},
        },
        {"_type": "VirtualUSB", "key": 7001, "deviceInfo": trees.label("USB 1")},
    ]
    vm = one(
        devices=devices,
        config__keyId={"_type": "CryptoKeyId", "keyId": "k"},
        config__template=True,
        config__managedBy={"_type": "ManagedByInfo", "extensionKey": "com.vmware.vim.sms", "type": "x"},
        config__annotation="migration_wave: 3",
        runtime__faultToleranceState="running",
        runtime__consolidationNeeded=True,
        runtime__connectionState="orphaned",
        runtime__powerState="suspended",
        runtime__question={"_type": "VirtualMachineQuestionInfo", "text": "copied or moved?"},
        parentVApp="resgroup-v9",
        guest__toolsVersionStatus2="guestToolsNotInstalled",
        guest__hostName="web.example.com",
        config__changeTrackingEnabled=True,
    )
    assert vm.vtpm
    assert vm.encrypted
    assert vm.template
    assert vm.vapp
    assert vm.cbt
    assert vm.consolidation_needed
    assert vm.fault_tolerance
    assert [(one.kind, one.label) for one in vm.passthrough] == [("usb", "USB 1"), ("vgpu", "PCI device 0")]
    assert (vm.managed_by, vm.connection, vm.power, vm.question) == (
        "com.vmware.vim.sms",
        "orphaned",
        "suspended",
        "copied or moved?",
    )
    assert (vm.tools, vm.guest_hostname, vm.boot_disk, vm.disks) == ("missing", "web.example.com", None, ())


def test_a_vm_without_a_configuration_is_told_with_what_is_known():
    tree = {"kind": "VirtualMachine", "moid": "9", "name": "lost", "runtime.connectionState": "inaccessible"}
    (vm,) = read(tree)
    assert (vm.name, vm.uuid, vm.path, vm.connection) == ("lost", "", "/lost", "inaccessible")
    assert not vm.autostart.enabled


def test_a_vcenter_says_where_a_host_belongs():
    vm = read(trees.machine(), endpoint=Endpoint("vc", "vcenter"))[0]
    assert vm.cluster == "esxi1.example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a%2fb", "a/b"), ("100%25", "100%"), ("50%5c", "50\\"), ("a%20b", "a%20b"), ("%", "%"), ("web", "web")],
    ids=["slash", "percent", "backslash", "not-escaped", "lonely", "plain"],
)
def test_names_are_what_people_wrote(text, expected):
    assert facts.name_of(text) == expected


def test_facts_come_back_from_json_as_they_were():
    devices = [trees.PVSCSI, trees.controller("VirtualTPM", 11000), trees.disk(2000, 1000, 0), trees.card(4000)]
    snapshot = {"currentSnapshot": "s", "rootSnapshotList": [{"snapshot": "s", "name": "s"}]}
    vm = one(devices=devices, snapshot=snapshot)
    assert model.vm_of(vm.as_dict()) == vm
    as_text = {key: str(value) if isinstance(value, (int, bool)) else value for key, value in vm.as_dict().items()}
    assert model.vm_of({**as_text, "something_new": 1}) == vm


@pytest.mark.parametrize("broken", [{"name": "x"}, {"name": "x", "disks": 5}, "web", {"disks": [1]}], ids=str)
def test_facts_that_are_not_whole_are_refused_by_name(broken):
    with pytest.raises(InputError, match=r"are not whole|no facts"):
        model.vm_of(broken)
