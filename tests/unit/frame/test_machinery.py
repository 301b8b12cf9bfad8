# SPDX-License-Identifier: Apache-2.0
"""The runner's own rules: suites and budgets belong together, and the acceptance table judges rightly."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.scs.landscape.tests.tools import acceptance, flat, layers, runner
from ansible_collections.scs.landscape.tests.tools.acceptance import Entry
from ansible_collections.scs.landscape.tests.tools.legs import FULL, LEGS, MAIN
from ansible_collections.scs.landscape.tests.tools.outcomes import FAILED, PASSED, SKIPPED, Outcome
from ansible_collections.scs.landscape.tests.tools.suites import SUITES


def test_budget_and_suites_belong_together(repo):
    budget = set(flat.read(repo / "tests/budget.yml")) - {"prepare"}
    present = {suite.name for suite in SUITES if any(repo.glob(suite.when))}
    assert budget == present


def test_every_leg_has_pinned_requirements(repo):
    for leg in LEGS:
        lock = (repo / f"tests/requirements/{leg}.lock").read_text(encoding="utf-8").lower().replace("_", "-")
        for line in (repo / f"tests/requirements/{leg}.txt").read_text(encoding="utf-8").splitlines():
            assert line.startswith("#") or line.lower().replace("_", "-") in lock


def test_ci_calls_the_command_of_the_readme(repo):
    assert "make test" in (repo / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["a", "a:", "a:  ", "  a: 1", "a: 1\na: 2"])
def test_flat_file_says_where_it_is_wrong(tmp_path, text):
    file = tmp_path / "budget.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"budget\.yml:"):
        flat.read(file)


def test_a_suite_that_did_not_run_fails_a_whole_run():
    seen = [Outcome(suite.name, "any", PASSED) for suite in SUITES if suite.name != "unit"] + [
        Outcome("prepare", "host", PASSED)
    ]
    lost = runner.unseen(runner.Selection(), seen)
    assert [(outcome.suite, outcome.result) for outcome in lost] == [("unit", FAILED)]
    assert runner.unseen(runner.Selection(suite="ruff"), seen) == []


def test_an_unknown_suite_is_refused():
    assert runner.Selection(suite="unti").pairs() == []


def test_suites_that_need_one_core_run_together_and_all_others_alone():
    runs = runner.rounds(runner.Selection().pairs())
    together = [list(dict.fromkeys(suite.name for suite, _leg in pairs)) for pairs in runs if len(pairs) > 1]
    small = ["changelog", "docs", "lint", "package", "integration", "molecule", "sanity"]
    assert together == [["ceph", "cloud", "vsphere", *small]]
    assert [pair for pairs in runs for pair in pairs] == runner.Selection().pairs()


def test_every_command_of_a_suite_has_a_record_of_its_own(tmp_path, monkeypatch):
    """The second one's record must not replace that of the first."""
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    both = [("sh", "-c", f'test "$SCS_SUITE" = both-{number}') for number in (1, 2)]
    suite = runner.Suite("both", "two commands", ("host",), both)
    assert runner._run_commands(suite, "host", runner.Workbench(), 60, "") == ""


KNOWN = {"F1": "open", "F1.1": "one", "F1.2": "two"}


def test_one_failed_leg_fails_the_id():
    entries = [Entry("F1.1", "test_a", "core-2.21", "passed"), Entry("F1.1", "test_a", "core-2.16", "failed")]
    rows, problems = acceptance.judge(KNOWN, entries)
    assert rows[0] == ("F1.1", "failed", "core-2.16", "test_a")
    assert problems == ["F1.1 failed on core-2.16: test_a"]


def test_not_reached_counts_once_the_issue_is_done():
    entries = [Entry("F1.1", "test_a", "core-2.21", "passed")]
    assert acceptance.judge(KNOWN, entries)[1] == []
    assert acceptance.judge({**KNOWN, "F1": "done"}, entries)[1] == ["F1.2 was not reached: two"]


@pytest.mark.parametrize(("seconds", "pace", "result"), [(80, 1.0, PASSED), (100, 1.0, FAILED), (100, 2.0, PASSED)])
def test_a_machine_at_half_the_pace_may_take_twice_the_time_for_a_check(seconds, pace, result):
    record = [Outcome("unit", "core-2.21", PASSED, seconds, quick=True, pace=pace)]
    (entry,) = acceptance._from_runner(record)
    assert (entry.identifier, entry.result) == ("F1.2", result)


