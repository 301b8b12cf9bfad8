# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where a landscape is read from."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.source``."""

    DOCUMENTATION = r"""
options:
  src:
    description:
      - Landscape files, or folders whose C(.yml) and C(.yaml) files are read in the order of their names.
      - Several are read as one landscape. Names that begin with a dot or an underscore are passed over inside folders.
    type: list
    elements: path
    required: true
requirements:
  - PyYAML (comes with ansible-core)
"""

    # For modules that make something of a landscape, and stop on what is wrong with it.
    FINDINGS = r"""
options:
  on_finding:
    description:
      - What to do about findings of severity C(error) that are not waived.
      - What cannot be read at all, or is not part of the format, always fails.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  as_of:
    description: Day (C(YYYY-MM-DD)) on which waivers are judged. Today when absent.
    type: str
"""
