# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How a module logs in to an ESXi host or a vCenter."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.vmware``."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Name or address of an ESXi host or of a vCenter.
    type: str
    required: true
  port:
    description:
      - Port of its HTTPS service.
    type: int
    default: 443
  username:
    description:
      - User. Reading needs the role C(Read-only); what else a module needs is said there.
    type: str
    required: true
  password:
    description:
      - Password of the user. It is sent once the other end has proven who it is, and to nobody else.
    type: str
    required: true
  validate_certs:
    description:
      - Whether the certificate of the other end is checked. Without, whoever sits in between reads the password.
      - For an ESXi host with the certificate that it made itself, leave this on and set O(thumbprint_sha256).
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of authorities to trust. Those of the system when it is left out.
    type: path
  thumbprint_sha256:
    description:
      - SHA-256 thumbprint of the certificate of the other end, 64 hexadecimal digits, with colons or without. It counts
        instead of authorities, names and O(validate_certs), and is compared on every connection before anything is sent.
      - An ESXi host shows it at its console, or with C(openssl x509 -in /etc/vmware/ssl/rui.crt -fingerprint -sha256 -noout).
    type: str
  timeout:
    description:
      - Seconds that the other end may keep silent before a call counts as lost.
    type: int
    default: 60
requirements:
  - pyvmomi >= 8.0.3.0.1
notes:
  - The module logs in once for all VMs of a task and logs out at its end. A session that ran out meanwhile is renewed for calls
    that only read.
  - A VM is named by its instance UUID, its managed object id (V(vm-42)), its path (V(/DC0/vm/web)) or its name where no other VM of
    the endpoint has it.
"""
