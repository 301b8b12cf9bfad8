# SPDX-License-Identifier: Apache-2.0
"""The built collection works alone: without tests and examples, installed where no checkout is near."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent


def run(program, *arguments, root):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCS_", "COV"))}
    environ["ANSIBLE_COLLECTIONS_PATH"] = str(root)
    environ["PYTHONPATH"] = str(root)
    done = subprocess.run(
        [PROGRAMS / program, *arguments],
        cwd=root,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(repo, tmp_path_factory):
    """The collection as its users get it, less what they may delete."""
    root = tmp_path_factory.mktemp("installed")
    run("ansible-galaxy", "collection", "build", str(repo), "--output-path", str(root), root=root)
    target = root / "ansible_collections/scs/landscape"
    (tarball,) = root.glob("*.tar.gz")
    with tarfile.open(tarball) as archive:
        archive.extractall(target, filter="data")
    for folder in ("tests", "examples", "docs", "changelogs"):
        shutil.rmtree(target / folder, ignore_errors=True)
    return root


def test_only_what_users_need_is_in_it(installed):
    names = {path.name for path in (installed / "ansible_collections/scs/landscape").iterdir()}
    unexpected = names - {
        "CHANGELOG.rst", "CONTRIBUTING.md", "FILES.json", "LICENSE", "LICENSES", "MANIFEST.json", "README.md", "meta",
        "playbooks", "plugins", "roles", ".ansible-lint", ".yamllint",
    }  # fmt: skip
    assert not unexpected


def test_every_plugin_is_documented(installed, repo):
    for kind, folder in (("module", "modules"), ("inventory", "inventory"), ("filter", "filter")):
        expected = {f"scs.landscape.{file.stem}" for file in (repo / "plugins" / folder).glob("[a-z]*.py")}
        listed = json.loads(run("ansible-doc", "--json", "-t", kind, "--list", "scs.landscape", root=installed))
        assert set(listed) == expected


def test_every_shared_file_can_be_imported(installed):
    code = (
        "import importlib, pathlib, sys\n"
        "for file in sorted(pathlib.Path('ansible_collections').rglob('module_utils/**/*.py')):\n"
        "    importlib.import_module('.'.join(file.with_suffix('').parts).removesuffix('.__init__'))\n"
        "assert not [name for name in sys.modules if '.tests' in name and name.startswith('ansible_collections.scs')]"
    )
    run(Path(sys.executable).name, "-c", code, root=installed)


def test_every_playbook_can_be_listed(installed, repo):
    names = sorted(f"scs.landscape.{playbook.stem}" for playbook in (repo / "playbooks").glob("*.yml"))
    said = run("ansible-playbook", "-i", "localhost,", "--syntax-check", *names, root=installed)
    assert said.count("playbook: ") == len(names)
