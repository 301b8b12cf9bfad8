# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How the reports of runs are kept."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.report_folder``."""

    DOCUMENTATION = r"""
options:
  dest:
    description:
      - Folder in which every run gets a folder with its reports, called like the run. The link C(latest) leads to the newest.
      - Nothing is written when absent.
    type: path
  keep:
    description: How many runs are kept in O(dest); older folders of runs are removed.
    type: int
    default: 20
  clock:
    description: When each stage began, in seconds since 1970, in the order of the stages.
    type: dict
    default: {}
"""
