# SPDX-License-Identifier: Apache-2.0
"""CONFIG_DB between Redis and JSON: nothing is lost, and what cannot be kept is refused."""

from __future__ import annotations

import json
import random
import string

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, diff
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden


def test_the_three_marks_of_redis():
    config = {
        "VLAN": {"Vlan10": {"vlanid": "10", "dhcp_servers": ["192.0.2.1", "192.0.2.2"]}},
        "LOOPBACK_INTERFACE": {"Loopback0": {}, "Loopback0|10.0.0.1/32": {}},
        "ACL_TABLE": {"A": {"ports": []}},
    }
    hashes = {
        "VLAN|Vlan10": {"vlanid": "10", "dhcp_servers@": "192.0.2.1,192.0.2.2"},
        "LOOPBACK_INTERFACE|Loopback0": {"NULL": "NULL"},
        "LOOPBACK_INTERFACE|Loopback0|10.0.0.1/32": {"NULL": "NULL"},
        "ACL_TABLE|A": {"ports@": ""},
    }
    assert codec.to_redis(config) == hashes
    assert codec.from_redis(hashes) == config


@pytest.mark.accept("S1.7")
def test_the_mark_of_an_empty_row_may_stand_in_files_and_is_never_lost_or_doubled():
    marked = {"NTP_SERVER": {"192.0.2.1": {"NULL": "NULL"}, "192.0.2.2": {"NULL": "NULL", "iburst": "on"}}}
    hashes = {"NTP_SERVER|192.0.2.1": {"NULL": "NULL"}, "NTP_SERVER|192.0.2.2": {"iburst": "on"}}
    plain = {"NTP_SERVER": {"192.0.2.1": {}, "192.0.2.2": {"iburst": "on"}}}
    assert codec.to_redis(marked) == codec.to_redis(plain) == hashes
    assert codec.from_redis(hashes) == codec.check(marked)[0] == plain
    assert codec.hash_to_row({"NULL": "NULL", "iburst": "on"}) == {"iburst": "on"}


@pytest.mark.accept("S1.7")
def test_a_list_without_items_is_written_by_sonic_as_one_empty_item_and_both_are_the_same():
    written, plain = {"ACL_TABLE": {"A": {"ports": [""]}}}, {"ACL_TABLE": {"A": {"ports": []}}}
    assert codec.check(written) == (plain, [])
    assert codec.to_redis(written) == codec.to_redis(plain) == {"ACL_TABLE|A": {"ports@": ""}}
    assert diff.changes(written, plain) == diff.changes(plain, written) == ()
    assert diff.RowChange("ACL_TABLE", "A", {"ports": [""]}, {"ports": []}).fields == ()
    assert not diff.same([""], ["Ethernet0"])
    assert not diff.same(["", ""], [])


def test_a_field_called_null_with_a_value_is_seen_and_refused_rather_than_lost():
    assert codec.hash_to_row({"NULL": "x"}) == {"NULL": "x"}
    with pytest.raises(InputError, match="may not be called"):
        codec.row_to_hash({"NULL": "x"})


def test_what_is_no_row_is_left_out():
    assert codec.from_redis({codec.INITIALISED: {"x": "1"}, "PORT|Ethernet0": {"mtu": "9100"}}) == {
        "PORT": {"Ethernet0": {"mtu": "9100"}}
    }


@pytest.mark.accept("S1.7")
@pytest.mark.parametrize("name", golden.SWITCHES + golden.BACKUPS)
def test_real_configurations_come_back_as_they_went(name):
    config = golden.config(name)
    assert codec.from_redis(codec.to_redis(config)) == config


@pytest.mark.accept("S1.7")
def test_made_up_configurations_come_back_as_they_went(seed):
    dice = random.Random(seed)

    def text(letters=string.ascii_letters + string.digits + " :/.@|{}\\\"'\n\u00e4\u2603", least=0):
        return "".join(dice.choice(letters) for _index in range(dice.randint(least, 12)))

    for _round in range(200):
        row = {}
        for _field in range(dice.randint(0, 5)):
            name = text(string.ascii_letters + "-_", 1)
            items = [text().replace(",", "") or "x" for _item in range(dice.randint(0, 4))]
            row[name] = items if dice.random() < 0.4 else text()
        config = {text(string.ascii_uppercase + "_", 1): {text(least=1): row}}
        assert codec.from_redis(codec.to_redis(config)) == config, config


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"A": {"b": {"c": ["x,y"]}}}, "cannot keep"),
        ({"A": {"b": {"c@": "x"}}}, "may not be called"),
        ({"A": {"b": {"NULL": ["NULL"]}}}, "may not be called"),
        ({"A|b": {"c": {}}}, "no name of a table"),
        ({"A": {"": {}}}, "without a key"),
    ],
    ids=["comma", "marked name", "null", "table", "key"],
)
def test_what_redis_could_not_give_back_is_refused(config, word):
    with pytest.raises(InputError, match=word):
        codec.to_redis(config)


def test_anything_can_be_checked_and_the_rest_is_kept():
    data = json.loads('{"A": {"b": {"c": 1, "d": "x", "e": ["y"], "f": ["z", 2]}, "g": "text", "": {}}, "H": []}')
    config, faults = codec.check(data)
    assert config == {"A": {"b": {"d": "x", "e": ["y"]}}}
    assert [fault[:3] for fault in faults] == [
        ("A", "b", "c"),
        ("A", "b", "f"),
        ("A", "g", ""),
        ("A", "", ""),
        ("H", "", ""),
    ]


@pytest.mark.parametrize("data", [[], None, "x", 3], ids=repr)
def test_what_is_no_object_is_no_configuration(data):
    assert codec.check(data)[1]


def test_keys_are_split_and_joined():
    assert codec.join_key(*codec.split_key("default|fe80::1|ipv4_unicast")) == "default|fe80::1|ipv4_unicast"
