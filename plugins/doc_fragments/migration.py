# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Which machines of a plan a task of a migration is for."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.migration``."""

    DOCUMENTATION = r"""
options:
  src:
    description: File of the plan, see M(scs.landscape.vm_migration_plan).
    type: path
    required: true
  wave:
    description: Wave of the plan. All waves when empty.
    type: str
    default: ""
  only:
    description: Uuids of machines of the wave. All of them when absent.
    type: list
    elements: str
"""
