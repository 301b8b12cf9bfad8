# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: report what a drill or a rebuild did."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_report
short_description: Report what a drill or a rebuild did, with pictures
version_added: 0.5.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Puts together what restores, proofs and servers that were made again returned. It draws the chains of backups and the times of
    restores, and says what needs a hand.
  - Writes it as JSON, Markdown, JUnit and one HTML file that needs nothing from elsewhere, into a folder of its own for every run,
    and returns the lines that a person reads on the terminal.
  - It asks no service. Writing a report does not count as a change. In check mode nothing is written.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.report_folder
options:
  title:
    description: Title of the report.
    type: str
    required: true
  kind:
    description: Word in the name of the folder.
    type: str
    choices: [restore_drill, dr_rebuild, backup_run]
    default: restore_drill
  volumes:
    description: What M(scs.landscape.volume_backup_info) returned as RV(scs.landscape.volume_backup_info#module:volumes).
    type: list
    elements: dict
    default: []
  chains:
    description: What M(scs.landscape.volume_backup_info) returned as RV(scs.landscape.volume_backup_info#module:chains).
    type: list
    elements: dict
    default: []
  names:
    description:
      - Names of volumes that are gone, by id, as M(scs.landscape.volume_backup_choice) returned them as
        RV(scs.landscape.volume_backup_choice#module:names).
    type: dict
    default: {}
  only:
    description: Ids of the volumes that the report is about. All when empty.
    type: list
    elements: str
    default: []
  restores:
    description: What M(scs.landscape.volume_backup_restore) returned as RV(scs.landscape.volume_backup_restore#module:restores).
    type: list
    elements: dict
    default: []
  verified:
    description: What M(scs.landscape.volume_backup_verify) returned as RV(scs.landscape.volume_backup_verify#module:verified).
    type: list
    elements: dict
    default: []
  servers:
    description: What M(scs.landscape.server_recreate) returned as RV(scs.landscape.server_recreate#module:servers).
    type: list
    elements: dict
    default: []
  missing:
    description:
      - What M(scs.landscape.volume_backup_choice) returned as RV(scs.landscape.volume_backup_choice#module:missing). Each is a
        warning of the report.
    type: list
    elements: dict
    default: []
  problems:
    description: Further sentences that the report shows as failures.
    type: list
    elements: str
    default: []
seealso:
  - module: scs.landscape.volume_backup_choice
  - module: scs.landscape.volume_backup_info
"""

EXAMPLES = r"""
- name: Look at all backups
  scs.landscape.volume_backup_info:
    cloud: shop
  register: backups
  delegate_to: localhost

- name: Draw their chains
  scs.landscape.backup_report:
    title: Backups of the shop
    kind: backup_run
    dest: backup-reports
    volumes: "{{ backups.volumes }}"
    chains: "{{ backups.chains }}"
  delegate_to: localhost
"""

RETURN = r"""
status:
  description: V(failed), V(warning) or V(passed).
  returned: success
  type: str
summary:
  description: Lines for the terminal.
  returned: success
  type: list
  elements: str
files:
  description: The files of the report by form.
  returned: success
  type: dict
  sample: {"html": "backup-reports/2026-11-22T05-01-13-restore_drill-4f1c/report.html"}
facts:
  description: The figures of the report.
  returned: success
  type: dict
plan:
  description: Always empty, a report is no change.
  returned: always
  type: dict
steps_done:
  description: Always 0.
  returned: always
  type: int
"""

import datetime
import secrets

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.landscape.deployment import files
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import model, report

_LIST = {"type": "list", "elements": "dict", "default": []}
_DICT = {"type": "dict", "default": {}}
ARGUMENTS = {
    "title": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": ["restore_drill", "dr_rebuild", "backup_run"], "default": "restore_drill"},
    "dest": {"type": "path"},
    "keep": {"type": "int", "default": 20},
    "volumes": _LIST,
    "chains": _LIST,
    "names": _DICT,
    "only": {"type": "list", "elements": "str", "default": []},
    "restores": _LIST,
    "verified": _LIST,
    "servers": _LIST,
    "missing": _LIST,
    "problems": {"type": "list", "elements": "str", "default": []},
    "clock": _DICT,
}


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def main(params, check_mode, now=_now):
    """Puts the report together and writes it."""
    moment, only = now(), params["only"]
    stages = files.stages(params["clock"], moment.timestamp())
    began = moment - datetime.timedelta(seconds=sum(seconds for _name, seconds in stages))
    rows = model.rows_of(params["volumes"], params["chains"], params["names"])
    hands = [("warning", str(one.get("name", "")), str(one.get("reason", ""))) for one in params["missing"]]
    deed = model.Deed(
        params["title"],
        f"{began:%Y-%m-%d %H:%M}",
        tuple(row for row in rows if not only or row.id in only),
        model.trials_of(params["restores"], params["verified"], rows),
        model.machines_of(params["servers"]),
        tuple(stages),
        (*(("failed", "", text) for text in params["problems"]), *hands),
    )
    made, summary, written = report.report_of(deed), report.summary_of(deed), {}
    if params["dest"] and not check_mode:
        run = f"{began:%Y-%m-%dT%H-%M-%S}-{params['kind']}-{secrets.token_hex(2)}"
        written = files.write(params["dest"], run, made, summary=summary, keep=params["keep"])
        summary.insert(-1, f"Report    {written['html']}")
    return Result(
        values={"status": made.status, "summary": summary, "files": written, "facts": dict(made.facts)},
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
