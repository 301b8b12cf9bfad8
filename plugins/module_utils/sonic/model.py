# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a switch configuration is made of, and what is said about one. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Union

#: One row: field to text, or to a list of texts for a list field.
Row = dict[str, Union[str, list[str]]]
#: The JSON form of config_db.json: table, key (parts joined with ``|``), row.
ConfigDb = dict[str, dict[str, Row]]

#: Between the parts of a key.
SEPARATOR = "|"

#: From harmless to serious. ``error`` stops plays that change things.
SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True)
class Release:
    """A release branch of community SONiC.

    :param frr: version of FRR that it ships.
    :param models: whether this project was proven against the YANG models of the release.
    """

    name: str
    frr: str
    models: bool = False


#: Oldest first. FRR versions: rules of sonic-buildimage's src/sonic-frr of each branch.
RELEASES: tuple[Release, ...] = (
    Release("202211", "8.2.2"),
    Release("202305", "8.2.2"),
    Release("202311", "8.5.1"),
    Release("202405", "8.5.4"),
    Release("202411", "10.0.1", True),
    Release("202505", "10.3"),
    Release("202511", "10.4.1"),
    Release("202605", "10.5.4", True),
)
RELEASE_NAMES = tuple(release.name for release in RELEASES)

#: How CONFIG_DB becomes FRR's configuration.
#: ``unified``: community, frr-mgmt-framework (frrcfgd) renders it all. ``bgpcfgd``: community's default, boot templates
#: and bgpcfgd. ``split``: an operator's frr.conf, CONFIG_DB says nothing of routing. ``enterprise``: Edgecore's 202211.
DIALECTS = ("unified", "bgpcfgd", "split", "enterprise")


@dataclass(frozen=True)
class Issue:
    """One fault of one switch's configuration.

    :param rule: ``SL001`` for a rule of :mod:`lint`, ``SY001`` for a verdict of the models.
    :param field: field or key part; empty when the row as a whole (or, without a key, the table) is meant.
    :param releases: the releases in which it was seen or of which it is true; empty for every one.
    :param kind: for verdicts of the models: unknown_field, enum, pattern, range, leafref, must...
    """

    rule: str
    severity: str
    switch: str
    table: str
    key: str
    field: str
    message: str
    hint: str = ""
    releases: tuple[str, ...] = ()
    kind: str = ""
    waived: str = dataclasses.field(default="", compare=False)

    @property
    def where(self) -> tuple[str, str, str]:
        """Table, key and field."""
        return (self.table, self.key, self.field)

    @property
    def path(self) -> str:
        """The place as people write it: ``TABLE|key field``."""
        place = SEPARATOR.join(part for part in (self.table, self.key) if part)
        return f"{place} {self.field}" if self.field else place

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Order for people: by switch, the worst first."""
        return (
            self.switch,
            -SEVERITIES.index(self.severity),
            self.rule,
            self.table,
            self.key,
            self.field,
            self.message,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; empty optional parts are left out."""
        data: dict[str, Any] = {"rule": self.rule, "severity": self.severity, "switch": self.switch}
        data.update({"table": self.table, "key": self.key, "field": self.field, "message": self.message})
        for name in ("hint", "kind", "waived"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.releases:
            data["releases"] = list(self.releases)
        return data

    def __str__(self) -> str:
        text = f"{self.switch}: {self.severity} {self.rule} {self.path}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


def release_of(config: ConfigDb) -> str:
    """The release that wrote a configuration, by its database version; empty when it does not say."""
    version = str(config.get("VERSIONS", {}).get("DATABASE", {}).get("VERSION", ""))
    parts = version.split("_")
    return parts[1] if len(parts) == 3 and parts[1] in RELEASE_NAMES else ""


def enterprise_marks(config: ConfigDb) -> frozenset[str]:
    """What only Edgecore's Enterprise SONiC writes, of that which the configuration has."""
    features = config.get("FEATURE", {}).values()
    found = {
        "REST_SERVER": "REST_SERVER" in config,
        "parent_port": any("parent_port" in row for row in config.get("PORT", {}).values()),
        "has_timer": any("has_timer" in row for row in features),
    }
    return frozenset(name for name, there in found.items() if there)


def dialect_of(config: ConfigDb) -> str:
    """The dialect a configuration is written in, by the marks each of them leaves."""
    metadata = config.get("DEVICE_METADATA", {}).get("localhost", {})
    if enterprise_marks(config):
        return "enterprise"
    mode = metadata.get("docker_routing_config_mode", "separated")
    if mode in ("split", "split-unified"):
        return "split"
    return "unified" if metadata.get("frr_mgmt_framework_config") == "true" else "bgpcfgd"


def hostname_of(config: ConfigDb) -> str:
    """The name a switch gives itself; empty when it has none."""
    name = config.get("DEVICE_METADATA", {}).get("localhost", {}).get("hostname", "")
    return name if isinstance(name, str) else ""


def values(value: str | list[str] | None) -> list[str]:
    """A field as a list: list fields may be written as one text with commas."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [part for part in value.split(",") if part]
