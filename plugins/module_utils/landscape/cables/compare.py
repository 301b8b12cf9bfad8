# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Compares the cables as written with the links that were seen. Pure: the same input gives the same results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..derive import View
from ..model import Cable
from ..names import natural, split_endpoint
from . import advice
from .links import Directory, links_of
from .model import (
    MATCHED,
    UNKNOWN,
    Comparison,
    End,
    Observation,
    Result,
    Seen,
)

#: Ports behind which no LLDP agent is expected: management controllers and serial consoles.
SILENT_USES = ("bmc", "console")
Ends = tuple[End, End]


@dataclass
class _Board:
    """What is left to explain while the comparison goes from the certain to the likely."""

    view: View
    observations: Mapping[str, Observation]
    open: dict[frozenset[End], Ends] = field(default_factory=dict)
    links: list[Seen] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    def answered(self, device: str) -> bool:
        said = self.observations.get(device)
        return said is not None and not said.reason

    def close(self, result: Result) -> None:
        for near, far in result.cables:
            self.open.pop(frozenset((near, far)), None)
        self.links = [link for link in self.links if link not in result.seen]
        self.results.append(result)


def compare(view: View, observations: Mapping[str, Observation], ignore_ports: tuple[str, ...] = ()) -> Comparison:
    """What is true of every cable that LLDP can see, and of every link that was seen.

    :param observations: by device; devices that are not in it were not asked.
    """
    directory = Directory(view)
    known = {name: said for name, said in observations.items() if name in view.devices}
    expected, others = _cables(view, directory)
    board = _Board(view, known, dict(expected), links_of(directory, known, ignore_ports))
    _match(board)
    # A cable that is not in use, or whose far end need not speak, may be seen all the same.
    board.links = [link for link in board.links if not _explained(link, others, expected)]
    _swaps(board)
    _wrong_ports(board)
    _absent(board)
    _unexpected(board, expected)
    not_asked = {
        name: known[name].reason if name in known else "it was not asked"
        for name in sorted({end.device for ends in expected.values() for end in ends}, key=natural)
        if not board.answered(name)
    }
    return Comparison(tuple(sorted(board.results, key=_order)), not_asked, len(others))


def _order(result: Result) -> tuple[object, ...]:
    ends = result.cables[0] if result.cables else (result.seen[0].near, result.seen[0].far)
    return tuple(natural(text) for end in ends for text in end)


def _cables(view: View, directory: Directory) -> tuple[dict[frozenset[End], Ends], dict[frozenset[End], Ends]]:
    """Cables that both ends should report, and all others."""
    expected: dict[frozenset[End], Ends] = {}
    others: dict[frozenset[End], Ends] = {}
    for cable in view.landscape.cables:
        near, far = ends_of(cable, directory)
        ends = (near, far) if natural(near.device) <= natural(far.device) else (far, near)
        target = expected if cable.state == "active" and all(_speaks(view, end) for end in ends) else others
        target[frozenset(ends)] = ends
    return expected, others


def ends_of(cable: Cable, directory: Directory) -> Ends:
    """The ends of a cable with the model's names of the ports, however they are written."""
    ends = [split_endpoint(text) for text in (cable.a, cable.b)]
    near, far = (End(device, directory.port(device, port) or port) for device, port in ends)
    return near, far


def _speaks(view: View, end: End) -> bool:
    resolved = view.devices.get(end.device)
    if resolved is None or resolved.device.state != "active":
        return False
    port = resolved.ports.get(end.port)
    return port is None or port.use not in SILENT_USES


def _match(board: _Board) -> None:
    """Cables that are where they belong. A link whose far port nobody could name matches by its device."""
    for link in list(board.links):
        ends = board.open.get(link.ends) or _by_device(board, link)
        if ends is not None:
            board.close(Result(MATCHED, (ends,), (link,)))


def _by_device(board: _Board, link: Seen) -> Ends | None:
    if link.stranger or link.far.port:
        return None
    for ends in board.open.values():
        if link.near in ends and link.far.device == _other(ends, link.near).device:
            return ends
    return None


def _other(ends: Ends, end: End) -> End:
    return ends[1] if ends[0] == end else ends[0]


