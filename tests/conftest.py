# SPDX-License-Identifier: Apache-2.0
"""What every test of the project shares: the import path, the seed, and the record of acceptance ids."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


def _collections_root() -> Path:
    """Return a folder with ``ansible_collections/scs/landscape`` in it: around the checkout, or made of links."""
    if REPO.parts[-3:] == ("ansible_collections", "scs", "landscape"):
        return REPO.parents[2]
    cache = Path(os.environ.get("SCS_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    root = cache / "scs-landscape-links" / hashlib.sha256(str(REPO).encode()).hexdigest()[:12]
    link = root / "ansible_collections" / "scs" / "landscape"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(REPO)
    return root


ROOT = _collections_root()
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT)
# Workers of pytest-xdist inherit the variable, so that one run has one seed.
SEED = int(os.environ.setdefault("SCS_SEED", str(random.randrange(2**32))))


def pytest_report_header() -> str:
    return f"seed: {SEED} (repeat with SCS_SEED={SEED})"


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run; build a ``random.Random(seed)`` from it, one per test."""
    return SEED


@pytest.fixture(scope="session")
def repo() -> Path:
    """The checkout, or its staged copy."""
    return REPO


@pytest.fixture(scope="session")
def collections_root() -> Path:
    """The folder that ANSIBLE_COLLECTIONS_PATH points to."""
    return ROOT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave whole matrices to `make test-all`; hand acceptance ids to the reports, which travel from xdist's workers."""
    if not os.environ.get("SCS_FULL"):
        whole = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in whole]
        config.hook.pytest_deselected(items=whole)
    for item in items:
        for marker in item.iter_markers("accept"):
            item.user_properties.extend(("accept", identifier) for identifier in marker.args)


class AcceptanceRecord:
    """Collects how the tests that carry an acceptance id went, and writes them for ``make accept``."""

    def __init__(self, folder: Path, leg: str, suite: str) -> None:
        self.path = folder / f"accept-{leg}-{suite}.json"
        self.leg = leg
        self.results: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, identifier in report.user_properties:
            key = (str(identifier), report.nodeid)
            if name == "accept" and (report.when == "call" or not report.passed):
                worse = self.results.get(key, "passed") != "passed"
                self.results[key] = self.results[key] if worse else report.outcome

    def pytest_sessionfinish(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        records = [
            {"id": identifier, "test": test, "leg": self.leg, "result": result}
            for (identifier, test), result in sorted(self.results.items())
        ]
        self.path.write_text(json.dumps(records, indent=1), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Record only where the runner asks for it, and in the process that sees every report."""
    folder = os.environ.get("SCS_RESULTS")
    if folder and not hasattr(config, "workerinput"):
        leg, suite = os.environ.get("SCS_LEG", "local"), os.environ.get("SCS_SUITE", "pytest")
        config.pluginmanager.register(AcceptanceRecord(Path(folder), leg, suite), "acceptance-record")
