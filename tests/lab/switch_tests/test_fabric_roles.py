# SPDX-License-Identifier: Apache-2.0
"""What a deploy of the fabric asks before it writes, and who may log in to a switch afterwards."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab import seeds
from ansible_collections.scs.landscape.tests.lab.switches import Fabric
from ansible_collections.scs.landscape.tests.lab.switches.monitor import Monitor
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Done

from .fabric_plays import Bridge
from .playing import LEAF, SPINE, Played, Stage, rows, wait_for

KEYS = "/home/dragon/.ssh/authorized_keys"


@pytest.fixture
def protected(pair: Fabric, tmp_path: Path, collections_root: Path) -> Bridge:
    """The two switches in an environment that does not say that it is not protected, and a row to be written."""
    landscape = tmp_path / "landscape"
    shutil.copytree(pair.landscape, landscape)
    file = landscape / "landscape.yml"
    text = file.read_text(encoding="utf-8")
    assert "    protected: false\n" in text
    file.write_text(text.replace("    protected: false\n", ""), encoding="utf-8")
    return Bridge(pair, tmp_path / "bridge", collections_root, landscape)


def wanted(output: str) -> str:
    """What the run that was refused asks for."""
    found = re.search(r"landscape_confirm=\\*\"(demo [0-9a-f]{12})", output)
    assert found, output[-3000:]
    return found[1]


@contextlib.contextmanager
def watched(pair: Fabric) -> Iterator[list[Monitor]]:
    """What the databases of both are told."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(pair.monitor(name)) for name in (LEAF, SPINE)]


@pytest.mark.accept("S2.8")
def test_a_protected_fabric_is_written_to_after_the_right_words_alone(pair: Fabric, protected: Bridge) -> None:
    quick = {"fabric_deploy_frr_host": False}
    # somebody changed a row of the landscape by hand, and saved that
    pair.database(LEAF, "HSET", "PORT|Ethernet48", "description", "by hand")
    pair.machine(LEAF).run(["config", "save", "-y"])
    before = {name: rows(pair, name) for name in (LEAF, SPINE)}

    def run(confirm: str | None) -> tuple[Done, list[Monitor]]:
        words = {} if confirm is None else {"landscape_confirm": confirm}
        with watched(pair) as seen:
            done = protected.run("fabric_deploy", variables={**quick, **words})
        return done, seen

    refused, seen = run(None)
    assert refused.rc != 0
    assert "The environment demo is protected" in refused.output
    assert [one.writes for one in seen] == [[], []]
    assert all(len(one.commands) > 20 for one in seen), "both were read"
    words = wanted(refused.output)
    for wrong, why in (("demo 0123456789ab", "belongs to another plan"), ("all 0123456789ab", "stands for everything")):
        done, seen = run(wrong)
        assert done.rc != 0
        assert why in done.output, done.output[-3000:]
        assert [one.writes for one in seen] == [[], []]
    assert {name: rows(pair, name) for name in (LEAF, SPINE)} == before
    states = ["find", "/var/lib/scs-landscape", "-name", "pending.json"]
    assert pair.machine(LEAF).run(states, check=False).stdout == ""
    # the control: with the words it is written; four switches are not there, which the check after it says
    done, seen = run(words)
    assert seen[0].writes, done.output[-4000:]
    assert rows(pair, LEAF) != before[LEAF]


def keys(pair: Fabric) -> list[str]:
    """The lines that let somebody in."""
    return pair.machine(LEAF).run(["cat", KEYS]).stdout.splitlines()


def baseline(stage: Stage, pair: Fabric, *wished: dict[str, Any], arguments: tuple[str, ...] = ()) -> Played:
    """The role alone, with these keys."""
    return role(stage, pair, {"fabric_baseline_authorized_keys": list(wished)}, *arguments)


def role(stage: Stage, pair: Fabric, variables: dict[str, Any], *arguments: str) -> Played:
    """The role alone, over a new connection."""
    pair.disconnect_ssh()
    task = {"ansible.builtin.include_role": {"name": "scs.landscape.fabric_baseline"}, "vars": variables}
    return stage.run(LEAF, task, arguments=arguments)


def test_keys_of_administrators_come_change_and_go_and_nobody_is_locked_out(
    pair: Fabric, stage: Stage, tmp_path: Path
) -> None:
    mine = keys(pair)
    assert len(mine) == 1
    first, second = (seeds.keypair(tmp_path / name) for name in ("first", "second"))
    one = {"user": "dragon", "key": first}
    looked = baseline(stage, pair, one, arguments=("--check",))
    assert "changed=1" in looked.output, looked.output[-3000:]
    assert keys(pair) == mine
    done = baseline(stage, pair, one)
    assert done.rc == 0, done.output[-3000:]
    assert [mine[0] in keys(pair), _has(pair, first)] == [True, True]
    assert _logs_in(pair, tmp_path / "first")
    again = baseline(stage, pair, one)
    assert "changed=0" in again.output, again.output[-3000:]
    # another key in its place: the old one lets nobody in any more
    done = baseline(stage, pair, {"user": "dragon", "key": second})
    assert done.rc == 0, done.output[-3000:]
    assert (_has(pair, first), _has(pair, second)) == (False, True)
    assert not _logs_in(pair, tmp_path / "first")
    assert _logs_in(pair, tmp_path / "second")
    assert "changed=0" in baseline(stage, pair, {"user": "dragon", "key": second}).output
    done = baseline(stage, pair)
    assert done.rc == 0, done.output[-3000:]
    assert keys(pair) == mine
    assert "changed=0" in baseline(stage, pair).output


def test_a_rule_that_would_lock_us_out_comes_back(pair: Fabric, stage: Stage) -> None:
    """A setting of sudo with which the very user who logs in can start nothing: no second login works, all is as before."""

    def wish(line: str) -> Played:
        rule = {"name": "zz-locked", "lines": [line]}
        return role(stage, pair, {"fabric_baseline_sudo": [rule], "fabric_baseline_confirm_within": 30})

    assert wish("Defaults:dragon !lecture").rc == 0
    rules = ["sh", "-c", "cat /etc/sudoers.d/*"]
    before = pair.machine(LEAF).run(rules).stdout
    done = wish("Defaults:dragon runchroot=/nowhere")
    assert done.rc != 0, done.output[-3000:]
    wait_for(lambda: pair.machine(LEAF).run(rules).stdout == before, 120, "we are locked out")
    pair.disconnect_ssh()
    again = stage.run(LEAF, {"ansible.builtin.command": {"argv": ["id", "-u"]}, "changed_when": False})
    assert again.only()["stdout"] == "0", again.output[-3000:]


def _has(pair: Fabric, key: str) -> bool:
    return any(key.split()[1] in line for line in keys(pair))


def _logs_in(pair: Fabric, key: Path) -> bool:
    address = pair.machine(LEAF).address
    options = ["-F", "/dev/null", "-i", str(key), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no"]
    options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
    return not pair.run(["ssh", *options, f"dragon@{address}", "true"], capture_output=True, timeout=60).returncode
