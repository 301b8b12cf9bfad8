# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ansible module: plan a change of SONiC switches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sonic_plan
short_description: Plan the change of SONiC switches, row by row and for a whole fabric
version_added: 0.2.0
author: SCS landscape maintainers (@SovereignCloudStack)
description:
  - Compares the configurations of switches (C(config_db.json)) with others, or with what a landscape wants, and returns the
    ordered writes that lead from one to the other. No switch is touched.
  - Every write has its impact and the reason for it. Parents are made before children, ports are shut before their lanes change,
    fields that daemons read only once mean that the row is removed and made again.
  - Says where SONiC's own updater would refuse the change, and what is needed besides writing rows.
  - Switches are put into waves by the redundancy groups of the landscape. Two members of a group are never in one wave, and
    spines go one by one.
extends_documentation_fragment:
  - scs.landscape.attributes
  - scs.landscape.sonic
options:
  before:
    description:
      - Files or folders with the configurations as they are, one C(.json) file for each switch. The name of a file is the name of
        the switch. A file called C(config_db.json) belongs to the switch that its folder is called after.
    type: list
    elements: path
  before_landscape:
    description: Landscape files or folders to render the configurations from, instead of O(before).
    type: list
    elements: path
  after:
    description: Files or folders with the configurations as they are meant to be.
    type: list
    elements: path
  after_landscape:
    description: Landscape files or folders to render the configurations from, instead of O(after).
    type: list
    elements: path
  landscape:
    description: Landscape that tells the redundancy groups. O(after_landscape), else O(before_landscape), when absent.
    type: list
    elements: path
  switches:
    description: Only these switches. All that stand on both sides when empty.
    type: list
    elements: str
    default: []
  release:
    description:
      - SONiC release the configurations are for.
      - When absent, the one that a configuration names (C(VERSIONS)). A landscape is rendered for the release of the configuration
        it is compared with, switch by switch, and for V(202605) where none is named.
      - A switch of one release with a configuration meant for another is refused.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
  missing_tables:
    description:
      - What is meant by a table that the wanted configuration does not have at all. V(keep) leaves it as it is, and so the fields
        that a switch fills in by itself (its MAC address). V(remove) plans its end.
      - V(keep) is about what an operator added. A landscape, or a file that M(scs.landscape.sonic_render) wrote into a folder, speaks for the
        whole of ports, VLANs, addresses, tunnels and routing, and a landscape with services for those, so of these nothing is
        kept. How a switch is managed and who may log in is replaced where the landscape says it, and never removed.
      - So it is between files, and between two landscapes. What stays is returned (RV(kept)), and a warning names tables that a
        landscape may write and does not speak of any more.
    type: str
    choices: [keep, remove]
    default: keep
  ignore_tables:
    description: Tables that daemons write by themselves. They are left out of the plan.
    type: list
    elements: str
    default: [BUFFER_PG, BUFFER_PROFILE, FLEX_COUNTER_TABLE, LOGGER, SYSTEM_DEFAULTS, VERSIONS]
  speeds:
    description:
      - Speeds in Mbit/s that ports support, by switch and port, as the switches say themselves (C(supported_speeds) of
        C(PORT_TABLE) in STATE_DB). A change to another speed is refused.
      - Of ports that are not named, the port map of their hardware says it, where this collection knows it.
    type: dict
    default: {}
  yang_dir:
    description:
      - Folder with the YANG models of the release, or with one folder of models for each release. The configurations that the plan
        leads to are judged by them, and refused when they are not valid. Needs the program C(yanglint).
    type: path
  max_impact:
    description:
      - Fail when a write does more than this. The plan is returned all the same.
      - V(none) nobody notices, V(degraded) less bandwidth or a service restarts, V(interrupted) links or sessions go down,
        V(unreachable) the switch may not be reached any more.
    type: str
    choices: [none, degraded, interrupted, unreachable, destroyed]
    default: destroyed
  parallel:
    description: At most so many switches in one wave. V(0) means a third of those that change.
    type: int
    default: 0
  reports:
    description:
      - Files to write the plan to, without secrets. The ending says the form, one of C(.json), C(.md), C(.xml) (JUnit) or C(.html).
    type: list
    elements: path
    default: []
  on_finding:
    description:
      - What to do about errors in a landscape that a side is rendered from, by the rules of M(scs.landscape.landscape_validate).
      - V(fail) plans nothing, as M(scs.landscape.sonic_render) would render nothing, V(warn) says them, V(ignore) does not look.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  as_of:
    description: Day (C(YYYY-MM-DD)) on which waivers are judged. Today when absent.
    type: str
seealso:
  - module: scs.landscape.sonic_render
  - module: scs.landscape.sonic_convert
"""

EXAMPLES = r"""
- name: What would the landscape change on the switches as they were backed up last night
  scs.landscape.sonic_plan:
    before: [backups/]
    after_landscape: [landscape/]
    reports: [build/plan.md, build/plan.html]
  register: fabric_change
  delegate_to: localhost

- name: Refuse a merge request that takes links down
  scs.landscape.sonic_plan:
    before_landscape: [main/landscape/]
    after_landscape: [landscape/]
    max_impact: degraded
  delegate_to: localhost

- name: The order of rows between two files
  scs.landscape.sonic_plan:
    before: [yesterday/leaf1.json]
    after: [today/leaf1.json]
    missing_tables: remove
  delegate_to: localhost
