# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: import images into OpenStack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_import
short_description: Import images into OpenStack, verified before anybody can see them
version_added: 0.3.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Imports many images in one task, several at once, and brings the properties of those that are there into line.
  - An image is private and hidden until all of it is done. It gets its bytes, they are proven against the digest, properties are set,
    and only then it becomes visible. What fails is removed again, and only what this module made is ever removed.
  - A run that was ended in any way is continued by running it again. Downloads go on where they broke off, half images are
    finished or removed, and nothing is there twice.
  - The bytes of an image in OpenStack cannot be replaced. An image of the same name with other bytes is therefore refused;
    M(scs.landscape.image_lifecycle) rotates images.
  - "Properties that this module has set and that are not wanted any more are removed. All others are the operator's own and
    are kept. The properties C(scs_landscape_digest), C(scs_landscape_properties) and, while an import is unfinished,
    C(scs_landscape_state) say what is ours."
  - Works with a token of a plain member, apart from what OpenStack keeps for administrators by default, which is
    making images public and copying them into further stores.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.openstack_auth
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the image. An image of the project with this name is the one that is meant, unless O(images[].id) or
            O(images[].match) say otherwise.
        type: str
        required: true
      id:
        description:
          - Id of the image, a UUID of your own choice for a new one. OpenStack never uses an id twice, not even that of an image
            that is gone.
        type: str
      match:
        description:
          - Properties by which an existing image is known instead of by its name. They are set on a new image, too. The name
            of an image that is known by them is left as it is.
        type: dict
      url:
        description:
          - Address of the file, and mirrors that are tried in this order.
        type: list
        elements: str
      file:
        description: A file where this task runs.
        type: path
      listed:
        description:
          - Where a catalogue of M(scs.landscape.image_lifecycle) says address and digest of the image, instead of O(images[].url).
            For addresses with a password or a signature, which no answer may show.
        type: dict
        suboptions:
          catalogue:
            description: Files and folders of the catalogue.
            type: list
            elements: path
            required: true
          entry:
            description: Name of the entry.
            type: str
            required: true
          version:
            description: Its version.
            type: str
            required: true
      remote:
        description:
          - An image in another region of the same Keystone. Give its digest, which is what C(os_hash_value) is there, or the vendor's.
        type: dict
        suboptions:
          region:
            description: Name of the region.
            type: str
            required: true
          id:
            description: Id of the image there.
            type: str
            required: true
      digest:
        description:
          - Digest of the file, for example V(sha256:...) or V(sha512:...). Without the name of the algorithm the length decides.
        type: str
      digests:
        description: The vendor's list of digests, instead of O(images[].digest).
        type: dict
        suboptions:
          source:
            description: Address or file of the list, for example C(SHA256SUMS).
            type: str
            required: true
          name:
            description: Name of the file in the list. The last part of the address of the image when absent.
            type: str
          signature:
            description: Who must have signed the list.
            type: dict
            suboptions:
              type:
                description:
                  - V(gpg) needs the program C(gpgv), V(minisign) the Python package cryptography or the program C(minisign).
                type: str
                choices: [gpg, minisign]
                required: true
              source:
                description: Address or file of the detached signature. Without it the list must be signed in itself (GPG only).
                type: str
              key:
                description:
                  - File with the keyring (GPG, armoured or not) or with the public key (minisign, or the key itself). No
                    other key counts.
                type: str
                required: true
      method:
        description:
          - V(auto) takes a way of the service where the result can be proven before it is visible, and goes through this machine
            otherwise; the reason is returned.
          - V(upload) writes into one store at once. V(glance-direct) sends to the staging area of the service, which fills several
            stores and may convert. V(web-download) lets the service download; it never checks a digest, so its own hash is
            compared, or everything is read back. V(glance-download) takes an image of another region.
        type: str
        choices: [auto, upload, glance-direct, web-download, glance-download]
        default: auto
      convert:
        description:
          - Set it where the service converts what it imports (plugin C(image_conversion)). Its hash then is one of other
            bytes, so the digest is checked while the bytes are sent, and what the service makes of them is not proven.
        type: bool
        default: false
      stores:
        description:
          - Ids of the stores that shall hold the image. The default store when absent. Stores that lack an image that is
            there get a copy.
        type: list
        elements: str
      visibility:
        description:
          - Who sees the image in the end. Left alone when absent; a new image is then private.
        type: str
        choices: [private, shared, community, public]
      hidden:
        description:
          - Whether the image is missing from lists in the end. Left alone when absent; a new image then is not.
        type: bool
      protected:
        description:
          - Whether the image cannot be deleted in the end. Left alone when absent; a new image then can be.
        type: bool
      disk_format:
        description: Format of the file.
        type: str
        default: qcow2
      container_format:
        description: Format of the container.
        type: str
        default: bare
      min_disk:
        description: Smallest disk in GiB. Left alone when absent.
        type: int
      min_ram:
        description: Smallest memory in MiB. Left alone when absent.
        type: int
      tags:
        description: All tags of the image. Left alone when absent.
        type: list
        elements: str
      properties:
        description: Properties to set.
        type: dict
        default: {}
  cache_dir:
    description:
      - Folder for downloads, named by digest. They stay there, so that a download goes on after it broke and is done once for
        several clouds. It needs room for the images; files in it may be removed while no task runs.
    type: path
    default: ~/.cache/scs-landscape/images
  max_parallel:
    description: How many images are worked on at once.
    type: int
    default: 4
  stall_timeout:
    description:
      - Seconds without progress after which a transfer is given up. There is no limit for the whole of it, because images have
        any size.
    type: int
    default: 120
  service_timeout:
    description:
      - Seconds after which work of the service that shows no progress is given up, for example its own download.
    type: int
    default: 3600
  proof:
    description:
      - How it is proven that the service holds the right bytes.
      - V(hash) compares the hash of the service, and reads back where it has none of the kind that is needed. V(readback) always
        reads all bytes back.
    type: str
    choices: [hash, readback]
    default: hash
  allow_weak_digest:
    description: Accept MD5 and SHA-1.
    type: bool
    default: false
  take_over:
    description:
      - Go on with imports that another run began, without asking whether that one still lives. It is asked on the same
        machine; elsewhere an import counts as alive for an hour after its last change.
    type: bool
    default: false
