# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Configurations as files, and how their differences are shown: never with a secret."""

from __future__ import annotations

import dataclasses
import json

from ...core.plan import Plan
from ...core.redact import MASK
from .. import masking
from ..model import ConfigDb


def text(config: ConfigDb) -> str:
    """The form of ``/etc/sonic/config_db.json``."""
    return json.dumps(config, indent=4, ensure_ascii=False) + "\n"


def is_private(content: str) -> bool:
    """Whether the text of a configuration holds secrets; what is no configuration may."""
    try:
        return masking.holds_secrets(json.loads(content))
    except (ValueError, AttributeError, RecursionError):
        return True


def masked(content: str) -> str:
    """A file with its secret fields and keys masked; what is no configuration is masked as a whole."""
    try:
        shown = masking.config(json.loads(content))
    except (ValueError, AttributeError, RecursionError):
        return MASK + "\n"
    return text(shown)


def without_secrets(plan: Plan) -> Plan:
    """The plan with masked contents, for showing alone."""
    steps = []
    for step in plan.steps:
        before, after = (None if content is None else masked(content) for content in step.payload)
        steps.append(dataclasses.replace(step, payload=(before, after)))
    return Plan(tuple(steps))