@pytest.mark.parametrize(("other", "results"), [(PASSED, [PASSED, PASSED]), (FAILED, [PASSED, FAILED]), (SKIPPED, [])])
def test_molecule_stands_for_its_ids_once_it_ran_on_both_full_legs(other, results):
    record = [Outcome("molecule", leg, result) for leg, result in zip(FULL, (PASSED, other))]
    entries = list(acceptance._from_runner(record))
    for name in ("L1.10", "S2.10", "B1.22"):
        assert [entry.result for entry in entries if entry.identifier == name] == results
    assert len(entries) == 3 * len(results)
    # A migration is tried on the first of them alone, and in the run of everything.
    whole = [*record, Outcome("bench", FULL[0], PASSED)]
    migrated = [entry for entry in acceptance._from_runner(whole) if entry.identifier == "V1.25"]
    assert [entry.result for entry in migrated] == results[:1]


@pytest.mark.accept("L1.10")
@pytest.mark.parametrize("scenario", ["baseline", "lldp"])
def test_scenarios_of_hosts_try_both_releases_and_a_second_run(repo, scenario):
    settings = yaml.safe_load((repo / "molecule" / scenario / "molecule.yml").read_text(encoding="utf-8"))
    assert {platform["release"] for platform in settings["platforms"]} == {"bookworm", "trixie"}
    sequence = settings["scenario"]["test_sequence"]
    assert [step for step in sequence if step in ("converge", "idempotence", "verify")] == [
        "converge",
        "idempotence",
        "verify",
    ]


@pytest.mark.accept("S2.10")
def test_the_scenario_of_the_fabric_tries_switches_and_a_second_run(repo):
    settings = yaml.safe_load((repo / "molecule" / "fabric" / "molecule.yml").read_text(encoding="utf-8"))
    names = {platform["name"] for platform in settings["platforms"]}
    assert {"em01-leaf-r01-u38", "em01-leaf-r01-u39", "em01-spine-r01-u41", "em01-ctl-r01-u03"} <= names
    sequence = settings["scenario"]["test_sequence"]
    assert [step for step in sequence if step in ("create", "converge", "idempotence", "verify")] == [
        "create",
        "converge",
        "idempotence",
        "verify",
    ]


@pytest.mark.accept("B1.22")
def test_the_scenario_of_backups_tries_every_role_and_a_second_run(repo):
    folder = repo / "molecule" / "backup"
    sequence = yaml.safe_load((folder / "molecule.yml").read_text(encoding="utf-8"))["scenario"]["test_sequence"]
    assert sequence == ["syntax", "create", "prepare", "converge", "idempotence", "verify", "destroy"]
    said = (folder / "converge.yml").read_text(encoding="utf-8")
    roles = [f"backup_{name}" for name in ("policy", "take", "prove", "thin", "restore", "metrics")]
    assert [role for role in roles if f"scs.landscape.{role}\n" not in said] == []


@pytest.mark.accept("V1.25")
def test_the_scenario_of_migrations_tries_the_whole_way_and_a_second_run(repo, monkeypatch):
    folder = repo / "molecule" / "vm_migration"
    sequence = yaml.safe_load((folder / "molecule.yml").read_text(encoding="utf-8"))["scenario"]["test_sequence"]
    assert sequence == ["syntax", "create", "converge", "idempotence", "verify", "destroy"]
    said = (folder / "converge.yml").read_text(encoding="utf-8")
    roles = [f"vm_{name}" for name in ("assess", "plan", "migrate", "report")]
    assert [role for role in roles if f"scs.landscape.{role}\n" not in said] == []
    (suite,) = (one for one in SUITES if one.name == "molecule")

    def left_in() -> list[str]:
        lines = {leg: suite.command_lines(leg) for leg in suite.legs}
        return [leg for leg, argvs in lines.items() if not any("vm_migration" in argv for argv in argvs)]

    monkeypatch.delenv("SCS_FULL", raising=False)
    assert left_in() == []
    monkeypatch.setenv("SCS_FULL", "1")
    assert left_in() == [*MAIN]


def test_an_id_that_no_issue_knows_is_a_problem():
    assert acceptance.judge(KNOWN, [Entry("F9.9", "t", "l", "passed")])[1] == ["F9.9 is not in tests/acceptance.yml"]


def test_violations_read_like_a_compilers():
    assert str(layers.Violation("plugins/a.py", 3, "why")) == "plugins/a.py:3: why"
