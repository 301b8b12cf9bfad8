# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How a folder of files is written."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.folder``."""

    DOCUMENTATION = r"""
options:
  adopt:
    description:
      - Replace files that are already there and that this module did not write. Without it they are refused, so that
        nothing written by hand is lost.
    type: bool
    default: false
"""
