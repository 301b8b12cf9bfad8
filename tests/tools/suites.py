# SPDX-License-Identifier: Apache-2.0
"""The table of suites: what each proves, where it runs, and its command lines.

In a command line ``{work}`` is the leg's own scratch folder. A suite whose ``when`` pattern matches no file has
nothing to run yet; the day it matches, tests/budget.yml must know it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from .legs import ALL, FULL, MAIN

Command = tuple[str, ...]

_PYTEST = ("pytest", "--numprocesses", "2", "--dist", "worksteal")
_BY_FILE = ("pytest", "--numprocesses", "2", "--dist", "loadfile", "--durations", "12")
_COVERAGE = ("--cov", "--cov-report", "term:skip-covered", "--cov-fail-under", "90")

#: Minutes of the longest suites, in a suite of its own for `make test-all`.
_LVM = "tests/lab/ceph_tests/test_lvm.py"
_DEBIAN = tuple(f"tests/lab/openstack_tests/test_{name}_trixie.py" for name in ("provider", "volume_backup"))
_CUTS = "tests/lab/switch_tests/test_cuts.py"
_DEMO = "tests/lab/tests/test_demo.py"
#: A migration needs a whole cloud, for minutes: it is tried once, and by `make test-all` alone.
_ONCE = ("--exclude", "vm_migration")
_TRACED = ("core-2.19",)
_UNTRACED = tuple(leg for leg in ALL if leg not in _TRACED)
#: One more than there are cores: some tests wait for a program or a clock.
_THREE = ("pytest", "--numprocesses", "3", "--dist", "worksteal")
_UNIT = (*_THREE, "-m", "not slow", "tests/unit", "--ignore", "tests/unit/frame")


@dataclass(frozen=True)
class Suite:
    """One row: name, what it proves, legs, and the command lines (or a function of the leg that gives them).

    :param quick: part of `make check`, there on its first leg only.
    :param full: runs in `make test-all` only.
    :param own_home: the tool writes into its home folder, so it gets one for itself.
    :param beside: another environment whose programs the tests start: ``osism`` is osism-2.16 on the leg core-2.16.
    :param one_core: keeps one core busy for the most part, so it runs beside the others of its kind that follow it here.
    :param when: pattern of files that must exist for the suite to have something to run.
    """

    name: str
    proves: str
    legs: tuple[str, ...]
    commands: list[Command] | Callable[[str], list[Command]]
    quick: bool = False
    full: bool = False
    own_home: bool = False
    beside: str = ""
    one_core: bool = False
    when: str = "galaxy.yml"

    def command_lines(self, leg: str) -> list[Command]:
        return self.commands(leg) if callable(self.commands) else self.commands

    def environment_beside(self, leg: str) -> str:
        """The name of the other environment for a leg; empty when the suite needs none."""
        return leg.replace("core", self.beside) if self.beside else ""


SUITES = (
    Suite("ruff", "style and layout", ("tools",), [("ruff", "check"), ("ruff", "format", "--check")], quick=True),
    Suite(
        "mypy",
        "types",
        ("tools",),
        [
            ("mypy", "-p", "ansible_collections.scs.landscape.plugins.module_utils"),
            ("mypy", "-p", "ansible_collections.scs.landscape.tests.tools"),
            ("mypy", "-p", "ansible_collections.scs.landscape.tests.lab"),
        ],
        quick=True,
    ),
    Suite("frame", "house rules", MAIN, [(*_PYTEST, "tests/unit/frame")], quick=True),
    Suite("unit", "unit tests", _UNTRACED, [_UNIT], quick=True, when="tests/unit/plugins/**/test_*.py"),
    # Tracing takes twice as long, so the inner loop goes without; on this leg the unit tests run in no other way.
    Suite("coverage", "unit tests, which reach 90 % of module_utils", _TRACED, [(*_UNIT, *_COVERAGE)]),
    Suite(
        "matrix",
        "mutants, hostile input, kills, pictures, figures",
        # No Ansible in it: one Python is enough, but for make test-all.
        FULL if os.environ.get("SCS_FULL") else MAIN,
        [(*_PYTEST, "-m", "slow", "--durations", "8", "tests/unit/plugins")],
    ),
    Suite(
        "play",
        "inventory and check mode with real Ansible",
        ALL,
        [(*_PYTEST, "tests/play")],
        when="tests/play/test_*.py",
    ),
    Suite(
        "osism",
        "plays as `osism apply` runs them",
        ("core-2.18", "core-2.16"),
        # By file: machines are shared by the tests of one file.
        [("pytest", "--numprocesses", "2", "--dist", "loadfile", "tests/osism")],
        beside="osism",
        when="tests/osism/test_*.py",
    ),
    Suite(
        "lab",
        "deploys, faults and kills on the machines of the embedded lab",
        # On plain Debian 12 and 13 this core has a Python of the machine itself, and no root is built for it.
        ("core-2.19",),
        # What has two minutes of a whole machine runs by itself.
        [(*_BY_FILE, "tests/lab/tests", "--ignore", _DEMO), ("pytest", _DEMO)],
        when="tests/lab/tests/test_*.py",
    ),
    Suite(
        "switches",
        "switches of the lab: pinned to SONiC's own code, a fabric, changes of running switches",
        ("core-2.19",),
        [
            # By file: switches are shared by the tests of one file. What counts lost packets runs by itself.
            (*_BY_FILE, "tests/lab/switch_tests", "--ignore", _CUTS),
            ("pytest", _CUTS),
        ],
        when="tests/lab/switch_tests/test_*.py",
    ),
    Suite(
        "ceph",
        "a real Ceph: the provider, gates, moved mons",
        ("core-2.19",),
        # One worker: the tests of all files share a cluster, and two clusters at once are one too many for small machines.
        [("pytest", "--durations", "12", "tests/lab/ceph_tests", "--ignore", _LVM)],
        one_core=True,
        when="tests/lab/ceph_tests/test_*.py",
    ),
    Suite(
        "cloud",
        "a real OpenStack: the provider, images, flavors",
        # its services are Python 3.11 programs of their own; one core is enough for what talks to them
        ("core-2.19",),
        [("pytest", "--durations", "12", "tests/lab/openstack_tests", *(f"--ignore={one}" for one in _DEBIAN))],
        one_core=True,
        when="tests/lab/openstack_tests/test_*.py",
    ),
    Suite(
        "vsphere",
        "ESXi and vCenter of the lab, judged by govmomi's own client",
        ("core-2.19",),
        [("pytest", "--durations", "12", "tests/lab/vsphere_tests")],
        one_core=True,
        when="tests/lab/vsphere_tests/test_*.py",
    ),
    Suite(
        "ceph-lvm",
        "OSDs of a real Ceph on logical volumes, encrypted, in kernels of their own",
        ("core-2.19",),
        [("pytest", "--durations", "12", _LVM)],
        full=True,
        when=_LVM,
    ),
    Suite(
        "cloud-debian",
        "OpenStack as Debian packages it, under systemd",
        ("core-2.19",),
        [("pytest", "--durations", "12", *_DEBIAN)],
        full=True,
        when=_DEBIAN[0],
    ),
    Suite("changelog", "changelog fragments", ("tools",), [("antsibull-changelog", "lint")], one_core=True),
    Suite(
        "docs",
        "documentation of plugins and roles",
        FULL,
        [("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", ".")],
        own_home=True,
        one_core=True,
    ),
    Suite(
        "lint",
        "ansible-lint, production profile",
        FULL,
        [("ansible-lint", "--profile", "production", "--offline")],
        one_core=True,
    ),
    Suite(
        "package",
        "tarball and Galaxy's import check",
        ("importer",),
        [
            ("ansible-galaxy", "collection", "build", "--force", "--output-path", "{work}/dist"),
            ("sh", "-c", "python -m galaxy_importer.main {work}/dist/scs-landscape-*.tar.gz"),
        ],
        own_home=True,
        one_core=True,
    ),
    Suite(
        "integration",
        "integration targets",
        FULL,
        [("ansible-test", "integration", "--local", "--color", "no")],
        one_core=True,
        when="tests/integration/targets/*/tasks/main.yml",
    ),
    Suite(
        "molecule",
        "roles end to end",
        FULL,
        lambda leg: [("molecule", "test", "--all", *([] if leg in MAIN and os.environ.get("SCS_FULL") else _ONCE))],
        one_core=True,
        when="molecule/*/molecule.yml",
    ),
    Suite(
        "sanity",
        "ansible-test sanity",
        FULL,
        [("ansible-test", "sanity", "--color", "no")],
        # Most of its tests are one process; two legs at once fill what each leaves idle.
        one_core=True,
    ),
    Suite(
        "bench",
        "figures of docs/performance.md",
        MAIN,
        [("pytest", "--override-ini", "python_files=bench_*.py", "--capture", "no", "tests/bench")],
        full=True,
        when="tests/bench/**/bench_*.py",
    ),
    Suite("accept", "acceptance ids", ("host",), [("python3", "-B", "-m", "tests.tools", "accept")]),
)
