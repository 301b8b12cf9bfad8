# SPDX-License-Identifier: Apache-2.0
"""Writes docs/rules.md from the catalogue of rules and the model of observed facts; ``--check`` only compares.

python3 -m tests.tools.gen_rules_page [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from . import gen_schema, pages  # isort: skip - gen_schema makes the collection importable from a bare checkout

from ansible_collections.scs.landscape.plugins.module_utils.landscape import observed
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import registry, validate
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import specs_of

PAGE = "docs/rules.md"

#: Families of rules by the first letter of their ids, in the order of the page.
FAMILIES = {
    "S": "Form and references",
    "N": "Names, serial numbers, MAC addresses",
    "R": "Racks and power",
    "M": "Device models",
    "A": "Addresses",
    "B": "AS numbers",
    "V": "VLANs and VNIs",
    "C": "Cables and links",
    "E": "Environments",
    "F": "Fabric",
    "G": "Groups",
    "K": "Completeness",
    "P": "Secrets",
    "O": "Observed facts",
    "W": "Waivers",
}

_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/tools/gen_rules_page.py from the catalogue of rules; do not edit. -->
# Rules

`scs.landscape.landscape_validate` checks a landscape against the rules below and reports all findings at once, each
with file and line, what was found, what is expected and what to do. Ids are stable.

- **error**: would break something, or two statements contradict each other. Plays that change things stop.
- **warning**: probably wrong; nothing stops.
- **info**: worth knowing.

The severity below is that of most findings of a rule; a finding that weighs less says so itself.

## Accepting a finding

A finding that was looked at and cannot be mended is waived in the landscape, with a reason and a last day:

```yaml
waivers:
  - rule: R04
    object: hosts/st01-mgmt-r01-u30
    reason: one of its power supplies waits for a spare part
    expires: 2026-12-31
```

`object` is written as the finding names it; `*` stands for any characters (`hosts/st01-mgmt-*`). The finding is still
reported, marked as waived, and fails nothing. When the day has passed it counts again.
"""

_OBSERVED = """\
## Facts observed elsewhere

The option `observed` of `landscape_validate` takes YAML files with facts from other sources: host variables of another
tool, backups of switch configurations, LLDP tables, documents. They are compared with the landscape by the rules O01 to
O10. One file is one source. Nothing is required, and what a source does not say is not compared.

```yaml
title: Host variables of the old inventory
complete: true
devices:
  st01-comp-r01-u09:
    asn: 4210021025
    oob_mac: '3c:ec:ef:9f:e2:40'
    origin: host_vars.csv:3
    uplinks:
      - {interface: enp65s0f0np0, remote_asn: 65405, origin: 'host_uplinks.csv:2'}
    lldp:
      - {port: enp65s0f0np0, peer: st01-sw25g-r01-u35, peer_port: Ethernet43}
networks:
  mgmt: {vlan: 23, router_v4: 10.10.23.1}
plays: [lab_validate, lab_docs]
mentions:
  - {kind: play, what: lab_validate, origin: 'Runbook.md:12'}
```
"""

_OBJECTS = (
    ("The file", observed.Observed),
    ("`devices`", observed.ObservedDevice),
    ("`uplinks` of a device", observed.ObservedUplink),
    ("`lldp` of a device", observed.ObservedNeighbor),
    ("`networks`", observed.ObservedNetwork),
    ("`mentions`", observed.Mention),
)


def page() -> str:
    """The reference page of the rules."""
    lines = [_HEAD, "## All rules", "", "| Rule | Severity | What |", "|---|---|---|"]
    rules = [rule for family in FAMILIES for rule in _family(family)]
    lines += [f"| [{rule.id}](#{pages.anchor(rule)}) | {rule.severity} | {pages.cell(rule.title)} |" for rule in rules]
    for family, title in FAMILIES.items():
        lines += ["", f"## {title}"]
        for rule in _family(family):
            lines += ["", *_section(rule)]
    lines += ["", _OBSERVED]
    for title, model in _OBJECTS:
        lines += [f"### {title}", "", (model.__doc__ or "").strip(), "", "| Field | Kind | Meaning |", "|---|---|---|"]
        lines += [*_rows(model), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _family(letter: str) -> list[registry.Rule]:
    return [rule for rule in validate.catalogue() if rule.id[0] == letter]


def _section(rule: registry.Rule) -> Iterator[str]:
    yield f"### {rule.id}: {rule.title}"
    yield ""
    yield f"{rule.why}"
    yield ""
    yield f"- Severity: {rule.severity}"
    yield f"- Source: {rule.source}"
    if rule.hint:
        yield f"- What to do: {rule.hint}"


def _rows(model: Any) -> Iterator[str]:
    for field, spec in specs_of(model).items():
        kind = f"{gen_schema.kind_of(spec)}, **required**" if spec.required else gen_schema.kind_of(spec)
        yield f"| `{field}` | {kind} | {pages.cell(spec.doc.replace('``', '`'))} |"


def main() -> int:
    """Command line."""
    return pages.keep(gen_schema.ROOT / PAGE, page(), "gen_rules_page")


if __name__ == "__main__":
    sys.exit(main())
