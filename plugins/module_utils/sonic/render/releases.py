# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a release cannot do: said with its name, before anything reaches a switch.

What the models of the proven releases have stands in :mod:`tables_models` and :mod:`tables_fields`. Of the releases
between them it is known for some tables and fields since when they are there: YANG models of the release branches of
sonic-buildimage. Rows that a landscape adds are judged as those that are rendered.
"""

from __future__ import annotations

from ..model import RELEASE_NAMES
from ..tables import MODELLED
from ..tables_fields import FIELDS
from ..tables_models import RELEASES
from .model import Switch

#: The first release that has a table or a field, where that is no proven one; an empty field is the table.
SINCE: dict[tuple[str, str], str] = {
    ("BGP_GLOBALS_AF", "advertise-all-vni"): "202505",
    ("BGP_GLOBALS_AF", "advertise-svi-ip"): "202505",
    ("BGP_GLOBALS_AF", "autort"): "202511",
    ("DHCPV4_RELAY", ""): "202511",
    ("STP", ""): "202511",
}
_BLOCKS = "the switch's config updater then refuses every change, also an unrelated one"
_NEVER = f"nor has any release up to {RELEASE_NAMES[-1]}"
_WRITE = "unmodelled: true renders it all the same, for rows that are written without the updater"


def refuse(switch: Switch) -> None:
    """Notes every table and field of the configuration that the release's models do not have.

    An error, or a warning when the options ask for such fields.
    """
    config, release = switch.rows.config, switch.options.release
    _proven(switch)
    for table in sorted(config):
        if _lacks(switch, table, "", ""):
            continue
        for key, row in sorted(config[table].items()):
            for field in sorted(row):
                _lacks(switch, table, key, field)
    for name, row in sorted(config.get("VRF", {}).items()):
        if row.get("vni", "0") != "0":
            message = (
                f"{release} does not bring the VNI of a routing instance into FRR: no L3VNI comes up from CONFIG_DB"
            )
            hint = "give the routing instance no vni: it is then local to the switch"
            severity = "warning" if switch.options.unmodelled else "error"
            switch.issue("SR022", severity, ("VRF", name, "vni"), message, hint)


def _proven(switch: Switch) -> None:
    """Says of a release that nobody has compared with its models that this is so."""
    release = switch.options.release
    if release not in MODELLED:
        known = " and ".join(MODELLED)
        message = (
            f"{release} was not compared with its models, which may lack more than is said here; proven are {known}"
        )
        hint = "validate the files with the models of a switch of that release"
        switch.issue("SR023", "warning", ("VERSIONS", "DATABASE", "VERSION"), message, hint)


def _lacks(switch: Switch, table: str, key: str, field: str) -> bool:
    """Notes a table or field that the release's models do not have; whether it was noted."""
    release, since = switch.options.release, first(table, field)
    if has(release, table, field):
        return False
    rule, what = ("SR021", "field") if field else ("SR020", "table")
    severity = "warning" if switch.options.unmodelled else "error"
    message = f"{release} has no model of this {what} ({f'there is one since {since}' if since else _NEVER}); {_BLOCKS}"
    if _unknown(release, table, field):
        severity, message = "warning", f"{since} has a model of this {what}; whether {release} has one is not known"
    switch.issue(rule, severity, (table, key, field), message, _WRITE)
    return True


def _unknown(release: str, table: str, field: str) -> bool:
    """Whether a release between two proven ones may have or lack a table or field: only the newer one is known to have it."""
    return release not in MODELLED and bool(first(table, field)) and not {(table, field), (table, "")} & set(SINCE)


def first(table: str, field: str = "") -> str:
    """The first release that is known to have a table or field; empty when none has."""
    if (table, field) in SINCE:
        return SINCE[(table, field)]
    own = RELEASES.get(table, ())
    if field:
        known = FIELDS.get(table, {})
        own = known.get(field) or known.get("*", ())
    return own[0] if own else ""


def has(release: str, table: str, field: str = "") -> bool:
    """Whether the models of a release have a table or field; what the oldest proven one has, older ones count as having."""
    since = first(table, field)
    return bool(since) and (since == MODELLED[0] or RELEASE_NAMES.index(release) >= RELEASE_NAMES.index(since))
