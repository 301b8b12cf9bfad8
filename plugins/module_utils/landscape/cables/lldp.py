# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Reads what LLDP daemons print: lldpd (``lldpctl -f json0`` and ``-f json``), SONiC's LLDP_ENTRY_TABLE, plain lists.

What is read was sent by whatever is plugged in: nothing in it is believed to be there or to be of one kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...core.errors import InputError
from ...core.svg import printable
from ..reasons import reason_of
from .model import Neighbor, Observation

#: Longest name that is taken over from a frame (IEEE 802.1AB allows 255 octets).
MAX_TEXT = 255
#: More neighbours than that on one device are a flood, not cables.
MAX_NEIGHBORS = 4096
_AGE = re.compile(r"(\d+) days?, (\d+):(\d\d):(\d\d)")
_FORMATS = ("lldpctl", "command", "sonic", "neighbors")


def observation_of(name: str, said: Any) -> Observation:
    """What one device said, from the value of ``observed`` for it.

    :param said: a mapping with one of ``lldpctl`` (text or data), ``command`` (what a task returned that ran it), ``sonic``
        (table), ``neighbors`` (list of ``port``, ``peer``, ``peer_port``), or with ``reason`` (a text, or a mapping with
        ``message``) when the device could not be asked. An empty mapping: nobody asked.
    :raises InputError: it is none of these.
    """
    if not isinstance(said, Mapping):
        raise InputError(f"What {name} observed is no mapping but {type(said).__name__}", hint=_HINT)
    if said.get("reason"):
        reason = said["reason"]
        return Observation(
            reason=reason_of(str(reason.get("message", ""))) if isinstance(reason, Mapping) else _text(reason)
        )
    if not said:
        return Observation(reason="it was not asked")
    given = [key for key in _FORMATS if said.get(key) is not None]
    if len(given) != 1:
        found = ", ".join(given) or ", ".join(sorted(map(str, said))) or "nothing"
        raise InputError(f"What {name} observed holds {found}", hint=_HINT)
    if given[0] == "command":
        return _command(name, said["command"])
    data = _decoded(name, said[given[0]])
    if given[0] == "neighbors":
        return Observation(tuple(_plain(entry) for entry in _entries(data) if isinstance(entry, Mapping)))
    return Observation(tuple((_lldpctl if given[0] == "lldpctl" else _sonic)(data))[:MAX_NEIGHBORS])


def _command(name: str, result: Any) -> Observation:
    """What a task said that ran ``lldpctl``: its output, or why there is none."""
    if not isinstance(result, Mapping):
        raise InputError(f"What {name} observed is no result of a task", hint=_HINT)
    if result.get("rc") == 0 and result.get("stdout"):
        return observation_of(name, {"lldpctl": result["stdout"]})
    said = str(result.get("stderr") or result.get("msg") or "")
    if "No such file" in said or "not found" in said:
        return Observation(reason="lldpd is not installed")
    if result.get("skipped") or not said:
        return Observation(reason="it was not asked")
    unreachable = result.get("unreachable") or result.get("rc") is None
    return Observation(reason=reason_of(said) if unreachable else f"lldpd does not answer: {_text(said)[:120]}")


_HINT = "Give one of lldpctl, command, sonic, neighbors or reason for each device"


def _decoded(name: str, said: Any) -> Any:
    if not isinstance(said, (str, bytes)):
        return said
    try:
        return json.loads(said)
    except ValueError as error:
        raise InputError(
            f"What {name} observed is no JSON: {error}", hint="Use lldpctl -f json0; is lldpd running there?"
        ) from error


def _lldpctl(data: Any) -> list[Neighbor]:
    found: list[Neighbor] = []
    top = data.get("lldp") if isinstance(data, Mapping) else None
    for part in _entries(top):
        interfaces = part.get("interface") if isinstance(part, Mapping) else None
        for port, entry in _interfaces(interfaces):
            found.append(_heard(port, entry))
    return found


