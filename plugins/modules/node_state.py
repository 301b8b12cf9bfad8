# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: the baseline of a host as one plan."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_state
short_description: Bring a host to its baseline, all parts in one task
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Host name, hosts file, DNS, proxy, kernel settings, journald, rsyslog, chrony, sudo, authorised keys and packages of
    a host, read, planned and changed by one task.
  - A part without its option is left alone. A part with an empty option loses what this module wrote earlier, and
    nothing else. Lines written by hand stay where they are.
  - Files are replaced as a whole and never half written. A text that C(visudo) or C(rsyslogd) does not accept is not
    put in place. Services are told, and asked afterwards whether they took it.
  - A run that is killed is finished by the next one. What was there before the first run, and what is still owed to a
    service, is kept in C(/var/lib/scs-landscape/node_state.json) on the host. Passwords are not kept there.
  - Keys that are taken away and rules of sudo that change or do more than grant can lock us out. They come back by
    themselves after O(confirm_within) unless they are confirmed, which the action plugin of the same name does after a
    second login over a new SSH connection, with a key, has worked. Over other connections the play confirms with
    O(state=confirmed).
  - Needs root. Two runs on the same host wait for each other, for a bounded time.
extends_documentation_fragment:
  - scs.landscape.attributes
options:
  state:
    description: V(confirmed) keeps a change that waits for it, V(rolled_back) undoes it at once; all other options are ignored then.
    type: str
    choices: [present, confirmed, rolled_back]
    default: present
  token:
    description: Which change is meant by V(confirmed) and V(rolled_back), as returned. The one that waits when absent.
    type: str
  confirm_within:
    description: Seconds after which a change that could lock us out is undone unless it was confirmed.
    type: int
    default: 120
  hostname:
    description: Name of the host, in C(/etc/hostname) and in the kernel.
    type: str
  hosts:
    description: Entries of C(/etc/hosts), kept in a block of our own.
    type: list
    elements: dict
    suboptions:
      address:
        description: IPv4 or IPv6 address.
        type: str
        required: true
      names:
        description: Names of the address, the canonical one first.
        type: list
        elements: str
        required: true
  dns:
    description: Who is asked about names.
    type: dict
    suboptions:
      servers:
        description: Addresses of name servers. Without any the file we wrote is taken away.
        type: list
        elements: str
        default: []
      search:
        description: Domains that are tried for short names.
        type: list
        elements: str
        default: []
      options:
        description: Options of C(resolv.conf), for example V(timeout:2). Not used by systemd-resolved.
        type: list
        elements: str
        default: []
      method:
        description:
          - Where it is written. V(auto) takes systemd-resolved where C(/etc/resolv.conf) is its link, the file itself where
            it is a file, and refuses links of other programs.
        type: str
        choices: [auto, resolv_conf, resolved]
        default: auto
  proxy:
    description: Proxy for programs (C(/etc/environment)) and for the package manager.
    type: dict
    suboptions:
      http:
        description: URL for http. May hold a password, which every user of the host can read then.
        type: str
      https:
        description: URL for https.
        type: str
      no_proxy:
        description: Names, addresses and networks that are reached directly.
        type: list
        elements: str
        default: []
      packages:
        description: Whether the package manager uses the proxy, too.
        type: bool
        default: true
  sysctl:
    description:
      - Kernel settings, written to C(/etc/sysctl.d/80-scs-landscape.conf) and set at once.
      - A setting that the kernel does not have, or that a container cannot change, is a warning.
    type: dict
  journald:
    description: Settings of the section Journal of journald.conf(5), in a file of our own.
    type: dict
  rsyslog:
    description: Where rsyslog sends everything. Each target has a queue on disk, so that it may be away.
    type: dict
    suboptions:
      targets:
        description: Log servers.
        type: list
        elements: dict
        default: []
        suboptions:
          host:
            description: Name or address.
            type: str
            required: true
          port:
            description: Port.
            type: int
            default: 514
          protocol:
            description: Transport.
            type: str
            choices: [tcp, udp]
            default: tcp
  chrony:
    description: Time servers.
    type: dict
    suboptions:
      servers:
        description: Names or addresses of time servers.
        type: list
        elements: str
        default: []
      pools:
        description: Names that stand for several time servers.
        type: list
        elements: str
        default: []
      options:
        description: Options of each of them, see chrony.conf(5).
        type: str
        default: iburst
      exclusive:
        description: Whether the time servers of the distribution are commented out while ours are there.
        type: bool
        default: true
  sudo:
    description: Files in C(/etc/sudoers.d). Files that an earlier run wrote and that are not named any more are removed.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the file, without dots.
        type: str
        required: true
      lines:
        description: Lines of sudoers(5).
        type: list
        elements: str
        required: true
  authorized_keys:
    description:
      - Keys that may log in, in a block of our own in each user's C(authorized_keys).
      - Keys outside of the block were written by hand and are left alone.
    type: list
    elements: dict
    suboptions:
      user:
        description: Account, which must exist.
        type: str
        required: true
      key:
        description: Public key, one line.
        type: str
        required: true
      expires:
        description:
          - Last day the key works, as V(2026-12-31) in UTC, or a moment such as V(2026-12-31T18:00:00Z).
          - The SSH server refuses the key afterwards by itself; the next run takes it out.
        type: str
      options:
        description: Further options of the line, for example V(no-agent-forwarding).
        type: list
        elements: str
        default: []
  packages:
    description: Packages that are installed, all in one transaction.
    type: list
    elements: str
  packages_absent:
    description: Packages that are removed, in the same transaction.
    type: list
    elements: str
  package_wait:
    description: Seconds to wait for another program that holds the lock of the package manager.
    type: int
    default: 120
  lock_wait:
    description: Seconds to wait for another run of this module on the same host.
    type: int
    default: 10
