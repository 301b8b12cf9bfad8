# SPDX-License-Identifier: Apache-2.0
"""Small mistakes in switch configurations: no traceback, refused where the models refuse, the rest explained or listed here."""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections import Counter
from dataclasses import dataclass

import pytest

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.sonic import codec, plan, yang_check
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint import form, validate
from ansible_collections.scs.landscape.plugins.module_utils.sonic.lint.index import Fabric, Switch
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.sonic import direct, golden, mutants, silent

RELEASE = "202605"
#: Two thousand mutants in `make test-all`, a quarter in every other run.
DRAWS = 2000 if os.environ.get("SCS_FULL") else 500
#: At most so many of them are neither refused nor explained by a finding. One in three mistakes is a row or field less.
SILENT = 0.2
#: Kinds of mistakes that leave something that is no configuration: the rules refuse them, the models are shown the rest.
NO_FORM = ("nothing", "number", "object", "text", "key empty")


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

    def judged(self, mutant):
        """Whether the models refuse it, whether we do, and whether anything is said; raises only what is no operator's error."""
        clean, issues, by_models = self.issues(mutant.config)
        before = self.configs[mutant.base]
        with contextlib.suppress(LandscapeError):
            made = plan.plan_switch("x", before, clean, RELEASE)
            made.as_dict()
            made.text_diff()
        fresh = [issue for issue in issues if (issue.rule, issue.where) not in self.known[mutant.base]]
        return Outcome(mutant, by_models, any(issue.severity == "error" for issue in fresh), bool(fresh))


@dataclass(frozen=True)
class Outcome:
    """What was said of a mutant."""

    mutant: mutants.Mutant
    by_models: bool
    refused: bool
    explained: bool


def contradictions(outcomes, refusals):
    """Where libyang, asked directly, and this collection do not agree.

    :param refusals: for each outcome why libyang refuses the mutant, empty when it does not.
    """
    found = []
    for outcome, told in zip(outcomes, refusals):
        if told and not outcome.refused:
            found.append(f"accepted, and libyang says {told[:200]}: {outcome.mutant.label}")
        elif outcome.by_models and not told:
            found.append(f"the models are said to refuse it, and libyang does not: {outcome.mutant.label}")
        elif told and not outcome.by_models and outcome.mutant.kind not in NO_FORM:
            found.append(f"the models are said to accept it, and libyang says {told[:200]}: {outcome.mutant.label}")
    return found


def drawn(generator, bench, count):
    """So many mutants that differ from what they were made of, judged."""
    found = []
    while len(found) < count:
        mutant = mutants.draw(generator, bench.configs)
        if mutant.config != bench.configs[mutant.base]:
            found.append(bench.judged(mutant))
    return found


@pytest.fixture(scope="module")
def libyang():
    """libyang with the same models, on a way of its own."""
    return direct.Direct(RELEASE)


@pytest.mark.slow
@pytest.mark.accept("S1.8")
def test_every_small_mistake_is_refused_explained_or_listed(seed, libyang):
    print(f"\nseed {seed}, {DRAWS} mutants of {', '.join(mutants.BASES)}")
    with golden.judge(RELEASE) as judge:
        bench = Bench(judge)
        outcomes = drawn(random.Random(seed), bench, DRAWS)
    assert contradictions(outcomes, libyang.refusals(outcome.mutant.config for outcome in outcomes)) == []
    counts: Counter[str] = Counter()
    unexplained = []
    for outcome in outcomes:
        name = "refused" if outcome.refused else "explained"
        if not outcome.explained:
            name = silent.category(libyang, outcome.mutant, bench.configs[outcome.mutant.base])
            unexplained += [] if name else [outcome.mutant.label]
        counts[name] += 1
    print(dict(counts))
    assert unexplained == []
    assert counts["refused"] + counts["explained"] > (1 - SILENT) * DRAWS


@pytest.mark.slow
@pytest.mark.accept("S1.8")
def test_a_judge_that_lets_something_pass_or_refuses_too_much_is_found(seed, libyang):
    """The comparison with libyang is one: it fails for a judge that is blind, and for one that sees ghosts."""

    def outcomes(judge):
        bench = Bench(judge)
        bench.configs = {name: config for name, config in bench.configs.items() if name == mutants.BASES[0]}
        return drawn(random.Random(seed), bench, 60)

    blind = outcomes(lambda _document: None)
    told = libyang.refusals(outcome.mutant.config for outcome in blind)
    assert any(text.startswith(("accepted", "the models are said to accept")) for text in contradictions(blind, told))
    good = [outcome for outcome, text in zip(blind, told) if not text]
    ghosts = [Outcome(outcome.mutant, True, True, True) for outcome in good]
    assert good
    assert len(contradictions(ghosts, [""] * len(ghosts))) == len(ghosts)


@pytest.mark.slow
@pytest.mark.accept("S1.8")
@pytest.mark.parametrize("name", [*golden.SWITCHES, *golden.BACKUPS])
def test_libyang_asked_directly_says_what_sonic_says(libyang, name):
    told = json.loads(golden.shared("golden", "yang", f"{name}.{RELEASE}.json").read_text(encoding="utf-8"))
    assert bool(libyang.refusals([golden.config(name)])[0]) is not told["valid"]


