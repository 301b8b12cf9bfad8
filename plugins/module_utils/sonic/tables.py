# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The tables of CONFIG_DB: keys, references, what can only be set at creation, what a daemon owns. Pure data.

Sources: the YANG models of 202411 and 202605 (:mod:`tables_rows`), the create-only rules of sonic-utilities
generic_config_updater (202605), frrcfgd and swss of 202605. A table that is not here has one key part, no references,
and belongs to the operator; whether a model has it says :mod:`tables_models`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .model import SEPARATOR, Row
from .tables_models import RELEASES
from .tables_rows import ROWS


@dataclass(frozen=True)
class Reference:
    """A field or key part that names rows of other tables.

    :param source: the key part or field; every item of a list field counts.
    :param targets: tables, any of which may hold the row.
    :param key: the row's key: ``{}`` is the value, ``{vrf_name}`` another key part of the row that refers.
    :param loose: the value may also be something that is no reference (an address, ``default``).
    """

    source: str
    targets: tuple[str, ...]
    key: str = "{}"
    loose: bool = False


@dataclass(frozen=True)
class Table:
    """What the rows of a table are like.

    :param key_forms: the forms a key can have, each as its parts, shortest first; empty for a table of fixed rows.
    :param create_only: fields that take effect only when the row is created; ``*`` for all of them.
    :param runtime_owned: a daemon writes the table; what is in there is no wish of an operator.
    :param runtime_fields: the same for single fields.
    :param list_fields: fields that are lists.
    :param secret_fields: fields nobody may read in a plan or a report; ``*key`` for the key itself.
    :param modelled: releases whose YANG models have the table, of those with which this project was proven.
    :param dialects: the dialects that use the table; empty for all.
    """

    name: str
    key_forms: tuple[tuple[str, ...], ...] = (("name",),)
    references: tuple[Reference, ...] = ()
    create_only: tuple[str, ...] = ()
    runtime_owned: bool = False
    runtime_fields: tuple[str, ...] = ()
    list_fields: tuple[str, ...] = ()
    secret_fields: tuple[str, ...] = ()
    modelled: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()

    @property
    def key_parts(self) -> tuple[str, ...]:
        """The parts of the longest form of key."""
        return max(self.key_forms, key=len, default=())

    def parts_of(self, key: str) -> dict[str, str]:
        """The parts of a key by their names; empty when the key has none of the forms."""
        values = key.split(SEPARATOR)
        form = next((form for form in self.key_forms if len(form) == len(values)), ())
        return dict(zip(form, values))


#: Releases with whose models :data:`tables_rows.ROWS` was compared.
MODELLED = ("202411", "202605")

