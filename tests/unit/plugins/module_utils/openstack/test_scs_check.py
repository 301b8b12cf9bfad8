# SPDX-License-Identifier: Apache-2.0
"""The compliance tests of a stand-in checkout: it speaks the options and the output that the real one documents."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.scs.landscape.plugins.module_utils.core.errors import InputError, LandscapeError
from ansible_collections.scs.landscape.plugins.module_utils.openstack import compliance
from ansible_collections.scs.landscape.plugins.modules import scs_check

# What the real one prints: verdicts of the cases, errors on the other channel, then a summary.
CHECKER = """
    import getopt, os, sys, time
    options, (spec,) = getopt.gnu_getopt(sys.argv[1:], "vs:a:t:V:d:")
    given = dict(options)
    assert os.path.isfile(spec) and os.environ["OS_CLOUD"] == given["-s"]
    assert given["-a"] == "os_cloud=" + given["-s"], given
    with open(os.environ["STAND_IN_LOG"], "a") as log:
        print(sys.argv[1:], os.environ.get("OS_CLIENT_CONFIG_FILE"), sys.dont_write_bytecode, file=log)
    for line in open(spec):
        kind, _, rest = line.rstrip("\\n").partition(" ")
        if kind == "out": print(rest)
        if kind == "err": print(rest, file=sys.stderr)
        if kind == "sleep": time.sleep(float(rest))
        if kind == "exit": sys.exit(int(rest))
"""

GOOD = """\
out scs-0103-flavor-1v-4: PASS
out scs-0103-flavor-2v-8: FAIL
out scs-0117-test-backup: ABORT
err ERROR: Flavor 'SCS-2V-8' violating constraints: ram: 4096 should be 8192
err INFO: nothing to see
err CRITICAL: no backup service
out ********************************************************************************
out member SCS-compatible IaaS v5.1:
out - main: FAIL (1 passed, 1 failed, 1 aborted, 1 missing)
out   - FAILED:
out     - scs-0103-flavor-2v-8:
out       > Check presence of flavor `SCS-2V-8`.
out   - MISSING:
out     - scs-0101-rngd:
out       > Ensures that the service `rngd` is present on a sample VM.
exit 3
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = tmp_path / "standards"
    (folder / "Tests").mkdir(parents=True)
    (folder / "Tests" / "scs-compliance-check.py").write_text(textwrap.dedent(CHECKER), encoding="utf-8")
    (folder / "Tests" / "scs-compatible-iaas.yaml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "log"))
    return folder


def run(programs: Any, folder: Any, check: bool = False, **options: Any) -> Any:
    defaults = {name: spec.get("default") for name, spec in scs_check.ARGUMENTS.items()}
    given = {"checkout": str(folder), "cloud": "member", "python": sys.executable}
    return scs_check.main({**defaults, **given, **options}, check, programs)


def test_every_case_has_its_verdict_and_the_failed_ones_their_reason(programs, checkout):
    done = run(programs, checkout)
    assert done.values["cases"] == {
        "scs-0101-rngd": "MISSING",
        "scs-0103-flavor-1v-4": "PASS",
        "scs-0103-flavor-2v-8": "FAIL",
        "scs-0117-test-backup": "ABORT",
    }
    assert done.values["counts"] == {"PASS": 1, "FAIL": 1, "ABORT": 1, "MISSING": 1}
    assert (done.values["versions"], done.values["rc"], done.changed) == (["v5.1"], 3, False)
    assert done.failed.splitlines() == [
        "scs-0103-flavor-2v-8: FAIL; Flavor 'SCS-2V-8' violating constraints: ram: 4096 should be 8192",
        "scs-0117-test-backup: ABORT",
    ]
    assert done.values["messages"][-1] == "no backup service"


def test_options_reach_the_program_and_nothing_is_written_into_the_checkout(programs, checkout, tmp_path):
    before = sorted(checkout.rglob("*"))
    clouds = tmp_path / "clouds.yaml"
    run(
        programs,
        checkout,
        cases="scs-010[03]",
        version="v5.1",
        date="2026-01-01",
        clouds_file=str(clouds),
        fail_on=[],
    )
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "'-t', 'scs-010[03]', '-V', 'v5.1', '-d', '2026-01-01'" in log
    assert f"{clouds} True" in log
    assert sorted(checkout.rglob("*")) == before


def test_a_report_is_written_when_it_reads_differently(programs, checkout, tmp_path):
    junit = tmp_path / "new" / "scs.xml"
    first = run(programs, checkout, junit=str(junit), ignore=["scs-0117-.*"])
    assert (first.changed, first.steps_done) == (True, 1)
    assert first.failed.startswith("scs-0103-flavor-2v-8")
    assert "0117" not in first.failed
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    assert suite.find("testcase/failure").get("message").startswith("FAIL; Flavor 'SCS-2V-8'")
    again = run(programs, checkout, junit=str(junit), ignore=["scs-0117-.*"])
    assert (again.changed, again.steps_done) == (False, 0)


def test_what_changed_since_an_earlier_run(programs, checkout):
    first = run(programs, checkout)
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text(GOOD.replace("FAIL", "PASS"), encoding="utf-8")
    second = run(programs, checkout, before=first.values["cases"])
    assert second.values["changes"] == [{"case": "scs-0103-flavor-2v-8", "before": "FAIL", "after": "PASS"}]


def test_check_mode_runs_nothing_and_plans_the_same(programs, checkout, tmp_path):
    predicted = run(programs, checkout, check=True)
    assert not (tmp_path / "log").exists()
    assert predicted.plan.digest == run(programs, checkout).plan.digest
    assert predicted.values["command"][:2] == [sys.executable, str(checkout / "Tests" / "scs-compliance-check.py")]


def test_tests_that_hang_are_ended(programs, checkout):
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text("sleep 60\n", encoding="utf-8")
    with pytest.raises(LandscapeError, match="did not end within 1 s"):
        run(programs, checkout, timeout=1)


@pytest.mark.parametrize(
    ("spec", "options", "reason"),
    [
        (
            "err CRITICAL: ModuleNotFoundError: openstack\nexit 1\n",
            {},
            "no verdict .exit status 1.: ModuleNotFoundError",
        ),
        ("err Traceback\nerr SyntaxError: x\nexit 1\n", {}, "Traceback; SyntaxError: x"),
        ("", {"cases": "nothing"}, "no output. Look whether cases matches"),
    ],
)
def test_no_verdict_is_an_error_with_its_reason(programs, checkout, spec, options, reason):
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text(spec, encoding="utf-8")
    with pytest.raises(LandscapeError, match=reason):
        run(programs, checkout, **options)


CRASH = "err Traceback (most recent call last):\nerr OSError: [Errno 28] No space left on device\nexit 1\n"
SUMMARY = "out member SCS-compatible IaaS v5.1:\n"


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("out scs-0103-flavor-1v-4: PASS\n" + CRASH, {}),
        ("out scs-0103-flavor-1v-4: PASS\nout scs-0103-flavor-2v-8: FAIL\n" + CRASH, {"ignore": ["scs-.*-2v-8"]}),
        ("out scs-0103-flavor-1v-4: PASS\nout scs-0103-flavor-2v-8: FAIL\n" + CRASH, {}),
        ("out scs-0103-flavor-1v-4: PASS\n" + SUMMARY + "err No space left on device\nexit 4\n", {}),
        ("out scs-0103-flavor-1v-4: PASS\nout scs-0103-x: MISSING\nerr No space left on device\nexit 137\n", {}),
    ],
    ids=["passed", "ignored", "failed", "status", "killed"],
)
def test_tests_that_break_off_midway_do_not_pass(programs, checkout, spec, options):
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text(spec, encoding="utf-8")
    done = run(programs, checkout, **options)
    assert "which no verdict explains" in done.failed.splitlines()[-1]
    assert "No space left on device" in done.failed
    assert done.values["cases"]["scs-0103-flavor-1v-4"] == "PASS"


