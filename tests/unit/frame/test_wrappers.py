# SPDX-License-Identifier: Apache-2.0
"""The OSISM wrappers are in step with the playbooks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _wrappers():
    spec = importlib.util.spec_from_file_location("wrappers", ROOT / "tests" / "tools" / "wrappers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_playbook_has_its_wrapper():
    assert _wrappers().out_of_step() == []


def test_a_changed_and_an_orphaned_wrapper_are_noticed(tmp_path, monkeypatch):
    wrappers = _wrappers()
    (tmp_path / "playbooks" / "osism").mkdir(parents=True)
    (tmp_path / "playbooks" / "lab_x.yml").write_text("---\n- name: Do x\n  hosts: all\n", encoding="utf-8")
    (tmp_path / "playbooks" / "osism" / "playbook-lab_y.yml").write_text("---\n", encoding="utf-8")
    monkeypatch.setattr(wrappers, "ROOT", tmp_path)
    monkeypatch.setattr(wrappers, "TARGET", tmp_path / "playbooks" / "osism")
    assert [path.name for path in wrappers.out_of_step()] == ["playbook-lab_x.yml", "playbook-lab_y.yml"]
    assert wrappers.main(["--check"]) == 1
    assert wrappers.main([]) == 0
    assert wrappers.out_of_step() == []
    assert "scs.landscape.lab_x" in (tmp_path / "playbooks" / "osism" / "playbook-lab_x.yml").read_text(
        encoding="utf-8"
    )