_CREATE_ONLY = {
    "PORT": ("lanes",),
    "LOOPBACK_INTERFACE": ("vrf_name",),
    "BGP_NEIGHBOR": ("holdtime", "keepalive", "name", "asn", "local_addr", "nhopself", "rrclient"),
    "BGP_PEER_RANGE": ("*",),
    "MIRROR_SESSION": ("*",),
}
#: Written by buffermgrd, flexcounter, the image itself, and every daemon that tells the level of its log.
_RUNTIME_OWNED = ("BUFFER_PG", "BUFFER_PROFILE", "FLEX_COUNTER_TABLE", "LOGGER", "VERSIONS", "SYSTEM_DEFAULTS")
_SECRETS = {
    "BGP_GLOBALS": ("auth_password",),
    "BGP_NEIGHBOR": ("auth_password",),
    "BGP_PEER_GROUP": ("auth_password",),
    "LDAP": ("bind_password",),
    "MACSEC_PROFILE": ("primary_cak", "fallback_cak"),
    "NTP_KEY": ("value",),
    "RADIUS": ("passkey",),
    "RADIUS_SERVER": ("passkey",),
    "SNMP_COMMUNITY": ("*key",),
    "SNMP_SERVER_COMMUNITY": ("*key",),
    "SNMP_USER": ("SNMP_USER_AUTH_PASSWORD", "SNMP_USER_ENCRYPTION_PASSWORD"),
    "TACPLUS": ("passkey",),
    "TACPLUS_SERVER": ("passkey",),
}
#: References that the models leave to plain texts.
_MORE_REFERENCES = {
    "VXLAN_TUNNEL_MAP": (Reference("vlan", ("VLAN",)),),
    "STATIC_ROUTE": (Reference("vrf_name", ("VRF",), loose=True),),
    "DHCP_RELAY": (Reference("name", ("VLAN",)),),
    "MCLAG_UNIQUE_IP": (Reference("if_name", ("VLAN_INTERFACE",)),),
    "STP_PORT": (Reference("ifname", ("PORT", "PORTCHANNEL")),),
}
_ENTERPRISE = ("enterprise",)
#: Read by a daemon, or seen in backups, and in no model of a proven release.
_UNMODELLED = (
    Table("BFD_PEER_SINGLE_HOP", (("remote-address", "interface", "vrf", "local-address"),)),
    Table("BFD_PEER_MULTI_HOP", (("remote-address", "interface", "vrf", "local-address"),)),
    Table("BGP_GLOBALS_EVPN_RT", (("vrf", "afi_safi", "route_target"),), (Reference("vrf", ("BGP_GLOBALS",)),)),
    Table("BGP_GLOBALS_EVPN_VNI", (("vrf", "afi_safi", "vni"),), (Reference("vrf", ("BGP_GLOBALS",)),)),
    Table("BGP_GLOBALS_EVPN_VNI_RT", (("vrf", "afi_safi", "vni", "route_target"),)),
    Table("EVPN_ETHERNET_SEGMENT", (("name",),), (Reference("name", ("PORTCHANNEL",)),)),
    Table("EVPN_MH_GLOBAL", (("name",),)),
    Table("SAG", (("name",),)),
    Table("SUPPRESS_VLAN_NEIGH", (("name",),), (Reference("name", ("VLAN",)),)),
    Table("REST_SERVER", (("name",),), dialects=_ENTERPRISE),
    Table("DOT1X_INITIAL", (("name",),), dialects=_ENTERPRISE),
)


def _references(name: str, text: str, forms: tuple[tuple[str, ...], ...]) -> Iterator[Reference]:
    parts = {part for form in forms for part in form}
    for word in text.split():
        source, mark, targets = re.split("([>?])", word)
        tables = tuple(targets.split(","))
        own_vrf = "vrf_name" in parts and tables[0] in ("BGP_PEER_GROUP", "BGP_NEIGHBOR")
        yield Reference(source, tables, "{vrf_name}|{}" if own_vrf else "{}", mark == "?")
    if len(forms) > 1 and len(forms[0]) == 1 and name not in ("BGP_NEIGHBOR", "STATIC_ROUTE"):
        yield Reference(forms[0][0], (name,))  # an address belongs to the row of its interface


def _table(name: str, keys: str, refs: str, lists: str, modelled: str) -> Table:
    forms = tuple(sorted((tuple(form.split(SEPARATOR)) for form in keys.split()), key=len))
    references = dict.fromkeys((*_references(name, refs, forms), *_MORE_REFERENCES.get(name, ())))
    return Table(
        name,
        forms,
        tuple(references),
        _CREATE_ONLY.get(name, ()),
        name in _RUNTIME_OWNED,
        (),
        tuple(lists.split()),
        _SECRETS.get(name, ()),
        tuple(modelled.split()) or MODELLED,
    )


#: Every table this project knows, by name.
TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (*(_table(*row) for row in ROWS), *_UNMODELLED)}
)


def table(name: str) -> Table:
    """What is known of a table; of one that is not in :data:`TABLES` only which models have it."""
    return TABLES.get(name) or Table(name, modelled=RELEASES.get(name, ()), secret_fields=_SECRETS.get(name, ()))


def referred(reference: Reference, parts: Mapping[str, str], row: Row) -> Iterator[str]:
    """Keys of the rows that a reference of one row asks for.

    :param parts: the parts of the row's key.
    """
    value = parts.get(reference.source, row.get(reference.source))
    for item in [value] if isinstance(value, str) else value or []:
        if item:
            yield re.sub("{([a-z_]+)}", lambda match: parts.get(match[1], ""), reference.key).replace("{}", item)
