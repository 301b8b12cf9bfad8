# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""How configurations of SONiC switches are rendered and read."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment ``scs.landscape.sonic``."""

    DOCUMENTATION = r"""
options:
  unmodelled:
    description:
      - Write tables and fields that no YANG model of the O(release) has (EVPN routes of routing instances), with a warning, instead
        of refusing them.
      - SONiC's config updater refuses a configuration with such fields.
    type: bool
    default: false
  secrets:
    description:
      - What a landscape must not hold. It is written into the files, which then only their owner may read.
    type: dict
    default: {}
    suboptions:
      snmp_communities:
        description: SNMP communities with read access.
        type: list
        elements: str
        default: []
      tacacs_passkey:
        description: Key shared with the TACACS+ servers of the landscape. Without it logins stay local.
        type: str
"""

    # For modules that read configurations.
    FILES = r"""
options:
  src:
    description:
      - Files or folders with configurations, one C(.json) file for each switch. The name of a file is the name of the switch. A
        file called C(config_db.json) belongs to the switch that its folder is called after.
    type: list
    elements: path
    required: true
"""

    # For modules that talk to running switches.
    SWITCH = r"""
options:
  release:
    description: SONiC release the switch is like, where its image does not say one that is known.
    type: str
    choices: ['202211', '202305', '202311', '202405', '202411', '202505', '202511', '202605']
  ignore_tables:
    description: Tables that daemons write by themselves. They are left alone unless they are named among what is wanted.
    type: list
    elements: str
    default: [BUFFER_PG, BUFFER_PROFILE, FLEX_COUNTER_TABLE, LOGGER, SYSTEM_DEFAULTS, VERSIONS]
"""
