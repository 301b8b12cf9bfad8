# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Power and autostart by the shell of an ESXi host (``vim-cmd``), which its licence does not restrict as it does the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...core.errors import LandscapeError
from ..disks.sources.ssh import SshHost, said
from ..model import Autostart, VmwareError
from .plan import Plug
from .run import Hands

#: The fault with which a call that writes is refused; nothing was done then.
REFUSED = "RestrictedVersion"


class Shell:
    """Changes VMs of one host; looks at none."""

    def __init__(self, host: SshHost) -> None:
        self._host = host

    def _do(self, moid: str, doing: str, command: str) -> None:
        said(self._host, ["vim-cmd", command, _number(moid, doing)], doing)

    def shut_down(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._do(moid, f"asking the guest of {name} to shut down", "vmsvc/power.shutdown")

    def power_off(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._do(moid, f"powering off {name}", "vmsvc/power.off")

    def power_on(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._do(moid, f"powering on {name}", "vmsvc/power.on")

    def set_cards(self, _moid: str, name: str, _wanted: Mapping[int, Plug]) -> None:
        """The shell knows no command for what cards are when a VM starts.

        :raises LandscapeError: always.
        """
        raise LandscapeError(
            f"setting network cards of {name}: the licence of its host refuses that, and its shell has no command for it",
            hint="Do it in the host's own client, or leave the cards as they are (nics)",
        )

    def set_autostart(self, moid: str, name: str, wanted: Autostart) -> None:
        """See :class:`.run.Hands`."""
        action = "powerOn" if wanted.enabled else "none"
        delays = str(wanted.start_delay), str(wanted.stop_delay)
        words = [
            _number(moid, f"autostart of {name}"),
            action,
            delays[0],
            str(wanted.order),
            wanted.stop_action,
            delays[1],
            wanted.heartbeat,
        ]
        # Behind -- it does not take -1 for an option.
        command = ["vim-cmd", "hostsvc/autostartmanager/update_autostartentry", "--", *words]
        said(self._host, command, f"setting the autostart of {name}")


def _number(moid: str, doing: str) -> str:
    """The number by which a shell knows a VM: its managed object id, on a host of its own."""
    if not moid.isdigit():
        raise LandscapeError(f"{doing}: {moid} is no VM of a stand-alone host", hint="Ask its vCenter, without ssh")
    return moid


class Either:
    """Asks the API, and the shell for what the licence refuses there."""

    def __init__(self, api: Hands, shell: Shell) -> None:
        self._api, self._shell = api, shell

    def _try(self, method: str, moid: str, name: str, *more: Any, done: str = "") -> None:
        try:
            getattr(self._api, method)(moid, name, *more)
        except VmwareError as error:
            if error.fault != REFUSED:
                raise
            ask: Callable[..., None] = getattr(self._shell, method)
            try:
                ask(moid, name, *more)
            except LandscapeError:
                # Somebody was faster.
                if not done or self.state(moid) != done:
                    raise

    def state(self, moid: str) -> str:
        """See :class:`.run.Hands`; reading is not restricted."""
        return self._api.state(moid)

    def shut_down(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._try("shut_down", moid, name, done="off")

    def power_off(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._try("power_off", moid, name, done="off")

    def power_on(self, moid: str, name: str) -> None:
        """See :class:`.run.Hands`."""
        self._try("power_on", moid, name, done="on")

    def set_cards(self, moid: str, name: str, wanted: Mapping[int, Plug]) -> None:
        """See :class:`.run.Hands`."""
        self._try("set_cards", moid, name, wanted)

    def set_autostart(self, moid: str, name: str, wanted: Autostart) -> None:
        """See :class:`.run.Hands`."""
        self._try("set_autostart", moid, name, wanted)