def _explained(link: Seen, others: Mapping[frozenset[End], Ends], expected: Mapping[frozenset[End], Ends]) -> bool:
    """Whether a link belongs to a cable that LLDP is not asked about: the same ends, or a port that leads to others."""
    if link.ends in others:
        return True
    taken = {end for ends in expected.values() for end in ends}
    foreign = {end for ends in others.values() for end in ends}
    return link.near in foreign and link.near not in taken and (link.stranger or link.far in foreign)


def _swaps(board: _Board) -> None:
    """Two cables, each of which ends where the other one should: one finding for both."""
    by_end = {end: ends for ends in board.open.values() for end in ends}
    for link in list(board.links):
        first, second = by_end.get(link.near), by_end.get(link.far)
        if link not in board.links or first is None or second is None or first == second:
            continue
        rest = frozenset((_other(first, link.near), _other(second, link.far)))
        partner = next((one for one in board.links if one.ends == rest), None)
        if partner is not None and first in board.open.values() and second in board.open.values():
            board.close(advice.swapped(board.view, (first, second), (link, partner)))


def _wrong_ports(board: _Board) -> None:
    """Links that share one end with a cable: that cable's other end is plugged in elsewhere.

    Each link explains one cable and each cable is explained by one link, as many of them as possible.
    """
    links = [link for link in board.links if not link.stranger]
    candidates = [_candidates(board, link) for link in links]
    chosen: dict[Ends, int] = {}
    for number in range(len(links)):
        _assign(number, candidates, chosen, set())
    for ends in chosen:
        board.open.pop(frozenset(ends), None)
    explained = {links[number] for number in chosen.values()}
    for ends, number in sorted(chosen.items(), key=lambda item: item[1]):
        more = [link for link in board.links if link not in explained and _concerns(link, ends, board)]
        board.close(advice.wrong_port(board.view, ends, (links[number], *more)))


def _candidates(board: _Board, link: Seen) -> list[Ends]:
    """The cables a link may be, those first whose both devices are right."""
    found = [
        (_other(ends, here).device != there.device, ends)
        for here, there in ((link.near, link.far), (link.far, link.near))
        for ends in board.open.values()
        if here in ends
    ]
    return [ends for _elsewhere, ends in sorted(found, key=lambda pair: pair[0])]


def _assign(number: int, candidates: list[list[Ends]], chosen: dict[Ends, int], tried: set[Ends]) -> bool:
    """Finds a cable for a link; one that is taken is left to it where its link finds another (Kuhn, 1955)."""
    for ends in candidates[number]:
        if ends not in tried:
            tried.add(ends)
            if ends not in chosen or _assign(chosen[ends], candidates, chosen, tried):
                chosen[ends] = number
                return True
    return False


def _concerns(link: Seen, ends: Ends, board: _Board) -> bool:
    """Whether a link that explains nothing is about this cable's ends, and about no cable that is still open."""
    others = {end for one in board.open.values() for end in one}
    return not link.stranger and bool(link.ends & set(ends)) and not link.ends & others


def _absent(board: _Board) -> None:
    """Cables that nobody saw: missing when both ends answered, else unknown - or a stranger sits on the port."""
    for ends in list(board.open.values()):
        strangers = tuple(link for link in board.links if link.stranger and link.near in ends)
        silent = [end.device for end in ends if not board.answered(end.device)]
        if strangers:
            board.close(advice.stranger(board.view, ends, strangers))
        elif silent:
            board.close(Result(UNKNOWN, (ends,), message=_not_asked(ends, silent, board.observations)))
        else:
            board.close(advice.missing(board.view, ends))


def _not_asked(ends: Ends, silent: Iterable[str], observations: Mapping[str, Observation]) -> str:
    reasons = []
    for name in dict.fromkeys(silent):
        said = observations.get(name)
        reasons.append(f"{name}: {said.reason if said and said.reason else 'it was not asked'}")
    return f"Nothing is known about {ends[0]} - {ends[1]} ({'; '.join(reasons)})"


def _unexpected(board: _Board, expected: Mapping[frozenset[End], Ends]) -> None:
    taken = {end: ends for ends in expected.values() for end in ends}
    for link in list(board.links):
        board.close(advice.unexpected(board.view, link, taken.get(link.near) or taken.get(link.far)))
