# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: document a landscape."""

from __future__ import annotations

DOCUMENTATION = r"""
module: landscape_docs
short_description: Document a landscape in Markdown and pictures
version_added: 0.1.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Writes pages about a landscape for people who stand in front of it. An index with all findings, an elevation of
    every rack, the topology, the fabric, cable lists, power, every network with its addresses, environments, device models, and
    a page for every device.
  - Pages are Markdown with SVG pictures that need nothing from elsewhere; they fit A4 or A3 paper.
  - The same landscape gives the same bytes, in whatever order its objects are written. A changed cable changes its
    rows and its line and nothing else, so that version control shows what was changed.
  - A landscape that cannot be read as a whole is refused before anything is written. What contradicts itself in a
    readable landscape is shown on the pages; use M(scs.landscape.landscape_validate) to stop on it.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.folder
  - scs.landscape.source
options:
  dest:
    description:
      - Folder of the pages. It is made when it is missing.
      - Other files in it are left alone. The folder C(.scs-landscape) in it says which files are ours; it belongs into
        version control together with the pages.
    type: path
    required: true
  title:
    description:
      - Title of the index page. The title of the landscape when absent.
    type: str
  include:
    description:
      - What to write besides C(index.md).
    type: list
    elements: str
    choices: [racks, topology, fabric, cables, power, addresses, devices, environments, models]
    default: [racks, topology, fabric, cables, power, addresses, devices, environments, models]
  svg:
    description:
      - Whether pictures are drawn. Without them the same facts stand in tables.
    type: bool
    default: true
  front_matter:
    description:
      - Keys for the head of every page (YAML between C(---) lines), as Docusaurus, MkDocs and Jekyll read it. The
        title is added. An empty dictionary gives a head with the title alone, no value gives no head.
    type: dict
  prune:
    description:
      - Remove pages that an earlier run wrote and that are not part of the documentation any more. A page that was
        changed by hand since stays.
    type: bool
    default: true
  stale:
    description:
      - What to do in check mode when a page is out of date. V(fail) makes the task a gate for CI.
      - Has no effect outside check mode.
    type: str
    choices: [report, fail]
    default: report
  as_of:
    description:
      - Day (C(YYYY-MM-DD)) on which waivers are judged. Today when absent.
    type: str
seealso:
  - module: scs.landscape.landscape_validate
"""

EXAMPLES = r"""
- name: Document the lab
  scs.landscape.landscape_docs:
    src: examples/scs-lab
    dest: build/pages
  delegate_to: localhost

- name: Fail in CI when somebody changed the landscape without its pages
  scs.landscape.landscape_docs:
    src: [landscape/]
    dest: docs/landscape
    stale: fail
  check_mode: true
  delegate_to: localhost

- name: Only what remote hands need, for a Docusaurus site
  scs.landscape.landscape_docs:
    src: [landscape/]
    dest: website/docs/lab
    include: [racks, cables, power]
    front_matter:
      sidebar_class_name: generated
  delegate_to: localhost
"""

RETURN = r"""
pages:
  description: All files of the documentation, relative to O(dest).
  returned: success
  type: list
  elements: str
  sample: [cables.md, index.md, racks/r01.md, racks/r01.svg]
stale:
  description: Files that were (in check mode, are) out of date, missing, or not wanted any more.
  returned: success
  type: list
  elements: str
  sample: [cables.md, topology.svg]
findings:
  description:
    - What the pages say is wrong with the landscape; see RV(scs.landscape.landscape_validate#module:findings).
    - When the landscape cannot be read, why.
  returned: always
  type: list
  elements: dict
plan:
  description: Digest, impact and steps, one for each file that is written or removed.
  returned: always
  type: dict
steps_done:
  description: Number of files written or removed.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files, units
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive, findings_report
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model, tables
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate

ARGUMENTS = {
    "src": {"type": "list", "elements": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "title": {"type": "str"},
    "include": {
        "type": "list",
        "elements": "str",
        "choices": list(tables.SECTIONS),
        "default": list(tables.SECTIONS),
    },
    "svg": {"type": "bool", "default": True},
    "front_matter": {"type": "dict"},
    "prune": {"type": "bool", "default": True},
    "adopt": {"type": "bool", "default": False},
    "stale": {"type": "str", "choices": ["report", "fail"], "default": "report"},
    "as_of": {"type": "str"},
}


def main(params, check_mode):
    """Reads the landscape, makes the pages, writes what differs."""
    landscape, misread = client.load(params["src"])
    refused = validate.unwaived(misread, at_least="error")
    if refused:
        said = [finding.as_dict() for finding in misread]
        return Result(values={"findings": said}, failed=findings_report.failure(refused, limit=len(refused)))
    view = derive.resolve(landscape)
    findings = validate.check(view, misread, today=units.day_of(params["as_of"], "as_of"))
    options = model.Options(params["title"] or "", tuple(params["include"]), params["front_matter"], params["svg"])
    desired = build.pages(view, findings, options)
    folder = files.Folder(params["dest"], "landscape_docs")
    plan = folder.plan(desired, prune=params["prune"], adopt=params["adopt"])
    stale = [step.object for step in plan.steps]
    gate = f"{len(stale)} pages below {folder.path} are out of date: {', '.join(stale[:20])}. Run without check mode"
    return Result(
        changed=bool(plan),
        plan=plan,
        diff=files.diff_of(plan),
        steps_done=0 if check_mode else folder.apply(plan, desired),
        values={"pages": sorted(desired), "stale": stale, "findings": [finding.as_dict() for finding in findings]},
        failed=gate if check_mode and stale and params["stale"] == "fail" else "",
    )


if __name__ == "__main__":
    run_module(ARGUMENTS, main)