@pytest.mark.parametrize("name", silent.CATEGORIES)
def test_every_category_has_a_reason_and_names_places_that_are_there(name):
    found = silent.CATEGORIES[name]
    assert len(found.why.split()) > 4
    assert set(found.kinds) <= {*mutants.FIELD_KINDS, *mutants.ROW_KINDS}
    configs = [golden.config(base) for base in mutants.BASES]
    for place in found.places:
        table, _space, field = place.partition(" ")
        rows = [row for config in configs for row in config.get(table, {}).values()]
        assert rows, place
        assert not field or any(field in row for row in rows), place


def made(base, table, key, field, kind, value=None):
    """A mutant that is written by hand."""
    config = golden.config(base)
    rows = config[table]
    if kind in ("duplicate", "key typo"):
        rows[value] = rows[key] if kind == "duplicate" else rows.pop(key)
    elif kind == "delete":
        del (rows[key] if field else rows)[field or key]
    else:
        rows[key][field] = value
    return mutants.Mutant(base, table, key, field, kind, config)


LEAF, MGMT, BORDER = "b-l2vni.leaf1", "d-mgmt.mgmt1", "e-border.border1"
#: By category a mistake that it explains, and mistakes beside it that it must not: of a kind, place or value not meant.
CASES = {
    "optional field": (
        (LEAF, "PORT", "Ethernet0", "mtu", "delete"),
        [(LEAF, "PORT", "Ethernet0", "lanes", "delete"), (LEAF, "VXLAN_TUNNEL", "vtep", "src_ip", "delete")],
    ),
    "emptied field": (
        (MGMT, "STATIC_ROUTE", "default|0.0.0.0/0", "ifname", "empty", ""),
        [
            (MGMT, "STATIC_ROUTE", "default|0.0.0.0/0", "ifname", "empty", " "),
            (MGMT, "VLAN_MEMBER", "Vlan100|Ethernet0", "tagging_mode", "empty", ""),
        ],
    ),
    "row less": (
        (LEAF, "NTP_SERVER", "192.0.2.2", "", "delete"),
        [(LEAF, "BGP_GLOBALS", "default", "", "delete"), (LEAF, "VLAN", "Vlan10", "", "delete")],
    ),
    "another row": (
        (LEAF, "NTP_SERVER", "192.0.2.2", "", "key typo", "192.0.2.7"),
        [
            (LEAF, "NTP_SERVER", "192.0.2.2", "", "key typo", "192.0.2.7|x"),
            (LEAF, "PORT", "Ethernet0", "", "duplicate", "Ethernet999"),
        ],
    ),
    "text": (
        (LEAF, "PORT", "Ethernet48", "description", "typo", "spin1"),
        [
            (LEAF, "PORT", "Ethernet48", "description", "control", "spin\x07"),
            (LEAF, "PORT", "Ethernet48", "description", "typo", "spin\x07"),
            (LEAF, "PORT", "Ethernet48", "fec", "typo", "rx"),
        ],
    ),
    "number": (
        (LEAF, "PORT", "Ethernet0", "index", "off by one", "2"),
        [
            (LEAF, "PORT", "Ethernet0", "index", "typo", "2x"),
            (LEAF, "PORT", "Ethernet0", "lanes", "off by one", "4"),
        ],
    ),
    "address": (
        (MGMT, "VLAN", "Vlan100", "dhcp_servers", "off by one", ["192.0.2.9"]),
        [(MGMT, "VLAN", "Vlan100", "dhcp_servers", "typo", ["192.0.2.x"])],
    ),
    "value of another row": (
        (LEAF, "PORT", "Ethernet48", "admin_status", "neighbour", "down"),
        [(LEAF, "PORT", "Ethernet48", "admin_status", "neighbour", "off")],
    ),
    "another reference": (
        (BORDER, "ROUTE_REDISTRIBUTE", "default|connected|bgp|ipv4", "route_map", "typo", ["ALLOW"]),
        [(BORDER, "PORT", "Ethernet0", "alias", "typo", "x")],
    ),
    "list of one": (
        (LEAF, "NTP", "global", "src_intf", "list", ["eth0"]),
        [(LEAF, "NTP", "global", "src_intf", "list", ["eth0", "Loopback0"])],
    ),
}


@pytest.mark.slow
@pytest.mark.accept("S1.8")
@pytest.mark.parametrize("name", silent.CATEGORIES)
def test_a_category_explains_what_it_is_about_and_nothing_beside_it(libyang, name):
    mutant, *others = (made(*case) for case in (CASES[name][0], *CASES[name][1]))
    assert libyang.refusals([mutant.config]) == [""]
    assert silent.category(libyang, mutant, golden.config(mutant.base)) == name
    for other in others:
        assert silent.category(libyang, other, golden.config(other.base)) != name, other.label


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
