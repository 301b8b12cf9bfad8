# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How many backups a module restores at once, and how long it waits."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.volume_restore``."""

    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - Seconds that one restore may take.
    type: int
    default: 7200
  max_parallel:
    description:
      - How many restores are under way at once. One backup is never restored twice at the same time.
    type: int
    default: 4
"""
