# SPDX-License-Identifier: Apache-2.0
"""Which files are read, and how YAML becomes a tree; what is refused is in test_hostile.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, MissingDependencyError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client
from ansible_collections.scs.landscape.plugins.module_utils.landscape.tree import Mapping, describe, plain


def _plain(text: str) -> Any:
    tree, findings = client.parse(text.encode(), "x.yml")
    assert findings == []
    assert tree is not None
    return plain(tree)


def test_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "_observed").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("b.yml", "a.yaml", "sub/c.yml", "_d.yml", ".e.yml", "notes.txt", "_observed/f.yml", ".git/g.yml"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "dangling.yml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.yml")
    assert [os.path.relpath(file, tmp_path) for file in client.files_of(str(tmp_path))] == [
        "a.yaml",
        "b.yml",
        "sub/c.yml",
    ]


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("version: 1\n")
    assert client.load([str(tmp_path / "lab")])[0].version == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "holds no YAML file"),
        (os.mkfifo, "is neither a file nor a folder"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "lab")
    with pytest.raises(InputError, match=message):
        client.load([str(tmp_path / "lab")])


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "loop.yml").symlink_to("loop.yml")
    with pytest.raises(InputError, match="cannot be read: Too many levels"):
        client.read_bytes(str(tmp_path / "loop.yml"))


def test_a_file_that_is_reached_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("version: 1\nsites: {s1: {}}\n")
    (tmp_path / "link.yml").symlink_to("a.yml")
    landscape, findings = client.load([str(tmp_path), str(tmp_path / "a.yml"), str(tmp_path)])
    assert findings == []
    assert list(landscape.sites) == ["s1"]


def test_every_unreadable_file_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("{")
    (tmp_path / "b.yml").write_text("version: 1\n")
    (tmp_path / "c.yml").write_text("- x\n")
    landscape, findings = client.load([str(tmp_path)])
    assert landscape.version == 1
    assert sorted((Path(finding.place.file).name, finding.rule) for finding in findings) == [
        ("a.yml", "S01"),
        ("c.yml", "S03"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("'7'", "7"),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("1.10", 1.1),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12345678901234567890", "12345678901234567890"),
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ("''", ""),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("2026-12-31", "2026-12-31"),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
        ("{1: a, true: b}", {"1": "a", "true": "b"}),
        ("|\n  x\n  y\n", "x\ny\n"),
    ],
)
def test_scalars_keep_what_was_written(text: str, value: Any) -> None:
    assert _plain(text) == value


def test_anchors_and_merges() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 4}, *a]}\nd: *a\n"
    assert _plain(text) == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}, "c": {"x": 4, "y": 2}, "d": {"x": 1, "y": 2}}


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert _plain("a: {'<<': 1, x: 2}\n") == {"a": {"<<": 1, "x": 2}}


def test_lines_are_those_of_the_file() -> None:
    tree, _findings = client.parse(b"# comment\n\na: 1\nb:\n  c: 2\n  d: [3,\n     4]\n", "x.yml")
    assert isinstance(tree, Mapping)
    assert [(key.text, key.line, child.line) for key, child in tree.entries] == [("a", 3, 3), ("b", 4, 5)]
    inner = tree.entries[1][1]
    assert isinstance(inner, Mapping)
    assert [item.line for item in inner.entries[1][1].items] == [6, 7]  # type: ignore[union-attr]


def test_both_parsers_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a: [1, '2', {b: c}]\n", "a: {b: \n", "a: !x b\n", "a: 'x\n", "--- a\n--- b\n", "a: *b\n"]
    with_c = [client.parse(text.encode(), "x.yml") for text in texts]
    monkeypatch.setattr(client.yaml, "CSafeLoader", yaml.SafeLoader)
    without = [client.parse(text.encode(), "x.yml") for text in texts]
    assert [[finding.rule for finding in found] for _tree, found in with_c] == [
        [finding.rule for finding in found] for _tree, found in without
    ]
    assert plain(with_c[0][0]) == plain(without[0][0])  # type: ignore[arg-type]


def test_a_parser_without_places_still_gives_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(yaml.SafeLoader):
        def get_event(self) -> Any:
            raise yaml.YAMLError("something else\nwith two lines")

    monkeypatch.setattr(client.yaml, "CSafeLoader", Broken)
    (finding,) = client.parse(b"a: b\n", "x.yml")[1]
    assert (finding.rule, finding.place.line, finding.message) == ("S01", 0, "x.yml is not valid YAML: something else")


def test_without_pyyaml_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "yaml", None)
    with pytest.raises(MissingDependencyError, match="PyYAML is needed for reading a landscape"):
        client.parse(b"", "x.yml")


def test_observed_files_are_read_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("")
    (tmp_path / "b.yml").write_text("nonsense: 1\n")
    facts, findings = client.load_observed([str(tmp_path)])
    assert len(facts) == 2
    assert [finding.message for finding in findings if finding.rule == "S02"] == ["unknown key 'nonsense'"]


@pytest.mark.parametrize(
    ("text", "said"), [("[]", "a list"), ("{}", "a mapping"), ("~", "nothing"), ("x", "'x'"), ("y" * 99, "...'")]
)
def test_describe(text: str, said: str) -> None:
    tree, _findings = client.parse(text.encode(), "x.yml")
    assert tree is not None
    assert describe(tree).endswith(said)
