# SPDX-License-Identifier: Apache-2.0
"""What the cases of rules are made of: changes of the clean fabric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Change = Callable[[dict[str, dict[str, Any]]], Any]
Place = tuple[str, str, str, str]


@dataclass(frozen=True)
class Case:
    """:param still: places that break the rule in every fabric of this kind."""

    broken: Change
    places: set[Place]
    close: Change
    still: frozenset[Place] = frozenset()


def set_(switch: str, table: str, key: str, **fields: Any) -> Change:
    """Adds fields to a row, which is made if it is not there; ``None`` takes one away."""

    def change(configs: dict[str, dict[str, Any]]) -> None:
        row = configs[switch].setdefault(table, {}).setdefault(key, {})
        for name, value in fields.items():
            row[name.replace("__", "-")] = value
            if value is None:
                del row[name.replace("__", "-")]

    return change


def del_(switch: str, table: str, *keys: str) -> Change:
    def change(configs: dict[str, dict[str, Any]]) -> None:
        for key in keys or list(configs[switch][table]):
            del configs[switch][table][key]

    return change


def all_(*changes: Change) -> Change:
    def change(configs: dict[str, dict[str, Any]]) -> None:
        for each in changes:
            each(configs)

    return change


SPLIT = set_("leaf1", "DEVICE_METADATA", "localhost", docker_routing_config_mode="split")
MAP = "vtep|map_10010_Vlan10"
GROUP = "default|fabric"
LEAVES = ("leaf1", "leaf2")
