# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of addresses and AS numbers, at its edges."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import schemes


@pytest.mark.parametrize(
    ("network", "index", "expected"),
    [
        ("10.10.23.0/24", 1, "10.10.23.1"),
        ("10.10.23.0/24", 254, "10.10.23.254"),
        ("10.20.0.0/19", 256, "10.20.1.0"),
        ("10.0.0.0/31", 1, "10.0.0.1"),
        ("10.0.0.0/30", 2, "10.0.0.2"),
    ],
)
def test_address_v4(network: str, index: int, expected: str) -> None:
    assert schemes.address_v4(network, index) == expected


@pytest.mark.parametrize(
    ("network", "index"), [("10.10.23.0/24", 255), ("10.10.23.0/24", 256), ("10.0.0.0/32", 1), ("10.0.0.0/30", 3)]
)
def test_address_v4_refuses(network: str, index: int) -> None:
    with pytest.raises(schemes.SchemeError, match="does not fit"):
        schemes.address_v4(network, index)


def test_address_v6() -> None:
    assert schemes.address_v6("fd0c:cc24:75a0:1::/64", "embed-v4", 9, "10.10.21.25") == "fd0c:cc24:75a0:1:10:10:21:25"
    assert schemes.address_v6("fd00::/64", "index", 258, "") == "fd00::102"
    assert schemes.address_v6("fd00::/120", "index", 255, "") == "fd00::ff"


def test_address_v6_refuses() -> None:
    with pytest.raises(schemes.SchemeError, match="longer than /64"):
        schemes.address_v6("fd00::/80", "embed-v4", 1, "10.0.0.1")
    with pytest.raises(schemes.SchemeError, match="does not fit"):
        schemes.address_v6("fd00::/120", "index", 256, "")


@pytest.mark.parametrize(
    ("kind", "prefix", "loopback", "expected"),
    [
        ("scs", None, "10.10.21.25", 4210021025),
        ("osism", None, "10.10.21.25", 4200021025),
        ("octets", 65, "10.0.1.2", 65001002),
        ("octets", None, "10.0.1.2", 1002),
        ("octets", 4294, "10.0.0.7", 4294000007),
        ("octets", 4294, "10.0.255.7", 4294255007),
    ],
)
def test_asn_of(kind: str, prefix: int | None, loopback: str, expected: int) -> None:
    assert schemes.asn_of(kind, prefix, loopback) == expected


@pytest.mark.parametrize(("prefix", "loopback"), [(4295, "10.0.0.1"), (42949, "10.0.0.1"), (None, "10.0.0.0")])
def test_asn_of_refuses(prefix: int | None, loopback: str) -> None:
    with pytest.raises(schemes.SchemeError):
        schemes.asn_of("octets", prefix, loopback)


@pytest.mark.parametrize(
    ("asn", "private"),
    [
        (64511, False),
        (64512, True),
        (65534, True),
        (65535, False),
        (4199999999, False),
        (4200000000, True),
        (4294967294, True),
        (4294967295, False),
    ],
)
def test_private_numbers(asn: int, private: bool) -> None:
    assert schemes.is_private(asn) is private
