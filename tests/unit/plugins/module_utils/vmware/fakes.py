# SPDX-License-Identifier: Apache-2.0
"""An endpoint in memory: trees that can be read, and hands that change them as an ESXi would."""

from __future__ import annotations

from typing import Any

from ansible_collections.scs.landscape.plugins.module_utils.vmware.model import Autostart, Endpoint, VmwareError

_POWER = {"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}


class FakeSession:
    """What is needed of a session, on trees in memory.

    :ivar asked: what was read, as (kind, number of objects, number of properties).
    """

    def __init__(self, trees: list[dict[str, Any]], endpoint: Endpoint | None = None) -> None:
        self.trees = trees
        self.endpoint = endpoint or Endpoint("esxi1", "esxi", "8.0.3")
        self.asked: list[tuple[str, int, int]] = []
        self.calls: list[str] = []
        self.closed = False

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, *_error: object) -> None:
        self.closed = True

    def licence(self) -> None:
        """Nothing to find out."""

    def properties(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Trees of some kinds, with the properties that were asked for."""
        self.asked += [(kind, -1, len(names)) for kind, names in wanted.items() if kind == "VirtualMachine"]
        return [self._cut(tree, wanted[tree["kind"]]) for tree in self.trees if tree["kind"] in wanted]

    def properties_of(self, kind: str, moids: Any, names: Any) -> list[dict[str, Any]]:
        """Trees of some objects."""
        wanted = list(moids)
        self.asked.append((kind, len(wanted), len(names)))
        return [self._cut(self.tree(moid), names) for moid in wanted]

    def tree(self, moid: str) -> dict[str, Any]:
        """The tree of a VM itself."""
        return next(tree for tree in self.trees if tree["moid"] == moid)

    @staticmethod
    def _cut(tree: dict[str, Any], names: Any) -> dict[str, Any]:
        return {key: value for key, value in tree.items() if key in ("kind", "moid", *names)}


class FakeHands:
    """Changes the trees of a session.

    :ivar deaf: ids of VMs whose guests do not listen.
    :ivar faults: faults by the name of the method; raised once each.
    """

    def __init__(self, session: FakeSession) -> None:
        self.session = session
        self.done: list[tuple[str, str]] = []
        self.deaf: set[str] = set()
        self.faults: dict[str, str] = {}

    def _begin(self, method: str, moid: str) -> dict[str, Any]:
        self.done.append((method, moid))
        if method in self.faults:
            raise VmwareError(f"refused {method}", fault=self.faults.pop(method))
        return self.session.tree(moid)

    def state(self, moid: str) -> str:
        """The power state."""
        found = self.session.tree(moid)["runtime.powerState"]
        return next(name for name, value in _POWER.items() if value == found)

    def shut_down(self, moid: str, name: str) -> None:
        """The guest listens, unless it is deaf."""
        tree = self._begin("shut_down", moid)
        if moid not in self.deaf:
            self._off(tree)

    def power_off(self, moid: str, name: str) -> None:
        """Off."""
        self._off(self._begin("power_off", moid))

    def _off(self, tree: dict[str, Any]) -> None:
        tree["runtime.powerState"] = "poweredOff"
        for plug in self._plugs(tree):
            plug["connected"] = False

    def power_on(self, moid: str, name: str) -> None:
        """On, with the cards that are connected at the start."""
        tree = self._begin("power_on", moid)
        tree["runtime.powerState"] = "poweredOn"
        for plug in self._plugs(tree):
            plug["connected"] = plug["startConnected"]

    def set_cards(self, moid: str, name: str, wanted: dict[int, Any]) -> None:
        """Cards."""
        tree = self._begin("set_cards", moid)
        for device in tree["config.hardware"]["device"]:
            if device["key"] in wanted:
                plug = wanted[device["key"]]
                device["connectable"]["startConnected"] = plug in (True, "start")
                device["connectable"]["connected"] = plug in (True, "now") and self.state(moid) == "on"

    def set_autostart(self, moid: str, name: str, wanted: Autostart) -> None:
        """Autostart; as some hosts do, entries of VMs that are not started are forgotten."""
        self._begin("set_autostart", moid)
        host = next(tree for tree in self.session.trees if tree["kind"] == "HostAutoStartManager")
        infos = [one for one in host["config.powerInfo"] if one["key"] != moid]
        info = {"key": moid, "startOrder": wanted.order, "startAction": "powerOn", "startDelay": wanted.start_delay}
        info.update(waitForHeartbeat=wanted.heartbeat, stopDelay=wanted.stop_delay, stopAction=wanted.stop_action)
        infos += [info] if wanted.enabled else []
        host["config.powerInfo"] = infos

    @staticmethod
    def _plugs(tree: dict[str, Any]) -> list[dict[str, Any]]:
        return [one["connectable"] for one in tree["config.hardware"]["device"] if "connectable" in one]


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
