# SPDX-License-Identifier: Apache-2.0
"""Several at once: what an entry says and what the task says, what is wrong with entries, and what became of all of them."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.scs.landscape.plugins.module_utils import adapter
from ansible_collections.scs.landscape.plugins.module_utils.core import pool, stream
from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Plan, Step

OWN = {
    "vm": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "power": {"type": "str", "choices": ["on", "off"], "default": "on"},
    "count": {"type": "int", "default": 1},
    "needs": {
        "type": "dict",
        "options": {"vcpus": {"type": "int"}, "cpu_type": {"type": "str", "choices": ["shared", "dedicated"]}},
    },
}


def entries(listed: list[dict[str, Any]], **task: Any) -> list[dict[str, Any]]:
    """As a module reads them: what the task says was looked into before, and has its defaults."""
    arguments = {**OWN, "vm": {"type": "str"}, "name": {"type": "str"}, "all": {"type": "list", "elements": "dict"}}
    checked = ArgumentSpecValidator(arguments).validate({"all": listed, **task})
    assert not checked.error_messages, checked.error_messages
    return adapter.entries(checked.validated_parameters, "all", OWN)


def test_what_an_entry_does_not_say_is_as_the_task_says_and_not_as_the_default_is() -> None:
    listed = [{"vm": "a"}, {"vm": "b", "power": "on", "name": "own"}, {"vm": "c", "power": None, "count": "3"}]
    found = entries(listed, power="off", count=2, name="all")
    assert [(one["vm"], one["name"], one["power"], one["count"]) for one in found] == [
        ("a", "all", "off", 2),
        ("b", "own", "on", 2),
        ("c", "all", "off", 3),
    ]
    assert [one["power"] for one in entries([{"vm": "a", "name": "x"}])] == ["on"]


def test_a_dictionary_of_the_task_may_leave_out_what_has_choices() -> None:
    listed = [{"vm": "a"}, {"vm": "b", "needs": {"cpu_type": "dedicated"}}]
    first, second = entries(listed, name="x", needs={"vcpus": "2"})
    assert first["needs"] == {"vcpus": 2, "cpu_type": None}
    assert second["needs"] == {"vcpus": None, "cpu_type": "dedicated"}


def test_everything_that_is_wrong_is_told_at_once_with_its_place() -> None:
    listed = [
        {"vm": "a", "name": "x", "colour": "red", "size": 1, "power": "perhaps", "count": "many"},
        {"name": "y"},
        {"vm": "b"},
        {"vm": "c", "name": "z", "needs": {"cpu_type": "fast", "speed": 1}},
    ]
    with pytest.raises(InputError) as caught:
        entries(listed)
    said = str(caught.value).split("; ")
    for text in (
        "all[0]: there is no colour in an entry",
        "all[0]: there is no size in an entry",
        "all[0]: value of power must be one of: on, off, got: perhaps",
        "all[1]: missing required arguments: vm",
        "all[2]: missing required arguments: name",
        "all[3]: value of cpu_type must be one of: shared, dedicated, got: fast found in needs",
    ):
        assert [one for one in said if one.startswith(text)], text
    for place, word in (("all[0]", "count"), ("all[3]", "speed")):
        assert [one for one in said if one.startswith(place) and word in one], word


def test_a_machine_is_there_once() -> None:
    listed = [{"vm": "1"}, {"vm": "b"}, {"vm": 1}, {"vm": "b"}]
    with pytest.raises(InputError) as caught:
        entries(listed, name="x")
    assert caught.value.message == "all[2]: vm 1 is the one of all[0]; all[3]: vm b is the one of all[1]"


def test_what_was_done_before_a_failure_counts() -> None:
    class Found:
        plan = Plan((Step("create", "port x", None, {}),))

    def work(entry: dict[str, Any], _stop: threading.Event) -> Found:
        if entry["vm"] == "half":
            raise LandscapeError("it broke", details={"changed": True, "steps_done": 2})
        if entry["vm"] == "none":
            raise LandscapeError("it was refused")
        return Found()

    def result(*machines: str) -> adapter.Result:
        outcomes = adapter.several([{"vm": one} for one in machines], work, 2)
        return adapter.together("vms", outcomes, lambda _found: {"told": 1}, False)

    found = result("whole", "half", "none")
    assert (found.changed, found.steps_done, found.failed) == (True, 3, "it broke\nit was refused")
    assert found.values["vms"] == [
        {"vm": "whole", "error": None, "told": 1},
        {"vm": "half", "error": "it broke"},
        {"vm": "none", "error": "it was refused"},
    ]
    assert [(one.changed, one.steps_done) for one in (result("half"), result("none"))] == [(True, 2), (False, 0)]


def test_how_many_are_left_is_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "each", functools.partial(pool.each, every=0.05))
    heard, said = threading.Event(), []

    def work(entry: dict[str, Any], _stop: threading.Event) -> None:
        assert entry["vm"] == "a" or heard.wait(60)

    def listen(text: str) -> None:
        said.append(text)
        if text.startswith("1 of"):
            heard.set()

    with stream.heard_by(listen):
        outcomes = adapter.several([{"vm": "a"}, {"vm": "b", "name": "web"}, {"vm": "c"}], work, 3)
    assert [one.error for one in outcomes] == [None] * 3
    assert "1 of 3 machines are done, left: web, c" in said


def test_entries_are_read_as_they_were_written() -> None:
    read = [adapter.written({"all": one}, "all") for one in ([{"a": "1"}, "a=1 b=2", 7], "a=1,b=2", {"a": 1}, None)]
    assert read == [[{"a": "1"}, {"a": "1", "b": "2"}], [{"a": "1"}, {"b": "2"}], [], []]
