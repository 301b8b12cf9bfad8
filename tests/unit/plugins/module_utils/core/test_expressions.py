# SPDX-License-Identifier: Apache-2.0
"""Expressions of files and options: compiled, or refused in words a reader can act on."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core import expressions


def test_an_expression_matches() -> None:
    assert expressions.compiled(r"st01-(mgmt|stor)-r0[1-9]-u\d+").fullmatch("st01-stor-r01-u17")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("st01-[[abc]x]", "possible nested set at position 6, write a backslash before it"),
        ("[a--z]", "possible set difference at position 2"),
        ("st01-(", "unterminated subpattern"),
        ("[z-a]", "bad character range z-a"),
        ("a{99999999999999999999}", "repetition number is too large"),
    ],
)
def test_what_is_none_or_means_two_things_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        expressions.compiled(text)
