# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: how much room a project has for images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_headroom_info
short_description: Tell how much room a project has for images
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads limits and use of the project of the token from the image service (C(GET /v2/info/usage), the unified limits of
    Keystone) and compares them with a target and with what is about to be uploaded.
  - The target of 40 images and 200 GiB for each project was once part of scs-0104 and is what "fair use" is measured by here.
  - Figures are those of the service. A service that enforces no limits has no answer but that; then everything fits as far as
    anybody can tell, and C(limited) in RV(room) is false. Glance counts whole MiB, rounded down; here
    the last byte counts. The limit C(image_size_cap) of a single image is not visible to anybody but the operator.
extends_documentation_fragment:
  - scs.landscape.attributes.info_module
  - scs.landscape.openstack_auth
options:
  target_images:
    description: How many images a project should be able to have.
    type: int
    default: 40
  target_size:
    description: How many GiB all of them together may have.
    type: int
    default: 200
  images:
    description: How many images are about to be made.
    type: int
    default: 0
  bytes:
    description: How many bytes they have together.
    type: int
    default: 0
  largest:
    description: How many bytes the largest of them has, when imports are staged; 0 leaves the staging area out.
    type: int
    default: 0
  fail_on:
    description:
      - V(target) fails the task when the project's limits are below the target, V(room) when what is about to be made does not
        fit.
    type: list
    elements: str
    choices: [target, room]
    default: []
seealso:
  - module: scs.landscape.image_import
"""

EXAMPLES = r"""
- name: Stop before three images of 20 GiB that do not fit
  scs.landscape.image_headroom_info:
    cloud: member
    images: 3
    bytes: "{{ 3 * 20 * 1024 ** 3 }}"
    fail_on: [room]
  delegate_to: localhost
"""

RETURN = r"""
room:
  description:
    - C(limited) says whether the service enforces any limit, C(limits) has limit, use and what is left (C(free), in pieces or
      bytes) of each, C(images) and C(bytes) are the project's images as they are listed, C(bytes) once for each store.
  returned: success
  type: dict
  sample:
    limited: true
    limits:
      image_count_total: {limit: 40, usage: 39, free: 1}
      image_size_total: {limit: 204800, usage: 102400, free: 107374182400, unit: MiB}
    images: 39
    bytes: 107374182400
target:
  description: Whether the limits allow the target, and what does not (C(problems)).
  returned: success
  type: dict
  sample: {fits: false, problems: ["40 images are asked for, image_count_total allows 39"]}
fits:
  description: Whether what is about to be made fits, and what does not (C(problems)).
  returned: success
  type: dict
  sample: {fits: true, problems: []}
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
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client, limits
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "target_images": {"type": "int", "default": 40},
    "target_size": {"type": "int", "default": 200},
    "images": {"type": "int", "default": 0},
    "bytes": {"type": "int", "default": 0},
    "largest": {"type": "int", "default": 0},
    "fail_on": {"type": "list", "elements": "str", "choices": ["target", "room"], "default": []},
}


def main(params, _check_mode, connect=client.connect):
    """Reads limits and images, and compares."""
    room = limits.read(connect(params))
    verdicts = {
        "target": limits.target(room, params["target_images"], params["target_size"] * limits.GIB),
        "room": limits.more(room, params["images"], params["bytes"], params["largest"]),
    }
    problems = [problem for name in params["fail_on"] for problem in verdicts[name].problems]
    return Result(
        values={
            "room": limits.as_dict(room),
            "target": verdicts["target"].as_dict(),
            "fits": verdicts["room"].as_dict(),
        },
        failed="; ".join(dict.fromkeys(problems)),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
