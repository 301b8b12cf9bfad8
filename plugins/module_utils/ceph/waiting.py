# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Waits until a cluster is fit for the next step, and tells how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core import gate
from ..core.errors import InputError
from . import client, health
from .client import Ceph
from .model import CephError


@dataclass
class Gate:
    """One gate on one cluster.

    :param probes: seconds that writing and reading may take, by pool.
    :param once: look once, write nothing: check mode.
    :param probed: what probes gave when they were made last.
    :raises InputError: it would have to hold for longer than we wait.
    """

    ceph: Ceph
    wanted: health.Wanted
    limits: gate.Limits
    probes: Mapping[str, float] = field(default_factory=dict)
    once: bool = False
    view: health.View | None = None
    progress: list[dict[str, Any]] = field(default_factory=list)
    probed: dict[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.limits.stable > self.limits.within:
            raise InputError(
                f"stable_for is {self.limits.stable:g} s, longer than timeout ({self.limits.within:g} s): it can never pass",
                hint="Give a timeout that leaves time to become fit, too",
            )

    def look(self, _left: float) -> gate.Verdict:
        """Read and judge; a cluster that does not answer is a reason to wait, a refused key is none.

        Every command has its own time, however little is left: a slow cluster is judged all the same. Probes write: they are
        made at the first look, and again only when nothing else speaks against going on.
        """
        try:
            self.view = client.look(self.ceph, self.wanted)
        except CephError as error:
            return gate.Verdict((str(error),), final=error.final)
        verdict = health.judge(self.view, self.wanted)
        if self.once or not self.probes or (self.probed and not verdict.passed):
            return verdict
        self.probed = {pool: self.ceph.probe(pool, seconds) for pool, seconds in self.probes.items()}
        self.view = replace(self.view, probes=self.probed)
        return health.judge(self.view, self.wanted)

    def wait(self, **clock: Any) -> gate.Outcome:
        """Look until it passes or time is over; the last look may take its commands' and its probes' time more."""
        limits = gate.Limits(0.0, self.limits.every, 0.0) if self.once else self.limits
        return gate.wait(self.look, limits, progress=self._note, **clock)

    def _note(self, verdict: gate.Verdict, waited: float) -> None:
        """Keep what changed."""
        if not self.progress or self.progress[-1]["reasons"] != list(verdict.reasons):
            self.progress.append({"seconds": round(waited, 1), "reasons": list(verdict.reasons)})

    def values(self, outcome: gate.Outcome) -> dict[str, Any]:
        """What the module returns beside the shape of the house."""
        found: dict[str, Any] = {"gate": outcome.as_dict(), "progress": self.progress}
        if self.view is not None:
            status, quorum = self.view.status, self.view.quorum
            found["pgs"] = dict(status.groups.states)
            found["quorum"] = {"names": list(quorum.names), "age": quorum.age, "monmap_epoch": quorum.monmap_epoch}
            found["probes"] = dict(self.probed)
        return found
