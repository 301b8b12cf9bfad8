# SPDX-License-Identifier: Apache-2.0
"""The role backup_timer on a machine with systemd: what runs, as whom, what it may do, and that all of it goes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.lab.hosts import Lab
from ansible_collections.scs.landscape.tests.lab.tests import nodes
from ansible_collections.scs.landscape.tests.lab.tests.deploying import Done

pytestmark = pytest.mark.full
METRICS, PROM = "/var/lib/prometheus/node-exporter", "/var/lib/prometheus/node-exporter/scs-backup-shop.prom"
VARIABLES = {"backup_cloud": "shop", "backup_policies": {"gold": {"keep": {"daily": 7}}}}

#: Stands where ansible-playbook stands: tells what it was given and what it may do, and hands figures over.
STAND_IN = """#!/usr/bin/python3
import json, os, pathlib, sys
given = json.loads(pathlib.Path(sys.argv[-1][1:]).read_text())
allowed = {}
for name, place in {"etc": "/etc/x", "home": "/home/dragon/x", "own": "x", "tmp": "/tmp/x"}.items():
    try:
        pathlib.Path(place).write_text("")
        allowed[name] = True
    except OSError:
        allowed[name] = False
said = {"argv": sys.argv[1:], "user": os.getuid(), "allowed": allowed, "clouds": os.environ["OS_CLIENT_CONFIG_FILE"]}
said["pwd"] = [os.environ["PWD"], os.getcwd()]
pathlib.Path("said.json").write_text(json.dumps({**said, "given": given}))
new = pathlib.Path(given["backup_metrics"] + ".new")
new.write_text("figure 1\\n")
new.chmod(0o644)
new.rename(given["backup_metrics"])
sys.exit(2 if "prune" in sys.argv[1] else 0)
"""


@pytest.fixture(scope="module", params=nodes.ONE_OF_TWO)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with nodes.machines(request.param, "timer", nodes.HOST) as found:
        yield found


@pytest.fixture
def site(lab: Lab, tmp_path: Path, collections_root: Path) -> nodes.Site:
    found = nodes.Site(lab, tmp_path, collections_root)
    program = {"dest": "/usr/local/bin/ansible-playbook", "content": STAND_IN, "mode": "0755"}
    assert found.run({"ansible.builtin.copy": program}).rc == 0
    return found


def timer(site: nodes.Site, *arguments: str, **more: Any) -> Done:
    """One run of the role."""
    given = {"name": "shop", "program": "/usr/local/bin/ansible-playbook", "variables": VARIABLES, **more}
    role = {
        "role": "scs.landscape.backup_timer",
        "vars": {f"backup_timer_{name}": value for name, value in given.items()},
    }
    return site.run(arguments=arguments, roles=[role])


def units(site: nodes.Site) -> list[str]:
    return site.inside("sh", "-c", "cd /etc/systemd/system; ls | grep ^scs-backup || true").split()


def unchanged(site: nodes.Site, **more: Any) -> Done:
    """One run of the role in check mode; no file, no unit and no user is another afterwards."""
    look = f"find /etc /var/lib/scs-backup {METRICS} -xdev -printf '%p %m %u %g %C@\\n' 2>&1 | sort; systemctl list-unit-files"
    before = site.inside("sh", "-c", look)
    done = timer(site, "--check", "--diff", **more)
    assert (done.rc, site.inside("sh", "-c", look)) == (0, before), done.output[-4000:]
    assert done.changed()
    return done


@pytest.mark.accept("B1.17")
def test_a_timer_runs_a_playbook_as_nobody_of_note_and_goes_without_a_trace(site: nodes.Site) -> None:
    unchanged(site)
    assert units(site) == []
    done = timer(site)
    assert done.rc == 0, done.output[-4000:]
    assert units(site) == [f"scs-backup-shop-{job}.{kind}" for job in ("take", "thin") for kind in ("service", "timer")]
    again = timer(site)
    assert (again.rc, again.changed()) == (0, {}), again.output[-4000:]
    for job in ("take", "thin"):
        assert site.inside("systemctl", "is-active", f"scs-backup-shop-{job}.timer").strip() == "active"
        assert site.inside("systemctl", "is-enabled", f"scs-backup-shop-{job}.timer").strip() == "enabled"
    assert site.inside("systemd-analyze", "verify", "/etc/systemd/system/scs-backup-shop-take.service").strip() == ""

    site.inside("systemctl", "start", "scs-backup-shop-take.service")
    said = json.loads(site.inside("cat", "/var/lib/scs-backup/shop/said.json"))
    assert said["argv"][0] == "scs.landscape.backup_run"
    assert said["given"] == {**VARIABLES, "backup_metrics": PROM}
    assert said["user"] == int(site.inside("id", "-u", "scs-backup"))
    assert said["allowed"] == {"etc": False, "home": False, "own": True, "tmp": True}
    assert said["pwd"] == ["/var/lib/scs-backup/shop"] * 2
    assert site.inside("ls", METRICS).split() == ["scs-backup-shop.prom"]
    assert site.inside("cat", PROM) == "figure 1\n"
    # What failed is seen by systemd, and its figures are handed over all the same.
    site.inside("rm", PROM)
    site.inside("sh", "-c", "systemctl start scs-backup-shop-thin.service || true")
    assert site.inside("sh", "-c", "systemctl is-failed scs-backup-shop-thin.service || true").strip() == "failed"
    assert site.inside("cat", PROM) == "figure 1\n"

    jobs = [{"name": "take", "playbook": "scs.landscape.backup_run", "calendar": "hourly"}]
    unchanged(site, jobs=jobs)
    fewer = timer(site, jobs=jobs)
    assert (fewer.rc, units(site)) == (0, ["scs-backup-shop-take.service", "scs-backup-shop-take.timer"]), fewer.output
    assert "OnCalendar=hourly" in site.inside("systemctl", "cat", "scs-backup-shop-take.timer")
    unchanged(site, state="absent")
    gone = timer(site, state="absent")
    assert (gone.rc, units(site)) == (0, []), gone.output[-4000:]
    assert (
        site.inside(
            "sh", "-c", f"ls {METRICS} /etc/scs-backup; systemctl list-timers --all | grep -c scs-backup || true"
        ).split()[-1]
        == "0"
    )
    assert timer(site, state="absent").changed() == {}


@pytest.mark.parametrize(
    "job",
    [
        {"name": "take", "playbook": "scs.landscape.backup_run", "calendar": "every day"},
        {"name": "take", "playbook": "scs.landscape.backup_run", "calendar": "daily\nUser=root"},
        {"name": "../take", "playbook": "scs.landscape.backup_run", "calendar": "daily"},
        {"name": "take", "playbook": "x; rm -rf y", "calendar": "daily"},
    ],
    ids=["calendar", "two lines", "folder", "words"],
)
def test_what_is_no_job_is_refused_before_anything_is_written(site: nodes.Site, job: dict[str, str]) -> None:
    done = timer(site, jobs=[job])
    assert (done.rc != 0, units(site)) == (True, []), done.output[-4000:]
