# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What every module of the collection promises about check mode, diff and idempotence."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.attributes``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the plan of a real run without changing anything.
    support: full
  diff_mode:
    description: Returns what is (or would be) changed, when in diff mode.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    # For modules that only read.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the plan of a real run without changing anything.
    support: full
    details: The module only reads.
  diff_mode:
    description: Returns what is (or would be) changed, when in diff mode.
    support: N/A
    details: The module changes nothing.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details: The module changes nothing.
"""
