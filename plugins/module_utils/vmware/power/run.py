# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Takes VMs to the power state that is wanted, several at once, and reads back what became of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Callable, Protocol

from ...core import pool, stream
from ...core.errors import LandscapeError
from ...core.plan import Step
from ..model import Autostart, Vm, VmwareError
from . import plan
from .plan import Ask, Done, Plug

#: Seconds between two looks at a guest that shuts down.
_EVERY = 2.0


class Hands(Protocol):
    """What changes VMs: :class:`.client.Power`."""

    def state(self, moid: str) -> str:
        """``on``, ``off`` or ``suspended``."""

    def shut_down(self, moid: str, name: str) -> None:
        """Asks the guest."""

    def power_off(self, moid: str, name: str) -> None:
        """Pulls the plug."""

    def power_on(self, moid: str, name: str) -> None:
        """Starts."""

    def set_cards(self, moid: str, name: str, wanted: Mapping[int, Plug]) -> None:
        """Network cards."""

    def set_autostart(self, moid: str, name: str, wanted: Autostart) -> None:
        """Autostart."""


def run(
    hands: Hands,
    asks: Sequence[Ask],
    timeout: float,
    parallel: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Done]:
    """What became of every VM; one that fails does not end the others.

    :param timeout: seconds that a guest may take to shut down.
    """

    def one(done: Done) -> None:
        began = clock()
        try:
            for step in done.steps:
                _do(hands, done, step, timeout, clock, sleep)
                done.steps_done += 1
        finally:
            done.seconds = clock() - began

    found = [Done(ask, plan.plan_of(ask)) for ask in asks]
    for outcome in pool.each([done for done in found if done.steps], one, parallel, tick=lambda: _tell(found)):
        if outcome.error is not None:
            outcome.item.error = str(outcome.error)
    return found


def _tell(found: Sequence[Done]) -> None:
    waiting = [done.ask.vm.name for done in found if done.steps_done < len(done.steps) and not done.error]
    stream.say(f"{len(waiting)} of {len(found)} VMs are not there yet: {', '.join(waiting[:5])}")


def _do(
    hands: Hands,
    done: Done,
    step: Step,
    timeout: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    vm = done.ask.vm
    if step.action == plan.SHUT_DOWN:
        _shut_down(hands, done, timeout, clock, sleep)
    elif step.action == plan.POWER_OFF:
        hands.power_off(vm.moid, vm.name)
        done.forced = True
    elif step.action == plan.POWER_ON:
        hands.power_on(vm.moid, vm.name)
    elif step.action == plan.NICS:
        hands.set_cards(vm.moid, vm.name, step.payload)
    else:
        hands.set_autostart(vm.moid, vm.name, step.payload)


def _shut_down(
    hands: Hands, done: Done, timeout: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """Asks the guest and waits; only who is told to pulls the plug."""
    vm = done.ask.vm
    deadline = clock() + timeout
    try:
        hands.shut_down(vm.moid, vm.name)
    except VmwareError as error:
        if error.fault != "InvalidPowerState" and not done.ask.force:
            raise
    while hands.state(vm.moid) != "off":
        left = deadline - clock()
        if left <= 0:
            break
        sleep(min(_EVERY, left))
    else:
        return
    if not done.ask.force:
        raise LandscapeError(
            f"The guest of {vm.name} did not shut down within {timeout:.0f} s; it is still on",
            hint="Look at its console, give it more time (shutdown_timeout), or set force to power it off",
        )
    hands.power_off(vm.moid, vm.name)
    done.forced = True


def read_back(found: Sequence[Done], vms: Sequence[Vm]) -> None:
    """Writes down what VMs are now; one that is not what it was to become, and told no error, gets one.

    :param vms: one that is not among them is not there any more; what was known of it stays.
    """
    now = {vm.moid: vm for vm in vms}
    for done in found:
        vm = now.get(done.ask.vm.moid)
        done.after = plan.state_of(vm or done.ask.vm)
        if vm is None:
            gone = f"{done.ask.vm.name} is not there any more, so nobody can tell what became of it"
            done.error = done.error or gone
            continue
        missed = plan.missed(done)
        if not done.error and missed:
            done.error = f"{done.ask.vm.name} did not become what was asked: {', '.join(missed)}"
