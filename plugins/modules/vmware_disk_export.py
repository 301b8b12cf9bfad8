# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: export disks of VMs of VMware to raw files, or to images or volumes of OpenStack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vmware_disk_export
short_description: Export disks of VMs of VMware to files, images or volumes, resumed and verified
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Copies the disks of a VM that is off from an ESXi host, a vCenter or a folder into raw files where the task runs, or into images or
    volumes of OpenStack (O(to)). Nothing is written at the source, and nothing proprietary is needed.
  - Streams are decoded while they come, so there is no scratch file. Zeroes become holes. Memory does not grow with the disk.
  - A file gets its name only when all of the disk is there and was read back. Until then it is C(.part) beside it.
  - An export that broke, or whose run was killed, goes on where it stopped on the transports C(folder), C(ssh) and C(local). A lease
    (C(nfc)) cannot be gone on with; then nothing of it is kept, and it begins anew.
  - Beside each file lies C(.blocks), the SHA-256 of each 4 MiB. With it a difference has a place, and a file that is there already and
    is of a disk that did not change is not copied again. Whether a disk has changed is told by size and time of its files; where the
    endpoint shows none (vSAN), it is always copied.
  - Descriptors of disks are judged before anything that they name is opened. Read are C(vmfs), C(monolithicFlat),
    C(monolithicSparse), C(twoGbMaxExtentFlat), C(twoGbMaxExtentSparse) and C(streamOptimized). Disks of snapshots, raw device
    mappings, encrypted disks and descriptors that lead out of their folder are refused by name.
  - With O(to=image) and O(to=volume) the bytes go on while they come, and nothing is kept where the task runs but C(.blocks). Half an image
    is hidden, and is removed when the export fails. A volume that is written where it lies (O(method=attach)) is gone on with, as files are.
  - Images and volumes are found again by their metadata C(migration_vm) (V(export-) and the UUID of the VM) and C(migration_disk). One of a
    disk that did not change since is left alone, but for its name and properties. One of a disk that did, or may have, is never replaced;
    the export fails until it is removed.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  to:
    description:
      - What becomes of the disks. V(image) and V(volume) need O(openstack), or a login in the environment, where the task runs.
    type: str
    choices: [file, image, volume]
    default: file
  openstack:
    description:
      - How to log in to OpenStack. Without it the environment variables C(OS_*) count.
    type: dict
    suboptions:
      cloud:
        description: Name of a cloud in C(clouds.yaml), or a dictionary with all that would stand there for it.
        type: raw
      auth:
        description: What the login plugin needs, for example C(auth_url), C(username), C(password) and C(project_name).
        type: dict
      auth_type:
        description: The login plugin. V(password) when nothing says otherwise.
        type: str
      region_name:
        description: Region, where the cloud has several.
        type: str
      interface:
        description: Which addresses of the services are used.
        type: str
        choices: [public, internal, admin]
        default: public
        aliases: [endpoint_type]
      validate_certs:
        description: Whether certificates of the services are checked. They are when nothing says otherwise.
        type: bool
        aliases: [verify]
      ca_cert:
        description: File with the certificates of authorities to trust.
        type: path
        aliases: [cacert]
      client_cert:
        description: File with a client's certificate.
        type: path
        aliases: [cert]
      client_key:
        description: File with the key of O(openstack.client_cert).
        type: path
        aliases: [key]
      api_timeout:
        description: Seconds that a service may keep silent before a request counts as lost.
        type: int
        default: 60
  name:
    description:
      - Name of each image or volume, with the words of O(file_name).
    type: str
    default: "{vm}-{key}"
  properties:
    description:
      - Properties of the images, or those of the volumes that servers have which boot from them (C(hw_disk_bus), C(os_type) and so on).
        Volumes have no others; other properties of images stay.
    type: dict
    default: {}
  image_format:
    description:
      - What is sent to the image service. V(qcow2) leaves zeroes out; for that disks are read twice, so it is for O(transport=folder),
        O(transport=ssh) and O(transport=local), and a lease is always sent raw. V(raw) sends all zeroes, but lets a Ceph that holds images and
        volumes clone the image in no time.
      - V(auto) takes V(qcow2) where it can and the source keeps less than three quarters of the disk.
    type: str
    choices: [auto, raw, qcow2]
    default: auto
  method:
    description:
      - How volumes are filled, see O(scs.landscape.volume_write#module:method). V(auto) takes V(attach) where O(mounts), O(ceph_conf) or
        O(ceph_user) say that this machine reaches the volumes, else V(image).
    type: str
    choices: [auto, image, attach]
    default: auto
  volume_type:
    description:
      - Type of the volumes, by default Cinder's.
    type: str
  availability_zone:
    description:
      - Availability zone of the volumes.
    type: str
  bootable:
    description:
      - Whether servers may boot from the volumes.
    type: bool
    default: false
  mounts:
    description:
      - Where shares of the block storage are mounted, see O(scs.landscape.volume_write#module:mounts).
    type: dict
    default: {}
  ceph_conf:
    description:
      - Configuration of Ceph for volumes that are images of it.
    type: path
  ceph_user:
    description:
      - User of Ceph, without C(client.), by default the one that Cinder names.
    type: str
  store:
    description:
      - Store of Glance for images, by default that of the service.
    type: str
  stall:
    description:
      - Seconds without progress after which a transfer to OpenStack is given up.
    type: int
    default: 300
  volume_timeout:
    description:
      - Seconds that Cinder may take to make a volume, also of an image.
    type: int
    default: 3600
  vm:
    description:
      - The VM at the endpoint, by instance UUID, managed object id, path or a name that no other VM has.
      - One of O(vm) and O(facts) is needed.
    type: str
  facts:
    description:
      - The VM as an entry of C(vms) of M(scs.landscape.vmware_vm_info). Then the endpoint is asked for nothing but the disks, and for
        O(transport=ssh) and O(transport=local) it need not be named at all.
    type: dict
  disks:
    description:
      - Disks by key (V(2000)), place (V(scsi0:0)) or label (V(Hard disk 1)). All of them when it is left out.
    type: list
    elements: str
    default: []
  dest:
    description:
      - Folder for the files, with O(to=image) and O(to=volume) for C(.blocks) alone. It is made, for its owner alone, when it is not there.
    type: path
    required: true
  file_name:
    description:
      - Name of each file in O(dest), with C({vm}), C({uuid}) and C({moid}) of the VM and C({key}), C({label}), C({place}) and
        C({position}) of the disk.
    type: str
    default: "{vm}-{key}.raw"
  transport:
    description:
      - How the bytes come. V(nfc) is an export lease; it moves what is allocated, works with vSAN and needs a licence. V(folder) is
        HTTPS from the datastore. V(ssh) needs neither a licence nor vCenter. V(local) is a folder that is mounted or was copied.
      - V(auto) takes V(local) or V(ssh) where O(local_path) or O(ssh) is given without an endpoint, else the first of V(nfc), V(folder),
        V(ssh) that can be; a host that refuses a lease by its licence is asked for files.
    type: str
    choices: [auto, nfc, folder, ssh, local]
    default: auto
  snapshot:
    description:
      - Managed object id of a snapshot whose disks are meant (V(snapshot-7)). Then the VM may be on. Needs V(nfc).
    type: str
  local_path:
    description:
      - Folder with C(<datastore>/<folder>/<file>) in it, or with the files themselves.
    type: path
  ssh:
    description:
      - How the ESXi host is reached over SSH. The program C(ssh) is run with a configuration of its own; the key of the host has to be
        known, and nobody is asked for a password.
    type: dict
    suboptions:
      host:
        description:
          - Name or address.
        type: str
        required: true
      user:
        description:
          - User.
        type: str
        default: root
      port:
        description:
          - Port.
        type: int
        default: 22
      key:
        description:
          - File of the private key. The keys of the agent when it is left out.
        type: path
      known_hosts:
        description:
          - File with the key of the host. Those of the user and the system when it is left out.
        type: path
      volumes:
        description:
          - Where the host has its datastores.
        type: str
        default: /vmfs/volumes
  check:
    description:
      - How a file that is there already is recognised as whole and right.
      - V(recorded) trusts C(.blocks) while size and time of the file are those it was left with. V(read) reads the file.
    type: str
    choices: [recorded, read]
    default: recorded
  overwrite:
    description:
      - Replace a file that is there and was not written by this module, or was changed since. Images and volumes are never replaced.
    type: bool
    default: false
  read_back:
    description:
      - Read each file once more, and compare it with what came, before it gets its name. Likewise what volumes have, and what the image
        service gives back.
    type: bool
    default: true
  sha256:
    description:
      - Return the SHA-256 of each disk as well. That costs time for zeroes, too, and is not there for an export that was resumed.
    type: bool
    default: false
  max_parallel:
    description:
      - How many disks are copied at once. An ESXi host has memory for about ten leases, all tools together.
    type: int
    default: 4
  hostname:
    description:
      - Name or address of an ESXi host or of a vCenter.
    type: str
  port:
    description:
      - Port of its HTTPS service.
    type: int
    default: 443
  username:
    description:
      - User. Reading files needs C(Datastore.Browse) and C(Datastore.FileManagement), a lease C(VApp.Export).
    type: str
  password:
    description:
      - Password of the user. It is sent once the other end has proven who it is, and to nobody else.
    type: str
  validate_certs:
    description:
      - Whether the certificate of the other end is checked. Without, whoever sits in between reads the password and changes disks.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of authorities to trust. Those of the system when it is left out.
    type: path
  thumbprint_sha256:
    description:
      - SHA-256 thumbprint of the certificate of the other end; it counts instead of authorities and names.
      - Another host that a vCenter's lease names is believed by the thumbprint that the lease says, or by authorities.
    type: str
  timeout:
    description:
      - Seconds that the other end may keep silent. There is no limit for the whole, because disks have any size.
    type: int
    default: 60
requirements:
  - pyvmomi >= 8.0.3.0.1 (not for O(transport=ssh) and O(transport=local) with O(facts))
  - openssh-client for O(transport=ssh)
  - openstacksdk >= 4.4 for O(to=image) and O(to=volume)
seealso:
  - module: scs.landscape.volume_write
  - module: scs.landscape.vm_migration_copy
  - module: scs.landscape.vmware_vm_info
"""

EXAMPLES = r"""
- name: All disks of a VM, on the best way there is
  scs.landscape.vmware_disk_export:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vm: web
    dest: /var/lib/migration/web

- name: One disk from a host with the free licence
  scs.landscape.vmware_disk_export:
    facts: "{{ info.vms[0] }}"
    disks: ["scsi0:1"]
    transport: ssh
    ssh:
      host: esxi1.example.com
      key: /root/.ssh/esxi
      known_hosts: /etc/ssh/esxi_known_hosts
    dest: /var/lib/migration/web
  register: exported

- name: What was copied to a share by hand
  scs.landscape.vmware_disk_export:
    facts: "{{ info.vms[0] }}"
    transport: local
    local_path: /mnt/esxi
    dest: /var/lib/migration/web
    sha256: true

- name: A golden image of a VM's first disk
  scs.landscape.vmware_disk_export:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vm: template
    disks: ["scsi0:0"]
    transport: folder
    to: image
    openstack:
      cloud: shop
    name: "{vm}"
    properties:
      os_distro: debian
      hw_disk_bus: scsi
    dest: /var/lib/migration/maps

- name: All disks of a VM into volumes
  scs.landscape.vmware_disk_export:
    hostname: esxi1.example.com
    username: root
    password: "{{ esxi_password }}"
    thumbprint_sha256: "{{ esxi_thumbprint }}"
    vm: web
    to: volume
    openstack:
      cloud: shop
    mounts:
      nfs1.example.org:/volumes: /mnt/volumes
    dest: /var/lib/migration/maps
"""

RETURN = r"""
disks:
  description: What became of each disk.
  returned: success or when a disk was not exported
  type: list
  elements: dict
  contains:
    key:
      description: Key of the disk's device.
      type: int
      sample: 2000
    label:
      description: Its label.
      type: str
      sample: Hard disk 1
    place:
      description: Where it hangs.
      type: str
      sample: scsi0:0
    path:
      description: Its descriptor.
      type: str
      sample: "[datastore1] web/web.vmdk"
    dest:
      description: The raw file; empty for images and volumes.
      type: str
    id:
      description: Id of the image or volume; null for one that would be made, and for files.
      type: str
    name:
      description: Name of the file, image or volume.
      type: str
    format:
      description: What is sent to the image service, V(raw) or V(qcow2); empty where nothing is.
      type: str
      returned: for images and volumes
    sent:
      description: Bytes that were sent; in check mode those that would be at most, by what the source keeps.
      type: int
      returned: for images and volumes
    map:
      description: The digests of its blocks.
      type: str
    size:
      description: Bytes of the disk.
      type: int
    transport:
      description: How its bytes came, or would come.
      type: str
      sample: nfc
    status:
      description: V(present) (nothing was to be done), V(done), V(planned) (check mode) or V(failed).
      type: str
    message:
      description: Why it failed.
      type: str
    digest:
      description: Digest of size and block digests; the same for the same bytes, however they came.
      type: str
      sample: sha256:3b8f...
    sha256:
      description: SHA-256 of the disk, where it was asked for and the export was not resumed.
      type: str
    data:
      description: Bytes that were no zeroes.
      type: int
    zero:
      description: Bytes that became holes.
      type: int
    resumed:
      description: Bytes of an earlier run that were used.
      type: int
    restarts:
      description: How often the source broke and was asked to go on.
      type: int
    read_back:
      description: Whether what was written was read once more.
      type: bool
    seconds:
      description: How long it took.
      type: float
    rate:
      description: Bytes of the disk per second.
      type: int
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of files, images or volumes written or changed.
  returned: always
  type: int
"""

import contextlib

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.flows import exporting, sending, sparse
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client as openstack
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import task
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.service import VolumeService
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client, reading
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.opening import TRANSPORTS, Ways
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.ssh import SshHost
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import ENDPOINT_ARGUMENTS, vm_of

SSH = {
    "host": {"type": "str", "required": True},
    "user": {"type": "str", "default": "root"},
    "port": {"type": "int", "default": 22},
    "key": {"type": "path", "no_log": False},
    "known_hosts": {"type": "path"},
    "volumes": {"type": "str", "default": "/vmfs/volumes"},
}
ARGUMENTS = {
    **{name: {**rules, "required": False} for name, rules in ENDPOINT_ARGUMENTS.items()},
    "to": {"type": "str", "choices": list(sending.DESTINATIONS), "default": "file"},
    "openstack": {"type": "dict", "options": AUTH_ARGUMENTS},
    "name": {"type": "str", "default": "{vm}-{key}"},
    "properties": {"type": "dict", "default": {}},
    "image_format": {"type": "str", "choices": list(sparse.FORMATS), "default": "auto"},
    "method": {"type": "str", "choices": ["auto", "image", "attach"], "default": "auto"},
    "volume_type": {"type": "str"},
    "availability_zone": {"type": "str"},
    "bootable": {"type": "bool", "default": False},
    "mounts": {"type": "dict", "default": {}},
    "ceph_conf": {"type": "path"},
    "ceph_user": {"type": "str"},
    "store": {"type": "str"},
    "stall": {"type": "int", "default": 300},
    "volume_timeout": {"type": "int", "default": 3600},
    "vm": {"type": "str"},
    "facts": {"type": "dict"},
    "disks": {"type": "list", "elements": "str", "default": []},
    "dest": {"type": "path", "required": True},
    "file_name": {"type": "str", "default": "{vm}-{key}.raw"},
    "transport": {"type": "str", "choices": list(TRANSPORTS), "default": "auto"},
    "snapshot": {"type": "str"},
    "local_path": {"type": "path"},
    "ssh": {"type": "dict", "options": SSH},
    "check": {"type": "str", "choices": list(exporting.CHECKS), "default": "recorded"},
    "overwrite": {"type": "bool", "default": False},
    "read_back": {"type": "bool", "default": True},
    "sha256": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
}
RULES = {
    "required_one_of": [("vm", "facts")],
    "mutually_exclusive": [("vm", "facts")],
    "required_together": [("hostname", "username", "password")],
    "required_by": {"vm": "hostname"},
    "required_if": [
        ("transport", "nfc", ("hostname",)),
        ("transport", "folder", ("hostname",)),
        ("transport", "ssh", ("ssh",)),
        ("transport", "local", ("local_path",)),
    ],
}


def far_of(params, connect_cloud):
    """Images or volumes as destinations; nothing for files, which need no cloud."""
    if params["to"] == "file":
        return None
    cloud = connect_cloud(params["openstack"] or {name: rules.get("default") for name, rules in AUTH_ARGUMENTS.items()})
    settings = task.settings_of(params)
    shape = sending.Shape(
        to=params["to"],
        name=params["name"],
        method=task.method_of(params, settings),
        image_format=params["image_format"],
        kind=params["volume_type"] or "",
        zone=params["availability_zone"] or "",
        bootable=params["bootable"],
        properties={str(name): str(value) for name, value in params["properties"].items()},
    )
    return sending.Far(cloud, shape, settings, service=VolumeService(cloud, patience=params["volume_timeout"]))


def wish_of(params, connect_cloud):
    """What is asked for."""
    if params["max_parallel"] < 1:
        raise InputError(f"max_parallel is {params['max_parallel']}, and has to be at least 1")
    return exporting.Wish(
        dest=params["dest"],
        file_name=params["file_name"],
        disks=tuple(params["disks"]),
        check=params["check"],
        overwrite=params["overwrite"],
        read_back=params["read_back"],
        whole=params["sha256"],
        parallel=params["max_parallel"],
        far=far_of(params, connect_cloud),
    )


def ways_of(params, session):
    """What is offered."""
    ssh = params["ssh"]
    options = {name: value for name, value in (ssh or {}).items() if value is not None}
    return Ways(
        transport=params["transport"],
        session=session,
        ssh=SshHost(**options, timeout=float(params["timeout"])) if ssh else None,
        local=params["local_path"] or "",
        snapshot=params["snapshot"] or "",
    )


def main(params, check_mode, connect=client.connect, connect_cloud=openstack.connect):
    """Finds the VM, looks at what is there, copies what is missing."""
    wish = wish_of(params, connect_cloud)
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(connect(params)) if params["hostname"] else None
        if session is not None:
            session.licence()
        ways = ways_of(params, session)
        vm = vm_of(params["facts"]) if params["facts"] else reading.read(session, [params["vm"]])[0]
        items = exporting.items_of(vm, wish)
        exporting.look(vm, items, ways, wish, stack)
        plan = exporting.plan_of(items, wish.far)
        if not check_mode:
            exporting.carry_out(vm, items, ways, wish)
    done = sum(item.status == "done" for item in items)
    return Result(
        changed=bool(plan) if check_mode else done > 0,
        plan=plan,
        diff=plan.diff(),
        steps_done=done,
        values={"disks": [exporting.result_of(item) for item in items]},
        failed=exporting.failure_of(items),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
