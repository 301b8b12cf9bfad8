# SPDX-License-Identifier: Apache-2.0
"""Differences per row and as patches (RFC 6902), with SONiC's own patches as a pin."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import diff
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import changing

BEFORE = {
    "VLAN": {"Vlan10": {"vlanid": "10", "description": "old"}, "Vlan11": {"vlanid": "11"}},
    "NTP_SERVER": {"192.0.2.1": {}},
    "ACL_TABLE": {"T": {"ports": ["Ethernet0", "Ethernet4"]}},
}
AFTER = {
    "VLAN": {"Vlan10": {"vlanid": "10", "mtu": "9100"}},
    "SYSLOG_SERVER": {"192.0.2.2": {"NULL": "NULL"}},
    "ACL_TABLE": {"T": {"ports": ["Ethernet4", "Ethernet0"]}},
}


def test_one_change_per_row_with_the_fields_that_differ():
    found = diff.changes(BEFORE, AFTER)
    assert [(change.action, change.name, change.fields) for change in found] == [
        ("delete", "NTP_SERVER|192.0.2.1", ()),
        ("create", "SYSLOG_SERVER|192.0.2.2", ()),
        ("update", "VLAN|Vlan10", ("description", "mtu")),
        ("delete", "VLAN|Vlan11", ("vlanid",)),
    ]


def test_an_empty_row_and_a_null_row_are_the_same_and_an_empty_table_is_none():
    assert diff.changes({"NTP_SERVER": {"a": {}}, "VLAN": {}}, {"NTP_SERVER": {"a": {"NULL": "NULL"}}}) == ()


def test_the_patch_is_what_rfc_6902_would_write():
    assert diff.patch(BEFORE, diff.changes(BEFORE, AFTER)) == [
        {"op": "remove", "path": "/NTP_SERVER"},
        {"op": "add", "path": "/SYSLOG_SERVER", "value": {"192.0.2.2": {}}},
        {"op": "remove", "path": "/VLAN/Vlan10/description"},
        {"op": "add", "path": "/VLAN/Vlan10/mtu", "value": "9100"},
        {"op": "remove", "path": "/VLAN/Vlan11"},
    ]


def test_applying_the_changes_or_the_patch_gives_the_other_configuration_and_back():
    found = diff.changes(BEFORE, AFTER)
    there = diff.apply(BEFORE, found)
    assert diff.changes(there, AFTER) == ()
    assert diff.rows_of(diff.apply_patch(BEFORE, diff.patch(BEFORE, found))) == diff.rows_of(there)
    assert diff.rows_of(diff.apply(there, diff.inverse(found))) == diff.rows_of(BEFORE)


def test_tables_can_be_left_out():
    assert [change.table for change in diff.changes(BEFORE, AFTER, ignore=["VLAN", "NTP_SERVER"])] == ["SYSLOG_SERVER"]


def test_a_change_on_another_row_than_expected_is_refused_without_showing_values():
    change = diff.changes(BEFORE, AFTER)[3]
    other = copy.deepcopy(BEFORE)
    other["VLAN"]["Vlan11"]["vlanid"] = "hidden"
    with pytest.raises(InputError) as caught:
        diff.apply(other, [change])
    assert "VLAN|Vlan11" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", changing.CHANGES)
def test_patches_of_the_updater_lead_to_the_same_rows(name):
    before, after, recorded = changing.change(name)
    assert diff.rows_of(diff.apply_patch(before, recorded["patch"])) == diff.rows_of(after)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/VLAN/Vlan99"},
        {"op": "replace", "path": "/VLAN/Vlan99", "value": {}},
        {"op": "add", "path": "/NO/Vlan99", "value": {}},
        {"op": "test", "path": "/VLAN/Vlan10/vlanid", "value": "11"},
        {"op": "shake", "path": "/VLAN", "value": {}},
        {"op": "add", "path": "VLAN", "value": {}},
        {"path": "/VLAN"},
        {"op": "add", "path": "/ACL_TABLE/T/ports/x", "value": "Ethernet8"},
    ],
    ids=["remove", "replace", "add", "test", "unknown", "no-pointer", "no-op", "no-index"],
)
def test_an_operation_that_does_not_fit_is_refused(operation):
    with pytest.raises(InputError):
        diff.apply_patch(BEFORE, [operation])


def test_list_items_can_be_patched_too():
    operations = [
        {"op": "add", "path": "/ACL_TABLE/T/ports/-", "value": "Ethernet8"},
        {"op": "remove", "path": "/ACL_TABLE/T/ports/0"},
        {"op": "test", "path": "/ACL_TABLE/T/ports", "value": ["Ethernet4", "Ethernet8"]},
        {"op": "copy", "from": "/VLAN/Vlan11", "path": "/VLAN/Vlan12"},
    ]
    done = diff.apply_patch(BEFORE, operations)
    assert done["ACL_TABLE"]["T"]["ports"] == ["Ethernet4", "Ethernet8"]
    assert done["VLAN"]["Vlan12"] == {"vlanid": "11"}
    assert BEFORE["ACL_TABLE"]["T"]["ports"] == ["Ethernet0", "Ethernet4"]


@pytest.mark.parametrize("config", [{"VLAN": []}, {"VLAN": {"Vlan10": "{'vlanid': '10'}"}}], ids=["table", "row"])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(InputError):
        diff.changes(config, {})
