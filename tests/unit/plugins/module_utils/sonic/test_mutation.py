# SPDX-License-Identifier: Apache-2.0
"""Small mistakes in switch configurations: no traceback, refused where the models refuse, the rest explained or listed here."""

from __future__ import annotations

import contextlib
import os
import random
from collections import Counter

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, plan, yang_check
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import form, validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import golden, mutants

RELEASE = "202605"
#: Two thousand mutants in `make test-all`, a quarter in every other run.
DRAWS = 2000 if os.environ.get("SCS_FULL") else 500
#: At most so many of them are neither refused nor explained. One in three mistakes is a row or field less.
SILENT = 0.25

_KEYS = ("duplicate", "key typo")
_ANOTHER = "another address, name or family of the same form is as good a wish; only the landscape or the switch knows"
_TEXT = "a text for people, or a name that only the switch itself can contradict"
_NUMBER = "another number within the range of the model is as good a wish"

_TEXTS = {
    "BGP_NEIGHBOR": "name",
    "DEVICE_METADATA": "hostname hwsku platform timezone mac",
    "MGMT_PORT": "alias",
    "PORT": "alias description",
    "VLAN": "description",
}
_NUMBERS = {
    "BGP_GLOBALS": "local_asn",
    "BGP_GLOBALS_AF": "max_ebgp_paths",
    "BGP_NEIGHBOR": "asn holdtime keepalive",
    "BGP_NEIGHBOR_AF": "max_prefix_limit max_prefix_warning_threshold",
    "BGP_PEER_GROUP": "holdtime keepalive",
    "PORT": "index mtu lanes speed",
    "PORTCHANNEL": "min_links mtu",
    "ROUTE_MAP": "set_local_pref set_med",
    "STATIC_ROUTE": "distance",
    "VXLAN_TUNNEL_MAP": "vni",
}
_NAMES = {
    "BGP_NEIGHBOR_AF": "route_map_in route_map_out",
    "BGP_PEER_GROUP_AF": "route_map_in route_map_out",
    "DHCP_RELAY": "dhcpv6_servers",
    "MGMT_INTERFACE": "gwaddr",
    "ROUTE_MAP": "match_prefix_set match_ipv6_prefix_set",
    "ROUTE_REDISTRIBUTE": "route_map",
    "STATIC_ROUTE": "ifname nexthop",
    "VLAN": "dhcp_servers",
}

#: What nothing in a configuration contradicts: table, field (empty: the row), kinds of mistake (empty: all), and why.
ALLOWED: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("*", "*", ("delete",), "an optional row or field less is as good a wish; the plan against the switch shows it"),
    (
        "*",
        "*",
        ("neighbour",),
        "what another row of the table has is valid; which one is meant only the landscape knows",
    ),
    ("*", "", _KEYS, _ANOTHER),
    *((table, field, (), _TEXT) for table, fields in _TEXTS.items() for field in fields.split()),
    *((table, field, (), _NUMBER) for table, fields in _NUMBERS.items() for field in fields.split()),
    *((table, field, (), _ANOTHER) for table, fields in _NAMES.items() for field in fields.split()),
    ("VERSIONS", "VERSION", (), "the switch writes it by itself"),
    ("NTP", "src_intf", ("list",), "the models have it as a list, and the one text as well"),
    (
        "STATIC_ROUTE",
        "nexthop",
        ("long", "control"),
        "the models take any text, frrcfgd refuses it when it writes the route",
    ),
    (
        "STATIC_ROUTE",
        "ifname",
        ("long", "control"),
        "the models take any text, frrcfgd refuses it when it writes the route",
    ),
)


def allowed(mutant: mutants.Mutant) -> str:
    """Why nothing is said about a mutant; empty when something should have been."""
    for table, field, kinds, why in ALLOWED:
        if table in ("*", mutant.table) and field in ("*", mutant.field) and (not kinds or mutant.kind in kinds):
            return why
    return ""


class Bench:
    """Judges configurations by the models and by the rules."""

    def __init__(self, judge) -> None:
        self.judge = judge
        self.configs = {name: golden.config(name) for name in mutants.BASES}
        self.known = {
            name: {(issue.rule, issue.where) for issue in self.issues(config)[1]}
            for name, config in self.configs.items()
        }

    def issues(self, config):
        """The part that is a configuration, all that is said about it, and whether the models refuse it."""
        clean, faults = codec.check(config)
        verdict = yang_check.check(golden.models(RELEASE), clean, self.judge)
        said = [form.SL001.issue("x", *fault) for fault in faults] + yang_check.issues(verdict, "x", RELEASE)
        return clean, validate.check(Fabric([Switch("x", clean, RELEASE)]), said), not verdict.valid

    def outcome(self, mutant):
        """``refused``, ``explained``, ``allowed`` or ``silent``; raises only what is no error of the operator's."""
        clean, issues, by_models = self.issues(mutant.config)
        errors = [issue for issue in issues if issue.severity == "error"]
        assert errors or not by_models, f"the models refuse it and we do not: {mutant.label}"
        before = self.configs[mutant.base]
        with contextlib.suppress(LandscapeError):
            made = plan.plan_switch("x", before, clean, RELEASE)
            made.as_dict()
            made.text_diff()
        fresh = [issue for issue in issues if (issue.rule, issue.where) not in self.known[mutant.base]]
        if fresh:
            return "refused" if any(issue.severity == "error" for issue in fresh) else "explained"
        return "allowed" if allowed(mutant) else "silent"


@pytest.mark.slow
@pytest.mark.accept("S1.8")
def test_every_small_mistake_is_refused_explained_or_listed(seed):
    print(f"\nseed {seed}, {DRAWS} mutants of {', '.join(mutants.BASES)}")
    generator = random.Random(seed)
    counts: Counter[str] = Counter()
    silent = []
    with golden.judge(RELEASE) as judge:
        bench = Bench(judge)
        while counts.total() < DRAWS:
            mutant = mutants.draw(generator, bench.configs)
            if mutant.config == bench.configs[mutant.base]:
                continue
            outcome = bench.outcome(mutant)
            counts[outcome] += 1
            if outcome == "silent":
                silent.append(mutant.label)
    print(dict(counts))
    assert silent == []
    assert counts["allowed"] <= SILENT * DRAWS
    assert counts["refused"] + counts["explained"] > DRAWS / 2


def test_every_entry_of_the_list_has_a_reason_and_names_a_field_that_is_there():
    configs = [golden.config(name) for name in mutants.BASES]
    for table, field, kinds, why in ALLOWED:
        assert len(why.split()) > 4
        assert set(kinds) <= {*mutants.FIELD_KINDS, *mutants.ROW_KINDS}
        rows = [row for config in configs for row in config.get(table, {}).values()]
        assert table == "*" or rows, table
        assert field in ("*", "") or any(field in row for row in rows), (table, field)


@pytest.mark.slow
def test_mutants_differ_and_cover_all_tables(seed):
    generator = random.Random(seed)
    configs = {name: golden.config(name) for name in mutants.BASES}
    drawn = [mutants.draw(generator, configs) for _number in range(1500)]
    assert {mutant.table for mutant in drawn} == {table for config in configs.values() for table in config}
    assert {mutant.kind for mutant in drawn} == {*mutants.FIELD_KINDS, *mutants.ROW_KINDS}
    assert [mutant.label for mutant in drawn[:5]] == [
        mutants.draw(again, configs).label for again in [random.Random(seed)] for _number in range(5)
    ]
