# SPDX-License-Identifier: Apache-2.0
"""What a release cannot do is refused: rendered rows and added ones are judged as the models themselves would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import tables_fields, tables_models
from ansible_collections.scs.landscape.plugins.module_utils.sonic.model import RELEASE_NAMES
from ansible_collections.scs.landscape.plugins.module_utils.sonic.render import build, releases
from ansible_collections.scs.landscape.plugins.module_utils.sonic.tables import MODELLED
from ansible_collections.scs.landscape.tests.tools import gen_sonic_models
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import fabrics, golden


def modelled(release: str) -> dict[str, set[str]]:
    """Fields of each table, as the models of a release have them; ``*`` for any."""
    found: dict[str, set[str]] = {}
    for name, table in golden.models(release).tables.items():
        rows = (*table.lists, *table.fixed.values())
        found[name] = {leaf for row in rows for leaf in row.leaves} | {"*" for row in rows if row.inner}
    return found


def test_the_list_of_fields_is_what_the_models_have(repo: Path) -> None:
    folder = golden.shared("yang", "202605").parent
    assert gen_sonic_models.fields(folder) == {name: dict(known) for name, known in tables_fields.FIELDS.items()}
    written = (repo / gen_sonic_models.FIELDS_MODULE).read_text(encoding="utf-8")
    assert gen_sonic_models.fields_module(tables_models.RELEASES, tables_fields.FIELDS) == written


@pytest.mark.parametrize("release", MODELLED)
def test_every_table_and_field_of_any_release_is_judged_as_its_models_do(release: str) -> None:
    every = {name: fields for each in MODELLED for name, fields in modelled(each).items()}
    own = modelled(release)
    for name, fields in every.items():
        assert releases.has(release, name) == (name in own), name
        for field in fields:
            assert releases.has(release, name, field) == (field in own.get(name, ()) or "*" in own.get(name, ())), (
                f"{name} {field}"
            )
    differing = [name for name in every if every[name] != own.get(name)]
    assert bool(differing) == (release == MODELLED[0]), "the two releases do differ, or this proves nothing"


@pytest.mark.accept("S1.3")
@pytest.mark.parametrize("release", MODELLED)
@pytest.mark.parametrize("name", fabrics.LANDSCAPES)
def test_what_is_rendered_lacks_no_model_without_being_refused(name: str, release: str) -> None:
    own = modelled(release)
    for one in build.render_all(fabrics.view(name), build.Options(release)):
        without = {
            (table, "", "") if table not in own else (table, key, field)
            for table, rows in one.config.items()
            for key, row in rows.items()
            for field in (["", *row] if table in own else [""])
            if table not in own or (field and field not in own[table] and "*" not in own[table])
        }
        said = {issue.where for issue in one.issues if issue.rule in ("SR020", "SR021")}
        assert said == without, one.name


def _issues(tmp_path: Path, added: dict[str, Any], release: str, *, unmodelled: bool = False) -> dict[tuple, str]:
    document = fabrics.document()
    document["switches"]["leaf1"]["config_db"] = added
    view = fabrics.view_of(document, tmp_path)
    plain = build.render(fabrics.view_of(fabrics.document(), tmp_path), "leaf1", build.Options(release)).issues
    found = build.render(view, "leaf1", build.Options(release, unmodelled)).issues
    return {issue.where: f"{issue.severity} {issue.rule}" for issue in found if issue not in plain}


def test_every_addition_that_only_the_newer_release_has_is_refused_for_the_older(tmp_path: Path) -> None:
    old, new = (modelled(release) for release in MODELLED)
    fields = {name: sorted(new[name] - old[name] - {"*"}) for name in set(old) & set(new) if name != "VERSIONS"}
    added: dict[str, Any] = {name: {"x": {}} for name in set(new) - set(old)}
    added.update({name: {"x": dict.fromkeys(names, "1")} for name, names in fields.items() if names})
    expected = {(name, "", ""): "error SR020" for name in set(new) - set(old)}
    expected.update({(name, "x", field): "error SR021" for name, names in fields.items() for field in names})
    assert len(expected) > 60
    refused = {
        where: said
        for where, said in _issues(tmp_path, added, MODELLED[0]).items()
        if said.endswith(("SR020", "SR021"))
    }
    assert refused == expected
    assert not {said for said in _issues(tmp_path, added, MODELLED[1]).values() if said.endswith(("SR020", "SR021"))}
    warned = _issues(tmp_path, added, MODELLED[0], unmodelled=True)
    assert {warned[where] for where in expected} == {"warning SR020", "warning SR021"}


@pytest.mark.parametrize("release", MODELLED)
def test_an_addition_that_no_release_has_is_refused(tmp_path: Path, release: str) -> None:
    added = {"PRTO": {"Ethernet0": {"mtu": "9100"}}, "PORT": {"Ethernet0": {"mut": "9100"}}}
    assert _issues(tmp_path, added, release) == {
        ("PRTO", "", ""): "error SR020",
        ("PORT", "Ethernet0", "mut"): "error SR021",
    }


@pytest.mark.parametrize("release", RELEASE_NAMES)
def test_a_release_that_was_not_compared_says_so(release: str) -> None:
    rendered = build.render(fabrics.view("fabric"), "leaf1", build.Options(release))
    said = [issue.severity for issue in rendered.issues if issue.rule == "SR023"]
    assert said == ([] if release in MODELLED else ["warning"])


def test_between_two_proven_releases_what_is_not_known_is_said(tmp_path: Path) -> None:
    added = {"DNS_OPTIONS": {"x": {}}, "STP": {"GLOBAL": {}}, "SAG": {"GLOBAL": {}}}
    assert _issues(tmp_path, added, "202505") == {
        ("DNS_OPTIONS", "", ""): "warning SR020",
        ("STP", "", ""): "error SR020",
        ("SAG", "", ""): "error SR020",
    }
    assert ("STP", "", "") not in _issues(tmp_path, added, "202511")
    assert _issues(tmp_path, {"TACPLUS": {"global": {"key_encrypt": "false"}}}, "202511") == {
        ("TACPLUS", "global", "key_encrypt"): "warning SR021"
    }
