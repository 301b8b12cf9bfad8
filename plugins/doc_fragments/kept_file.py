# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is exported into a file and imported from it."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.kept_file``."""

    DOCUMENTATION = r"""
options:
  path:
    description: The file, where the task runs.
    type: path
    required: true
  state:
    description: V(exported) writes the file, V(imported) reads it.
    type: str
    choices: [exported, imported]
    required: true
"""
