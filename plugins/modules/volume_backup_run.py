# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: backups of many volumes, full or incremental, once for each run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_backup_run
short_description: Back up volumes, once for each run
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Makes backups of any number of volumes by Cinder, in one task with one login. Works for a plain member of a project.
  - Every run has a name, made of O(policy) and the O(period) that we are in, or of O(policy) and O(run_id). A volume that has
    an available backup of that name is done. So a second run of the same period changes nothing, and a run that was killed
    goes on when it is started again. What it had begun is found and waited for, nothing is made twice.
  - Says for each volume whether it gets a full or an incremental backup, and why. A full one is made when there is nothing to
    stand on, the volume has grown, the chain is long or old enough, what it would stand on was refuted by a restore or is
    not ours, or Cinder says that it cannot make an incremental one.
  - The quota is compared with what is needed before anything is begun. A shortage refuses the whole run, with the numbers of
    the service.
  - With O(reader) and O(digests), the bytes of what is backed up are read where the task runs, and the digest of their list is
    written on the backup, for comparing a restore with it. Volumes that are not attached are read themselves, attached ones
    through a snapshot that is then backed up, also with O(consistency=none), when O(backup_driver) or the backups that are there
    say that the driver is V(chunked). That of Ceph keeps backups of snapshots badly, so none is made for a digest.
    A backup whose source cannot be read is made all the same, and the task fails at its end.
  - One volume that cannot be backed up does not stop the others. The task fails at its end and returns everything.
  - Backups belong to the project of the login, whose quota they use, also those of other projects' volumes.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
  - scs.landscape.backup_reader
options:
  volumes:
    description:
      - Ids or names of volumes. What is named is backed up whatever its metadata say.
      - What O(volumes), O(servers), O(server_tags), O(volume_metadata) and O(all_volumes) select is added up.
    type: list
    elements: str
    default: []
  servers:
    description: Ids or names of servers whose attached volumes are backed up. A name that several servers have is an error that lists them.
    type: list
    elements: str
    default: []
  server_tags:
    description: Select the attached volumes of every server that has all of these tags.
    type: list
    elements: str
    default: []
  volume_metadata:
    description: Select every volume whose metadata have all of these.
    type: dict
    default: {}
  all_volumes:
    description: Select every volume.
    type: bool
    default: false
  policy:
    description:
      - Name of a policy. It is written on the backups, and part of the name of the run.
      - When nothing else selects volumes, those are selected whose metadata O(policy_key) is this name.
    type: str
    default: ""
  policy_key:
    description: Name in the metadata of volumes by which their owners choose a policy.
    type: str
    default: backup:policy
  exclude_key:
    description: Name in the metadata of volumes by which their owners (V(true)) want no backup. Volumes of O(volumes) get one.
    type: str
    default: backup:exclude
  projects:
    description:
      - Ids of projects whose volumes alone are meant, where the login may see those of others.
      - Log in to the project itself where you can. Cinder puts a backup into the project of the login, and members of another
        project cannot see it there.
    type: list
    elements: str
    default: []
  period:
    description: How often a volume gets a backup of this policy. Periods begin and end by UTC.
    type: str
    choices: [hour, day, week, month]
    default: day
  run_id:
    description: Name of this run instead of the period. The same name is the same run.
    type: str
    default: ""
  mode:
    description:
      - V(auto) makes incremental backups and ends chains as the other options say.
      - V(incremental) fails for a volume where only a full backup is possible, and does not look at O(max_chain) and
        O(full_days).
    type: str
    choices: [auto, full, incremental]
    default: auto
  max_chain:
    description: How many backups a restore may have to read at most, 0 for any number.
    type: int
    default: 14
  full_days:
    description: Days after which a chain gets no further members, 0 for never.
    type: float
    default: 30
  own_only:
    description:
      - Whether incremental backups stand only on what this collection made. Cinder chooses the parent itself, so a backup that
        a user made by hand can be the newest one; then the next one of ours is a full one.
    type: bool
    default: true
  force:
    description:
      - Whether volumes that are attached are backed up. Cinder reads a temporary copy of them, which is as consistent as the
        disk of a machine that lost its power.
      - V(auto) does so where it is necessary, V(never) fails for such a volume before anything is begun.
    type: str
    choices: [auto, always, never]
    default: auto
  consistency:
    description:
      - Whether all volumes of a server are taken at one moment.
      - V(none) takes each volume by itself.
      - V(crash) takes the volumes that are selected of each server from snapshots of one moment. For a server that boots from a
        volume Nova makes them all, and lets the guest's agent freeze its file systems where there is one. For any other server
        they are made one after another.
      - V(quiesce_required) refuses the volumes of a server whose guest Nova cannot promise to freeze, unless it is off.
      - Snapshots, and the image that lists them, are removed at the end, also those that a killed run left.
    type: str
    choices: [none, crash, quiesce_required]
    default: none
  backup_driver:
    description:
      - Kind of the driver of cinder-backup. V(auto) finds it out by the backups that are there. V(chunked) are those that
        store objects or files (S3, Swift, NFS, POSIX).
    type: str
    choices: [auto, ceph, chunked]
    default: auto
  container:
    description: Container, bucket or pool for the backups. The driver's own when empty.
    type: str
    default: ""
  labels:
    description: Further metadata for the backups.
    type: dict
    default: {}
  max_parallel:
    description: How many backups are under way at once at most.
    type: int
    default: 4
  timeout:
    description: Seconds for which one backup is waited for.
    type: int
    default: 14400
