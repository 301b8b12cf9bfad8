# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Makes any JSON that calls itself CONFIG_DB safe to render: texts where texts are expected, lists where lists are.

Whether a configuration is right is the business of the models and the linter; here nothing may break on one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
Config = Mapping[str, Mapping[str, Row]]

#: Fields that the templates go through item by item.
LISTS = frozenset(
    {
        "route_map",
        "route_map_in",
        "route_map_out",
        "import-rts",
        "export-rts",
        "confed_peers",
        "as_path_set_member",
        "set_community_inline",
        "match_tag",
        "match_neighbor",
    }
)


def tidy(config: Config) -> dict[str, dict[str, dict[str, Any]]]:
    """The configuration with all values as texts, or lists of texts for :data:`LISTS`; what is no row is left out."""
    return {
        str(table): {str(key): _row(row) for key, row in rows.items() if isinstance(row, Mapping)}
        for table, rows in config.items()
        if isinstance(rows, Mapping)
    }


def _row(row: Row) -> dict[str, Any]:
    return {str(name): _value(str(name), value) for name, value in row.items()}


def _value(name: str, value: Any) -> str | list[str]:
    items = [str(item) for item in value] if isinstance(value, (list, tuple)) else None
    if name in LISTS:
        return [item for item in (str(value).split(",") if items is None else items) if item]
    return str(value) if items is None else ",".join(items)
