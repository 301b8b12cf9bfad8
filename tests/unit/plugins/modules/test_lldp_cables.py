# SPDX-License-Identifier: Apache-2.0
"""The module lldp_cables: what it returns, and when it fails."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.scs.landscape.plugins.modules import lldp_cables

LAB = str(Path(__file__).resolve().parents[4] / "examples" / "embedded")
LEAF = "em01-leaf-r01-u38"


def cables(**options):
    return lldp_cables.main({"src": [LAB], "observed": {}, "ignore_ports": [], "fail_on": [], **options}, False)


def test_a_landscape_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "broken.yml"
    path.write_text("version: 1\nhosts: [", encoding="utf-8")
    assert "broken.yml" in cables(src=[str(path)]).failed


def test_cables_fail_only_when_told_to():
    observed = {LEAF: {"neighbors": [{"port": "Ethernet20", "peer": "printer", "peer_port": "lan"}]}}
    calm = cables(observed=observed)
    assert not calm.failed
    assert calm.values["counts"]["unexpected"] == 1
    assert "Pull the plug" in calm.values["advice"][0]
    strict = cables(observed=observed, fail_on=["unexpected"])
    assert strict.failed.startswith("unexpected: em01-leaf-r01-u38/Ethernet20 sees printer/lan")
    assert strict.values == calm.values
    assert cables(fail_on=["unknown"]).failed.startswith("unknown: Nothing is known about")
