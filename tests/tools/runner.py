# SPDX-License-Identifier: Apache-2.0
"""Prepares the legs, runs the suites one after the other (those that wait for services: together), and says how it went."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import acceptance, bundle, environments, flat, outcomes, process, sanity, staging, yardstick
from .console import CI, Unavailable, say, table
from .environments import Environment
from .legs import LEGS
from .outcomes import FAILED, PASSED, SKIPPED, Outcome
from .paths import INTERRUPTED, LOGS, REPO, RESULTS, WORK
from .suites import SUITES, Suite

_BUDGET = REPO / "tests" / "budget.yml"
_HOST = "host"
#: A suite is stopped at this multiple of its budget.
_PATIENCE = 4
#: One seed for a whole run. It also fixes the order of sets, so that a run can be repeated exactly.
_SEED = os.environ.get("SCS_SEED") or str(random.SystemRandom().randrange(2**32))
#: Legs built at the same time: half the work is waiting for packages.
_BUILDERS = 2
#: Suites that run at the same time, of those that wait for services most of theirs.
_AT_ONCE = 2


@dataclass
class Selection:
    """What the caller asked for; nothing chosen is a whole run."""

    quick: bool = False
    full: bool = False
    suite: str = ""
    leg: str = ""

    @property
    def whole(self) -> bool:
        return not (self.quick or self.suite or self.leg)

    def pairs(self) -> list[tuple[Suite, str]]:
        """Return suites with their legs, in the order of the table."""
        chosen = [suite for suite in SUITES if self._takes(suite)]
        return [(suite, leg) for suite in chosen for leg in self._legs(suite) if self.leg in ("", leg)]

    def _takes(self, suite: Suite) -> bool:
        if self.suite:
            return suite.name == self.suite
        return (suite.quick or not self.quick) and (self.full or not suite.full)

    def _legs(self, suite: Suite) -> tuple[str, ...]:
        return suite.legs[:1] if self.quick else suite.legs


@dataclass
class Workbench:
    """The prepared legs: environment and staged copy of each, or the reason why there is none."""

    ready: dict[str, tuple[Environment, Path]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    beside: dict[tuple[str, str], Environment] = field(default_factory=dict)

    def prepare(self, leg: str, suites: set[str]) -> None:
        """Build what the suites of a leg need."""
        try:
            env = environments.environment(LEGS[leg])
            tree = staging.stage(leg, bundle.provide(env))
            if "sanity" in suites:
                sanity.prime(env, tree)
            self.ready[leg] = env, tree
        except Unavailable as reason:
            self.missing[leg] = str(reason)
        for suite in SUITES:
            if suite.name in suites and suite.beside:
                self._prepare_beside(suite, leg)

    def _prepare_beside(self, suite: Suite, leg: str) -> None:
        try:
            self.beside[suite.name, leg] = environments.environment(LEGS[suite.environment_beside(leg)])
        except Unavailable as reason:
            self.missing[f"{suite.name} {leg}"] = str(reason)

    def lacks(self, suite: Suite, leg: str) -> str:
        """Why a suite cannot run on a leg; nothing when it can."""
        return self.missing.get(leg) or self.missing.get(f"{suite.name} {leg}", "")


def run(selection: Selection) -> int:
    """Run the selected suites and return the exit code."""
    pairs = selection.pairs()
    if not pairs:
        known = ", ".join(suite.name for suite in SUITES)
        say(f"no such suite or leg: suites are {known}; legs are {', '.join(LEGS)}")
        return 2
    if selection.whole:
        shutil.rmtree(RESULTS, ignore_errors=True)
    done: list[Outcome] = []
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is ended
    try:
        workbench = _prepare(pairs, done)
        for together in rounds(pairs):
            with staging.in_use(together[0][1]):
                done.extend(_run_round(together, workbench))
            if selection.whole:
                outcomes.save(acceptance.RUNNER_RECORD, done)
    except KeyboardInterrupt:
        _summary([*done, Outcome("run", _HOST, FAILED, note="interrupted")], time.monotonic() - started)
        return 130
    done.extend(unseen(selection, done))
    _summary(done, time.monotonic() - started)
    return 1 if any(outcome.result == FAILED for outcome in done) else 0


def rounds(pairs: list[tuple[Suite, str]]) -> list[list[tuple[Suite, str]]]:
    """What runs together: one suite, or all in a row that keep one core busy each."""
    found: list[list[tuple[Suite, str]]] = []
    for suite, leg in pairs:
        if suite.one_core and found and found[-1][0][0].one_core:
            found[-1].append((suite, leg))
        else:
            found.append([(suite, leg)])
    return found


def _run_round(together: list[tuple[Suite, str]], workbench: Workbench) -> list[Outcome]:
    """Run suites at once, as many as there are cores where the budgets were set."""
    if len(together) == 1:
        return _run_suite(*together[0], workbench)
    marks = [f"{suite.name} {leg}" for suite, leg in together]
    widest = max(map(len, marks))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [
            pool.submit(_run_suite, suite, leg, workbench, f"{mark:{widest}}| ")
            for (suite, leg), mark in zip(together, marks)
        ]
        try:
            return [outcome for future in running for outcome in future.result()]
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            process.interrupt()
            raise


def _prepare(pairs: list[tuple[Suite, str]], done: list[Outcome]) -> Workbench:
    """Build all environments first, so that a suite's time is its own."""
    workbench = Workbench()
    started = time.monotonic()
    legs = list(dict.fromkeys(leg for suite, leg in pairs if leg != _HOST))
    say(f"preparing {', '.join(legs) or 'nothing'}")
    with ThreadPoolExecutor(_BUILDERS) as pool:
        try:
            list(pool.map(lambda leg: workbench.prepare(leg, {suite.name for suite, of in pairs if of == leg}), legs))
        except KeyboardInterrupt:
            INTERRUPTED.set()
            raise
    for leg in workbench.ready:
        say(f"{leg} runs on {workbench.ready[leg][0].interpreter}")
    budget = int(flat.read(_BUDGET)["prepare"])
    seconds = time.monotonic() - started
    result, note = (PASSED, "") if seconds <= budget else (FAILED, "over budget")
    done.append(Outcome("prepare", _HOST, result, seconds, budget, note))
    return workbench


