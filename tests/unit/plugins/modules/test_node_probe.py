# SPDX-License-Identifier: Apache-2.0
"""The module node_probe: who answers, with real programs in place of ping(8)."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.node import probe
from ansible_collections.scs.landscape.plugins.modules import node_probe

GOOD, BAD = "192.0.2.1", "192.0.2.2"


class Pings:
    """Starts programs that end as ping would: who answers, and from which question on."""

    def __init__(self, *, answers_from: int = 1, says: str = "") -> None:
        self.asked: list[list[str]] = []
        self._from, self._says = answers_from, says

    def __call__(self, argv):
        self.asked.append(list(argv))
        times = sum(1 for one in self.asked if one[-1] == argv[-1])
        code = 0 if argv[-1] == GOOD and times >= self._from else 1
        line = ["sh", "-c", f"echo '{self._says}' >&2; exit {code}"]
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_those_that_answer_are_told_from_those_that_do_not() -> None:
    pings = Pings()
    assert probe.reached([BAD, GOOD, GOOD], "192.0.2.9", start=pings) == [GOOD]
    assert [one[-3:] for one in pings.asked] == [["-I", "192.0.2.9", BAD], ["-I", "192.0.2.9", GOOD]]


def test_who_answered_is_not_asked_again_and_who_did_not_is() -> None:
    pings = Pings(answers_from=2)
    assert probe.reached([GOOD], timeout=20, start=pings) == [GOOD]
    assert len(pings.asked) == 2


def test_names_are_refused() -> None:
    with pytest.raises(InputError, match="'example.org' is no IP address"):
        probe.reached(["example.org"], start=Pings())


def test_a_ping_that_may_not_ask_is_no_silence() -> None:
    with pytest.raises(LandscapeError, match="may not ask anybody"):
        probe.reached([GOOD], start=Pings(says="ping: socket: Operation not permitted"))


def test_a_host_without_ping_says_so() -> None:
    def missing(argv):
        raise FileNotFoundError(argv[0])

    with pytest.raises(LandscapeError, match="ping cannot be started"):
        probe.reached([GOOD], start=missing)


@pytest.mark.parametrize(("on_failure", "failed"), [("fail", f"No answer from {BAD}"), ("report", "")])
def test_silence_fails_the_task_or_is_told(monkeypatch, on_failure, failed) -> None:
    monkeypatch.setattr(probe, "reached", lambda targets, source, **_: [GOOD])
    options = {"targets": [GOOD, BAD], "source": None, "count": 3, "timeout": 0, "on_failure": on_failure}
    result = node_probe.main(options, False)
    assert result.values == {"reached": [GOOD], "lost": [BAD]}
    assert result.failed == failed