notes:
  - Cinder does not tell how much room there is where backups are stored. Where volumes and their backups are both in Ceph, and the
    login may see the pools, what they say is compared with the full backups that are planned, before any is begun.
  - Warns when volumes and their backups are both in Ceph, where the login may see that, and says when they share a pool. Nothing in
    the API tells whether two pools are in the same cluster.
"""

EXAMPLES = r"""
- name: Every volume whose owner chose the policy gold, once a day
  scs.landscape.volume_backup_run:
    cloud: member
    policy: gold
  delegate_to: localhost

- name: What would be done for two volumes, and why
  scs.landscape.volume_backup_run:
    cloud: member
    volumes: [database, 0d0b4a5e-5f3c-4b0f-8b5d-0a8f0e3f3b0e]
    policy: nightly
  check_mode: true
  diff: true
  delegate_to: localhost

- name: All volumes of a server and of every server with the tag database, each server's at one moment
  scs.landscape.volume_backup_run:
    cloud: member
    servers: [shop]
    server_tags: [database]
    policy: hourly
    period: hour
    consistency: crash
  delegate_to: localhost

- name: A full backup of everything in the project before a change
  scs.landscape.volume_backup_run:
    cloud: member
    all_volumes: true
    mode: full
    run_id: before-upgrade-2026-05
    max_parallel: 2
  delegate_to: localhost
"""

RETURN = r"""
run:
  description: Name of the run. It stands in the metadata of each backup.
  returned: success or when a volume failed
  type: str
  sample: gold/2026-05-11
backups:
  description: One entry for each volume that is selected, in the order of the service's list.
  returned: success or when a volume failed
  type: list
  elements: dict
  contains:
    volume:
      description: Id of the volume.
      type: str
    volume_name:
      description: Its name.
      type: str
    id:
      description: Id of the backup, empty when there is none (yet).
      type: str
    status:
      description:
        - V(available) (made or waited for by this task), V(present) (there was one of this run), V(planned) or V(under way) (check
          mode), V(refused), V(failed).
      type: str
    message:
      description: Why it was refused or failed, or what is wrong although the backup is there.
      type: str
    server:
      description: Id of the server together with whose volumes it is (or would be) taken.
      type: str
    level:
      description: How consistent it is with other volumes of the server; V(none), V(crash) or V(quiesced).
      type: str
    kind:
      description: V(full) or V(incremental); empty when it is not known yet.
      type: str
    why:
      description: Why it is a full one, or what it stands on.
      type: str
    chain:
      description: Id of the backup that its chain begins with.
      type: str
    parent:
      description: Id of the backup that it stands on.
      type: str
    taken:
      description: When its data was read, as Cinder writes it (UTC).
      type: str
    digest:
      description: Digest of the list of its source's block digests, empty when none was taken.
      type: str
    size:
      description: GiB of the volume.
      type: int
    seconds:
      description: How long this run worked on it or waited for it.
      type: float
failures:
  description: What has no backup of this run, and why, with C(volume) and C(message).
  returned: success or when a volume failed
  type: list
  elements: dict
omitted:
  description: Volumes that a rule would select and that are left out, with C(id), C(name) and C(reason).
  returned: success or when a volume failed
  type: list
  elements: dict
unseen:
  description: What could not be checked because the login may not see it.
  returned: success or when a volume failed
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
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import (
    cinder,
    decide,
    model,
    plan,
    points,
    readers,
    run,
    run_report,
    select,
    source,
)
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "volumes": {"type": "list", "elements": "str", "default": []},
    "servers": {"type": "list", "elements": "str", "default": []},
    "server_tags": {"type": "list", "elements": "str", "default": []},
    "volume_metadata": {"type": "dict", "default": {}},
    "all_volumes": {"type": "bool", "default": False},
    "policy": {"type": "str", "default": ""},
    "policy_key": {"type": "str", "default": model.POLICY_KEY, "no_log": False},
    "exclude_key": {"type": "str", "default": model.EXCLUDE_KEY, "no_log": False},
    "projects": {"type": "list", "elements": "str", "default": []},
    "period": {"type": "str", "choices": list(plan.PERIODS), "default": "day"},
    "run_id": {"type": "str", "default": ""},
    "mode": {"type": "str", "choices": list(decide.MODES), "default": "auto"},
    "max_chain": {"type": "int", "default": 14},
    "full_days": {"type": "float", "default": 30},
    "own_only": {"type": "bool", "default": True},
    "force": {"type": "str", "choices": list(plan.FORCE), "default": "auto"},
    "consistency": {"type": "str", "choices": list(points.CONSISTENCY), "default": "none"},
    "backup_driver": {"type": "str", "choices": list(decide.DRIVERS), "default": "auto"},
    "container": {"type": "str", "default": ""},
    "labels": {"type": "dict", "default": {}},
    "reader": readers.ARGUMENTS,
    "digests": {"type": "path"},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 14400},
}


def main(params, check_mode, connect=client.connect, now=plan.utc_now, **world):
    """Reads volumes and backups, decides, checks the room, and makes what is missing."""
    selector, wishes = select.selector_of(params), plan.wishes_of(params, now())
    limits = {"parallel": params["max_parallel"], "timeout": params["timeout"], "source": source.source_of(params)}
    cloud = connect(params, parallel=params["max_parallel"])
    service = cinder.Cinder(cloud, everywhere=bool(params["projects"]))
    report = run.run(service, selector, wishes, check_mode, now=now, **limits, **world)
    steps = plan.plan_of(report.todos, report.leftovers)
    return Result(
        changed=bool(steps),
        plan=steps,
        diff=steps.diff(),
        steps_done=0 if check_mode else run_report.done(report),
        warnings=[*report.warnings, *run_report.nothing_found(report)],
        values=run_report.values(report, check_mode),
        failed=run_report.failure(report),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
