# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the life of the images of a catalogue."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_lifecycle
short_description: Offer, replace, hide and remove the images of a catalogue
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Compares the images of a project with a catalogue. The newest version of an entry is offered under its plain name, versions
    that it replaces are hidden, and what is hidden long enough and used by nobody is removed.
  - Catalogues are written as for openstack-image-manager; its definitions are read as they are, and images that it made are
    taken over by their name and their property C(internal_version).
  - It moves no bytes. Versions that are missing are returned as RV(imports), which M(scs.landscape.image_import) takes as
    they are; what is offered stays until its successor is there. The role P(scs.landscape.image_catalogue#role) does both.
  - There is never a second public, visible image with C(os_purpose=generic) for a distribution, its version and architecture
    (scs-0102), and the name of an image never disappears (scs-0104). A switch takes three requests; between the second and the
    third there is no generic image for the time of one request. A run that was killed anywhere in between is continued by the
    next one.
  - Properties of the catalogue are set and, when they leave the catalogue, taken away. All other properties and tags are the
    operator's and stay.
  - An image is removed only when O(delete) is set, what C(uuid_validity) promises is kept, it was replaced O(grace_days) ago,
    and no server, no volume that was made of it and no snapshot of such a volume is there, in any project that the token may
    see.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  catalogue:
    description:
      - Files of the catalogue, or folders whose C(.yml) and C(.yaml) files are read in the order of their names.
    type: list
    elements: path
    default: []
  images:
    description: Entries of the catalogue, beside those of O(catalogue).
    type: list
    elements: dict
    default: []
  tag:
    description: A tag for every image of the catalogue; scs-0102 recommends C(managed_by_VENDOR). Empty for none.
    type: str
    default: managed_by_scs_landscape
  names:
    description: Names of the entries to work on. All when absent.
    type: list
    elements: str
  retire:
    description: Names of entries that are taken back. All their images are hidden, and may be removed later.
    type: list
    elements: str
    default: []
  old_purpose:
    description: C(os_purpose) of generic images that were replaced.
    type: str
    default: oldgeneric
  retired_visibility:
    description:
      - Visibility of images that were replaced. Unchanged when absent, so that people can go on using their ids.
    type: str
    choices: [public, community, shared, private]
  duplicate_purpose:
    description:
      - What an entry gets for C(generic) when an earlier one is generic for the same distribution, version and architecture.
      - When absent, such a catalogue is refused.
    type: str
    choices: [custom, minimal]
  delete:
    description: Whether images may be removed.
    type: bool
    default: false
  grace_days:
    description: How many days an image that was replaced stays at least.
    type: float
    default: 30
  partial_view:
    description:
      - Whether an image that others could use may be removed although the token does not see their projects.
    type: bool
    default: false
  absent_services:
    description:
      - Services that this cloud does not have, so that they cannot use images. No image is removed while one of them is
        neither in the catalog of the cloud nor here.
    type: list
    elements: str
    choices: [compute, block-storage]
    default: []
  foresee:
    description:
      - In check mode, plan as if the versions that are missing had been imported, as M(scs.landscape.image_import) is about to do.
        An image that is not there yet is named C(not imported yet) and its version, where otherwise its id stands.
    type: bool
    default: false
  max_parallel:
    description: How many entries are worked on at once.
    type: int
    default: 4
seealso:
  - module: scs.landscape.image_import
  - module: scs.landscape.scs_check
"""

EXAMPLES = r"""
- name: See what is missing
  scs.landscape.image_lifecycle:
    cloud: admin
    catalogue: [images/]
  check_mode: true
  register: before
  delegate_to: localhost

- name: Import it, private and hidden
  scs.landscape.image_import:
    cloud: admin
    images: "{{ before.imports }}"
    cache_dir: /var/cache/images
  delegate_to: localhost

- name: Offer it, hide what it replaces, remove what nobody uses any more
  scs.landscape.image_lifecycle:
    cloud: admin
    catalogue: [images/]
    delete: true
    grace_days: 60
  delegate_to: localhost
"""

RETURN = r"""
imports:
  description:
    - Versions that should be offered and are not there, as options of M(scs.landscape.image_import). An address with a password
      or a signature is not shown, but named by its place in the catalogue.
  returned: success
  type: list
  elements: dict
rotated:
  description: Images that are (in check mode, would be) offered now.
  returned: success
  type: list
  elements: dict
  sample: [{id: 6f0c3a52-6d0e-4b6c-a2f1-2f5d7f8f6a10, entry: Ubuntu 24.04}]
retired:
  description: Images that are hidden now.
  returned: success
  type: list
  elements: dict
deleted:
  description: Images that are removed.
  returned: success
  type: list
  elements: dict
blocked:
  description:
    - Images that were replaced and stay, with the reason and the ids of their users (C(used_by)); and entries that cannot be
      offered because of images of others (C(rivals)).
  returned: success
  type: list
  elements: dict
  sample:
    - id: 6f0c3a52-6d0e-4b6c-a2f1-2f5d7f8f6a10
      name: Ubuntu 24.04 (20240101)
      entry: Ubuntu 24.04
      reason: it is used by server 1a2b; volume 3c4d
      used_by: {servers: [1a2b], volumes: [3c4d], snapshots: []}
entries:
  description: State (V(unchanged), V(changed), V(missing), V(failed)), missing versions and reason, by name of the entry.
  returned: success
  type: dict
plan:
  description: Digest, impact and steps, one for each request that changes an image.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were done.
  returned: always
  type: int
"""

import os
import time

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.catalogue import client as catalogues
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.catalogue import model as catalogue
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.lifecycle import run
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS, secrets_in

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "catalogue": {"type": "list", "elements": "path", "default": []},
    "images": {"type": "list", "elements": "dict", "default": []},
    "tag": {"type": "str", "default": "managed_by_scs_landscape"},
    "names": {"type": "list", "elements": "str"},
    "retire": {"type": "list", "elements": "str", "default": []},
    "old_purpose": {"type": "str", "default": "oldgeneric"},
    "retired_visibility": {"type": "str", "choices": ["public", "community", "shared", "private"]},
    "duplicate_purpose": {"type": "str", "choices": ["custom", "minimal"]},
    "delete": {"type": "bool", "default": False},
    "grace_days": {"type": "float", "default": 30},
    "partial_view": {"type": "bool", "default": False},
    "absent_services": {"type": "list", "elements": "str", "choices": ["compute", "block-storage"], "default": []},
    "foresee": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
}


def main(params, check_mode, connect=client.connect, now=time.time):
    """Reads catalogue and images, plans, and switches."""
    documents = [*catalogues.read(params["catalogue"]), ("images", {"images": params["images"]})]
    entries = catalogue.entries_of(documents, params["tag"], params["duplicate_purpose"] or "")
    entries = catalogue.chosen(entries, params["names"], params["retire"])
    images = run.Lifecycle(connect(params, parallel=params["max_parallel"]), run.options_of(params, now(), check_mode))
    found = images.plan(entries)
    if not check_mode and found.plan:
        images.apply(found)
        images.verify(entries, found)
    return Result(
        changed=bool(found.plan),
        plan=found.plan,
        diff=found.plan.diff(),
        steps_done=found.done,
        warnings=run.warnings(found),
        values=run.values(found, [os.path.abspath(path) for path in params["catalogue"]]),
        failed=run.failure(found),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, hides=lambda options: secrets_in(options.get("images")))
