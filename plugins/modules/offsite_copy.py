# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: copies of a folder elsewhere, back from there, and proofs that they are right."""

from __future__ import annotations

DOCUMENTATION = r"""
module: offsite_copy
short_description: Keep copies of a folder off-site, bring them back, prove them
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Copies a folder into a store elsewhere, for example what the other modules write that records, captures and exports. Each copy is
    a snapshot with a name.
  - A snapshot is one JSON file, the manifest, that names every file with its size, its SHA-256 and the object with its bytes. An
    object is called like the digest of its bytes, so a file that did not change, or is there twice, is sent once.
  - The manifest is written last, when everything that it names is in the store. A copy that was interrupted is never taken for
    whole, and the next run goes on with it.
  - Files are read where the task runs. Those that look as they did when they were copied (size, times and inode) are not read again,
    see O(reread).
  - With O(state=restored) a snapshot comes back into a new folder, which appears when every digest was found right. Nothing is
    ever written over. Zeroes become holes.
  - With O(state=verified) every byte of a snapshot is read from the store and compared.
  - One store holds the snapshots of one folder. Give other folders, and other hosts, a path or prefix of their own.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  state:
    description: V(present) copies, V(restored) brings back, V(verified) reads back and compares, changing nothing.
    type: str
    choices: [present, restored, verified]
    default: present
  store:
    description: Where the copies are.
    type: dict
    required: true
    suboptions:
      kind:
        description:
          - V(directory) is a folder, for example a file system of another site.
          - V(s3) is a bucket of Ceph's object gateway, or of whatever else speaks S3. It needs the Python package C(boto3).
        type: str
        choices: [directory, s3]
        required: true
      path:
        description: With O(store.kind=directory), the folder. It is made when it is not there.
        type: path
      bucket:
        description: With O(store.kind=s3), the bucket. It has to be there.
        type: str
      prefix:
        description: With O(store.kind=s3), what all names in the bucket begin with.
        type: str
      endpoint:
        description: With O(store.kind=s3), address of the service. That of Amazon when it is left out.
        type: str
      region:
        description: With O(store.kind=s3), the region. That of the profile or of the environment when it is left out.
        type: str
      profile:
        description: With O(store.kind=s3), name of a profile in the files of C(boto3), which has keys and region.
        type: str
      access_key:
        description:
          - With O(store.kind=s3), the access key.
          - Without it, keys come from the profile, the environment (C(AWS_ACCESS_KEY_ID)) or the files of C(boto3).
        type: str
      secret_key:
        description: With O(store.kind=s3), the secret key.
        type: str
      session_token:
        description: With O(store.kind=s3), the token of a login for a limited time.
        type: str
      ca_cert:
        description: With O(store.kind=s3), a file with the certificates that are trusted.
        type: path
      validate_certs:
        description: With O(store.kind=s3), whether the certificate of the service is checked. It is when this is left out.
        type: bool
  src:
    description: With O(state=present), the folder that is copied. It is refused when it holds no files.
    type: path
  dest:
    description: With O(state=restored), the new folder. It must not be there, be empty, or hold the snapshot already.
    type: path
  name:
    description:
      - Name of the snapshot, for example that of the run whose results are copied.
      - With O(state=present), made of the day and of the tree when empty; then a tree that is the same as in the newest snapshot is
        not copied again. A name that is there already with another tree is refused, because a snapshot is never changed.
      - Otherwise the newest snapshot when empty.
    type: str
    default: ""
  keep:
    description:
      - With O(state=present), how many snapshots stay, the newest ones. Others are removed with all objects that no remaining one
        names. At least 1. Nothing is removed when it is left out.
      - Nothing is removed either while there is a manifest that cannot be read.
    type: int
  exclude:
    description: Patterns of the shell for what is not copied, compared with paths below O(src) and with names.
    type: list
    elements: str
    default: []
  reread:
    description: Read all files, also those that look as they did when they were copied.
    type: bool
    default: false
  max_parallel:
    description: How many files are on their way at once.
    type: int
    default: 4
  timeout:
    description: Seconds for which a store may be busy or away until that counts as failed.
    type: int
    default: 300
  wait:
    description: Seconds to wait for another run that works on the same store in a way that excludes this one.
    type: int
    default: 60
notes:
  - Bytes are stored as they are. Give a store that others can read encrypted files only, for example bundles of secrets.
  - A bucket with versions or with a lock keeps what is removed for as long as its rules say. Zeroes are sent as they are.
  - Symbolic links are kept as they are. Owners are not; files come back with their permissions and times, and belong to whoever
    restores them. Sockets, pipes and devices are left out and returned in RV(omitted).
seealso:
  - module: scs.landscape.volume_backup_record
  - module: scs.landscape.server_capture
"""

