# SPDX-License-Identifier: Apache-2.0
"""Properties that hold for any configuration: differences, order and codec. The run's seed decides the examples."""

from __future__ import annotations

import copy
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, configuration, given, seed, settings
from hypothesis import strategies as st

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, diff, order, plan, relations
from ansible_collections.scs.landscape.tests.conftest import SEED

pytestmark = pytest.mark.slow

# Its tables of characters belong beside the other caches, not into the checkout.
configuration.set_hypothesis_home_dir(
    Path(os.environ.get("SCS_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "scs-hypothesis"
)

#: Bounded, without a clock and without a database of examples: the same seed gives the same run anywhere.
BOUNDED = settings(
    max_examples=60, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck)
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="|\x00"), max_size=8)
NAME = st.text(st.characters(codec="utf-8", exclude_characters="|@\x00"), min_size=1, max_size=8).filter(
    lambda name: name != "NULL"
)
ITEM = st.text(st.characters(codec="utf-8", exclude_characters=",\x00"), min_size=1, max_size=6)
ROW = st.dictionaries(NAME, st.one_of(TEXT, st.lists(ITEM, max_size=4)), max_size=4)
#: Rows with the mark of an empty row, alone or beside fields.
MARKED = st.one_of(ROW, ROW.map(lambda fields: {**fields, "NULL": "NULL"}))
STORED = st.dictionaries(
    NAME, st.dictionaries(st.lists(NAME, min_size=1, max_size=3).map("|".join), MARKED, min_size=1)
)
KEY = st.lists(NAME, min_size=1, max_size=3).map("|".join)
ANY = st.dictionaries(NAME, st.dictionaries(KEY, ROW, min_size=1, max_size=4), max_size=4)


