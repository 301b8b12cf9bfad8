# SPDX-License-Identifier: Apache-2.0
"""Programs that a module runs: bounded, without input, and told apart by how they end."""

from __future__ import annotations

import json
import os
import time
from unittest import mock

import pytest
from ansible.module_utils import basic

from ansible_collections.scs.landscape.plugins.module_utils import adapter

C = {"LC_ALL": "C"}
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"


def test_a_program_says_how_it_ended(programs):
    assert programs(["sh", "-c", "echo out; echo err >&2; exit 3"], 30, C) == (3, "out\n", "err\n")


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (["no-such-program"], 127, "no-such-program is not installed"),
        (["/etc/passwd"], 126, "/etc/passwd cannot be started: Permission denied"),
        (["sleep", "30"], 124, "sleep did not end within 0 s"),
        (["sh", "-c", STUBBORN], 124, "sh did not end within 0 s"),
    ],
    ids=["missing", "no program", "slow", "stubborn"],
)
def test_one_that_does_not_start_or_end_is_named(programs, argv, code, sentence):
    began = time.monotonic()
    assert programs(argv, 0.2, C) == (code, "", sentence)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("code", [124, 126, 127, 137])
def test_the_same_numbers_of_its_own_are_its_own(programs, code):
    assert programs(["sh", "-c", f"echo mine >&2; exit {code}"], 30, C) == (code, "", "mine\n")


def test_a_limit_of_nothing_is_none_for_ever(programs):
    assert programs(["sleep", "30"], 0, C)[0] == 124


def test_a_machine_without_timeout_says_so(programs, tmp_path):
    code, _out, err = programs(["true"], 30, {"PATH": str(tmp_path)})
    assert (code, err) == (126, "true cannot be started: timeout(1): No such file or directory")


def test_nobody_waits_for_input(programs):
    """Not even where we have one: a pipe that stays open stands for the terminal."""
    assert programs(["cat"], 5, C) == (0, "", "")
    assert os.path.samestat(os.fstat(0), os.stat(os.devnull))


def test_arguments_arrive_as_they_are(programs, monkeypatch):
    monkeypatch.setenv("SECRET", "expanded")
    odd = ["$SECRET", "~", "a b", "", "*"]
    assert programs(["printf", "%s|", *odd], 30, C)[1] == "$SECRET|~|a b||*|"


def test_environment_and_folder_are_the_given_ones(programs):
    assert programs(["sh", "-c", "echo $LC_ALL $HOME; pwd"], 30, {"LC_ALL": "C", "HOME": "/x"})[1] == "C /x\n/\n"


def test_what_is_no_text_does_no_harm(programs):
    assert programs(["printf", r"a\377b"], 30, C)[1] == "a\N{REPLACEMENT CHARACTER}b"


def test_a_child_that_stays_is_not_waited_for(programs):
    began = time.monotonic()
    assert programs(["sh", "-c", "sleep 20 & echo done"], 30, C)[:2] == (0, "done\n")
    assert time.monotonic() - began < 10


def test_nothing_is_logged(module, programs, monkeypatch):
    said = []
    monkeypatch.setattr(module, "log", lambda *words, **_more: said.append(words))
    programs(["echo", "secret"], 30, {"LC_ALL": "C", "TOKEN": "secret"})
    assert said == []


# Secrets inside of options


@pytest.mark.parametrize("given", [{}, {"unknown": 1}], ids=["accepted", "refused"])
def test_a_secret_in_a_raw_option_is_neither_returned_nor_logged(module, monkeypatch, capsys, given):
    cloud = {"region_name": "north", "auth": {"password": "sesame", "username": "me", "passcode": "123456"}}
    text = json.dumps(
        {"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp", "_ansible_verbosity": 3, "cloud": cloud, **given}}
    ).encode()
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", text)
    logged = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, *words, **more: logged.append(f"{words} {more}"))
    with pytest.raises(SystemExit), mock.patch.object(basic.AnsibleModule, "warn"):
        adapter.run_module({"cloud": {"type": "raw"}}, lambda _params, _check: adapter.Result(values={"said": "north"}))
    out = capsys.readouterr().out
    assert bool(logged) is not bool(given)
    assert given or "north" in out  # what is no secret stays readable
    assert not [word for word in ("sesame", "123456") if word in out + str(logged)]


@pytest.mark.parametrize("given", [{}, {"unknown": 1}], ids=["accepted", "refused"])
def test_what_a_module_says_is_secret_is_neither_returned_nor_logged(module, monkeypatch, capsys, given):
    place = "https://robot:sesame@host/x"
    arguments = {"_ansible_remote_tmp": "/tmp", "_ansible_verbosity": 3, "places": [place], **given}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    logged = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, *words, **more: logged.append(f"{words} {more}"))
    result = adapter.Result(values={"said": f"{place} is at host"})
    with pytest.raises(SystemExit), mock.patch.object(basic.AnsibleModule, "warn"):
        adapter.run_module(
            {"places": {"type": "list"}},
            lambda _params, _check: result,
            hides=lambda options: ["sesame"] if options["places"] else [],
        )
    out = capsys.readouterr().out
    assert bool(logged) is not bool(given)
    assert given or "is at host" in out
    assert "sesame" not in out + str(logged)


def test_only_what_is_under_names_of_secrets_is_one():
    data = {"auth": {"token": "t1", "username": "u"}, "list": [{"client_secret": ["s1"]}], "verify": False}
    assert sorted(adapter.secrets_in(data)) == ["s1", "t1"]
    assert list(adapter.secrets_in("admin")) == []
