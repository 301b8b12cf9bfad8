# SPDX-License-Identifier: Apache-2.0
"""The way to a switch: requests hold secrets, and none of them stays there when a connection is cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Unreachable
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import words
from ansible_collections.scs.landscape.plugins.plugin_utils.switch_link import SwitchAction, SwitchLink


class Action(SwitchAction):
    """With a connection that is cut as often as a test says."""

    def __init__(self, cuts: int) -> None:
        shell = SimpleNamespace(tmpdir=None, remove=lambda path, recurse: f"rm -rf {path}" if recurse else "")
        context = SimpleNamespace(no_log=False)
        self.options: dict[str, Any] = {}
        connection = SimpleNamespace(_shell=shell, transport="ssh", set_option=self.options.__setitem__)
        super().__init__(None, connection, context, None, None, None)
        self.cuts, self.calls = cuts, 0
        self.requiretty = False
        self.folders: list[str] = []
        self.removal = 0

    def work(self, link: SwitchLink, options: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("these tests call the link")

    def _execute_module(self, *_args: Any, **_more: Any) -> dict[str, Any]:
        shell = self._connection._shell
        self.calls += 1
        if shell.tmpdir is None:
            shell.tmpdir = f"/home/admin/.ansible/tmp/ansible-tmp-{self.calls}"
            self.folders.append(shell.tmpdir)
        if self.calls <= self.cuts:
            raise AnsibleConnectionFailure("Connection closed")
        if self.requiretty and self.options.get("pipelining") is not False:
            return {"failed": True, "rc": 1, "module_stderr": "sudo: sorry, you must have a tty to run sudo\n"}
        return {"answer": words.pack({})}

    def _low_level_execute_command(self, cmd: str, *_args: Any, **more: Any) -> dict[str, Any]:
        assert more == {"sudoable": False}, "the folder belongs to the user who logs in"
        if not self.removal:
            self.folders.remove(cmd.split()[-1])
        return {"rc": self.removal}


def ask(action: Action) -> bool:
    """Whether a call was answered."""
    try:
        SwitchLink(action, "leaf1", {}).ask("read")
    except Unreachable:
        return False
    return True


@pytest.mark.parametrize("cuts", [0, 1, 3])
def test_the_request_of_a_call_that_was_cut_is_removed_with_the_next_connection(cuts: int) -> None:
    action = Action(cuts)
    for _number in range(cuts):
        assert not ask(action)
    assert len(action.folders) == cuts
    assert ask(action)
    assert action.folders == [action._connection._shell.tmpdir], "that of the call itself is removed by Ansible"
    assert ask(action)


def test_what_could_not_be_removed_is_tried_again() -> None:
    action = Action(1)
    ask(action)
    action.removal = 1
    assert ask(action)
    assert len(action.folders) == 2
    action.removal = 0
    assert ask(action)
    assert action.folders == [action._connection._shell.tmpdir]


def test_where_sudo_wants_a_terminal_it_gets_one() -> None:
    """Pipelining saves four commands for each call, and leaves no file; it works without a terminal."""
    action = Action(0)
    action.requiretty = True
    assert ask(action)
    assert (action.options, action.calls) == ({"pipelining": False}, 2)
    assert ask(action)
    assert action.calls == 3


def test_any_other_failure_is_told_at_once() -> None:
    action = Action(0)
    action._execute_module = lambda **_more: {"failed": True, "module_stderr": "sudo: a password is required"}  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="a password is required"):
        SwitchLink(action, "leaf1", {}).ask("read")
    assert action.options == {}


def test_requests_go_down_the_wire_and_never_into_a_file() -> None:
    """Whoever is never let in again can remove no file."""
    action, options = Action(0), {"pipelining": False, "ssh_extra_args": "-4"}
    action._connection.get_option = options.get
    action._connection.set_option = options.__setitem__
    action._set_up()
    assert options["pipelining"] is True
    assert str(options["ssh_extra_args"]).startswith("-4 -o ServerAlive")
