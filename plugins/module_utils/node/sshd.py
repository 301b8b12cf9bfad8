# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Files of the SSH server: what ours says, how they are read together, and what comes out. Pure."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping
from typing import Any

from ..core.errors import InputError

MAIN = "/etc/ssh/sshd_config"
FOLDER = "/etc/ssh/sshd_config.d"
HEADER = "# Written by scs.landscape.sshd_dropin; changes are lost.\n"

#: The house's safe defaults. Sources: sshd_config(5); Mozilla's and BSI TR-02102-4's advice on logins. Algorithms are
#: left to the distribution, which keeps them up to date.
HARDENING: dict[str, Any] = {
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "PermitEmptyPasswords": "no",
    "PermitRootLogin": "prohibit-password",
    "PubkeyAuthentication": "yes",
    "X11Forwarding": "no",
    "PermitUserEnvironment": "no",
    "MaxAuthTries": 4,
    "LoginGraceTime": 30,
    "ClientAliveInterval": 60,
    "ClientAliveCountMax": 5,
}
#: Keys whose values add up over all files; for all others the first value wins.
ADDITIVE = {"port", "listenaddress", "hostkey", "acceptenv", "allowusers", "allowgroups", "denyusers", "denygroups"}
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_INCLUDE = re.compile(r"\s*Include[\s=]+(.+?)\s*$", re.IGNORECASE)
#: They begin a section, so that what follows in other files would belong to it.
_FORBIDDEN = {"match", "include"}


def check(name: str, settings: Mapping[str, Any]) -> None:
    """Reads the options.

    :raises InputError: with all problems.
    """
    problems = []
    if not _NAME.fullmatch(name) or name.endswith(".conf"):
        problems.append(f"name is {name!r}; letters, digits, dots and dashes are allowed, .conf is added")
    for key, value in settings.items():
        if not _KEY.fullmatch(key) or key.lower() in _FORBIDDEN:
            problems.append(f"settings holds {key!r}; keys of sshd_config(5) but Match and Include are allowed")
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, (dict, list)) or text is None or re.search(r"[\n\r\0#]", str(text)) or str(text) == "":
                problems.append(f"settings.{key} is {text!r}; one word or line is allowed")
            elif key.lower() == "port" and not (str(text).isdigit() and 0 < int(text) < 65536):
                problems.append(f"settings.{key} is {text!r}, no port")
    if problems:
        raise InputError("; ".join(problems), hint="Nothing was changed", details={"problems": problems})


def render(settings: Mapping[str, Any]) -> str:
    """Text of the file."""
    lines = []
    for key, value in settings.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{key} {_word(entry)}\n" for entry in values]
    return HEADER + "".join(lines)


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def ports_of(settings: Mapping[str, Any]) -> list[int]:
    """Ports that the settings ask for; none leaves them as they are."""
    found = [value for key, value in settings.items() if key.lower() == "port"]
    return [int(port) for value in found for port in (value if isinstance(value, list) else [value])]


def with_ports(settings: Mapping[str, Any], ports: list[int]) -> dict[str, Any]:
    """The settings with these ports, old and new ones while the new ones are not proven."""
    return {**{key: value for key, value in settings.items() if key.lower() != "port"}, "Port": ports}


def compose(main: str, others: Mapping[str, str]) -> str:
    """The whole configuration as the server reads it: included files of the folder at the place of their Include.

    :param others: name to content of the files in :data:`FOLDER`; as they shall be.
    """
    lines = []
    for line in main.splitlines():
        match = _INCLUDE.match(line)
        patterns = match[1].split() if match else []
        ours = [word.strip('"') for word in patterns if os.path.dirname(_absolute(word.strip('"'))) == FOLDER]
        if not ours:
            lines.append(line)
            continue
        foreign = [word for word in patterns if word.strip('"') not in ours]
        lines += [f"Include {' '.join(foreign)}"] if foreign else []
        for name in sorted(others):
            if any(fnmatch.fnmatch(f"{FOLDER}/{name}", _absolute(pattern)) for pattern in ours):
                lines += others[name].splitlines()
    return "\n".join(lines) + "\n"


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/etc/ssh/{path}"


def includes(main: str, name: str) -> bool:
    """Whether the main file includes a file of that name in the folder."""
    return "\x01" in compose(main, {name: "\x01"})


def effective(text: str) -> dict[str, list[str]]:
    """What ``sshd -T`` prints: lower-case keys, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _space, value = line.strip().partition(" ")
        if key:
            found.setdefault(key.lower(), []).append(value)
    return found


def unmet(settings: Mapping[str, Any], alone: Mapping[str, list[str]], together: Mapping[str, list[str]]) -> list[str]:
    """Keys that another file decides otherwise, with what comes out.

    :param alone: what the server makes of our file alone: its own way to write the values.
    :param together: what it makes of all files.
    """
    found = []
    for key in settings:
        low = key.lower()
        wanted, real = alone.get(low, []), together.get(low, [])
        met = set(wanted) <= set(real) if low in ADDITIVE else wanted == real
        if not met:
            found.append(f"{key} is {' '.join(real) or 'not set'}")
    return found
