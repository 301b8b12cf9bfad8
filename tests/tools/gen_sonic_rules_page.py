# SPDX-License-Identifier: Apache-2.0
"""Writes docs/sonic-rules.md from the catalogue of rules for switch configurations; ``--check`` only compares.

python3 -m tests.tools.gen_sonic_rules_page [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from . import gen_schema, pages  # isort: skip - gen_schema makes the collection importable from a bare checkout

from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import registry, validate

PAGE = "docs/sonic-rules.md"

#: Families of rules by the beginning of their ids, in the order of the page.
FAMILIES = {
    "SY": "YANG models",
    "SL0": "Form",
    "SL1": "Ports",
    "SL2": "Addresses",
    "SL3": "VXLAN, VNIs, VRFs",
    "SL4": "BGP",
    "SL5": "Route maps and prefix lists",
    "SL6": "Management, services, secrets",
    "SL7": "Releases and dialects",
    "SL8": "Both ends of a link, and the fabric",
    "SL9": "Expected findings",
}

_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/tools/gen_sonic_rules_page.py from the catalogue of rules; do not edit. -->
# Rules for switch configurations

`scs.landscape.sonic_validate` judges configurations of SONiC switches by the YANG models of their release and by the rules
below, and reports all findings at once, each with the table, key and field, and what to do. Ids are stable.

- **error**: refused by the image, or broken on the switch.
- **warning**: probably wrong.
- **info**: worth knowing; nobody can write it otherwise.

Where the models name a place, a rule that says the same keeps quiet. A rule about some releases or dialects only says which;
a configuration whose release is not known is judged by all.

## Accepting a finding

A finding that was looked at and cannot be mended goes into a file, with a reason, and where it will be mended a last day:

```yaml
- rule: SL409
  reason: we never use config load
- rule: SL108
  switch: leaf*
  table: PORTCHANNEL
  key: PortChannel01
  reason: the vendor's image writes it back at every start
  expires: 2027-03-31
```

`*` stands for any characters. The finding is still reported, with its reason, and fails nothing. An entry that matches
nothing, or whose day has passed, is a finding itself (SL901).
"""


def page() -> str:
    """The reference page of the rules."""
    lines = [_HEAD, "## All rules", "", "| Rule | Severity | What |", "|---|---|---|"]
    rules = [rule for family in FAMILIES for rule in _family(family)]
    lines += [f"| [{rule.id}](#{pages.anchor(rule)}) | {rule.severity} | {pages.cell(rule.title)} |" for rule in rules]
    for family, title in FAMILIES.items():
        lines += ["", f"## {title}"]
        for rule in _family(family):
            lines += ["", *_section(rule)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _family(start: str) -> list[registry.Rule]:
    return [rule for rule in validate.catalogue() if rule.id.startswith(start)]


def _section(rule: registry.Rule) -> Iterator[str]:
    yield f"### {rule.id}: {rule.title}"
    yield ""
    yield rule.why
    yield ""
    yield f"- Severity: {rule.severity}"
    yield f"- Source: {rule.source}"
    if rule.releases:
        yield f"- Seen in: {', '.join(rule.releases)}"
    if rule.dialects:
        yield f"- Dialects: {', '.join(rule.dialects)}"
    yield f"- What to do: {rule.hint}"


def main() -> int:
    """Command line."""
    return pages.keep(gen_schema.ROOT / PAGE, page(), "gen_sonic_rules_page")


if __name__ == "__main__":
    sys.exit(main())
