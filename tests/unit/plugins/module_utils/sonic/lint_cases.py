# SPDX-License-Identifier: Apache-2.0
"""Per rule: what breaks it in the clean fabric and where it is seen, and what comes close without breaking it."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import (
    lint_cases_links,
    lint_cases_ports,
    lint_cases_routing,
)

CASES = {**lint_cases_ports.CASES, **lint_cases_routing.CASES, **lint_cases_links.CASES}
