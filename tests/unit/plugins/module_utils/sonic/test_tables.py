# SPDX-License-Identifier: Apache-2.0
"""What we say of the tables equals what the models of both releases say."""

from __future__ import annotations

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.sonic import model, tables, tables_models, tables_rows
from ansible_collections.scs.landscape.tests.tools import gen_sonic_models
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden


def described():
    """keys, references and list fields by table, over both releases; the newer release's keys count."""
    found = {}
    for release in golden.RELEASES:
        for name, table in golden.models(release).tables.items():
            keys = ["|".join(row.keys) for row in table.lists]
            entry = found.setdefault(name, {"refs": {}, "lists": set(), "in": []})
            entry.update({"keys": keys})
            entry["in"].append(release)
            for row in (*table.lists, *table.fixed.values()):
                for leaf in row.leaves.values():
                    if leaf.refs:
                        targets, _loose = entry["refs"].get(leaf.name, ({}, False))
                        entry["refs"][leaf.name] = ({**targets, **dict.fromkeys(leaf.refs)}, leaf.base == "union")
                    if leaf.many:
                        entry["lists"].add(leaf.name)
    return found


def test_every_row_is_what_the_models_say():
    models = described()
    for name, keys, refs, lists, modelled in tables_rows.ROWS:
        told = models[name]
        assert sorted(keys.split()) == sorted(told["keys"]), name
        assert set(lists.split()) == told["lists"], name
        assert tuple(modelled.split() or tables.MODELLED) == tuple(told["in"]), name
        written = {}
        for word in refs.split():
            mark = ">" if ">" in word else "?"
            source, targets = word.split(mark)
            written[source] = (set(targets.split(",")), mark == "?")
        assert written == {field: (set(targets), loose) for field, (targets, loose) in told["refs"].items()}, name


def test_the_list_of_modelled_tables_is_what_the_models_have(repo):
    folder = golden.shared("yang", "202605").parent
    assert gen_sonic_models.names(folder) == dict(tables_models.RELEASES)
    written = (repo / gen_sonic_models.MODULE).read_text(encoding="utf-8")
    assert gen_sonic_models.module(tables_models.RELEASES) == written


def test_a_table_that_is_known_by_name_alone_says_which_models_have_it():
    assert tables.table("SWITCH_HASH").modelled == ("202411", "202605")
    assert tables.table("ZTP").modelled == ("202605",)
    assert tables.table("BREW_COFFEE").modelled == ()
    assert all(table.modelled == tables_models.RELEASES.get(name, ()) for name, table in tables.TABLES.items())


def test_what_is_said_to_have_no_model_has_none():
    models = described()
    listed = {row[0] for row in tables_rows.ROWS}
    assert not [name for name in tables.TABLES if name not in listed and name in models]


@pytest.mark.parametrize("name", golden.SWITCHES + golden.BACKUPS)
def test_every_reference_of_a_golden_fabric_resolves(name):
    config = golden.config(name)
    broken = []
    for table, rows in config.items():
        for key, row in rows.items():
            known = tables.table(table)
            parts = known.parts_of(key)
            for reference in known.references:
                for target in tables.referred(reference, parts, row):
                    if not reference.loose and not any(target in config.get(each, {}) for each in reference.targets):
                        broken.append(f"{table}|{key} {reference.source}: {target}")
    assert bool(broken) == (name in ("st01-sw100g-r01-u41", "st01-sw1g-r01-u42")), broken


def test_parts_of_keys():
    table = tables.table("VLAN_INTERFACE")
    assert table.parts_of("Vlan10") == {"name": "Vlan10"}
    assert table.parts_of("Vlan10|fd00::1/64") == {"name": "Vlan10", "ip-prefix": "fd00::1/64"}
    assert table.parts_of("Vlan10|a|b") == {}
    assert table.key_parts == ("name", "ip-prefix")
    assert tables.table("NOT_KNOWN") == tables.Table("NOT_KNOWN")


def test_a_reference_may_need_more_of_the_key_than_its_value():
    reference = next(each for each in tables.table("BGP_NEIGHBOR").references if each.source == "peer_group_name")
    row = {"peer_group_name": "fabric"}
    assert list(tables.referred(reference, {"vrf_name": "VrfBlue", "neighbor": "Ethernet0"}, row)) == ["VrfBlue|fabric"]
    assert list(tables.referred(reference, {}, {})) == []


def test_an_address_refers_to_the_row_of_its_interface():
    own = [each for each in tables.table("INTERFACE").references if each.targets == ("INTERFACE",)]
    assert [list(tables.referred(own[0], {"name": "Ethernet0", "ip-prefix": "10.0.0.1/31"}, {}))] == [["Ethernet0"]]


@pytest.mark.parametrize(
    ("name", "release", "dialect"),
    [
        ("a-underlay.leaf1", "202605", "unified"),
        ("st01-sw100g-r01-u41", "202411", "unified"),
        ("st01-sw1g-r01-u42", "202411", "unified"),
        ("st01-sw25g-r01-u34", "", "enterprise"),
    ],
)
def test_a_configuration_says_its_release_and_dialect(name, release, dialect):
    config = golden.config(name)
    assert (model.release_of(config), model.dialect_of(config)) == (release, dialect)


def test_dialects_of_the_smallest_configurations():
    def meta(**fields):
        return {"DEVICE_METADATA": {"localhost": fields}}

    assert model.dialect_of({}) == "bgpcfgd"
    assert model.dialect_of(meta(docker_routing_config_mode="split-unified")) == "split"
    assert model.dialect_of(meta(docker_routing_config_mode="unified", frr_mgmt_framework_config="true")) == "unified"
    assert model.hostname_of(meta(hostname="leaf1")) == "leaf1"
    assert model.hostname_of({}) == ""


def test_issues_read_well():
    issue = model.Issue(
        "SL001", "error", "leaf1", "PORT", "Ethernet0", "lanes", "are taken", "take others", ("202605",)
    )
    assert str(issue) == "leaf1: error SL001 PORT|Ethernet0 lanes: are taken (take others)"
    assert issue.as_dict() == {
        "rule": "SL001",
        "severity": "error",
        "switch": "leaf1",
        "table": "PORT",
        "key": "Ethernet0",
        "field": "lanes",
        "message": "are taken",
        "hint": "take others",
        "releases": ["202605"],
    }
