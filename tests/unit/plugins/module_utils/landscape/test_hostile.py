# SPDX-License-Identifier: Apache-2.0
"""Whatever a file holds: clear findings with place and hint, no traceback, bounded time and memory, nothing written."""

from __future__ import annotations

import datetime
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model
from ansible_collections.scs.landscape.plugins.module_utils.landscape.finding import Finding
from ansible_collections.scs.landscape.plugins.module_utils.landscape.model import Landscape
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
from ansible_collections.scs.landscape.plugins.module_utils.landscape.schema import Spec, specs_of
from ansible_collections.scs.landscape.tests.bench import generate, processes

pytestmark = pytest.mark.accept("F1.11")
TODAY = datetime.date(2026, 6, 1)
#: Random documents per test: all of them in `make test-all`, a quarter otherwise.
FUZZ = 2000 if os.environ.get("SCS_FULL") else 500


def check(paths: list[str]) -> list[Finding]:
    """Everything that is said about a landscape."""
    landscape, findings = client.load(paths)
    return validate.check(derive.resolve(landscape), findings, today=TODAY)


def _bomb(levels: int) -> str:
    lines = ["version: 1", "vars0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"vars{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


#: Name: content, rule, line, a word of the message, a word of the hint.
DOCUMENTS: dict[str, tuple[bytes, str, int, str, str]] = {
    "broken": (b"version: 1\nhosts: [\n", "S01", 3, "not valid YAML", "compare the indentation"),
    "unclosed quote": (b"version: 1\ntitle: 'x\n", "S01", 3, "not valid YAML", "quotes"),
    "tab": (b"version: 1\nhosts:\n\ta: {}\n", "S01", 3, "not valid YAML", "takes no tabs"),
    "jinja": (b"version: 1\ntitle: {{ lab }}\n", "S10", 2, "not plain text", "quote text that holds {{ }}"),
    "jinja in text": (b"version: 1\ntitle: %{x}\n", "S01", 2, "not valid YAML", "in quotes"),
    "unknown key": (b"version: 1\nhotss: {}\n", "S02", 2, "unknown key 'hotss'", "did you mean hosts?"),
    "strange key": (b"version: 1\nqqqqqq: {}\n", "S02", 2, "unknown key 'qqqqqq'", "allowed: version"),
    "wrong type": (b"version: 1\nhosts: 7\n", "S03", 2, "hosts is '7'", ""),
    "a list": (b"- version: 1\n", "S03", 1, "landscape is a list", ""),
    "a word": (b"version\n", "S03", 1, "landscape is 'version'", ""),
    "duplicate key": (b"version: 1\nhosts: {}\nhosts: {}\n", "S04", 3, "stands twice, first in line 2", "remove one"),
    "duplicate name": (b"version: 1\nsites:\n  a: {}\n  a: {}\n", "S04", 4, "'a' stands twice", "remove one"),
    "duplicate inside vars": (
        b"version: 1\nhosts: {a: {vars: {x: {k: 1, k: 2}}}}\n",
        "S04",
        2,
        "'k' stands twice",
        "remove",
    ),
    "merge twice": (b"a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", "S10", 2, "<< twice", "[*first, *second]"),
    "merge of a text": (b"a: &a x\nb: {<<: *a}\n", "S10", 2, "does not name a mapping", "*anchor"),
    "cycle": (b"version: 1\nhosts: &a {b: *a}\n", "S10", 2, "contains itself", "write the value out"),
    "unknown alias": (b"version: 1\nhosts: *nowhere\n", "S10", 2, "unknown alias, 'nowhere'", "write the value out"),
    "alias bomb": (_bomb(9).encode(), "S10", 8, "values once aliases are followed", "fewer aliases"),
    "key of a list": (b"version: 1\n? [a]\n: b\n", "S10", 2, "not plain text", "quote"),
    "tag": (b"version: 1\ntitle: !!python/object/apply:os.system [id]\n", "S10", 2, "python/object", "plain data"),
    "vault": (b"version: 1\ntitle: !vault x\n", "S10", 2, "'!vault'", "secrets elsewhere"),
    "tag of a mapping": (b"version: 1\nhosts: !!set {a, b}\n", "S10", 2, "tag", "plain data"),
    "two documents": (b"version: 1\n---\nversion: 1\n", "S10", 2, "second document", "---"),
    "deep flow": (b"version: 1\nhosts: " + b"[" * 100000, "S10", 2, "deeper than 40", "bracket"),
    "deep mapping": (b"version: 1\nhosts: " + b"{a: " * 100000, "S10", 2, "deeper than 40", "bracket"),
    "deep block": (
        "\n".join(["version: 1", *(f"{' ' * depth}hosts:" for depth in range(3000))]).encode(),
        "S10",
        42,
        "deeper than 40",
        "bracket",
    ),
    "deep list": (b"version: 1\nhosts:\n" + b"- " * 50000, "S10", 3, "deeper than 40", "bracket"),
    "latin-1": (b"version: 1\ntitle: K\xf6ln\n", "S01", 2, "not UTF-8", "save the file as UTF-8"),
    "utf-16": ("version: 1\n".encode("utf-16"), "S01", 1, "not UTF-8", "UTF-8"),
    "nul": (b"version: 1\ntitle: a\x00b\n", "S01", 2, "U+0000", "not a text file?"),
    "escape": (b"version: 1\ntitle: a\x1b[2Jb\n", "S01", 2, "U+001B", "remove it"),
    "binary": (bytes(range(1, 128)) * 50, "S01", 1, "U+0001", "not a text file?"),
    "escaped control": (b'version: 1\ntitle: "a\\e[2Jb"\n', "S08", 2, "without control", ""),
    "newline in quotes": (b'version: 1\ntitle: "a\\nb"\n', "S08", 2, "one line", ""),
    "folded": (b"version: 1\ntitle: |\n  a\n  b\n", "S08", 2, "one line", ""),
    "right to left": ("version: 1\ntitle: a\u202eb\n".encode(), "S08", 2, "invisible", ""),
    "zero width": ("version: 1\ntitle: a\u200bb\n".encode(), "S08", 2, "invisible", ""),
    "byte order mark inside": ("version: 1\ntitle: a\ufeffb\n".encode(), "S08", 2, "invisible", ""),
    "long text": (b"version: 1\ntitle: " + b"x" * 10000 + b"\n", "S08", 2, "1000 characters", ""),
    "long name": (b"version: 1\nsites: {? " + b"x" * 10000 + b" : {}}\n", "S08", 2, "cannot be a name", ""),
    "long text in vars": (b"version: 1\nhosts: {a: {vars: {x: " + b"x" * 70000 + b"}}}\n", "S08", 2, "65536", ""),
    "escape in vars": (b'version: 1\nhosts: {a: {vars: {x: ["\\e"]}}}\n', "S08", 2, "control", ""),
    "quoted number": (b"version: '1'\n", "S03", 1, "whole number", "without quotes"),
    "huge number": (b"version: " + b"9" * 5000 + b"\n", "S03", 1, "whole number", ""),
    "nothing": (b"version: 1\ntitle:\n", "S03", 2, "title is nothing", "leave the key out"),
    "no such day": (
        b"version: 1\nwaivers: [{rule: A01, object: x, reason: y, expires: 2026-02-30}]\n",
        "S03",
        2,
        "a date like",
        "calendar",
    ),
    "host bits": (b"version: 1\nnetworks: {x: {purpose: lab, v4: 10.0.0.1/24}}\n", "S03", 2, "prefix", "host bits"),
    "zone": (b"version: 1\nnetworks: {x: {purpose: lab, router_v6: 'fe80::1%$(reboot)'}}\n", "S03", 2, "IPv6", ""),
    "repeated entry": (b"version: 1\nhosts: {a: {groups: [x, x]}}\n", "S04", 2, "lists 'x' twice", "remove one"),
    "many mistakes": (
        b"version: 1\n" + b"".join(b"k%d: 1\n" % key for key in range(11000)),
        "S10",
        0,
        "10000 mistakes",
        "",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_gives_a_clear_finding(name: str, tmp_path: Path) -> None:
    content, rule, line, message, hint = DOCUMENTS[name]
    file = tmp_path / "lab.yml"
    file.write_bytes(content)
    began = time.process_time()
    findings = check([str(file)])
    assert time.process_time() - began < 20
    found = [
        finding for finding in findings if finding.rule == rule and message in f"{finding.message} {finding.found}"
    ]
    assert found, [str(finding) for finding in findings[:5]]
    assert found[0].place.file == str(file)
    assert found[0].place.line == line or not line
    assert hint in found[0].hint
    assert found[0].severity == "error"
    assert all(len(str(finding)) < 3000 and str(finding).isprintable() for finding in findings)


@pytest.mark.parametrize(
    "name", ["deep flow", "alias bomb", "tag", "unknown key", "latin-1", "escape", "many mistakes"]
)
@pytest.mark.parametrize("module", ["landscape_docs", "landscape_render", "landscape_validate"])
@pytest.mark.slow
def test_the_modules_refuse_it_and_write_nothing(name: str, module: str, tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_bytes(DOCUMENTS[name][0])
    options = {"src": [str(tmp_path / "lab.yml")], "dest": str(tmp_path / "out"), "formats": ["hosts", "ssh_config"]}
    wanted = {"landscape_docs": ("src", "dest"), "landscape_render": tuple(options), "landscape_validate": ("src",)}[
        module
    ]
    before = processes.snapshot(tmp_path)
    result = processes.inside(module, {key: options[key] for key in wanted})
    assert result["failed"]
    assert "lab.yml" in result["msg"]
    assert "Traceback" not in str(result)
    assert processes.snapshot(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"\n", b"# nothing\n", b"---\n", b"{}\n", b"~\n", b"\xef\xbb\xbf"])
def test_an_empty_file_lacks_its_version_only(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_bytes(content)
    assert [(finding.rule, finding.field) for finding in check([str(tmp_path)])] == [("S05", "version")]


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_windows_and_old_mac_files_read_the_same(ending: bytes, tmp_path: Path) -> None:
    text = generate.one_file(20).encode()
    (tmp_path / "unix.yml").write_bytes(text)
    (tmp_path / "other.yml").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", ending))
    unix, other = (client.load([str(tmp_path / name)]) for name in ("unix.yml", "other.yml"))
    assert unix == other
    assert unix[1] == []
    lines = [landscape.hosts["st01-ctl-r01-u01"].source.line for landscape, _findings in (unix, other)]
    assert lines[0] == lines[1] > 1


def test_a_large_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with open(tmp_path / "lab.yml", "wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="more than the 16 MiB"):
        client.load([str(tmp_path)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_many_large_files_are_refused_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_TOTAL_BYTES", 100)
    for number in range(3):
        (tmp_path / f"{number}.yml").write_text("# " + "x" * 48 + "\n")
    with pytest.raises(InputError, match=r"up to .*1\.yml have more than"):
        client.load([str(tmp_path)])


_WORST = """
import resource, sys, time
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.rules import validate
landscape, findings = client.load([sys.argv[1]])
found = validate.check(derive.resolve(landscape), findings)
print(len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def _many(line: str, size: int) -> str:
    return "".join(line.replace("#", str(number)) for number in range(size // len(line)))


@pytest.mark.parametrize(
    "content",
    [
        "version: 1\nhosts: {a: {vars: {x: [" + "a," * 1_500_000 + "]}}}\n",
        "version: 1\nsites:\n" + _many("  s#: {nonsense: 1}\n", 1_000_000),
        "version: 1\ncables:\n" + _many("  - {a: x/#, b: y/#}\n", 500_000),
        "version: 1\nhosts:\n" + _many("  h#: {model: m, role: r, environment: e, index: 7}\n", 500_000),
        "version: 1\ndevice_models:\n"
        + _many(
            "  m#: {kind: switch, ports: [{names: ['e{0..31}.{0..31}x#'], speed: 1G, connector: rj45}]}\n", 400_000
        ),
        "version: 1\nexternals: {x: {ports: [" + _many("'a{0..1023}b#',", 400_000) + "]}}\n",
        "version: 1\nnaming: {pattern: '" + "[a-z]*" * 150 + "!'}\nhosts: {" + "a" * 60 + ": {}}\n",
        "version: 1\nnaming: {pattern: '(a|a|a[a-z]?)" + "+" + "!'}\nhosts: {" + "a" * 60 + ": {}}\n",
        "version: 1\nnetworks:\n"
        + _many("  n#: {purpose: lab, v4: 10.0.0.0/8, ranges: [{start: 10.0.0.1}]}\n", 300_000),
        "version: 1\nexternals: {x: {ports: ["
        + _many("'a{0..1023}b#',", 1500)
        + "]}}\ncables:\n"
        + _many("  - {a: x/#, b: y/#}\n", 200_000),
        "version: 1\ngroups:\n  g0: {}\n" + _many("  g1#: {children: [g1#, g0]}\n", 300_000),
    ],
    ids=[
        "values",
        "mistakes",
        "cables",
        "hosts",
        "models",
        "externals",
        "stars",
        "choices",
        "networks",
        "foreign",
        "groups",
    ],
)
@pytest.mark.slow
def test_the_worst_of_every_sort_is_bounded_in_time_and_memory(content: str, tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(content, encoding="utf-8")
    line = [sys.executable, "-c", _WORST, str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found, mebibytes = map(int, done.stdout.split())
    assert found > 0
    assert mebibytes < 600


#: Texts that would do harm somewhere: as a path, in Jinja, a shell, YAML, Markdown, SVG, a terminal, a regular expression.
TEXTS = (
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "a/../../b",
    "{{ lookup('pipe', 'touch /tmp/owned') }}",
    "{% for x in y %}",
    "{# comment",
    "$(touch /tmp/owned)",
    "`id`",
    "; rm -rf /",
    "| cat",
    "a\nb",
    "a\r\nHost *",
    "a\tb",
    "a\x00b",
    "a\x1b[31mb",
    "a\u202eb",
    "a\u200bb",
    "a\u2028b",
    "<script>alert(1)</script>",
    "]]><svg onload=x>",
    "&amp;&#60;",
    "[x](javascript:alert(1))",
    "x|y",
    "%s%n",
    "!vault |",
    "*alias",
    "&anchor",
    "- x",
    "? x",
    "@x",
    "null",
    "~",
    "yes",
    "1e5",
    "0x10",
    "1:2:3",
    "x" * 10000,
    "(a+)+$",
    "\u0660\u0661",
    "\u00b2",
    "\U0001f600",
    "__class__",
    "CON",
    "a\\b",
    "",
    " ",
    " x ",
    "-",
    "--help",
    "ansible_connection",
    "localhost",
)


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\"}
    return (
        '"'
        + "".join(escapes.get(sign) or (sign if sign.isprintable() else f"\\U{ord(sign):08x}") for sign in text)
        + '"'
    )


def _fields(type_: type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Spec, tuple[str, ...]]]:
    for field, spec in specs_of(type_).items():
        inner = spec.model or (spec.item.model if spec.item else None)
        step = {"map": ("x1",), "list": ("[]",)}.get(spec.kind, ())
        yield f"{type_.__name__}.{field}", spec, (*path, field)
        if inner is not None:
            yield from _fields(inner, (*path, field, *step))


FIELDS = {name: (spec, path) for name, spec, path in _fields(Landscape)}


def _document(path: tuple[str, ...], value: str) -> str:
    for step in reversed(path):
        value = f"[{value}]" if step == "[]" else f"{{{step}: {value}}}"
    return value


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_hostile_texts_in_every_field_and_name(name: str, seed: int, tmp_path: Path) -> None:
    """Each text as the value, as an entry or as a name: reading, rules and findings survive and stay printable."""
    source = random.Random(f"{seed} {name}")
    _spec, path = FIELDS[name]
    file = tmp_path / "lab.yml"
    for text in TEXTS:
        quoted = _quoted(text)
        shapes = [quoted, f"[{quoted}]", f"{{? {quoted} : {quoted}}}", f"{{? {quoted} : {{}}}}"]
        for value in shapes if os.environ.get("SCS_FULL") else [source.choice(shapes)]:
            file.write_text(_document(path, value), encoding="utf-8")
            landscape, findings = client.load([str(file)])
            found = validate.check(derive.resolve(landscape), findings, today=TODAY)
            assert all(str(finding).isprintable() for finding in found), (value, found)
            _assert_harmless(landscape)


def _assert_harmless(item: Any) -> None:
    """Nothing that was kept has a second line, a control character or a name that is a path."""
    if isinstance(item, str):
        assert len(item) <= 1000
        assert not any(ord(sign) < 32 or sign in "\u202e\u200b\u2028\x7f" for sign in item), item
    elif isinstance(item, dict):
        for key, value in item.items():
            assert "/" not in str(key).replace("1/1", "") or ":" in str(key) or _is_port(str(key)), key
            assert str(key) not in ("..", ".", ""), key
            _assert_harmless(value)
    elif isinstance(item, (list, tuple)):
        for value in item:
            _assert_harmless(value)
    elif hasattr(item, "__dataclass_fields__"):
        for field in specs_of(type(item)):
            if field != "vars":
                _assert_harmless(getattr(item, field))


def _is_port(key: str) -> bool:
    """Names of ports may hold slashes; they never name files."""
    return key[0].isalnum() and ".." not in key.split("/")


def _mangled(content: bytes, source: random.Random) -> bytes:
    data = bytearray(content)
    for _edit in range(source.choice((1, 1, 1, 2, 5, 20))):
        place = source.randrange(len(data))
        how = source.randrange(5)
        if how == 0:
            data[place] = source.randrange(256)
        elif how == 1:
            del data[place : place + source.choice((1, 1, 3, 40))]
        elif how == 2:
            data[place:place] = source.choice(
                (b" ", b"\n", b"\t", b":", b"[", b"]", b"{", b"}", b"&a ", b"*a ", b"'", b'"', b"- ")
            )
        elif how == 3:
            other = source.randrange(len(data))
            data[place:place] = data[other : other + source.randrange(60)]
        else:
            data[place : place + 1] = bytes([data[place] ^ (1 << source.randrange(8))])
    return bytes(data)


def _survives(file: Path, number: int) -> int:
    landscape, findings = client.load([str(file)])
    view = derive.resolve(landscape)
    found = validate.check(view, findings, today=TODAY)
    for finding in found:
        assert str(finding).isprintable(), finding
        assert finding.place.file, finding
        finding.as_dict()
    if number % 5 == 0 and not validate.unwaived(findings):  # as landscape_docs does; pages are dear
        build.pages(
            view, found, model.Options("", ("cables", "devices", "addresses", "power", "topology", "racks"), None, True)
        )
    return len(found)


@pytest.mark.slow
def test_random_edits_of_a_good_file(seed: int, tmp_path: Path) -> None:
    source = random.Random(f"{seed} bytes")
    content = generate.one_file(7).encode()
    found = 0
    for number in range(FUZZ):
        (tmp_path / "lab.yml").write_bytes(_mangled(content, source))
        found += bool(_survives(tmp_path / "lab.yml", number))
    print(f"seed {seed}: {FUZZ} edited files, {found} with findings")
    assert found > FUZZ // 2


def _tree(source: random.Random, depth: int) -> str:
    """A random document that knows the words of the format."""
    words = [
        *specs_of(Landscape),
        *(field for name in FIELDS for field in name.split(".")[1:]),
        *TEXTS[:40],
        "a",
        "b/c",
    ]
    how = source.random()
    if depth <= 0 or how < 0.3:
        return source.choice(
            (_quoted(source.choice(words)), str(source.randrange(-9, 70000)), "true", "~", "10.0.0.0/8", "fd00::1")
        )
    if how < 0.5:
        return "[" + ", ".join(_tree(source, depth - 1) for _item in range(source.randrange(4))) + "]"
    keys = source.sample(words, source.randrange(1, 6))
    return "{" + ", ".join(f"? {_quoted(key[:200])} : {_tree(source, depth - 1)}" for key in keys) + "}"


@pytest.mark.slow
def test_random_trees(seed: int, tmp_path: Path) -> None:
    source = random.Random(f"{seed} trees")
    sections = list(specs_of(Landscape))
    found = 0
    for number in range(FUZZ):
        chosen = source.sample(sections, source.randrange(1, 6))
        text = "".join(f"{section}: {_tree(source, 5)}\n" for section in chosen)
        (tmp_path / "lab.yml").write_text(text, encoding="utf-8")
        found += bool(_survives(tmp_path / "lab.yml", number))
    print(f"seed {seed}: {FUZZ} random trees, {found} with findings")
    assert found > FUZZ // 2
