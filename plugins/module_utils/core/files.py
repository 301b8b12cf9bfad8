# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Many files as one plan: compare, write atomically, remove what we wrote earlier and no longer want.

Which files are ours is the one thing the file system cannot tell, so a small record beside them (``.scs-landscape``)
says it. The record names the union of old and new files before the first write and exactly the new ones after the
last, so a run that is killed in between leaves nothing that a later run would not find.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from typing import Callable

from .errors import InputError, LandscapeError
from .plan import Plan, Step
from .record import RunRecord, write_atomic
from .redact import redact_text

#: Folder of the run record and the lock, inside the destination.
RECORD_FOLDER = ".scs-landscape"
#: Mode of files that hold secrets.
PRIVATE = 0o600
#: Longest text shown of one file in a diff; enough for people, bounded for logs.
DIFF_LIMIT = 64 * 1024


_MEND = "Mend that and run again; what was written stays"


def digest(content: str) -> str:
    """SHA-256 of a text as UTF-8, hexadecimal."""
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()


def confined(name: str) -> str:
    """A relative file name below the destination, refused when it leads out of it or into the record."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\x00" in name or any(part in ("", ".", "..") for part in parts):
        raise InputError(f"The file name {name!r} leads out of the destination folder")
    if parts[0] == RECORD_FOLDER:
        raise InputError(f"The file name {name!r} belongs to the record of what was written")
    return name


class Folder:
    """A destination folder with the files we wrote into it.

    :param path: the folder; made when the first file is written.
    :param owner: who writes (the module's name); each owner has its own record, so two may share a folder.
    :param private: says of a content whether only the owner of the file may read it.
    :param notes: by file, words that its content does not say and whoever reads it needs; kept in the record.
    """

    def __init__(
        self,
        path: str,
        owner: str,
        private: Callable[[str], bool] = lambda _content: False,
        notes: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self.owner = owner
        self._private = private
        self._notes = dict(notes or {})
        self._record = RunRecord(os.path.join(self.path, RECORD_FOLDER), owner)

    def read(self, name: str) -> str | None:
        """Content of a file, or nothing when it is not there."""
        path = self._inside(name)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
                return stream.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LandscapeError(f"{path} cannot be read: {error.strerror}") from error

    def _inside(self, name: str) -> str:
        """The path of a file, refused when a symbolic link on the way leads out of the destination."""
        path = os.path.join(self.path, confined(name))
        real, home = os.path.realpath(path), os.path.realpath(self.path)
        if os.path.commonpath([real, home]) != home:
            raise InputError(f"{path} leads out of the destination, to {real}", hint="Remove the symbolic link")
        return path

    def owned(self) -> dict[str, str]:
        """Digest of every file that earlier runs wrote here."""
        return self._remembered("files")

    def notes(self) -> dict[str, list[str]]:
        """What earlier runs noted of the files they wrote here."""
        found = self._record.load().get("notes", {})
        if not isinstance(found, dict):
            return {}
        return {str(name): [str(word) for word in words] for name, words in found.items() if isinstance(words, list)}

    def _remembered(self, key: str) -> dict[str, str]:
        files = self._record.load().get(key, {})
        return {str(name): str(value) for name, value in files.items()} if isinstance(files, dict) else {}

    def edited(self, desired: Mapping[str, str]) -> list[str]:
        """Files that would be replaced although they hold what no run of ours wrote: foreign ones, and ours changed by hand."""
        owned, before = self.owned(), self._remembered("before")
        current = {name: self.read(name) for name in sorted(desired)}
        return [
            name
            for name, content in current.items()
            if content not in (None, desired[name]) and digest(content or "") not in (owned.get(name), before.get(name))
        ]

    def plan(self, desired: Mapping[str, str], *, prune: bool = True, adopt: bool = False) -> Plan:
        """Steps that turn the folder into ``desired`` (name to content).

        With ``prune``, files that we wrote and nobody changed since are removed when they are no longer desired; a file
        that was changed by hand stays.

        :param adopt: take over files that are there and that we never wrote.
        :raises InputError: such files are in the way, and ``adopt`` is not set.
        """
        if not adopt:
            self._refuse_foreign(desired)
        steps: list[Step] = []
        for name in sorted(desired):
            current, wanted = self.read(name), desired[name]
            if current is None:
                steps.append(Step("create", name, None, digest(wanted), undo=f"remove {name}", payload=(None, wanted)))
            elif current != wanted:
                undo = f"restore {name} from version control"
                steps.append(
                    Step("update", name, digest(current), digest(wanted), undo=undo, payload=(current, wanted))
                )
            elif self._private(wanted) and self._mode(name) & 0o077:
                was, will = f"mode {self._mode(name):04o}", f"mode {PRIVATE:04o}"
                steps.append(Step("restrict", name, was, will, undo=f"set {was}", payload=(current, wanted)))
        if prune:
            # A run that was killed left files as they were before it, beside those it wrote.
            before = self._remembered("before")
            for name, known in sorted(self.owned().items()):
                current = self.read(name) if name not in desired else None
                if current is not None and digest(current) in (known, before.get(name)):
                    undo = f"restore {name} from version control"
                    steps.append(Step("delete", name, digest(current), None, undo=undo, payload=(current, None)))
        return Plan(tuple(steps))

    def _mode(self, name: str) -> int:
        return os.stat(self._inside(name)).st_mode & 0o777

    def _refuse_foreign(self, desired: Mapping[str, str]) -> None:
        owned = self.owned()
        foreign = [
            name for name in sorted(desired) if name not in owned and self.read(name) not in (None, desired[name])
        ]
        if foreign:
            shown = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
            raise InputError(
                f"{self.path} holds files that {self.owner} did not write: {shown}",
                hint="Choose another folder, or set adopt to replace their content",
                details={"foreign": foreign},
            )

    def apply(
        self, plan: Plan, desired: Mapping[str, str], *, progress: Callable[[Step], None] = lambda _step: None
    ) -> int:
        """Executes a plan made by :meth:`plan`; the number of steps done.

        :raises LockedError: another run writes here.
        :raises LandscapeError: a file cannot be written, or was changed since the plan was made; files before it are
            written, files after it are not.
        """
        # A run that was killed leaves its lock; where another owner has cleared that away, its record still tells.
        finished = not self._remembered("before") and not self._record.is_locked()
        known = (self.owned(), self.notes()) == (self._owned_after(plan, desired), self._notes_after(plan, desired))
        if not plan and finished and known:
            return 0
        try:
            with self._record.locked():
                self._apply(plan, desired, progress)
        except OSError as error:
            reason = error.strerror or str(error)
            raise LandscapeError(f"{error.filename or self.path} cannot be written: {reason}", hint=_MEND) from error
        return len(plan)

    def _apply(self, plan: Plan, desired: Mapping[str, str], progress: Callable[[Step], None]) -> None:
        before, after = self.owned(), self._owned_after(plan, desired)
        notes = self._notes_after(plan, desired)
        more = {"notes": {**self.notes(), **notes}} if notes else {}
        self._record.save({"files": {**before, **after}, "before": {**self._remembered("before"), **before}, **more})
        for step in plan.steps:
            self._execute(step)
            progress(step)
        self._verify(plan)
        for folder in sorted({os.path.dirname(self._inside(name)) for name in before if name not in after}):
            self._drop_empty_folders(folder)
        self._record.save({"files": after, **({"notes": notes} if notes else {})})

    def _verify(self, plan: Plan) -> None:
        for step in plan.steps:
            if step.action == "restrict":
                continue
            content = self.read(step.object)
            if (None if content is None else digest(content)) != step.after:
                path = os.path.join(self.path, step.object)
                raise LandscapeError(
                    f"{path} does not hold what was written", hint="Something else writes here; run again"
                )

    def _owned_after(self, plan: Plan, desired: Mapping[str, str]) -> dict[str, str]:
        """What the record says once the plan is done: the desired files, and old ones that are still there."""
        removed = {step.object for step in plan.steps if step.action == "delete"}
        old = {
            name: known for name, known in self.owned().items() if name not in removed and self.read(name) is not None
        }
        return {**old, **{name: digest(content) for name, content in desired.items()}}

    def _notes_after(self, plan: Plan, desired: Mapping[str, str]) -> dict[str, list[str]]:
        """What is noted once the plan is done: of the desired files anew, of old ones that stay as before."""
        stay = self._owned_after(plan, desired)
        old = {name: words for name, words in self.notes().items() if name in stay and name not in desired}
        return {**old, **{name: words for name, words in self._notes.items() if name in desired}}

    def _execute(self, step: Step) -> None:
        path, content = self._inside(step.object), step.payload[1]
        if step.action == "restrict":
            os.chmod(path, PRIVATE)
            return
        current = self.read(step.object)
        found = None if current is None else digest(current)
        if found == step.after:
            return  # another run was faster
        if found != step.before:
            raise LandscapeError(
                f"{path} was changed since the plan was made", hint="Look what changed it, and run again"
            )
        try:
            if content is None:
                os.unlink(path)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                mode = PRIVATE if self._private(content) else None
                write_atomic(path, content, mode=mode, scratch=self._record.scratch)
        except OSError as error:
            raise LandscapeError(f"{path} cannot be written: {error.strerror or error}", hint=_MEND) from error

    def _drop_empty_folders(self, folder: str) -> None:
        while folder != self.path:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass  # a run that was killed came so far
            except OSError:
                return  # not empty, or not ours to remove
            folder = os.path.dirname(folder)


def diff_of(plan: Plan) -> list[dict[str, str]]:
    """The plan as Ansible shows it with ``--diff``, without secrets; contents longer than :data:`DIFF_LIMIT` are cut."""
    entries = []
    for step in plan.steps:
        before, after = (redact_text(content or "") for content in step.payload)
        if len(before) + len(after) > DIFF_LIMIT:
            lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), step.object, step.object, n=1)
            entries.append({"prepared": "".join(lines)[:DIFF_LIMIT]})
        else:
            entries.append(
                {"before_header": step.object, "after_header": step.object, "before": before, "after": after}
            )
    return entries


def plan_paths(desired: Mapping[str, str]) -> Plan:
    """Steps that write single files (path to content), each on its own and without a record: reports, exports."""
    steps: list[Step] = []
    for name in sorted(desired):
        path = os.path.abspath(os.path.expanduser(name))
        current = Folder(os.path.dirname(path), "").read(os.path.basename(path))
        if current != desired[name]:
            before = None if current is None else digest(current)
            action = "create" if current is None else "update"
            steps.append(
                Step(
                    action, path, before, digest(desired[name]), undo=f"remove {path}", payload=(current, desired[name])
                )
            )
    return Plan(tuple(steps))


def apply_paths(plan: Plan) -> int:
    """Executes a plan made by :func:`plan_paths`; the number of steps done."""
    for step in plan.steps:
        try:
            os.makedirs(os.path.dirname(step.object), exist_ok=True)
            write_atomic(step.object, step.payload[1])
        except OSError as error:
            raise LandscapeError(f"{step.object} cannot be written: {error.strerror or error}") from error
    return len(plan)