requirements:
  - gpgv, for signatures of the type V(gpg)
  - cryptography, or minisign, for signatures of the type V(minisign)
seealso:
  - module: scs.landscape.image_lifecycle
"""

EXAMPLES = r"""
- name: Debian, as its signed list says
  scs.landscape.image_import:
    cloud: admin
    images:
      - name: Debian 13
        url:
          - https://images.example.org/debian/trixie/latest/debian-13-genericcloud-amd64.qcow2
        digests:
          source: https://images.example.org/debian/trixie/latest/SHA512SUMS
        visibility: public
        min_disk: 3
        properties:
          os_distro: debian
          os_version: "13"
          hw_disk_bus: scsi
          hw_scsi_model: virtio-scsi

- name: Two stores, a list that Ubuntu's key signed, and what would be done
  scs.landscape.image_import:
    cloud: admin
    max_parallel: 2
    images:
      - name: Ubuntu 24.04
        url: [https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img]
        digests:
          source: https://cloud-images.ubuntu.com/releases/24.04/release/SHA256SUMS
          signature:
            type: gpg
            source: https://cloud-images.ubuntu.com/releases/24.04/release/SHA256SUMS.gpg
            key: /usr/share/keyrings/ubuntu-cloudimage-keyring.gpg
        stores: [fast, slow]
        visibility: public
  check_mode: true
  diff: true

- name: A file of our own, for this project only
  scs.landscape.image_import:
    cloud: member
    images:
      - name: appliance
        file: /srv/images/appliance.raw
        disk_format: raw
        digest: sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
