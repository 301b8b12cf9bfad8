# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: keys of encrypted volumes, backups and images, out of Barbican into a sealed file and back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_bundle
short_description: Export secrets of Barbican into a sealed file and import them
version_added: 0.4.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - The backup of an encrypted volume is worth nothing without its key, and keys live in Barbican alone. This module collects the
    secrets that volumes, their backups and images name, seals them in memory for age, GPG or ansible-vault, and writes one file.
  - An import makes the secrets that are missing, returns their new ids, and tells images the new ids. Barbican gives new ids to
    all it makes, and Cinder lets nobody set the key of a volume or a backup. The way is M(scs.landscape.volume_backup_record)
    with C(keys), which imports the record of a backup with the new id. What could not be told is returned in RV(unlinked).
  - No payload is ever an argument of a program, in a temporary file, in a result, a diff or a message. The file has mode 0600.
    Beside the sealed part it says in clear which secrets it holds and who used them, by ids.
  - A payload never changes in Barbican, so a file is written again only when other secrets, metadata or recipients are wanted.
  - A secret is recognised as imported by the metadata C(scs_landscape_secret) with its old id and by its bytes, which are
    compared in memory. It is made empty, marked, closed to whom it was closed, and filled last, so a killed run is gone on with.
  - By default Barbican lets the role C(creator) of the project do all this, with its newer defaults the role C(member). Secrets
    that are private are for their owner, for administrators of the project and for the users in their lists.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.kept_file
  - scs.landscape.openstack_auth
options:
  method:
    description:
      - How the file is sealed. An import does what the file says.
      - V(age) needs the program C(age) or the Python package C(pyrage), V(gpg) the program C(gpg).
      - V(vault) is there when the task runs in Ansible's own process, with C(connection) V(local), without C(become), and with
        openstacksdk for the Python of Ansible.
    type: str
    choices: [age, gpg, vault]
  recipients:
    description:
      - For whom it is sealed. With V(age), public keys, also those of SSH. With V(gpg), fingerprints in the keyring, or paths of
        files with one public key each, for which no keyring is needed.
    type: list
    elements: str
    default: []
  identity:
    description: With V(age) and O(state=imported), the file with the private key.
    type: path
  gnupg_home:
    description: With V(gpg), the folder of the keyring. That of the user when absent.
    type: path
  passphrase:
    description: With V(vault), the password instead of those of the play. With V(gpg), that of the private key.
    type: str
  vault_id:
    description: With V(vault), the label of the password.
    type: str
  volumes:
    description: With O(state=exported), ids of volumes. The keys of their backups are taken, too; the volume may be gone.
    type: list
    elements: str
    default: []
  backups:
    description: With O(state=exported), ids of backups.
    type: list
    elements: str
    default: []
  images:
    description: With O(state=exported), ids of images.
    type: list
    elements: str
    default: []
  secrets:
    description: With O(state=exported), ids or references of secrets.
    type: list
    elements: str
    default: []
  containers:
    description: With O(state=exported), ids or references of containers.
    type: list
    elements: str
    default: []
  orders:
    description: With O(state=exported), ids or references of orders. What they made is taken.
    type: list
    elements: str
    default: []
  everything:
    description: With O(state=exported), the keys of all volumes, backups and images of the project.
    type: bool
    default: false
  certificates:
    description: With O(state=exported), also the certificates that images name for their signatures.
    type: bool
    default: false
  allow_less:
    description: With O(state=exported), replace a file that holds secrets which the new one would not.
    type: bool
    default: false
  relink:
    description: With O(state=imported), tell images the new ids, and return who names an old one.
    type: bool
    default: true
  max_parallel:
    description: How many secrets are read or made at once.
    type: int
    default: 4
seealso:
  - module: scs.landscape.volume_backup_record
"""

EXAMPLES = r"""
- name: Seal the keys of a project for two operators
  scs.landscape.secret_bundle:
    cloud: member
    state: exported
    path: /var/backups/keys/demo.json
    everything: true
    method: age
    recipients:
      - age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
      - "{{ lookup('ansible.builtin.file', 'second-operator.pub') }}"
  delegate_to: localhost

- name: Bring them back
  scs.landscape.secret_bundle:
    cloud: member
    state: imported
    path: /var/backups/keys/demo.json
    identity: ~/.config/age/key.txt
  delegate_to: localhost
  register: keys

- name: Import the records of backups with the new ids
  scs.landscape.volume_backup_record:
    cloud: admin-in-tenant
    state: imported
    path: /var/backups/cinder/records.json
    keys: "{{ keys.ids }}"
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
count:
  description: How many secrets are in the bundle.
  returned: success or when a secret failed
  type: int
ids:
  description: Ids of the secrets in this cloud by their ids in the bundle. In check mode, those that are there already.
  returned: success or when a secret failed
  type: dict
containers:
  description: The same for containers.
  returned: success or when a secret failed
  type: dict
imported:
  description: Ids, as in the bundle, of the secrets that are (in check mode, would be) made.
  returned: success or when a secret failed
  type: list
  elements: str
present:
  description: Ids, as in the bundle, of the secrets that were there already.
  returned: success or when a secret failed
  type: list
  elements: str
