# SPDX-License-Identifier: Apache-2.0
"""Nothing that the module sshd_dropin is told to do to the SSH server loses the login."""

from __future__ import annotations

import signal

import pytest

from ansible_collections.scs.landscape.tests.lab import kernel
from ansible_collections.scs.landscape.tests.lab.tests import nodes

pytestmark = pytest.mark.accept("L1.5")
FILE = "/etc/ssh/sshd_config.d/00-test.conf"


@pytest.fixture(scope="module", params=nodes.ONE_OF_TWO)
def lab(request):
    with nodes.machines(request.param, "ssh", nodes.HOST) as found:
        yield found


@pytest.fixture
def site(lab, tmp_path, collections_root):
    found = nodes.Site(lab, tmp_path, collections_root)
    assert found.login() == ""
    yield found
    nodes.is_left_open(found)


def dropin(site, *arguments, **options):
    return site.module("sshd_dropin", *arguments, **{"name": "00-test", "confirm_within": 60, **options})


def content(site):
    return site.inside("sh", "-c", f"cat {FILE} 2>/dev/null || true")


def test_hardening_is_proven_and_kept(site):
    before = site.state()
    checked = dropin(site, "--check")
    assert site.state() == before
    done = dropin(site)
    assert done["plan"] == checked["plan"]
    assert done["proof"] == {"22": "ok"}
    assert not done["armed"]
    said = site.inside("/usr/sbin/sshd", "-T")
    assert "passwordauthentication no" in said
    assert "maxauthtries 4" in said
    again = dropin(site)
    assert not again["changed"]
    assert again["steps_done"] == 0
    removed = dropin(site, state="absent")
    assert removed["proof"] == {"22": "ok"}
    assert content(site) == ""


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"NoSuchKeyword": "yes"}, "sshd does not accept its configuration"),
        ({"PermitRootLogin": "perhaps"}, "sshd does not accept its configuration"),
        ({"Port": "22 23"}, "settings.Port is '22 23', no port"),
        ({"Match": "all"}, "settings holds 'Match'"),
        ({"X11Forwarding": "no\nPasswordAuthentication no"}, "one word or line is allowed"),
    ],
    ids=["unknown", "value", "port", "match", "injection"],
)
def test_a_bad_file_is_refused_before_anything_is_written(site, settings, reason):
    before = site.state()
    done = dropin(site, settings=settings)
    assert done["failed"]
    assert reason in done["msg"]
    assert site.state() == before


@pytest.mark.parametrize(
    "settings",
    [
        {"AllowUsers": "nobody"},
        {"DenyUsers": "dragon"},
        {"PubkeyAuthentication": "no"},
        {"AuthorizedKeysFile": "/none"},
    ],
    ids=["allow", "deny", "no-keys", "no-key-file"],
)
def test_a_change_that_leaves_us_out_is_rolled_back_at_once(site, settings):
    before = content(site)
    done = dropin(site, settings=settings)
    assert done["failed"]
    assert done["rolled_back"]
    assert "A new login failed after the SSH server was changed" in done["msg"]
    assert site.login() == ""
    assert content(site) == before


def test_another_file_that_decides_otherwise_is_named(site):
    site.inside("sh", "-c", "echo PasswordAuthentication yes > /etc/ssh/sshd_config.d/00-earlier.conf")
    try:
        done = dropin(site)
    finally:
        site.inside("rm", "/etc/ssh/sshd_config.d/00-earlier.conf")
    assert done["failed"]
    assert "Another file of the SSH server decides otherwise: PasswordAuthentication is yes" in done["msg"]


def test_a_port_is_moved_with_both_open_until_the_new_one_is_proven(site):
    def listening():
        return {line.split()[3].rpartition(":")[2] for line in site.inside("ss", "-Hltn").splitlines()} & {"22", "2222"}

    moved = dropin(site, settings={"Port": 2222})
    assert moved["proof"] == {"2222": "ok"}
    assert [step["action"] for step in moved["plan"]["steps"]] == ["create", "reload", "prove", "close"]
    assert kernel.wait_for(lambda: listening() == {"2222"}, 10, 0.2)
    assert site.login(port=2222) == ""
    back = dropin(site, state="absent", play={"vars": {"ansible_port": 2222}})
    assert back["proof"] == {"22": "ok"}
    assert kernel.wait_for(lambda: listening() == {"22"}, 10, 0.2)


@pytest.mark.parametrize(
    "settings",
    [{"ListenAddress": "127.0.0.1"}, {"Port": 2222, "ListenAddress": "127.0.0.1:2222"}],
    ids=["address", "port"],
)
def test_a_way_in_that_nobody_outside_reaches_is_rolled_back(site, settings):
    """As with a firewall in between: the daemon listens, and a login gets nowhere."""
    before = content(site)
    done = dropin(site, settings=settings)
    assert done["failed"], done
    assert site.login() == ""
    assert content(site) == before


def test_a_controller_that_is_killed_between_reload_and_proof_costs_nothing(site):
    """The second login hangs (the SSH program of the proof sleeps), the controller is killed, the host helps itself."""
    slow = site.folder / "ssh"
    slow.write_text('#!/bin/sh\ncase "$*" in *ControlPath=none*) sleep 60;; esac\nexec ssh "$@"\n')
    slow.chmod(0o755)
    options = {"name": "00-test", "confirm_within": 8, "settings": {"AllowUsers": "nobody"}}
    task = {"scs.landscape.sshd_dropin": options, "vars": {"ansible_ssh_executable": str(slow)}}
    with site.start(task) as running:
        assert kernel.wait_for(lambda: "nobody" in content(site), 30, 0.1), running.output
        assert kernel.wait_for(lambda: site.login() != "", 10, 0.2)
        running.signal(signal.SIGKILL)
    site.lab.disconnect_ssh()
    assert site.logs_in_within(25)
    assert "nobody" not in content(site)
    assert dropin(site)["proof"] == {"22": "ok"}
    assert dropin(site, state="absent")["changed"]


@pytest.fixture
def bare(site, repo):
    """The same host with a collection that has no action plugins."""
    root = site.folder / "bare"
    home = root / "ansible_collections/scs/landscape"
    (home / "plugins").mkdir(parents=True)
    for entry in repo.iterdir():
        if entry.name != "plugins":
            (home / entry.name).symlink_to(entry)
    for entry in (repo / "plugins").iterdir():
        if entry.name != "action":
            (home / "plugins" / entry.name).symlink_to(entry)
    return nodes.Site(site.lab, site.folder / "bare-site", root)


def test_without_its_action_plugin_the_module_waits_for_a_confirmation(site, bare):
    armed = dropin(bare, confirm_within=30)
    assert armed["armed"]
    assert armed["token"]
    kept = bare.module("sshd_dropin", state="confirmed", token=armed["token"])
    assert kept["changed"]
    assert "PasswordAuthentication no" in content(site)
    forgotten = dropin(bare, confirm_within=4, settings={"AllowUsers": "nobody"})
    assert forgotten["armed"]
    site.lab.disconnect_ssh()
    assert site.logs_in_within(20)
    assert "PasswordAuthentication no" in content(site)
    assert "nobody" not in content(site)
    late = bare.module("sshd_dropin", state="confirmed", token=forgotten["token"])
    assert late["failed"]
    assert "rolled back in time" in late["msg"]
    removed = dropin(bare, state="absent")
    assert bare.module("sshd_dropin", state="confirmed", token=removed["token"])["changed"]
    assert content(site) == ""
