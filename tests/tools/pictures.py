# SPDX-License-Identifier: Apache-2.0
"""``make pictures``: draws the SCS lab and a generated landscape, checks every text, and renders all of it to PNG.

Also renews the pictures that the documentation of the collection shows (docs/images): those of the SCS lab, of a drill, and of a
migration.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.scs.landscape.plugins.module_utils.flows.migration import report, state
from ansible_collections.scs.landscape.plugins.module_utils.landscape import client, derive
from ansible_collections.scs.landscape.plugins.module_utils.landscape.docs import build, model
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import chains_picture, times_picture
from ansible_collections.scs.landscape.plugins.module_utils.openstack.drills import model as drills
from ansible_collections.scs.landscape.tests.bench import generate
from ansible_collections.scs.landscape.tests.tools import svg_check
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.flows import waves
from ansible_collections.scs.landscape.tests.unit.plugins.module_utils.openstack.drills import records

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "build" / "pictures"
#: Pictures of the SCS lab that README and docs show.
SHOWN = {
    "scs-lab-rack.svg": "racks/r01.svg",
    "scs-lab-network.svg": "topology.svg",
    "scs-lab-management.svg": "management.svg",
    "scs-lab-power.svg": "power.svg",
    "scs-lab-fabric.svg": "fabric.svg",
}
ZOOM = "1.5"


def pictures(source: Path) -> dict[str, str]:
    """All pictures of a landscape by name."""
    landscape, findings = client.load([str(source)])
    if findings:
        raise SystemExit("\n".join(map(str, findings)))
    written = build.pages(derive.resolve(landscape), [], model.Options())
    return {name: text for name, text in written.items() if name.endswith(".svg")}


def drill() -> dict[str, str]:
    """Pictures of a drill that was made up, by name."""
    known = records.shop()
    rows = drills.rows_of(known["volumes"], known["chains"], known["names"])
    trials = drills.trials_of(known["restores"], known["verified"], rows)
    return {
        "backup-chains.svg": chains_picture.chains_picture(rows, trials),
        "backup-times.svg": times_picture.times_picture(trials),
    }


def migration() -> dict[str, str]:
    """Pictures of a migration that was made up, by name."""
    journals = [state.journal_of(waves.journal(name)) for name in waves.NAMES]
    made = report.report_of("Three machines", journals, [], [])
    return {"migration-timeline.svg": next(table.svg for table in made.tables if table.svg)}


def render(label: str, drawn: dict[str, str]) -> int:
    """Writes and renders pictures; how many problems their texts have."""
    problems = 0
    for name, text in drawn.items():
        file = TARGET / label / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        png = file.with_suffix(".png")
        subprocess.run(["rsvg-convert", "--zoom", ZOOM, "--output", str(png), str(file)], check=True)
        for problem in svg_check.problems(text):
            problems += 1
            print(f"{file.relative_to(ROOT)}: {problem}", file=sys.stderr)
    print(f"{label}: {len(drawn)} pictures below {(TARGET / label).relative_to(ROOT)}")
    return problems


def main() -> int:
    """Renders everything; fails when a text overlaps or leaves its box."""
    lab = pictures(ROOT / "examples" / "scs-lab")
    images = ROOT / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, source in SHOWN.items():
        (images / name).write_text(lab[source], encoding="utf-8")
    drawn, moved = drill(), migration()
    for name, text in {**drawn, **moved}.items():
        (images / name).write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        large = pictures(generate.write(Path(folder), 200, 1000))
    wanted = {name: text for name, text in large.items() if "/" not in name or name.endswith("/r01.svg")}
    shown = {"scs-lab": lab, "generated": wanted, "drill": drawn, "migration": moved}
    return 1 if sum([render(label, pictures) for label, pictures in shown.items()]) else 0


if __name__ == "__main__":
    sys.exit(main())
