# SPDX-License-Identifier: Apache-2.0
"""A change from beginning to end, and everything that can end it early: always the old or the new state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError, LockedError
from ansible_collections.scs.landscape.plugins.module_utils.core.plan import Impact
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import change
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Unreachable
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.switch import client, state, words

from .linked import BoxLink, cut, settings
from .switchbox import Box

OLD: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf1", "mac": "00:00:5e:00:53:01"}},
    "NTP_SERVER": {"192.0.2.1": {}},
    "SNMP_COMMUNITY": {"s3cret-one": {"TYPE": "RO"}},
    "VERSIONS": {"DATABASE": {"VERSION": "version_202505_01"}},
    "VLAN": {"Vlan10": {"vlanid": "10"}},
}
MORE = {"NTP_SERVER": {"192.0.2.2": {}}, "VLAN": {"Vlan20": {"vlanid": 20}}}


#: Actions of plans for the operations of patches.
WORDS = {"add": "create", "replace": "update", "remove": "delete"}


def killed(_seconds: float) -> None:
    """Ends a run where it waits."""
    raise RuntimeError("killed")


def old_or_new(box: Box, before: Any, after: Any) -> str:
    """Which of both states the switch is in; neither is a failure. What is saved is what runs."""
    assert codec.to_redis(box.saved) == box.rows()
    assert state.pending() == {}
    assert state.lock() == {}
    return {json.dumps(before): "old", json.dumps(after): "new"}[json.dumps(box.rows())]


def test_a_change_goes_through_and_a_second_run_does_nothing(box: Box) -> None:
    box.fill(OLD)
    link = BoxLink(box)
    done = change.run(link, settings(MORE))
    assert (done.failed, done.changed, done.saved, done.steps_done) == ("", True, True, 2)
    assert link.renewed == 1, "confirmed over a new connection"
    assert link.calls == ["read", "apply", "read", "confirm"]
    assert box.rows()["VLAN|Vlan20"] == {"vlanid": "20"}
    again = BoxLink(box)
    done = change.run(again, settings(MORE))
    assert (done.changed, done.plan["steps"], again.calls) == (False, [], ["read"])


def test_check_mode_tells_the_same_plan_and_asks_nothing_but_to_read(box: Box) -> None:
    box.fill(OLD)
    link = BoxLink(box)
    before = box.rows()
    checked = change.run(link, settings(MORE), check=True)
    assert link.calls == ["read"]
    assert box.rows() == before
    done = change.run(BoxLink(box), settings(MORE))
    assert checked.plan == done.plan
    assert checked.diff == done.diff
    assert checked.changed
    for step in done.plan["steps"]:
        # What a report of a run shows of a plan, whatever makes it.
        assert (step["action"], step["object"]) == (WORDS[step["op"]], step["path"][1:].replace("/", "|", 1))
    assert [(step["op"], step["path"]) for step in done.plan["steps"]] == [
        ("add", "/VLAN/Vlan20"),
        ("add", "/NTP_SERVER/192.0.2.2"),
    ]


@pytest.mark.accept("S2.9")
def test_secrets_are_in_nothing_that_is_told(box: Box) -> None:
    box.fill(OLD)
    link = BoxLink(box)
    config = {
        "SNMP_COMMUNITY": {"s3cret-two": {"TYPE": "RO"}},
        "SNMP_USER": {"u": {"SNMP_USER_AUTH_PASSWORD": "s3cret-three", "SNMP_USER_TYPE": "Priv"}},
        "BGP_GLOBALS": {"default": {"local_asn": "65001"}},
        "MACSEC_PROFILE": {"p": {"primary_cak": "s3cret-five", "primary_ckn": "0a"}},
    }
    done = change.run(link, settings(config))
    assert done.failed == ""
    assert "s3cret" not in json.dumps([done.as_dict(), done.warnings, link.said])
    assert "s3cret" not in json.dumps(box.calls()), "on no command line, in no log"
    box.fill(OLD, saved=False)
    done = change.run(link, settings(config))
    assert "what runs and what is saved differ" in done.failed
    assert "s3cret" not in done.failed
    peer = {"BGP_NEIGHBOR": {"default|192.0.2.9": {"auth_password": "s3cret-four", "asn": "65000"}}}
    done = change.run(link, settings(peer))
    assert "auth_password of BGP_NEIGHBOR|default|192.0.2.9" in done.failed
    assert "s3cret" not in json.dumps([done.as_dict(), done.failed, done.warnings])
    with pytest.raises(InputError) as refused:
        change.run(link, settings({"SNMP_COMMUNITY": {"s3cret-six": "no row"}}))
    assert "s3cret" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.accept("S2.7")
@pytest.mark.parametrize(
    ("when", "count", "times", "end"),
    [
        ("apply", 1, 1, "old"),
        ("after apply", 1, 1, "old"),
        ("read", 2, 1, "new"),
        ("after read", 2, 1, "new"),
        ("read", 2, 400, "old"),
        ("confirm", 1, 1, "old"),
        ("after confirm", 1, 1, "new"),
    ],
)
def test_the_connection_breaks_at_every_step(box: Box, when: str, count: int, times: int, end: str) -> None:
    box.fill(OLD)
    before = box.rows()
    broken = cut(when, count, times)

    def trouble(call: str, number: int) -> None:
        waiting = state.pending()
        if link.skew > 125 and waiting:
            assert box.timer(waiting["token"]).wait(60) == 0  # the time is over
        broken(call, number if link.skew < 125 else 9999)

    link = BoxLink(box, trouble)
    done = change.run(link, settings(MORE))
    after = codec.to_redis(
        {
            **OLD,
            "NTP_SERVER": {"192.0.2.1": {}, "192.0.2.2": {}},
            "VLAN": {"Vlan10": {"vlanid": "10"}, "Vlan20": {"vlanid": "20"}},
        }
    )
    assert old_or_new(box, before, dict(sorted(after.items()))) == end
    assert bool(done.failed) == (end == "old"), done
    begun = when != "apply"
    assert done.rolled_back == (end == "old" and begun)
    assert not done.failed or ("brought itself back" if begun else "was not begun") in done.failed


def test_a_switch_that_lies_is_brought_back(box: Box) -> None:
    """It takes the rows, and then does not hold them."""
    box.fill(OLD)
    before = box.rows()

    def trouble(call: str, _number: int) -> None:
        if call == "after apply":
            with client.Redis(path=str(box.socket)) as redis:
                redis.call("DEL", "VLAN|Vlan20")

    done = change.run(BoxLink(box, trouble), settings(MORE))
    assert "CONFIG_DB does not hold VLAN|Vlan20 as it was written" in done.failed
    assert done.rolled_back
    assert box.rows() == before
    assert box.saved == OLD


@pytest.mark.slow
@pytest.mark.accept("S2.6")
def test_written_and_not_applied_is_seen_and_brought_back(box: Box) -> None:
    """FRR stays as it was, whatever the rows say, also after bgp is restarted."""
    config = {
        **OLD,
        "DEVICE_METADATA": {
            "localhost": {
                "hostname": "leaf1",
                "docker_routing_config_mode": "unified",
                "frr_mgmt_framework_config": "true",
            }
        },
        "BGP_GLOBALS": {"default": {"local_asn": "65001", "default_ipv4_unicast": "false"}},
    }
    box.fill(config)
    (box.folder / "frr").write_text("hostname leaf1\n!\nrouter bgp 65001\n no bgp default ipv4-unicast\nexit\n!\n")
    before = box.rows()
    wish = {"BGP_GLOBALS": {"default": {"local_asn": "65002"}}}
    link = BoxLink(box)
    done = change.run(link, settings(wish))
    assert "FRR lacks: router bgp 65002" in done.failed
    assert done.verify["restarted_bgp"]
    assert "service" in link.calls
    assert done.rolled_back
    assert box.rows() == before
    text = "hostname leaf1\n!\nrouter bgp 65002\n no bgp default ipv4-unicast\nexit\n!\n"
    (box.folder / "frr.boot").write_text(text)
    done = change.run(BoxLink(box), settings(wish, token="b" * 32))
    assert (done.failed, done.verify["restarted_bgp"]) == ("", True)
    refused = change.run(
        BoxLink(box), settings({"BGP_GLOBALS": {"default": {"local_asn": "65003"}}}, max_impact=Impact.DEGRADED)
    )
    assert "Raise max_impact" in refused.failed


def test_what_runs_and_what_is_saved_differ(box: Box) -> None:
    box.fill(OLD)
    box.fill({**OLD, "NTP_SERVER": {"192.0.2.7": {}}}, saved=False)
    done = change.run(BoxLink(box), settings(MORE))
    assert "NTP_SERVER|192.0.2.1, NTP_SERVER|192.0.2.7" in done.failed
    assert done.steps_done == 0
    assert change.run(BoxLink(box), settings(MORE, unsaved="accept")).saved


def test_an_unknown_release_is_refused_with_the_way_out(box: Box) -> None:
    box.fill({**OLD, "VERSIONS": {}})
    with pytest.raises(InputError, match=r"a release nobody knows\. Say with release"):
        change.run(BoxLink(box), settings(MORE))
    assert change.run(BoxLink(box), settings(MORE, release="202505")).saved


def test_somebody_elses_change_is_waited_for_and_not_touched(box: Box) -> None:
    box.fill(OLD)
    first = BoxLink(box, cut("confirm"))
    first.sleep = killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        change.run(first, settings(MORE))
    with pytest.raises(LockedError, match="a change of test waits there"):
        change.run(BoxLink(box), settings({"NTP_SERVER": {"192.0.2.3": {}}}, token="b" * 32, owner="other"))
    assert state.pending()["token"] == "a" * 32


def test_what_a_killed_run_left_is_ended_first(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    first = BoxLink(box, cut("confirm"))
    first.sleep = killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        change.run(first, settings(MORE))
    state.keep({**state.pending(), "deadline": state.moment(-60)})
    link = BoxLink(box)
    checked = change.run(link, settings({"NTP_SERVER": {"192.0.2.1": {}}}), check=True)
    assert "was not ended" in checked.warnings[0]
    assert link.calls == ["read"]
    done = change.run(link, settings({"NTP_SERVER": {"192.0.2.1": {}}}, token="b" * 32))
    assert not done.changed
    assert box.rows() == before
    assert "ending it first" in link.said[0]


def test_a_timer_that_was_killed_too_is_not_waited_for(box: Box) -> None:
    """Nobody on the switch ends the change: the controller that waits for that does it when the time is over."""
    box.fill(OLD)
    before = box.rows()

    def trouble(call: str, number: int) -> None:
        if call == "after apply":
            state.keep({**state.pending(), "deadline": state.moment(-60)})
            raise Unreachable("leaf1: Connection closed")

    link = BoxLink(box, trouble)
    done = change.run(link, settings(MORE))
    assert "The switch brought itself back, nothing was saved" in done.failed
    assert (done.rolled_back, link.calls) == (True, ["read", "apply", "read", "rollback", "read"])
    assert box.rows() == before


def test_the_other_one_writes_first(box: Box) -> None:
    box.fill(OLD)

    def trouble(call: str, _number: int) -> None:
        if call == "apply":
            box.fill({**OLD, "NTP_SERVER": {"192.0.2.9": {}}})

    with pytest.raises(LandscapeError, match="changed between planning and writing"):
        change.run(BoxLink(box, trouble), settings(MORE))
    assert state.lock() == {}


@pytest.mark.slow
def test_a_disk_that_is_full_at_save_ends_old(box: Box) -> None:
    box.fill(OLD)
    before = box.rows()
    box.break_("config_full")
    done = change.run(BoxLink(box), settings(MORE))
    assert "config save" in done.failed
    assert done.rolled_back
    assert old_or_new(box, before, None) == "old"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("confirm_within", 10),
        ("confirm_within", 4000),
        ("verify_timeout", 115),
        ("tables", ("PORT",)),
        ("strategy", "reload"),
    ],
)
def test_options_that_cannot_work_are_refused(box: Box, option: str, value: Any) -> None:
    with pytest.raises(LandscapeError, match=option):
        change.run(BoxLink(box), settings(MORE, **{option: value}))


@pytest.mark.slow
def test_lines_that_no_release_brings_are_added_and_found_again(box: Box) -> None:
    config = {**OLD, "VRF": {"VrfBlue": {"vni": "1000"}}, "VLAN": {"Vlan10": {"vlanid": "10"}}}
    box.fill(config)
    done = change.run(BoxLink(box), settings({"VRF": {"VrfBlue": {"vni": "1000"}}}, frr_fixups=True))
    assert done.failed == ""
    assert [step["op"] for step in done.plan["steps"]] == ["frr"]
    assert "vrf VrfBlue\n vni 1000" in (box.folder / "frr").read_text()
    again = change.run(BoxLink(box), settings({"VRF": {"VrfBlue": {"vni": "1000"}}}, frr_fixups=True, token="b" * 32))
    assert not again.changed
    assert box.ask("read")["fixups"] == [["vrf VrfBlue", "vni 1000"]]


def test_an_answer_without_sense_is_no_connection(box: Box) -> None:
    box.fill(OLD)
    with pytest.raises(Unreachable):
        change.run(BoxLink(box, cut("read")), settings(MORE))


def test_a_switch_that_is_starting_is_not_planned_on(box: Box) -> None:
    box.fill(OLD)
    with client.Redis(path=str(box.socket)) as redis:
        redis.call("DEL", client.INITIALISED)
    with pytest.raises(LandscapeError, match="SONiC has not loaded its configuration"):
        change.run(BoxLink(box), settings(MORE))


def test_nothing_is_said_while_the_switch_looks_around_before_it_writes(box: Box) -> None:
    """The answer to ``apply`` is lost, and the switch still holds the lock: what it does is waited for."""
    box.fill(OLD)
    before = box.rows()
    link = BoxLink(box)
    held: list[dict[str, Any]] = []

    def trouble(call: str, number: int) -> None:
        if call == "apply":
            state.take("test", "a" * 32, 200)
            raise Unreachable("leaf1: Connection closed")
        if call == "read" and number == 4:
            steps = [["NTP_SERVER|192.0.2.2", None, {"NULL": "NULL"}]]
            rest = {"confirm_within": 60, "digest": words.digest(before), "steps": steps}
            held.append(box.ask("apply", token="a" * 32, owner="test", **rest))
        if call == "read" and number == 6:
            assert box.timer("a" * 32).wait(60) == 0

    link.trouble = trouble
    done = change.run(link, settings(MORE))
    assert "error" not in held[0]
    assert link.calls.count("read") == 6
    assert done.rolled_back
    assert "brought itself back" in done.failed
    assert box.rows() == before


@pytest.mark.slow
def test_what_came_back_meanwhile_is_told_as_that(box: Box) -> None:
    """The timer was faster than the controller: nothing waits any more when it asks."""
    box.fill(OLD)
    before = box.rows()

    def trouble(call: str, _number: int) -> None:
        if call == "after apply":
            assert box.timer("a" * 32).wait(60) == 0

    done = change.run(BoxLink(box, trouble), settings(MORE))
    assert done.rolled_back
    assert "CONFIG_DB does not hold" in done.failed
    assert "could not be brought back" not in done.failed
    assert "brought itself back" in done.failed
    assert box.rows() == before


def test_a_rollback_that_fails_says_why(box: Box) -> None:
    box.fill(OLD)

    def trouble(call: str, _number: int) -> Any:
        if call == "after apply":
            with client.Redis(path=str(box.socket)) as redis:
                redis.call("DEL", "VLAN|Vlan20")
        return {"error": "database_gone", "data": {"why": "away"}} if call == "rollback" else None

    done = change.run(BoxLink(box, trouble), settings(MORE))
    assert not done.rolled_back
    assert "its database does not answer (away)" in done.failed
    assert "its timer does that" in done.failed


def test_the_clock_is_looked_at_before_the_confirmation(box: Box) -> None:
    """The last look took longer than the switch waits."""
    box.fill(OLD)
    before = box.rows()
    link = BoxLink(box)

    def trouble(call: str, number: int) -> None:
        if call == "after read" and number == 2:
            link.skew += 119

    link.trouble = trouble
    done = change.run(link, settings(MORE))
    assert "confirm" not in link.calls
    assert "longer than confirm_within" in done.failed
    assert done.rolled_back
    assert box.rows() == before


def test_an_end_that_nobody_saw_is_told_as_the_switch_remembers_it(box: Box) -> None:
    """Confirmed, and changed again by somebody else before the controller could look."""
    box.fill(OLD)

    def trouble(call: str, _number: int) -> None:
        if call == "after confirm":
            with client.Redis(path=str(box.socket)) as redis:
                redis.call("DEL", "VLAN|Vlan20")
            raise Unreachable("leaf1: Connection closed")

    done = change.run(BoxLink(box, trouble), settings(MORE))
    assert (done.failed, done.saved, done.rolled_back) == ("", True, False)
    assert "it is confirmed" in done.warnings[-1]


def test_a_checkpoint_that_is_there_stays_and_that_is_said(box: Box) -> None:
    box.fill(OLD)
    box.ask("checkpoint", what="present", name="mine", owner="test")
    done = change.run(BoxLink(box), settings(MORE, checkpoint="mine"))
    assert done.failed == ""
    assert done.checkpoint.startswith("auto-")
    assert any("the checkpoint mine is there already" in one for one in done.warnings)