def _run_suite(suite: Suite, leg: str, workbench: Workbench, mark: str = "") -> list[Outcome]:
    """Run one suite on one leg; nothing comes back when it has nothing to run."""
    if not any(REPO.glob(suite.when)):
        return []
    budget = int(flat.read(_BUDGET).get(suite.name, 0))
    if not budget:
        return [Outcome(suite.name, leg, FAILED, note="tests/budget.yml does not know it")]
    reason = workbench.lacks(suite, leg)
    if reason:
        say(f"{suite.name} on {leg} cannot run: {reason}")
        return [Outcome(suite.name, leg, FAILED if CI else SKIPPED, budget=budget, note=reason)]
    say(f"---- {suite.name} on {leg}: {suite.proves}")
    started = time.monotonic()
    note = _run_commands(suite, leg, workbench, budget, mark)
    seconds = time.monotonic() - started
    if not note and seconds > budget:
        note = "over budget"
    say(f"{suite.name} on {leg}: {'failed: ' + note if note else 'passed'} in {seconds:.1f} s")
    quick = suite.quick and leg == suite.legs[0]
    pace = max(1.0, yardstick.pace()) if quick else 1.0
    return [Outcome(suite.name, leg, FAILED if note else PASSED, seconds, budget, note, quick, pace)]


def _run_commands(suite: Suite, leg: str, workbench: Workbench, budget: int, mark: str) -> str:
    """Run a suite's command lines; return why it failed, or nothing."""
    LOGS.mkdir(parents=True, exist_ok=True)
    work = WORK / "scratch" / leg
    work.mkdir(parents=True, exist_ok=True)
    with open(LOGS / f"{suite.name}-{leg}.log", "w", encoding="utf-8") as log:
        for number, template in enumerate(suite.command_lines(leg), 1):
            argv = [part.replace("{work}", str(work)) for part in template]
            # Each command has a record of its own: the second one's must not replace that of the first.
            environ = {**_environ(suite, leg, work), "SCS_SUITE": f"{suite.name}-{number}"}
            cwd = REPO
            if leg == _HOST:
                argv = [sys.executable if part == "python3" else part for part in argv]
            else:
                env, cwd = workbench.ready[leg]
                environ = _leg_environ(environ, env, cwd, suite)
                if suite.beside:
                    environ["SCS_BESIDE"] = str(workbench.beside[suite.name, leg].path)
                argv = env.command(argv, cwd)
            code = process.run(argv, cwd=cwd, environ=environ, log=log, seconds=_PATIENCE * budget, mark=mark)
            if code:
                return f"exit code {code} of {template[0]}"
    return ""


def _environ(suite: Suite, leg: str, work: Path) -> dict[str, str]:
    home = {"HOME": str(work)} if suite.own_home else {}
    return {
        **environments.clean_environ(),
        **home,
        "ANSIBLE_HOME": str(work / "ansible"),
        "PYTHONHASHSEED": _SEED,
        "SCS_LEG": leg,
        "SCS_RESULTS": str(RESULTS),
        "SCS_SEED": _SEED,
    }


def _leg_environ(base: dict[str, str], env: Environment, tree: Path, suite: Suite) -> dict[str, str]:
    if suite.name == "sanity":
        return sanity.environ(env, base)
    root = str(tree.parents[2])
    path = f"{env.path / 'bin'}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {**base, "PATH": path, "ANSIBLE_COLLECTIONS_PATH": root, "MYPYPATH": root}


def unseen(selection: Selection, done: list[Outcome]) -> list[Outcome]:
    """A whole run must have run whatever the budget lists."""
    if not selection.whole:
        return []
    seen = {outcome.suite for outcome in done}
    full = {suite.name for suite in SUITES if suite.full and not selection.full}
    lost = [name for name in flat.read(_BUDGET) if name not in seen | full]
    return [Outcome(name, _HOST, FAILED, note="listed in tests/budget.yml, but did not run") for name in lost]


def _summary(done: list[Outcome], took: float) -> None:
    rows = [
        (outcome.suite, outcome.leg, outcome.result, f"{outcome.seconds:.1f}", str(outcome.budget), outcome.note)
        for outcome in done
    ]
    print("\n" + table(("suite", "leg", "result", "seconds", "budget", "note"), rows))
    counts = {result: sum(o.result == result for o in done) for result in (PASSED, FAILED, SKIPPED)}
    skipped = f", {counts[SKIPPED]} skipped" if counts[SKIPPED] else ""
    print(f"\nlogs: {LOGS}\nseed: {_SEED} (repeat with SCS_SEED={_SEED})\ntook {took:.0f} s")
    print(f"suites: {counts[PASSED]} passed, {counts[FAILED]} failed{skipped}", flush=True)