def test_a_status_that_ignored_verdicts_explain_passes(programs, checkout):
    assert run(programs, checkout, ignore=["scs-0103-.*", "scs-0117-.*"]).failed == ""


def test_an_administrator_is_told_why_everything_aborts(programs, checkout):
    spec = "out scs-0103-flavor-1v-4: ABORT\nerr CRITICAL: Pre-flight checks failed. Reporting all testcases as ABORT.\nexit 1\n"
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text(spec, encoding="utf-8")
    assert "The tests say: Pre-flight checks failed" in run(programs, checkout).failed


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"checkout": "/nowhere"},
            "no checkout of SovereignCloudStack/standards: Tests/scs-compliance-check.py is missing",
        ),
        ({"spec": "Tests/other.yaml"}, "Tests/other.yaml is missing"),
        ({"cases": "("}, "cases holds '\\('"),
        ({"ignore": ["("]}, "ignore holds '\\('"),
        ({"cloud": "-rf"}, "no name of a cloud"),
    ],
)
def test_bad_input_is_refused(programs, checkout, options, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        run(programs, checkout, **options)
    assert not (tmp_path / "log").exists()


def test_the_commit_of_a_checkout_is_noted(programs, checkout):
    job = compliance.Job(str(checkout), "member", sys.executable)
    assert compliance.commit(job, programs) == ""
    git = ["git", "-C", str(checkout), "-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    for argv in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message=First"]):
        subprocess.run([*git, *argv], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert compliance.commit(job, programs) == head


def test_only_lines_that_are_verdicts_count():
    text = "scs-0103-flavor-1v-4: pass\nnote: PASS\nscs-0100-syntax-check: MAYBE\n x: scs-0103-flavor: PASS\n"
    assert compliance.verdicts(text) == {"scs-0103-flavor-1v-4": "PASS"}


@pytest.mark.parametrize("where", ["clouds_file", "OS_CLIENT_CONFIG_FILE", "secure.yaml", "nowhere", "broken"])
def test_secrets_of_the_login_are_not_quoted(programs, checkout, tmp_path, monkeypatch, where):
    secret = {"auth": {"username": "somebody", "password": "sesame!", "pin": 5}, "verify": False}
    clouds = tmp_path / "clouds.yaml"
    text = yaml.safe_dump({"clouds": {"member": secret}})
    clouds.write_text({"secure.yaml": "clouds: {}", "broken": "a: ["}.get(where, text), encoding="utf-8")
    if where == "secure.yaml":
        (tmp_path / "secure.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds) if where == "OS_CLIENT_CONFIG_FILE" else "")
    monkeypatch.chdir(tmp_path / "standards")  # nor is there one where the SDK would look
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    token = "gAAAAABabcdefghijklmnopqrstuvwxyz"
    said = f"out scs-0101-x: FAIL\nerr ERROR: x of somebody sesame! {token} is wrong\nexit 1\n"
    (checkout / "Tests" / "scs-compatible-iaas.yaml").write_text(said, encoding="utf-8")
    named = {} if where in ("OS_CLIENT_CONFIG_FILE", "nowhere") else {"clouds_file": str(clouds)}
    done = run(programs, checkout, junit=str(tmp_path / "r.xml"), **named)
    text = f"{done.values} {done.failed} {(tmp_path / 'r.xml').read_text(encoding='utf-8')}"
    assert "somebody" in text
    assert token not in text
    assert ("sesame!" in text) is (where in ("nowhere", "broken"))
