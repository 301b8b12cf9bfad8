# SPDX-License-Identifier: Apache-2.0
"""The role node_baseline on real machines: what daemons say afterwards, what check mode promised, what is left alone."""

from __future__ import annotations

import datetime
import subprocess

import pytest

from ansible_collections.scs.landscape.tests.lab import faults
from ansible_collections.scs.landscape.tests.lab.tests import nodes, state

CONTROLLER = "10.20.0.2"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti other"
WANTED = {
    "node_baseline_domain": "lab.example.org",
    "node_baseline_dns": {"servers": [CONTROLLER], "search": ["lab.example.org"]},
    "node_baseline_proxy": {"http": f"http://{CONTROLLER}:3142", "no_proxy": ["localhost"], "packages": False},
    "node_baseline_sysctl": {"net.ipv4.ip_forward": 1, "kernel.panic": 10},
    "node_baseline_journald": {"SystemMaxUse": "64M"},
    "node_baseline_rsyslog": {"targets": [{"host": CONTROLLER, "protocol": "udp"}]},
    "node_baseline_chrony": {"servers": [CONTROLLER]},
    "node_baseline_sudo": [{"name": "scs-operators", "lines": ["%operators ALL=(ALL) ALL"]}],
    "node_baseline_authorized_keys": [{"user": "dragon", "key": OTHER, "expires": "2099-12-31"}],
    "node_baseline_packages": ["lldpd", "tree"],
}
NAMES = (nodes.HOST, nodes.SECOND)


@pytest.fixture(scope="module", params=nodes.RELEASES)
def lab(request):
    with nodes.machines(request.param, "base", *NAMES) as found:
        yield found


@pytest.fixture
def site(lab, tmp_path, collections_root):
    return nodes.Site(lab, tmp_path, collections_root)


def baseline(site, *arguments, **variables):
    role = {"ansible.builtin.include_role": {"name": "scs.landscape.node_baseline"}}
    return site.run(role, hosts=",".join(NAMES), arguments=arguments, vars={**WANTED, **variables})


def look(site):
    """Every file and package; without the folder that Ansible itself makes in a home."""
    tables = state.of_all(site.lab.machines)
    return {
        name: {path: what for path, what in table.items() if not path.startswith("/home/dragon/.ansible")}
        for name, table in tables.items()
    }


@pytest.mark.accept("L1.8", "L1.10")
def test_check_mode_tells_the_truth_and_writes_nothing_and_a_second_run_rests(site):
    before = look(site)
    checked = baseline(site, "--check", "--diff")
    assert checked.rc == 0, checked.output
    assert state.differences(before, look(site)) == []
    real = baseline(site)
    assert real.rc == 0, real.output
    assert set(real.changed()) == set(NAMES)
    assert checked.plans() == real.plans()
    assert all(len(plans) == 2 for plans in real.plans().values())
    after = look(site)
    assert state.differences(before, after) != []
    again = baseline(site)
    assert again.changed() == {}, again.output
    assert state.differences(after, look(site)) == []


@pytest.mark.accept("L1.10")
def test_daemons_and_the_kernel_say_what_was_asked_for(site):
    assert baseline(site).rc == 0
    for name in NAMES:
        assert site.inside("hostname", name=name).strip() == name
        address = site.inside("getent", "hosts", f"{nodes.SECOND}.lab.example.org", name=name)
        assert nodes.SECOND in address
        assert CONTROLLER in site.inside("chronyc", "-n", "-c", "sources", name=name)
        assert "debian.pool" not in site.inside("chronyc", "-N", "-c", "sources", "-a", name=name)
        assert (
            site.inside("systemctl", "is-active", "chrony", "rsyslog", "systemd-journald", "ssh", name=name).split()
            == ["active"] * 4
        )
        assert f"nameserver {CONTROLLER}" in site.inside("cat", "/etc/resolv.conf", name=name)
        assert site.inside("dpkg-query", "-W", "-f", "${Status}", "tree", name=name) == "install ok installed"
        assert "passwordauthentication no" in site.inside("/usr/sbin/sshd", "-T", name=name)
        assert "SystemMaxUse=64M" in site.inside("systemd-analyze", "cat-config", "systemd/journald.conf", name=name)
        assert site.inside("sudo", "-n", "-l", "-U", "dragon", name=name)
        keys = site.inside("cat", "/home/dragon/.ssh/authorized_keys", name=name)
        assert f'expiry-time="21000101000000Z" {OTHER}' in keys
        forwarding = site.inside("cat", "/proc/sys/net/ipv4/ip_forward", name=name).strip()
        assert forwarding == "1"


def test_a_message_reaches_the_log_server(site):
    """A listener on the controller's address gets what logger says on the machine."""
    assert baseline(site).rc == 0
    program = (
        "import socket,sys; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('0.0.0.0',514)); s.settimeout(20)\n"
        "print('ready',flush=True)\n"
        "while True:\n data=s.recv(9000).decode(errors='replace')\n if 'canary-of-the-test' in data: print(data); break\n"
    )
    argv = [*site.lab.entering(), "python3", "-c", program]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout.readline().strip() == "ready"
        site.inside("logger", "-t", "test", "canary-of-the-test")
        said, _nothing = listener.communicate(timeout=30)
    assert nodes.HOST in said


def test_a_key_works_until_it_ends(site):
    """The SSH server itself refuses it, whether or not a run took it out."""
    own = (site.lab.inventory.parent / "keys" / "login.pub").read_text().strip()
    site.inside(
        "sh",
        "-c",
        "id guest >/dev/null 2>&1 || useradd -m -s /bin/sh guest; echo 'guest ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/guest",
    )

    def entry(seconds):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return {"user": "guest", "key": own, "expires": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}

    assert site.module("node_state", authorized_keys=[entry(86400)])["changed"]
    assert site.login(user="guest") == ""
    # Long enough for a busy machine to write it before it is over.
    over = entry(40)
    assert "proof" in site.module("node_state", authorized_keys=[over])
    assert nodes.kernel.wait_for(lambda: site.login(user="guest") != "", 90, 1)
    assert "expiry-time" in site.inside("cat", "/home/guest/.ssh/authorized_keys")
    taken = site.module("node_state", authorized_keys=[over])
    assert taken["plan"]["steps"][0]["object"] == "file /home/guest/.ssh/authorized_keys"
    assert "expiry-time" not in site.inside("cat", "/home/guest/.ssh/authorized_keys")
    site.inside("rm", "/etc/sudoers.d/guest")


def test_what_a_host_refuses_is_one_sentence_and_nothing_is_half_done(site):
    changed = {"journald": {"SystemMaxUse": "65M"}, "hosts": [{"address": "10.0.0.1", "names": ["half"]}]}
    before = look(site)
    with faults.readonly_etc(site.lab, nodes.HOST):
        done = site.module("node_state", **changed)
        assert done["failed"]
        assert "the file system of /etc is read-only. Nothing was changed" in done["msg"]
    assert state.differences(before, look(site)) == []
    assert not site.module("node_state", **changed)["failed"]
    assert not site.module("node_state", **changed)["changed"]


def test_a_bad_text_is_not_put_in_place(site):
    before = look(site)
    done = site.module("node_state", sudo=[{"name": "bad", "lines": ["this is no rule"]}], hostname="other")
    assert done["failed"]
    assert "visudo does not accept /etc/sudoers.d/bad" in done["msg"]
    assert state.differences(before, look(site)) == []


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
