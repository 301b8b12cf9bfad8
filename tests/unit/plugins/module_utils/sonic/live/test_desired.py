# SPDX-License-Identifier: Apache-2.0
"""The states: what of a switch stays, comes and goes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.core.redact import MASK
from ansible_collections.scs.landscape.plugins.module_utils.sonic import masking, plan
from ansible_collections.scs.landscape.plugins.module_utils.sonic.diff import RowChange
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live import desired
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.changing import Seen, make
from ansible_collections.scs.landscape.plugins.module_utils.sonic.live.model import Settings

BEFORE: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "a", "mac": "02:00:00:00:00:01", "type": "LeafRouter"}},
    "VLAN": {
        "Vlan10": {"vlanid": "10", "description": "old", "dhcp_servers": ["192.0.2.1"]},
        "Vlan20": {"vlanid": "20"},
    },
    "NTP_SERVER": {"192.0.2.1": {}},
}


@pytest.mark.parametrize(
    ("state", "said", "tables", "table", "wanted"),
    [
        (
            "merged",
            {"VLAN": {"Vlan10": {"dhcp_servers": ["192.0.2.2"]}}},
            (),
            "VLAN",
            {
                "Vlan10": {"vlanid": "10", "description": "old", "dhcp_servers": ["192.0.2.2"]},
                "Vlan20": {"vlanid": "20"},
            },
        ),
        (
            "replaced",
            {"VLAN": {"Vlan10": {"vlanid": "10"}}},
            (),
            "VLAN",
            {"Vlan10": {"vlanid": "10"}, "Vlan20": {"vlanid": "20"}},
        ),
        ("overridden", {"VLAN": {"Vlan10": {"vlanid": "10"}}}, (), "VLAN", {"Vlan10": {"vlanid": "10"}}),
        ("overridden", {"VLAN": {"Vlan10": {"vlanid": "10"}}}, (), "NTP_SERVER", {"192.0.2.1": {}}),
        ("overridden", {"VLAN": {"Vlan10": {"vlanid": "10"}}}, ("NTP_SERVER",), "NTP_SERVER", None),
        (
            "replaced",
            {"DEVICE_METADATA": {"localhost": {"hostname": "b"}}},
            (),
            "DEVICE_METADATA",
            {"localhost": {"hostname": "b", "mac": "02:00:00:00:00:01"}},
        ),
        (
            "deleted",
            {"VLAN": {"Vlan10": {"description": ""}}},
            (),
            "VLAN",
            {"Vlan10": {"vlanid": "10", "dhcp_servers": ["192.0.2.1"]}, "Vlan20": {"vlanid": "20"}},
        ),
        ("deleted", {"VLAN": {"Vlan10": None}}, (), "VLAN", {"Vlan20": {"vlanid": "20"}}),
        ("deleted", {"VLAN": None}, (), "VLAN", None),
        ("deleted", {"VLAN": {"Vlan77": {}}}, (), "VLAN", BEFORE["VLAN"]),
    ],
)
def test_a_state_leads_where_it_says(state: str, said: Any, tables: Any, table: str, wanted: Any) -> None:
    found = desired.wanted(state, BEFORE, desired.given(said, state), tables)
    assert found.get(table) == wanted
    assert desired.wanted(state, found, desired.given(said, state), tables) == found, "twice is once"


def test_numbers_and_truth_become_words() -> None:
    said = desired.given({"PORT": {"Ethernet0": {"mtu": 9100, "autoneg": True, "lanes": [1, 2]}}}, "merged")
    assert said == {"PORT": {"Ethernet0": {"mtu": "9100", "autoneg": "true", "lanes": ["1", "2"]}}}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"PORT": []},
        {"PORT": {"Ethernet0": "x"}},
        {"PORT": {"E": {"f": {"g": 1}}}},
        {"PORT": {"E": {"f": 1.5}}},
        {"A|B": {"x": {}}},
        {"T": {"k": {"l": ["a,b"]}}},
    ],
)
def test_what_is_no_configuration_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError):
        desired.given(wrong, "merged")


@pytest.mark.parametrize(
    ("table", "key", "before", "after", "refused"),
    [
        ("SNMP_COMMUNITY", "s3cret", None, {"TYPE": "RO"}, True),
        ("SNMP_COMMUNITY", "s3cret", {"TYPE": "RO"}, None, True),
        ("BGP_PEER_GROUP", "default|fabric", {"auth_password": "old"}, {"auth_password": "s3cret"}, True),
        ("BGP_PEER_GROUP", "default|fabric", None, {"auth_password": "s3cret"}, True),
        ("BGP_PEER_GROUP", "default|fabric", {"auth_password": "s3cret"}, None, False),
        ("BGP_PEER_GROUP", "default|fabric", {"auth_password": "s"}, {"auth_password": "s", "asn": "1"}, False),
    ],
)
def test_the_updater_is_never_told_a_secret(table: str, key: str, before: Any, after: Any, refused: bool) -> None:
    changes = [RowChange(table, key, before, after)]
    desired.tells_no_secret(changes, "ordered")
    if not refused:
        desired.tells_no_secret(changes, "patch")
        return
    with pytest.raises(InputError, match="would hold secrets") as caught:
        desired.tells_no_secret(changes, "patch")
    assert "s3cret" not in str(caught.value)


def test_a_plan_for_the_updater_is_refused_when_it_holds_a_secret() -> None:
    answer = {"rows": {}, "digest": "", "saved": "{}", "version": {"build_version": "SONiC.202505.1"}}
    seen = Seen.of("leaf1", answer)
    with pytest.raises(InputError, match="would hold secrets"):
        make(seen, Settings({"SNMP_COMMUNITY": {"s3cret": {"TYPE": "RO"}}}, "t", "o", strategy="patch"))


def test_the_way_back_leaves_what_daemons_write() -> None:
    versions = {"VERSIONS|DATABASE": {"VERSION": "version_202505_01"}}
    kept = {**versions, "FLEX_COUNTER_TABLE|PORT": {"FLEX_COUNTER_STATUS": "enable"}, "NTP_SERVER|192.0.2.1": {}}
    rows = {**versions, "FLEX_COUNTER_TABLE|PORT": {"FLEX_COUNTER_STATUS": "disable"}, "VLAN|Vlan10": {"vlanid": "10"}}
    rows["LOGGER|orchagent"] = {"LOGLEVEL": "INFO"}
    config, tables = desired.at_checkpoint(kept, rows)
    assert config == {"NTP_SERVER": {"192.0.2.1": {}}}
    assert tables == ("VLAN",)
    said = Settings(config, "t", "o", state="overridden", tables=tables, ignore_tables=plan.RUNTIME_OWNED)
    answer = {"rows": rows, "digest": "", "saved": "{}", "version": {"build_version": "SONiC.202505.1"}}
    steps = make(Seen.of("leaf1", answer), said).steps
    assert {step[0] for step in steps} == {"NTP_SERVER|192.0.2.1", "VLAN|Vlan10"}


def test_a_checkpoint_of_another_image_is_no_place_to_go_back_to() -> None:
    kept, rows = ({"VERSIONS|DATABASE": {"VERSION": f"version_{name}_01"}} for name in ("202411", "202505"))
    with pytest.raises(InputError, match="of version version_202411_01 of the database"):
        desired.at_checkpoint(kept, rows)
    with pytest.raises(InputError, match="none"):
        desired.at_checkpoint({}, rows)


#: Secrets in fields and in keys.
SECRETS: dict[str, Any] = {
    "NTP_SERVER": {"192.0.2.1": {}},
    "SNMP_COMMUNITY": {"one": {"TYPE": "RO"}, "other": {"TYPE": "RW"}},
    "TACPLUS_SERVER": {"192.0.2.7": {"passkey": "hidden", "priority": "1"}},
}


@pytest.mark.parametrize("state", ["merged", "replaced", "overridden"])
def test_a_masked_backup_leaves_secrets_as_they_are(state: str) -> None:
    backup = masking.config(SECRETS)
    backup["NTP_SERVER"] = {"192.0.2.2": {}}
    assert "hidden" not in str(backup)
    found = desired.unmasked(backup, SECRETS, state)
    assert found == {**SECRETS, "NTP_SERVER": {"192.0.2.2": {}}}
    assert MASK not in str(desired.wanted(state, SECRETS, found))
    assert MASK in str(backup), "what was given is not changed"


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"TACPLUS_SERVER": {}}, r"TACPLUS_SERVER\|192.0.2.7 passkey"),
        ({"TACPLUS_SERVER": {"192.0.2.7": {"priority": "1"}}}, r"TACPLUS_SERVER\|192.0.2.7 passkey"),
        ({"SNMP_COMMUNITY": {"one": {"TYPE": "RO"}}}, "does not have: SNMP_COMMUNITY"),
        ({"SNMP_COMMUNITY": {"one": {"TYPE": "RO"}, "other": {"TYPE": "RO"}}}, "does not have: SNMP_COMMUNITY"),
    ],
    ids=["row", "field", "one of two keys", "another row"],
)
def test_a_mask_is_never_written(lacking: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        desired.unmasked(masking.config(SECRETS), {**SECRETS, **lacking}, "overridden")
    assert "sonic_checkpoint" in str(caught.value)


def test_rows_with_masked_keys_are_not_deleted_by_them() -> None:
    with pytest.raises(InputError, match="SNMP_COMMUNITY"):
        desired.unmasked(masking.config(SECRETS), SECRETS, "deleted")
    field = {"TACPLUS_SERVER": {"192.0.2.7": {"passkey": MASK}}}
    assert desired.unmasked(field, SECRETS, "deleted") == field, "a field is deleted by its name"
