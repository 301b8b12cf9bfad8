# SPDX-License-Identifier: Apache-2.0
"""The module node_state on a real machine: keys and rules of sudo never lose the login, and what a host refuses is said."""

from __future__ import annotations

import datetime
import time

import pytest

from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.tests import nodes, state


@pytest.fixture(scope="module", params=nodes.ONE_OF_TWO)
def lab(request):
    with nodes.machines(request.param, "state", nodes.HOST) as found:
        yield found


@pytest.fixture
def site(lab, tmp_path, collections_root):
    found = nodes.Site(lab, tmp_path, collections_root)
    assert found.login() == ""
    yield found
    nodes.is_left_open(found)


def key(site):
    return (site.lab.inventory.parent / "keys" / "login.pub").read_text().strip()


@pytest.mark.accept("L1.5")
def test_a_key_that_is_taken_away_comes_back_when_it_was_ours(site):
    """All hand-written keys are gone, ours is in the block, and the next run takes it away."""
    keys = "/home/dragon/.ssh/authorized_keys"
    before = site.inside("cat", keys)
    ours = {"user": "dragon", "key": key(site)}
    added = site.module("node_state", authorized_keys=[ours, {"user": "dragon", "key": nodes.OTHER}], confirm_within=60)
    assert added["changed"]
    assert "proof" not in added
    site.inside("sh", "-c", f"sed -i '1,/^# BEGIN/{{/^# BEGIN/!d}}' {keys}")
    assert site.login() == ""
    taken = site.module("node_state", authorized_keys=[{"user": "dragon", "key": nodes.OTHER}], confirm_within=60)
    assert taken["failed"]
    assert taken["rolled_back"]
    assert "A new login failed after a key or a rule of sudo was changed" in taken["msg"]
    assert site.login() == ""
    allowed = site.module("node_state", authorized_keys=[ours], confirm_within=60)
    assert allowed["proof"] == {"22": "ok"}
    site.lab.machine(nodes.HOST).run(["tee", keys], input=before)


@pytest.mark.accept("L1.5")
def test_a_rule_of_sudo_that_takes_our_rights_away_comes_back(site):
    good = {"name": "scs", "lines": ["dragon ALL=(ALL) NOPASSWD: ALL"]}
    site.module("node_state", sudo=[good])
    rules = ["dragon ALL=(ALL) NOPASSWD: ALL", "dragon ALL=(ALL) !ALL"]
    taken = site.module("node_state", sudo=[{**good, "lines": rules}])
    assert taken["failed"]
    assert "The new rules of sudo leave dragon without rights" in taken["msg"]
    assert site.login() == ""
    # Rights that are there but want a password cannot be told apart on the host; the second login can, and waits.
    asking = site.module("node_state", sudo=[{**good, "lines": ["dragon ALL=(ALL) PASSWD: ALL"]}], confirm_within=6)
    assert asking["failed"]
    assert "A new login failed after a key or a rule of sudo was changed" in asking["msg"]
    assert site.logs_in_within(20)
    fresh = site.module(
        "node_state", sudo=[good, {"name": "tight", "lines": ["dragon ALL=(ALL) ALL"]}], confirm_within=6
    )
    assert fresh["failed"], "a new file counts as one that changed when it may take rights away"
    assert site.logs_in_within(20)
    assert site.module("node_state", sudo=[])["changed"]


def test_a_key_works_until_it_ends(site):
    """The SSH server itself refuses it, whether or not a run took it out."""
    own = key(site)
    site.inside(
        "sh",
        "-c",
        "id guest >/dev/null 2>&1 || useradd -m -s /bin/sh guest; echo 'guest ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/guest",
    )

    def entry(seconds):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return {"user": "guest", "key": own, "expires": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}

    began = time.monotonic()
    assert site.module("node_state", authorized_keys=[entry(86400)])["changed"]
    took = time.monotonic() - began
    assert site.login(user="guest") == ""
    # Long enough for this machine, as busy as it is, to write it before it is over.
    over = entry(10 + 3 * took)
    assert "proof" in site.module("node_state", authorized_keys=[over])
    assert nodes.kernel.wait_for(lambda: site.login(user="guest") != "", 60 + 4 * took, 1)
    assert "expiry-time" in site.inside("cat", "/home/guest/.ssh/authorized_keys")
    taken = site.module("node_state", authorized_keys=[over])
    assert taken["plan"]["steps"][0]["object"] == "file /home/guest/.ssh/authorized_keys"
    assert "expiry-time" not in site.inside("cat", "/home/guest/.ssh/authorized_keys")
    site.inside("rm", "/etc/sudoers.d/guest")


def test_what_a_host_refuses_is_one_sentence_and_nothing_is_half_done(site):
    changed = {"journald": {"SystemMaxUse": "65M"}, "hosts": [{"address": "10.0.0.1", "names": ["half"]}]}
    before = site.look()
    with faults.readonly_etc(site.lab, nodes.HOST):
        done = site.module("node_state", **changed)
        assert done["failed"]
        assert "the file system of /etc is read-only. Nothing was changed" in done["msg"]
    assert state.differences(before, site.look()) == []
    assert not site.module("node_state", **changed)["failed"]
    assert not site.module("node_state", **changed)["changed"]


def test_a_bad_text_is_not_put_in_place(site):
    before = site.look()
    done = site.module("node_state", sudo=[{"name": "bad", "lines": ["this is no rule"]}], hostname="other")
    assert done["failed"]
    assert "visudo does not accept /etc/sudoers.d/bad" in done["msg"]
    assert state.differences(before, site.look()) == []


def test_a_package_manager_that_is_busy_is_waited_for_and_named(site):
    # dpkg's lock is one of fcntl(2), which flock(1) does not take.
    hold = (
        "import fcntl,os,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX);"
        " print(flush=True); time.sleep(60)"
    )
    holder = f'setsid python3 -c "{hold}" >/run/holder-ready 2>&1 & echo $!'
    pid = site.inside("sh", "-c", holder).strip()
    try:
        assert nodes.kernel.wait_for(
            lambda: site.inside("sh", "-c", "wc -c < /run/holder-ready").strip() != "0", 10, 0.1
        )
        done = site.module("node_state", packages=["bc"], package_wait=3)
        assert done["failed"]
        assert "held the lock of the package manager for 3 s" in done["msg"]
    finally:
        site.inside("kill", pid)
    assert site.module("node_state", packages=["bc"], package_wait=30)["changed"]
    assert not site.module("node_state", packages=["bc"])["changed"]
