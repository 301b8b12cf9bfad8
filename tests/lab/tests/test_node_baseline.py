# SPDX-License-Identifier: Apache-2.0
"""The role node_baseline on real machines: what daemons say afterwards, what check mode promised, what is left alone."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.scs.landscape.tests.lab.tests import nodes, state

CONTROLLER = "10.20.0.2"
WANTED = {
    "node_baseline_domain": "lab.example.org",
    "node_baseline_dns": {"servers": [CONTROLLER], "search": ["lab.example.org"]},
    "node_baseline_proxy": {"http": f"http://{CONTROLLER}:3142", "no_proxy": ["localhost"], "packages": False},
    "node_baseline_sysctl": {"net.ipv4.ip_forward": 1, "kernel.panic": 10},
    "node_baseline_journald": {"SystemMaxUse": "64M"},
    "node_baseline_rsyslog": {"targets": [{"host": CONTROLLER, "protocol": "udp"}]},
    "node_baseline_chrony": {"servers": [CONTROLLER]},
    "node_baseline_sudo": [{"name": "scs-operators", "lines": ["%operators ALL=(ALL) ALL"]}],
    "node_baseline_authorized_keys": [{"user": "dragon", "key": nodes.OTHER, "expires": "2099-12-31"}],
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


@pytest.mark.accept("L1.8", "L1.10")
def test_check_mode_tells_the_truth_and_writes_nothing_and_a_second_run_rests(site):
    before = site.look()
    checked = baseline(site, "--check", "--diff")
    assert checked.rc == 0, checked.output
    assert state.differences(before, site.look()) == []
    real = baseline(site)
    assert real.rc == 0, real.output
    assert set(real.changed()) == set(NAMES)
    assert checked.plans() == real.plans()
    assert all(len(plans) == 2 for plans in real.plans().values())
    after = site.look()
    assert state.differences(before, after) != []
    again = baseline(site)
    assert again.changed() == {}, again.output
    assert state.differences(after, site.look()) == []


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
        assert f'expiry-time="21000101000000Z" {nodes.OTHER}' in keys
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
