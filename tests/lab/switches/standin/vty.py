# SPDX-License-Identifier: Apache-2.0
"""FRR's daemons, spoken to one by one over the sockets that vtysh uses.

SONiC's daemon does the same, and it matters: what one daemon does not know is lost although another one would have
taken it from vtysh (``vni`` below ``vrf``, which zebra no longer has and mgmtd does).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

DAEMONS = ("mgmtd", "zebra", "staticd", "bgpd", "bfdd")
_SECONDS = 60.0
#: Every answer ends with three zero bytes and the code: zero is success.
_END = b"\0\0\0"


def log(level: int, text: str) -> None:
    """A line of the journal, with its level as syslog counts (3 is an error)."""
    print(f"<{level}>{text}", file=sys.stderr, flush=True)


class Frr:
    """Connections to all daemons.

    :raises OSError: one of them is not there.
    """

    def __init__(self, folder: str = "/run/frr") -> None:
        self._daemons: dict[str, socket.socket] = {}
        for name in DAEMONS:
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.settimeout(_SECONDS)
            one.connect(f"{folder}/{name}.vty")
            self._daemons[name] = one
            self._ask(name, "enable")

    def configure(self, daemons: Sequence[str], *commands: str) -> bool:
        """Run commands in configuration mode; whether each of them was taken by at least one of the daemons."""
        taken = True
        for command in ("configure terminal", *commands, "end"):
            answers = [self._ask(name, command) for name in daemons if name in self._daemons]
            taken = taken and 0 in [code for code, _said in answers]
        if not taken:
            log(3, f"command execution failure. Command: {' / '.join(commands)}")
        return taken

    def _ask(self, name: str, command: str) -> tuple[int, str]:
        """The code and the words of a daemon."""
        one = self._daemons[name]
        one.sendall(command.encode() + b"\0")
        said = b""
        while not (len(said) >= 4 and said[-4:-1] == _END):
            part = one.recv(1 << 16)
            if not part:
                raise ConnectionResetError(f"{name} closed its connection")
            said += part
        return said[-1], said[:-4].decode(errors="replace")