seealso:
  - module: scs.landscape.sshd_dropin
"""

EXAMPLES = r"""
- name: Bring the host to its baseline
  scs.landscape.node_state:
    hostname: "{{ inventory_hostname }}"
    hosts: "{{ hostvars | scs.landscape.hosts_entries(groups['all']) }}"
    chrony:
      servers: [10.10.23.1, 10.10.23.2]
    sysctl:
      net.ipv4.ip_forward: 1
    authorized_keys:
      - user: dragon
        key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti operator@example.org
        expires: "2026-12-31"
  become: true

- name: Take away the time servers that an earlier run wrote
  scs.landscape.node_state:
    chrony: {}
  become: true
"""

RETURN = r"""
plan:
  description: Digest, impact and steps. In check mode what would be done.
  returned: success
  type: dict
steps_done:
  description: Number of steps done; 0 in check mode.
  returned: success
  type: int
armed:
  description: Whether something waits for a confirmation and will be undone without one.
  returned: success
  type: bool
token:
  description: Names the change that waits.
  returned: success
  type: str
confirm_within:
  description: Seconds until it is undone.
  returned: success
  type: int
rolled_back:
  description: Whether a change was undone.
  returned: success
  type: bool
platform:
  description: Distribution that was found.
  returned: success
  type: str
  sample: Debian 12
proven:
  description: Whether the collection is tested on real machines of this platform.
  returned: success
  type: bool
seconds:
  description: How long the run took on the host.
  returned: success
  type: float
problems:
  description: Everything that was refused, one by one.
  returned: failure
  type: list
  elements: str
"""

import time

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.node import baseline, plan
from ansible_collections.scs.landscape.plugins.module_utils.node.client import Host


def main(params, check_mode, host):
    """Brings this host to its baseline."""
    began, options = time.monotonic(), dict(params)
    state, token = options.pop("state"), options.pop("token") or ""
    if state != "present":
        return decide(baseline.guard_of(host), state, token, check_mode)
    waits = {"patience": options.pop("lock_wait"), "package_wait": options.pop("package_wait")}
    within = options.pop("confirm_within")
    done = baseline.run(host, options, check=check_mode, confirm_within=within, **waits)
    return Result(
        changed=bool(done.plan),
        plan=done.plan,
        diff=plan.diff_of(done.plan),
        steps_done=done.steps_done,
        warnings=done.warnings,
        values={
            "platform": done.platform,
            "proven": done.proven,
            "seconds": round(time.monotonic() - began, 3),
            "armed": bool(done.token),
            "token": done.token,
            "confirm_within": within,
            "rolled_back": False,
        },
    )


def decide(guard, state, token, check_mode):
    """Keeps or undoes a change that waits."""
    waiting = bool(guard.armed())
    if check_mode:
        return Result(changed=waiting)
    if state == "rolled_back":
        undone = guard.roll_back(token)
        return Result(changed=undone, values={"rolled_back": undone, "armed": False})
    if not guard.confirm(token):
        raise LandscapeError("No change waits for a confirmation: it was confirmed before, or undone in time")
    return Result(changed=True, steps_done=1, values={"rolled_back": False, "armed": False})


def strings(**more):
    """A list of texts."""
    return {"type": "list", "elements": "str", **more}


def dicts(**suboptions):
    """A list of dictionaries."""
    return {"type": "list", "elements": "dict", "options": suboptions}


SPEC = {
    "state": {"type": "str", "choices": ["present", "confirmed", "rolled_back"], "default": "present"},
    "token": {"type": "str", "no_log": False},
    "confirm_within": {"type": "int", "default": 120},
    "hostname": {"type": "str"},
    "hosts": dicts(address={"type": "str", "required": True}, names=strings(required=True)),
    "dns": {
        "type": "dict",
        "options": {
            "servers": strings(default=[]),
            "search": strings(default=[]),
            "options": strings(default=[]),
            "method": {"type": "str", "choices": ["auto", "resolv_conf", "resolved"], "default": "auto"},
        },
    },
    "proxy": {
        "type": "dict",
        "options": {
            "http": {"type": "str", "no_log": True},
            "https": {"type": "str", "no_log": True},
            "no_proxy": strings(default=[]),
            "packages": {"type": "bool", "default": True},
        },
    },
    "sysctl": {"type": "dict"},
    "journald": {"type": "dict"},
    "rsyslog": {
        "type": "dict",
        "options": {
            "targets": {
                "default": [],
                **dicts(
                    host={"type": "str", "required": True},
                    port={"type": "int", "default": 514},
                    protocol={"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
                ),
            }
        },
    },
    "chrony": {
        "type": "dict",
        "options": {
            "servers": strings(default=[]),
            "pools": strings(default=[]),
            "options": {"type": "str", "default": "iburst"},
            "exclusive": {"type": "bool", "default": True},
        },
    },
    "sudo": dicts(name={"type": "str", "required": True}, lines=strings(required=True)),
    "authorized_keys": {
        "no_log": False,
        **dicts(
            user={"type": "str", "required": True},
            key={"type": "str", "required": True, "no_log": False},
            expires={"type": "str"},
            options=strings(default=[]),
        ),
    },
    "packages": strings(),
    "packages_absent": strings(),
    "package_wait": {"type": "int", "default": 120},
    "lock_wait": {"type": "int", "default": 10},
}


if __name__ == "__main__":
    run_module(SPEC, main, client=Host)