relinked:
  description: Images that name the new id now, with the property and both ids.
  returned: success or when a secret failed
  type: list
  elements: dict
unlinked:
  description: Volumes and backups that name an old id, which no API can change, with the way out.
  returned: success or when a secret failed
  type: list
  elements: dict
omitted:
  description: What was asked for and has no secret, with the reason.
  returned: success or when a secret failed
  type: list
  elements: dict
failed_secrets:
  description: Secrets, containers and images with which something went wrong, with the reason.
  returned: success or when a secret failed
  type: list
  elements: dict
plan:
  description: Digest, impact and steps, with ids and counts.
  returned: always
  type: dict
steps_done:
  description: Number of steps that were done.
  returned: always
  type: int
"""

import os

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import client
from ansible_collections.scs.landscape.plugins.module_utils.openstack.backup import views
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys import adopt, bundle, export, seal
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys.barbican import Barbican
from ansible_collections.scs.landscape.plugins.module_utils.openstack.keys.collect import Collector
from ansible_collections.scs.landscape.plugins.module_utils.openstack.model import AUTH_ARGUMENTS

_LISTS = ("volumes", "backups", "images", "secrets", "containers", "orders")
ARGUMENTS = {
    **AUTH_ARGUMENTS,
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["exported", "imported"], "required": True},
    "method": {"type": "str", "choices": list(seal.METHODS)},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "identity": {"type": "path"},
    "gnupg_home": {"type": "path"},
    "passphrase": {"type": "str", "no_log": True},
    "vault_id": {"type": "str"},
    **{name: {"type": "list", "elements": "str", "default": [], "no_log": False} for name in _LISTS},
    "everything": {"type": "bool", "default": False},
    "certificates": {"type": "bool", "default": False},
    "allow_less": {"type": "bool", "default": False},
    "relink": {"type": "bool", "default": True},
    "max_parallel": {"type": "int", "default": 4},
}


def main(params, check_mode, connect=client.connect):
    """Exports or imports."""
    path = os.path.abspath(params["path"])
    work = _export if params["state"] == "exported" else _import
    return work(params, check_mode, path, connect)


def _export(params, check_mode, path, connect):
    if not params["method"]:
        raise InputError("An export needs method")
    sealer = seal.sealer_of(params["method"], params)
    barbican = Barbican(connect(params, parallel=params["max_parallel"]))
    wanted = Collector(barbican.cloud, barbican, params).collect()
    if not wanted.uses:
        return Result(values=_values(path, omitted=wanted.omitted))
    parallel = params["max_parallel"]
    todo = export.prepare(barbican, wanted, sealer, path, parallel=parallel, less=params["allow_less"])
    failed, plan = todo.failed, todo.plan
    if plan and not check_mode:
        failed = export.write(barbican, todo, sealer, parallel)
    return Result(
        changed=bool(plan) and not failed,
        plan=plan,
        diff=views.diff(plan),
        steps_done=0 if check_mode or failed else len(plan),
        values=_values(path, count=len(wanted.keys), omitted=wanted.omitted, failed_secrets=_pairs(failed)),
        failed=_reasons(failed, "Nothing was written"),
    )


def _import(params, check_mode, path, connect):
    sealed = bundle.read(path)
    # Before anybody is asked: a wrong key or a changed file must not touch anything.
    content = bundle.opened(sealed, seal.sealer_of(sealed.method, params, opens=True))
    barbican = Barbican(connect(params, parallel=params["max_parallel"]))
    importer = adopt.Importer(barbican, params["max_parallel"])
    todo = importer.look(content, relink=params["relink"])
    plan, missing, present, images = todo.plan, [one.id for one in todo.missing], sorted(todo.ids), list(todo.images)
    done, failed = 0, {}
    if plan and not check_mode:
        done = importer.apply(todo)
        images, failed = importer.relink(todo)
        done += len(images)
    failed = {**todo.failed, **failed}
    return Result(
        changed=bool(plan) if check_mode else bool(done),
        plan=plan,
        diff=views.diff(plan),
        steps_done=done,
        values=_values(
            path,
            count=len(content.secrets),
            ids=dict(sorted(todo.ids.items())),
            containers=dict(sorted(todo.groups.items())),
            imported=sorted(key for key in missing if key not in failed),
            present=present,
            relinked=[
                {"image": one.id, "property": one.property, "before": one.key, "after": todo.new(one.key)}
                for one in images
            ],
            unlinked=[{**one.as_dict(), "reason": adopt.CANNOT[one.kind]} for one in todo.stuck],
            failed_secrets=_pairs(failed),
        ),
        failed=_reasons(failed, ""),
    )


def _values(path, **given):
    lists = ("imported", "present", "relinked", "unlinked", "omitted", "failed_secrets")
    return {"path": path, "count": 0, "ids": {}, "containers": {}, **{name: [] for name in lists}, **given}


def _pairs(reasons):
    return [{"id": key, "reason": reason} for key, reason in sorted(reasons.items())]


def _reasons(failed, first):
    lines = [f"{key}: {reason}" for key, reason in sorted(failed.items())]
    return "\n".join([first, *lines] if first and lines else lines)


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
