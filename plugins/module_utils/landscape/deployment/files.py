# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Where the reports of runs are kept: one folder a run, a link to the newest, old ones removed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from ...core.errors import InputError, LandscapeError
from ...core.record import write_atomic
from ...core.report import Report, to_json, to_junit, to_markdown
from ...core.report_html import to_html

LATEST = "latest"
#: Name of a run, and so of its folder: nothing else below the destination is ever removed.
_RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[A-Za-z0-9_]{1,40}-[0-9a-f]{4}")
_FORMS = {"json": to_json, "md": to_markdown, "xml": to_junit, "html": to_html}


def stages(clock: Mapping[str, Any], now: float) -> list[tuple[str, float]]:
    """Name and seconds of every stage; each lasts until the next one begins, the last one until now."""
    begun = sorted(((float(start), name) for name, start in clock.items()), key=lambda pair: pair[0])
    ends = [start for start, _name in begun[1:]] + [now]
    return [(name, max(0.0, end - start)) for (start, name), end in zip(begun, ends)]


def write(dest: str, run: str, report: Report, *, summary: Iterable[str] = (), keep: int = 20) -> dict[str, str]:
    """Writes all forms of a report; the path of each.

    :param summary: lines for a terminal, kept beside the report.
    :param keep: that many runs stay, this one among them.
    :raises InputError: the name of the run is none.
    :raises LandscapeError: a file cannot be written.
    """
    if not _RUN.fullmatch(run):
        raise InputError(f"{run[:80]!r} is no name of a run", hint="Pass what landscape_run returned")
    top = os.path.abspath(os.path.expanduser(dest))
    folder = os.path.join(top, run)
    try:
        os.makedirs(folder, exist_ok=True)
        paths = {form: os.path.join(folder, f"report.{form}") for form in _FORMS}
        for form, make in _FORMS.items():
            write_atomic(paths[form], make(report))
        if summary:
            paths["txt"] = os.path.join(folder, "report.txt")
            write_atomic(paths["txt"], "\n".join(summary) + "\n")
        _link(top, run)
    except OSError as error:
        raise LandscapeError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    _forget(top, keep)
    return paths


def _link(top: str, run: str) -> None:
    """Lets ``latest`` lead to the run; what is no link stays."""
    link, scratch = os.path.join(top, LATEST), os.path.join(top, f".{LATEST}.{os.getpid()}")
    if os.path.lexists(link) and not os.path.islink(link):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch)
    os.symlink(run, scratch)
    os.replace(scratch, link)


def _forget(top: str, keep: int) -> None:
    names = sorted(name for name in os.listdir(top) if _RUN.fullmatch(name))
    for name in names[: max(0, len(names) - max(keep, 1))]:
        path = os.path.join(top, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
