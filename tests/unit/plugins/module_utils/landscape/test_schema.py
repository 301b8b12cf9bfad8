# SPDX-License-Identifier: Apache-2.0
"""The JSON schema and the reference page say what the decoder does, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, schema_json
from ansible_collections.scs.landscape.plugins.module_utils.landscape.decode import Decoder
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import CONNECTORS, SPEEDS, Landscape
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import Spec, specs_of
from ansible_collections.scs.landscape.plugins.module_utils.landscape.tree import Mapping, plain
from ansible_collections.scs.landscape.tests.bench import generate
from ansible_collections.scs.landscape.tests.tools import gen_schema

VALIDATOR = jsonschema.Draft202012Validator(schema_json.schema())

#: Values of every sort, as they are written in a file. Most are wrong for most kinds of field.
VALUES = (
    "''",
    "~",
    "true",
    "'yes'",
    "maybe",
    "0",
    "1",
    "7",
    "'7'",
    "007",
    "-7",
    "1.5",
    "99999999999999999999",
    "prod",
    "leaf",
    "9100",
    "4x25G",
    "../etc",
    "'-x'",
    "'{{ 1 }}'",
    '"a\\nb"',
    '"a\\u202eb"',
    '"a\\u200bb"',
    '"a\\u0000b"',
    "\U0001d7d9",
    f"'{'x' * 1001}'",
    "[]",
    "[x, x]",
    "[[x]]",
    "{}",
    "{a: b}",
    "{'../x': b}",
    "2026-12-31",
    "20261231",
    "2026-1-1",
    "3c:ec:ef:9e:d1:1a",
    "3C-EC-EF-9E-D1-1A",
    "3d:ec:ef:9e:d1:1a",
    "3c:ec:ef",
    "3c:ec:ef:9e:d1:1a:00",
    "10.10.23.10",
    "010.10.23.10",
    "10.10.23",
    "10.10.23.256",
    "10.10.23.0/24",
    "10.10.23.0/33",
    "10.10.23.0/255.255.255.0",
    "'fd00::10'",
    "'::'",
    "'fd00::1::2'",
    "'1:2:3:4:5:6:7:8'",
    "'1:2:3:4:5:6:7:8:9'",
    "'1:2:3:4:5:6:7::'",
    "'::ffff:10.0.0.1'",
    "'1::5:10.0.0.1'",
    "'fe80::1%eth0'",
    "'fd00:1::/64'",
    "'fd00:1::/129'",
    "'::/0'",
    "a/b",
    "a/b/c",
    "a b/c",
    "a/",
    "A01",
    *SPEEDS[:1],
    *CONNECTORS[:1],
    "explicit",
    "server",
    "data",
    "amd64",
    "mains",
    "lab",
    "index",
    "active",
    "pair",
    "dhcp",
)


def _places(model: type, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, Spec, tuple[Any, ...]]]:
    """Every field below a model: its name, its spec, and the steps that lead to it in a document."""
    for field, spec in specs_of(model).items():
        here = (*path, field)
        yield f"{model.__name__}.{field}", spec, here
        inner = spec.model or (spec.item.model if spec.item else None)
        step: tuple[Any, ...] = {"map": ("x1",), "list": (0,)}.get(spec.kind, ())
        if inner is not None:
            yield from _places(inner, (*here, *step))
        elif spec.item is not None:
            yield f"{model.__name__}.{field}.*", spec.item, (*here, *step)


PLACES = {name: (spec, path) for name, spec, path in _places(Landscape)}


def _document(path: tuple[Any, ...], value: str) -> str:
    """A document (in flow style) that holds one value at one place."""
    text = value
    for step in reversed(path):
        text = f"[{text}]" if step == 0 else f"{{{step}: {text}}}"
    return text


def _decoded(text: str) -> tuple[Any, list[Any]]:
    tree, unreadable = client.parse(text.encode(), "x.yml")
    if tree is None:
        return None, unreadable
    decoder = Decoder()
    decoder.decode(tree, Landscape, "x.yml")
    return plain(tree), decoder.findings


def _refusals(text: str) -> tuple[bool, bool]:
    """Whether the decoder and the schema refuse a document; missing fields count for neither."""
    document, findings = _decoded(text)
    errors = [error for error in VALIDATOR.iter_errors(document) if error.validator != "required"]
    return any(finding.rule != "S05" for finding in findings), bool(errors)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_decoder_and_schema_refuse_the_same_values(place: str) -> None:
    spec, path = PLACES[place]
    different = {}
    for value in VALUES:
        by_decoder, by_schema = _refusals(_document(path, value))
        if by_decoder != by_schema:
            different[value] = f"decoder {'refuses' if by_decoder else 'takes'} it, schema does not"
    assert {value: how for value, how in different.items() if not _beyond(spec, value)} == {}


def _beyond(spec: Spec, value: str) -> bool:
    """What the decoder refuses and a JSON schema, by its nature, cannot (schema_json.BEYOND)."""
    if spec.kind == "any":
        return value.startswith('"a\\u')
    written = plain(client.parse(value.encode(), "x.yml")[0] or Mapping([], 0))
    return (spec.kind == "reference" or bool(spec.pattern)) and isinstance(written, (int, float))


@pytest.mark.parametrize(
    "text",
    [
        "networks: {x: {purpose: lab, v4: 10.10.23.1/24}}",
        "waivers: [{rule: A01, object: x, reason: y, expires: 2026-02-30}]",
    ],
)
def test_what_only_the_decoder_sees(text: str) -> None:
    assert _refusals(text) == (True, False)
    assert len(schema_json.BEYOND) > 5


@pytest.mark.slow
def test_no_field_takes_every_value() -> None:
    """The table of values is worth something: each field refuses some of them and takes others."""
    for name, (_spec, path) in PLACES.items():
        refused = [_refusals(_document(path, value))[0] for value in VALUES]
        assert set(map(bool, refused)) == {True, False}, name


@pytest.mark.parametrize("model", [Landscape, *(model for _field, model in schema_json.models_of(Landscape))])
def test_unknown_and_missing_fields(model: type) -> None:
    definition = schema_json.schema() if model is Landscape else schema_json.schema()["$defs"][model.__name__]
    assert definition["additionalProperties"] is False
    assert list(definition["properties"]) == list(specs_of(model))
    required = [field for field, spec in specs_of(model).items() if spec.required]
    assert definition.get("required", []) == ([] if model is Landscape else required)


def test_missing_fields_are_refused_by_both() -> None:
    document, findings = _decoded("racks: {r01: {}, r02: }\ncables: [{}]\n")
    missing = [(finding.object, finding.field) for finding in findings]
    assert missing == [
        ("racks/r01", "site"),
        ("racks/r01", "units"),
        ("racks/r02", "site"),
        ("racks/r02", "units"),
        ("cables[1]", "a"),
        ("cables[1]", "b"),
    ]
    assert len(list(VALIDATOR.iter_errors(document))) == 5  # an object of nothing is one error to a schema


@pytest.mark.parametrize("hosts", [20, 300])
def test_generated_landscapes_are_valid(hosts: int) -> None:
    for content in generate.generate(hosts).values():
        document, findings = _decoded(content)
        assert findings == []
        assert list(VALIDATOR.iter_errors(document)) == []


def test_examples_are_valid(repo: Any) -> None:
    files = sorted((repo / "examples" / "scs-lab").glob("*.yml"))
    assert files
    for file in files:
        document, findings = _decoded(file.read_text(encoding="utf-8"))
        assert findings == [], file
        assert list(VALIDATOR.iter_errors(document)) == [], file


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema_json.schema())
    assert schema_json.schema()["$schema"] == schema_json.DIALECT


def test_patterns_mean_the_same_to_editors() -> None:
    """Editors run ECMAScript expressions in Unicode mode: nothing in a pattern is special to Python."""

    def patterns(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (value for key, value in node.items() if key == "pattern" and isinstance(value, str))
            for value in node.values():
                yield from patterns(value)

    found = set(patterns(schema_json.schema()))
    assert len(found) > 10
    for pattern in found:
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert not any(special in pattern for special in ("(?P", "\\A", "\\Z", "(?i", "\\d", "\\w", "\\-")), pattern


@pytest.mark.parametrize("file", [gen_schema.SCHEMA_FILE, gen_schema.FORMAT_FILE])
def test_committed_files_are_fresh(repo: Any, file: str) -> None:
    made = gen_schema.schema_text() if file == gen_schema.SCHEMA_FILE else gen_schema.format_page()
    assert (repo / file).read_text(encoding="utf-8") == made, "run python3 -m tests.tools.gen_schema"


def test_committed_schema_is_json(repo: Any) -> None:
    assert json.loads((repo / gen_schema.SCHEMA_FILE).read_text(encoding="utf-8")) == schema_json.schema()


def test_reference_names_every_field_with_a_good_example() -> None:
    rows = [line for line in gen_schema.format_page().splitlines() if line.startswith("| `")]
    assert len(rows) == len([name for name in PLACES if not name.endswith(".*")])
    for name, (spec, path) in PLACES.items():
        if name.endswith(".*") or spec.kind == "object" or (spec.item and spec.item.kind == "object"):
            continue
        model, field = name.split(".")
        example = gen_schema.example_of(_model(model), field, spec)
        assert example, name
        document = f"'{example}'" if example[0] not in "[{'\"" and "," in example else example
        assert _refusals(_document(path, document)) == (False, False), (name, example)


def _model(name: str) -> type:
    return {"Landscape": Landscape, **{model.__name__: model for _field, model in schema_json.models_of(Landscape)}}[
        name
    ]
