# SPDX-License-Identifier: Apache-2.0
"""Whatever the switch answers becomes a sentence with the next thing to do, and nothing secret is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import errors
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent

CODES = sorted(
    {
        code
        for path in Path(agent.__file__).parent.glob("*.py")
        for code in re.findall(r'SwitchError\(\s*"([a-z_]+)"', path.read_text())
    }
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence_and_a_next_thing(code: str) -> None:
    said = errors.error("leaf1", {"error": code, "data": {}})
    assert said.message.startswith("leaf1: ")
    assert code not in said.message
    assert said.hint


def test_there_are_codes() -> None:
    assert len(CODES) > 15


def test_locks_are_errors_of_their_own_and_keys_are_masked() -> None:
    held = errors.error("leaf1", {"error": "locked", "data": {"owner": "a@b", "seconds": 7}})
    assert isinstance(held, LockedError)
    assert str(held) == "leaf1: a@b holds it for another 7 s at most. Wait for that run, or raise lock_wait"
    said = str(errors.error("leaf1", {"error": "row_changed", "data": {"row": "SNMP_COMMUNITY|s3cret"}}))
    assert f"SNMP_COMMUNITY|{MASK}" in said
    assert "s3cret" not in said
    assert "brand_new" in str(errors.error("leaf1", {"error": "brand_new"}))


@pytest.mark.parametrize(
    "why",
    [
        'Failed to apply patch: [{"op": "add", "path": "/SNMP_COMMUNITY/s3cret"}]',
        "libyang: value s3cret is not valid",
        "exit status s3cret",
    ],
)
def test_words_of_sonics_programs_stay_on_the_switch(why: str) -> None:
    data = {"program": "config apply-patch", "why": why}
    said = str(errors.error("leaf1", {"error": "program_failed", "data": data}))
    assert "s3cret" not in said
    assert "config apply-patch refuses the change" in said


def test_how_a_program_ended_is_told() -> None:
    for why in ("exit status 2", "config did not end within 100 s"):
        said = errors.error("leaf1", {"error": "program_failed", "data": {"program": "config reload", "why": why}})
        assert why in str(said)


def test_a_line_that_frr_refuses_is_masked() -> None:
    data = {"why": "% Unknown command: neighbor 192.0.2.1 password s3cret"}
    said = str(errors.error("leaf1", {"error": "frr_refused", "data": data}))
    assert "password" in said
    assert "s3cret" not in said