"""

RETURN = r"""
results:
  description: What became of each image, in the order of O(images).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the image.
      type: str
    id:
      description: Its id; nothing when it was not made.
      type: str
    status:
      description:
        - V(present) (nothing was to be done), V(done), V(planned) (check mode), V(partial) (not in every store), V(failed).
      type: str
    actions:
      description: What was (or would be) done, in this order.
      type: list
      elements: str
      sample: [create, publish]
    message:
      description: Why it is not as it should be.
      type: str
    method:
      description: By which way the bytes came.
      type: str
    reason:
      description: Why that way, and why not another.
      type: str
    verified:
      description: The digest, by what it was proven, the hash of the service, and who signed the list of digests.
      type: dict
    stores:
      description: State in each store.
      type: dict
      sample: {"fast": "active", "slow": "failed"}
    bytes:
      description: Bytes that passed this machine.
      type: int
    seconds:
      description: How long it took.
      type: float
    image:
      description: The image, as the service has it.
      type: dict
    predicted:
      description: Set in check mode for an image that is not there yet.
      type: bool
plan:
  description: Digest, impact and steps, in the order of O(images).
  returned: always
  type: dict
steps_done:
  description: Number of steps done.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client, model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import model as images
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images import run
from ansible_collections.scs.landscape.plugins.module_utils.openstack.images.catalogue import client as catalogues

_SIGNATURE = {
    "type": {"type": "str", "choices": ["gpg", "minisign"], "required": True},
    "source": {"type": "str"},
    "key": {"type": "str", "required": True, "no_log": False},
}
_DIGESTS = {
    "source": {"type": "str", "required": True},
    "name": {"type": "str"},
    "signature": {"type": "dict", "options": _SIGNATURE},
}
_IMAGE = {
    "name": {"type": "str", "required": True},
    "id": {"type": "str"},
    "match": {"type": "dict"},
    "url": {"type": "list", "elements": "str"},
    "file": {"type": "path"},
    "listed": {
        "type": "dict",
        "options": {
            "catalogue": {"type": "list", "elements": "path", "required": True},
            "entry": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
        },
    },
    "remote": {
        "type": "dict",
        "options": {"region": {"type": "str", "required": True}, "id": {"type": "str", "required": True}},
    },
    "digest": {"type": "str"},
    "digests": {"type": "dict", "options": _DIGESTS},
    "method": {"type": "str", "choices": list(images.METHODS), "default": "auto"},
    "convert": {"type": "bool", "default": False},
    "stores": {"type": "list", "elements": "str"},
    "visibility": {"type": "str", "choices": list(images.VISIBILITIES)},
    "hidden": {"type": "bool"},
    "protected": {"type": "bool"},
    "disk_format": {"type": "str", "default": "qcow2"},
    "container_format": {"type": "str", "default": "bare"},
    "min_disk": {"type": "int"},
    "min_ram": {"type": "int"},
    "tags": {"type": "list", "elements": "str"},
    "properties": {"type": "dict", "default": {}},
}
ARGUMENTS = {
    **model.AUTH_ARGUMENTS,
    "images": {"type": "list", "elements": "dict", "required": True, "options": _IMAGE},
    "cache_dir": {"type": "path", "default": "~/.cache/scs-landscape/images"},
    "max_parallel": {"type": "int", "default": 4},
    "stall_timeout": {"type": "int", "default": 120},
    "service_timeout": {"type": "int", "default": 3600},
    "proof": {"type": "str", "choices": ["hash", "readback"], "default": "hash"},
    "allow_weak_digest": {"type": "bool", "default": False},
    "take_over": {"type": "bool", "default": False},
}


def main(params, check_mode):
    """Logs in, plans, imports."""
    options = run.Options(
        cache_dir=params["cache_dir"],
        parallel=params["max_parallel"],
        stall=params["stall_timeout"],
        service=params["service_timeout"],
        readback=params["proof"] == "readback",
        take_over=params["take_over"],
        weak=params["allow_weak_digest"],
    )
    wanted = catalogues.resolved(params["images"])
    run.items_of(wanted, weak=options.weak)  # bad options are refused before anybody is asked
    cloud = client.connect(params, parallel=options.parallel)
    items = run.import_images(cloud, wanted, options, check_mode)
    plan = run.plan_of(items)
    results = [run.result_of(item, check_mode) for item in items]
    done = [item for item in items if not item.error and not check_mode]
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=plan.diff(),
        steps_done=sum(len(item.steps) for item in done),
        values={"results": results},
        failed=run.failure_of(results),
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main, hides=lambda options: model.secrets_in(options.get("images")))
