# SPDX-License-Identifier: Apache-2.0
"""How the module sonic_switch comes to a switch: one command for each call, and no file, where sudo lets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.scs.landscape.tests.lab.switches import Fabric

from .playing import LEAF, Stage, change

_SUDOERS = "/etc/sudoers.d/zz-requiretty"
_SERVER = {"NTP_SERVER": {"192.0.2.40": {}}}
#: Read, apply, look again, confirm.
_CALLS = 4


@pytest.fixture
def requiretty(pair: Fabric) -> Iterator[None]:
    """A switch whose sudo wants a terminal."""
    pair.machine(LEAF).run(["tee", _SUDOERS], input="Defaults requiretty\n")
    yield
    pair.machine(LEAF).run(["rm", _SUDOERS])


def commands(output: str) -> int:
    """How many commands were sent over SSH."""
    return output.count("SSH: EXEC")


def test_a_call_is_one_command(pair: Fabric, stage: Stage) -> None:
    done = stage.run(LEAF, change(_SERVER), arguments=("-vvv",))
    assert done.rc == 0, done.output[-3000:]
    assert done.only()["changed"]
    assert _CALLS <= commands(done.output) < 2 * _CALLS, "it may look more than once"
    again = stage.run(LEAF, change(_SERVER), arguments=("-vvv",))
    assert not again.only()["changed"]
    assert commands(again.output) == 1
    assert "PUT" not in done.output + again.output


@pytest.mark.usefixtures("requiretty")
def test_sudo_that_wants_a_terminal_gets_one(pair: Fabric, stage: Stage) -> None:
    done = stage.run(LEAF, change(_SERVER, state="deleted"), arguments=("-vvv",))
    assert done.rc == 0, done.output[-3000:]
    assert done.only()["saved"]
    assert commands(done.output) > 2 * _CALLS
    assert "192.0.2.40" not in pair.saved(LEAF).get("NTP_SERVER", {})
    left = pair.machine(LEAF).run(["find", "/home/dragon/.ansible/tmp", "-mindepth", "1"]).stdout
    assert left == "", "files of calls are removed"