def choice(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


PORTS = choice("Ethernet0", "Ethernet1", "Ethernet2", "Ethernet3")
VLANS = choice("Vlan10", "Vlan20", "Vlan30")
VRFS = choice("VrfA", "VrfB")
ADDRESSES = choice("192.0.2.1/24", "198.51.100.1/24", "2001:db8::1/64")


def row(required: dict[str, st.SearchStrategy[str]], **optional: st.SearchStrategy[str]) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries(required, optional=optional)


def keyed(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("|".join)


def table(key: st.SearchStrategy[str], rows: st.SearchStrategy[dict]) -> st.SearchStrategy[dict]:
    return st.dictionaries(key, rows, min_size=1, max_size=4)


#: Rows that stand on each other, claim the same things, and change what can only be made again.
SWITCH = st.fixed_dictionaries(
    {},
    optional={
        "PORT": table(
            PORTS,
            row(
                {"lanes": choice("1", "2", "1,2", "3,4")},
                admin_status=choice("up", "down"),
                speed=choice("10000", "25000"),
            ),
        ),
        "PORTCHANNEL": table(choice("PortChannel1"), row({}, min_links=choice("1", "2"))),
        "PORTCHANNEL_MEMBER": table(keyed(choice("PortChannel1"), PORTS), row({})),
        "VLAN": table(VLANS, row({}, description=choice("a", "b"))),
        "VLAN_MEMBER": table(keyed(VLANS, PORTS), row({"tagging_mode": choice("tagged", "untagged")})),
        "VLAN_INTERFACE": table(st.one_of(VLANS, keyed(VLANS, ADDRESSES)), row({}, vrf_name=VRFS)),
        "INTERFACE": table(st.one_of(PORTS, keyed(PORTS, ADDRESSES)), row({}, vrf_name=VRFS)),
        "VRF": table(VRFS, row({}, vni=choice("1", "2"))),
        "VXLAN_TUNNEL": table(choice("vtep"), row({"src_ip": choice("192.0.2.1", "192.0.2.2")})),
        "VXLAN_TUNNEL_MAP": table(
            keyed(choice("vtep"), choice("a", "b")), row({"vlan": VLANS, "vni": choice("1", "2")})
        ),
        "ACL_TABLE": table(
            choice("T", "U"), st.fixed_dictionaries({"ports": st.lists(PORTS, max_size=3, unique=True)})
        ),
        "BGP_GLOBALS": table(choice("default"), row({"local_asn": choice("65001", "65002")})),
        "BGP_NEIGHBOR": table(keyed(choice("default"), PORTS), row({}, asn=choice("65010", "65011"))),
        "NTP_SERVER": table(choice("192.0.2.1", "192.0.2.2", "192.0.2.3"), row({})),
    },
)


def settled(config: dict) -> dict:
    """The configuration without rows that claim what another row has already."""
    taken: dict[str, str] = {}
    rows = {}
    for place, content in diff.rows_of(config).items():
        claims = relations.claims(place, content)
        if all(taken.get(resource, mode) == mode for resource, mode in claims):
            taken.update(claims)
            rows[place] = content
    return diff.config_of(rows)


#: Configurations that may contradict themselves, and such that do not.
WILD = st.tuples(SWITCH, SWITCH)
PAIR = st.tuples(SWITCH.map(settled), SWITCH.map(settled))


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(ANY, ANY)
def test_differences_lead_there_and_their_inverse_leads_back(before, after):
    found = diff.changes(before, after)
    assert diff.rows_of(diff.apply(before, found)) == {
        place: content if not diff.equal(content, diff.rows_of(before).get(place)) else diff.rows_of(before)[place]
        for place, content in diff.rows_of(after).items()
    }
    there = diff.apply(before, found)
    assert diff.changes(there, after) == ()
    assert diff.rows_of(diff.apply(there, diff.inverse(found))) == diff.rows_of(before)
    assert diff.inverse(diff.inverse(found)) == found
    assert diff.rows_of(diff.apply_patch(before, diff.patch(before, found))) == diff.rows_of(there)


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(PAIR)
def test_ordered_writes_lead_there_and_back_and_every_one_fits(pair):
    before, after = pair
    steps = order.ordered(before, after)
    there = diff.apply(before, steps)
    assert diff.changes(there, after) == ()
    assert diff.rows_of(diff.apply(there, diff.inverse(steps))) == diff.rows_of(before)
    assert diff.rows_of(diff.apply_patch(before, diff.patch(before, steps))) == diff.rows_of(there)
    assert all(step.before is not step.after for step in steps)


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(PAIR)
def test_no_row_stands_without_what_it_stands_on_and_nothing_is_claimed_twice(pair):
    before, after = pair

    def missing(rows):
        return {
            (place, parent)
            for place, content in rows.items()
            for parent in relations.needs(place, content)
            if parent not in rows
        }

    rows = diff.rows_of(before)
    known = missing(rows) | missing(diff.rows_of(after))
    for step in order.ordered(before, after):
        diff.advance(rows, step)
        assert missing(rows) <= known, step
        assert settled(diff.config_of(rows)) == diff.config_of(rows), step


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(WILD, st.randoms(use_true_random=False))
def test_the_order_of_tables_rows_and_fields_does_not_matter(pair, generator):
    def shuffled(data):
        if not isinstance(data, dict):
            return data
        items = list(data.items())
        generator.shuffle(items)
        return {name: shuffled(value) for name, value in items}

    def outcome(before, after):
        try:
            made = plan.plan_fabric([plan.plan_switch("leaf1", before, after)])
        except LandscapeError as error:
            return str(error)
        return made.plan.as_dict(), made.switches["leaf1"].as_dict()

    assert outcome(*pair) == outcome(*(shuffled(copy.deepcopy(config)) for config in pair))


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(SWITCH)
def test_a_configuration_beside_itself_gives_an_empty_plan(config):
    assert plan.plan_switch("leaf1", config, copy.deepcopy(config)).changes == ()


@pytest.mark.accept("S1.7")
@seed(SEED)
@BOUNDED
@given(STORED)
def test_a_configuration_comes_back_from_redis_as_it_went(config):
    stored = codec.to_redis(config)
    assert codec.from_redis(stored) == {
        table: {key: diff.clean_row(row) for key, row in rows.items()} for table, rows in config.items()
    }
    assert all(stored.values()), "Redis keeps no hash without fields"
    assert codec.to_redis(codec.from_redis(stored)) == stored


def test_the_run_has_one_seed(seed):
    assert seed == SEED
    assert random.Random(seed).random() == random.Random(SEED).random()
