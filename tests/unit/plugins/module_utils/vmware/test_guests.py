# SPDX-License-Identifier: Apache-2.0
"""Guest ids: every one that VMware has says something, or says that it says nothing."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.vmware import guests

KNOWN = [
    ("debian11_64Guest", "linux", "debian", "11", "x86_64"),
    ("debian10Guest", "linux", "debian", "10", "i686"),
    ("ubuntu64Guest", "linux", "ubuntu", "", "x86_64"),
    ("rhel9_64Guest", "linux", "rhel", "9", "x86_64"),
    ("rhel10_64Guest", "linux", "rhel", "10", "x86_64"),
    ("redhatGuest", "linux", "rhel", "", "i686"),
    ("centos8_64Guest", "linux", "centos", "8", "x86_64"),
    ("oracleLinux64Guest", "linux", "ol", "", "x86_64"),
    ("oracleLinux9_64Guest", "linux", "ol", "9", "x86_64"),
    ("sles15_64Guest", "linux", "sles", "15", "x86_64"),
    ("suse64Guest", "linux", "sles", "", "x86_64"),
    ("amazonlinux2_64Guest", "linux", "amzn", "2", "x86_64"),
    ("rockylinux_64Guest", "linux", "rocky", "", "x86_64"),
    ("other5xLinux64Guest", "linux", "unknown", "", "x86_64"),
    ("otherLinuxGuest", "linux", "unknown", "", "i686"),
    ("windows2019srv_64Guest", "windows", "windows", "2019", "x86_64"),
    ("windows2019srvNext_64Guest", "windows", "windows", "2022", "x86_64"),
    ("windows2022srvNext_64Guest", "windows", "windows", "2025", "x86_64"),
    ("windows9Server64Guest", "windows", "windows", "2016", "x86_64"),
    ("windows9_64Guest", "windows", "windows", "10", "x86_64"),
    ("windows11_64Guest", "windows", "windows", "11", "x86_64"),
    ("winXPPro64Guest", "windows", "windows", "xp", "x86_64"),
    ("winNetEnterpriseGuest", "windows", "windows", "2003", "i686"),
    ("freebsd13_64Guest", "freebsd", "freebsd", "13", "x86_64"),
    ("solaris11_64Guest", "solaris", "solaris", "11", "x86_64"),
    ("darwin21_64Guest", "macos", "macosx", "21", "x86_64"),
    ("vmkernel65Guest", "vmkernel", "esxi", "6.5", "i686"),
    ("netware6Guest", "netware", "netware", "6", "i686"),
    ("otherGuest", "", "unknown", "", "i686"),
    ("otherGuest64", "", "unknown", "", "x86_64"),
    ("", "", "unknown", "", "i686"),
    ("somethingNew_64Guest", "", "unknown", "", "x86_64"),
]
#: Of ``VirtualMachineGuestOsIdentifier``, those that name no system.
NAMELESS = {"otherGuest", "otherGuest64", "genericLinuxGuest", "otherLinuxGuest", "otherLinux64Guest"}


@pytest.mark.parametrize(
    ("guest_id", "kind", "distro", "version", "arch"), KNOWN, ids=[one[0] or "none" for one in KNOWN]
)
def test_an_id_stands_for_a_system(guest_id, kind, distro, version, arch):
    found = guests.of_id(guest_id)
    assert (found.type, found.distro, found.version, found.arch) == (kind, distro, version, arch)


def test_every_id_that_vmware_has_is_known():
    vim = pytest.importorskip("pyVmomi", reason="pyVmomi is on the full legs alone").vim
    ids = set(vim.vm.GuestOsDescriptor.GuestOsIdentifier.values)
    silent = {one for one in ids if guests.of_id(one).distro == guests.OTHER}
    kernels = {one for one in ids if one.startswith("other") and "xLinux" in one}
    assert len(ids) > 200
    assert silent == (NAMELESS & ids) | kernels


UBUNTU = "architecture='X86' bitness='64' distroName='Ubuntu' distroVersion='22.04' familyName='Linux' kernelVersion='5.15.0' prettyName='Ubuntu 22.04.4 LTS'"
RHEL = "bitness='64' distroName='Red Hat Enterprise Linux' distroVersion='9.4' familyName='Linux' prettyName='Red Hat Enterprise Linux 9.4 (Plow)'"
SERVER = "bitness='64' distroName='Windows' distroVersion='10.0' familyName='Windows' prettyName='Windows Server 2022 Standard, 64-bit (Build 20348.1)'"
CLIENT = "familyName='Windows' prettyName='Windows 11 Enterprise, 64-bit'"


@pytest.mark.parametrize(
    ("guest_id", "told", "details", "expected"),
    [
        ("ubuntu64Guest", "", UBUNTU, ("linux", "ubuntu", "22.04", "tools")),
        ("otherLinux64Guest", "", RHEL, ("linux", "rhel", "9.4", "tools")),
        ("windows2019srv_64Guest", "", SERVER, ("windows", "windows", "2022", "tools")),
        ("windows9_64Guest", "windows9_64Guest", CLIENT, ("windows", "windows", "11", "tools")),
        ("otherGuest64", "debian11_64Guest", "", ("linux", "debian", "11", "tools")),
        ("debian12_64Guest", "otherLinux64Guest", "", ("linux", "debian", "12", "guest_id")),
        ("debian12_64Guest", "debian12_64Guest", "", ("linux", "debian", "12", "guest_id")),
        ("debian12_64Guest", "", "distroName='Homebrew OS' distroVersion='1'", ("linux", "debian", "12", "guest_id")),
    ],
    ids=["ubuntu", "other-linux", "server", "client", "tools-know-better", "tools-know-less", "same", "unknown-name"],
)
def test_what_the_guest_told_goes_before_its_id(guest_id, told, details, expected):
    found = guests.guess(guest_id, told_id=told, details=details)
    assert (found.type, found.distro, found.version, found.source) == expected
