# SPDX-License-Identifier: Apache-2.0
"""Writes the lists of tables and fields that SONiC's models have, from folders with the models; ``--check`` only compares.

python3 -m tests.tools.gen_sonic_models [--check] FOLDER

The folder holds one folder for each release, called after it, with its ``.yang`` files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import gen_schema, pages  # isort: skip - gen_schema makes the collection importable from a bare checkout

from ansible_collections.scs.landscape.plugins.module_utils.sonic import client

MODULE = "plugins/module_utils/sonic/tables_models.py"
FIELDS_MODULE = "plugins/module_utils/sonic/tables_fields.py"
#: Field of tables whose rows may have any field (maps).
ANY = "*"
_WIDTH = 112

_HEAD = '''\
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The names of all tables that SONiC's YANG models have, by release. Pure data.

Written by tests/tools/gen_sonic_models.py from the models; do not edit. What is known of a table beyond its name stands
in :mod:`tables`: most of these are known by name alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

'''
_TAIL = """\
#: Releases whose models have a table, by its name.
RELEASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(releases.split()) for releases, names in _NAMES.items() for name in names.split()}
)
"""


_FIELDS_HEAD = '''\
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The names of all fields that SONiC's YANG models have, by table and release. Pure data.

Written by tests/tools/gen_sonic_models.py from the models; do not edit. Parts of keys are among them, the models do not
tell them apart; ``*`` stands for any field. Tables without fields are left out. Which releases have a table says
:mod:`tables_models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .tables_models import RELEASES

'''
_FIELDS_TAIL = """\


def _fields(line: str) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    table, _colon, rest = line.partition(":")
    found = {}
    for word in rest.split():
        name, _mark, release = word.partition("@")
        found[name] = (release,) if release else RELEASES[table]
    return table, MappingProxyType(found)


#: By table, the releases whose models have a field, by its name.
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    dict(_fields(line) for line in _TEXT.replace("\\n ", " ").split("\\n") if line)
)
"""


def names(folder: Path) -> dict[str, tuple[str, ...]]:
    """Releases whose models have a table, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for release in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        for name in client.load_models(str(folder / release)).tables:
            found[name] = (*found.get(name, ()), release)
    return dict(sorted(found.items()))


def fields(folder: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """By table, the releases whose models have a field, by its name."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for release in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        for name, table in client.load_models(str(folder / release)).tables.items():
            rows = (*table.lists, *table.fixed.values())
            leaves = {
                ANY if row.inner else leaf for row in rows for leaf in (row.leaves or ([""] if row.inner else []))
            }
            for leaf in leaves:
                known = found.setdefault(name, {})
                known[leaf] = (*known.get(leaf, ()), release)
    return {name: dict(sorted(found[name].items())) for name in sorted(found)}


def fields_module(tables: Mapping[str, Iterable[str]], found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    """The Python module with these fields."""
    lines = [
        "#: One table a line, or several lines with a space in front: fields, ``@`` behind those of one release only."
    ]
    lines.append('_TEXT = """\\')
    for table, known in found.items():
        all_of = tuple(tables[table])
        words = [leaf if known[leaf] == all_of else f"{leaf}@{' '.join(known[leaf])}" for leaf in known]
        line = f"{table}:"
        for word in words:
            if len(line) + len(word) >= _WIDTH:
                lines.append(line)
                line = ""
            line = f"{line} {word}"
        lines.append(line)
    return _FIELDS_HEAD + "\n".join([*lines, '"""', _FIELDS_TAIL])


def module(found: Mapping[str, Iterable[str]]) -> str:
    """The Python module with these names."""
    groups: dict[str, list[str]] = {}
    for name, releases in found.items():
        groups.setdefault(" ".join(releases), []).append(name)
    lines = ["#: Names by the releases whose models have them.", "_NAMES = {"]
    for releases, members in sorted(groups.items()):
        lines.append(f'    "{releases}": """')
        line = ""
        for name in members:
            if line and len(line) + len(name) >= _WIDTH:
                lines.append(line)
                line = ""
            line = f"{line} {name}" if line else name
        lines += [line, '    """,']
    return _HEAD + "\n".join([*lines, "}", "", _TAIL])


def main() -> int:
    """Command line."""
    folders = [word for word in sys.argv[1:] if not word.startswith("-")]
    if len(folders) != 1:
        print(__doc__)
        return 2
    tables, command = names(Path(folders[0])), "gen_sonic_models FOLDER"
    texts = {MODULE: module(tables), FIELDS_MODULE: fields_module(tables, fields(Path(folders[0])))}
    return max(pages.keep(gen_schema.ROOT / path, text, command) for path, text in texts.items())


if __name__ == "__main__":
    sys.exit(main())
