# SPDX-License-Identifier: Apache-2.0
"""Links that fail, each for as long as a ``with`` block lasts. The interfaces stay, as on a real switch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..wiring import End
from .fabric import Fabric

_TABLE = "silence"


@contextlib.contextmanager
def cut(fabric: Fabric, end: End) -> Iterator[None]:
    """The port of a switch has no light: both ends see it at once.

    The service that keeps ports as their rows say sleeps meanwhile, on this switch alone.
    """
    machine = fabric.machine(end[0])
    machine.run(["systemctl", "kill", "--signal=SIGSTOP", "swss"])
    try:
        fabric.panel().link(end, False)
        yield
    finally:
        fabric.panel().link(end, True)
        machine.run(["systemctl", "kill", "--signal=SIGCONT", "swss"])


@contextlib.contextmanager
def silence(fabric: Fabric, end: End) -> Iterator[None]:
    """Nothing gets through a cable any more, and neither end sees that: both ports stay up.

    :raises ValueError: no cable of the fabric ends there.
    """
    far = fabric.wiring.far(end)
    if far is None:
        raise ValueError(f"no cable ends in {'/'.join(end)}")
    ends = (end, far)
    try:
        for name, port in ends:
            hook = f"type filter hook ingress device {port} priority -500; policy drop;"
            rules = f"table netdev {_TABLE} {{\nchain {port} {{\n{hook}\n}}\n}}\n"
            fabric.machine(name).run(["nft", "-f", "-"], input=rules)
        yield
    finally:
        for name, _port in ends:
            fabric.machine(name).run(["nft", "delete", "table", "netdev", _TABLE], check=False)
