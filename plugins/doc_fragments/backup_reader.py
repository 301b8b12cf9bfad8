# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How a module reads the bytes of volumes."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.backup_reader``."""

    DOCUMENTATION = r"""
options:
  digests:
    description:
      - Folder with the lists of block digests that were taken of volumes when they were backed up, where the task runs.
      - A list is named after its own digest, which also stands in the metadata of its backup. A list that was changed or
        swapped is therefore found out. Keep the folder elsewhere than the backups.
    type: path
  reader:
    description:
      - Where the bytes of volumes can be read. Reading is done where the task runs, so run it on a host that sees them.
      - In templates C({id}) is the id of the volume, C({id20}) its first 20 characters, and C({snapshot}) the id of a
        snapshot.
    type: dict
    suboptions:
      kind:
        description:
          - V(file) reads raw files, those of Cinder's NFS driver for example.
          - V(device) reads block devices, those of attached volumes for example.
          - V(rbd) reads images of Ceph by C(rbd export).
          - V(attachment) lets Cinder attach volumes to this machine and say where they are. It is for
            M(scs.landscape.volume_backup_verify), whose volumes nobody else needs. Files of file drivers are found below their
            mounts, images of Ceph are read by C(rbd export).
        type: str
        choices: [file, device, rbd, attachment]
        required: true
      path:
        description:
          - Template of the path for V(file) and V(device), with C({id}) or C({id20}). C(*) and C(?) may stand for the names
            of folders.
        type: str
      snapshot_path:
        description: Template of the path of a snapshot, with C({snapshot}).
        type: str
      pool:
        description: Pool of the images, for V(rbd).
        type: str
      image:
        description: Template of the name of an image.
        type: str
        default: volume-{id}
      snapshot:
        description: Template of the name of a snapshot of an image.
        type: str
        default: snapshot-{snapshot}
      conf:
        description: Path of C(ceph.conf).
        type: path
      user:
        description: Name of the client of Ceph, without C(client.).
        type: str
      mounts:
        description: For V(attachment), folders by the export that is mounted there. What the kernel shows as mounted needs no entry.
        type: dict
        default: {}
      stall:
        description: Seconds without a byte after which reading is given up, for V(rbd).
        type: int
        default: 120
"""