def _interfaces(data: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and content of every interface; json0 has a list, json a mapping by name or a list of such mappings."""
    found = []
    for entry in _entries(data):
        if not isinstance(entry, Mapping):
            continue
        if "name" in entry and isinstance(entry["name"], str):
            found.append((_text(entry["name"]), entry))
        else:
            found += [(_text(name), one) for name, one in entry.items() if isinstance(one, Mapping)]
    return found


def _heard(port: str, entry: Mapping[str, Any]) -> Neighbor:
    chassis, name = _chassis(entry.get("chassis"))
    heard = _first(entry.get("port"))
    identifier = _first(heard.get("id"))
    ports = [_value(identifier), _value(heard.get("descr"))]
    age = _AGE.search(_text(entry.get("age", "")))
    days, hours, minutes, seconds = map(int, age.groups()) if age else (0, 0, 0, 0)
    return Neighbor(
        port=port,
        peer=name,
        peer_ports=tuple(dict.fromkeys(text for text in ports if text)),
        chassis=_value(chassis.get("id")).lower(),
        addresses=tuple(_value(one) for one in _entries(chassis.get("mgmt-ip"))),
        age=float(days * 86400 + hours * 3600 + minutes * 60 + seconds),
    )


def _chassis(data: Any) -> tuple[Mapping[str, Any], str]:
    """The chassis and its name; json keys it by the name, and leaves the level out when it has none."""
    chassis = _first(data)
    if not chassis or "id" in chassis or "name" in chassis:
        return chassis, _value(chassis.get("name"))
    name, inner = next(iter(chassis.items()))
    return (inner if isinstance(inner, Mapping) else {}), _text(name)


def _sonic(data: Any) -> list[Neighbor]:
    """LLDP_ENTRY_TABLE of APPL_DB, as ``sonic-db-dump`` or ``redis-dump`` give it; keys may carry the table's name."""
    found = []
    for key, entry in data.items() if isinstance(data, Mapping) else ():
        if not isinstance(entry, Mapping):
            continue
        entry = entry.get("value", entry) if isinstance(entry.get("value", entry), Mapping) else entry
        ports = (_text(entry.get("lldp_rem_port_id", "")), _text(entry.get("lldp_rem_port_desc", "")))
        found.append(
            Neighbor(
                port=_text(key).rpartition("LLDP_ENTRY_TABLE:")[2],
                peer=_text(entry.get("lldp_rem_sys_name", "")),
                peer_ports=tuple(dict.fromkeys(text for text in ports if text)),
                chassis=_text(entry.get("lldp_rem_chassis_id", "")).lower(),
                addresses=tuple(filter(None, _text(entry.get("lldp_rem_man_addr", "")).split(","))),
            )
        )
    return found


def _plain(entry: Mapping[str, Any]) -> Neighbor:
    ports = (_text(entry.get("peer_port", "")),)
    return Neighbor(_text(entry.get("port", "")), _text(entry.get("peer", "")), tuple(filter(None, ports)))


def _entries(data: Any) -> list[Any]:
    """A list as it is, one thing as a list, nothing as an empty list."""
    if isinstance(data, list):
        return data
    return [] if data is None else [data]


def _first(data: Any) -> Mapping[str, Any]:
    return next((entry for entry in _entries(data) if isinstance(entry, Mapping)), {})


def _value(data: Any) -> str:
    """``[{"value": "x"}]``, ``{"value": "x"}`` and ``"x"`` are the same."""
    entry = next(iter(_entries(data)), "")
    if isinstance(entry, Mapping):
        entry = entry.get("value", "")
    return _text(entry)


def _text(value: Any) -> str:
    """A text from a frame on one line; anything that is no text counts as absent."""
    return printable(str(value)).strip()[:MAX_TEXT] if isinstance(value, (str, int, float)) else ""
