# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: download images from OpenStack, verified and resumed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_export
short_description: Download images from OpenStack, verified and resumed
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Downloads images into files where the task runs. A file gets its name only after all its bytes had the digest that the
    service knows (C(os_hash_value), else C(checksum), which is MD5 and is warned about).
  - A download that broke, or whose run was killed, goes on where it stopped when the store of the image can read from
    anywhere (C(file) and C(cinder)). Other stores (C(rbd), C(s3), C(swift)) refuse that; then it starts from the beginning.
    Which it is, is tried and never guessed; C(http_statuses) shows it.
  - Whatever was there before is read for the digest of the whole, and belongs to the same image of the same size and
    digest, or is not used. Wrong bytes leave no file and no part.
  - Blocks of zeroes become holes in the file. Files, and a folder that is made, are for their owner alone.
  - Beside each file lies C(.scs.json), which says what it is, with all that is needed to import it again. A file that is
    there already is not loaded again.
  - A plain member of a project may do all of it.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  images:
    description:
      - Ids or names of images, those of others too as long as the token sees them. A name must be that of exactly one image.
    type: list
    elements: str
    default: []
  tags:
    description:
      - Every image of the project that has all of these tags, and all of O(properties).
    type: list
    elements: str
    default: []
  properties:
    description:
      - Every image of the project that has all of these properties, and all of O(tags).
    type: dict
    default: {}
  dest:
    description:
      - Folder for the files. It is made when it is not there.
    type: path
    required: true
  file_name:
    description:
      - Name of each file in O(dest), with C({id}), C({name}) and C({format}) of the image.
    type: str
    default: "{id}.{format}"
  check:
    description:
      - How a file that is there already is recognised as whole and right.
      - V(recorded) trusts the digest in C(.scs.json) while size and time of the file are those it was left with, and else reads
        the file. V(read) always reads it.
    type: str
    choices: [recorded, read]
    default: recorded
  overwrite:
    description:
      - Replace a file that is there with other bytes and was not written by this module, or was changed since.
    type: bool
    default: false
  max_parallel:
    description:
      - How many images are loaded at once.
    type: int
    default: 4
  max_rate:
    description:
      - MiB per second for all of them together. V(0) is no bound.
    type: int
    default: 0
  stall_timeout:
    description:
      - Seconds in which at least 64 KiB must come; then the download is tried again, and given up after four times without
        anything new. There is no limit for the whole of it, because images have any size.
    type: int
    default: 120
seealso:
  - module: scs.landscape.image_import
  - module: scs.landscape.server_root_backup
"""

EXAMPLES = r"""
- name: Keep what was built here, off the cloud
  scs.landscape.image_export:
    cloud: customer
    tags: [golden]
    dest: /var/backups/images
    file_name: "{name}-{id}.{format}"
    max_rate: 200

- name: One image, read again although it is there
  scs.landscape.image_export:
    cloud: customer
    images: [Debian 13 with our agent]
    dest: /var/backups/images
    check: read
  register: exported

- name: And back into another cloud
  scs.landscape.image_import:
    cloud: elsewhere
    images:
      - name: "{{ exported.results[0].name }}"
        file: "{{ exported.results[0].path }}"
        digest: "{{ exported.results[0].digest }}"
"""

RETURN = r"""
results:
  description: What became of each image, named ones first.
  returned: success or when an image was not exported
  type: list
  elements: dict
  contains:
    id:
      description: Id of the image.
      type: str
    name:
      description: Name of the image.
      type: str
    path:
      description: Path of the file.
      type: str
    record:
      description: Path of what is written down about it.
      type: str
    status:
      description: V(present) (nothing was to be done), V(done), V(planned) (check mode) or V(failed).
      type: str
    message:
      description: Why it failed.
      type: str
    size:
      description: Bytes of the image.
      type: int
    on_disk:
      description: Bytes that the file takes on the disk; fewer than O(ignore:size) where it has holes.
      type: int
    digest:
      description: The digest that the bytes had.
      type: str
      sample: sha512:0d4c...
    weak:
      description: Whether that is only MD5.
      type: bool
    checked_by:
      description: V(loading), or how a file that was there was recognised, V(recorded) or V(read).
      type: str
    resumed_from:
      description: Bytes of an earlier run that were used.
      type: int
    bytes:
      description: Bytes that came.
      type: int
    seconds:
      description: How long it took.
      type: float
    http_statuses:
      description:
        - Status of every answer to a request for bytes. V(206) is a part that was asked for; V(400) and V(200) is a store that
          cannot give parts.
      type: list
      elements: int
      sample: [206]
omitted:
  description: Images of the rule that cannot be exported, and why.
  returned: success or when an image was not exported
  type: list
  elements: dict
  sample:
    - id: 2f6c1a0e-7d6b-4b0f-9d61-0a4f3f1f7f10
      name: snapshot of the shop
      reason: "it has no bytes of its own: it lists snapshots of volumes, which volume_backup_run backs up"
plan:
  description: Digest, impact and steps.
  returned: always
  type: dict
steps_done:
  description: Number of files written.
  returned: always
  type: int
"""

import threading

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.export import model, run
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "images": {"type": "list", "elements": "str", "default": []},
    "tags": {"type": "list", "elements": "str", "default": []},
    "properties": {"type": "dict", "default": {}},
    "dest": {"type": "path", "required": True},
    "file_name": {"type": "str", "default": "{id}.{format}"},
    "check": {"type": "str", "choices": list(model.CHECKS), "default": "recorded"},
    "overwrite": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
    "max_rate": {"type": "int", "default": 0},
    "stall_timeout": {"type": "int", "default": 120},
}


def main(params, check_mode, connect=client.connect):
    """Finds images, looks at their files, loads what is missing."""
    selector, options = model.selector_of(params), run.options_of(params)
    cloud = connect(params, parallel=options.parallel)
    found = run.find(cloud, selector)
    stop = threading.Event()
    items = run.items_of(found.chosen, params["file_name"], options)
    run.make_plans(items, options, stop)
    plan = run.plan_of(items)
    if not check_mode:
        run.carry_out(cloud, items, options, stop)
    results = [run.result_of(item, check_mode, plan) for item in items]
    omitted = [{"id": one.id, "name": one.name, "reason": reason} for one, reason in found.omitted]
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=plan.diff(),
        steps_done=sum(one["status"] == "done" for one in results),
        warnings=run.warnings_of(items),
        values={"results": results, "omitted": omitted},
        failed=run.failure_of(results),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
