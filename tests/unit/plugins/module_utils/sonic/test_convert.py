# SPDX-License-Identifier: Apache-2.0
"""Enterprise backups for community SONiC: the result, and a committed list of all that is not what it was."""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import convert, model
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing, golden

#: The one of the three backups that Edgecore's Enterprise SONiC wrote.
BACKUP = "st01-sw25g-r01-u34"
EXPECTED = golden.REPO / "tests" / "unit" / "fixtures" / "sonic" / "enterprise-conversion.yml"
METADATA = {"DEVICE_METADATA": {"localhost": {"hwsku": "Accton-AS7326-56X", "docker_routing_config_mode": "split"}}}


def rows(made):
    """The notes as the committed list has them: places by action, kind and reason."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for note in made.notes:
        found.setdefault((note.action, note.table, note.field, note.why), []).append(note.as_dict().get("key", ""))
    return [
        {"action": action, "table": table, "field": field, "why": why, "keys": keys}
        for (action, table, field, why), keys in sorted(found.items())
    ]


@pytest.mark.accept("S1.10")
def test_every_dropped_and_changed_row_of_the_backup_is_in_the_committed_report():
    made = convert.convert(golden.config(BACKUP))
    expected = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    assert rows(made) == expected["notes"]
    assert made.counts == expected["counts"]


@pytest.mark.accept("S1.10")
def test_no_row_changes_without_a_word():
    before = golden.config(BACKUP)
    made = convert.convert(before)
    assert convert.unexplained(before, made) == []
    silent = convert.Converted(made.config, tuple(note for note in made.notes if note.table != "REST_SERVER"))
    assert convert.unexplained(before, silent) == ["REST_SERVER|default"]


@pytest.mark.slow
@pytest.mark.accept("S1.10")
@pytest.mark.parametrize("release", golden.RELEASES)
def test_the_result_is_valid_in_the_community_s_models(release):
    made = convert.convert(golden.config(BACKUP))
    with changing.judge(release) as judge:
        assert judge.faults(made.config) == set()
        assert judge.faults(golden.config(BACKUP))


@pytest.mark.accept("S1.10")
def test_the_result_is_of_the_community_s_dialect_and_the_linter_finds_what_is_expected():
    made = convert.convert(golden.config(BACKUP))
    assert model.dialect_of(made.config) == "unified"
    issues = validate.check(Fabric([Switch(BACKUP, made.config, changing.RELEASE)]))
    expected = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))["findings"]
    assert sorted({f"{issue.severity} {issue.rule}" for issue in issues}) == expected


def test_it_leaves_its_input_as_it_was():
    before = golden.config(BACKUP)
    kept = copy.deepcopy(before)
    convert.convert(before)
    assert before == kept


@pytest.mark.parametrize("name", ["st01-sw100g-r01-u41", "st01-sw1g-r01-u42"])
def test_a_configuration_of_the_community_is_refused(name):
    with pytest.raises(InputError, match="dialect"):
        convert.convert(golden.config(name))


def test_an_address_written_as_text_becomes_a_row_when_there_is_none():
    text = {"MGMT_PORT": {"eth0": {"admin_status": "up", "eth0|192.0.2.7/24": "{'gwaddr': '192.0.2.1'}"}}}
    made = convert.convert({**METADATA, "REST_SERVER": {"default": {}}, **text})
    assert made.config["MGMT_INTERFACE"] == {"eth0|192.0.2.7/24": {"gwaddr": "192.0.2.1"}}
    assert made.config["MGMT_PORT"] == {"eth0": {"admin_status": "up"}}


@pytest.mark.parametrize("text", ["{", "[1]", "__import__('os').getcwd()", "{'a': {1}}", "x" * 5000, "(" * 3000])
def test_text_that_cannot_be_read_is_no_row_and_nothing_runs(text):
    port = {"MGMT_PORT": {"eth0": {"eth0|192.0.2.7/24": text}}}
    made = convert.convert({**METADATA, "REST_SERVER": {"default": {}}, **port})
    assert made.config["MGMT_INTERFACE"] == {"eth0|192.0.2.7/24": {}}


def test_a_port_that_is_broken_out_is_named_as_missing_and_stays():
    row = {"lanes": "77,78", "alias": "Eth49/1(Port49)", "speed": "50000", "parent_port": "Ethernet48"}
    made = convert.convert({**METADATA, "PORT": {"Ethernet48": row, "Ethernet50": {**row, "lanes": "79,80"}}})
    missing = [(note.key, note.field) for note in made.notes if note.action == "missing" and note.table == "PORT"]
    assert missing == [("Ethernet48", "lanes"), ("Ethernet50", "alias")]
    assert made.config["PORT"]["Ethernet48"]["lanes"] == "77,78"


def test_hardware_without_a_port_map_keeps_its_aliases_and_says_so():
    metadata = {"DEVICE_METADATA": {"localhost": {"hwsku": "Other-1"}}}
    made = convert.convert({**metadata, "PORT": {"Ethernet0": {"alias": "Eth1", "parent_port": "Ethernet0"}}})
    assert made.config["PORT"] == {"Ethernet0": {"alias": "Eth1"}}
    assert next(note.why for note in made.notes if note.field == "alias").startswith("the port map of Other-1")


def test_a_breakout_is_dropped_with_what_the_port_map_has_there():
    def why(hwsku, key, ports):
        metadata = {"DEVICE_METADATA": {"localhost": {"hwsku": hwsku, "docker_routing_config_mode": "split"}}}
        breakout = {"BREAKOUT_CFG": {key: {"brkout_mode": "x"}}, "PORT": ports, "REST_SERVER": {"default": {}}}
        made = convert.convert({**metadata, **breakout})
        assert "BREAKOUT_CFG" not in made.config
        return next(note.why for note in made.notes if note.table == "BREAKOUT_CFG")

    model = "Accton-AS7326-56X"
    assert "has these ports already" in why(
        model, "Ethernet5", {"Ethernet0": {"lanes": "3", "parent_port": "Ethernet5"}}
    )
    child = {"lanes": "77,78", "parent_port": "Ethernet48"}
    assert "has other ports there" in why(model, "Ethernet48", {"Ethernet48": child})
    assert "not known here" in why("Other-1", "Ethernet48", {"Ethernet48": child})


@pytest.mark.parametrize("table", ["FEATURE", "AUTO_TECHSUPPORT_FEATURE"])
def test_a_container_under_its_old_and_its_new_name_keeps_the_new_row(table):
    rows = {"telemetry": {"state": "disabled"}, "gnmi": {"state": "enabled"}}
    before = {**METADATA, "REST_SERVER": {"default": {}}, table: rows}
    made = convert.convert(before)
    assert made.config[table] == {"gnmi": {"state": "enabled"}}
    dropped = [(note.table, note.key) for note in made.notes if note.action == "dropped"]
    assert (table, "telemetry") in dropped
    assert convert.unexplained(before, made) == []
    alone = convert.convert({**before, table: {"telemetry": {"state": "disabled"}}})
    assert alone.config[table] == {"gnmi": {"state": "disabled"}}


def test_routing_that_is_in_the_backup_is_kept():
    routing = {"BGP_GLOBALS": {"default": {"local_asn": "65001"}}}
    made = convert.convert({**METADATA, "REST_SERVER": {"default": {}}, **routing})
    assert made.config["BGP_GLOBALS"] == routing["BGP_GLOBALS"]
    assert made.counts["missing"] == 0


@pytest.mark.parametrize("table", ["TELEMETRY", "SWITCH_HASH", "SNMP_AGENT_ADDRESS_CONFIG", "NAT_POOL", "GNMI", "ZTP"])
def test_tables_of_the_community_s_models_stay_also_those_known_by_name_alone(table):
    rows = {table: {"a": {"b": "c"}}}
    made = convert.convert({**METADATA, "REST_SERVER": {"default": {}}, **rows, "BREW": {"x": {}}})
    assert made.config[table] == rows[table]
    assert [note.table for note in made.notes if note.action == "dropped"] == ["BREW", "REST_SERVER"]


def test_secrets_are_masked_in_notes():
    config = {
        **METADATA,
        "REST_SERVER": {"default": {}},
        "BREW": {"x": {}},
        "SNMP_COMMUNITY": {"canary": {"TYPE": "RO"}},
    }
    made = convert.convert(config)
    assert "canary" in made.config["SNMP_COMMUNITY"]
    assert "canary" not in json.dumps([note.as_dict() for note in made.notes])
    note = convert.Note("dropped", "SNMP_COMMUNITY", "canary", "", "why")
    assert "canary" not in json.dumps(note.as_dict())
    assert "canary" not in json.dumps(
        convert.Note("changed", "RADIUS", "global", "passkey", "why", "canary", "canary").as_dict()
    )


@pytest.mark.parametrize("config", [{"PORT": []}, {"PORT": {"Ethernet0": "up"}}], ids=["table", "row"])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(InputError):
        convert.convert(config)
