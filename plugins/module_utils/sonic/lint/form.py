# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Form: what no table may look like, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import SEPARATOR
from ..tables import TABLES, referred, table
from ..yang import TEXT_LISTS
from .index import Switch
from .registry import Found, declare, rule

#: Bytes of an interface name in Linux without the final zero: IFNAMSIZ - 1 (linux/if.h).
KERNEL_NAME = 15
#: Lists that frrcfgd reads and no model has.
_MORE_LISTS = (("BGP_GLOBALS_AF", "import-rts"), ("BGP_GLOBALS_AF", "export-rts"))
_NAMED = ("PORTCHANNEL", "VLAN_SUB_INTERFACE", "VRF", "LOOPBACK_INTERFACE", "PORT", "VLAN", "VXLAN_TUNNEL")

SL001 = declare(
    "SL001",
    "error",
    "A value is not in the form of CONFIG_DB",
    why="Everything in CONFIG_DB is a text or a list of texts; sonic-cfggen writes other values as something else or stops.",
    source="sonic-py-swsssdk configdb.py",
    hint="write numbers and booleans as texts, in quotation marks",
)


@rule(
    "SL002",
    "error",
    "A row was written as a text",
    why="No daemon reads it: what it says (an address, a gateway) is not configured, though the file shows it.",
    source="Four switches of the SCS lab hold a dictionary as text in MGMT_PORT",
    hint="make it a row of its own in the table it belongs to",
)
def stringified(switch: Switch) -> Iterator[Found]:
    for name, rows in switch.config.items():
        for key, row in rows.items():
            for field, value in row.items():
                text = value if isinstance(value, str) else ""
                if SEPARATOR in field:
                    yield name, key, field, f"the field {field} is called like the key of a row"
                elif re.fullmatch(r"\s*[{\[]\s*['\"].*[}\]]\s*", text, re.DOTALL):
                    yield name, key, field, f"the field {field} holds a whole dictionary or list as text"


@rule(
    "SL003",
    "error",
    "A name is longer than the kernel allows",
    why="Interface names end at 15 characters; the device is not created, and what refers to it hangs in the air.",
    source="IFNAMSIZ, linux/if.h; SONiC itself shortens PortChannel1.100 to Po1.100",
    hint="shorten it",
)
def long_names(switch: Switch) -> Iterator[Found]:
    for name in _NAMED:
        for key in switch.rows(name):
            device = key.split(SEPARATOR)[0]
            if SEPARATOR not in key and len(device.encode()) > KERNEL_NAME:
                yield name, key, "", f"{device} has {len(device.encode())} bytes, the kernel takes {KERNEL_NAME}"


@rule(
    "SL004",
    "error",
    "A list where a text belongs, or a text where a list belongs",
    why="Redis marks list fields by name: a daemon that asks for the one does not see the other.",
    source="YANG models of 202411 and 202605, leaf and leaf-list",
    hint='write lists as ["a", "b"], all else as "a"',
    in_models=True,
)
def lists(switch: Switch) -> Iterator[Found]:
    for name, rows in switch.config.items():
        known = TABLES.get(name)
        if not known or not known.modelled:
            continue
        for key, row in rows.items():
            for field, value in row.items():
                wants = field in known.list_fields or (name, field) in _MORE_LISTS
                if wants and isinstance(value, str) and (name, field) not in TEXT_LISTS:
                    yield name, key, field, "is a text, and the table has a list there"
                elif not wants and isinstance(value, list):
                    yield name, key, field, "is a list, and the table has a text there"


@rule(
    "SL005",
    "error",
    "A reference leads nowhere",
    why="What it names is not there: the row is ignored, or waits for ever.",
    source="YANG models of 202411 and 202605, leafref; VXLAN_TUNNEL_MAP and DHCP_RELAY from the daemons",
    hint="add the row it names, or mend the name",
    in_models=True,
)
def references(switch: Switch) -> Iterator[Found]:
    for name in switch.config:
        known = table(name)
        for key, row in switch.rows(name).items():
            parts = known.parts_of(key)
            for reference in known.references:
                if reference.loose:
                    continue
                for target in referred(reference, parts, row):
                    if not any(target in switch.rows(each) for each in reference.targets):
                        where = " or ".join(reference.targets)
                        yield name, key, reference.source, f"names {target}, which is not in {where}"


@rule(
    "SL006",
    "error",
    "A key has too many or too few parts",
    why="A daemon cuts the key into its parts and takes the wrong one for a name; for instance a route without a VRF.",
    source="YANG models of 202411 and 202605, keys of lists",
    hint="write all parts of the key, with | between them",
    in_models=True,
)
def key_parts(switch: Switch) -> Iterator[Found]:
    for name in switch.config:
        known = TABLES.get(name)
        if not known or not known.modelled or not known.key_forms:
            continue
        for key in switch.rows(name):
            if not known.parts_of(key):
                forms = " or ".join(SEPARATOR.join(form) for form in known.key_forms)
                yield name, key, "", f"the key has {key.count(SEPARATOR) + 1} parts, the table has {forms}"


@rule(
    "SL007",
    "error",
    "A list with an empty item, or an item with a comma",
    why="Redis keeps a list as one text with commas: such a list comes back as another one, or as none.",
    source="sonic-py-swsssdk configdb.py",
    hint="leave the item out, or the whole field",
)
def items(switch: Switch) -> Iterator[Found]:
    for name, rows in switch.config.items():
        for key, row in rows.items():
            for field, value in row.items():
                if isinstance(value, list) and any(not item or "," in item for item in value):
                    yield name, key, field, f"the list is {value}"
