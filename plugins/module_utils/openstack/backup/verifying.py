# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Proves backups: each is restored into a scratch volume, read, compared with its digests; then the volume goes.

The verdict is written into the metadata of the backup. What could not be tried at all is no verdict, and nothing is written.
"""

from __future__ import annotations

import datetime
import heapq
from collections.abc import Sequence

from ...core import pool
from ...core.errors import LandscapeError
from ...core.stream import Meter, say
from . import attached, blocks, manifest, model, verify, volumes
from .cinder import Cinder
from .manifest import BlockMap
from .model import Backup, Volume
from .readers import Reader
from .restoring import compared, list_of
from .verify import Choice, Omitted, Verdict
from .volumes import PREFIX, Patience, RestoreError, Volumes

#: A backup that the backup service could not restore is tried once more; services restart.
_TRIES = 2
#: Seconds between them.
_REST = 30.0
_KEYS = {
    verify.PROVEN: model.PROVEN,
    verify.REFUTED: model.REFUTED,
    verify.UNRESTORABLE: model.UNRESTORABLE,
}
#: Seconds that a scratch volume may live beyond all waiting.
_SLACK = 3600.0

#: What a volume is that an attachment holds.
_ATTACHED = ("in-use", "reserved", "attaching", "detaching")


class Verifier:
    """Proves many backups.

    :param digests: folder with the lists of digests.
    :param kind: name of the type of scratch volumes; empty for that of the source.
    :ivar orphans: scratch volumes of runs that are gone, after :meth:`plan`.
    :ivar problems: scratch volumes that could not be removed.
    """

    def __init__(
        self,
        cinder: Cinder,
        patience: Patience,
        reader: Reader,
        digests: str,
        parallel: int,
        kind: str = "",
        zone: str = "",
    ) -> None:
        self.cinder, self.patience, self.parallel = cinder, patience, parallel
        self._reader, self._digests, self._kind, self._zone = reader, digests, kind, zone
        self._volumes = Volumes(cinder, patience)
        self._kinds: dict[str, str] = {}
        self._mark = volumes.scratch_mark(patience.within * 2 * _TRIES + _SLACK, patience.now())
        self.orphans: list[Volume] = []
        self.omitted: list[Omitted] = []
        self.problems: list[str] = []
        self.meter = Meter()

    def plan(self, choice: Choice) -> list[Backup]:
        """What is proven now; nothing is changed.

        :raises InputError: something named cannot be proven, a type is not known, or the quota is too small.
        """
        backups, there = self.cinder.backups(), {one.id: one for one in self.cinder.volumes()}
        self.orphans = volumes.orphans(there.values(), self.patience.now())
        chosen, self.omitted = verify.choose(backups, choice, self._today())
        for one in chosen:
            self._kinds[one.id] = volumes.kind_of(one, there.get(one.volume), self._kind, model.TYPE)
        self._check_room(chosen)
        return chosen

    def _today(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.patience.now(), datetime.timezone.utc)

    def _check_room(self, chosen: Sequence[Backup]) -> None:
        """As many scratch volumes as there may be at once must fit, beside all that stays."""
        largest = heapq.nlargest(self.parallel, (one.size for one in chosen))
        if not largest:
            return
        limits = dict(self.cinder.limits())
        limits["totalVolumesUsed"] = limits.get("totalVolumesUsed", 0) - len(self.orphans)
        limits["totalGigabytesUsed"] = limits.get("totalGigabytesUsed", 0) - sum(one.size for one in self.orphans)
        volumes.check_room(limits, len(largest), sum(largest), "The project has no room for scratch volumes")

    def apply(self, chosen: Sequence[Backup]) -> list[Verdict]:
        """Removes what killed runs left, then proves so many at once. ``problems`` has what else went wrong."""
        self._clear(self.orphans)
        outcomes = pool.each(chosen, self._prove, self.parallel, tick=self._tick, every=30.0, stop=self.patience.stop)
        verdicts = [
            Verdict(one.item, verify.FAILED, f"backup {one.item} was not proven: {one.error}")
            if one.error
            else one.value
            for one in outcomes
        ]
        self._doubt(verdicts)
        # A volume whose answer was lost, and which appeared after all: nobody waits for it.
        late = [one for one in self._volumes.described(self._mark) if one.status != "deleting"]
        self._clear(late)
        return verdicts

    def _doubt(self, verdicts: Sequence[Verdict]) -> None:
        """Writes down which backups cannot be restored, unless none could: then the store or the service is to blame."""
        none = [one for one in verdicts if one.ending == verify.UNRESTORABLE]
        restored = any(one.ending in (verify.PROVEN, verify.REFUTED) for one in verdicts)
        for one in none:
            if len(none) > 1 and not restored:
                one.ending, one.date = verify.FAILED, ""
                one.reason = f"{one.reason}; no other one could be restored either, so nothing is said about this one"
            else:
                self._write(one)

    def _clear(self, scratch: Sequence[Volume]) -> None:
        pool.each(scratch, self._free, self.parallel, tick=self._tick, every=30.0)

    def _free(self, scratch: Volume) -> None:
        """Removes a scratch volume; one that a killed run read by an attachment is still attached."""
        if scratch.status in _ATTACHED:
            try:
                attached.service_of(self.cinder.cloud, self.patience).let_go(scratch.id)
            except LandscapeError as error:
                self.problems.append(str(error))
        self._drop(scratch.id)

    def _tick(self) -> None:
        say(f"proofs are under way; {self.meter} compared")

    def _prove(self, backup: Backup) -> Verdict:
        """One backup. A verdict is written down; what could not be tried is told."""
        began = self.patience.clock()
        try:
            wanted = list_of(backup, self._digests)
        except manifest.ManifestError as error:
            return Verdict(backup, verify.FAILED, str(error))
        verdict = self._tried(backup, wanted)
        verdict.seconds = self.patience.clock() - began
        if verdict.ending != verify.FAILED:
            verdict.date = self._today().strftime("%Y-%m-%dT%H:%M:%SZ")
            if verdict.ending != verify.UNRESTORABLE:  # that is told when the others are known
                self._write(verdict)
        return verdict

    def _tried(self, backup: Backup, wanted: BlockMap) -> Verdict:
        left = _TRIES
        while True:
            try:
                return self._once(backup, wanted)
            except RestoreError as error:
                left -= 1
                if error.kind != "restoring":
                    return Verdict(backup, verify.FAILED, str(error))
                if not left:
                    return Verdict(backup, verify.UNRESTORABLE, f"{error} ({_TRIES} times)")
                say(f"{error}; once more in {_REST:.0f} s")
                self.patience.sleep(_REST)
                if self.patience.stop.is_set():
                    return Verdict(backup, verify.FAILED, f"backup {backup} was not proven: the run was interrupted")

    def _once(self, backup: Backup, wanted: BlockMap) -> Verdict:
        """Restore, read, compare; whatever happens, the scratch volume is removed."""
        self._volumes.idle(backup.id)
        scratch = ""
        try:
            scratch = self._volumes.make(
                backup,
                PREFIX + backup.id,
                self._mark,
                size=backup.size,
                metadata={},
                kind=self._kinds[backup.id],
                zone=self._zone,
            )
            volume = self._volumes.filled(scratch, backup)
            return self._judged(backup, wanted, volume)
        finally:
            self._drop(scratch)

    def _drop(self, scratch: str) -> None:
        """Removes a scratch volume; a verdict is not lost when that fails."""
        try:
            if scratch:
                self._volumes.remove(scratch)
        except LandscapeError as error:
            self.problems.append(str(error))

    def _judged(self, backup: Backup, wanted: BlockMap, volume: Volume) -> Verdict:
        if (volume.size, volume.encrypted or not backup.encrypted) != (backup.size, True):
            return Verdict(backup, verify.FAILED, f"backup {backup}: Cinder made another volume than was asked for")
        try:
            found = compared(self._reader, wanted, volume, self.patience, self.meter)
        except blocks.LengthError as error:
            return Verdict(backup, verify.REFUTED, f"backup {backup} is refuted: {error}")
        except LandscapeError as error:
            return Verdict(backup, verify.FAILED, f"backup {backup} was not proven: {error}")
        verdict = Verdict(backup, verify.PROVEN, blocks=found.head.count, bytes=found.read)
        if not found.same:
            verdict.ending, verdict.reason = verify.REFUTED, f"backup {backup} is refuted: {found}"
            verdict.wrong, verdict.differing = found.differing, found.places()
        return verdict

    def _write(self, verdict: Verdict) -> None:
        """The verdict into the backup's metadata, beside what others wrote there meanwhile."""
        fresh = self.cinder.backup(verdict.backup.id)
        if fresh is None:
            verdict.ending, verdict.reason = verify.FAILED, f"backup {verdict.backup} was removed while it was proven"
            return
        self.cinder.mark(fresh, {_KEYS[verdict.ending]: verdict.date})
