# SPDX-License-Identifier: Apache-2.0
"""The action plugin sonic_checkpoint, where it ends a change whose controller is gone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.action.sonic_checkpoint import ActionModule
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import confirm, state

from .linked import BoxLink, settings
from .switchbox import Box

OLD: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf1", "mac": "00:00:5e:00:53:01"}},
    "VERSIONS": {"DATABASE": {"VERSION": "version_202505_01"}},
}
WISH: dict[str, Any] = {"VRF": {"VrfBlue": {"vni": "1000"}}, "VLAN": {"Vlan10": {"vlanid": "10"}}}
LINES = [["vrf VrfBlue", "vni 1000"]]


def killed(*_args: Any) -> None:
    """Ends a run where it stands."""
    raise RuntimeError("killed")


@pytest.fixture(name="waiting")
def _waiting(box: Box) -> Box:
    """A switch where a change waits whose controller was killed before it could confirm."""
    box.fill(OLD)

    def trouble(call: str, _number: int) -> None:
        if call == "confirm":
            killed()

    with pytest.raises(RuntimeError, match="killed"):
        change.run(BoxLink(box, trouble), settings(WISH, frr_fixups=True))
    assert state.pending()["phase"] == "armed"
    return box


def decide(link: BoxLink, what: str = "confirmed") -> dict[str, Any]:
    """What the task of an operator returns."""
    action = ActionModule.__new__(ActionModule)
    action._task = SimpleNamespace(check_mode=False)
    return action.work(link, {"state": what, "name": None})  # type: ignore[arg-type]


def test_a_change_that_somebody_else_confirms_is_kept_with_its_lines(waiting: Box) -> None:
    done = decide(BoxLink(waiting))
    assert (done["changed"], done["saved"], done["rolled_back"], done["pending"]) == (True, True, False, {})
    assert waiting.ask("read")["fixups"] == LINES, "their loss is told"


def test_a_confirmation_that_was_cut_off_is_ended_with_its_lines(waiting: Box) -> None:
    state.keep({**state.pending(), "phase": "confirmed"})
    assert confirm.finish("a" * 32)["saved"]
    assert waiting.ask("read")["fixups"] == LINES


def test_lines_of_a_change_that_came_back_are_not_missed(waiting: Box) -> None:
    assert decide(BoxLink(waiting), "rolled_back")["rolled_back"]
    assert waiting.ask("read")["fixups"] == []


def test_a_change_that_cannot_be_saved_came_back_and_that_is_said(waiting: Box) -> None:
    waiting.break_("config_full")
    done = decide(BoxLink(waiting))
    assert (done["failed"], done["rolled_back"], done["saved"], done["changed"]) == (True, True, False, True)
    assert "`config save` did not do it" in done["msg"]
    assert "The switch was brought back to what it was" in done["msg"]
    assert (waiting.saved, state.pending()) == (OLD, {})
    assert "VLAN|Vlan10" not in waiting.rows()


def test_one_that_does_not_come_back_says_how_long_it_waits(waiting: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise OSError(5, "Input/output error")

    waiting.break_("config_full")
    monkeypatch.setattr(confirm, "rows_back", broken)
    done = decide(BoxLink(waiting))
    assert (done["failed"], done["rolled_back"], done["changed"]) == (True, False, False)
    assert "could not be brought back at once; its timer does that within 1" in done["msg"]


def test_one_that_nobody_touched_is_an_error_as_before(waiting: Box) -> None:
    link = BoxLink(waiting, lambda call, _n: {"error": "busy", "data": {"pid": 7}} if call == "confirm" else None)
    with pytest.raises(LandscapeError, match="another run works there"):
        decide(link)
    assert state.pending()["phase"] == "armed"
