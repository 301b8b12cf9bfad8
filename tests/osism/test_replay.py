# SPDX-License-Identifier: Apache-2.0
"""Our plays as ``osism apply`` runs them: the collection in environments/custom, five files of extra variables, a flat inventory."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.scs.landscape.tests.osism.configuration import Manager

REPO = Path(__file__).resolve().parents[2]
SERVICES = sorted(file.stem.removeprefix("playbook-") for file in (REPO / "playbooks/osism").glob("*.yml"))
#: As an operator might write them into environments/configuration.yml: each beats every host's own value.
POISON = {
    "ansible_host": "192.0.2.66",
    "ansible_user": "nobody",
    "bmc_address": "192.0.2.67",
    "frr_local_as": 65000,
    "internal_address": "192.0.2.68",
    "lab_asn": 65001,
    "lab_bmc": {"address": "192.0.2.69"},
    "lab_rack": "r99",
    "landscape_asn": 65002,
    "landscape_bmc": {"address": "192.0.2.70"},
    "landscape_oob": {"address": "192.0.2.71"},
    "landscape_rack": "r99",
    "mgmt_address": "192.0.2.72",
}
SHOW = """\
- name: Show what hosts know
  hosts: "{{ hosts_show | default(hosts_default_group | default('generic')) }}"
  gather_facts: false
  tasks:
    - name: Show
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} {{ landscape_rack }} {{ landscape_asn }} {{ groups['ceph-rgw'] | sort | join(',') }}"
"""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert found
    return found


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize("service", SERVICES)
def test_every_wrapper_is_understood(site: Manager, service: str) -> None:
    """Found beside the playbooks, on this core, with nothing but what the container holds, and names hosts or tasks."""
    done = site.apply(service, "--list-tasks", "--list-hosts")
    assert done.rc == 0, done.output
    assert re.search(r"scs\.landscape\.\w+ : |tasks:\n\s+\w", done.output), done.output
    assert "WARNING" not in done.output, done.output


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "hosts.yml"])
def test_plays_about_files_do_their_work(site: Manager, fast: bool) -> None:
    """Relative paths are meant from environments/custom, where run-custom.sh stands."""
    site.set("custom/configuration", lab_validate_reports=["report.json"])
    validated = site.apply("lab_validate", fast=fast)
    assert validated.rc == 0, validated.output
    assert (site.custom / "report.json").stat().st_size > 1000
    assert site.apply("lab_docs", fast=fast).results()["localhost"]["changed"] == 1
    assert (site.custom / "landscape-docs/index.md").exists()
    assert site.apply("lab_docs", fast=fast).results()["localhost"]["changed"] == 0


@pytest.mark.accept("L1.7")
def test_groups_with_dashes_and_flat_variables_are_those_of_the_landscape(site: Manager) -> None:
    """Equal through the fast inventory, through hosts.yml, and beside the plugin: groups, hosts, values."""
    (site.custom / "playbook-show.yml").write_text(SHOW, encoding="utf-8")
    (site.custom / "lab.landscape.yml").write_text("plugin: scs.landscape.landscape\nsrc: [landscape]\n", "utf-8")
    plugin = ["-i", str(site.custom / "lab.landscape.yml")]
    said = []
    for fast, extra in ((True, []), (False, []), (True, plugin)):
        done = site.apply("show", "-e", "hosts_show=ceph-rgw", *extra, fast=fast)
        assert done.rc == 0, done.output
        said.append(sorted(set(re.findall(r'"msg": "(.*)"', done.output))))
        assert "WARNING" not in done.output, done.output
    assert said[0] == said[1] == said[2]
    assert len(said[0]) == 3
    assert re.fullmatch(r"st01-ctl-r01-u\d+ r01 42100\d+ (st01-ctl-r01-u\d+,?){3}", said[0][0])


@pytest.mark.accept("L1.7")
def test_poisoned_extra_variables_do_not_reach_what_is_rendered(site: Manager) -> None:
    """The control: they do reach host variables. What our plays write comes from the landscape and stays the same."""
    (site.custom / "playbook-show.yml").write_text(SHOW, encoding="utf-8")
    assert site.apply("lab_docs").rc == 0
    inventory, docs = contents(site.repository / "inventory"), contents(site.custom / "landscape-docs")
    site.set("configuration", **POISON)
    site.set("custom/configuration", **POISON)
    shown = site.apply("show").output
    assert " r99 65002 " in shown
    assert "4210021" not in shown, "an extra variable beats every host variable"
    shutil.rmtree(site.custom / "landscape-docs")
    for service in ("lab_validate", "lab_docs", "render"):
        done = site.apply(service)
        assert done.rc == 0, done.output
    assert contents(site.repository / "inventory") == inventory
    assert contents(site.custom / "landscape-docs") == docs


@pytest.mark.accept("L1.7")
@pytest.mark.parametrize("name", ["secrets", "custom/secrets", "custom/images", "custom/configuration"])
def test_a_file_of_the_five_that_is_empty_is_ansibles_to_refuse(site: Manager, name: str) -> None:
    """What docs/osism.md warns of: without a variable in each file nothing runs, and Ansible says which file it was."""
    (site.repository / f"environments/{name}.yml").write_text("---\n", encoding="utf-8")
    done = site.apply("lab_validate")
    if done.rc:
        assert f"{Path(name).name}.yml" in done.output
    assert "Traceback" not in done.output


MODULE = """\
#!/usr/bin/python
from ansible_collections.scs.landscape.plugins.module_utils.adapter import run_module
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import MissingDependencyError


