# SPDX-License-Identifier: Apache-2.0
"""The shell of an ESXi host: a real sshd for root, with one key, and busybox."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.scs.landscape.tests.tools import apt

from .exporting import wait_for

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""
#: What the shell of a host runs: every command is noted, and one can be cut off in the middle.
_SHELL = """#!/bin/busybox sh
PATH={folder}/bin
echo "$SSH_ORIGINAL_COMMAND" >> {folder}/asked
if busybox test -e {folder}/cut && busybox expr "$SSH_ORIGINAL_COMMAND" : 'dd.*bs=1048576' > /dev/null; then
  at=$(busybox cat {folder}/cut); busybox rm {folder}/cut
  busybox sh -c "$SSH_ORIGINAL_COMMAND" | busybox head -c "$at"
  busybox sleep 0.5; busybox kill -9 $PPID
fi
exec busybox sh -c "$SSH_ORIGINAL_COMMAND"
"""


def needs() -> None:
    """Installs what it consists of."""
    apt.ensure(["openssh-server", "openssh-client", "busybox"], "a host over SSH", ("ssh.service", "ssh.socket"))


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[int]:
    """A server for root with one key, on a port of loopback."""
    for name in ("host", "other", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=60
        )
    (folder / "bin").mkdir()
    (folder / "bin" / "busybox").symlink_to("/bin/busybox")
    for name in ("stat", "dd"):
        (folder / "bin" / name).symlink_to("/bin/busybox")
    shell = folder / "shell"
    shell.write_text(_SHELL.format(folder=folder))
    shell.chmod(0o755)
    (folder / "authorized").write_text(f'command="{shell}" {(folder / "key.pub").read_text()}')
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for name, key in (("known", "host"), ("stranger", "other")):
        (folder / name).write_text(f"[127.0.0.1]:{port} {(folder / f'{key}.pub').read_text()}")
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder))
    ours = not os.path.isdir("/run/sshd")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(port), "sshd does not answer")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        if ours:
            os.rmdir("/run/sshd")


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
