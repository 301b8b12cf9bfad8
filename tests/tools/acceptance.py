# SPDX-License-Identifier: Apache-2.0
"""The table of acceptance ids: which test stands for each, and how it went last time.

Tests carry ``@pytest.mark.accept("F1.3")``; tests/conftest.py writes their results as JSON files. Ids that a whole suite
stands for are read from the runner's own record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import flat, outcomes
from .console import table
from .legs import FULL, MAIN
from .outcomes import FAILED, PASSED, SKIPPED
from .paths import REPO, RESULTS

RUNNER_RECORD = RESULTS / "runner.json"
NOT_REACHED = "not reached"
#: F1.2: seconds that `make check` may take on two idle cores; a slower or busy machine gets more.
CHECK_SECONDS = 90


class Entry(NamedTuple):
    """One result of one test that stands for an id."""

    identifier: str
    test: str
    leg: str
    result: str


def run() -> int:
    """Print the table; return 1 when an id failed, is unknown, or is missing from a finished issue."""
    known = flat.read(REPO / "tests" / "acceptance.yml")
    entries = [*_from_tests(RESULTS), *_from_runner(outcomes.load(RUNNER_RECORD))]
    rows, problems = judge(known, entries)
    print(table(("id", "result", "legs", "test"), rows))
    for problem in problems:
        print(f"accept: {problem}")
    return 1 if problems else 0


def judge(known: dict[str, str], entries: list[Entry]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the rows of the table and what is wrong with them.

    :param known: tests/acceptance.yml: ids with their text, issues with ``open`` or ``done``.
    """
    by_id: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        by_id[entry.identifier][entry.test].append(entry)
    identifiers = [key for key in known if "." in key]
    problems = [f"{name} is not in tests/acceptance.yml" for name in sorted(set(by_id) - set(identifiers))]
    rows: list[tuple[str, ...]] = []
    for identifier in identifiers:
        if identifier not in by_id:
            rows.append((identifier, NOT_REACHED, "", known[identifier]))
            if known[identifier.partition(".")[0]] == "done":
                problems.append(f"{identifier} was not reached: {known[identifier]}")
        for test, results in by_id[identifier].items():
            failed = sorted(entry.leg for entry in results if entry.result != PASSED)
            legs = failed or sorted(entry.leg for entry in results)
            rows.append((identifier, FAILED if failed else PASSED, " ".join(legs), test))
            if failed:
                problems.append(f"{identifier} failed on {', '.join(failed)}: {test}")
    return rows, problems


def _from_tests(folder: Path) -> Iterator[Entry]:
    for file in sorted(folder.glob("accept-*.json")):
        for record in json.loads(file.read_text(encoding="utf-8")):
            yield Entry(record["id"], record["test"], record["leg"], record["result"])


def _from_runner(record: list[outcomes.Outcome]) -> Iterator[Entry]:
    """F1.1, L1.10, S2.10, B1.22 and V1.25, when the last whole run got as far as ansible-test and Molecule; F1.2."""
    sanity = {outcome.leg for outcome in record if outcome.suite == "sanity" and outcome.result == PASSED}
    if record and sanity.issuperset(FULL):
        clean = all(outcome.result == PASSED for outcome in record)
        yield Entry("F1.1", "make test", "all", PASSED if clean else FAILED)
    molecule = [outcome for outcome in record if outcome.suite == "molecule" and outcome.result != SKIPPED]
    if {outcome.leg for outcome in molecule}.issuperset(FULL):
        # Its scenario is tried by make test-all alone, as the benches are.
        migrated = [one for one in molecule if one.leg in MAIN and any(beside.suite == "bench" for beside in record)]
        yield from (Entry("V1.25", "molecule test --all", one.leg, one.result) for one in migrated)
        for name in ("L1.10", "S2.10", "B1.22"):
            yield from (Entry(name, "molecule test --all", outcome.leg, outcome.result) for outcome in molecule)
    quick = [outcome for outcome in record if outcome.quick]
    if quick:
        fast = sum(outcome.seconds / outcome.pace for outcome in quick) < CHECK_SECONDS
        clean = all(outcome.result == PASSED for outcome in quick)
        yield Entry("F1.2", "make check", "all", PASSED if fast and clean else FAILED)
