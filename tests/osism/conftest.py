# SPDX-License-Identifier: Apache-2.0
"""A manager node with only what OSISM's container holds, and the collection as a user installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.tests.osism.configuration import Manager
from ansible_collections.scs.landscape.tests.tools import environments
from ansible_collections.scs.landscape.tests.tools.legs import LEGS

#: The task of docs/osism.md, as an operator adds it to the custom plays.
RENDER = """\
- name: Keep the inventory in step with the landscape
  hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Render groups and host variables
      scs.landscape.landscape_render:
        src: [landscape]
        dest: "{{ playbook_dir }}/../.."
        formats: [osism_groups, osism_host_vars]
"""


@pytest.fixture(scope="session")
def programs() -> Path:
    """The programs of OSISM's container for the core of this leg; the runner has built them before."""
    ready = os.environ.get("SCS_BESIDE")
    if ready:
        return Path(ready) / "bin"
    leg = os.environ.get("SCS_LEG", "core-2.18").replace("core", "osism")
    return environments.environment(LEGS[leg]).path / "bin"


@pytest.fixture(scope="session")
def collection(programs: Path, repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built collection, unpacked: nothing of the checkout is near."""
    folder = tmp_path_factory.mktemp("built")
    build = [programs / "ansible-galaxy", "collection", "build", repo, "--output-path", folder]
    environ = {**os.environ, "HOME": str(folder), "ANSIBLE_HOME": str(folder / "ansible")}
    subprocess.run(build, check=True, capture_output=True, cwd=folder, env=environ, timeout=120)
    (tarball,) = folder.glob("*.tar.gz")
    (folder / "landscape").mkdir()
    subprocess.run(["tar", "-xzf", tarball, "-C", folder / "landscape"], check=True, timeout=60)
    return folder / "landscape"


@pytest.fixture(scope="session")
def prepared(programs: Path, collection: Path, repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Manager:
    """A manager whose repository holds the SCS lab, and its inventory rendered from it; tests take copies."""
    manager = Manager(tmp_path_factory.mktemp("osism") / "manager", programs)
    manager.create(collection, repo / "playbooks/osism")
    shutil.copytree(repo / "examples/scs-lab", manager.custom / "landscape")
    (manager.custom / "playbook-render.yml").write_text(RENDER, encoding="utf-8")
    manager.reconcile()
    done = manager.apply("render")
    assert done.rc == 0, done.output
    manager.reconcile()
    return manager


@pytest.fixture
def site(prepared: Manager, tmp_path: Path) -> Manager:
    """A manager of one's own with the SCS lab."""
    return prepared.copy(tmp_path / "manager")