"""

RETURN = r"""
plan:
  description: Digest, worst impact, and the steps of all switches in the order they are meant to go. Secrets are masked.
  returned: always
  type: dict
waves:
  description:
    - Switches that may be changed at the same time, one wave after the other, and what is waited for before each.
    - Between two landscapes new switches stand in the first wave, before their far ends expect them, and retired ones in the last,
      when no far end leads to them any more. They have no steps.
  returned: success
  type: list
  elements: dict
  sample: [{switches: [leaf1], gate: the partners of these switches forward; nothing else is being changed, kind: change}]
switches:
  description: For every switch its impact, what is needed besides, obstacles, steps with reasons, and the patch (RFC 6902).
  returned: success
  type: dict
  sample: {leaf1: {impact: none, kinds: [], needs: [], obstacles: [], steps: [], patch: []}}
refusals:
  description: Why the plan is not to be carried out as it is.
  returned: success
  type: list
  elements: str
unmatched:
  description: Switches that stand on one side only. They are not planned row by row.
  returned: success
  type: dict
  sample: {before: [], after: [leaf9]}
kept:
  description:
    - By switch and table, the keys of rows that stay as they are because what is wanted does not speak for their table. Secret keys
      are masked.
  returned: success
  type: dict
  sample: {oob1: {TACPLUS: [global], TACPLUS_SERVER: [192.0.2.5]}}
steps_done:
  description: Number of reports written. The steps of the plan are never carried out.
  returned: always
  type: int
"""

from ansible_collections.scs.landscape.plugins.module_utils.adapter import Result, run_module
from ansible_collections.scs.landscape.plugins.module_utils.core import files, units
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import fleet, inspection, plan, plan_report, targets
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import RELEASE_NAMES


def _planned(compared, params):
    """The plan of each switch."""
    pairs = compared.targets() if params["missing_tables"] == "keep" else compared.pairs
    release = params["release"] or ""
    wanted = {name: after for name, (_before, after) in pairs.items()}
    faults = inspection.faults(wanted, release, params["yang_dir"] or "")
    return [
        plan.plan_switch(
            name,
            before,
            after,
            release,
            ignore=params["ignore_tables"],
            speeds=targets.speeds(after, params["speeds"].get(name)),
            faults=faults.get(name, ()),
        )
        for name, (before, after) in pairs.items()
    ]


def main(params, check_mode):
    """Reads both sides, plans, reports."""
    impact = Impact[params["max_impact"].upper()]
    told = {side: fleet.Side(params[side] or [], params[f"{side}_landscape"] or []) for side in ("before", "after")}
    rendering = fleet.Rendering(
        params["release"] or "",
        tuple(params["switches"]),
        params["unmodelled"],
        params["secrets"],
        params["on_finding"],
        units.day_of(params["as_of"], "as_of"),
    )
    compared = fleet.compare(told["before"], told["after"], params["landscape"] or [], rendering)
    kept = compared.kept(params["ignore_tables"]) if params["missing_tables"] == "keep" else {}
    parallel, coming, going = params["parallel"], compared.new, compared.retired
    fabric = plan.plan_fabric(_planned(compared, params), compared.groups, parallel, new=coming, retired=going)
    refusals = plan_report.refusals(fabric, impact)
    reports = files.plan_paths(plan_report.written(fabric, params["reports"], impact, kept))
    return Result(
        changed=bool(reports),
        plan=fabric.plan,
        diff=[one.text_diff() for one in fabric.switches.values() if one.changes],
        steps_done=0 if check_mode else files.apply_paths(reports),
        warnings=compared.warnings + compared.staying(kept),
        values={
            "waves": [wave.as_dict() for wave in fabric.waves],
            "switches": {name: one.as_dict() for name, one in fabric.switches.items()},
            "refusals": refusals,
            "unmatched": compared.unmatched,
            "kept": kept,
        },
        failed=f"The plan is refused: {'; '.join(refusals[:20])}" if refusals else "",
    )


if __name__ == "__main__":
    paths = {"type": "list", "elements": "path"}
    names = {"type": "list", "elements": "str"}
    run_module(
        {
            "before": paths,
            "before_landscape": paths,
            "after": paths,
            "after_landscape": paths,
            "landscape": paths,
            "switches": {**names, "default": []},
            "release": {"type": "str", "choices": list(RELEASE_NAMES)},
            "unmodelled": {"type": "bool", "default": False},
            "secrets": {
                "type": "dict",
                "default": {},
                "no_log": True,
                "options": {
                    "snmp_communities": {"type": "list", "elements": "str", "default": [], "no_log": True},
                    "tacacs_passkey": {"type": "str", "no_log": True},
                },
            },
            "missing_tables": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
            "ignore_tables": {**names, "default": list(plan.RUNTIME_OWNED)},
            "max_impact": {
                "type": "str",
                "choices": ["none", "degraded", "interrupted", "unreachable", "destroyed"],
                "default": "destroyed",
            },
            "parallel": {"type": "int", "default": 0},
            "speeds": {"type": "dict", "default": {}},
            "yang_dir": {"type": "path"},
            "reports": {**paths, "default": []},
            "on_finding": {"type": "str", "choices": ["fail", "warn", "ignore"], "default": "fail"},
            "as_of": {"type": "str"},
        },
        main,
        mutually_exclusive=[("before", "before_landscape"), ("after", "after_landscape")],
        required_one_of=[("before", "before_landscape"), ("after", "after_landscape")],
    )
