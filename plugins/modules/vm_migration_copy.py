# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the disks of a wave, from VMware straight into volumes of OpenStack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migration_copy
short_description: Move the disks of a wave from VMware into volumes
version_added: 0.6.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Moves the disks of the machines of a plan into volumes of OpenStack, several at once. Bytes go straight from the source into the
    volume, and nothing is staged where the task runs. Zeroes are left out.
  - Never more disks are on their way at once than the plan allows for an ESXi host, a datastore, a converter, and all of them.
  - A run that was killed goes on where it ended, with the block maps in O(maps), where source and volume allow it. At most four blocks
    of 4 MiB are read again.
  - What the far end holds is read back and compared before a volume counts as done, and a difference is told with its place.
  - A volume that is done is left alone, so a second run moves nothing. But if its machine has run since it was filled, or nobody can
    tell, nothing of that machine is moved; it has to be rolled back first. A volume that a server has is taken for
    right when nobody can tell.
  - A machine that cannot be moved holds up no other; RV(errors) names those, and the task fails when the others are done. What goes for
    all of them (types of volumes, quotas, the cloud itself) fails at once.
  - A host that refuses a lease, by its licence or otherwise, is asked for files, where the plan was free to choose.
  - Machines whose disks cannot be read by what O(endpoints) and O(local_path) offer are refused before anything is made, in check mode
    as well, so that is known before they are shut down.
  - The machines must be off, and have the disks that the plan says. Nothing is written at the source.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
  - scs.landscape.migration
