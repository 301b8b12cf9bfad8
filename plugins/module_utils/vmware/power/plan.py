# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What is asked of power, network cards and autostart of VMs, and the steps that lead there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Union

from ...core.errors import InputError
from ...core.plan import Impact, Plan, Step
from ..model import Autostart, Nic, Vm

#: Verbs of steps.
SHUT_DOWN, POWER_OFF, POWER_ON, NICS, AUTOSTART = "shut down", "power off", "power on", "set cards", "set autostart"

#: How a card is plugged in: both now and at the next start (True) or neither (False), or only one of the two. A VM that is off has
#: no now: its cards are what they will be.
Plug = Union[bool, str]
NOW, START = "now", "start"

#: Settings of autostart that a host has defaults for.
_MORE = ("start_delay", "heartbeat", "stop_delay", "stop_action")


def at_start(plug: Plug) -> bool:
    """Whether a card is connected when its VM starts."""
    return plug in (True, START)


def at_once(plug: Plug) -> bool:
    """Whether a card of a running VM is connected."""
    return plug in (True, NOW)


@dataclass(frozen=True)
class State:
    """Power, network cards and autostart of a VM, as they are or as they are wanted; None is left as it is.

    :param power: ``on``, ``off`` or ``suspended``.
    :param nics: by key of the card.
    :param autostart: one that is not enabled leaves the other settings of the VM's entry alone.
    """

    power: str | None = None
    nics: Mapping[int, Plug] | None = None
    autostart: Autostart | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form; what comes back as ``restore``."""
        nics = None if self.nics is None else {str(key): value for key, value in sorted(self.nics.items())}
        return {
            "power": self.power,
            "nics": nics,
            "autostart": None if self.autostart is None else shown(self.autostart),
        }


def shown(autostart: Autostart) -> int | dict[str, Any]:
    """0 for a VM that its host does not start, else its place in the order (-1: any), with what differs from the defaults of the
    host.
    """
    if not autostart.enabled:
        return 0
    plain = Autostart()
    more = {name: getattr(autostart, name) for name in _MORE if getattr(autostart, name) != getattr(plain, name)}
    return {"order": autostart.order, **more} if more else autostart.order


def autostart_of(data: object) -> Autostart | None:
    """The reverse of :func:`shown`; numbers may be text, as templates make them.

    :raises InputError: it is none.
    """
    try:
        if data is None or data == "":
            return None
        if not isinstance(data, Mapping):
            order = int(str(data))
            return Autostart(order != 0, order or -1)
        texts = {name: str(data[name]) for name in ("heartbeat", "stop_action") if name in data}
        delays = {name: int(data[name]) for name in ("start_delay", "stop_delay") if name in data}
        return Autostart(True, int(data["order"]), **texts, **delays)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{data!r} does not say how a VM is started", hint="It wants `before` of vms, by uuid"
        ) from error


@dataclass(frozen=True)
class Ask:
    """One VM and what it shall be."""

    vm: Vm
    wanted: State
    force: bool = False


@dataclass
class Done:
    """What became of a VM."""

    ask: Ask
    steps: tuple[Step, ...]
    steps_done: int = 0
    seconds: float = 0.0
    forced: bool = False
    error: str = ""
    after: State = field(default_factory=State)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        vm = self.ask.vm
        return {
            "name": vm.name,
            "uuid": vm.uuid,
            "moid": vm.moid,
            "before": state_of(vm).as_dict(),
            "after": self.after.as_dict(),
            "forced": self.forced,
            "seconds": round(self.seconds, 1),
            "error": self.error or None,
        }


def state_of(vm: Vm) -> State:
    """What a VM is now."""
    return State(vm.power, {nic.key: _plug(nic, vm.power) for nic in vm.nics}, vm.autostart)


def _plug(nic: Nic, power: str) -> Plug:
    if power == "on" and nic.connected != nic.start_connected:
        return NOW if nic.connected else START
    return nic.start_connected


def asks(vms: Sequence[Vm], params: Mapping[str, Any]) -> list[Ask]:
    """What a module's options ask of VMs.

    :raises InputError: it cannot be done without force, or ``restore`` does not fit; for all VMs at once.
    """
    found = [Ask(vm, _wanted(vm, params), bool(params["force"])) for vm in vms]
    problems = [text for ask in found for text in (*_problems(ask), *_refused(ask, bool(params.get("ssh"))))]
    if problems:
        hint = "Shut the guests down by hand, start VMware Tools, or set force to power off without asking the guest"
        raise InputError("; ".join(problems), hint=hint)
    return found


def sorted_out(vms: Sequence[Vm], params: Mapping[str, Any]) -> tuple[list[Ask], list[Done]]:
    """The same, and what is refused; with ``keep_going`` a VM of which something is refused holds up no other.

    :raises InputError: see :func:`asks`.
    """
    if not params.get("keep_going"):
        return asks(vms, params), []
    found: list[Ask] = []
    refused = []
    for vm in vms:
        try:
            found += asks([vm], params)
        except InputError as error:
            refused.append(Done(Ask(vm, State(), False), (), error=str(error), after=state_of(vm)))
    return found, refused


def _wanted(vm: Vm, params: Mapping[str, Any]) -> State:
    kept = params.get("restore")
    if kept is not None:
        return restored(vm, kept)
    nics, autostart = params.get("nics"), params.get("autostart")
    cards: dict[int, Plug] | None = None if nics is None else {nic.key: nics == "connected" for nic in vm.nics}
    return State(params.get("power"), cards, None if autostart is None else replace(vm.autostart, enabled=autostart))


def restored(vm: Vm, kept: Mapping[str, Any]) -> State:
    """What a VM was before, from what an earlier task returned, by its instance UUID.

    :raises InputError: nothing is kept for the VM.
    """
    data = kept.get(vm.uuid)
    if not isinstance(data, Mapping):
        raise InputError(f"restore holds nothing for {vm.name} ({vm.uuid})", hint="It wants `before` of vms, by uuid")
    there = {nic.key for nic in vm.nics}
    kept_nics = {int(key): _kept(value) for key, value in (data.get("nics") or {}).items() if value is not None}
    nics = {key: value for key, value in kept_nics.items() if key in there}
    power = str(data.get("power") or "") or None
    # Nobody can bring back the memory of a VM that was suspended and has been shut down.
    power = "off" if power == "suspended" and vm.power != "suspended" else power
    return State(power, nics, autostart_of(data.get("autostart")))


def _kept(value: object) -> Plug:
    """How a card was plugged in; truth values may be text, as templates make them."""
    text = str(value).lower()
    if text not in (NOW, START, "true", "false"):
        raise InputError(f"{value!r} does not say how a card was connected", hint="It wants `before` of vms, by uuid")
    return text if text in (NOW, START) else text == "true"


def _problems(ask: Ask) -> list[str]:
    vm, wanted = ask.vm, ask.wanted.power
    if wanted not in (None, "on", "off", vm.power):
        return [f"{vm.name} cannot become {wanted}"]
    if vm.connection != "connected" and plan_of(ask):
        return [f"{vm.name} is {vm.connection}, its host does nothing for it"]
    if vm.template and wanted == "on":
        return [f"{vm.name} is a template and cannot be on"]
    if wanted != "off" or ask.force:
        return []
    if vm.power == "suspended":
        return [f"{vm.name} is suspended: powering it off loses its memory"]
    if vm.power == "on" and vm.tools != "running":
        return [f"{vm.name}: its VMware Tools are {vm.tools}, so its guest cannot be asked to shut down"]
    return []


def _refused(ask: Ask, shell: bool) -> list[str]:
    """What the free licence of a host refuses, told before anything is touched."""
    steps = plan_of(ask) if ask.vm.free_licence else ()
    if steps and not shell:
        return [f"{ask.vm.name}: the free licence of its host refuses every call that writes; give ssh"]
    if any(step.action == NICS for step in steps):
        return [f"{ask.vm.name}: the free licence of its host refuses to set network cards, and its shell cannot"]
    return []


def plan_of(ask: Ask) -> tuple[Step, ...]:
    """The steps for one VM: down first, then what only counts at the next start, then up, and last the cards that are not as their
    VM starts with them.
    """
    vm, wanted, now = ask.vm, ask.wanted, state_of(ask.vm)
    name = f"VM {vm.name} ({vm.uuid or vm.moid})"
    steps: list[Step] = []
    if wanted.power == "off" and now.power != "off":
        hard = vm.tools != "running" or now.power == "suspended"
        undo = "power it on" if now.power == "on" else ""
        steps.append(
            Step(POWER_OFF if hard else SHUT_DOWN, name, now.power, "off", Impact.UNREACHABLE, undo, payload=vm.moid)
        )
    stays_on = now.power == "on" and wanted.power != "off"
    cards, asked = now.nics or {}, wanted.nics or {}
    if not stays_on:
        cards, asked = started(cards), started(asked)
    steps += _cards(name, cards, asked, stays_on)
    if wanted.autostart is not None and not _same(wanted.autostart, now.autostart):
        before, after = {"autostart": shown(now.autostart or Autostart())}, {"autostart": shown(wanted.autostart)}
        steps.append(Step(AUTOSTART, name, before, after, undo="set it back", payload=wanted.autostart))
    if wanted.power == "on" and now.power != "on":
        steps.append(Step(POWER_ON, name, now.power, "on", undo="shut it down"))
        steps += _cards(name, {**cards, **asked}, wanted.nics or {}, True)
    return tuple(steps)


def _cards(name: str, now: Mapping[int, Plug], wanted: Mapping[int, Plug], is_on: bool) -> list[Step]:
    """The step that plugs cards, if any is not as it is wanted."""
    cards = {key: value for key, value in wanted.items() if now.get(key) != value}
    if not cards:
        return []
    cut = any(at_once(now.get(key, False)) and not at_once(value) for key, value in cards.items())
    before = {str(key): now.get(key) for key in sorted(cards)}
    after = {str(key): cards[key] for key in sorted(cards)}
    impact = Impact.UNREACHABLE if is_on and cut else Impact.NONE
    return [Step(NICS, name, {"connected": before}, {"connected": after}, impact, "set them back", payload=cards)]


def started(cards: Mapping[int, Plug]) -> dict[int, Plug]:
    """What cards are when their VM is off or has just been started."""
    return {key: at_start(plug) for key, plug in cards.items()}


def _same(one: Autostart, other: Autostart | None) -> bool:
    """Whether two are the same to a VM; of one that is not started nothing else counts."""
    return other is not None and one.enabled == other.enabled and (one == other or not one.enabled)


def whole_plan(found: Sequence[Ask]) -> Plan:
    """The plan of all VMs, one after another; in truth several are worked on at once."""
    return Plan(tuple(step for ask in found for step in plan_of(ask)))


def predicted(ask: Ask) -> Done:
    """What would become of a VM."""
    now, wanted = state_of(ask.vm), ask.wanted
    power = wanted.power or now.power
    nics, asked = now.nics or {}, wanted.nics or {}
    if power != "on":
        nics, asked = started(nics), started(asked)
    elif now.power != "on":
        nics = started(nics)
    after = State(power, {**nics, **asked}, now.autostart if wanted.autostart is None else wanted.autostart)
    return Done(ask, plan_of(ask), after=after)


def missed(done: Done) -> list[str]:
    """What was asked of a VM and is not so now. What was not asked is its owner's and may be anything."""
    wanted, after, aim = done.ask.wanted, done.after, predicted(done.ask).after
    found: list[str] = []
    if wanted.power is not None and after.power != aim.power:
        found.append(f"it is {after.power} instead of {aim.power}")
    cards, aimed = after.nics or {}, aim.nics or {}
    other = [key for key in sorted(wanted.nics or {}) if cards.get(key) != aimed[key]]
    found += [f"connected of card {key} is {cards.get(key)} instead of {aimed[key]}" for key in other]
    if wanted.autostart is not None and not _same(wanted.autostart, after.autostart):
        now = shown(after.autostart or Autostart())
        found.append(f"autostart is {now} instead of {shown(wanted.autostart)}")
    return found
