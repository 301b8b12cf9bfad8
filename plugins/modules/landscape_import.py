# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: import a landscape from tables or from NetBox."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_import
short_description: Make a landscape of tables as people have them, or of NetBox
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Reads CSV files, the tables inside Markdown documents, or exports of NetBox, and writes a landscape of them. Columns
    and kinds of tables are recognised by their usual names; a mapping says what is called otherwise.
  - Facts of several tables about one device are joined by its name. A cable that is listed from both ends is written
    once. Addresses, AS numbers and names that follow from an index are not written at all; what differs from them is.
  - Nothing is dropped silently. Every row that cannot be used is reported with its file, line, content and reason, and
    the counts of used, merged and unused rows add up to the rows that were read. Contradictions between tables are
    reported; facts that only observe (host variables, uplinks, rack tables) are kept beside the landscape in the
    folder C(_observed), so that M(scs.landscape.landscape_validate) can compare them.
  - A landscape that was edited by hand is not overwritten.
  - How to import tables of your own is told in
    L(docs/import.md,https://github.com/SovereignCloudStack/scs-landscape/blob/main/docs/import.md).
extends_documentation_fragment:
  - scs.landscape.attributes
requirements:
  - PyYAML (comes with ansible-core)
options:
  format:
    description:
      - What O(src) holds. V(tables) are CSV files (C(.csv), C(.tsv)) and Markdown documents (C(.md)).
      - V(netbox) are answers of NetBox's REST API (C(.json), NetBox 3.7 to 4.x), or data of C(netbox-manager) (C(.yml)).
    type: str
    choices: [tables, netbox]
    default: tables
  src:
    description:
      - The files to import. The order counts where tables contradict each other, the first one wins.
    type: list
    elements: path
    required: true
  dest:
    description:
      - Where the landscape is written. A name that ends in C(.yml) or C(.yaml) is one file, any other name a folder of
        several files.
    type: path
    required: true
  mapping:
    description:
      - What the names of files, columns and cells do not tell.
      - C(tables) names files (C(lab.md#2) is the second table of a document), each with C(kind) (V(devices), V(racks),
        V(cables), V(power), V(networks), V(ranges), V(groups), V(host_vars) or V(uplinks)), C(columns) (column to field,
        or to a list of fields; an empty list passes the column over) and C(into) (V(landscape), V(observed) or both).
      - C(values) translates cells, by field (V(role), V(model), V(environment), V(feed), V(groups), V(purpose), V(link),
        V(state)).
    type: dict
    default: {}
  base:
    description:
      - Landscape files with what the tables do not say, usually device models, roles, the naming standard and the
        purposes of networks. What they say wins over the tables.
    type: list
    elements: path
    default: []
  naming:
    description:
      - The naming standard of devices, a regular expression with the groups C(site), C(role), C(rack) and C(unit), as in
        C(naming.pattern) of a landscape. It tells own devices from foreign ones, and gives racks and roles.
    type: str
    default: ''
  defaults:
    description:
      - What holds for devices where no table says it, any of C(environment), C(role), C(rack) and C(site).
    type: dict
    default: {}
  header:
    description:
      - Comment lines at the top of every file, for example a licence.
    type: list
    elements: str
    default: []
  overwrite:
    description:
      - Replace files that somebody else wrote, or changed since the last import.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Import the tables of the lab's wiki into a new folder
  scs.landscape.landscape_import:
    src: [tables/devices.csv, tables/cables.csv, tables/rack.md]
    base: [models.yml, roles.yml]
    dest: landscape/
    naming: '(?P<site>[a-z]{2}\d{2})-(?P<role>[a-z0-9]+)-(?P<rack>r\d{2})-u(?P<unit>\d{2})'
    mapping:
      values:
        role: {SW LEAF: leaf, SW SPINE: spine}
  register: imported
  delegate_to: localhost

- name: Show the rows that could not be used
  ansible.builtin.debug:
    msg: "{{ imported.reports | selectattr('kind', 'eq', 'unused') }}"

- name: Import an export of NetBox into one file
  scs.landscape.landscape_import:
    format: netbox
    src: "{{ query('ansible.builtin.fileglob', 'netbox-export/*.json') }}"
    dest: landscape.yml
  delegate_to: localhost
"""

RETURN = r"""
counts:
  description:
    - Rows by table (or objects by NetBox endpoint) and in C(total). C(rows) is the sum of C(used), C(merged) and
      C(unused).
  returned: success
  type: dict
  sample:
    cables.csv: {rows: 152, used: 113, merged: 22, unused: 17}
    total: {rows: 456, used: 416, merged: 22, unused: 18}
reports:
  description:
    - Everything worth knowing about single rows. C(kind) is V(unused), V(merged), V(contradiction), V(cell) (one cell of
      a used row was refused), V(column) (nobody asked for it) or V(note) (something was assumed).
  returned: success
  type: list
  elements: dict
  sample:
    - kind: unused
      file: cables.csv
      row: 138
      reason: it has no far end
      content: "st01-sw10g-r01-u39 |  |  |  |  |  |  | "
files:
  description: The files of the landscape, relative to O(dest).
  returned: success
  type: list
  elements: str
plan:
  description: Digest, impact and steps, one for each file that is written or removed.
  returned: success
  type: dict
steps_done:
  description: Number of files written or removed.
  returned: success
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import (
    build,
    client,
    netbox,
    settings,
    tables,
)

ARGUMENTS = {
    "format": {"type": "str", "choices": ["tables", "netbox"], "default": "tables"},
    "src": {"type": "list", "elements": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "mapping": {"type": "dict", "default": {}},
    "base": {"type": "list", "elements": "path", "default": []},
    "naming": {"type": "str", "default": ""},
    "defaults": {"type": "dict", "default": {}},
    "header": {"type": "list", "elements": "str", "default": []},
    "overwrite": {"type": "bool", "default": False},
}


def main(params, check_mode):
    """Reads, imports, and writes what differs."""
    told = settings.settings(params["mapping"], client.base(params["base"]), params["defaults"], params["naming"])
    texts, remarks = client.texts(params["src"])
    if params["format"] == "netbox":
        imported = netbox.from_exports({name: client.parsed(name, text) for name, text in texts.items()}, told)
    else:
        read = [table for name, text in texts.items() for table in tables.read(name, text)]
        imported = build.from_tables(read, told)
    path, file = client.destination(params["dest"])
    desired = client.contents(imported.document, imported.observed, file, params["header"])
    folder = files.Folder(path, f"landscape_import-{file}" if file else "landscape_import")
    kept = [] if params["overwrite"] else folder.edited(desired)
    if kept:
        hint = "Set overwrite: true to replace them, or write to a new folder and compare"
        raise InputError(f"Files below {folder.path} were not written by an import: {', '.join(kept)}", hint=hint)
    plan = folder.plan(desired, adopt=True)
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else folder.apply(plan, desired),
        warnings=remarks + build.summary(imported),
        values={
            "counts": imported.counts,
            "reports": [report.as_dict() for report in imported.reports],
            "files": sorted(desired),
        },
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