options:
  state:
    description:
      - V(absent) removes the volumes that were made for the machines and the images that those were made from, and nothing else. A
        machine of which a server has a volume, or another run fills one, keeps all of them and is told in RV(errors); it holds up no
        other. One of which a volume cannot be removed keeps its images, is told there as well, and holds up no other. In check mode a
        server does not count, for it may be gone by then.
      - V(clean) removes those images alone. In Ceph a volume stands on its image, which then stays until the volume is gone, with a
        warning.
      - V(unchanged) moves nothing and fails unless the machines are off, and all volumes are there and hold what the machines have now.
      - V(possible) changes nothing, and looks whether all that the plan counts on is there before machines are shut down, which may be on.
        That are ways to their disks, types and reach of volumes, and of machines without a server flavors, zones, networks, security
        groups, addresses, names and quotas.
    type: str
    choices: [present, absent, clean, unchanged, possible]
    default: present
  vms:
    description:
      - The machines as RV(scs.landscape.vmware_vm_info#module:vms) has them now. Needed unless O(state=absent).
      - In check mode they may still be on, and it is looked whether volumes can be made and reached.
    type: list
    elements: dict
    default: []
  maps:
    description: Folder of block maps, on the machine where the task runs. Keep it until the machines are cut over.
    type: path
    required: true
  metadata:
    description: Further metadata of volumes, by uuid of the machine, such as C(metadata) in RV(scs.landscape.vm_migration_state#module:vms).
    type: dict
    default: {}
  endpoints:
    description: The logins of the ESXi hosts and vCenters.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the endpoint is called in the plan. Its host name when absent.
        type: str
      hostname:
        description: Name or address of an ESXi host or of a vCenter.
        type: str
        required: true
      port:
        description: Port of its HTTPS service.
        type: int
        default: 443
      username:
        description: User, with C(VApp.Export) for leases and C(Datastore.Browse) and C(Datastore.FileManagement) for files.
        type: str
        required: true
      password:
        description: Password of the user.
        type: str
        required: true
      validate_certs:
        description: Whether the certificate of the other end is checked.
        type: bool
        default: true
      ca_path:
        description: File with the certificates of authorities to trust.
        type: path
      thumbprint_sha256:
        description: SHA-256 thumbprint of the certificate of the other end.
        type: str
      timeout:
        description: Seconds that the other end may keep silent before a call counts as lost.
        type: int
        default: 60
      ssh:
        description:
          - How its ESXi hosts are reached over SSH, for machines whose transport is V(ssh), and for those whose host refuses a lease.
          - The program C(ssh) is run with a configuration of its own. The key of the host has to be known, and nobody is asked for a password.
        type: dict
        suboptions:
          host:
            description: Name or address. The endpoint itself when it is left out, or the host of the machine behind a vCenter.
            type: str
          user:
            description: User.
            type: str
            default: root
          port:
            description: Port.
            type: int
            default: 22
          key:
            description: File of the private key. The keys of the agent when it is left out.
            type: path
          known_hosts:
            description: File with the key of the host. Those of the user and the system when it is left out.
            type: path
          volumes:
            description: Where the host has its datastores.
            type: str
            default: /vmfs/volumes
  mounts:
    description: Where shares of the block storage are mounted, see O(scs.landscape.volume_write#module:mounts).
    type: dict
    default: {}
  ceph_conf:
    description: Configuration of Ceph for volumes that are images of it.
    type: path
  ceph_user:
    description: User of Ceph, without C(client.).
    type: str
  converter:
    description: Name of the machine where the task runs, for limits. Several converters share a wave by O(only).
    type: str
    default: converter
  local_path:
    description: Folder with the files of datastores, for machines whose transport is V(local).
    type: path
  read_back:
    description: Whether everything is read back and compared.
    type: bool
    default: true
  stall:
    description: Seconds without progress after which a transfer is given up.
    type: int
    default: 300
  timeout:
    description: Seconds that the block storage may take to make a volume.
    type: int
    default: 3600
seealso:
  - module: scs.landscape.vm_migration_plan
  - module: scs.landscape.vmware_disk_export
  - module: scs.landscape.volume_write
"""

EXAMPLES = r"""
- name: Move the disks of the first wave
  scs.landscape.vm_migration_copy:
    cloud: shop
    src: migration/plan.json
    wave: trial
    vms: "{{ now.vms }}"
    maps: /var/lib/scs-landscape/migration/maps
    endpoints:
      - hostname: esx1.example
        username: root
        password: "{{ esx_password }}"
        thumbprint_sha256: "{{ esx_thumbprint }}"
    mounts:
      nfs1.example.org:/volumes: /mnt/volumes
  delegate_to: converter1
"""

RETURN = r"""
disks:
  description: What became of each disk, in the order of the plan.
  returned: success or when a disk could not be moved
  type: list
  elements: dict
  contains:
    vm:
      description: Uuid of the machine.
      type: str
    key:
      description: Key of the disk.
      type: int
    volume:
      description: Id of the volume, null for one that would be made or could not be.
      type: str
    status:
      description: V(present), V(planned), V(done) or V(failed).
      type: str
    message:
      description: Why it failed.
      type: str
    digest:
      description: Digest of the disk, over the digests of its blocks.
      type: str
    verified:
      description: What was read back and compared, V(volume), V(image) or V(none). Empty for disks that were there.
      type: str
    map:
      description: File of the block map.
      type: str
    resumed:
      description: Bytes that an earlier run had brought.
      type: int
    data:
      description: Bytes that were no zeroes.
      type: int
    sent:
      description: Bytes that went to the target.
      type: int
    rate:
      description: Bytes of the disk per second.
      type: int
    size:
      description: Bytes of the disk.
      type: int
    transport:
      description: How the disk is read, as the plan says.
      type: str
    began:
      description: When this run began with the disk, in seconds since the epoch.
      type: float
    seconds:
      description: How long it took, with reading back.
      type: float
    predicted:
      description: Whether this is what would be done (check mode).
      type: bool
made:
  description:
    - Volumes by uuid of the machine and key of the disk, and so C(images) that had to stay because volumes stand on them, and C(figures) of
      what this run moved.
      Goes into O(scs.landscape.vm_migration_state#module:made).
  returned: success or when a disk could not be moved
  type: dict
copied:
  description: Uuids of the machines all of whose volumes are there.
  returned: success or when a disk could not be moved
  type: list
  elements: str
marks:
  description:
    - What volumes that were there say of how their machines were at the source, by uuid; goes into
      O(scs.landscape.vm_migration_state#module:marks), for machines that another converter began.
  returned: success or when a disk could not be moved
  type: dict
errors:
  description: By uuid of the machine, why it was not moved, or with O(state=absent) and O(state=clean) what of it was not removed.
  returned: success or when a machine could not be moved or removed
  type: dict
removed:
  description: Ids of the volumes that were, in check mode would be, removed.
  returned: with O(state=absent)
  type: list
  elements: str
images:
  description: Ids of the images that were, in check mode would be, removed.
  returned: with O(state=absent) and O(state=clean)
  type: list
  elements: str
images_kept:
  description: Ids of the images that volumes stand on.
  returned: with O(state=absent) and O(state=clean)
  type: list
  elements: str
figures:
  description: Sums over the disks that were moved, with C(size), C(data), C(zero), C(sent), C(resumed), C(seconds) and C(rate).
  returned: success or when a disk could not be moved
  type: dict
plan:
  description: Digest, impact and one step for each volume that is (in check mode, would be) made.
  returned: always
  type: dict
steps_done:
  description: Number of volumes that were filled, or of volumes and images that were removed.
  returned: always
  type: int
"""

import contextlib
import datetime

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import (
    fitness,
    journals,
    model,
    moving,
    reading,
    removing,
    source,
    ways,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.glance import Glance
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes import leftovers, sinks, task
from ansible_collections.scs.landscape.plugins.module_utils.openstack.volumes.service import VolumeService
from ansible_collections.scs.landscape.plugins.module_utils.vmware import client as vmware
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks import opening
from ansible_collections.scs.landscape.plugins.module_utils.vmware.disks.sources.ssh import SSH_ARGUMENTS, ssh_of
from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import ENDPOINT_ARGUMENTS

STATES = ("present", "absent", "clean", "unchanged", "possible")
ARGUMENTS = {
    **AUTH_ARGUMENTS,
    **journals.WAVE_ARGUMENTS,
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    "vms": {"type": "list", "elements": "dict", "default": []},
    "maps": {"type": "path", "required": True},
    "metadata": {"type": "dict", "default": {}},
    "endpoints": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str"},
            **ENDPOINT_ARGUMENTS,
            "ssh": {"type": "dict", "options": SSH_ARGUMENTS},
        },
    },
    "mounts": {"type": "dict", "default": {}},
    "ceph_conf": {"type": "path"},
    "ceph_user": {"type": "str"},
    "converter": {"type": "str", "default": "converter"},
    "local_path": {"type": "path"},
    "read_back": {"type": "bool", "default": True},
    "stall": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 3600},
}


def open_ways(params, stack, connect):
    """What opens disks of machines, and what names their content; logs in at an endpoint when its first machine needs it."""
    logins = {one["name"] or one["hostname"]: one for one in params["endpoints"]}
    known = ways.Once(lambda name: stack.enter_context(connect(logins[name], name=name)))

    def way(vm, transports):
        needed = vm.endpoint in logins and {"nfc", "folder"} & set(transports)
        return offered(params, logins, vm, transports, known.get(vm.endpoint) if needed else None)

    def opened(vm, disks, transports):
        return opening.opened(vm, disks, way(vm, transports))

    def state(item):
        return opening.state_of(item.vm, item.source, lambda transport: way(item.vm, (transport,)), item.state)

    return opened, state


def offered(params, logins, vm, transports, session):
    """What there is for a machine: the transports of its plan, the best first, and what they need."""
    login = logins.get(vm.endpoint) or {}
    stands_alone = opening.datacenter_of(vm) == "ha-datacenter"
    host = login.get("hostname", "") if stands_alone else vm.esxi_host
    ssh = ssh_of(login.get("ssh"), host, login.get("timeout", 60))
    local = params["local_path"] or ""
    return opening.Ways(transports[0], session, ssh=ssh, local=local, others=tuple(transports[1:]))


def check_ways(params, items):
    """Refuses before anything is shut down or made.

    :raises InputError: nobody offers what the disks of a machine need; of all machines at once.
    """
    logins = {one["name"] or one["hostname"]: one for one in params["endpoints"]}
    problems = []
    for machine, vm in {one.machine.uuid: (one.machine, one.vm) for one in items if one.status == "planned"}.values():
        there = logins.get(vm.endpoint)
        try:
            opening.usable(vm, offered(params, logins, vm, machine.transports, there))
        except InputError as error:
            problems.append(error.message)
    if problems:
        raise InputError(
            "\n".join(problems), hint="Give endpoints, their ssh, or local_path, or plan another transport"
        )


def looked(params, items, machines, cloud):
    """By uuid, why machines could not be migrated if they were shut down now."""
    found = fitness.each(items, lambda mine: check_ways(params, mine))
    if params["state"] == "possible":
        found.update(fitness.lacking(machines, reading.read(cloud)))
    return found


def judge(params, mine, state):
    """Refuses a machine whose disks cannot be read, or whose volumes are not what its disks are.

    :raises LandscapeError: that is so, or nobody can tell.
    """
    check_ways(params, mine)
    moving.unchanged(mine, state, whole=params["state"] == "unchanged")


def remove(machines, service, check_mode):
    """Removes the volumes of machines."""
    found, errors = removing.removable(machines, service.cinder.volumes(), used=check_mode)
    gone = [one.id for one in found]
    if not check_mode:
        gone, refused = removing.carry_out(machines, found, service.discard)
        errors.update(refused)
    return Result(
        changed=bool(gone),
        plan=removing.removal(found),
        steps_done=0 if check_mode else len(gone),
        values={"removed": gone, "errors": errors},
        failed="\n".join(errors.values()),
    )


def clean(machines, cloud, check_mode, before=None):
    """Removes the images that volumes of machines were made from, after what was done before; who keeps volumes keeps them."""
    glance = Glance(cloud)
    before = before or Result(values={"errors": {}})
    errors, labels = dict(before.values["errors"]), {one.uuid: one.label for one in machines}
    found = leftovers.found(glance, cloud.project_id, [one for one in labels if one not in errors])
    done = leftovers.Removed([one["id"] for one in found]) if check_mode else leftovers.remove(glance, found)
    errors.update({uuid: f"{labels[uuid]}: {reason}" for uuid, reason in done.errors.items()})
    plan = Plan(before.plan.steps + leftovers.removal(found).steps)
    return Result(
        changed=before.changed or bool(done.gone),
        plan=plan,
        diff=plan.diff(),
        steps_done=before.steps_done + (0 if check_mode else len(done.gone)),
        values={**before.values, "images": done.gone, "images_kept": done.kept, "errors": errors},
        warnings=[f"image {one} stays: a volume stands on it" for one in done.kept],
        failed="\n".join(errors.values()),
    )


def main(params, check_mode, connect=client.connect, connect_source=vmware.connect):
    """Reads plan and volumes, and moves what is missing."""
    document = model.load(params["src"])
    machines = journals.chosen(document, params["wave"], params["only"])
    if params["state"] in ("absent", "clean"):
        cloud, done = connect(params), None
        if params["state"] == "absent":
            done = remove(machines, VolumeService(cloud, patience=params["timeout"]), check_mode)
        return clean(machines, cloud, check_mode, done)
    vms = source.vms_of(params["vms"])
    looks, day = check_mode or params["state"] == "possible", datetime.date.today().isoformat()
    items, errors = fitness.fit(machines, vms, params["maps"], params["metadata"], off=not looks, day=day)
    cloud = connect(params)
    service = VolumeService(cloud, patience=params["timeout"])
    there = service.cinder.volumes()
    moving.look(items, there)
    seconds, settings = 0.0, task.settings_of(params)
    method = "attach" if document.settings["method"] == "volume" else "image"
    if looks:
        moving.possible(items, service.missing, settings.reach if method == "attach" else None)
        errors.update(looked(params, items, machines, cloud))
        items = [one for one in items if one.machine.uuid not in errors]
        plan = moving.plan_of(items if params["state"] == "present" else ())
    else:
        with contextlib.ExitStack() as stack:
            opened, state = open_ways(params, stack, connect_source)
            errors.update(fitness.each(items, lambda mine: judge(params, mine, state)))
            items = [one for one in items if one.machine.uuid not in errors]
            plan = moving.plan_of(items)

            def sink(wanted, extents=None):
                return sinks.open_sink(cloud, wanted, method, settings=settings, extents=extents, service=service)

            how = moving.Moving(opened, sink, params["converter"], params["read_back"])
            seconds = how.carry_out(items, document) if plan else seconds
    errors.update(fitness.broken(items))
    return Result(
        changed=bool(plan) if looks else any(one.status == "done" for one in items),
        plan=plan,
        diff=plan.diff(),
        steps_done=sum(one.status == "done" for one in items),
        values={**moving.values(items, seconds), "marks": moving.marks(machines, there), "errors": errors},
        failed="\n".join(errors.values()),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
