# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Apache License 2.0 (see LICENSES/Apache-2.0.txt)
"""The official SCS compliance tests, run as a program of their own: what to start, and what its output means.

Nothing of them is part of this collection; they come from a checkout of SovereignCloudStack/standards. What is relied upon is
what their documentation and usage text say: options of ``scs-compliance-check.py`` and one line ``case-id: VERDICT`` for each
case on the standard output.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..core import expressions
from ..core.errors import InputError, LandscapeError
from ..core.plan import Plan, Step
from ..core.redact import MASK, is_secret_name, redact
from ..core.report import Case, Report
from .images.catalogue import client as documents

CHECKER = "Tests/scs-compliance-check.py"
SPEC = "Tests/scs-compatible-iaas.yaml"

PASS, FAIL, ABORT, MISSING = "PASS", "FAIL", "ABORT", "MISSING"

_CASE = re.compile(r"(?P<id>scs-[0-9]{4}-[A-Za-z0-9_.-]+)\s*:\s*(?P<verdict>PASS|FAIL|ABORT)", re.IGNORECASE)
_LISTED = re.compile(r"\s{4}- (?P<id>scs-[0-9]{4}-[A-Za-z0-9_.-]+):")
_TITLE = re.compile(r"^(?P<subject>.+?) (?P<name>SCS-\S.*?) (?P<version>v[^\s:]+):$")
#: How Python begins when it ends a program; and exit statuses above this are those of programs that a signal ended.
_TRACEBACK, _SIGNALS = "Traceback (most recent call last)", 128
#: Where the SDK looks for a clouds.yaml that nobody named.
_FOLDERS = (".", "~/.config/openstack", "/etc/openstack")
#: A token of Keystone (Fernet).
_TOKEN = re.compile(r"gAAAAA[A-Za-z0-9_=-]{20,}")
_SEVERE = re.compile(r"^(CRITICAL|ERROR)\b\s*:?\s*")

Run = Callable[[Sequence[str], float, Mapping[str, str]], tuple[int, str, str]]


@dataclass(frozen=True)
class Job:
    """What is to be run.

    :param checkout: folder of a checkout.
    :param spec: certificate scope, relative to the checkout.
    :param cloud: name in ``clouds.yaml``; its user must have the role member and neither admin nor manager.
    :param cases: regular expression that the beginning of a case's id must match.
    :param seconds: after which the tests are ended.
    """

    checkout: str
    cloud: str
    python: str
    spec: str = SPEC
    cases: str = ""
    version: str = ""
    date: str = ""
    clouds_file: str = ""
    seconds: float = 3600

    @property
    def argv(self) -> list[str]:
        """The program and its arguments."""
        found = [self.python, os.path.join(self.checkout, CHECKER), os.path.join(self.checkout, self.spec)]
        found += ["-v", "-s", self.cloud, "-a", f"os_cloud={self.cloud}"]
        for option, value in (("-t", self.cases), ("-V", self.version), ("-d", self.date)):
            found += [option, value] if value else []
        return found

    @property
    def environment(self) -> dict[str, str]:
        """What is added to the environment; nothing is written into the checkout."""
        found = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "OS_CLOUD": self.cloud}
        return {**found, "OS_CLIENT_CONFIG_FILE": self.clouds_file} if self.clouds_file else found


@dataclass(frozen=True)
class Outcome:
    """What came out.

    :param cases: verdict by id of the case.
    :param versions: versions of the certificate scope that were judged.
    :param severe: lines about errors, without those that say nothing new.
    :param broken: why the tests did not come to their end, empty when they did.
    """

    code: int
    cases: Mapping[str, str]
    versions: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    commit: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    broken: str = ""


def job_of(params: Mapping[str, Any], python: str) -> Job:
    """What the options of a task ask for.

    :param python: the interpreter when the task names none.
    :raises InputError: it cannot be run.
    """
    job = Job(
        checkout=os.path.abspath(params["checkout"]),
        cloud=params["cloud"],
        python=params["python"] or python,
        spec=params["spec"],
        cases=params["cases"] or "",
        version=params["version"] or "",
        date=params["date"] or "",
        clouds_file=os.path.abspath(params["clouds_file"]) if params["clouds_file"] else "",
        seconds=params["timeout"],
    )
    check(job)
    for one in params["ignore"]:
        expression(one, "ignore")
    return job


def plan(job: Job) -> Plan:
    """One step: the run. It is the same in check mode."""
    after = {"cases": job.cases or "all", "version": job.version or "in force", "checkout": job.checkout}
    undo = "none is needed: the tests remove what they make"
    return Plan((Step("run", f"compliance tests of {job.cloud}", None, after, undo=undo),))


def values(job: Job, outcome: Outcome, failed: Sequence[str], before: Mapping[str, str]) -> dict[str, Any]:
    """The return values of a task."""
    return {
        "cases": dict(outcome.cases),
        "counts": dict(outcome.counts),
        "failing": list(failed),
        "messages": list(outcome.severe),
        "changes": differences(before, outcome.cases) if before else [],
        "versions": list(outcome.versions),
        "commit": outcome.commit,
        "rc": outcome.code,
        "command": job.argv,
    }


def failure(outcome: Outcome, failed: Sequence[str]) -> str:
    """Why the task fails, empty when it does not."""
    if not failed:
        return outcome.broken
    lines = [f"{case}: {_message(case, outcome.cases[case], outcome)}" for case in failed]
    if all(outcome.cases[case] == ABORT for case in failed) and outcome.severe:
        lines += [f"The tests say: {line}" for line in outcome.severe[:5]]
    return "\n".join([*lines, outcome.broken] if outcome.broken else lines)


def check(job: Job) -> None:
    """Whether this can be run.

    :raises InputError: the checkout has no tests, or a value is none.
    """
    problems = [
        f"{path} is missing" for path in (CHECKER, job.spec) if not os.path.isfile(os.path.join(job.checkout, path))
    ]
    if problems:
        raise InputError(
            f"{job.checkout} is no checkout of SovereignCloudStack/standards: {' and '.join(problems)}",
            hint="Clone https://github.com/SovereignCloudStack/standards and give its folder",
        )
    if job.cases:
        expression(job.cases, "cases")
    if job.cloud.startswith("-") or not job.cloud:
        raise InputError(f"cloud is {job.cloud!r}, no name of a cloud in clouds.yaml")


def expression(text: str, option: str) -> re.Pattern[str]:
    """A regular expression of an option.

    :raises InputError: it is none.
    """
    try:
        return expressions.compiled(text)
    except ValueError as error:
        raise InputError(f"{option} holds {text!r}, no regular expression: {error}") from error


def run(job: Job, programs: Run) -> Outcome:
    """Runs the tests to their end.

    :raises LandscapeError: they did not end in time, could not be started, or gave no verdict at all.
    """
    code, out, err = programs(job.argv, job.seconds, job.environment)
    # What is somebody else's program may say everything that it was told.
    out, err = (_TOKEN.sub(MASK, text) for text in redact([out, err], secrets(job)))
    if code == 124:
        raise LandscapeError(
            f"The compliance tests did not end within {job.seconds:.0f} s", hint="Give a longer timeout"
        )
    cases, versions = verdicts(out), titles(out)
    severe = severe_lines(out + "\n" + err)
    if not cases:
        said = "; ".join(severe[-3:] or [line.strip() for line in (err or out).splitlines() if line.strip()][-3:])
        hint = f"Look whether {job.python} has what Tests/requirements.txt and Tests/iaas/requirements.txt name"
        if not said and job.cases:
            hint = "Look whether cases matches any id"
        raise LandscapeError(
            f"The compliance tests gave no verdict (exit status {code}): {said or 'no output'}", hint=hint
        )
    counts = {name: sum(verdict == name for verdict in cases.values()) for name in (PASS, FAIL, ABORT, MISSING)}
    why = broken(code, cases, versions, err)
    return Outcome(code, cases, versions, severe, commit(job, programs), counts, why)


def secrets(job: Job) -> list[str]:
    """Secrets of the login that the tests are given, as far as the files say them that they read, too."""
    named = job.clouds_file or os.environ.get("OS_CLIENT_CONFIG_FILE", "")
    files = [named] if named else [os.path.join(os.path.expanduser(folder), "clouds.yaml") for folder in _FOLDERS]
    files += [os.path.join(os.path.dirname(file), "secure.yaml") for file in files]
    found: list[str] = []
    for file in files:
        # One that is not there, or that nobody can read, tells the tests nothing either.
        with contextlib.suppress(LandscapeError):
            for _name, data in documents.read([file]):
                clouds = data.get("clouds") if isinstance(data, Mapping) else None
                found += _texts(clouds.get(job.cloud)) if isinstance(clouds, Mapping) else []
    return found


def _texts(data: Any, secret: bool = False) -> list[str]:
    """Texts under names of secrets, at any depth."""
    if isinstance(data, Mapping):
        pairs = [(value, secret or is_secret_name(str(name)) or name == "passcode") for name, value in data.items()]
    elif isinstance(data, (list, tuple)):
        pairs = [(value, secret) for value in data]
    else:
        return [str(data)] if secret and isinstance(data, (str, int)) and len(str(data)) > 3 else []
    return [text for value, hidden in pairs for text in _texts(value, hidden)]


def broken(code: int, cases: Mapping[str, str], versions: Sequence[str], err: str) -> str:
    """Why the tests did not come to their end: an exit status that no verdict explains; empty when they did.

    A crash after some cases leaves verdicts, too, and says nothing of those that never ran. It has no summary.
    """
    crashed = not versions and (_TRACEBACK in err or not 0 <= code <= _SIGNALS)
    if not code or (set(cases.values()) - {PASS} and not crashed):
        return ""
    said = [line.strip() for line in err.splitlines() if line.strip()]
    why = f": {said[-1][:500]}" if said else ""
    return f"The tests ended with exit status {code}, which no verdict explains{why}"


def commit(job: Job, programs: Run) -> str:
    """The commit of the checkout, empty where it is none of Git."""
    argv = ["git", "-c", f"safe.directory={job.checkout}", "-C", job.checkout, "rev-parse", "HEAD"]
    code, out, _err = programs(argv, 20, {})
    return out.strip() if code == 0 else ""


def verdicts(text: str) -> dict[str, str]:
    """Verdict of each case, in the order of their ids; a case that is listed as missing has none."""
    found = {}
    section = ""
    for line in text.splitlines():
        case = _CASE.fullmatch(line.strip())
        if case:
            found[case["id"]] = case["verdict"].upper()
        elif line.startswith("  - "):
            section = line.strip(" -:")
        elif section == MISSING:
            listed = _LISTED.fullmatch(line)
            if listed:
                found.setdefault(listed["id"], MISSING)
    return dict(sorted(found.items()))


def titles(text: str) -> tuple[str, ...]:
    """Versions of the certificate scope in the summary."""
    found = (_TITLE.match(line) for line in text.splitlines())
    return tuple(dict.fromkeys(match["version"] for match in found if match))


def severe_lines(text: str, most: int = 50) -> tuple[str, ...]:
    """Errors in the words of the tests, each once."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(_SEVERE.sub("", line)[:500] for line in lines if _SEVERE.match(line)))[:most]


