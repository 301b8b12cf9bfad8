# SPDX-License-Identifier: Apache-2.0
"""Machines and clouds for tests of migrations."""

from __future__ import annotations

from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import choices, plan, source, target
from ansible_collections.scs.landscape.plugins.module_utils.openstack.flavors.model import Flavor

GIB = 1024**3
FLAVORS = tuple(
    Flavor(id=f"f-{name}", name=name, vcpus=cpus, ram=ram, disk=0, specs={})
    for name, cpus, ram in (("small", 1, 2048), ("middle", 2, 4096), ("large", 4, 16384), ("wide", 8, 8192))
)


def vm(number=1, **more):
    """Facts of a machine as ``vmware_vm_info`` returns them."""
    return {
        "uuid": f"50000000-0000-4000-8000-{number:012d}",
        "name": f"vm{number}",
        "endpoint": "esx1.example",
        "moid": str(number),
        "esxi_host": "esx1.example",
        "power": "on",
        "cpus": 2,
        "memory_mb": 4096,
        "firmware": "bios",
        "guest_id": "debian11_64Guest",
        "hardware_version": 19,
        "tools": "running",
        "os_guess": {"type": "linux", "distro": "debian", "version": "11"},
        "free_licence": False,
        "disks": [disk()],
        "nics": [nic(number)],
        **more,
    }


def disk(key=2000, **more):
    return {
        "key": key,
        "label": f"Hard disk {key - 1999}",
        "capacity_bytes": 10 * GIB,
        "allocated_bytes": 3 * GIB,
        "datastore": "ds1",
        "bus": "scsi",
        "controller": "pvscsi",
        "controller_key": 1000,
        "path": f"[ds1] vm/vm_{key}.vmdk",
        "chain": [f"[ds1] vm/vm_{key}.vmdk"],
        "thin": True,
        "unit": key - 2000,
        **more,
    }


def nic(number=1, key=4000, **more):
    return {
        "key": key,
        "label": f"Network adapter {key - 3999}",
        "mac": f"00:50:56:00:00:{number:02X}",
        "network": "VM Network",
        "model": "vmxnet3",
        "connected": True,
        "ips": [f"10.0.0.{10 + number}", "fe80::1"],
        **more,
    }


def cloud(**more):
    """A project with room for everything."""
    subnet = target.Subnet("s1", "10.0.0.0/24", "10.0.0.1", "front4")
    networks = (
        target.Network("n1", "front", project="p1", subnets=(subnet,)),
        target.Network("n2", "provider", project="other", shared=True, subnets=(subnet,)),
    )
    given = {
        "project": "p1",
        "flavors": FLAVORS,
        "networks": networks,
        "groups": {"default": "g1", "web": "g2"},
        "volume_types": ("ssd", "hdd"),
        "default_type": "hdd",
        "zones": ("nova",),
        **more,
    }
    return target.TargetCloud(**given)


def made(vms, where=None, **options):
    """The plan of some machines."""
    options = {"networks": {"*": "front"}, "security_groups": ["default"], **options}
    return plan.plan(source.vms_of(vms), where or cloud(), choices.choices_of(options))
