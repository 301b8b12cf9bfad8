# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Packages: what is installed, and one transaction that waits for others, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Callable

from ..core.errors import LandscapeError
from .client import Host, Outcome
from .model import Platform
from .plan import SetPackages

#: Seconds for downloads and installation together.
_PATIENCE = 1200.0
_LOCKED = ("Could not get lock", "Unable to acquire the dpkg frontend lock", "Waiting for process", "is locked by")
_STALE = ("Unable to locate package", "404  Not Found", "has no installation candidate", "Failed to fetch")


def query(host: Host, platform: Platform, names: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Installed packages among the names, and packages that a broken off run left half done."""
    if platform.family == "apt":
        done = host.run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Abbrev}\n", "--", *names])
        rows = [line.split() for line in done.out.splitlines() if len(line.split()) >= 2]
        installed = frozenset(row[0] for row in rows if row[1][1:2] == "i")
        half = tuple(row[0] for row in rows if row[1][1:2] in ("U", "F", "H", "W", "t"))
        # dpkg keeps a journal of what it is doing; entries that are left tell that it was killed.
        return installed, half or tuple(name for name in host.names("/var/lib/dpkg/updates") if name.isdigit())
    done = host.run(["rpm", "--query", "--queryformat", "%{NAME}\n", "--", *names])
    return frozenset(line.strip() for line in done.out.splitlines() if " " not in line.strip()), ()


def commands(platform: Platform, change: SetPackages, wait: int) -> list[list[str]]:
    """Command lines of one transaction; ``wait`` seconds for the lock of another one."""
    lines: list[list[str]] = []
    if platform.family != "apt":
        lock = ["--setopt=exit_on_lock=0", "--assumeyes", "--quiet"]
        lines += [["dnf", *lock, "install", *change.install]] if change.install else []
        return lines + ([["dnf", *lock, "remove", *change.remove]] if change.remove else [])
    apt = ["apt-get", "--quiet=2", "--yes", "--no-install-recommends", f"--option=DPkg::Lock::Timeout={wait}"]
    # A file that was changed by hand stays as it is.
    apt += ["--option=Dpkg::Options::=--force-confdef", "--option=Dpkg::Options::=--force-confold"]
    if change.repair:
        lines += [["dpkg", "--configure", "--pending"], [*apt, "--fix-broken", "install"]]
    if change.install or change.remove:
        lines.append([*apt, "install", "--", *change.install, *(f"{name}-" for name in change.remove)])
    return lines


def apply(
    host: Host,
    platform: Platform,
    change: SetPackages,
    *,
    wait: int = 120,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Installs and removes.

    :param wait: seconds to wait for another program that holds the lock.
    :raises LandscapeError: the lock was not free in time, or the package manager refused; with its reason.
    """
    for line in commands(platform, change, wait):
        done = _patiently(host, line, wait, clock, sleep)
        if done.code and platform.family == "apt" and any(text in done.out + done.err for text in _STALE):
            updated = _patiently(host, ["apt-get", "--quiet=2", "update"], wait, clock, sleep)
            done = _patiently(host, line, wait, clock, sleep) if not updated.code else updated
        if done.code:
            raise _failure(line, done, wait)
    installed, _half = query(host, platform, [*change.install, *change.remove, "dpkg"])
    missing = [name for name in change.install if name not in installed]
    left = [name for name in change.remove if name in installed]
    if missing or left:
        raise LandscapeError(
            f"The package manager said yes, but {', '.join(missing + left)} is not as wanted",
            hint="A virtual package cannot be asked for: name the one that is meant",
        )


def _patiently(
    host: Host, line: list[str], wait: int, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Outcome:
    """Runs a command again while another program holds the lock."""
    deadline = clock() + wait
    while True:
        done = host.run(line, _PATIENCE)
        if not done.code or not _is_locked(done) or clock() >= deadline:
            return done
        sleep(2.0)


def _is_locked(done: Outcome) -> bool:
    return any(text in done.out + done.err for text in _LOCKED)


def _failure(line: list[str], done: Outcome, wait: int) -> LandscapeError:
    if _is_locked(done):
        return LandscapeError(
            f"Another program held the lock of the package manager for {wait} s: {done.reason}",
            hint="Let it finish and run again",
        )
    said = [
        text.strip() for text in (done.err + "\n" + done.out).splitlines() if text.startswith(("E:", "Error", "dpkg:"))
    ]
    return LandscapeError(
        f"{line[0]} failed: {' / '.join(said)[:600] or done.reason}",
        hint="Nothing else was changed; mend that and run again",
    )
