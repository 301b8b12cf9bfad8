# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""Port maps of switches that this project knows. Pure data.

Source: port_config.ini of sonic-buildimage device/accton/*; the community has no platform.json for these four. A test
compares every port with those files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Ports of one kind that follow each other.

    :param first: number in the name of the first port; the next is ``step`` further.
    :param label: number in the first alias, which is also its index.
    :param speed: Mbit/s.
    :param lanes: per port its first lane; a port has ``width`` lanes that follow each other.
    :param speeds: what such a cage can run at, Mbit/s: its lanes in their NRZ rates. From the kind of cage; the
        vendor may allow less for a given optic.
    """

    first: int
    label: int
    alias: str
    speed: int
    lanes: str
    width: int = 1
    step: int = 1
    speeds: tuple[int, ...] = ()
    autoneg: str = ""


_COPPER = (10, 100, 1000)
_SFP = (1000, 10000)
_SFP28 = (1000, 10000, 25000)
_QSFP28 = (40000, 50000, 100000)

#: By HWSKU.
PORT_MAPS: dict[str, tuple[Block, ...]] = {
    "Accton-AS4630-54TE": (
        Block(
            0,
            1,
            "thousandE",
            1000,
            "26 25 28 27 30 29 32 31 38 37 40 39 34 33 36 35 46 45 48 47 42 41 44 43 2 1 4 3 6 5 8 7 10 9 12 11 14 13 16 15 "
            "18 17 20 19 22 21 24 23",
            speeds=_COPPER,
            autoneg="on",
        ),
        Block(48, 49, "twentyfiveGigE", 25000, "67 66 65 68", speeds=_SFP28, autoneg="off"),
        Block(52, 53, "hundredGigE", 100000, "73 69", 4, 4, _QSFP28, "off"),
    ),
    "Accton-AS5835-54X": (
        Block(
            0,
            1,
            "tenGigE",
            10000,
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 "
            "69 70 71 72 73 74 75 76",
            speeds=_SFP,
        ),
        Block(48, 49, "hundredGigE", 100000, "37 29 33 49 45 41", 4, 4, _QSFP28),
    ),
    "Accton-AS7326-56X": (
        Block(
            0,
            1,
            "twentyfiveGigE",
            25000,
            "3 2 4 8 7 1 5 16 6 14 13 15 23 22 24 32 31 21 29 36 30 34 33 35 43 42 44 52 51 41 49 60 50 58 57 59 62 63 64 65 "
            "66 61 68 69 67 71 72 70",
            speeds=_SFP28,
        ),
        Block(48, 49, "hundredGigE", 100000, "77 85 93 97 105 113 121 125", 4, 4, _QSFP28),
    ),
    "Accton-AS7726-32X": (
        Block(
            0,
            1,
            "hundredGigE",
            100000,
            "1 5 9 13 17 21 25 29 33 37 41 45 49 53 57 61 65 69 73 77 81 85 89 93 97 101 105 109 113 117 121 125",
            4,
            4,
            _QSFP28,
        ),
    ),
}
