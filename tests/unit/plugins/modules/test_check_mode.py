# SPDX-License-Identifier: Apache-2.0
"""Check mode of every module writes nothing anywhere, and says exactly what the real run then does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.scs.landscape.tests.bench import generate, processes

pytestmark = pytest.mark.slow
_TABLES = {
    "devices.csv": "name,model,serial number,mgmt ip\n{hosts}leaf-1,AS7726,S1,10.0.0.101\n",
    "cables.csv": "source,source port,destination,destination port\nnode-1,eno1,leaf-1,Ethernet0\n",
}


def _source(module: str, folder: Path, size: int) -> list[str]:
    """Input of a module; a larger size makes other files and fewer or more of them."""
    if module != "landscape_import":
        return [str(generate.write(folder, size))]
    folder.mkdir(exist_ok=True)
    hosts = "".join(f"node-{number},R640,A{number},10.0.0.{10 + number}\n" for number in range(1, size))
    for name, content in _TABLES.items():
        (folder / name).write_text(content.format(hosts=hosts))
    return sorted(str(folder / name) for name in _TABLES)


_OPTIONS: dict[str, Any] = {
    "landscape_docs": lambda dest: {"dest": str(dest), "as_of": "2026-06-01"},
    "landscape_render": lambda dest: {"dest": str(dest), "formats": ["hosts", "netbox", "osism_host_vars"]},
    "landscape_import": lambda dest: {
        "dest": str(dest),
        "naming": r"(?P<role>node|leaf)-\d+",
        "defaults": {"environment": "prod", "rack": "r01", "site": "dc1"},
    },
    "landscape_validate": lambda dest: {
        "reports": [
            str(dest / "new" / "report.md"),
            str(dest / "report.json"),
            str(dest / "r.html"),
            str(dest / "r.xml"),
        ],
        "as_of": "2026-06-01",
    },
}


@pytest.mark.accept("F1.9")
@pytest.mark.parametrize("module", sorted(_OPTIONS))
def test_check_mode_writes_nothing_and_tells_the_truth(module: str, tmp_path: Path) -> None:
    options = _OPTIONS[module](tmp_path / "out")
    for size in (8, 10, 8, 8):  # nothing there; grown; shrunk again; as it is
        options["src"] = _source(module, tmp_path / f"source-{size}", size)
        before = processes.snapshot(tmp_path)
        checked = processes.inside(module, options, check=True)
        assert processes.snapshot(tmp_path) == before
        assert not checked.get("failed"), checked
        real = processes.inside(module, options)
        for key in ("changed", "plan", "diff"):
            assert checked[key] == real[key], key
        assert checked["steps_done"] == 0
        assert real["steps_done"] == len(real["plan"]["steps"])
        assert (processes.snapshot(tmp_path) != before) == real["changed"]
    assert not real["changed"]


@pytest.mark.accept("F1.9")
@pytest.mark.parametrize("module", sorted(_OPTIONS))
def test_a_refused_run_writes_nothing(module: str, tmp_path: Path) -> None:
    options = _OPTIONS[module](tmp_path / "out")
    (tmp_path / "bad.yml").write_text("version: 1\nhosts: [\n")
    options["src"] = [str(tmp_path / ("missing.csv" if module == "landscape_import" else "bad.yml"))]
    before = processes.snapshot(tmp_path)
    assert processes.inside(module, options, check=True).get("failed")
    assert processes.snapshot(tmp_path) == before
    result = processes.inside(module, options)
    assert result.get("failed")
    if module != "landscape_validate":  # which writes its reports about bad input, that is what they are for
        assert processes.snapshot(tmp_path) == before
