# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: VMs of an ESXi host or a vCenter, with all that a migration has to know."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vmware_vm_info
short_description: Tell what VMs of an ESXi host or a vCenter are made of
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads VMs with their firmware, disks and chains of descriptors, what those take in their datastores, network cards with VLANs
    and addresses, snapshots, boot order, autostart and everything else that decides whether and how a VM can move.
  - A stand-alone ESXi host is read just as a vCenter is. Read-only rights are enough.
  - Named properties of all VMs are read in one loop of the property collector, 250 objects in each answer, so a thousand VMs are
    less than ten calls. Properties that an older version does not have are left out.
  - What RV(vms) holds is what M(scs.landscape.vmware_vm_check) judges and what a plan is made of. The inventory plugin
    P(scs.landscape.vmware_vms#inventory) gives the same as variables of hosts.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.vmware
options:
  vms:
    description:
      - VMs to tell about, in this order. All when empty.
      - A name that fits no VM, or several, is an error, but see O(ignore_missing).
    type: list
    elements: str
    default: []
  ignore_missing:
    description:
      - Whether a name that fits no VM, or several, is told in RV(missing) and holds up no other.
    type: bool
    default: false
  files:
    description:
      - Whether to tell the paths and sizes of all files of a VM as well.
    type: bool
    default: false
seealso:
  - module: scs.landscape.vmware_vm_check
  - module: scs.landscape.vmware_vm_power
  - plugin: scs.landscape.vmware_vms
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Look at all VMs of a stand-alone ESXi host, whose certificate is its own
  scs.landscape.vmware_vm_info:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
  register: source
  delegate_to: localhost

- name: Look at two VMs of a vCenter
  scs.landscape.vmware_vm_info:
    hostname: vcenter.example.com
    username: reader@vsphere.local
    password: "{{ vcenter_password }}"
    ca_path: /etc/ssl/certs/example-ca.pem
    vms:
      - web
      - 5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77
  register: source
  delegate_to: localhost

- name: Say what moves and what it takes
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ (item.capacity_bytes / 1024 ** 3) | round(1) }} GiB, {{ (item.allocated_bytes / 1024 ** 3) | round(1) }} in use"
  loop: "{{ source.vms }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
endpoint:
  description: The ESXi host or vCenter. C(free_licence) says whether calls that write are refused; null when that is not told.
  returned: success
  type: dict
  sample: {name: esxi1.example.com, kind: esxi, version: 8.0.3, build: "24280767", api_version: 8.0.3.0, uuid: "", free_licence: false}
vms:
  description:
    - The VMs, by path. C(uuid) is the instance UUID, by which a VM is known from now on; C(key) of a disk or card stays the same too.
    - C(allocated_bytes) is what the files of a disk take in their datastore, null when that is not told. Disks are in the order in
      which a firmware finds them; C(boot_disk) says which one the VM starts from, why, and whether its settings say so.
    - C(os_guess) names the system as image properties do. C(vlan) is null for trunks and where it is not told.
  returned: success
  type: list
  elements: dict
  sample:
    - name: web
      uuid: 5029c1a6-7b2a-4f5e-9d1a-3c5d6c1f8a77
      moid: "7"
      endpoint: esxi1.example.com
      path: /ha-datacenter/vm/web
      power: "on"
      firmware: uefi
      secure_boot: true
      vtpm: false
      guest_id: debian12_64Guest
      os_guess: {type: linux, distro: debian, version: "12", arch: x86_64, source: guest_id, full_name: Debian GNU/Linux 12 (64-bit)}
      cpus: 4
      memory_mb: 8192
      capacity_bytes: 42949672960
      allocated_bytes: 9663676416
      disks:
        - key: 2000
          label: Hard disk 1
          bus: scsi
          controller: pvscsi
          unit: 0
          capacity_bytes: 42949672960
          allocated_bytes: 9663676416
          backing: flat
          datastore: datastore1
          path: "[datastore1] web/web.vmdk"
          chain: ["[datastore1] web/web.vmdk"]
          thin: true
          mode: persistent
          sharing: sharingNone
          rdm: ""
      nics:
        - key: 4000
          label: Network adapter 1
          mac: 00:0c:29:3a:4b:5c
          model: vmxnet3
          network: VM Network
          vlan: 100
          connected: true
          start_connected: true
          ips: [192.0.2.17]
      boot_disk: {key: 2000, reason: it is the only disk, certain: true}
      snapshots: []
missing:
  description: By name, why it means no VM. Empty unless O(ignore_missing).
  returned: success
  type: dict
  sample: {}
calls:
  description: How many SOAP calls that took.
  returned: success
  type: int
  sample: 9
plan:
  description: Always empty, this module only looks.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, reading
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import ENDPOINT_ARGUMENTS, VM_ARGUMENTS

FURTHER = {"ignore_missing": {"type": "bool", "default": False}, "files": {"type": "bool", "default": False}}
ARGUMENTS = {**ENDPOINT_ARGUMENTS, **VM_ARGUMENTS, **FURTHER}


def _all(session, wanted):
    return reading.read(session, wanted), {}


def main(params, _check_mode, connect=client.connect):
    """Reads VMs."""
    with connect(params) as session:
        session.licence()
        look = reading.read_some if params["ignore_missing"] else _all
        found, missing = look(session, params["vms"])
        vms = [vm.as_dict() for vm in found]
        for vm in () if params["files"] else vms:
            del vm["files"]
    told = {"endpoint": session.endpoint.as_dict(), "vms": vms, "missing": missing}
    return Result(values={**told, "calls": len(session.calls)})


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