EXAMPLES = r"""
- name: Copy what the backup of today wrote, and keep two weeks
  scs.landscape.offsite_copy:
    src: /var/backups/cloud
    store:
      kind: directory
      path: /mnt/other-site/cloud
    keep: 14

- name: Copy it to the object gateway of another site, with the keys of the environment
  scs.landscape.offsite_copy:
    src: /var/backups/cloud
    store:
      kind: s3
      endpoint: https://rgw.other-site.example
      bucket: backups
      prefix: cloud-a
    keep: 14

- name: Read back every byte of the newest copy
  scs.landscape.offsite_copy:
    state: verified
    store:
      kind: directory
      path: /mnt/other-site/cloud

- name: Bring it back
  scs.landscape.offsite_copy:
    state: restored
    store:
      kind: directory
      path: /mnt/other-site/cloud
    dest: /var/backups/cloud-from-other-site
"""

RETURN = r"""
snapshot:
  description: The snapshot that was (in check mode, would be) written, was there already, was restored or was compared.
  returned: success or when files failed
  type: dict
  sample: {name: 2026-05-11-0a1b2c3d4e5f, taken: "2026-05-11T02:00:00.000000Z", files: 12, size: 81234, tree: "sha256:..."}
snapshots:
  description: All snapshots of the store, the oldest first.
  returned: success or when files failed
  type: list
  elements: dict
objects:
  description: How many objects were (in check mode, would be) sent, or files brought back, or objects compared.
  returned: success or when files failed
  type: int
bytes:
  description: Their size.
  returned: success or when files failed
  type: int
removed:
  description: Names of the snapshots that were (in check mode, would be) removed.
  returned: success or when files failed
  type: list
  elements: str
removed_objects:
  description: How many objects went because no snapshot names them any more.
  returned: success or when files failed
  type: int
damaged:
  description: Files whose bytes the store does not have any more, with the reason.
  returned: success or when files failed
  type: list
  elements: dict
  sample: []
failed_files:
  description: Files that could not be read, sent or brought back, with the reason.
  returned: success or when files failed
  type: list
  elements: dict
  sample: []
omitted:
  description: What lies in the folder and cannot be copied, with the reason.
  returned: success or when files failed
  type: list
  elements: dict
  sample: [{path: agent.sock, reason: it is neither a file nor a folder nor a symbolic link}]
plan:
  description: Digest, impact and steps. What is sent, the manifest, and what is removed; or the folder that appears.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were done.
  returned: always
  type: int
"""

import datetime

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.offsite import opening, run
from ansible_collections.scs.landscape.plugins.module_utils.offsite.copying import Settings

ARGUMENTS = {
    "state": {"type": "str", "choices": ["present", "restored", "verified"], "default": "present"},
    "store": {"type": "dict", "required": True, "options": opening.ARGUMENTS},
    "src": {"type": "path"},
    "dest": {"type": "path"},
    "name": {"type": "str", "default": ""},
    "keep": {"type": "int"},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "reread": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 4},
    "timeout": {"type": "int", "default": 300},
    "wait": {"type": "int", "default": 60},
}
RULES = {"required_if": [("state", "present", ["src"]), ("state", "restored", ["dest"])]}


def main(params, check_mode):
    """Copies, restores or verifies."""
    settings = Settings(parallel=params["max_parallel"], timeout=params["timeout"], wait=params["wait"])
    wanted = run.wish_of(params)
    store = opening.store(params["store"], params["max_parallel"])
    if params["state"] == "present":
        now = datetime.datetime.now(datetime.timezone.utc)
        done = run.present(store, wanted, settings, check_mode, now)
    elif params["state"] == "restored":
        done = run.restored(store, wanted, settings, check_mode)
    else:
        done = run.verified(store, wanted, settings)
    return Result(**vars(done))


if __name__ == "__main__":
    run_module(ARGUMENTS, main, **RULES)