def main(params, check_mode):
    raise MissingDependencyError("an-sdk", "talking to the cloud")


if __name__ == "__main__":
    run_module({}, main)
"""


def _messages(output: str) -> list[str]:
    return re.findall(r'"msg": "((?:[^"\\]|\\.)*)"', output) + re.findall(
        r"^\[ERROR\]: .*?: (.*)$", output, re.MULTILINE
    )


@pytest.mark.accept("L1.7")
def test_a_missing_package_is_named_in_one_sentence(site: Manager) -> None:
    (site.custom / "library").mkdir()
    (site.custom / "library/needs_an_sdk.py").write_text(MODULE, encoding="utf-8")
    play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [{"needs_an_sdk": {}}]}
    (site.custom / "playbook-sdk.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    done = site.apply("sdk", "-e", "ansible_python_interpreter={{ansible_playbook_python}}")
    assert done.rc == 2
    (said,) = _messages(done.output)
    assert said.startswith("The Python package an-sdk is needed for talking to the cloud and is not installed")
    assert "Traceback" not in done.output


@pytest.mark.accept("L1.7")
def test_an_interpreter_without_pyyaml_is_told_so(site: Manager, tmp_path: Path) -> None:
    """For real: a bare Python where a module of ours needs a package; called in Ansible's process it needs none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True, timeout=60)
    bare = ("-e", f"ansible_python_interpreter={tmp_path}/bare/bin/python")
    assert site.apply("lab_validate", *bare).rc == 0
    # A task with variables of its own is sent as a program.
    task = {"scs.landscape.landscape_validate": {"src": "landscape"}, "environment": {"SENT": "yes"}}
    play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [task]}
    (site.custom / "playbook-sent.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    done = site.apply("sent", *bare)
    assert done.rc == 2
    (said,) = _messages(done.output)
    assert "PyYAML" in said
    assert "Traceback" not in done.output


@pytest.mark.accept("L1.7")
def test_the_container_has_no_tool_of_ours(programs: Path, repo: Path) -> None:
    """The replay proves nothing if packages of the tests leak in: installed is what OSISM asks for, and what that pulls in."""
    listing = [programs / "python", "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check"]
    done = subprocess.run(listing, check=True, capture_output=True, text=True, timeout=60)
    names = {line.partition("==")[0].lower() for line in done.stdout.splitlines()}
    leg = programs.parent.name.partition("-py3")[0]
    lock = (repo / f"tests/requirements/{leg}.lock").read_text(encoding="utf-8").lower()
    assert {"ansible-core", "osism", "requests"} <= names
    assert not {name for name in names if f"\n{name}==" not in lock} - {"pip", "setuptools"}
    assert not names & {"pytest-xdist", "molecule", "ansible-lint"}
