# SPDX-License-Identifier: Apache-2.0
"""The command line of a cluster: wrappers, answers, refusals, time."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.ceph import client, health, info
from ansible_collections.scs.landscape.plugins.module_utils.ceph.client import Ceph
from ansible_collections.scs.landscape.plugins.module_utils.ceph.health import Wanted
from ansible_collections.scs.landscape.plugins.module_utils.ceph.model import CephError
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.ceph.recorded import Recorded


def answering(code=0, out="", err=""):
    return lambda _argv, _seconds, _environment: (code, out, err)


@pytest.mark.parametrize(
    ("command", "rados"),
    [
        (["ceph"], ["rados"]),
        (["/usr/bin/ceph", "--id", "x"], ["/usr/bin/rados", "--id", "x"]),
        (["docker", "exec", "ceph-mon-a", "ceph"], ["docker", "exec", "ceph-mon-a", "rados"]),
        (["cephadm", "shell", "--", "ceph"], ["cephadm", "shell", "--", "rados"]),
        (
            ["kubectl", "-n", "rook-ceph", "exec", "deploy/tools", "--", "ceph"],
            ["kubectl", "-n", "rook-ceph", "exec", "deploy/tools", "--", "rados"],
        ),
        (["mine"], ["rados"]),
        (["ceph", "--cluster", "ceph"], ["rados", "--cluster", "ceph"]),
        (
            ["docker", "exec", "-u", "ceph", "m", "ceph", "-c", "/etc/ceph"],
            ["docker", "exec", "-u", "ceph", "m", "rados", "-c", "/etc/ceph"],
        ),
        (["sudo", "-n", "ceph", "--cluster", "ceph"], ["sudo", "-n", "rados", "--cluster", "ceph"]),
    ],
)
def test_rados_stands_beside_ceph(command, rados):
    assert client.rados_of(command) == rados


def test_a_command_is_the_prefix_a_limit_and_the_words():
    world = Recorded()
    Ceph(world, ["docker", "exec", "m", "ceph"], seconds=10).status()
    limits = ["--connect-timeout", "8", "--rados-mon-op-timeout=8"]
    assert world.said == [["docker", "exec", "m", "ceph", *limits, "status", "--format", "json"]]


def test_what_a_wrapper_says_in_front_does_not_matter():
    assert client.parse('Inferring fsid\n\n{"a": [1]}\n', ["x"]) == {"a": [1]}
    assert client.parse("[1,\n2]", ["x"]) == [1, 2]


@pytest.mark.parametrize("text", ["", "nothing", "{broken", "[also\nbroken"])
def test_what_is_no_json_is_said_so(text):
    with pytest.raises(CephError, match="answered no JSON"):
        client.parse(text, ["status"])


@pytest.mark.parametrize(
    ("answer", "message", "final"),
    [
        ((124, "", "ceph did not end within 15 s"), "did not answer within 15 s", False),
        ((127, "", "ceph is not installed"), "ceph is not installed", True),
        ((13, "", "[errno 13] RADOS permission denied"), "permission denied", True),
        ((1, "", "timed out"), "was refused: timed out", False),
        ((0, '{"fsid": 1}', ""), "cannot read", True),
    ],
)
def test_refusals(answer, message, final):
    with pytest.raises(CephError, match=message) as caught:
        Ceph(answering(*answer)).status()
    assert caught.value.final is final


def test_what_a_wrapper_adds_is_not_the_reason():
    said = 'Defaulted container "a" out of: a, b\nError EBUSY: unsafe\ncommand terminated with exit code 16\n'
    assert client.last(said) == "Error EBUSY: unsafe"
    assert client.last("command terminated with exit code 137\n") == "command terminated with exit code 137"


def test_a_look_reads_what_it_needs_and_no_more():
    world = Recorded()
    client.look(Ceph(world), Wanted())
    assert [" ".join(argv[4:-2]) for argv in world.said] == [
        "status",
        "quorum_status",
        *(f"tell mon.ceph-{number} version" for number in (1, 2, 3)),
    ]


def test_a_mon_that_the_others_do_not_miss_yet_is_asked_itself():
    world = Recorded()
    for silent in ((124, "", ""), (110, "", "Error ETIMEDOUT: problem getting command descriptions from mon.ceph-2")):
        world.results = {"tell mon.ceph-2": silent}
        view = client.look(Ceph(world), Wanted())
        assert health.judge(view, Wanted()).reasons == ("mon ceph-2 is in quorum and does not answer",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((126, "", "kubectl cannot be started: Argument list too long"), "cannot be started"),
        ((13, "", "[errno 13] RADOS permission denied"), "permission denied"),
    ],
)
def test_a_mon_that_we_could_not_ask_is_not_called_silent(answer, reason):
    world = Recorded()
    world.results = {"tell mon.ceph-2": answer}
    with pytest.raises(CephError, match=reason):
        client.look(Ceph(world), Wanted())


def test_ok_to_stop_says_which_groups_would_not_be_served():
    world = Recorded()
    world.results = {
        "osd ok-to-stop": (16, '\n{"ok_to_stop":false,"bad_become_inactive":["1.0"]}', "Error EBUSY: unsafe"),
        "mon ok-to-stop": (16, "", "Error EBUSY: not enough monitors"),
    }
    answer = Ceph(world).ok_to_stop("osd", ("0", "1"))
    assert (answer.fine, answer.groups) == (False, ("1.0",))
    answer = Ceph(world).ok_to_stop("mon", ("a",))
    assert (answer.fine, answer.said) == (False, "Error EBUSY: not enough monitors")
    world.results = {"osd ok-to-stop": (22, "", "Error EINVAL: what?")}
    with pytest.raises(CephError, match="EINVAL"):
        Ceph(world).ok_to_stop("osd", ("0",))


def test_a_probe_writes_reads_back_and_removes():
    world = Recorded()
    assert isinstance(Ceph(world).probe("volumes", 5), float)
    assert [argv[6] for argv in world.said] == ["setxattr", "getxattr", "rm"]
    assert world.attributes == {}


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ((124, "", ""), "no answer within 5 s"),
        ((1, "", "error opening pool"), "error opening pool"),
        ((0, "something else", ""), "what was read is not what was written"),
        ((127, "", "rados is not installed"), "the command of the cluster cannot be run: rados is not installed"),
    ],
)
def test_a_probe_that_fails_says_why(result, reason):
    world = Recorded()
    world.results = {"rados": result}
    assert Ceph(world).probe("volumes", 5) == reason


def test_mds_are_found_with_and_without_a_rank():
    data = {
        "standbys": [{"name": "b"}],
        "filesystems": [{"mdsmap": {"info": {"gid_1": {"name": "a"}, "gid_2": {"name": "c"}}}}],
    }
    assert info.mds(data) == ["a", "b", "c"]


def test_versions_are_short_and_their_counts_add_up():
    text = "ceph version {} ({}) reef (stable)"
    data = {"mon": {text.format("18.2.7", "a"): 2, text.format("18.2.7", "b"): 1, "odd": 1}, "overall": {"odd": 1}}
    assert info.versions(data) == {"mon": {"18.2.7": 3, "odd": 1}}


def test_a_mon_in_the_service_map_does_not_stand_for_all_mons():
    world = Recorded()
    usual = info.read(Ceph(world))["daemons"]
    services = world.answers["status"].setdefault("servicemap", {}).setdefault("services", {})
    services["mon"] = {"daemons": {"summary": "", "ceph-1": {"metadata": {"id": "ceph-1", "hostname": "ceph-1"}}}}
    found = info.read(Ceph(world))["daemons"]
    assert len(found["mon"]) == 3
    assert found == usual