def failing(outcome: Outcome, kinds: Sequence[str], ignore: Sequence[str]) -> list[str]:
    """Ids of the cases that count as failed.

    :param kinds: verdicts that count.
    :param ignore: regular expressions of ids that do not.
    """
    passed_over = [expression(one, "ignore") for one in ignore]
    return [
        case
        for case, verdict in outcome.cases.items()
        if verdict in kinds and not any(one.fullmatch(case) for one in passed_over)
    ]


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[dict[str, Any]]:
    """Cases whose verdict is another one than in an earlier run."""
    ids = sorted({*before, *after})
    return [
        {"case": case, "before": before.get(case), "after": after.get(case)}
        for case in ids
        if before.get(case) != after.get(case)
    ]


def report(job: Job, outcome: Outcome, failed: Sequence[str]) -> Report:
    """The outcome as a report; the same verdicts give the same bytes."""
    cases = tuple(
        Case(case.rpartition("-")[0] or case, case, _status(verdict, case in failed), _message(case, verdict, outcome))
        for case, verdict in outcome.cases.items()
    )
    facts = (("cloud", job.cloud), ("version", ", ".join(outcome.versions)), ("checkout", outcome.commit))
    return Report(f"SCS compliance of {job.cloud}", facts, cases=cases)


def _status(verdict: str, failed: bool) -> str:
    if failed:
        return "failed"
    return {PASS: "passed", MISSING: "skipped"}.get(verdict, "warning")


def _message(case: str, verdict: str, outcome: Outcome) -> str:
    if verdict == PASS:
        return ""
    said = [line for line in outcome.severe if case in line or _topic(case) in line]
    return "; ".join([verdict, *said])


def _topic(case: str) -> str:
    """The last part of an id as the messages of the tests write it: ``scs-0103-flavor-2v-8`` is about ``SCS-2V-8``."""
    _scs, _number, rest = case.split("-", 2)
    return f"SCS-{rest[7:].upper()[:-1]}{rest[-1]}" if rest.startswith("flavor-") else rest
