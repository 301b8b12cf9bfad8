# SPDX-License-Identifier: Apache-2.0
"""Names with braces, endpoints, natural order, waiver patterns and the ways of an expression."""

from __future__ import annotations

import re
import time

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import names


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("eth0", ["eth0"]),
        ("eth{0..2}", ["eth0", "eth1", "eth2"]),
        ("Ethernet{48..56..4}", ["Ethernet48", "Ethernet52", "Ethernet56"]),
        ("e{0..1}/{1..2}", ["e0/1", "e0/2", "e1/1", "e1/2"]),
        ("e{7..7}", ["e7"]),
        ("e{0..3..0}", ["e0", "e1", "e2", "e3"]),
        ("", [""]),
    ],
)
def test_expand(pattern: str, expected: list[str]) -> None:
    assert list(names.expand(pattern)) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "e{",
        "e}",
        "e{}",
        "e{1}",
        "e{a..b}",
        "e{1..}",
        "e{2..1}",
        "e{0..1024}",
        "e{0..99}{0..99}",
        "e{\u0660..\u0663}",
        "e{1..99999}",
    ],
)
def test_expand_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"brace|stands for"):
        names.expand(pattern)


def test_expand_allows_the_largest_range() -> None:
    assert len(names.expand("e{0..1023}")) == names.MAX_EXPANSION
    assert len(names.expand("e{0..31}/{0..31}")) == names.MAX_EXPANSION


@pytest.mark.parametrize(
    ("endpoint", "pair"), [("a/b", ("a", "b")), ("a/Eth1/1", ("a", "Eth1/1")), ("a", ("a", "")), ("", ("", ""))]
)
def test_split_endpoint(endpoint: str, pair: tuple[str, str]) -> None:
    assert names.split_endpoint(endpoint) == pair


def test_natural_order() -> None:
    mixed = ["Ethernet10", "Ethernet4", "Ethernet", "10", "9", "e1b2", "e1b10", "\u00b2", "\u0664", ""]
    assert sorted(mixed, key=names.natural) == [
        "",
        "9",
        "10",
        "Ethernet",
        "Ethernet4",
        "Ethernet10",
        "e1b2",
        "e1b10",
        "\u00b2",
        "\u0664",
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "abc", True),
        ("a*b*c", "axbxc", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),
        ("b*", "abc", False),
        ("a.c", "abc", False),
        ("*ab*ab", "ab", False),
    ],
)
def test_matches(pattern: str, text: str, expected: bool) -> None:
    assert names.matches(pattern, text) is expected


def test_matches_does_not_backtrack() -> None:
    began = time.process_time()
    assert not names.matches("*a" * 300 + "b", "a" * 1000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "lowest", "highest"),
    [
        ("abc", 0, 0),
        (r"\+\*[*+?|(){}]\(", 0, 0),
        ("[]a]+", 6, 6),
        ("a?", 1, 1),
        ("a|b|c|d", 3, 3),
        ("a{3}", 0, 0),
        ("a{2,5}", 2, 2),
        ("(?P<x>a)(?:b)(?=c)(?#no)", 0, 0),
        ("[a-z]+", 6, 6),
        ("([a-z]+)*", 60, 500),
        ("(a|a)+", 60, 500),
        ("(a+){3,}", 60, 500),
        ("(a|b){0,20}", 20, 30),
        ("x*" * 30, 60, 500),
        (")))", 0, 0),
        ("(((", 0, 0),
    ],
)
def test_ways(pattern: str, lowest: float, highest: float) -> None:
    assert lowest <= round(names.ways(pattern), 6) <= highest


@pytest.mark.parametrize("pattern", ["[a-z]*" * 5 + "!", "(a|a)?" * 11 + "!", "a?" * 20 + "!", "(?:a|aa){0,9}a*!"])
def test_few_ways_are_fast(pattern: str) -> None:
    assert names.ways(pattern) < 24
    began = time.process_time()
    assert re.fullmatch(pattern, "a" * 63) is None
    assert time.process_time() - began < 5
