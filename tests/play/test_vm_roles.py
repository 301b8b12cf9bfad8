# SPDX-License-Identifier: Apache-2.0
"""The roles of migrations before they reach an endpoint or a cloud: which plan counts, what is refused, and what nobody may read."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import journals
from ansible_collections.scs.landscape.plugins.module_utils.flows.migration.state import WAY
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.flows import fakes_migration

CANARY = "cAnArYpassword1"
HOST = "127.0.0.1"
Program = Callable[..., Any]


@pytest.fixture
def shut() -> int:
    """A port on which nobody answers."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def role(ansible: Program, tmp_path: Path) -> Callable[..., Any]:
    """Runs a role with variables."""

    def run(name: str, *arguments: str, fails: bool = False, **variables: Any) -> Any:
        given = {
            "vm_folder": str(tmp_path / "there"),
            "vm_cloud": {"auth": {"auth_url": f"http://{HOST}:1/v3"}},
            **variables,
        }
        head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given}
        (tmp_path / "book.yml").write_text(yaml.safe_dump([{**head, "roles": [f"scs.landscape.{name}"]}]))
        environ = {"PWD": str(tmp_path)}
        return ansible("ansible-playbook", tmp_path / "book.yml", *arguments, fails=fails, environ=environ)

    return run


def login(port: int, hostname: str = HOST) -> dict[str, Any]:
    return {"hostname": hostname, "port": port, "username": "root", "password": CANARY, "timeout": 2}


def plan(number: int, **options: Any) -> Any:
    """The plan of one machine."""
    return fakes_migration.made([fakes_migration.vm(number, endpoint=HOST, power="off")], **options)


def carried_out(folder: Path, document: Any, state: str, last: bool = True) -> None:
    """What vm_migrate leaves where it ran."""
    (folder / "plans").mkdir(parents=True, exist_ok=True)
    (folder / "plans" / f"{document.digest}.json").write_text(document.text())
    if last:
        (folder / "plan.json").write_text(document.text())
    vms = [fakes_migration.vm(int(one.name[2:]), endpoint=HOST) for one in document.machines]
    for name in WAY[: WAY.index(state) + 1]:
        given = {"folder": str(folder / "journals"), "wave": "", "only": None, "vms": vms, "marks": {}, "made": {}}
        journals.advance(document, {**given, "state": name}, False)


@pytest.mark.accept("V1.16")
@pytest.mark.parametrize("loud", [(), ("-vvv",)], ids=["plain", "loud"])
@pytest.mark.parametrize("name", ["vm_assess", "vm_migrate"])
def test_a_password_is_in_nothing_that_a_failing_role_says(
    role: Program, tmp_path: Path, shut: int, name: str, loud: tuple[str, ...]
) -> None:
    document = plan(1)
    (tmp_path / "migration-plan.json").write_text(document.text())
    confirm = f"shop {document.digest}"
    done = role(name, *loud, fails=True, vm_endpoints=[login(shut)], landscape_confirm=confirm)
    said = done.stdout + done.stderr
    assert "Read the machines" in said
    assert HOST in said
    assert CANARY not in said


def test_nothing_is_brought_back_without_the_login_of_its_endpoint(role: Program, tmp_path: Path, shut: int) -> None:
    document = plan(1)
    carried_out(tmp_path / "there", document, "cut_over")
    for endpoints in ([], [login(shut, "other.example")]):
        confirm = f"shop {document.digest}"
        done = role("vm_rollback", fails=True, vm_endpoints=endpoints, landscape_confirm=confirm)
        assert f"lacks the login of {HOST}" in done.stdout
        assert "Remove the servers" not in done.stdout


def test_the_plan_that_was_carried_out_counts_and_not_the_one_that_came_later(
    role: Program, tmp_path: Path, shut: int
) -> None:
    first, second = plan(1), plan(2)
    carried_out(tmp_path / "there", first, "copied")
    carried_out(tmp_path / "there", second, "copied")
    (tmp_path / "migration-plan.json").write_text(first.text())  # on the controller, which is not asked
    endpoints, tags = [login(shut)], ("--tags", "preflight")
    none = role("vm_rollback", *tags, fails=True, vm_endpoints=endpoints)
    assert f"vm2 would be brought back; give {second.digest}" in " ".join(none.stdout.split())
    strange = role("vm_rollback", *tags, fails=True, vm_endpoints=endpoints, landscape_confirm="shop 0123456789ab")
    assert f"give {second.digest}" in " ".join(strange.stdout.split())
    for document, name in ((first, "vm1"), (second, "vm2")):
        confirm = f"shop {document.digest}"
        done = role("vm_rollback", *tags, "-v", vm_endpoints=endpoints, landscape_confirm=confirm)
        assert f'"name": "{name}"' in done.stdout
        assert f'"name": "{"vm2" if name == "vm1" else "vm1"}"' not in done.stdout


def test_a_machine_that_is_done_is_brought_back_by_its_name_alone(role: Program, tmp_path: Path, shut: int) -> None:
    document = plan(1)
    carried_out(tmp_path / "there", document, "done")
    given = {"vm_endpoints": [login(shut)], "fails": True}
    done = " ".join(role("vm_rollback", "--tags", "preflight", **given).stdout.split())
    assert "No machine would be brought back" in done
    assert "vm1 are done, and stay unless vm_only names their uuids" in done
    named = role("vm_rollback", "--tags", "preflight", vm_only=[document.machines[0].uuid], **given)
    assert "vm1 would be brought back" in " ".join(named.stdout.split())


def test_a_plan_that_nobody_confirmed_replaces_none(role: Program, tmp_path: Path, shut: int) -> None:
    document = plan(1)
    carried_out(tmp_path / "there", document, "copied")
    (tmp_path / "migration-plan.json").write_text(plan(2).text())
    role("vm_migrate", fails=True, vm_endpoints=[login(shut)], landscape_confirm="shop 0123456789ab")
    assert (tmp_path / "there/plan.json").read_text() == document.text()
