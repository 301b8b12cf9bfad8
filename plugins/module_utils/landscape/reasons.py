# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What Ansible, SSH and sudo say when something is wrong, as one sentence that says what to do."""

from __future__ import annotations

import re

from ..core.svg import printable

#: Longest message that is passed on as it is.
LONGEST = 300
#: First match wins: a message often holds the words of several.
_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"banner exchange|expected time frame|Timed out after \d+ second|Timeout \(\d+s\) waiting for privilege|did not (?:execute|complete) in",
        "takes connections, but its SSH server does not answer: it hangs; look at its console",
    ),
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* (?:not|does not match)",
        "shows another SSH host key than the known one: reinstalled, or somebody stands between; compare it at the console",
    ),
    (
        r"Could not resolve hostname|Name or service not known",
        "has an address that cannot be resolved; see ansible_host",
    ),
    (r"No route to host|Network is unreachable", "cannot be reached: there is no way to its address; is it on?"),
    (r"Connection refused", "is on, but no SSH server listens at its address and port"),
    (r"timed out|UNREACHABLE!.*timeout", "does not answer: it is off, or a firewall drops SSH"),
    (
        r"(?:Missing|Incorrect) (?:sudo|become) password|not in the sudoers|may not run sudo|sudo: .*not allowed|password is required",
        "lets us in, but sudo gives the login user no rights; mend its sudoers file at the console",
    ),
    (r"Permission denied \(|Too many authentication failures", "refuses the login: its authorised keys lack ours"),
    (
        r"kex_exchange_identification|Connection (?:reset|closed) by|Broken pipe|Shared connection to .* closed",
        "closes the connection: its SSH server refuses us or was just restarted",
    ),
    (r"No space left on device|ENOSPC|[Dd]isk (?:is )?full", "has a full disk; make room and run again"),
    (
        r"Read-only file system|EROFS",
        "has a file system that is mounted read-only; look for disk errors in its kernel log, then remount it",
    ),
    (
        r"python\S*: (?:command )?not found|No such file or directory.*python|interpreter.*(?:not found|No such file)",
        "has no Python where ansible_python_interpreter looks for it",
    ),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), sentence) for pattern, sentence in _KNOWN)
_NOISE = re.compile(r"^(?:Failed to connect to the host via ssh:|Warning: Permanently added).*?(?::\s|$)", re.MULTILINE)


def reason_of(message: str) -> str:
    """One sentence without the host's name in front: ``does not answer: it is off, or a firewall drops SSH``.

    A message that is not known is passed on, on one line and cut to :data:`LONGEST` characters.
    """
    for pattern, sentence in _PATTERNS:
        found = pattern.search(message)
        if found:
            path = re.search(r"Read-only file system: ?b?'([^']+)'|No space left on device: ?b?'([^']+)'", message)
            where = next((name for name in path.groups() if name), "") if path else ""
            return f"{sentence} (at {printable(where)[:80]})" if where else sentence
    text = printable(" ".join(_NOISE.sub("", message).split())) or "failed without a message"
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
