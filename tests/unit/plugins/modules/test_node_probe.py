# SPDX-License-Identifier: Apache-2.0
"""The module node_probe: who answers, with real programs in place of ping(8)."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.node import client, probe
from ansible_collections.scs.landscape.plugins.modules import node_probe

GOOD, BAD = "192.0.2.1", "192.0.2.2"


SUMMARY = (
    "3 packets transmitted, 2 received, 33% packet loss, time 606ms\\nrtt min/avg/max/mdev = 0.047/0.052/0.058/0.005 ms"
)
SILENCE = "4 packets transmitted, 0 received, +4 errors, 100% packet loss, time 909ms"


class Pings:
    """Runs programs that end as ping would: who answers, and from which question on."""

    def __init__(self, *, answers_from: int = 1, says: str = "", program: str = "sh") -> None:
        self.asked: list[list[str]] = []
        self._from, self._says, self._program = answers_from, says, program

    def __call__(self, commands, seconds):
        self.asked += [list(argv) for argv in commands]
        return client.together([self._line(argv[-1]) for argv in commands], seconds)

    def _line(self, target):
        times = sum(1 for one in self.asked if one[-1] == target)
        answers = target == GOOD and times >= self._from
        said = f"printf %b '{SUMMARY if answers else SILENCE}'; echo '{self._says}' >&2"
        return [self._program, "-c", f"{said}; exit {0 if answers else 1}"]


def reached(targets, *arguments, **options):
    return [one.address for one in probe.asked(targets, *arguments, **options) if one.received]


def test_those_that_answer_are_told_from_those_that_do_not() -> None:
    pings = Pings()
    assert reached([BAD, GOOD, GOOD], "192.0.2.9", together=pings) == [GOOD]
    assert [one[-3:] for one in pings.asked] == [["-I", "192.0.2.9", BAD], ["-I", "192.0.2.9", GOOD]]


def test_loss_and_time_are_those_of_the_last_questions() -> None:
    assert probe.asked([BAD, GOOD], together=Pings()) == [probe.Answer(BAD, 4, 0), probe.Answer(GOOD, 3, 2, 0.052)]


@pytest.mark.parametrize(
    ("code", "out", "answer"),
    [
        (
            0,
            "3 packets transmitted, 3 packets received, 0% packet loss\nround-trip min/avg/max = 0.1/0.2/0.3 ms",
            (3, 3, 0.2),
        ),
        (124, "", (3, 0, None)),
        (0, "", (3, 3, None)),
    ],
    ids=["BusyBox", "ended", "says nothing"],
)
def test_what_ping_says_last(code, out, answer) -> None:
    told = probe.asked([GOOD], together=lambda commands, _seconds: [client.Outcome(code, out) for _one in commands])
    assert told == [probe.Answer(GOOD, *answer)]


def test_who_answered_is_not_asked_again_and_who_did_not_is() -> None:
    pings = Pings(answers_from=2)
    assert reached([GOOD], timeout=20, together=pings) == [GOOD]
    assert len(pings.asked) == 2


def test_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"'example\.org' is no IP address"):
        probe.asked(["example.org"], together=Pings())


def test_a_ping_that_may_not_ask_is_no_silence() -> None:
    with pytest.raises(LandscapeError, match="Nobody can be asked: ping: socket"):
        probe.asked([GOOD], together=Pings(says="ping: socket: Operation not permitted"))


def test_a_host_without_ping_says_so() -> None:
    with pytest.raises(LandscapeError, match="no-such-ping cannot be started"):
        probe.asked([GOOD], together=Pings(program="no-such-ping"))


def test_a_program_that_does_not_end_is_ended() -> None:
    slow, quick = client.together([["sleep", "60"], ["sh", "-c", "echo no >&2; exit 3"]], 1.0)
    assert (slow.code, quick.code, quick.reason) == (124, 3, "no")


@pytest.mark.parametrize(("on_failure", "failed"), [("fail", f"No answer from {BAD}"), ("report", "")])
def test_silence_fails_the_task_or_is_told(monkeypatch, on_failure, failed) -> None:
    answers = [probe.Answer(GOOD, 3, 3, 0.1), probe.Answer(BAD, 4, 0)]
    monkeypatch.setattr(probe, "asked", lambda targets, source, **_: answers)
    options = {"targets": [GOOD, BAD], "source": None, "count": 3, "timeout": 0, "on_failure": on_failure}
    result = node_probe.main(options, False)
    assert (result.values["reached"], result.values["lost"]) == ([GOOD], [BAD])
    assert result.values["answers"][1] == {"address": BAD, "sent": 4, "received": 0, "rtt_ms": None}
    assert result.failed == failed
