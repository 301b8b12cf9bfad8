# SPDX-License-Identifier: Apache-2.0
"""What image properties become of VMs: 24 that are drawn, beside rules, and 24 more beside a table that was written by hand."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.vmware import facts, properties, tables
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Endpoint
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.vmware import matrix, trees

CONTROLLERS = {
    "pvscsi": "ParaVirtualSCSIController",
    "lsilogic": "VirtualLsiLogicController",
    "lsisas": "VirtualLsiLogicSASController",
    "ahci": "VirtualAHCIController",
    "ide": "VirtualIDEController",
    "nvme": "VirtualNVMEController",
}
#: As the matrix calls them.
KINDS = {
    "pvscsi": "pvscsi",
    "lsilogic": "lsilogic",
    "lsilogic-sas": "lsisas",
    "sata": "ahci",
    "nvme": "nvme",
    "ide": "ide",
}
CARDS = {"vmxnet3": "VirtualVmxnet3", "e1000": "VirtualE1000", "e1000e": "VirtualE1000e", "pcnet32": "VirtualPCNet32"}

#: Written by hand from the mapping that the documentation promises. Source: firmware, secure boot, controller, card, guest id.
#: Server: firmware, machine, secure boot, disk bus, card, os_type, os_distro, os_version.
MATRIX = [
    ("bios", 0, "pvscsi", "vmxnet3", "debian11_64Guest", "bios", "pc", 0, "scsi", "virtio", "linux", "debian", "11"),
    ("efi", 0, "pvscsi", "vmxnet3", "debian11_64Guest", "uefi", "q35", 0, "scsi", "virtio", "linux", "debian", "11"),
    ("efi", 1, "pvscsi", "vmxnet3", "debian12_64Guest", "uefi", "q35", 1, "scsi", "virtio", "linux", "debian", "12"),
    ("bios", 0, "ide", "e1000", "debian4_64Guest", "bios", "pc", 0, "ide", "e1000", "linux", "debian", "4"),
    ("bios", 0, "lsilogic", "e1000", "debian7_64Guest", "bios", "pc", 0, "virtio", "virtio", "linux", "debian", "7"),
    ("bios", 0, "lsilogic", "e1000", "ubuntu64Guest", "bios", "pc", 0, "scsi", "virtio", "linux", "ubuntu", "unknown"),
    ("efi", 1, "nvme", "e1000e", "ubuntu64Guest", "uefi", "q35", 1, "scsi", "virtio", "linux", "ubuntu", "unknown"),
    ("bios", 0, "lsisas", "vmxnet3", "rhel9_64Guest", "bios", "pc", 0, "scsi", "virtio", "linux", "rhel", "9"),
    ("efi", 1, "ahci", "vmxnet3", "rhel9_64Guest", "uefi", "q35", 1, "scsi", "virtio", "linux", "rhel", "9"),
    ("bios", 0, "lsilogic", "pcnet32", "rhel5_64Guest", "bios", "pc", 0, "virtio", "virtio", "linux", "rhel", "5"),
    ("bios", 0, "ide", "pcnet32", "rhel4Guest", "bios", "pc", 0, "ide", "e1000", "linux", "rhel", "4"),
    ("efi", 0, "pvscsi", "vmxnet3", "sles15_64Guest", "uefi", "q35", 0, "scsi", "virtio", "linux", "sles", "15"),
    ("bios", 0, "lsilogic", "e1000", "sles11_64Guest", "bios", "pc", 0, "virtio", "virtio", "linux", "sles", "11"),
    (
        "bios",
        0,
        "ide",
        "vmxnet3",
        "otherLinux64Guest",
        "bios",
        "pc",
        0,
        "scsi",
        "virtio",
        "linux",
        "unknown",
        "unknown",
    ),
    ("bios", 0, "ide", "e1000", "other24xLinuxGuest", "bios", "pc", 0, "ide", "e1000", "linux", "unknown", "unknown"),
    (
        "efi",
        1,
        "pvscsi",
        "vmxnet3",
        "windows2019srv_64Guest",
        "uefi",
        "q35",
        1,
        "sata",
        "e1000",
        "windows",
        "windows",
        "2019",
    ),
    (
        "bios",
        0,
        "lsisas",
        "e1000e",
        "windows9Server64Guest",
        "bios",
        "pc",
        0,
        "sata",
        "e1000",
        "windows",
        "windows",
        "2016",
    ),
    ("efi", 1, "nvme", "vmxnet3", "windows11_64Guest", "uefi", "q35", 1, "sata", "e1000", "windows", "windows", "11"),
    (
        "efi",
        0,
        "ahci",
        "e1000e",
        "windows2019srvNext_64Guest",
        "uefi",
        "q35",
        0,
        "sata",
        "e1000",
        "windows",
        "windows",
        "2022",
    ),
    ("bios", 0, "ide", "pcnet32", "winXPProGuest", "bios", "pc", 0, "ide", "e1000", "windows", "windows", "xp"),
    ("bios", 0, "lsilogic", "e1000", "freebsd13_64Guest", "bios", "pc", 0, "scsi", "virtio", None, "freebsd", "13"),
    ("bios", 0, "lsilogic", "e1000", "solaris11_64Guest", "bios", "pc", 0, "sata", "e1000", None, "solaris", "11"),
    ("bios", 0, "ide", "pcnet32", "otherGuest", "bios", "pc", 0, "ide", "pcnet", None, "unknown", "unknown"),
    ("efi", 0, "pvscsi", "vmxnet3", "otherGuest64", "uefi", "q35", 0, "sata", "e1000", None, "unknown", "unknown"),
]


def vm_of(firmware, secure, controller, card, guest_id, **more):
    devices = [
        trees.controller(CONTROLLERS[controller], 1000),
        trees.disk(2000, 1000, 0, gib=9.5),
        trees.card(4000, CARDS[card]),
    ]
    options = {"_type": "VirtualMachineBootOptions", "efiSecureBootEnabled": bool(secure)}
    tree = trees.machine(
        devices=devices,
        config__firmware=firmware,
        config__guestId=guest_id,
        config__bootOptions=options,
        **more,
    )
    return facts.vms_of([*trees.AROUND, tree], Endpoint("esxi1"))[0]


@pytest.mark.accept("V1.9")
def test_machines_that_are_drawn_get_exactly_what_the_rules_say(seed):
    rows, wrong = matrix.drawn(seed), {}
    for row in rows:
        firmware, controller = "efi" if row.efi else "bios", KINDS[row.controller]
        vm = vm_of(firmware, row.secure, controller, row.card, row.guest_id, name=row.name)
        vm = dataclasses.replace(vm, sockets=row.sockets, cores_per_socket=row.cores, cpus=row.sockets * row.cores)
        found = properties.image_properties(vm, build_date="2026-11-22")
        if found != matrix.expected(row, "esxi1", "2026-11-22"):
            wrong[row] = found
    assert wrong == {}
    assert len(rows) == 24
    assert len({(row.guest_id, row.efi) for row in rows}) == 24
    assert sum(row.secure for row in rows) == 6
    assert {row.controller for row in rows} == set(matrix.CONTROLLERS)
    assert {row.card for row in rows} == set(matrix.CARDS)


@pytest.mark.accept("V1.9")
@pytest.mark.parametrize("row", MATRIX, ids=[f"{row[4]}-{row[0]}-{row[2]}" for row in MATRIX])
def test_the_matrix(row):
    firmware, machine, secure, bus, vif, kind, distro, version = row[5:]
    expected = {
        "architecture": "x86_64",
        "hypervisor_type": "qemu",
        "hw_firmware_type": firmware,
        "hw_machine_type": machine,
        "hw_disk_bus": bus,
        "hw_vif_model": vif,
        "os_distro": distro,
        "os_version": version,
        "hw_cpu_sockets": "2",
        "hw_cpu_cores": "2",
        "hw_cpu_threads": "1",
        "image_description": "VM web of esxi1",
        "image_build_date": "2026-11-22",
        "image_source": "private",
        "image_original_user": "none",
        "replace_frequency": "never",
        "uuid_validity": "none",
        "provided_until": "none",
    }
    if bus == "scsi":
        expected["hw_scsi_model"] = "virtio-scsi"
    if secure:
        expected["os_secure_boot"] = "required"
    if kind:
        expected["os_type"] = kind
    if kind == "linux":
        expected["hw_watchdog_action"] = "reset"
    if vif == "virtio":
        expected["hw_rng_model"] = "virtio"
    found = properties.properties_of(vm_of(*row[:5]), build_date="2026-11-22")
    assert found.values == expected
    assert found.min_disk == 10
    assert found.min_ram == (2048 if kind == "windows" else 512)
    assert set(tables.SCS_MANDATORY) <= set(found.values)


def test_the_matrix_is_what_it_says():
    assert len(MATRIX) == 24
    assert len({row[4] for row in MATRIX}) >= 12
    assert len({tuple(row[:5]) for row in MATRIX}) == 24


def test_a_tpm_needs_a_cloud_that_has_one():
    vm = dataclasses.replace(vm_of("efi", 1, "pvscsi", "vmxnet3", "windows11_64Guest"), vtpm=True)
    found = properties.image_properties(vm)
    assert (found["hw_tpm_model"], found["hw_tpm_version"]) == ("tpm-crb", "2.0")
    assert "hw_tpm_model" not in properties.image_properties(vm, vtpm=False)


@pytest.mark.parametrize(
    ("guest_id", "drivers", "bus", "vif"),
    [
        ("windows2019srv_64Guest", "virtio", "scsi", "virtio"),
        ("debian12_64Guest", "none", "sata", "e1000"),
        ("winXPProGuest", "none", "ide", "e1000"),
    ],
    ids=["windows-converted", "linux-without", "windows-old"],
)
def test_drivers_can_be_told(guest_id, drivers, bus, vif):
    found = properties.image_properties(vm_of("bios", 0, "pvscsi", "vmxnet3", guest_id), drivers=drivers)
    assert (found["hw_disk_bus"], found["hw_vif_model"]) == (bus, vif)


def test_drivers_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="not one of auto, virtio, none"):
        properties.image_properties(vm_of("bios", 0, "pvscsi", "vmxnet3", "debian12_64Guest"), drivers="some")


def test_what_is_overridden_stands_and_null_takes_away():
    vm = vm_of("bios", 0, "pvscsi", "vmxnet3", "ubuntu64Guest")
    told = {"os_version": 22.04, "hw_watchdog_action": None, "hw_qemu_guest_agent": True}
    found = properties.properties_of(vm, told)
    assert found.values["os_version"] == "22.04"
    assert found.values["hw_qemu_guest_agent"] == "true"
    assert "hw_watchdog_action" not in found.values
    assert found.reasons["os_version"] == "as told"
    assert all(isinstance(value, str) for value in found.values.values())


def test_a_system_that_tools_told_counts_more_than_an_old_id():
    details = "distroName='Ubuntu' distroVersion='22.04' familyName='Linux' prettyName='Ubuntu 22.04 LTS'"
    vm = vm_of("bios", 0, "ide", "e1000", "other24xLinux64Guest", guest__guestDetailedData=details)
    found = properties.image_properties(vm)
    assert (found["hw_disk_bus"], found["os_distro"], found["os_version"]) == ("scsi", "ubuntu", "22.04")


def test_a_small_vm_does_not_ask_for_more_memory_than_it_has():
    vm = dataclasses.replace(vm_of("bios", 0, "pvscsi", "vmxnet3", "debian12_64Guest"), memory_mb=256)
    assert properties.properties_of(vm).min_ram == 256
