# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Ports that are broken out: what the children of a port are called.

SONiC names a child by the place of its first lane: the second of ``4x25G`` on ``Ethernet48`` is ``Ethernet49``, the
second of ``2x50G`` is ``Ethernet50``. Sockets of the QSFP family have four lanes, QSFP-DD and OSFP have eight.
"""

from __future__ import annotations

import re

BREAKOUT_PATTERN = r"[1-8]x(10|25|40|50|100|200|400)G"
#: Electrical lanes of a socket (SFF-8679, QSFP-DD and OSFP specifications).
LANES = {"qsfp+": 4, "qsfp28": 4, "qsfp56": 4, "qsfp-dd": 8, "osfp": 8}
_NAME = re.compile(r"Ethernet([0-9]{1,5})")


class BreakoutError(ValueError):
    """The port cannot be broken out so."""


def children(port: str, connector: str, mode: str) -> list[tuple[str, str]]:
    """Name and speed of the ports that one becomes.

    :raises BreakoutError: the socket has one lane, or cannot share its lanes so, or SONiC does not name the port.
    """
    lanes, named = LANES.get(connector, 1), _NAME.fullmatch(port)
    count, _x, speed = mode.partition("x")
    if named is None:
        raise BreakoutError(f"port {port} has no number that its children could be named by")
    if int(count) > lanes or lanes % int(count):
        raise BreakoutError(f"a {connector} socket has {lanes} lanes, which {mode} cannot share")
    step = lanes // int(count)
    return [(f"Ethernet{int(named.group(1)) + number * step}", speed) for number in range(int(count))]
