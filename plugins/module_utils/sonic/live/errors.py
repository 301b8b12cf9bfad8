# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What went wrong on a switch, as sentences with the next thing to do. Nothing secret is in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...core.errors import LandscapeError, LockedError
from .. import masking
from . import expect

_CONSOLE = "Log in by the console and look at `journalctl -t scs-landscape`"
AGAIN = "Run again when the switch answers: what waits there is ended first"
_TEXTS: Mapping[str, tuple[str, str]] = {
    "database_gone": (
        "its database does not answer ({why})",
        "Look at `systemctl status database` on the switch, then run again",
    ),
    "database_refused": (
        "its database refuses a write ({why})",
        "Look at the memory of the switch and the log of the database",
    ),
    "row_changed": (
        "the row {row} is not as it was planned on: somebody else writes",
        "Run again: the plan is made anew",
    ),
    "moved": (
        "its configuration changed between planning and writing, nothing was written",
        "Run again: the plan is made anew",
    ),
    "locked": ("{owner} holds it for another {seconds} s at most", "Wait for that run, or raise lock_wait"),
    "pending": (
        "a change of {owner} waits there ({phase}, {seconds} s left)",
        "Wait until it is confirmed or has come back; sonic_checkpoint with state confirmed or rolled_back decides at once",
    ),
    "busy": (
        "another run works there (process {pid})",
        "Run again when it is done; a change that waits comes back by itself",
    ),
    "unwritable": (
        "{path} cannot be written ({why})",
        "Make room or mend the file system on the switch, then run again",
    ),
    "unreadable": (
        "{path} cannot be read ({why})",
        "Look at it on the switch; remove it if it is a record of a change that is over",
    ),
    "not_saved": ("`config save` did not do it ({why})", "Make room for {path}, then run again"),
    "not_pending": ("the change does not wait for a confirmation any more: it came back in time", "Run again"),
    "no_checkpoint": ("there is no checkpoint {name}", "sonic_facts lists those that are there"),
    "no_timer": (
        "no timer can be started there that would bring it back ({why})",
        "Nothing was changed. If a rollback runs just now, wait for it; else look at systemd-run on the switch",
    ),
    "too_slow": ("writing took longer than the time to confirm", "Raise confirm_within, or make the change in parts"),
    "frr_refused": (
        "FRR refuses a line ({why})",
        "Look at `show running-config` on the switch and mend the row it comes from",
    ),
    "service_down": ("{service} does not come up again ({why})", _CONSOLE),
    "program_failed": (
        "{program} refuses the change ({why})",
        "Use strategy ordered; the log of the switch says more of what its program saw",
    ),
    "bad_name": ("a checkpoint cannot be called so", "Use letters, digits, dots, dashes, at most 80"),
    "other_version": ("it was asked in another version of the language", "Run one version of the collection at a time"),
    "many_asics": (
        "it has {count} ASICs, each with a database of its own",
        "Configure it by SONiC's own tools: switches with one ASIC are supported",
    ),
    "not_root": ("it was asked without the rights of root", "Set become: true"),
}

#: What this project's own side says of a program.
_PLAIN = re.compile(
    r"exit status -?\d+|\S+ did not end within \d+ s|\S+: (?:No such file or directory|Permission denied)"
)


def error(switch: str, answer: Mapping[str, Any]) -> LandscapeError:
    """The error that an answer tells."""
    code, data = str(answer.get("error")), dict(answer.get("data") or {})
    if "row" in data:
        table, _bar, key = str(data["row"]).partition("|")
        data["row"] = f"{table}|{masking.key(table, key)}"
        data["why"] = str(data.get("why", ""))[:120]
    if code == "program_failed" and not _PLAIN.fullmatch(str(data.get("why", ""))):
        # SONiC's programs quote what they were given, rows and patches with all their secrets.
        data["why"] = "its own words may quote secrets"
    elif "why" in data:
        data["why"] = expect.line(str(data["why"]))
    kind = LockedError if code in ("locked", "pending", "busy") else LandscapeError
    text, hint = _TEXTS.get(code, (f"it answers {code}", _CONSOLE))
    known = _Known(data)
    return kind(f"{switch}: {text.format_map(known)}", hint=hint.format_map(known))


def brought_back(answer: Mapping[str, Any], within: float) -> str:
    """How a change ended that was to be undone, as one sentence.

    :param answer: of the switch, ``rolled_back`` and what is left to do in ``problems``.
    :param within: seconds until its timer tries it at the latest.
    """
    if not answer.get("rolled_back"):
        return f"It could not be brought back at once; its timer does that within {max(0.0, within):.0f} s. {AGAIN}"
    left = [str(one) for one in answer.get("problems") or ()]
    return "The switch was brought back to what it was" + (f", but {'; '.join(left)}" if left else "")


class _Known(dict[str, Any]):
    """Data of an answer of which a part may be missing."""

    def __missing__(self, key: str) -> str:
        return "?"
