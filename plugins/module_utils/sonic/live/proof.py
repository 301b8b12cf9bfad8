# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Whether a switch shows what a change brought: asked again until it does, or until the time is over."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from ...core.plan import Impact
from . import changing, errors, expect
from .changing import Change, Seen
from .model import Answered, Link, Settings, Unreachable
from .switch.words import ROUTING

LOOK = ("bgp", "lldp", "addresses")
#: Seconds that FRR has to follow by itself before bgp is restarted, and how many more for every row that goes there.
FOLLOWS, FOLLOWS_ROW = 6.0, 0.2
#: Tables that may close the way in, or end sessions, long after a row was written: hold times of BGP and LLDP, filters, logins.
LATE = (
    *("MGMT_", "INTERFACE|", "PORTCHANNEL_INTERFACE|", "VLAN_INTERFACE|", "LOOPBACK_INTERFACE|", "ACL_", "COPP_"),
    *("AAA|", "TACPLUS", "RADIUS", "LDAP", "SSH_SERVER|"),
)
#: Tables of addresses that go with their rows; without MGMT_INTERFACE, whose address a DHCP server may give back.
_ADDRESSED = ("INTERFACE|", "PORTCHANNEL_INTERFACE|", "VLAN_INTERFACE|", "LOOPBACK_INTERFACE|")
#: Errors of a switch that may be over a moment later.
_PASSING = ("database_gone", "busy")


def holding(change: Change, settings: Settings) -> float:
    """Seconds that must lie between two clean looks at the switch; none where nothing can end late."""
    is_late = change.impact >= Impact.INTERRUPTED or any(
        name.startswith(LATE) for name, _before, _after in change.steps
    )
    return float(settings.hold) if is_late else 0.0


def lingering(change: Change, addresses: Any) -> set[str]:
    """Addresses whose rows went and that the kernel still has where they were."""
    held = {
        (device.get("ifname"), f"{one.get('local')}/{one.get('prefixlen')}")
        for device in (addresses if isinstance(addresses, list) else ())
        for one in device.get("addr_info", ())
    }
    left = {_place(name) for name in change.rows if name.startswith(_ADDRESSED)}
    went = {_place(name) for name, before, _after in change.steps if before is not None and name.startswith(_ADDRESSED)}
    return {f"the kernel still has {address} on {name}" for name, address in (went - left) & held if address}


def _place(row: str) -> tuple[str, str]:
    """Interface and address of a row, as the kernel writes them; no address where it has none."""
    _table, name, address = [*row.split("|", 2), "", ""][:3]
    try:
        return name, str(ipaddress.ip_interface(address))
    except ValueError:
        return name, ""


class Proof:
    """Of one change that is written.

    :param before: what the switch showed just before the first write.
    :param left: seconds until the switch has to be left to itself.
    """

    def __init__(
        self, link: Link, settings: Settings, change: Change, before: Mapping[str, Any], left: Callable[[], float]
    ) -> None:
        self._link, self._settings, self._change = link, settings, change
        self._before, self._left = before, left
        self.was: set[str] = set()
        self.now: Mapping[str, Any] = {}
        self.restarted = False
        #: Seconds between the two clean looks.
        self.held = 0.0
        self._hold, self._clean = holding(change, settings), -1.0

    def problems(self, seen: Seen) -> list[str]:
        """What the switch does not show although it should; empty when all is well.

        :param seen: what the change was planned on.
        :raises Answered: the switch says why it cannot tell, or cannot restart bgp.
        :raises Unreachable: nobody can say what is there.
        """
        frr_before = expect.frr(seen.config, str(self._before.get("frr", "")), fixups=False)
        self.was = frr_before | expect.kernel(seen.config, self._before.get("addresses"))
        began, end = self._link.now(), self._until()
        while True:
            self.now = self._ask("read", include=["frr", *LOOK])
            frr, other = self._wrong()
            if not frr and not other:
                if self._stays_clean():
                    return []
                end = self._until()  # what comes late has as long to pass as what comes at once
                continue
            self._clean = -1.0
            if frr and self._may_restart and self._link.now() - began >= self._follows:
                self._restart()
                end = self._until()
            elif self._link.now() >= end:
                return sorted(frr | other) + self._hint(frr)
            self._link.sleep(0.7)

    def _stays_clean(self) -> bool:
        """Whether this clean look is the second one; waits for that after the first, as long as there is time."""
        now = self._link.now()
        if self._clean >= 0 or not self._hold:
            self.held = round(now - self._clean, 1) if self._hold else 0.0
            return True
        self._clean = now
        self._link.sleep(max(0.0, min(self._hold, self._left() / 2)))
        self._link.renew()  # one that is open would work on where no new one is let in
        return False

    def _until(self) -> float:
        return self._link.now() + min(self._settings.verify_timeout, self._left())

    @property
    def _may_restart(self) -> bool:
        """Whether what the plan announced is as bad as a restart of bgp, once."""
        return not self.restarted and Impact.INTERRUPTED <= self._change.impact <= self._settings.max_impact

    @property
    def _follows(self) -> float:
        rows = sum(name.startswith(ROUTING) for name, _before, _after in self._change.steps)
        return min(FOLLOWS + FOLLOWS_ROW * rows, self._settings.verify_timeout / 2)

    def _restart(self) -> None:
        self._link.say(f"{self._link.name}: FRR did not follow, restarting bgp")
        self._ask("service", token=self._settings.token, fixups=[list(one) for one in self._change.fixups])
        self.restarted = True

    def _hint(self, frr: set[str]) -> list[str]:
        if not frr or self._change.impact >= Impact.INTERRUPTED:
            return []
        label = self._change.impact.label
        return [f"a restart of bgp may help, which is more than the plan says ({label}) and was not done"]

    def _wrong(self) -> tuple[set[str], set[str]]:
        """What FRR does not show, and what the rest of the switch does not; what was wrong before does not count."""
        now, before, change = self.now, self._before, self._change
        config = Seen.of(self._link.name, now).config
        frr = expect.frr(config, str(now["frr"]), fixups=self._settings.frr_fixups) - self.was
        other = changing.differing(now["rows"], change)
        other |= set() if now["initialised"] else {"SONiC has not loaded CONFIG_DB"}
        other |= expect.kernel(config, now["addresses"]) - self.was
        other |= lingering(change, now["addresses"])
        if change.impact < Impact.INTERRUPTED or not frr:
            other |= expect.ended(before["bgp"], now["bgp"], config)
        return frr, other | expect.unheard(before["lldp"], now["lldp"], config)

    def _ask(self, call: str, **request: Any) -> dict[str, Any]:
        """A call after the switch was changed: one that finds no connection is tried again as long as there is time."""
        while True:
            try:
                answer = self._link.ask(call, **request)
            except Unreachable:
                if self._left() <= 0:
                    raise
                self._link.sleep(1.0)
                self._link.renew()
                continue
            code = answer.get("error")
            if code in _PASSING and self._left() > 0:
                self._link.sleep(1.0)
                continue
            if code:
                # The timer is on its way already, or nobody can look: how it ends is waited for.
                kind = Unreachable if code in (*_PASSING, "not_pending") else Answered
                raise kind(str(errors.error(self._link.name, answer)))
            return answer
