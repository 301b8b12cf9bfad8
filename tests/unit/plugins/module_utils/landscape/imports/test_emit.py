# SPDX-License-Identifier: Apache-2.0
"""What is written is read as the same data, by our reader and by PyYAML, whatever the text."""

from __future__ import annotations

import random

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.imports import emit
from ansible_collections.scs.landscape.plugins.module_utils.landscape.tree import plain
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.landscape.imports import scs_lab

LOADERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])
HOSTILE = [
    "", " ", "yes", "No", "on", "off", "y", "N", "~", "null", "NULL", "true ", "True", "NaN", ".inf", "-.INF",
    "52:54:00:12:34:56", "3c:ec:ef:9e:d1:1a", "12:30", "190:20:30", "1_000", "0x1f", "010", "0o17", "0b1", "1e5", "1E5", ".5", "+1", "-1",
    "1.10", "1.", "2023-10-12", "2001-12-14t21:59:43.10-05:00", "10.10.23.1", "10.10.23.0/24", "fd0c::1", "::", "25G", "231205-BTO",
    "- a", "-", "--", "---", "...", "a: b", "a:", ":a", "a #b", "#x", "? a", "?", "=", "{{ x }}", "{% raw %}", "{x}", "[x]", "a,b",
    "{a: b}", "../", "../../etc/passwd", "%a", "@b", "`c`", "!t", "!!python/object:os.system", "&a", "*a", "|", ">", "|2", ">-",
    "'", "''", '"', "\\", "it's", 'say "hi"', "a\nb", "a\r\nb", "\ta", "a\t", "a ", "  a", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85",
    "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "é", "ß", "日本", "😀", "e\u0301", "=cmd|' /C calc'!A0", "x" * 10_000,
    "st01-sw1g-r01-u32/Ethernet1", "Eth1/1", "key: [", "a\\nb", "\\x41",
]  # fmt: skip


def read_back(text):
    """The document as every reader understands it."""
    for loader in LOADERS:
        yield yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders
    node, findings = client.parse(text.encode(), "emitted.yml")
    assert findings == []
    yield plain(node)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_text_stays_text_as_value_item_and_key(text):
    document = {
        "value": text,
        "list": [text, text],
        "nested": {"a": {"b": {"c": text, "d": [text]}}},
        f"k{text}"[:300]: 1,
    }
    for read in read_back(emit.data(document)):
        assert read == document


def anything(source, depth=0):
    """Some data: hostile text, numbers, lists and mappings."""
    choice = source.random()
    if depth > 4 or choice < 0.5:
        if source.random() < 0.5:
            return source.choice(HOSTILE[:-4])
        return "".join(chr(source.choice(POINTS)(source)) for _number in range(source.randrange(12)))
    if choice < 0.6:
        return source.choice([0, 1, -5, 10**11, True, False, None, 1.5, 1e-7, 123456789.25, 0.1])
    if choice < 0.8:
        return [anything(source, depth + 1) for _number in range(source.randrange(4))]
    return {key(source): anything(source, depth + 1) for _number in range(source.randrange(4))}


POINTS = [
    lambda source: source.randrange(0x20, 0x7F),
    lambda source: source.randrange(0x100),
    lambda source: source.randrange(0x100, 0xD800),
    lambda source: source.randrange(0x10000, 0x110000),
]


def key(source):
    """A key; never ``<<``, which a merge key is to some readers even in quotes."""
    return "k" + "".join(chr(source.choice(POINTS)(source)) for _number in range(source.choice([0, 1, 8, 200])))


@pytest.mark.slow
def test_whatever_is_written_is_read_again(seed):
    source = random.Random(seed)
    for _round in range(400):
        document = {key(source): anything(source) for _number in range(4)}
        text = emit.data(document)
        for read in read_back(text):
            assert read == document, f"seed {seed}\n{text}"


def test_lists_of_tasks_are_read_again(seed):
    source = random.Random(seed)
    for _round in range(50):
        tasks = [{key(source): anything(source)} for _number in range(3)]
        assert yaml.safe_load(emit.items(tasks)) == tasks
    assert yaml.safe_load(emit.items([])) == []


def test_numbers():
    document = {"tiny": 1e-7, "whole": 5.0, "integer": 5, "huge": 10**15, "infinite": float("inf"), "none": None}
    for loader in LOADERS:
        read = yaml.load(emit.data(document), Loader=loader)  # noqa: S506 - safe loaders
        assert read == {**document, "infinite": "inf"}


def test_lone_surrogates_become_the_replacement_character():
    assert yaml.safe_load(emit.data({"a": "x\ud800y"})) == {"a": "x\ufffdy"}


def test_a_landscape_is_read_as_it_was_and_twice_gives_the_same_bytes():
    document = scs_lab.document(*sorted(scs_lab.EXAMPLE.glob("*.yml")))
    text = emit.document(document)
    assert text == emit.document(dict(reversed(list(document.items()))))
    for read in read_back(text):
        assert read == document
    merged = {}
    for content in emit.files(document).values():
        merged.update(yaml.safe_load(content))
    assert merged == document


def test_sections_are_commented_and_cables_take_a_line_each():
    cable = {"b": "b/2", "a": "a/1", "state": "planned"}
    text = emit.document({"cables": [cable], "version": 1, "sites": {"x": {}}}, ["First line", "two\nlines\x00"])
    assert text == (
        "# First line\n# two lines\nversion: 1\n\n# Buildings and rooms\nsites:\n  x: {}\n\n"
        "# Cables\ncables:\n  - {a: a/1, b: b/2, state: planned}\n"
    )


def test_empty_landscapes():
    assert emit.document({}) == "{}\n"
    assert emit.files({"hosts": {}, "cables": []}) == {}
    assert emit.data({}) == "{}\n"


def test_lines_stay_short_where_the_text_allows_it():
    cable = {"a": "a" * 50 + "/1", "b": "b" * 50 + "/2", "group": "g" * 30}
    assert max(map(len, emit.document({"cables": [cable]}).splitlines())) < 120
