# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: back up root disks that lie on hypervisors."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_root_backup
short_description: Back up root disks that lie on hypervisors
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - A server that boots from an image has its root disk on its hypervisor, where no backup of volumes finds it. This module has
    Nova make an image of it, downloads that like M(scs.landscape.image_export), and removes the image, whatever happens.
  - Every run has a name, made of the O(period) that we are in, or O(run_id). A server whose file of that name is there and
    whole is done. So a second run of the same period changes nothing, and a run that was killed goes on with the image it had
    made.
  - Images that killed runs left are removed, at once on the same machine, otherwise after a day.
  - Servers that boot from a volume are refused when they are named, and listed under C(omitted) when a rule finds them. Use
    M(scs.landscape.volume_backup_run) for those, and for volumes that are attached to the others.
  - Other local disks of a flavor (ephemeral, swap) are in no image; a warning says which servers have some.
  - A plain member of a project may do all of it.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  servers:
    description:
      - Ids or names of servers. A name must be that of exactly one.
    type: list
    elements: str
    default: []
  metadata:
    description:
      - Every server that has all of these metadata.
    type: dict
    default: {}
  all_servers:
    description:
      - Every server of the project.
    type: bool
    default: false
  dest:
    description:
      - Folder for the files. It is made when it is not there.
    type: path
    required: true
  file_name:
    description:
      - Name of each file in O(dest), with C({server}) (its id), C({run}) and C({format}).
    type: str
    default: "{server}-{run}.{format}"
  period:
    description:
      - How often a server is backed up. Periods begin and end by UTC.
    type: str
    choices: [hour, day, week, month]
    default: day
  run_id:
    description:
      - Name of this run instead of the period. The same name is the same run.
    type: str
    default: ""
  consistency:
    description:
      - V(crash) takes what is on the disk. Where the guest has an agent, Nova asks it to write first, and goes on without it.
      - V(quiesce_required) takes servers that are shut off. Nova promises nothing better for a root disk of a server that runs,
        not even where the image has C(os_require_quiesce).
    type: str
    choices: [crash, quiesce_required]
    default: crash
  check:
    description:
      - How a file of this run is recognised as whole and right, see M(scs.landscape.image_export).
    type: str
    choices: [recorded, read]
    default: recorded
  timeout:
    description:
      - Seconds that Nova may take for one image.
    type: int
    default: 3600
  max_parallel:
    description:
      - How many servers are worked on at once. Each has an image of its disk in the cloud meanwhile.
    type: int
    default: 2
  max_rate:
    description:
      - MiB per second for all downloads together. V(0) is no bound.
    type: int
    default: 0
  stall_timeout:
    description:
      - Seconds in which at least 64 KiB must come; then the download is tried again, and given up after four times without
        anything new.
    type: int
    default: 120
seealso:
  - module: scs.landscape.image_export
  - module: scs.landscape.server_capture
  - module: scs.landscape.volume_backup_run
"""

EXAMPLES = r"""
- name: Root disks and definitions of all servers, once a week
  scs.landscape.server_root_backup:
    cloud: customer
    all_servers: true
    period: week
    dest: /var/backups/roots
  register: roots

- name: A root disk comes back as an image
  scs.landscape.image_import:
    cloud: customer
    images: "{{ roots.results | selectattr('name', 'equalto', 'shop') | map(attribute='import') }}"

- name: And the server as it was, with it
  scs.landscape.server_recreate:
    cloud: customer
    manifests: [/var/backups/shop/servers]
    images:
      Debian 13: shop 2026-W47
