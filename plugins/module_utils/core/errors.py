# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The one error family of the collection.

Everything that can go wrong for a reason the operator can act on is raised as a
:class:`LandscapeError`. Only ``adapter.py`` turns it into ``fail_json``; nobody else catches broadly.
"""

from __future__ import annotations

from typing import Any


class LandscapeError(Exception):
    """Something the operator can act on.

    :param message: object, action and reason in one sentence.
    :param hint: the next thing to do, or ``None`` where the message already says it.
    :param details: JSON-able data returned beside the message (never secrets).
    """

    def __init__(self, message: str, *, hint: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class InputError(LandscapeError):
    """The input was refused before anything was touched."""


class MissingDependencyError(LandscapeError):
    """A Python package is missing where the code runs.

    :param package: name on the Python package index.
    :param needed_for: what needs it, for the message.
    """

    def __init__(self, package: str, needed_for: str) -> None:
        super().__init__(
            f"The Python package {package} is needed for {needed_for} and is not installed for this interpreter",
            hint=f"Install {package} where this task runs, or delegate the task to a host that has it",
        )
        self.package = package


class LockedError(LandscapeError):
    """Another run holds the lock on the thing to be changed."""
