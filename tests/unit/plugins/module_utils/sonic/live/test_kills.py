# SPDX-License-Identifier: Apache-2.0
"""Many random changes in sequence, a third of them ended by SIGKILL at a random moment: always old or new."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
import uuid
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change, changing
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Settings
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import agent, confirm, state

from .linked import BoxLink, settings
from .switchbox import Box

PORTS = [f"Ethernet{number}" for number in range(0, 32, 4)]
START: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf1", "mac": "00:00:5e:00:53:01"}},
    "PORT": {name: {"lanes": name[8:] or "0", "mtu": "9100", "admin_status": "up", "speed": "25000"} for name in PORTS},
    "VERSIONS": {"DATABASE": {"VERSION": "version_202505_01"}},
}


def some(chance: random.Random, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A state, and what is said: mostly valid, whatever is there."""
    vlans = [f"Vlan{number}" for number in chance.sample(range(10, 20), 3)]
    there = sorted(config.get("VLAN", {}))
    kind = chance.randrange(5)
    if kind == 0:
        members = {f"{vlan}|{chance.choice(PORTS)}": {"tagging_mode": "tagged"} for vlan in vlans}
        return "merged", {"VLAN": {vlan: {"vlanid": vlan[4:]} for vlan in vlans}, "VLAN_MEMBER": members}
    if kind == 1:
        wish = {"mtu": chance.choice(["1500", "9000", "9100"]), "description": f"text {chance.randrange(99)}"}
        return "merged", {"PORT": dict.fromkeys(chance.sample(PORTS, 3), wish)}
    if kind == 2 and there:
        gone = chance.sample(there, min(2, len(there)))
        members = [key for key in config.get("VLAN_MEMBER", {}) if key.split("|")[0] in gone]
        said = {"VLAN": dict.fromkeys(gone), **({"VLAN_MEMBER": dict.fromkeys(members)} if members else {})}
        return "deleted", said
    if kind == 3:
        sets = [f"SET{number}" for number in chance.sample(range(6), 2)]
        entries = {f"{name}|{10 * n}|198.51.{n}.0/24|exact": {"action": "permit"} for name in sets for n in (1, 2, 3)}
        return "overridden", {"PREFIX_SET": {name: {"mode": "IPv4"} for name in sets}, "PREFIX": entries}
    return "overridden", {"NTP_SERVER": {f"192.0.2.{number}": {} for number in chance.sample(range(1, 30), 4)}}


def changed(box: Box, wish: Settings, seconds: float | None) -> None:
    """Makes a change in a process of its own, which is killed after some seconds."""
    child = os.fork()
    if not child:
        try:
            change.run(BoxLink(box), wish)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def walk(box: Box, chance: random.Random, count: int) -> dict[str, int]:
    """Makes so many changes; how often what happened."""
    box.fill(START)
    ends = {"old": 0, "new": 0, "refused": 0, "whole": 0}
    usual = 1.0
    for number in range(count):
        config = codec.from_redis(box.rows())
        how, said = some(chance, config)
        wish = settings(said, state=how, token=uuid.uuid4().hex)
        planned = changing.make(Seen.of("leaf1", box.ask("read")), wish)
        if changing.refusals(planned, Seen.of("leaf1", box.ask("read")), wish):
            ends["refused"] += 1
            continue
        before, after = box.rows(), dict(sorted(planned.rows.items()))
        is_killed = number % 3 == 0
        began = time.monotonic()
        changed(box, wish, chance.uniform(0, usual * 1.1) if is_killed else None)
        if is_killed:
            if state.pending():
                confirm.finish(wish.token)
        else:
            usual = time.monotonic() - began
            ends["whole"] += 1
        rows = box.rows()
        assert rows in (before, after), (number, wish)
        assert is_killed or rows == after, (number, wish)
        assert codec.to_redis(box.saved) == rows, (number, wish)
        assert state.pending() == {}
        if is_killed:
            ends["old" if rows == before else "new"] += 1
        state.remove(state.at("lock.json"))  # its time is over by then
    return ends


@pytest.mark.slow
@pytest.mark.accept("S2.7")
def test_always_old_or_new(box: Box, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "AGAIN", 0.01)
    ends = walk(box, random.Random(seed), 36)
    assert ends["whole"] >= 12
    assert ends["old"] + ends["new"] >= 6, ends


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.accept("S2.7")
def test_always_old_or_new_three_hundred_times(box: Box, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "AGAIN", 0.01)
    ends = walk(box, random.Random(seed + 1), 300)
    assert ends["old"] >= 20, ends
    assert ends["new"] >= 5, ends
