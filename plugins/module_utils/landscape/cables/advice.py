# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""What a technician in front of the rack is told: which plug, where, and what to do with it."""

from __future__ import annotations

from ..derive import View
from .model import MISSING, SWAPPED, UNEXPECTED, WRONG_PORT, End, Result, Seen

Ends = tuple[End, End]


def _printed(view: View, end: End) -> str:
    """A port as it is found: its name, and what is printed on the front where that differs."""
    resolved = view.devices.get(end.device)
    port = resolved.ports.get(end.port) if resolved else None
    return f"{end.port} ({port.alias})" if port and port.alias else end.port or "a port it did not name"


def where(view: View, name: str) -> str:
    """A device and where it hangs: ``leaf-1 (rack r01, unit 40)``."""
    resolved = view.devices.get(name)
    if resolved is None or not resolved.device.rack:
        return name
    unit = f", unit {resolved.device.unit}" if resolved.device.unit else ""
    return f"{name} (rack {resolved.device.rack}{unit})"


def _socket(view: View, end: End) -> str:
    return f"port {_printed(view, end)} of {where(view, end.device)}"


def swapped(view: View, cables: tuple[Ends, Ends], seen: tuple[Seen, Seen]) -> Result:
    """Two cables that were exchanged. The plugs to exchange are the pair that is easier to reach: on one device."""
    first, second = cables
    pairs = [(one, other) for one in first for other in second if frozenset((one, other)) not in {s.ends for s in seen}]
    one, other = next((pair for pair in pairs if pair[0].device == pair[1].device), pairs[0])
    facts = "; ".join(f"{link.near} leads to {link.far}" for link in seen)
    message = f"The cables of {one} and {other} are swapped: {facts}"
    if one.device == other.device:
        todo = f"At {where(view, one.device)} exchange the plugs in ports {_printed(view, one)} and {_printed(view, other)}"
    else:
        todo = f"Exchange the plugs in {_socket(view, one)} and {_socket(view, other)}"
    return Result(
        SWAPPED,
        cables,
        seen,
        message,
        f"{todo}; or, where the cabling is meant so, exchange the two cables in the landscape",
        one.device,
    )


def wrong_port(view: View, ends: Ends, seen: tuple[Seen, ...]) -> Result:
    """A cable with one end where it belongs and the other one elsewhere."""
    link = seen[0]
    here, there = (link.near, link.far) if link.near in ends else (link.far, link.near)
    wanted = ends[1] if ends[0] == here else ends[0]
    message = f"The cable of {here} leads to {there} instead of {wanted}"
    if len(seen) > 1:
        message += "; also " + ", ".join(f"{one.near} leads to {one.far}" for one in seen[1:])
    todo = f"Move the plug from {_socket(view, there)} to {_socket(view, wanted)}"
    if there.device == wanted.device:
        todo = f"At {where(view, there.device)} move the plug from port {_printed(view, there)} to port {_printed(view, wanted)}"
    return Result(WRONG_PORT, (ends,), seen, message, f"{todo}; or correct the cable in the landscape", there.device)


def missing(view: View, ends: Ends) -> Result:
    """A cable that neither end sees, though both answered."""
    near, far = ends
    message = f"Neither end of {near} - {far} sees the other"
    todo = (
        f"Look whether the plugs sit in {_socket(view, near)} and {_socket(view, far)}, whether both ports have link, "
        "and whether the transceivers fit; then try another cable"
    )
    return Result(MISSING, (ends,), (), message, todo, near.device)


def stranger(view: View, ends: Ends, seen: tuple[Seen, ...]) -> Result:
    """Somebody else's device sits where one of our cables should."""
    link = seen[0]
    wanted = ends[1] if ends[0] == link.near else ends[0]
    message = f"{link.near} sees {link.far}, which the landscape does not know, instead of {wanted}"
    todo = f"Follow the cable from {_socket(view, link.near)}; it should end in {_socket(view, wanted)}"
    return Result(UNEXPECTED, (ends,), seen, message, todo, link.near.device)


def unexpected(view: View, link: Seen, cable: Ends | None) -> Result:
    """A link that no cable explains."""
    message = f"{link.near} sees {link.far}, and no cable between them is written"
    if link.stranger:
        message = f"{link.near} sees {link.far}, which the landscape does not know"
    if cable is not None:
        message += f"; the cable {cable[0]} - {cable[1]} ends here too"
    todo = f"Pull the plug from {_socket(view, link.near)}, or write the cable into the landscape"
    return Result(UNEXPECTED, (), (link,), message, todo, link.near.device)
