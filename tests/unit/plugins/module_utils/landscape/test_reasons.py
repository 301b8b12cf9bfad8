# SPDX-License-Identifier: Apache-2.0
"""Messages of Ansible, OpenSSH and sudo as they were met, and the sentence each becomes."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape.reasons import LONGEST, reason_of

SSH = "Task failed: Failed to connect to the host via ssh: "


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (SSH + "ssh: connect to host 10.20.0.23 port 22: Connection timed out", "does not answer: it is off"),
        (SSH + "Connection timed out during banner exchange\nConnection to 10.0.0.1 port 22 timed out", "it hangs"),
        ("The command action failed to execute in the expected time frame (20) and was terminated", "it hangs"),
        ("Task failed: Timed out after 20 second(s).", "it hangs"),
        (SSH + "ssh: connect to host 10.0.0.1 port 22: No route to host", "no way to its address"),
        (SSH + "ssh: connect to host 10.0.0.1 port 22: Connection refused", "no SSH server listens"),
        (SSH + "ssh: Could not resolve hostname nowhere: Name or service not known", "cannot be resolved"),
        (SSH + "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ Host key verification failed.", "host key"),
        (SSH + "dragon@10.0.0.1: Permission denied (publickey).", "authorised keys lack ours"),
        (SSH + "kex_exchange_identification: Connection closed by remote host", "closes the connection"),
        ("Task failed: Missing sudo password", "sudo gives the login user no rights"),
        ("sudo: a password is required", "sudo gives the login user no rights"),
        ("dragon is not in the sudoers file.", "sudo gives the login user no rights"),
        ("[Errno 28] No space left on device: '/etc/hosts.tmp'", "has a full disk; make room and run again (at /etc/hosts.tmp)"),
        ("mkdir: No space left on device", "has a full disk"),
        ("[Errno 30] Read-only file system: '/etc/x'", "mounted read-only"),
        ("/bin/sh: 1: /usr/bin/python3: not found", "has no Python"),
    ],
)  # fmt: skip
def test_known(message, sentence):
    assert sentence in reason_of(message)
    assert "\n" not in reason_of(message)


def test_unknown_messages_are_passed_on_in_one_line():
    assert reason_of("something\n  odd\x1b[31m") == "something odd [31m"
    assert reason_of("") == "failed without a message"
    assert len(reason_of("x" * 999)) == LONGEST
    assert reason_of("x" * 999).endswith("…")