"""

RETURN = r"""
results:
  description: What became of each server.
  returned: success or when a server was not backed up
  type: list
  elements: dict
  contains:
    server:
      description: Id of the server.
      type: str
    name:
      description: Name of the server.
      type: str
    run:
      description: Name of the run.
      type: str
    status:
      description: V(present) (an earlier start has done it), V(done), V(planned) (check mode) or V(failed).
      type: str
    message:
      description: Why it failed.
      type: str
    level:
      description: V(quiesced) or V(crash).
      type: str
    why:
      description: Why that.
      type: str
    taken:
      description: When Nova made the image.
      type: str
    path:
      description: Path of the file.
      type: str
    size:
      description: Bytes of the file.
      type: int
    on_disk:
      description: Bytes that it takes on the disk.
      type: int
    digest:
      description: The digest that the bytes had.
      type: str
    resumed:
      description: Whether the image was one that a killed start of this run had made.
      type: bool
    resumed_from:
      description: Bytes of an earlier start that were used.
      type: int
    bytes:
      description: Bytes that came.
      type: int
    seconds:
      description: How long the download took.
      type: float
    http_statuses:
      description: Status of every answer to a request for bytes.
      type: list
      elements: int
    import:
      description: An entry for O(scs.landscape.image_import#module:images) that brings it back.
      type: dict
omitted:
  description: Servers that a rule finds and that have no root disk to be had, and why.
  returned: success or when a server was not backed up
  type: list
  elements: dict
  sample: [{server: 2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10, name: db, reason: "its root disk is a volume: use volume_backup_run"}]
orphans:
  description: Ids of images of killed runs that were removed, or would be.
  returned: success or when a server was not backed up
  type: list
  elements: str
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of steps done.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup.plan import PERIODS, run_name, utc_now
from ansible_collections.scs.landscape.plugins.module_utils.openstack.export import model, nova, roots, run
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "servers": {"type": "list", "elements": "str", "default": []},
    "metadata": {"type": "dict", "default": {}},
    "all_servers": {"type": "bool", "default": False},
    "dest": {"type": "path", "required": True},
    "file_name": {"type": "str", "default": "{server}-{run}.{format}"},
    "period": {"type": "str", "choices": list(PERIODS), "default": "day"},
    "run_id": {"type": "str", "default": ""},
    "consistency": {"type": "str", "choices": list(roots.CONSISTENCY), "default": "crash"},
    "check": {"type": "str", "choices": list(model.CHECKS), "default": "recorded"},
    "timeout": {"type": "int", "default": 3600},
    "max_parallel": {"type": "int", "default": 2},
    "max_rate": {"type": "int", "default": 0},
    "stall_timeout": {"type": "int", "default": 120},
}


def main(params, check_mode, connect=client.connect, now=utc_now):
    """Chooses servers, has images made of them, downloads those, removes them."""
    options = run.options_of({**params, "overwrite": True})
    name = run_name("", params["period"], params["run_id"], now())
    roots.check_names(params["file_name"], name)
    cloud = connect(params, parallel=options.parallel)
    work = nova.Roots(
        cloud, name, options, params["file_name"], consistency=params["consistency"], patience=params["timeout"]
    )
    named, ruled = roots.choose(work.servers(), params["servers"], params["metadata"], params["all_servers"])
    chosen, omitted = roots.sift(named, ruled, params["consistency"])
    jobs = work.jobs(chosen)
    before = {job.root.server.id for job in jobs if job.done}
    leftovers = work.leftovers(jobs)
    plan = nova.plan_of(jobs, leftovers, name)
    problems = [] if check_mode else work.carry_out(jobs, leftovers)
    results = [nova.result_of(job, name, job.root.server.id in before, check_mode) for job in jobs]
    removed = 0 if check_mode else len(leftovers) - len(problems)
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=plan.diff(),
        steps_done=removed + sum(one["status"] == "done" for one in results),
        warnings=nova.warnings_of(jobs),
        values={
            "results": results,
            "omitted": [
                {"server": one.server.id, "name": one.server.name, "reason": reason} for one, reason in omitted
            ],
            "orphans": [str(one["id"]) for one in leftovers],
        },
        failed="\n".join([*filter(None, [run.failure_of(results)]), *problems]),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
