# SPDX-License-Identifier: Apache-2.0
"""Every file says under which licence it may be used, and no sanity check is switched off."""

from __future__ import annotations

from ansible_collections.scs.landscape.tests.tools import staging

PLUGIN_HEAD = [
    "# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later",
    "# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# Apache License 2.0 (see LICENSES/Apache-2.0.txt)",
]
LINE = "SPDX-License-Identifier: Apache-2.0"
#: Endings of files that can carry a comment. CSV, JSON, SVG and Markdown are covered by LICENSE.
COMMENTED = (".py", ".yml", ".yaml", ".toml", ".sh", ".j2", ".cfg", ".ini")
#: Written by tools that keep no comment, or data that stands for what somebody else wrote.
GENERATED = ("changelogs/changelog.yaml", "tests/unit/fixtures/", "tests/unit/plugins/", "examples/")


def lines(file):
    return file.read_text(encoding="utf-8").splitlines()


def test_plugins_carry_both_licences(repo):
    files = [file for file in (repo / "plugins").rglob("*.py") if file.stat().st_size]
    heads = {file: [line for line in lines(file)[:4] if not line.startswith("#!")][:3] for file in files}
    assert not [file.relative_to(repo) for file, head in heads.items() if head != PLUGIN_HEAD]


def test_other_files_carry_the_projects_licence(repo):
    names = [name for name in staging.tracked(repo) if name.endswith(COMMENTED) and not name.startswith("plugins/")]
    checked = [name for name in names if name.endswith(".py") or not name.startswith(GENERATED)]
    missing = [
        n for n in checked if (repo / n).stat().st_size and not any(LINE in head for head in lines(repo / n)[:4])
    ]
    assert not sorted(missing)


def test_both_texts_are_there(repo):
    assert "Apache License" in (repo / "LICENSES/Apache-2.0.txt").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in (repo / "LICENSES/GPL-3.0-or-later.txt").read_text(encoding="utf-8")
    assert (repo / "LICENSE").read_bytes() == (repo / "LICENSES/Apache-2.0.txt").read_bytes()


def test_nothing_is_ignored(repo):
    assert not list((repo / "tests").glob("sanity/ignore*"))
    assert not list(repo.glob(".ansible-lint-ignore"))
